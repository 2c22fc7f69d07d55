//! What really comes to a destination: the right copies while a mirror runs, and not one after it, though the traffic that
//! was copied goes on.

use super::{
    contract::{Case, apply, remove_own, spec},
    frames::Copy,
    stage::{A, B, SWITCH, Stage, VLAN, erspan, mac},
};
use e2e::wait;
use server::{
    clock::Stopwatch,
    mirror::{Driver as _, Outcome, Quiet},
};
use shared::mirror::{Direction, Encapsulation, MirrorSource, MirrorSpec, Presence, Transport};

/// Each way copies go: where they come, and what is around them there.
struct Way {
    transport: Transport,
    namespace: &'static str,
    /// GRE's word and the session.
    tunnel: Option<(u16, u32)>,
    vlan: Option<u16>,
}

fn ways() -> [Way; 5] {
    let way = |transport, namespace, tunnel, vlan| Way { transport, namespace, tunnel, vlan };
    [
        way(Transport::Span { port: "vc".into() }, "c", None, None),
        way(Transport::RspanSource { uplinks: Vec::new(), vlan: VLAN, strip_vlan: false }, "u", None, Some(VLAN)),
        way(erspan(Encapsulation::Gre, 70), "p", Some((0x6558, 70)), None),
        way(erspan(Encapsulation::Erspan2, 71), "p", Some((0x88be, 71)), None),
        way(erspan(Encapsulation::Erspan3, 1_023), "p", Some((0x22eb, 1_023)), None),
    ]
}

async fn begin(stage: &Stage, case: &Case) {
    let outcome = apply(&stage.driver, SWITCH, case).await;
    assert!(matches!(outcome, Outcome::Applied(Some(_))), "{outcome:?}");
}

fn is_as_wanted(copy: &Copy, way: &Way, direction: Direction) -> bool {
    let end = match direction {
        Direction::FromVm => copy.from == A && copy.to == B,
        Direction::ToVm => copy.from == B && copy.to == A,
        Direction::Both => [copy.from, copy.to] == [A, B] || [copy.from, copy.to] == [B, A],
    };
    let tunnel = copy.tunnel.as_ref().map(|tunnel| (tunnel.protocol, tunnel.session));
    let says = copy.tunnel.as_ref().and_then(|tunnel| tunnel.to_vm);
    let is_said = says.is_none_or(|to_vm| to_vm == (direction == Direction::ToVm));
    end && tunnel == way.tunnel && copy.vlan == way.vlan && is_said
}

