//! Proxmox VE: lists, configurations and agents as its interface's reference shows them.

use super::fake::{Answer, Asked, Fake, PATIENCE, SECRET, trust};
use serde_json::{Value, json};
use server::inventory::{
    Collector as _, Fault, FaultKind,
    proxmox::{Proxmox, Settings},
};
use shared::inventory::{Hypervisor, IpHow, Nic, NicIp, Observation, Power, Vm};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::time::timeout;

const TOKEN: &str = "tocsin@pve!read";

/// A cluster of two nodes that are there and one that is not.
#[derive(Default)]
struct Cluster {
    vms: Vec<Value>,
    /// By path below `/api2/json`; what is not here has no configuration.
    said: BTreeMap<String, Value>,
    /// A node that the one we speak with cannot reach, although the cluster believes it is there.
    unreachable: Option<&'static str>,
    may_see_status: bool,
}

impl Cluster {
    fn answer(&self, asked: &Asked) -> Answer {
        if asked.header("authorization") != Some(&format!("PVEAPIToken={TOKEN}={SECRET}")) {
            return Answer::Json(401, json!({"data": null, "message": "authentication failure"}));
        }
        let path = asked.path().strip_prefix("/api2/json").unwrap();
        let node = |name: &str, status: &str| json!({"type": "node", "node": name, "id": format!("node/{name}"), "status": status, "level": ""});
        match (path, asked.query("type").as_deref()) {
            ("/cluster/resources", Some("vm")) => Answer::Json(200, json!({"data": self.vms})),
            ("/cluster/resources", Some("node")) => {
                let nodes = [node("pve-1", "online"), node("pve-2", "online"), node("pve-3", "offline")];
                Answer::Json(200, json!({"data": nodes}))
            }
            ("/cluster/status", _) if self.may_see_status => {
                let node = |name: &str, ip: &str, online: u8| json!({"type": "node", "name": name, "ip": ip, "online": online, "id": format!("node/{name}"), "nodeid": 1, "local": 0, "level": ""});
                let cluster =
                    json!({"type": "cluster", "name": "prod", "id": "cluster", "nodes": 3, "quorate": 1, "version": 7});
                Answer::Json(
                    200,
                    json!({"data": [cluster, node("pve-1", "10.9.0.1", 1), node("pve-3", "10.9.0.3", 0)]}),
                )
            }
            ("/cluster/status", _) => {
                Answer::Json(403, json!({"data": null, "message": "Permission check failed (/, Sys.Audit)"}))
            }
            _ if self.unreachable.is_some_and(|node| path.contains(node)) => Answer::Text(595, "No route to host"),
            _ => match self.said.get(path) {
                Some(data) => Answer::Json(200, json!({"data": data})),
                None => Answer::Json(
                    500,
                    json!({"data": null, "message": format!("Configuration file 'nodes{path}' does not exist\n")}),
                ),
            },
        }
    }

    fn put(&mut self, path: &str, data: Value) {
        self.said.insert(path.to_owned(), data);
    }
}

fn listed(kind: &str, number: u64, node: &str, name: &str, status: &str) -> Value {
    json!({
        "type": kind, "id": format!("{kind}/{number}"), "vmid": number, "node": node, "name": name, "status": status,
        "template": 0, "tags": "shop;web", "maxcpu": 4, "cpu": 0.02, "maxmem": 8_589_934_592_u64, "mem": 4_503_056_384_u64,
        "maxdisk": 34_359_738_368_u64, "disk": 0, "uptime": 229_935, "netin": 1, "netout": 1, "diskread": 1, "diskwrite": 1,
    })
}

fn machine(mac: &str) -> Value {
    json!({
        "digest": "2f5b3a", "name": "web", "cores": 4, "memory": "8192", "agent": "1", "scsihw": "virtio-scsi-pci",
        "smbios1": "uuid=6FA459EA-EE8A-3CA4-894E-DB77E160355E", "scsi0": "local-lvm:vm-100-disk-0,size=32G",
        "ide2": "none,media=cdrom", "boot": "order=scsi0", "net0": format!("virtio={mac},bridge=vmbr0,firewall=1,tag=42"),
        "net1": "e1000=BC:24:11:00:00:02,bridge=vmbr1,link_down=1", "ipconfig1": "ip=10.8.0.9/24,gw=10.8.0.1",
    })
}

