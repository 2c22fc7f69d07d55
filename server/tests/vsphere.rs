//! The vSphere collector against a stand-in (govmomi's simulator), compared with what VMware's own client reads of it, and
//! against servers that answer nonsense.

use e2e::{
    environment,
    vcenter::{Vcenter, wait_for_calls},
};
use serde_json::{Value, json};
use server::inventory::{
    Collector as _, Fault, FaultKind,
    https::Trust,
    vsphere::{Settings, Vsphere},
};
use shared::inventory::{IpHow, Nic, NicIp, Observation, Port, Power, Vm};
use std::{
    collections::BTreeSet,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    process::Command,
    time::Duration,
};

/// Waits for changes, each of at most two seconds, before a test gives up.
const WAITS: usize = 15;

fn settings(vcenter: &Vcenter) -> Settings {
    let listens = &vcenter.listens;
    let mut settings = Settings::new(&listens.plain, &listens.username, &listens.password, Trust::System);
    settings.wait = Duration::from_secs(2);
    settings
}

/// The collector of a stand-in, after its first observation.
async fn observed(vcenter: &Vcenter) -> (Vsphere, Observation) {
    let mut vsphere = Vsphere::new(settings(vcenter)).unwrap();
    let whole = vsphere.next().await.unwrap();
    assert!(whole.whole && whole.gone.is_empty());
    (vsphere, whole)
}

/// The next observation that says something.
async fn told(vsphere: &mut Vsphere) -> Observation {
    for _ in 0..WAITS {
        let told = vsphere.next().await.unwrap();
        if told != Observation::default() {
            return told;
        }
    }
    panic!("nothing was told in {WAITS} waits");
}

fn vm<'a>(observation: &'a Observation, name: &str) -> &'a Vm {
    observation.vms.iter().find(|vm| vm.name == name).unwrap_or_else(|| panic!("no {name} in {:?}", observation.vms))
}

fn hypervisor_key(observation: &Observation, name: &str) -> String {
    observation.hypervisors.iter().find(|hypervisor| hypervisor.name == name).unwrap().key.clone()
}

/// What VMware's client reads of the same stand-in.
fn pyvmomi(vcenter: &Vcenter) -> Value {
    python(vcenter, include_str!("vsphere/pyvmomi.py"))
}

