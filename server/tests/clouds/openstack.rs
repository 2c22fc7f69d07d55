//! OpenStack: Keystone, Nova and Neutron as their references show their answers, behind one address.

use super::fake::{Answer, Asked, Fake, PATIENCE, SECRET, trust};
use serde_json::{Value, json};
use server::inventory::{
    Collector as _, Fault, FaultKind,
    openstack::{Interface, Login, Openstack, Settings},
};
use shared::inventory::{Hypervisor, IpHow, Nic, NicIp, Observation, Power, Vm};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::time::timeout;

const WEB: &str = "9168b536-cd40-4630-b43f-b259807c6e87";
const DB: &str = "c3a1f0de-5b2e-4f0a-9e63-8f1a07b1c5d2";
const JOB: &str = "f5dc173b-6804-445a-a6d8-c705dad5b5eb";
const NETWORK: &str = "396f12f8-521e-4b91-8e21-2e003500433a";

/// A cloud that answers two items a page, whatever is asked for.
struct Cloud {
    password: &'static str,
    /// Of the token that counts now.
    tokens: u32,
    expires_at: &'static str,
    is_admin: bool,
    /// Every page is said to have another behind it.
    lies: bool,
    servers: Vec<Value>,
    ports: Vec<Value>,
}

fn server(id: &str, name: &str, status: &str, state: u8, host: Option<&str>) -> Value {
    json!({
        "OS-DCF:diskConfig": "AUTO", "OS-EXT-AZ:availability_zone": "zone-a", "OS-EXT-SRV-ATTR:host": host,
        "OS-EXT-SRV-ATTR:hostname": name, "OS-EXT-SRV-ATTR:hypervisor_hostname": host.map(|host| format!("{host}.example.org")),
        "OS-EXT-SRV-ATTR:instance_name": "instance-00000001", "OS-EXT-STS:power_state": state, "OS-EXT-STS:task_state": null,
        "OS-EXT-STS:vm_state": status.to_lowercase(), "OS-SRV-USG:launched_at": "2019-04-23T15:19:14.790426",
        "accessIPv4": "", "accessIPv6": "", "addresses": {"private": [{"OS-EXT-IPS-MAC:mac_addr": "00:0c:29:0d:11:74",
            "OS-EXT-IPS:type": "fixed", "addr": "192.168.1.30", "version": 4}]},
        "config_drive": "", "created": "2019-04-23T15:19:14Z", "description": null, "flavor": {"id": "1", "links": []},
        "hostId": "2091634baaccdc4c5a1d57069c833e402921df696b7f970791b12ec6", "host_status": "UP", "id": id, "image": "",
        "key_name": null, "links": [], "locked": false, "metadata": {"role": name}, "name": name,
        "os-extended-volumes:volumes_attached": [], "progress": 0, "status": status, "tags": ["shop"],
        "tenant_id": "6f70656e737461636b20342065766572", "updated": "2019-04-23T15:19:15Z", "user_id": "fake",
    })
}

fn port(id: &str, device: &str, owner: &str, mac: &str, ip: &str, details: Value) -> Value {
    json!({
        "admin_state_up": true, "allowed_address_pairs": [{"ip_address": "10.0.0.0/8", "mac_address": mac}],
        "binding:host_id": "kvm-1", "binding:profile": {}, "binding:vif_details": details, "binding:vif_type": "ovs",
        "binding:vnic_type": "normal", "device_id": device, "device_owner": owner, "extra_dhcp_opts": [],
        "fixed_ips": [{"ip_address": ip, "subnet_id": "a0304c3a-4f08-4c43-88af-d796509c97d2"}], "id": id, "mac_address": mac,
        "name": "", "network_id": NETWORK, "security_groups": [], "status": "ACTIVE", "tenant_id": "7e02058126cc4950b75f9970368ba177",
    })
}

