//! From an address or a name to the machine: what is promised to whoever looks one up at night.

use engine::placement::{Index, Moved};
use proptest::prelude::*;
use shared::{
    SourceId, Timestamp,
    inventory::{Hypervisor, IpHow, Neighbour, Nic, NicIp, Observation, Port, Power, RouterPart, Vm},
    net::{Mac, understand},
    placement::{Doubt, HopHow, HopTo, Placement, Trust},
};

const NOW: Timestamp = Timestamp::from_ms(1_800_000_000_000);

fn source(id: &str) -> SourceId {
    SourceId::from(id)
}

fn nic(mac: &str, ip: &str) -> Nic {
    let ips = if ip.is_empty() { vec![] } else { vec![NicIp { ip: ip.parse().unwrap(), how: IpHow::Guest }] };
    Nic { mac: Some(mac.parse().unwrap()), label: "net0".to_owned(), ips, ..Nic::default() }
}

fn vm(key: &str, name: &str, hypervisor: &str, nics: Vec<Nic>) -> Vm {
    let hypervisor = Some(hypervisor.to_owned()).filter(|it| !it.is_empty());
    Vm { key: key.to_owned(), name: name.to_owned(), hypervisor, power: Power::On, nics, ..Vm::default() }
}

fn hypervisor(key: &str, name: &str) -> Hypervisor {
    Hypervisor { key: key.to_owned(), name: name.to_owned(), cluster: Some("prod".to_owned()), ips: Vec::new() }
}

fn whole(hypervisors: Vec<Hypervisor>, vms: Vec<Vm>) -> Observation {
    Observation { whole: true, hypervisors, vms, ..Observation::default() }
}

/// A vCenter with two hypervisors and three VMs, and a segment that somebody listens on.
fn house() -> Index {
    let mut index = Index::default();
    let vms = vec![
        vm("vm-1", "web01", "host-7", vec![nic("00:50:56:00:00:01", "10.1.2.3")]),
        vm("vm-2", "web02", "host-7", vec![nic("00:50:56:00:00:02", "10.1.2.4")]),
        vm("vm-3", "db01.example.org", "host-8", vec![nic("00:50:56:00:00:03", "")]),
    ];
    index.observe(&source("vc"), whole(vec![hypervisor("host-7", "esx-07"), hypervisor("host-8", "esx-08")], vms), NOW);
    index
}

fn seen(index: &mut Index, ip: &str, mac: &str, ago_s: i64) {
    seen_of_router(index, ip, mac, ago_s, None);
}

fn seen_of_router(index: &mut Index, ip: &str, mac: &str, ago_s: i64, router: Option<RouterPart>) {
    let neighbour = Neighbour {
        router,
        ip: ip.parse().unwrap(),
        mac: mac.parse().unwrap(),
        segment: "gw1/eth0".to_owned(),
        seen_at: NOW.plus_ms(-ago_s * 1_000),
    };
    let observation = Observation { neighbours: vec![neighbour], ..Observation::default() };
    index.observe(&source("gw1"), observation, NOW);
}

fn find(index: &Index, text: &str) -> Vec<Placement> {
    let terms = understand(text);
    assert_eq!(terms.len(), 1, "{text} is one thing: {terms:?}");
    index.find(&terms[0].what, NOW, 50).placements
}

fn way(placement: &Placement) -> Vec<(HopTo, &str, HopHow, Trust)> {
    placement.hops.iter().map(|hop| (hop.to, hop.value.as_str(), hop.how, hop.trust)).collect()
}

fn names(placements: &[Placement]) -> Vec<&str> {
    placements.iter().map(|it| it.vm.as_ref().map_or("-", |vm| vm.name.as_str())).collect()
}

#[test]
fn from_an_address_alone_to_the_hypervisor_with_every_step() {
    let found = find(&house(), "10.1.2.3");
    let [placement] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(
        way(placement),
        [
            (HopTo::Ip, "10.1.2.3", HopHow::Guest, Trust::Good),
            (HopTo::Mac, "00:50:56:00:00:01", HopHow::Platform, Trust::Good),
            (HopTo::Vm, "web01", HopHow::Platform, Trust::Good),
            (HopTo::Hypervisor, "esx-07", HopHow::Platform, Trust::Good),
            (HopTo::Cluster, "prod", HopHow::Platform, Trust::Good),
        ]
    );
    assert_eq!(placement.hypervisor.as_ref().unwrap().vms, 2);
    assert_eq!(placement.vendor.as_deref(), Some("VMware"));
    assert_eq!(placement.doubts, []);
}