/// What a program with VMware's client says.
fn python(vcenter: &Vcenter, program: &str) -> Value {
    let listens = &vcenter.listens;
    let port = listens.plain.rsplit(':').next().unwrap();
    let mut python = Command::new(environment::python().unwrap());
    python.args(["-c", program, port, &listens.username, &listens.password]);
    let output = python.output().unwrap();
    assert!(output.status.success(), "pyvmomi: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// An observation in the form pyvmomi.py gives.
fn as_json(observation: &Observation) -> Value {
    let nic = |nic: &Nic| {
        assert!(nic.ips.iter().all(|ip| ip.how == IpHow::Guest));
        let mut ips: Vec<String> = nic.ips.iter().map(|ip| ip.ip.to_string()).collect();
        ips.sort();
        json!({"mac": nic.mac, "label": nic.label, "connected": nic.connected, "ips": ips, "iface_id": nic.iface_id,
            "network": nic.network, "switch": nic.switch, "port": nic.port, "vlan": nic.vlan})
    };
    let vm = |vm: &Vm| {
        json!({"key": vm.key, "name": vm.name, "uuid": vm.uuid, "hostname": vm.hostname, "power": vm.power,
            "hypervisor": vm.hypervisor, "datastores": vm.datastores, "nics": vm.nics.iter().map(nic).collect::<Vec<_>>()})
    };
    let port = |port: &Port| {
        json!({"key": port.key, "switch": port.switch, "switch_name": port.switch_name, "port": port.port, "mac": port.mac,
            "group": port.group, "vlan": port.vlan, "vm_uuid": port.vm_uuid, "hypervisor": port.hypervisor,
            "connected": port.connected})
    };
    let hypervisors: Vec<Value> = observation
        .hypervisors
        .iter()
        .map(|it| json!({"key": it.key, "name": it.name, "cluster": it.cluster, "ips": it.ips}))
        .collect();
    json!({
        "vms": observation.vms.iter().map(vm).collect::<Vec<_>>(),
        "hypervisors": hypervisors,
        "ports": observation.ports.iter().map(port).collect::<Vec<_>>(),
    })
}

#[tokio::test]
async fn a_vcenter_is_observed_as_vmwares_own_client_reads_it() {
    let vcenter = Vcenter::start(&[]).unwrap();
    let (_vsphere, whole) = observed(&vcenter).await;
    assert_eq!(as_json(&whole), pyvmomi(&vcenter));
    // So that the comparison is one of something.
    let nics: Vec<&Nic> = whole.vms.iter().flat_map(|vm| &vm.nics).collect();
    let macs: BTreeSet<_> = nics.iter().filter_map(|nic| nic.mac).collect();
    assert!(whole.vms.len() >= 4 && nics.len() == 2 * whole.vms.len() && macs.len() == nics.len(), "{whole:?}");
    assert!(
        whole.hypervisors.iter().any(|it| it.cluster.is_some())
            && whole.hypervisors.iter().any(|it| it.cluster.is_none())
    );
    let behind: BTreeSet<_> = whole.ports.iter().filter_map(|port| port.mac).collect();
    assert!(behind.len() == whole.vms.len() && behind.is_subset(&macs), "ports tell MACs of VMs, never of uplinks");
    assert!(nics.iter().any(|nic| nic.vlan == Some(100)) && nics.iter().any(|nic| nic.vlan == Some(30)));
}

/// The elements of a request in their order, without what stands in them.
fn shape(request: &str) -> Vec<String> {
    let tags = request.split('<').filter(|tag| !tag.is_empty() && !tag.starts_with(['?', '/', '!']));
    let names = tags.filter_map(|tag| tag.split([' ', '>', '/', '\n']).next());
    names.map(|name| name.rsplit(':').next().unwrap().to_owned()).collect()
}

/// A real vCenter minds the order of elements, which the stand-in does not; VMware's own client is right by definition.
#[tokio::test]
async fn requests_have_the_shape_of_vmwares_own_client() {
    let vcenter = Vcenter::start(&["-page", "4"]).unwrap();
    let (mut vsphere, _) = observed(&vcenter).await;
    vcenter.command("/power?vm=DC0_H0_VM0&state=poweredOff").unwrap();
    told(&mut vsphere).await;
    drop(vsphere);
    let ours = vcenter.asked().unwrap();
    python(&vcenter, include_str!("vsphere/asks.py"));
    let all = vcenter.asked().unwrap();
    for method in [
        "RetrieveServiceContent",
        "Login",
        "CreateContainerView",
        "CreateFilter",
        "RetrievePropertiesEx",
        "ContinueRetrievePropertiesEx",
        "WaitForUpdatesEx",
        "FetchDVPorts",
    ] {
        let theirs = all[method].split_at(ours[method].len()).1;
        let theirs: Vec<Vec<String>> = theirs.iter().map(|request| shape(request)).collect();
        assert!(!theirs.is_empty(), "{method}");
        for request in &ours[method] {
            assert!(theirs.contains(&shape(request)), "{method}: {:?} is none of {theirs:?}", shape(request));
        }
    }
}

#[tokio::test]
async fn a_lone_esxi_is_observed_as_vmwares_own_client_reads_it() {
    let esxi = Vcenter::start(&["-esx"]).unwrap();
    let (mut vsphere, whole) = observed(&esxi).await;
    assert_eq!(as_json(&whole), pyvmomi(&esxi));
    let [hypervisor] = whole.hypervisors.as_slice() else { panic!("{:?}", whole.hypervisors) };
    assert_eq!((hypervisor.cluster.as_deref(), whole.ports.len()), (None, 0));
    assert!(whole.vms.len() >= 2 && whole.vms.iter().all(|vm| vm.hypervisor.as_ref() == Some(&hypervisor.key)));
    let name = &whole.vms[0].name;
    esxi.command(&format!("/power?vm={name}&state=suspended")).unwrap();
    assert_eq!(vm(&told(&mut vsphere).await, name).power, Power::Paused);
}

#[tokio::test]
async fn many_objects_come_in_pages_and_none_is_left_out() {
    let vcenter = Vcenter::start(&["-machines", "333", "-page", "4"]).unwrap();
    let (mut vsphere, whole) = observed(&vcenter).await;
    assert_eq!(whole.vms.len(), 333);
    let calls = vcenter.calls().unwrap();
    // 333 VMs in 84 pages of four; about a dozen hypervisors, clusters, datastores and networks.
    assert_eq!(calls.get("WaitForUpdatesEx"), Some(&84), "{calls:?}");
    assert!(calls.get("ContinueRetrievePropertiesEx").is_some_and(|&pages| pages >= 2), "{calls:?}");
    // After pages, changes are followed from the newest version.
    vcenter.command("/power?vm=grown-00300&state=poweredOff").unwrap();
    let told = told(&mut vsphere).await;
    assert_eq!((vm(&told, "grown-00300").power, told.vms.len(), told.whole), (Power::Off, 1, false));
}

#[tokio::test]
async fn a_migration_is_told_within_the_wait_with_the_port_that_moved() {
    let vcenter = Vcenter::start(&[]).unwrap();
    let (mut vsphere, whole) = observed(&vcenter).await;
    let before = vm(&whole, "DC0_C0_RP0_VM0");
    let to = if before.hypervisor == Some(hypervisor_key(&whole, "DC0_C0_H1")) { "DC0_C0_H2" } else { "DC0_C0_H1" };
    vcenter.command(&format!("/migrate?vm={}&to={to}", before.name)).unwrap();
    let told = told(&mut vsphere).await;
    let moved = Vm { hypervisor: Some(hypervisor_key(&whole, to)), ..before.clone() };
    assert_eq!((told.whole, &told.vms, &told.gone), (false, &vec![moved], &Vec::new()));
    let [port] = told.ports.as_slice() else { panic!("{:?}", told.ports) };
    assert_eq!((Some(&port.port), port.hypervisor.as_deref()), (before.nics[0].port.as_ref(), Some(to)));
    assert_eq!((port.mac, &port.vm_uuid), (before.nics[0].mac, &before.uuid));
}

#[tokio::test]
async fn what_changes_about_a_vm_is_told_and_what_does_not_is_not() {
    let vcenter = Vcenter::start(&[]).unwrap();
    let (mut vsphere, whole) = observed(&vcenter).await;
    let before = vm(&whole, "DC0_H0_VM1").clone();

    vcenter.command("/address?vm=DC0_H0_VM1&ip=10.77.9.9").unwrap();
    let changed = told(&mut vsphere).await;
    let ips: Vec<NicIp> =
        ["10.77.9.9", "fe80::1"].map(|ip| NicIp { ip: ip.parse().unwrap(), how: IpHow::Guest }).into();
    assert_eq!((vm(&changed, "DC0_H0_VM1").nics[0].ips.clone(), changed.vms.len(), changed.ports.len()), (ips, 1, 0));

    vcenter.command("/power?vm=DC0_H0_VM1&state=poweredOff").unwrap();
    let off = told(&mut vsphere).await;
    assert_eq!(vm(&off, "DC0_H0_VM1").power, Power::Off);
    // The port lost its run-time state; whose MAC is behind it is known from the VM.
    let [port] = off.ports.as_slice() else { panic!("{:?}", off.ports) };
    assert_eq!((port.connected, port.mac), (None, before.nics[0].mac));

    // Taken again as it is: nothing to tell.
    vcenter.command("/power?vm=DC0_H0_VM1&state=poweredOff").unwrap();
    assert_eq!(vsphere.next().await.unwrap(), Observation::default());
}

#[tokio::test]
async fn vms_come_and_go() {
    let vcenter = Vcenter::start(&[]).unwrap();
    let (mut vsphere, whole) = observed(&vcenter).await;
    vcenter.command("/add?vm=DC0_H0_VM0&name=new").unwrap();
    let added = told(&mut vsphere).await;
    let new = vm(&added, "new").clone();
    assert!(added.vms.len() == 1 && !whole.vms.iter().any(|vm| vm.key == new.key || vm.uuid == new.uuid));
    assert_eq!(added.ports.iter().map(|port| port.mac).collect::<Vec<_>>(), [new.nics[0].mac]);

    vcenter.command("/remove?vm=new").unwrap();
    let removed = told(&mut vsphere).await;
    assert_eq!((removed.whole, removed.vms.len(), removed.ports.len()), (false, 0, 0));
    assert_eq!(removed.gone, [new.key, added.ports[0].key.clone()]);
}

#[tokio::test]
async fn names_are_read_anew_and_a_new_one_gives_the_whole() {
    let vcenter = Vcenter::start(&[]).unwrap();
    let mut settings = settings(&vcenter);
    settings.look_every = Duration::ZERO;
    settings.wait = Duration::ZERO;
    let mut vsphere = Vsphere::new(settings).unwrap();
    let before = vsphere.next().await.unwrap();
    assert_eq!(vsphere.next().await.unwrap(), Observation::default(), "all names are the same");
    vcenter.command("/rename-hypervisor?name=esx-07").unwrap();
    let after = vsphere.next().await.unwrap();
    assert!(after.whole && after.vms == before.vms);
    let renamed: Vec<_> = after.hypervisors.iter().filter(|it| it.name == "esx-07").collect();
    assert!(renamed.len() == 1 && before.hypervisors.iter().any(|it| it.key == renamed[0].key));
    assert!(after.ports.iter().any(|port| port.hypervisor.as_deref() == Some("esx-07")));
}

#[tokio::test]
async fn a_session_that_ended_is_begun_anew_with_the_whole() {
    let vcenter = Vcenter::start(&[]).unwrap();
    let (mut vsphere, before) = observed(&vcenter).await;
    vcenter.command("/end-sessions").unwrap();
    let after = told(&mut vsphere).await;
    assert_eq!((&after, vcenter.calls().unwrap().get("Login")), (&before, Some(&2)));
    vcenter.command("/power?vm=DC0_H0_VM0&state=poweredOff").unwrap();
    assert!(!told(&mut vsphere).await.whole);
}

#[tokio::test]
async fn a_wait_that_is_given_up_loses_no_change() {
    let vcenter = Vcenter::start(&[]).unwrap();
    let (mut vsphere, before) = observed(&vcenter).await;
    tokio::select! {
        biased;
        said = vsphere.next() => panic!("nothing changed: {said:?}"),
        () = tokio::task::yield_now() => {}
    }
    let after = vsphere.next().await.unwrap();
    assert!(after.whole && after == before);
}

#[tokio::test]
async fn a_collector_that_is_dropped_gives_its_session_back() {
    let vcenter = Vcenter::start(&[]).unwrap();
    let (vsphere, _) = observed(&vcenter).await;
    drop(vsphere);
    let watched = tokio::task::spawn_blocking(move || wait_for_calls(&vcenter, "Logout", 1));
    watched.await.unwrap().unwrap();
}

async fn fault_of(settings: Settings) -> Fault {
    Vsphere::new(settings).unwrap().next().await.unwrap_err()
}

#[tokio::test]
async fn a_wrong_password_is_refused_and_not_repeated() {
    let vcenter = Vcenter::start(&[]).unwrap();
    let mut settings = settings(&vcenter);
    settings.password = "another-canary".into();
    assert!(!format!("{settings:?}").contains("canary"));
    let fault = fault_of(settings).await;
    assert_eq!(fault.kind, FaultKind::Refused);
    let told = format!("{fault:?} {fault}");
    assert!(told.contains("does not let `reader@vsphere.local` in") && !told.contains("canary"), "{told}");
}

#[tokio::test]
async fn who_is_not_known_is_not_trusted_until_pinned() {
    let vcenter = Vcenter::start(&[]).unwrap();
    let listens = vcenter.listens.clone();
    let with = |trust: Trust| Settings::new(&listens.secure, &listens.username, &listens.password, trust);

    let fault = fault_of(with(Trust::System)).await;
    assert_eq!(fault.kind, FaultKind::Untrusted, "{fault}");
    assert_eq!(vcenter.calls().unwrap().get("Login"), None, "no password goes to a stranger");
    // What the fault tells can be pinned as it is.
    let shown = fault.message.split("fingerprint is ").nth(1).unwrap().split(';').next().unwrap();
    assert_eq!(shown.replace(':', ""), listens.fingerprint);
    let pinned = shown.parse().unwrap();

    let fault = fault_of(with(Trust::Certificate("ab".repeat(32).parse().unwrap()))).await;
    assert!(fault.kind == FaultKind::Untrusted && fault.message.contains("it is another one"), "{fault}");

    for trust in [Trust::Certificate(pinned), Trust::Authorities(listens.authority.clone())] {
        let whole = Vsphere::new(with(trust)).unwrap().next().await.unwrap();
        assert!(whole.whole && !whole.vms.is_empty());
    }
}

#[tokio::test]
async fn nobody_there_is_unreachable() {
    let at = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let fault = fault_of(Settings::new(format!("http://{at}"), "reader", "canary", Trust::System)).await;
    assert!(fault.kind == FaultKind::Unreachable && fault.message.contains(&at.to_string()), "{fault}");
}

/// A server that answers which versions it speaks, and everything else with `answer`; for as many connections as come.
fn answering(answer: Vec<u8>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            drop(answer_one(&stream, &answer));
        }
    });
    at
}