/// The regression test of what Open vSwitch up to 3.3.2 does by itself: it goes on copying what already runs.
#[tokio::test(flavor = "multi_thread")]
async fn copies_are_those_that_were_asked_for_and_end_under_a_running_ping() {
    let mut stage = Stage::new();
    stage.ping();
    let mut number = 0;
    for way in ways() {
        let file = stage.listen(way.namespace);
        let mut seen = 0;
        for direction in [Direction::FromVm, Direction::ToVm, Direction::Both] {
            number += 1;
            let case = stage.case(number, spec(mac(1), direction, way.transport.clone())).await;
            let watch = Stopwatch::start();
            begin(&stage, &case).await;
            let applied_ms = watch.elapsed_ms();
            // A port that sees every VLAN is also sent what the bridge sends to all, before it has learned.
            let is_copy = |copy: &Copy| way.vlan.is_none() || copy.vlan.is_some();
            let copies = stage.copied_of(&file, seen, 6, is_copy);
            let wrong: Vec<&Copy> = copies.iter().filter(|copy| !is_as_wanted(copy, &way, direction)).collect();
            assert!(wrong.is_empty(), "{:?} {direction:?}: {wrong:?}", way.transport);
            if direction == Direction::Both {
                assert!(copies.iter().any(|copy| copy.from == A) && copies.iter().any(|copy| copy.from == B));
            }
            let watch = Stopwatch::start();
            assert_eq!(remove_own(&stage.driver, &case).await.len(), 1);
            println!(
                "{:?} {direction:?}: applied in {applied_ms} ms, removed in {} ms",
                way.transport,
                watch.elapsed_ms()
            );
            let silence = stage.silence(&file);
            assert_eq!(silence, Ok(()), "{:?} {direction:?}", way.transport);
            seen = stage.copied(&file, 0).len();
        }
    }
    let left =
        stage.lab.run("ovs-vsctl list mirror; ovs-vsctl list-ports brc; ovs-vsctl get bridge brc flood_vlans").unwrap();
    assert!(!left.contains("tocsin") && !left.contains("tab12") && left.trim_end().ends_with("[]"), "{left}");
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_are_cut_where_that_was_asked_for() {
    let mut stage = Stage::new();
    stage.ping();
    let file = stage.listen("c");
    let cut =
        MirrorSpec { snap_bytes: Some(64), ..spec(mac(1), Direction::Both, Transport::Span { port: "vc".into() }) };
    let case = stage.case(1, cut.clone()).await;
    begin(&stage, &case).await;
    assert!(stage.copied(&file, 6).iter().all(|copy| copy.bytes == 64));
    remove_own(&stage.driver, &case).await;
    let view = stage.view().await;
    let in_tunnel = Case::of(&view, 2, MirrorSpec { transport: erspan(Encapsulation::Gre, 1), ..cut });
    let why = stage.driver.plan(&in_tunnel.order(), &view).unwrap_err();
    assert!(why.contains("tunnel"), "{why}");
}

/// The two halves of RSPAN: copies go into a VLAN on one mirror and come out of it by another.
#[tokio::test(flavor = "multi_thread")]
async fn what_comes_in_a_vlan_goes_to_a_port_and_a_vlan_that_did_not_learn_stays_so() {
    let mut stage = Stage::new();
    // A machine that sends tagged packets on the trunk `u`, as a switch elsewhere with copies would.
    stage.lab.run("ovs-vsctl add-br brq -- set bridge brq datapath_type=netdev").unwrap();
    stage
        .lab
        .run("ovs-vsctl set port va tag=42 && ovs-vsctl set port vb tag=42 && ovs-vsctl set bridge brc flood_vlans=999")
        .unwrap();
    stage.ping();
    let file = stage.listen("c");
    let out = MirrorSpec {
        source: MirrorSource::Vlans { vlans: vec![42] },
        transport: Transport::RspanDestination { port: "vc".into() },
        ..MirrorSpec::default()
    };
    let case = stage.case(1, out).await;
    begin(&stage, &case).await;
    let copies = stage.copied(&file, 6);
    assert!(copies.iter().any(|copy| copy.from == A) && copies.iter().any(|copy| copy.from == B), "{copies:?}");
    assert_eq!(stage.driver.read(&case.order()).await.unwrap().presence, Presence::AsPlanned);
    assert_eq!(remove_own(&stage.driver, &case).await.len(), 1);
    assert_eq!(stage.silence(&file), Ok(()));

    let rspan = Transport::RspanSource { uplinks: Vec::new(), vlan: VLAN, strip_vlan: true };
    let case = stage.case(2, spec(mac(1), Direction::Both, rspan)).await;
    begin(&stage, &case).await;
    remove_own(&stage.driver, &case).await;
    assert_eq!(stage.lab.run("ovs-vsctl get bridge brc flood_vlans").unwrap().trim(), "[999]");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mirror_that_is_removed_while_the_switch_is_dead_is_gone_when_it_lives_again() {
    let mut stage = Stage::new();
    stage.ping();
    for (number, way) in (1..).zip(ways().into_iter().filter(|way| matches!(way.namespace, "c" | "p"))) {
        let file = stage.listen(way.namespace);
        let case = stage.case(number, spec(mac(1), Direction::Both, way.transport.clone())).await;
        begin(&stage, &case).await;
        stage.copied(&file, 6);
        stage.lab.kill("/run/openvswitch/switch.pid").unwrap();
        assert_eq!(remove_own(&stage.driver, &case).await.len(), 1);
        assert_eq!(stage.driver.read(&case.order()).await.unwrap().presence, Presence::Absent);
        let unsure = stage.driver.quiet(&case.order()).await.unwrap_err();
        assert!(unsure.message.contains("ovs-vswitchd"), "{unsure}");
        stage.lab.start_vswitchd().unwrap();
        assert_eq!(stage.silence(&file), Ok(()), "{:?}", way.transport);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mirror_outlives_the_switch_and_one_that_hangs_lets_go_when_it_goes_on() {
    let mut stage = Stage::new();
    stage.ping();
    let file = stage.listen("c");
    let span = || Transport::Span { port: "vc".into() };
    let case = stage.case(1, spec(mac(1), Direction::Both, span())).await;
    begin(&stage, &case).await;
    stage.copied(&file, 6);
    stage.lab.kill("/run/openvswitch/switch.pid").unwrap();
    let seen = stage.copied(&file, 6).len();
    stage.lab.start_vswitchd().unwrap();
    stage.copied(&file, seen + 20);
    stage.lab.run("kill -STOP $(cat /run/openvswitch/switch.pid)").unwrap();
    assert_eq!(remove_own(&stage.driver, &case).await.len(), 1);
    // What is sent now is not carried out in time, and taken back.
    let late = stage.case(2, spec(mac(1), Direction::Both, span())).await;
    let outcome = apply(&stage.driver, SWITCH, &late).await;
    assert!(matches!(&outcome, Outcome::Refused(why) if why.contains("taken back")), "{outcome:?}");
    stage.lab.run("kill -CONT $(cat /run/openvswitch/switch.pid)").unwrap();
    let handle = tokio::runtime::Handle::current();
    // First it forwards, as before, what has waited for it; then it takes in what has changed.
    wait::until("the switch to take in what has changed", wait::PATIENCE, || {
        tokio::task::block_in_place(|| handle.block_on(stage.driver.quiet(&case.order()))).ok()
    })
    .unwrap();
    stage.pass_pings(1);
    assert_eq!(stage.silence(&file), Ok(()));
    let quiet = wait::until("two looks at the destination", wait::PATIENCE, || {
        tokio::task::block_in_place(|| handle.block_on(stage.driver.quiet(&case.order())))
            .ok()
            .filter(|it| *it != Quiet::Untold)
    });
    assert_eq!(quiet.unwrap(), Quiet::Flat);
}

/// The switch counts what it copied, and its sources what there was to copy.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_copied_is_counted() {
    let mut stage = Stage::new();
    stage.ping();
    let case = stage.case(1, spec(mac(1), Direction::FromVm, erspan(Encapsulation::Erspan2, 7))).await;
    begin(&stage, &case).await;
    let handle = tokio::runtime::Handle::current();
    let counters = wait::until("counted copies", wait::PATIENCE, || {
        let looked = tokio::task::block_in_place(|| handle.block_on(stage.driver.read(&case.order()))).unwrap();
        looked.counters.filter(|counters| counters.packets >= 10)
    })
    .unwrap();
    // Pings of 98 bytes, which Open vSwitch in user space counts with the 50 of the tunnel.
    let mean = counters.bytes / counters.packets;
    assert!((60..=148).contains(&mean), "{counters:?}");
    assert!(counters.source_packets.unwrap() >= counters.packets, "{counters:?}");
    let removed = remove_own(&stage.driver, &case).await;
    assert!(removed[0].counters.unwrap().packets >= counters.packets);
}