#[test]
fn where_the_inventory_has_no_address_a_neighbour_leads_on() {
    let mut index = house();
    seen(&mut index, "10.1.2.9", "00:50:56:00:00:03", 5);
    let found = find(&index, "10.1.2.9");
    let [placement] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(way(placement)[0], (HopTo::Ip, "10.1.2.9", HopHow::Neighbour, Trust::Fair));
    assert_eq!(names(&found), ["db01.example.org"]);
    // An old answer says that it is old.
    seen(&mut index, "10.1.2.9", "00:50:56:00:00:03", 120);
    assert_eq!(way(&find(&index, "10.1.2.9")[0])[0].3, Trust::Stale);
}

#[test]
fn a_neighbour_that_contradicts_the_inventory_is_a_doubt_and_never_the_answer() {
    let mut index = house();
    seen(&mut index, "10.1.2.3", "52:54:00:aa:bb:cc", 5);
    let found = find(&index, "10.1.2.3");
    assert_eq!(names(&found), ["web01"]);
    let mac: Mac = "52:54:00:aa:bb:cc".parse().unwrap();
    let doubt = Doubt::OtherAnswers { ip: "10.1.2.3".parse().unwrap(), mac, segment: "gw1/eth0".to_owned() };
    assert_eq!(found[0].doubts, [doubt]);
}

#[test]
fn a_router_that_answers_for_others_is_never_the_machine() {
    let mut index = house();
    let (own, behind) = (Some(RouterPart::Own), Some(RouterPart::Behind));
    let router: Mac = "52:54:00:00:99:99".parse().unwrap();
    seen_of_router(&mut index, "10.1.2.1", "52:54:00:00:99:99", 5, own);
    seen_of_router(&mut index, "10.1.7.7", "52:54:00:00:99:99", 2, behind);
    let found = find(&index, "10.1.7.7");
    let ip = "10.1.7.7".parse().unwrap();
    let doubt = Doubt::BehindRouter { ip, mac: router, segment: "gw1/eth0".to_owned() };
    assert_eq!((found[0].mac, &found[0].doubts), (None, &vec![doubt]));
    assert_eq!(way(&found[0]), [(HopTo::Ip, "10.1.7.7", HopHow::Neighbour, Trust::Fair)]);
    // Its own address is its own.
    assert_eq!(find(&index, "10.1.2.1")[0].mac, Some(router));
    assert_eq!(find(&index, "52:54:00:00:99:99")[0].ip, Some("10.1.2.1".parse().unwrap()));
    // What the inventory knows stands, and a router on the way is no doubt.
    seen_of_router(&mut index, "10.1.2.3", "52:54:00:00:99:99", 2, behind);
    let found = find(&index, "10.1.2.3");
    assert_eq!((names(&found), &found[0].doubts), (vec!["web01"], &vec![]));
}

#[test]
fn a_fresh_answer_of_a_neighbour_comes_before_what_a_silent_source_said_long_ago() {
    let mut index = house();
    let later = NOW.plus_ms(3_600_000);
    let neighbour = |mac: &str, seen_at| Neighbour {
        ip: "10.1.2.3".parse().unwrap(),
        mac: mac.parse().unwrap(),
        segment: "gw1/eth0".to_owned(),
        seen_at,
        router: None,
    };
    let ip = understand("10.1.2.3").remove(0).what;
    let mut told = |mac: &str, ago_s: i64| {
        let neighbours = vec![neighbour(mac, later.plus_ms(-ago_s * 1_000))];
        index.observe(&source("gw1"), Observation { neighbours, ..Observation::default() }, later);
        index.find(&ip, later, 50).placements
    };
    let moved = told("00:50:56:00:00:02", 5);
    assert_eq!(names(&moved), ["web02", "web01"], "another VM answers for it now");
    assert_eq!(way(&moved[0])[0], (HopTo::Ip, "10.1.2.3", HopHow::Neighbour, Trust::Fair));
    let same = told("00:50:56:00:00:01", 5);
    assert_eq!((names(&same), way(&same[0])[0].2), (vec!["web01"], HopHow::Neighbour));
    let old = told("00:50:56:00:00:02", 120);
    assert_eq!(names(&old), ["web01"], "one old word against another");
}

#[test]
fn an_interface_that_no_source_knows_is_said_to_be_unknown() {
    let mut index = house();
    seen(&mut index, "10.1.9.9", "52:54:00:aa:bb:cc", 5);
    let found = find(&index, "10.1.9.9");
    let mac: Mac = "52:54:00:aa:bb:cc".parse().unwrap();
    assert_eq!((found[0].mac, names(&found)), (Some(mac), vec!["-"]));
    assert_eq!(found[0].doubts, [Doubt::NotInInventory { mac }]);
    assert_eq!(found[0].vendor.as_deref(), Some("QEMU/KVM"));
    assert_eq!(find(&index, "10.9.9.9"), []);
}