fn answer_one(mut stream: &TcpStream, answer: &[u8]) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let (mut line, mut length, mut first) = (String::new(), 0_u64, true);
    let mut versions = false;
    while reader.read_line(&mut line)? > 2 {
        versions |= first && line.contains("vimServiceVersions.xml");
        first = false;
        if let Some(text) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = text.trim().parse().unwrap_or_default();
        }
        line.clear();
    }
    std::io::copy(&mut (&mut reader).take(length), &mut std::io::sink())?;
    if versions {
        let body = "<namespaces><namespace><name>urn:vim25</name><version>6.5</version></namespace></namespaces>";
        return write!(stream, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{body}");
    }
    stream.write_all(answer)
}

#[tokio::test]
async fn answers_that_are_none_are_told_apart() {
    use FaultKind::{Refused, Unreachable, Unreadable};
    let ok = |body: &str| format!("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{body}").into_bytes();
    let status = |status: &str| format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n").into_bytes();
    let fault = |detail: &str| {
        let fault = format!("<e:Fault><faultstring>no\u{202e}\u{7}</faultstring><detail>{detail}</detail></e:Fault>");
        format!("HTTP/1.1 500 no\r\nConnection: close\r\n\r\n<e:Envelope xmlns:e=\"e\" xmlns:x=\"x\"><e:Body>{fault}</e:Body></e:Envelope>")
            .into_bytes()
    };
    let huge = ok(&format!("<a>{}</a>", "x".repeat(9 << 20)));
    for (answer, kind, told) in [
        (ok("<!DOCTYPE html><title>Welcome</title>"), Unreadable, "a document type"),
        (ok("<Envelope><Body><returnval><rootFolder"), Unreadable, "what cannot be read"),
        (ok("<Envelope><Body/></Envelope>"), Unreadable, "without a `returnval`"),
        (ok("<Envelope><returnval><about/></returnval></Envelope>"), Unreadable, "has no `rootFolder`"),
        (huge, Unreadable, "larger or deeper"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n<Envelope>".to_vec(), Unreachable, "cut off"),
        (b"SSH-2.0-OpenSSH_9.2\r\n".to_vec(), Unreachable, "cut the answer off"),
        (status("404 Not Found"), Unreadable, "404; is there a vCenter"),
        (status("302 Found"), Unreadable, "302"),
        (status("503 Service Unavailable"), Unreachable, "starting, or overloaded"),
        (status("403 Forbidden"), Refused, "lets nobody in"),
        (status("500 no"), Unreadable, "what cannot be read"),
        (
            fault(
                "<NoPermissionFault x:type=\"NoPermission\"><privilegeId>System.View</privilegeId></NoPermissionFault>",
            ),
            Refused,
            "(System.View); give the account the role Read-only",
        ),
        (fault("<f x:type=\"NotAuthenticated\"/>"), Refused, "ended our session"),
        (fault("<HostConfigFaultFault/>"), Unreadable, "HostConfig, “no”"),
    ] {
        let at = answering(answer.clone());
        let fault = fault_of(Settings::new(format!("http://{at}"), "reader", "canary", Trust::System)).await;
        let begin = String::from_utf8_lossy(&answer[..answer.len().min(200)]).into_owned();
        assert_eq!(fault.kind, kind, "{begin}: {fault}");
        assert!(fault.message.contains(told) && !fault.message.contains("canary"), "{begin}: {fault}");
    }
}