fn cluster() -> Cluster {
    let mut template = listed("qemu", 900, "pve-1", "template", "stopped");
    template["template"] = json!(1);
    let vms = vec![
        listed("qemu", 100, "pve-1", "web", "running"),
        listed("lxc", 101, "pve-2", "dns", "running"),
        listed("qemu", 102, "pve-3", "db", "running"),
        template,
    ];
    let mut cluster = Cluster { vms, may_see_status: true, ..Cluster::default() };
    cluster.put("/nodes/pve-1/qemu/100/config", machine("BC:24:11:00:00:01"));
    let address =
        |kind: &str, ip: &str, prefix: u8| json!({"ip-address-type": kind, "ip-address": ip, "prefix": prefix});
    cluster.put(
        "/nodes/pve-1/qemu/100/agent/network-get-interfaces",
        json!({"result": [
            {"name": "lo", "hardware-address": "00:00:00:00:00:00", "ip-addresses": [address("ipv4", "127.0.0.1", 8)]},
            {"name": "eth0", "hardware-address": "bc:24:11:00:00:01",
                "ip-addresses": [address("ipv4", "10.8.0.2", 24), address("ipv6", "fe80::be24:11ff:fe00:1", 64)]},
        ]}),
    );
    cluster.put(
        "/nodes/pve-2/lxc/101/config",
        json!({"arch": "amd64", "digest": "a1", "hostname": "dns", "ostype": "debian",
        "rootfs": "zfs:subvol-101-disk-0,size=8G",
        "net0": "name=eth0,bridge=vmbr0,gw=10.8.0.1,hwaddr=BC:24:11:00:00:03,ip=10.8.0.3/24,type=veth"}),
    );
    cluster.put("/nodes/pve-2/lxc/101/interfaces", json!([
        {"name": "lo", "hwaddr": "00:00:00:00:00:00", "inet": "127.0.0.1/8", "inet6": "::1/128"},
        {"name": "eth0", "hwaddr": "bc:24:11:00:00:03", "inet": "10.8.0.3/24", "inet6": "fe80::be24:11ff:fe00:3/64"},
    ]));
    cluster
}

fn start(cluster: Cluster) -> (Fake, Arc<Mutex<Cluster>>, Proxmox) {
    let cluster = Arc::new(Mutex::new(cluster));
    let answering = Arc::clone(&cluster);
    let fake = Fake::start(move |asked, _| answering.lock().unwrap().answer(asked));
    let proxmox = Proxmox::new(settings(&fake)).unwrap();
    (fake, cluster, proxmox)
}

fn settings(fake: &Fake) -> Settings {
    let (token, secret, every) = (TOKEN.to_owned(), SECRET.to_owned(), Duration::from_millis(100));
    Settings { url: fake.url.clone(), token, secret, trust: trust(), every, ask_guests: true }
}

async fn next(proxmox: &mut Proxmox) -> Result<Observation, Fault> {
    timeout(PATIENCE, proxmox.next()).await.unwrap()
}

fn ip(ip: &str, how: IpHow) -> NicIp {
    NicIp { ip: ip.parse().unwrap(), how }
}

fn nic(label: &str, mac: &str, network: &str, switch: &str, port: &str) -> Nic {
    let text = |text: &str| Some(text.to_owned());
    Nic {
        mac: Some(mac.parse().unwrap()),
        label: label.into(),
        network: text(network),
        switch: text(switch),
        port: text(port),
        connected: Some(true),
        ..Nic::default()
    }
}

fn vm(key: &str, name: &str, power: Power, node: &str) -> Vm {
    let tags = vec!["shop".into(), "web".into()];
    Vm { key: key.into(), name: name.into(), power, hypervisor: Some(node.into()), tags, ..Vm::default() }
}