#[test]
fn two_vms_with_one_hardware_address_are_both_shown() {
    let mut index = house();
    let clone = vm("vm-9", "web01-clone", "host-8", vec![nic("00:50:56:00:00:01", "")]);
    index.observe(&source("vc"), Observation { vms: vec![clone], ..Observation::default() }, NOW);
    let found = find(&index, "0050.5600.0001");
    assert_eq!(names(&found), ["web01", "web01-clone"]);
    for placement in &found {
        assert!(
            matches!(&placement.doubts[..], [Doubt::SeveralVms { vms, .. }] if vms == &["web01", "web01-clone"]),
            "{placement:?}"
        );
    }
}

#[test]
fn two_vms_with_one_ip_address_are_both_shown_and_the_running_one_first() {
    let mut index = house();
    let mut stopped = vm("vm-0", "a-template", "host-8", vec![nic("00:50:56:00:00:0a", "10.1.2.3")]);
    stopped.power = Power::Off;
    index.observe(&source("vc"), Observation { vms: vec![stopped], ..Observation::default() }, NOW);
    let found = find(&index, "10.1.2.3");
    assert_eq!(names(&found), ["web01", "a-template"]);
    assert!(matches!(&found[0].doubts[..], [Doubt::SeveralIps { vms, .. }] if vms.len() == 2), "{found:?}");
}

#[test]
fn the_same_vm_said_by_two_sources_is_one_answer_and_their_difference_a_doubt() {
    let uuid = Some("5f3c0b2e-0000-4000-8000-000000000001".to_owned());
    let one = Vm { uuid: uuid.clone(), ..vm("i-1", "web", "n1", vec![nic("fa:16:3e:00:00:01", "10.5.0.1")]) };
    let two = Vm { uuid, ..vm("dom-1", "instance-1", "kvm-2", vec![nic("fa:16:3e:00:00:01", "")]) };
    let mut index = Index::default();
    index.observe(&source("openstack"), whole(vec![hypervisor("n1", "kvm-1.example.org")], vec![one]), NOW);
    index.observe(&source("libvirt"), whole(vec![hypervisor("kvm-2", "kvm-2")], vec![two]), NOW);
    let found = find(&index, "fa:16:3e:00:00:01");
    assert_eq!(found.len(), 1, "{found:?}");
    let other = Doubt::OtherHypervisor { source: source("libvirt"), hypervisor: "kvm-2".to_owned() };
    assert_eq!(found[0].doubts, [other]);
}

#[test]
fn the_port_of_the_switch_is_joined_by_id_or_by_address() {
    let mut index = Index::default();
    let mut plugged = nic("52:54:00:00:00:01", "");
    plugged.network = Some("br-int".to_owned());
    plugged.port = Some("vnet1".to_owned());
    index.observe(
        &source("libvirt"),
        whole(vec![hypervisor("kvm", "kvm-1")], vec![vm("d", "web", "kvm", vec![plugged])]),
        NOW,
    );
    let port = Port {
        key: "p".to_owned(),
        switch: "sys/br-int".to_owned(),
        switch_name: "br-int".to_owned(),
        port: "vnet1".to_owned(),
        mac: Some("52:54:00:00:00:01".parse().unwrap()),
        vlan: Some(42),
        hypervisor: Some("kvm-1.example.org".to_owned()),
        connected: Some(true),
        ..Port::default()
    };
    index.observe(&source("ovs"), Observation { whole: true, ports: vec![port], ..Observation::default() }, NOW);
    let found = find(&index, "web");
    let placed = found[0].port.as_ref().unwrap();
    assert_eq!((placed.vlan, placed.connected, placed.port.as_deref()), (Some(42), Some(true), Some("vnet1")));
    let hop = found[0].hops.iter().find(|hop| hop.to == HopTo::Port).unwrap();
    assert_eq!((hop.value.as_str(), hop.source.as_str()), ("br-int / vnet1", "ovs"));
    // A name with and without its domain is one machine.
    assert_eq!(found[0].doubts, []);
}

#[test]
fn names_are_found_whole_then_by_their_beginning_then_within() {
    let index = house();
    assert_eq!(names(&find(&index, "WEB01")), ["web01"]);
    assert_eq!(names(&find(&index, "web")), ["web01", "web02"]);
    assert_eq!(names(&find(&index, "b0")), ["db01.example.org", "web01", "web02"]);
    assert_eq!(names(&find(&index, "web01.example.org")), ["web01"], "known by its short name");
    let found = find(&index, "esx-07");
    assert_eq!(found[0].hypervisor.as_ref().map(|it| (it.name.as_str(), it.vms)), Some(("esx-07", 2)));
}

