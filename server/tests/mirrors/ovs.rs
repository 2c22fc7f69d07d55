//! Open vSwitch obeys the contract, and what is wrong with a mirror is said.

use super::{
    contract::{Case, Harness, apply, obeys, remove_own, spec},
    stage::{COLLECTOR, SWITCH, Stage, erspan, mac},
};
use e2e::wait;
use server::mirror::{Driver as _, Outcome, Picked, ovs::Ovs};
use shared::{
    mirror::{
        Direction, Egress, Encapsulation, MirrorSource, MirrorSpec, PortKind, Presence, SwitchView, Transport,
        TunnelEnd,
    },
    net::Mac,
};
use std::net::IpAddr;

impl Harness for Stage {
    type Driver = Ovs;

    fn driver(&self) -> &Ovs {
        &self.driver
    }

    fn switch(&self) -> &str {
        SWITCH
    }

    fn machines(&self) -> [Mac; 2] {
        [mac(1), mac(2)]
    }

    fn transports(&self) -> [Transport; 2] {
        [Transport::Span { port: "vc".into() }, erspan(Encapsulation::Erspan2, 7)]
    }

    fn overask(&self, spec: &mut MirrorSpec) {
        spec.sampling = Some(10);
    }

    fn add_foreign(&mut self) -> String {
        add_foreign(self, "theirs", "vb");
        "theirs".into()
    }

    fn unplug(&mut self, port: &str) -> bool {
        self.lab.run(&format!("ovs-vsctl del-port brc {port}")).unwrap();
        true
    }
}