fn cloud() -> Cloud {
    let plain = json!({"port_filter": true, "bridge_name": "br-int", "datapath_type": "system"});
    let hybrid = json!({"port_filter": true, "bridge_name": "br-int", "ovs_hybrid_plug": true});
    Cloud {
        password: SECRET,
        tokens: 0,
        expires_at: "2099-11-07T02:58:43.578887Z",
        is_admin: true,
        lies: false,
        servers: vec![
            server(WEB, "web", "ACTIVE", 1, Some("kvm-1")),
            server(DB, "db", "SHUTOFF", 4, Some("kvm-2")),
            server(JOB, "job", "SHELVED_OFFLOADED", 0, None),
        ],
        ports: vec![
            port(
                "1d04d8f8-0b7a-4a5b-9e4f-7f6e5f3a2c11",
                "router",
                "network:router_interface",
                "fa:16:3e:00:00:01",
                "10.7.0.1",
                plain.clone(),
            ),
            port(
                "2c1f3a4b-1111-4222-8333-444455556666",
                WEB,
                "compute:zone-a",
                "fa:16:3e:00:00:02",
                "10.7.0.2",
                plain.clone(),
            ),
            port("3d2e4b5c-1111-4222-8333-444455556666", DB, "compute:zone-a", "fa:16:3e:00:00:03", "10.7.0.3", hybrid),
            port(
                "4e3f5c6d-1111-4222-8333-444455556666",
                "dhcp",
                "network:dhcp",
                "fa:16:3e:00:00:04",
                "10.7.0.4",
                plain.clone(),
            ),
            port(
                "5f406d7e-1111-4222-8333-444455556666",
                WEB,
                "compute:zone-a",
                "fa:16:3e:00:00:05",
                "fd00:7::5",
                plain,
            ),
        ],
    }
}

impl Cloud {
    fn answer(&mut self, asked: &Asked, url: &str) -> Answer {
        if asked.path() == "/identity/v3/auth/tokens" {
            return self.login(asked, url);
        }
        if asked.header("x-auth-token") != Some(self.token().as_str()) {
            return Answer::Json(
                401,
                json!({"error": {"code": 401, "message": "The request you have made requires authentication.", "title": "Unauthorized"}}),
            );
        }
        match asked.path() {
            "/compute/v2.1/servers/detail" if asked.query("all_tenants").is_some() && !self.is_admin => {
                let message = "Policy doesn't allow os_compute_api:servers:detail:get_all_tenants to be performed.";
                Answer::Json(403, json!({"forbidden": {"code": 403, "message": message}}))
            }
            "/compute/v2.1/servers/detail" => self.page(asked, "servers", &self.servers),
            "/network/v2.0/ports" => self.page(asked, "ports", &self.ports),
            "/network/v2.0/networks" => {
                let network = json!({"id": NETWORK, "name": "private", "provider:network_type": "vlan", "provider:segmentation_id": 42});
                self.page(asked, "networks", &[network])
            }
            "/network/v2.0/floatingips" => {
                let floating = |id: &str, port: Option<&str>, ip: &str| json!({"id": id, "port_id": port, "floating_ip_address": ip});
                let used = floating("a", Some("2c1f3a4b-1111-4222-8333-444455556666"), "198.51.100.2");
                self.page(asked, "floatingips", &[used, floating("b", None, "198.51.100.3")])
            }
            _ => Answer::Text(404, "<html>404 Not Found</html>"),
        }
    }

    fn token(&self) -> String {
        format!("gAAAAA{}", self.tokens)
    }

    fn login(&mut self, asked: &Asked, url: &str) -> Answer {
        let identity = &asked.body["auth"]["identity"];
        let user = &identity["password"]["user"];
        let credential = &identity["application_credential"];
        let by_password = identity["methods"] == json!(["password"])
            && user["domain"]["name"] == "Default"
            && user["password"] == self.password
            && asked.body["auth"]["scope"]["project"] == json!({"name": "ops", "domain": {"name": "Default"}});
        let by_credential = identity["methods"] == json!(["application_credential"])
            && credential["secret"] == self.password
            && asked.body["auth"].get("scope").is_none();
        if !by_password && !by_credential {
            return Answer::Json(
                401,
                json!({"error": {"code": 401, "message": format!("no {SECRET}"), "title": "Unauthorized"}}),
            );
        }
        self.tokens += 1;
        let endpoint = |interface: &str, region: &str, path: &str| json!({"id": "0", "interface": interface, "region": region, "region_id": region, "url": format!("{url}{path}")});
        let service = |kind: &str, path: &str| {
            let endpoints =
                [endpoint("public", "one", path), endpoint("public", "two", "/other"), endpoint("admin", "one", "/no")];
            json!({"type": kind, "name": kind, "id": "1", "endpoints": endpoints})
        };
        let catalog = [service("compute", "/compute/v2.1"), service("network", "/network")];
        let token = json!({"methods": identity["methods"], "expires_at": self.expires_at, "issued_at": "2019-11-07T01:58:43.578929Z", "catalog": catalog});
        Answer::With(201, "X-Subject-Token", self.token(), json!({"token": token}))
    }

