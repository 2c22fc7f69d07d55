//! What Open vSwitch's collector says is what `ovs-vsctl` says, at once and as it changes.

use super::picture::{fault, whole};
use e2e::lab::{Lab, Network};
use serde_json::{Value, json};
use server::inventory::{
    Collector as _, Endpoint, FaultKind,
    ovsdb::{Client, Ovsdb},
};
use shared::inventory::Port;
use std::collections::BTreeSet;

const VM: &str = "6fa459ea-ee8a-3ca4-894e-db77e160355e";

fn lab() -> Lab {
    let mut lab = Lab::new(Network::Own).unwrap();
    lab.start_switch().unwrap();
    for command in [
        "ovs-vsctl add-br brd -- set bridge brd datapath_type=netdev",
        "ip link add va type veth peer name vb && ip link set va up && ip link set vb up",
        &format!(
            "ovs-vsctl add-port brc va tag=42 -- set interface va external_ids:attached-mac=52:54:00:aa:00:01 \
             external_ids:iface-id=port-1 external_ids:vm-id={VM}"
        ),
        "ip tuntap add t0 mode tap && ovs-vsctl add-port brd t0",
        "ip tuntap add t1 mode tap && ip tuntap add t2 mode tap && ovs-vsctl add-bond brd bond0 t1 t2",
        "ovs-vsctl add-port brc odd -- set interface odd type=internal external_ids:attached-mac=nonsense \
         external_ids:vm-id=web-01",
    ] {
        lab.run(command).unwrap();
    }
    lab
}

/// The names that `ovs-vsctl` prints, one a line.
fn names(printed: &str) -> BTreeSet<String> {
    printed.lines().map(str::to_owned).collect()
}