fn expected() -> Observation {
    let hypervisor = |name: &str, ip: Option<&str>| Hypervisor {
        key: name.into(),
        name: name.into(),
        cluster: Some("prod".into()),
        ips: ip.map(|ip| ip.parse().unwrap()).into_iter().collect(),
    };
    let first = nic("net0", "BC:24:11:00:00:01", "vmbr0", "fwbr100i0", "tap100i0");
    let guest = vec![ip("10.8.0.2", IpHow::Guest), ip("fe80::be24:11ff:fe00:1", IpHow::Guest)];
    let first = Nic { vlan: Some(42), ips: guest, ..first };
    let second = nic("net1", "BC:24:11:00:00:02", "vmbr1", "vmbr1", "tap100i1");
    let second = Nic { connected: Some(false), ips: vec![ip("10.8.0.9", IpHow::Assigned)], ..second };
    let inside = nic("net0", "BC:24:11:00:00:03", "vmbr0", "vmbr0", "veth101i0");
    let told = [("10.8.0.3", IpHow::Assigned), ("10.8.0.3", IpHow::Guest), ("fe80::be24:11ff:fe00:3", IpHow::Guest)];
    let inside = Nic { ips: told.map(|(text, how)| ip(text, how)).into(), ..inside };
    let web = vm("qemu/100", "web", Power::On, "pve-1");
    let uuid = Some("6fa459ea-ee8a-3ca4-894e-db77e160355e".to_owned());
    Observation {
        whole: true,
        hypervisors: vec![
            hypervisor("pve-1", Some("10.9.0.1")),
            hypervisor("pve-2", None),
            hypervisor("pve-3", Some("10.9.0.3")),
        ],
        vms: vec![
            Vm { datastores: vec!["zfs".into()], nics: vec![inside], ..vm("lxc/101", "dns", Power::On, "pve-2") },
            Vm { uuid, datastores: vec!["local-lvm".into()], nics: vec![first, second], ..web },
            vm("qemu/102", "db", Power::Unknown, "pve-3"),
        ],
        ..Observation::default()
    }
}

#[tokio::test]
async fn a_cluster_is_observed_with_its_absent_node() {
    let (fake, _, mut proxmox) = start(cluster());
    assert_eq!(next(&mut proxmox).await.unwrap(), expected());
    assert!(fake.asked("").iter().all(|asked| asked.method == "GET"));
    assert!(fake.asked("pve-3").is_empty(), "nobody is there to answer");
    assert_eq!(next(&mut proxmox).await.unwrap(), expected());
}

#[tokio::test]
async fn a_token_for_machines_only_knows_no_cluster() {
    let (_fake, _, mut proxmox) = start(Cluster { may_see_status: false, ..cluster() });
    let seen = next(&mut proxmox).await.unwrap();
    assert_eq!(seen.vms, expected().vms);
    assert!(seen.hypervisors.len() == 3 && seen.hypervisors.iter().all(|it| it.cluster.is_none() && it.ips.is_empty()));
}

#[tokio::test]
async fn a_node_that_does_not_answer_hides_no_other() {
    let (fake, cluster, mut proxmox) = start(cluster());
    assert_eq!(next(&mut proxmox).await.unwrap(), expected());
    cluster.lock().unwrap().unreachable = Some("/nodes/pve-2/");
    for number in 200..210 {
        cluster.lock().unwrap().vms.push(listed("lxc", number, "pve-2", "new", "running"));
    }
    cluster.lock().unwrap().put("/nodes/pve-1/qemu/100/config", machine("BC:24:11:00:00:09"));
    let before = fake.asked("/nodes/pve-2/").len();
    let seen = next(&mut proxmox).await.unwrap();
    let named = |key: &str| seen.vms.iter().find(|vm| vm.key == key).unwrap().clone();
    assert_eq!(named("qemu/100").nics[0].mac, Some("BC:24:11:00:00:09".parse().unwrap()));
    assert_eq!(Some(named("lxc/101")), expected().vms.into_iter().next(), "it stays as it was known");
    assert_eq!(named("lxc/205").nics, []);
    assert!(fake.asked("/nodes/pve-2/").len() <= before + 4, "the others of that node are not waited for");
    let fault = next(&mut proxmox).await.unwrap_err();
    assert!(fault.kind == FaultKind::Unreachable && fault.message.contains("/nodes/pve-2/lxc/"), "{fault}");
    cluster.lock().unwrap().unreachable = None;
    cluster.lock().unwrap().vms.retain(|vm| vm["name"] != "new");
    assert_eq!(next(&mut proxmox).await.unwrap().vms.len(), 3);
    assert!(next(&mut proxmox).await.is_ok(), "nothing is owed any more");
}