    fn page(&self, asked: &Asked, list: &str, items: &[Value]) -> Answer {
        let marker = asked.query("marker");
        let from = marker.and_then(|marker| items.iter().position(|item| item["id"] == marker)).map_or(0, |at| at + 1);
        let from = if self.lies { 0 } else { from };
        let page: Vec<&Value> = items.iter().skip(from).take(2).collect();
        let mut said = json!({list: page});
        if self.lies || from + 2 < items.len() {
            // As behind a balancer: the address is none that could be asked.
            said[format!("{list}_links")] = json!([{"rel": "next", "href": "http://10.0.0.1:8774/next"}]);
        }
        Answer::Json(200, said)
    }
}

/// The cloud, what it can be changed by, and the collector of it.
fn start(cloud: Cloud, login: Login) -> (Fake, Arc<Mutex<Cloud>>, Openstack) {
    let cloud = Arc::new(Mutex::new(cloud));
    let answering = Arc::clone(&cloud);
    let fake = Fake::start(move |asked, url| answering.lock().unwrap().answer(asked, url));
    let url = format!("{}/identity", fake.url);
    let (region, interface, every) = (Some("one".to_owned()), Interface::Public, Duration::from_millis(100));
    let openstack = Openstack::new(Settings { url, login, trust: trust(), region, interface, every }).unwrap();
    (fake, cloud, openstack)
}

fn user() -> Login {
    let text = str::to_owned;
    Login::Password { username: text("tocsin"), password: text(SECRET), project: text("ops"), domain: text("Default") }
}

async fn next(openstack: &mut Openstack) -> Result<Observation, Fault> {
    timeout(PATIENCE, openstack.next()).await.unwrap()
}

fn nic(id: &str, mac: &str, ips: &[&str], port: &str) -> Nic {
    Nic {
        mac: Some(mac.parse().unwrap()),
        ips: ips.iter().map(|ip| NicIp { ip: ip.parse().unwrap(), how: IpHow::Assigned }).collect(),
        network: Some("private".into()),
        vlan: Some(42),
        switch: Some("br-int".into()),
        port: Some(port.into()),
        iface_id: Some(id.into()),
        connected: Some(true),
        ..Nic::default()
    }
}

fn vm(id: &str, name: &str, power: Power, hypervisor: Option<&str>, nics: Vec<Nic>) -> Vm {
    Vm {
        key: id.into(),
        name: name.into(),
        uuid: Some(id.into()),
        hostname: Some(name.into()),
        power,
        hypervisor: hypervisor.map(str::to_owned),
        tags: vec!["shop".into(), format!("role={name}")],
        nics,
        ..Vm::default()
    }
}

fn expected() -> Observation {
    let web = vec![
        nic(
            "2c1f3a4b-1111-4222-8333-444455556666",
            "fa:16:3e:00:00:02",
            &["10.7.0.2", "198.51.100.2"],
            "tap2c1f3a4b-11",
        ),
        nic("5f406d7e-1111-4222-8333-444455556666", "fa:16:3e:00:00:05", &["fd00:7::5"], "tap5f406d7e-11"),
    ];
    let db = vec![nic("3d2e4b5c-1111-4222-8333-444455556666", "fa:16:3e:00:00:03", &["10.7.0.3"], "qvo3d2e4b5c-11")];
    let hypervisor = |name: &str| Hypervisor {
        key: name.into(),
        name: name.into(),
        cluster: Some("zone-a".into()),
        ..Hypervisor::default()
    };
    Observation {
        whole: true,
        hypervisors: vec![hypervisor("kvm-1.example.org"), hypervisor("kvm-2.example.org")],
        vms: vec![
            vm(WEB, "web", Power::On, Some("kvm-1.example.org"), web),
            vm(DB, "db", Power::Off, Some("kvm-2.example.org"), db),
            vm(JOB, "job", Power::Off, None, Vec::new()),
        ],
        ..Observation::default()
    }
}

#[tokio::test]
async fn a_cloud_is_observed_page_by_page() {
    for login in [user(), Login::ApplicationCredential { id: "a1".into(), secret: SECRET.into() }] {
        let (fake, _, mut openstack) = start(cloud(), login);
        assert_eq!(next(&mut openstack).await.unwrap(), expected());
        let markers = |part: &str| fake.asked(part).iter().map(|asked| asked.query("marker")).collect::<Vec<_>>();
        assert_eq!(markers("/servers/detail"), [None, Some(DB.to_owned())]);
        assert_eq!(markers("/ports").len(), 3);
        assert!(
            fake.asked("/servers").iter().all(|asked| asked.header("x-openstack-nova-api-version") == Some("2.26"))
        );
        assert!(fake.asked("").iter().all(|asked| asked.method == "GET" || asked.path().ends_with("/auth/tokens")));
    }
}