/// What `ovs-vsctl` itself says of an interface: its address there, its id, its machine and its link.
fn told(lab: &mut Lab, interface: &str) -> (Value, Value, Value, Value) {
    let columns = "--columns=external_ids,link_state,mac_in_use";
    let printed = lab.run(&format!("ovs-vsctl --format=json {columns} list interface {interface}")).unwrap();
    let printed: Value = serde_json::from_str(&printed).unwrap();
    let row = &printed["data"][0];
    let ids = row[0][1].as_array().unwrap();
    let id = |key: &str| ids.iter().find(|pair| pair[0] == key).map_or(Value::Null, |pair| pair[1].clone());
    assert_ne!(row[2], id("attached-mac"), "the hypervisor's side has an address of its own");
    (id("attached-mac"), id("iface-id"), id("vm-id"), row[1].clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn ports_are_those_that_the_switch_names() {
    let mut lab = lab();
    let mut source = Ovsdb::new(Endpoint::unix(lab.database()));
    let mut picture = whole(&mut source).await;
    // The switch looks for itself after each change; its last word may be under way.
    picture.until(&mut source, "the link of va", |picture| picture.port("va").unwrap().connected == Some(true)).await;
    for bridge in ["brc", "brd"] {
        let ours = picture.ports.values().filter(|port| port.switch_name == bridge);
        let ours: BTreeSet<String> = ours.map(|port| port.port.clone()).collect();
        assert_eq!(ours, names(&lab.run(&format!("ovs-vsctl list-ifaces {bridge}")).unwrap()));
    }
    assert_eq!(picture.ports.len(), 5);
    let (mac, iface_id, vm, link) = told(&mut lab, "va");
    let expected = Port {
        key: "sys-1/brc/va".into(),
        switch: "sys-1/brc".into(),
        switch_name: "brc".into(),
        port: "va".into(),
        mac: mac.as_str().unwrap().parse().ok(),
        group: None,
        vlan: lab.run("ovs-vsctl get port va tag").unwrap().trim().parse().ok(),
        iface_id: iface_id.as_str().map(str::to_owned),
        vm_uuid: vm.as_str().map(str::to_owned),
        hypervisor: Some("hv-1".into()),
        connected: Some(link == "up"),
    };
    assert_eq!((expected.vlan, expected.vm_uuid.as_deref()), (Some(42), Some(VM)));
    assert_eq!(picture.port("va"), Some(&expected));
    let odd = picture.port("odd").unwrap();
    assert_eq!((odd.mac, odd.vm_uuid.as_deref(), odd.vlan), (None, None, None));
    assert_eq!(picture.port("t0").unwrap().mac, None, "mac_in_use is never a machine's");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_comes_by_itself() {
    let mut lab = lab();
    let mut source = Ovsdb::new(Endpoint::unix(lab.database()));
    let mut picture = whole(&mut source).await;
    lab.run("ip tuntap add t9 mode tap && ovs-vsctl add-port brc t9 tag=7").unwrap();
    picture.until(&mut source, "the new port", |picture| picture.port("t9").is_some_and(|p| p.vlan == Some(7))).await;
    lab.run("ovs-vsctl set interface t9 external_ids:attached-mac=52:54:00:aa:00:09").unwrap();
    let mac = "52:54:00:aa:00:09".parse().ok();
    picture.until(&mut source, "its address", |picture| picture.port("t9").unwrap().mac == mac).await;
    lab.run("ip link set vb down").unwrap();
    picture.until(&mut source, "the link", |picture| picture.port("va").unwrap().connected == Some(false)).await;
    lab.run("ovs-vsctl del-port brc t9").unwrap();
    picture.until(&mut source, "its end", |picture| picture.port("t9").is_none()).await;
    lab.run("ovs-vsctl del-br brd").unwrap();
    picture.until(&mut source, "the end of a bridge", |picture| picture.ports.len() == 2).await;
    assert!(picture.deltas >= 5, "{}", picture.deltas);
    // What came piece by piece is what somebody new is told.
    let anew = whole(&mut Ovsdb::new(Endpoint::unix(lab.database()))).await;
    assert_eq!(picture.ports, anew.ports);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_database_is_a_fault_and_then_the_whole_again() {
    let mut lab = lab();
    let mut source = Ovsdb::new(Endpoint::unix(lab.database()));
    let before = whole(&mut source).await;
    lab.kill("/run/openvswitch/db.pid").unwrap();
    let hung_up = fault(&mut source).await;
    assert_eq!(hung_up.kind, FaultKind::Unreachable, "{hung_up}");
    let refused = source.next().await.unwrap_err();
    assert_eq!(refused.kind, FaultKind::Unreachable, "{refused}");
    assert!(refused.message.contains("db.sock"), "{refused}");
    lab.start_database().unwrap();
    let mut after = whole(&mut source).await;
    after.until(&mut source, "the same as before", |after| after.ports.keys().eq(before.ports.keys())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_hangs_is_noticed() {
    let mut lab = Lab::new(Network::Own).unwrap();
    lab.start_switch().unwrap();
    let mut source = Ovsdb::new(Endpoint::unix(lab.database()));
    whole(&mut source).await;
    lab.run("kill -STOP $(cat /run/openvswitch/db.pid)").unwrap();
    let silent = fault(&mut source).await;
    assert_eq!(silent.kind, FaultKind::Unreachable);
    assert!(silent.message.contains("says nothing"), "{silent}");
    lab.run("kill -CONT $(cat /run/openvswitch/db.pid)").unwrap();
    whole(&mut source).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_asks_while_it_monitors_and_an_error_is_the_askers_alone() {
    let mut lab = Lab::new(Network::Own).unwrap();
    lab.start_switch().unwrap();
    let client = Client::connect(&Endpoint::unix(lab.database())).await.unwrap();
    let columns = json!({"Bridge": [{"columns": ["name"]}]});
    let (initial, mut updates) = client.monitor("Open_vSwitch", columns).await.unwrap();
    assert_eq!(initial["Bridge"].as_object().unwrap().len(), 1);
    let comment = json!({"op": "comment", "comment": "a test of tocsin"});
    let answers = futures_util::future::join_all((0..20).map(|_| {
        let (client, comment) = (client.clone(), comment.clone());
        async move { client.call("transact", json!(["Open_vSwitch", comment])).await }
    }));
    assert!(answers.await.into_iter().all(|answer| answer.unwrap() == json!([{}])));
    let unknown = client.call("no_such_method", json!([])).await.unwrap_err();
    assert_eq!(unknown.kind, FaultKind::Unreadable, "{unknown}");
    assert!(unknown.message.contains("no_such_method"), "{unknown}");
    lab.run("ovs-vsctl --no-wait add-br bre").unwrap();
    let update = updates.next().await.unwrap();
    let added = update["Bridge"].as_object().unwrap().values().next().unwrap();
    assert_eq!(added["new"]["name"], "bre");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_database_is_named() {
    let mut lab = Lab::new(Network::Own).unwrap();
    lab.run("ovsdb-tool create conf.db /usr/share/openvswitch/local-config.ovsschema").unwrap();
    lab.start_database().unwrap();
    let fault = Ovsdb::new(Endpoint::unix(lab.database())).next().await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Unreadable);
    assert!(fault.message.contains("Local_Config"), "{fault}");
}