#[tokio::test]
async fn who_goes_between_two_questions_is_no_fault() {
    let (_fake, cluster, mut proxmox) = start(cluster());
    cluster.lock().unwrap().vms.push(listed("qemu", 103, "pve-1", "going", "running"));
    let seen = next(&mut proxmox).await.unwrap();
    let going = seen.vms.iter().find(|vm| vm.key == "qemu/103").unwrap();
    assert!(going.nics.is_empty() && going.power == Power::On);
    // It is still there, and cannot be read: that is a fault, and still hides nobody.
    assert_eq!(next(&mut proxmox).await.unwrap().vms.len(), 4);
    let fault = next(&mut proxmox).await.unwrap_err();
    assert!(
        fault.message.contains("/nodes/pve-1/qemu/103/config") && fault.message.contains("does not exist"),
        "{fault}"
    );
    cluster.lock().unwrap().vms.pop();
    assert_eq!(next(&mut proxmox).await.unwrap(), expected());
    assert_eq!(next(&mut proxmox).await.unwrap(), expected());
}

#[tokio::test]
async fn a_large_cluster_is_asked_a_little_at_a_time() {
    let mut large = Cluster { may_see_status: true, ..Cluster::default() };
    for number in 100..250 {
        large.vms.push(listed("qemu", number, "pve-1", "web", "running"));
        large.put(
            &format!("/nodes/pve-1/qemu/{number}/config"),
            json!({"net0": "virtio=BC:24:11:00:00:01,bridge=vmbr0"}),
        );
    }
    let (fake, cluster, mut proxmox) = start(large);
    let mut asked = 0;
    let mut since = |fake: &Fake| {
        let all = fake.asked("/config").len();
        std::mem::replace(&mut asked, all).abs_diff(all)
    };
    next(&mut proxmox).await.unwrap();
    assert_eq!(since(&fake), 150);
    assert!(fake.most_at_once() <= 4, "{}", fake.most_at_once());
    next(&mut proxmox).await.unwrap();
    assert_eq!(since(&fake), 100, "some of those that look as before");
    cluster.lock().unwrap().vms[0]["status"] = json!("stopped");
    let seen = next(&mut proxmox).await.unwrap();
    assert_eq!(since(&fake), 101);
    assert_eq!(seen.vms.iter().filter(|vm| vm.power == Power::Off).count(), 1);
    let questions = fake.asked("/config");
    let second: Vec<&str> = questions[250..].iter().map(Asked::path).collect();
    assert!((200..250).all(|number| second.contains(&format!("/api2/json/nodes/pve-1/qemu/{number}/config").as_str())));
}

#[tokio::test]
async fn who_is_refused_is_told_what_is_missing() {
    let (fake, _, _) = start(cluster());
    let mut stranger = Proxmox::new(Settings { token: "tocsin@pve!other".into(), ..settings(&fake) }).unwrap();
    let fault = next(&mut stranger).await.unwrap_err();
    assert!(fault.kind == FaultKind::Refused && fault.message.contains("`username` (user@realm!token)"), "{fault}");
    assert!(fault.message.contains("“authentication failure”") && !fault.message.contains(SECRET), "{fault}");

    // Proxmox shows an account without rights empty lists.
    let fake = Fake::start(|_, _| Answer::Json(200, json!({"data": []})));
    let fault = next(&mut Proxmox::new(settings(&fake)).unwrap()).await.unwrap_err();
    assert!(fault.kind == FaultKind::Refused && fault.message.contains("PVEAuditor"), "{fault}");

    for (answer, kind) in [
        (Answer::Text(200, "<html>Backup Server</html>"), FaultKind::Unreadable),
        (Answer::Json(200, json!({"data": {}})), FaultKind::Unreadable),
        (Answer::Text(301, ""), FaultKind::Unreadable),
        (Answer::Text(503, ""), FaultKind::Unreachable),
    ] {
        let mut answer = Some(answer);
        let fake = Fake::start(move |_, _| answer.take().unwrap_or(Answer::Json(200, json!({"data": []}))));
        let fault = next(&mut Proxmox::new(settings(&fake)).unwrap()).await.unwrap_err();
        assert_eq!(fault.kind, kind, "{fault}");
    }
}