#[tokio::test]
async fn without_rights_the_own_project_is_observed() {
    let mut cloud = cloud();
    cloud.is_admin = false;
    for server in &mut cloud.servers {
        let shown = server.as_object_mut().unwrap();
        shown.retain(|name, _| !name.starts_with("OS-EXT-SRV-ATTR:"));
    }
    for port in &mut cloud.ports {
        port.as_object_mut().unwrap().retain(|name, _| !name.starts_with("binding:"));
    }
    let (fake, _, mut openstack) = start(cloud, user());
    for _ in 0..2 {
        let seen = next(&mut openstack).await.unwrap();
        assert_eq!((seen.vms.len(), seen.hypervisors.len()), (3, 0));
        let web = seen.vms.iter().find(|vm| vm.name == "web").unwrap();
        assert!(web.hypervisor.is_none() && web.nics.len() == 2 && web.nics[0].port.is_none(), "{web:?}");
    }
    assert_eq!(fake.asked("all_tenants").len(), 1, "it is not asked for again and again");
}

#[tokio::test]
async fn a_token_that_ended_is_replaced() {
    let (fake, cloud, mut openstack) = start(cloud(), user());
    next(&mut openstack).await.unwrap();
    next(&mut openstack).await.unwrap();
    assert_eq!(fake.asked("/auth/tokens").len(), 1, "a token is used again");
    // Revoked before its time.
    cloud.lock().unwrap().tokens = 7;
    assert_eq!(next(&mut openstack).await.unwrap(), expected());
    assert_eq!(fake.asked("/auth/tokens").len(), 2);
    // About to end: nothing is asked with it.
    cloud.lock().unwrap().expires_at = "2020-01-01T00:00:00.000000Z";
    cloud.lock().unwrap().tokens = 20;
    next(&mut openstack).await.unwrap();
    let refused = fake.asked("/servers").len();
    next(&mut openstack).await.unwrap();
    assert_eq!((fake.asked("/auth/tokens").len(), fake.asked("/servers").len()), (4, refused + 2));
}

#[tokio::test]
async fn who_is_refused_is_told_which_keys_to_look_at() {
    for (login, told) in [
        (user(), "`username`, `password`, `project` and `domain`"),
        (
            Login::ApplicationCredential { id: "a1".into(), secret: SECRET.into() },
            "the id of an application credential",
        ),
    ] {
        let (_fake, _, mut openstack) = start(Cloud { password: "another", ..cloud() }, login);
        let fault = next(&mut openstack).await.unwrap_err();
        assert!(fault.kind == FaultKind::Refused && fault.message.contains(told), "{fault}");
        assert!(!fault.message.contains(SECRET), "{fault}");
    }
}

#[tokio::test]
async fn a_list_without_an_end_is_given_up() {
    let (fake, _, mut openstack) = start(Cloud { lies: true, ..cloud() }, user());
    let fault = next(&mut openstack).await.unwrap_err();
    assert!(fault.kind == FaultKind::Unreadable && fault.message.contains("comes to no end"), "{fault}");
    assert_eq!(fake.asked("/servers").len(), 2);
}

#[tokio::test]
async fn what_is_no_cloud_is_told_apart() {
    for (answer, kind, told) in [
        (Answer::Text(200, "<html>Horizon</html>"), FaultKind::Unreadable, "is there Keystone"),
        (Answer::Json(201, json!({"token": {}})), FaultKind::Unreadable, "there is no token"),
        (
            Answer::Json(300, json!({"versions": {"values": []}})),
            FaultKind::Unreadable,
            "write the address it leads to",
        ),
        (Answer::Text(503, "no server is available"), FaultKind::Unreachable, "it is tried again"),
        (
            Answer::With(
                201,
                "X-Subject-Token",
                SECRET.into(),
                json!({"token": {"catalog": [{"type": "network",
                "endpoints": [{"interface": "public", "region": "one", "url": "http://10.0.0.1:9696"}]}]}}),
            ),
            FaultKind::Unreachable,
            "in the clear",
        ),
    ] {
        let mut answer = Some(answer);
        let fake = Fake::start(move |_, _| answer.take().unwrap_or(Answer::Text(500, "asked again")));
        let settings = Settings {
            url: fake.url.clone(),
            login: user(),
            trust: trust(),
            region: None,
            interface: Interface::Public,
            every: Duration::from_secs(1),
        };
        let fault = next(&mut Openstack::new(settings).unwrap()).await.unwrap_err();
        assert!(fault.kind == kind && fault.message.contains(told), "{fault}");
        assert!(!fault.message.contains(SECRET) && fake.asked("").len() == 1, "{fault}");
    }
}