#[test]
fn parts_of_hardware_addresses_and_networks_find_all_of_them() {
    let index = house();
    assert_eq!(find(&index, "0050.56").len(), 3);
    assert_eq!(names(&find(&index, "00:00:02")), ["web02"], "the end of one");
    assert_eq!(names(&find(&index, "10.1.2.0/24")), ["web01", "web02"]);
    let answer = index.find(&understand("0050.56")[0].what, NOW, 2);
    assert_eq!((answer.placements.len(), answer.more), (2, true));
}

#[test]
fn a_source_that_is_silent_makes_its_answers_stale() {
    let index = house();
    let later = NOW.plus_ms(11 * 60_000);
    let found = index.find(&understand("10.1.2.3")[0].what, later, 1).placements;
    assert!(found[0].hops.iter().all(|hop| hop.trust == Trust::Stale && hop.seen_at == NOW));
}

#[test]
fn what_the_whole_does_not_name_is_gone_and_a_move_is_told() {
    let mut index = house();
    let web01 = vm("vm-1", "web01", "host-8", vec![nic("00:50:56:00:00:01", "10.1.2.3")]);
    let web02 = vm("vm-2", "web02-renamed", "host-7", vec![nic("00:50:56:00:00:02", "10.1.2.4")]);
    let hypervisors = || vec![hypervisor("host-7", "esx-07"), hypervisor("host-8", "esx-08")];
    let moved = index.observe(&source("vc"), whole(hypervisors(), vec![web01.clone(), web02]), NOW);
    let told = |it: &Moved| (it.key.clone(), it.before.is_some(), it.after.is_some());
    let told: Vec<_> = moved.iter().map(told).collect();
    assert_eq!(told, [("vm-1".to_owned(), true, true), ("vm-3".to_owned(), true, false)], "a new name is no move");
    assert_eq!(find(&index, "db01.example.org"), []);
    assert_eq!(find(&index, "web02"), find(&index, "web02-renamed"), "the old name is a beginning of the new one");
    assert_eq!(find(&index, "10.1.2.3")[0].hypervisor.as_ref().unwrap().name, "esx-08");
    let gone = Observation { gone: vec!["vm-1".to_owned()], ..Observation::default() };
    assert_eq!(
        index.observe(&source("vc"), gone, NOW),
        [Moved { key: "vm-1".to_owned(), before: Some(web01), after: None }]
    );
    assert_eq!(find(&index, "10.1.2.3"), []);
    index.forget(&source("vc"));
    assert_eq!((index.sources().count(), index.vms().count()), (0, 0));
}

fn any_vm() -> impl Strategy<Value = Vm> {
    let any_nic =
        (0_u8..6, 0_u8..6).prop_map(|(mac, ip)| nic(&format!("52:54:00:00:00:{mac:02x}"), &format!("10.0.0.{ip}")));
    (0_u8..8, 0_u8..4, prop::collection::vec(any_nic, 0..3))
        .prop_map(|(key, on, nics)| vm(&format!("vm-{key}"), &format!("name-{key}"), &format!("hv-{on}"), nics))
}

proptest! {
    /// However it came about, the index is what its sources say now: the same as one that heard only that.
    #[test]
    fn deltas_come_to_the_same_as_the_whole(
        steps in prop::collection::vec((prop::collection::vec(any_vm(), 0..5), prop::collection::vec(0_u8..8, 0..3), any::<bool>()), 1..12),
    ) {
        let mut index = Index::default();
        for (vms, gone, is_whole) in steps {
            let gone = gone.into_iter().map(|key| format!("vm-{key}")).collect();
            index.observe(&source("s"), Observation { whole: is_whole, vms, gone, ..Observation::default() }, NOW);
        }
        let (whole, _) = index.whole(&source("s")).unwrap();
        let mut fresh = Index::default();
        fresh.observe(&source("s"), whole.clone(), NOW);
        prop_assert_eq!(fresh.whole(&source("s")).unwrap().0, whole);
        prop_assert_eq!(fresh.sources().collect::<Vec<_>>(), index.sources().collect::<Vec<_>>());
        let asked = (0..6).flat_map(|n| [format!("52:54:00:00:00:{n:02x}"), format!("10.0.0.{n}"), format!("name-{n}"), format!("hv-{n}")]);
        for text in asked {
            let found = |index: &Index| {
                let mut found = find(index, &text);
                found.sort_by_key(|it| it.vm.as_ref().map(|vm| vm.key.clone()));
                found
            };
            prop_assert_eq!(found(&fresh), found(&index), "{}", text);
        }
    }
}