fn add_foreign(stage: &mut Stage, name: &str, port: &str) {
    stage
        .lab
        .run(&format!(
            "ovs-vsctl -- --id=@p get port {port} -- --id=@m create mirror name={name} select_src_port=@p output_vlan=7 \
             -- add bridge brc mirrors @m"
        ))
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn it_obeys_the_contract() {
    obeys(Stage::new()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ports_and_sessions_of_others_are_shown_as_they_are() {
    let mut stage = Stage::new();
    for command in [
        "ovs-vsctl add-port brc gre7 -- set interface gre7 type=gre options:remote_ip=10.77.9.3 options:key=5",
        "ovs-vsctl add-port brc pa -- set interface pa type=patch options:peer=pb",
        "ovs-vsctl -- --id=@a get port va -- --id=@o get port gre7 -- --id=@m create mirror name=old select_all=true \
         select_vlan=7,8 output_port=@o -- add bridge brc mirrors @m",
        "ovs-vsctl -- --id=@m create mirror name=idle -- add bridge brc mirrors @m",
        "ovs-vsctl set port vb tag=42",
    ] {
        stage.lab.run(command).unwrap();
    }
    let view = stage.view().await;
    let kind = |name: &str| view.port(name).unwrap().kind;
    let kinds = [("va", PortKind::Vm), ("vc", PortKind::Unknown), ("brc", PortKind::Host), ("gre7", PortKind::Tunnel)];
    for (name, expected) in kinds.into_iter().chain([("pa", PortKind::Patch)]) {
        assert_eq!(kind(name), expected, "{name}");
    }
    let port = view.port("vb").unwrap();
    assert_eq!(
        (port.mac, port.vlan, port.mtu, port.hypervisor.as_deref()),
        (Some(mac(2)), Some(42), Some(1_500), Some("hv-1"))
    );
    let told = stage.lab.run("ovs-vsctl get open_vswitch . ovs_version").unwrap();
    assert_eq!(told.trim().trim_matches('"'), view.version);
    assert!(view.can.erspan3 && view.can.snap && !view.can.sampling);
    let session = |name: &str| view.sessions.iter().find(|session| session.name == name).unwrap();
    let old = session("old");
    let tunnel = TunnelEnd { remote: "10.77.9.3".parse().unwrap(), session: Some(5) };
    assert_eq!((old.all_ports, old.vlans.as_slice(), old.tunnel.as_ref()), (true, [7, 8].as_slice(), Some(&tunnel)));
    assert_eq!((old.kind.as_str(), old.ports.as_slice(), &old.tag), ("GRE", ["gre7".to_owned()].as_slice(), &None));
    assert!(session("idle").fault.as_ref().unwrap().contains("no output"));
}

/// A copy that could be copied ends the switch: nothing that goes through the bridge itself is planned.
#[tokio::test(flavor = "multi_thread")]
async fn a_mirror_of_its_own_copies_is_never_planned() {
    let mut stage = Stage::new();
    stage.lab.run("ip addr add 10.77.5.1/24 dev brc && ip link set brc up").unwrap();
    let (inside, outside): (IpAddr, IpAddr) = ("10.77.5.2".parse().unwrap(), COLLECTOR.parse().unwrap());
    let nowhere: IpAddr = "10.99.0.1".parse().unwrap();
    let remotes = [inside, outside, nowhere];
    let handle = tokio::runtime::Handle::current();
    // The switch hears of its host's addresses a moment later.
    let looked = wait::until("the way through the bridge", wait::PATIENCE, || {
        let looked = tokio::task::block_in_place(|| handle.block_on(stage.driver.look(&remotes))).unwrap();
        let through = |view: &SwitchView| matches!(view.routes[&inside], Egress::Port { .. });
        Some(looked).filter(|views| views.iter().any(through))
    })
    .unwrap();
    let view = looked.into_iter().find(|view| view.switch == SWITCH).unwrap();
    assert_eq!(view.routes[&inside], Egress::Port { port: "brc".into() });
    assert_eq!(view.routes[&outside], Egress::Elsewhere { device: "brp".into() });
    assert_eq!(view.routes[&nowhere], Egress::Nowhere);
    for (remote, is_good) in [(inside, false), (outside, true), (nowhere, false)] {
        let mut transport = erspan(Encapsulation::Erspan2, 7);
        if let Transport::Erspan { remote: to, .. } = &mut transport {
            *to = remote;
        }
        let case = Case::of(&view, 1, spec(mac(1), Direction::Both, transport));
        assert_eq!(stage.driver.plan(&case.order(), &view).is_ok(), is_good, "{remote}");
    }
    // Every port is never selected, whatever is asked for; what leads elsewhere is no source.
    let vlans = MirrorSpec {
        source: MirrorSource::Vlans { vlans: vec![42] },
        transport: Transport::RspanDestination { port: "vc".into() },
        ..MirrorSpec::default()
    };
    let case = Case::of(&view, 2, vlans);
    let plan = stage.driver.plan(&case.order(), &view).unwrap();
    assert!(plan.steps[0].sent.contains("\"select_all\": false"), "{plan:?}");
    assert!(!plan.steps[0].sent.contains("{port brc}") && plan.steps[0].sent.contains("{port va}"), "{plan:?}");
    let mut host = Case::of(&view, 3, spec(mac(1), Direction::Both, Transport::Span { port: "vc".into() }));
    host.sources[0].1 = "brc".into();
    let why = stage.driver.plan(&host.order(), &view).unwrap_err();
    assert!(why.contains("no machine"), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_mirror_more_than_a_bridge_carries_out_is_refused() {
    let mut stage = Stage::new();
    for number in 0..32 {
        add_foreign(&mut stage, &format!("theirs-{number}"), "vb");
    }
    let case = stage.case(1, spec(mac(1), Direction::Both, Transport::Span { port: "vc".into() })).await;
    let outcome = apply(&stage.driver, SWITCH, &case).await;
    assert!(matches!(&outcome, Outcome::Refused(why) if why.contains("32")), "{outcome:?}");
    assert_eq!(stage.driver.read(&case.order()).await.unwrap().presence, Presence::Absent);
    // Somebody else's is taken by the database all the same, and does nothing.
    add_foreign(&mut stage, "theirs-too-many", "vb");
    let handle = tokio::runtime::Handle::current();
    wait::until("the counts of the others", wait::PATIENCE, || {
        let view = tokio::task::block_in_place(|| handle.block_on(stage.view()));
        let faults: Vec<_> = view.sessions.iter().filter(|session| session.fault.is_some()).collect();
        assert!(view.sessions.len() == 33);
        (faults.len() == 1 && faults[0].fault.as_ref().unwrap().contains("32")).then_some(())
    })
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_is_plugged_in_again_is_still_gone() {
    let mut stage = Stage::new();
    let case = stage.case(1, spec(mac(1), Direction::Both, erspan(Encapsulation::Erspan2, 7))).await;
    let outcome = apply(&stage.driver, SWITCH, &case).await;
    assert!(matches!(outcome, Outcome::Applied(Some(_))), "{outcome:?}");
    stage.lab.run("ovs-vsctl del-port brc va").unwrap();
    assert_eq!(stage.driver.read(&case.order()).await.unwrap().presence, Presence::SourceGone);
    stage.lab.run("ovs-vsctl add-port brc va").unwrap();
    assert_eq!(stage.driver.read(&case.order()).await.unwrap().presence, Presence::SourceGone);
    assert_eq!(remove_own(&stage.driver, &case).await.len(), 1);
    assert_eq!(stage.lab.run("ovs-vsctl list-ports brc").unwrap().matches("tab12").count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_changed_is_said_and_all_that_is_left_goes() {
    let mut stage = Stage::new();
    let changes = [
        ("ovs-vsctl -- --id=@b get port vb -- add mirror tocsin-ab12-1 select_src_port @b", "vb besides"),
        ("ovs-vsctl set mirror tocsin-ab12-1 select_all=true", "every port"),
        ("ovs-vsctl set mirror tocsin-ab12-1 select_vlan=7", "select_vlan"),
        ("ovs-vsctl set interface tab12-1 options:remote_ip=10.77.9.3", "10.77.9.3"),
        ("ovs-vsctl -- --id=@c get port vc -- set mirror tocsin-ab12-1 output_port=@c", "output_port"),
        ("ovs-vsctl del-port brc tab12-1", "tab12-1 is gone"),
        ("ovs-vsctl clear bridge brc mirrors", "Mirror is gone"),
    ];
    for (command, what) in changes {
        let case = stage.case(1, spec(mac(1), Direction::Both, erspan(Encapsulation::Erspan2, 7))).await;
        let outcome = apply(&stage.driver, SWITCH, &case).await;
        assert!(matches!(outcome, Outcome::Applied(_)), "{outcome:?}");
        stage.lab.run(command).unwrap();
        let looked = stage.driver.read(&case.order()).await.unwrap();
        assert!(matches!(&looked.presence, Presence::Changed(said) if said.contains(what)), "{command}: {looked:?}");
        let outcome = apply(&stage.driver, SWITCH, &case).await;
        assert!(matches!(outcome, Outcome::Unknown(_)), "{outcome:?}");
        assert_eq!(remove_own(&stage.driver, &case).await.len(), 1, "{command}");
        let left = stage.lab.run("ovs-vsctl list-ports brc; ovs-vsctl list mirror").unwrap();
        assert!(!left.contains("ab12"), "{command}: {left}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_was_restarted_is_asked_anew() {
    let mut stage = Stage::new();
    let case = stage.case(1, spec(mac(1), Direction::Both, Transport::Span { port: "vc".into() })).await;
    assert!(matches!(apply(&stage.driver, SWITCH, &case).await, Outcome::Applied(_)));
    stage.lab.kill("/run/openvswitch/db.pid").unwrap();
    let fault = stage.driver.read(&case.order()).await.unwrap_err();
    assert!(fault.message.contains("db.sock"), "{fault}");
    assert!(stage.driver.remove(None, Picked(&|_| true)).await.is_err());
    stage.lab.start_database().unwrap();
    assert_eq!(stage.driver.read(&case.order()).await.unwrap().presence, Presence::AsPlanned);
    assert_eq!(remove_own(&stage.driver, &case).await.len(), 1);
}
