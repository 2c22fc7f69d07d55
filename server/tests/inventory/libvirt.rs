//! What libvirt's collector says is what `virsh` says, and its machines are found at the switch's ports.

use super::picture::{Picture, fault, whole};
use e2e::lab::{Domain, Lab, Network};
use server::inventory::{
    Collector as _, Endpoint, FaultKind,
    libvirt::{Libvirt, Settings, USUAL_URI},
    ovsdb::Ovsdb,
};
use shared::inventory::{IpHow, Power, Vm};
use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

const WEB: Domain<'_> =
    Domain { name: "web-01", uuid: "6fa459ea-ee8a-4ca4-894e-db77e160355e", mac: "52:54:00:aa:01:01", vlan: 42 };
const DB: Domain<'_> =
    Domain { name: "db-01", uuid: "16fd2706-8baf-433b-82eb-8c7fada847da", mac: "52:54:00:aa:01:02", vlan: 43 };

fn lab(domains: &[Domain<'_>]) -> Lab {
    let mut lab = Lab::new(Network::Own).unwrap();
    lab.start_switch().unwrap();
    lab.start_libvirt().unwrap();
    for domain in domains {
        lab.start_domain(domain).unwrap();
    }
    lab
}

fn settings(lab: &Lab) -> Settings {
    let endpoint = Endpoint::unix(lab.libvirt());
    Settings { endpoint, uri: USUAL_URI.into(), every: Duration::from_millis(200), ask_guests: false }
}

fn virsh(lab: &mut Lab, command: &str) -> String {
    lab.run(&format!("virsh -c qemu:///system {command}")).unwrap().trim().to_owned()
}

fn vm<'a>(picture: &'a Picture, domain: &Domain<'_>) -> &'a Vm {
    &picture.vms[domain.uuid]
}

fn has_power(domain: &Domain<'_>, power: Power) -> impl Fn(&Picture) -> bool {
    let uuid = domain.uuid.to_owned();
    move |picture| picture.vms.get(&uuid).is_some_and(|vm| vm.power == power)
}

#[tokio::test(flavor = "multi_thread")]
async fn machines_are_those_that_virsh_names_and_stand_at_ports_of_the_switch() {
    let mut lab = lab(&[WEB, DB]);
    let picture = whole(&mut Libvirt::new(settings(&lab))).await;
    let uuids: BTreeSet<String> = virsh(&mut lab, "list --all --uuid").lines().map(str::to_owned).collect();
    assert!(picture.vms.keys().eq(uuids.iter()), "{picture:?} {uuids:?}");
    let hostname = virsh(&mut lab, "hostname");
    let mut switch = Ovsdb::new(Endpoint::unix(lab.database()));
    let ports = whole(&mut switch).await;
    for domain in [WEB, DB] {
        let vm = vm(&picture, &domain);
        assert_eq!(vm.name, virsh(&mut lab, &format!("domname {}", domain.uuid)));
        assert_eq!((vm.power, vm.hypervisor.as_deref()), (Power::On, Some(hostname.as_str())));
        // Interface, type, source, model and MAC of each, below two lines of heading.
        let printed = virsh(&mut lab, &format!("domiflist {}", domain.name));
        let row: Vec<&str> = printed.lines().nth(2).unwrap().split_whitespace().collect();
        let [nic] = vm.nics.as_slice() else { panic!("{vm:?}") };
        assert_eq!([nic.port.as_deref(), nic.switch.as_deref()], [Some(row[0]), Some(row[2])]);
        assert_eq!(nic.mac.unwrap().to_string(), row[4]);
        assert_eq!((row[4], nic.vlan, nic.connected), (domain.mac, Some(domain.vlan), Some(true)));
        // Nobody inside has an address, and yet the MAC leads to the port.
        assert!(nic.ips.is_empty());
        let behind: Vec<_> = ports.ports.values().filter(|port| port.mac == nic.mac).collect();
        let [port] = behind.as_slice() else { panic!("{ports:?}") };
        assert_eq!(Some(&port.port), nic.port.as_ref());
        assert_eq!((&port.vm_uuid, &port.iface_id, port.vlan), (&vm.uuid, &nic.iface_id, nic.vlan));
        assert!(port.iface_id.is_some());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn machines_come_stop_and_go() {
    let mut lab = lab(&[WEB]);
    let mut source = Libvirt::new(settings(&lab));
    let mut picture = whole(&mut source).await;
    assert_eq!(picture.vms.len(), 1);
    lab.start_domain(&DB).unwrap();
    picture.until(&mut source, "the new machine", has_power(&DB, Power::On)).await;
    virsh(&mut lab, "suspend web-01");
    picture.until(&mut source, "the pause", has_power(&WEB, Power::Paused)).await;
    virsh(&mut lab, "domif-setlink db-01 52:54:00:aa:01:02 down");
    picture.until(&mut source, "the cable", |picture| vm(picture, &DB).nics[0].connected == Some(false)).await;
    virsh(&mut lab, "destroy web-01");
    picture.until(&mut source, "the end of it", has_power(&WEB, Power::Off)).await;
    assert_eq!(vm(&picture, &WEB).nics[0].port, None, "what is off is plugged in nowhere");
    virsh(&mut lab, "undefine web-01");
    picture.until(&mut source, "that it is gone", |picture| picture.vms.keys().eq([DB.uuid])).await;
    assert_eq!(picture.deltas, 0, "libvirt's is always the whole");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_that_vanishes_while_we_look_is_no_fault() {
    let mut lab = lab(&[DB]);
    let mut source = Libvirt::new(Settings { every: Duration::ZERO, ..settings(&lab) });
    let enough = Arc::new(AtomicBool::new(false));
    let looking = tokio::spawn({
        let enough = Arc::clone(&enough);
        async move {
            let mut most = 0;
            while !enough.load(Ordering::Relaxed) {
                most = most.max(source.next().await.unwrap().vms.len());
            }
            most
        }
    });
    // A machine that exists only while it runs is gone at once; who asks for it meanwhile is told that it is not there.
    lab.run("sed 's/db-01/brief/; s/aa:01:02/aa:01:03/; s/16fd2706/26fd2706/' domain.xml > brief.xml").unwrap();
    for _ in 0..5 {
        virsh(&mut lab, "create brief.xml");
        virsh(&mut lab, "destroy brief");
    }
    enough.store(true, Ordering::Relaxed);
    assert_eq!(looking.await.unwrap(), 2, "it was never seen");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_daemon_is_a_fault_and_then_the_whole_again() {
    let mut lab = lab(&[WEB]);
    let mut source = Libvirt::new(settings(&lab));
    let before = whole(&mut source).await;
    lab.kill("/run/libvirtd.pid").unwrap();
    let hung_up = fault(&mut source).await;
    assert_eq!(hung_up.kind, FaultKind::Unreachable, "{hung_up}");
    let refused = source.next().await.unwrap_err();
    assert!(refused.message.contains("libvirt-sock-ro"), "{refused}");
    lab.start_libvirt().unwrap();
    assert_eq!(whole(&mut source).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn guests_are_asked_where_that_is_allowed() {
    let mut lab = Lab::new(Network::Own).unwrap();
    lab.start_libvirt().unwrap();
    // libvirt's own make-believe hypervisor leases addresses to make-believe machines.
    let domain = "<domain type='test'><name>guest</name><uuid>6fa459ea-ee8a-4ca4-894e-db77e160355e</uuid>\
                  <memory>1</memory><os><type>hvm</type></os><devices><interface type='network'>\
                  <mac address='52:54:00:aa:01:09'/><source network='default'/></interface></devices></domain>";
    let network = "<network><name>default</name><ip address='10.77.9.1' netmask='255.255.255.0'>\
                   <dhcp><range start='10.77.9.100' end='10.77.9.200'/></dhcp></ip></network>";
    let node = format!("<node>{domain}{network}</node>");
    std::fs::write(lab.file("node.xml"), node).unwrap();
    let uri = format!("test://{}", lab.file("node.xml").display());
    let asked = |socket: &str, ask_guests| {
        let endpoint = Endpoint::unix(lab.run_path(socket));
        let every = Duration::from_millis(200);
        Libvirt::new(Settings { endpoint, uri: uri.clone(), every, ask_guests })
    };
    let ips = |picture: &Picture| -> Vec<_> { vm(picture, &WEB).nics.iter().flat_map(|nic| nic.ips.clone()).collect() };
    let (to_look, to_change) = ("libvirt/libvirt-sock-ro", "libvirt/libvirt-sock");
    assert_eq!(ips(&whole(&mut asked(to_look, false)).await), []);
    let found = ips(&whole(&mut asked(to_change, true)).await);
    let [address] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(address.how, IpHow::Assigned);
    assert_eq!(ips(&whole(&mut asked(to_look, true)).await), found, "leases are for everybody to see");
    let printed = lab.run(&format!("virsh -c {uri} domifaddr guest")).unwrap();
    assert!(printed.contains(&format!("{}/", address.ip)), "{printed} {address:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_libvirt_refuses_is_said_in_its_words() {
    let mut lab = Lab::new(Network::Own).unwrap();
    lab.start_libvirt().unwrap();
    let fault = Libvirt::new(Settings { uri: "nosuch:///system".into(), ..settings(&lab) }).next().await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Unreadable, "{fault}");
    assert!(fault.message.contains("nosuch:///system"), "{fault}");
}
