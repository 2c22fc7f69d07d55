//! The 23 rules of port mirrors: a table of what passes and what is refused, and what holds for anything at all.

mod cases;
pub(crate) mod world;

use cases::Case;
use engine::mirror::{World, check, project};
use proptest::prelude::*;
use shared::mirror::{MirrorFinding, MirrorSpec, PortKind, Rule, Transport, Weight};
use std::fmt::Write as _;
use world::*;

fn spoiled(case: &Case) -> (MirrorSpec, World) {
    let (mut spec, mut world) = (spec(), world());
    (case.change)(&mut spec, &mut world);
    (spec, world)
}

/// The kind of a finding, with a `?` if it only warns.
fn kind(finding: &MirrorFinding) -> String {
    let about = serde_json::to_value(&finding.about).unwrap();
    let sign = if finding.weight == Weight::Warns { "?" } else { "" };
    format!("{}{sign}", about["kind"].as_str().unwrap())
}

fn code(rule: Rule) -> String {
    serde_json::to_value(rule).unwrap().as_str().unwrap().to_owned()
}

#[test]
fn nothing_speaks_against_a_good_mirror() {
    assert_eq!(check(&spec(), &world()), []);
    let projected = project(&spec(), &world()).expect("all of it is known");
    assert_eq!((projected.copied_bps, projected.room_bps), (3_000_000, Some(1_000_000_000)));
}

#[test]
fn each_rule_passes_and_refuses() {
    let mut table = "rule | passes | refused with | code\n".to_owned();
    for rule in Rule::ALL {
        let cases: Vec<Case> = cases::all().into_iter().filter(|case| case.rule == rule).collect();
        for case in &cases {
            let (spec, world) = spoiled(case);
            let said: Vec<String> =
                check(&spec, &world).iter().filter(|finding| finding.rule == rule).map(kind).collect();
            assert_eq!(said, case.says, "{} {}", code(rule), case.what);
            let (passes, refused) = match case.says {
                [] => (case.what, String::new()),
                says => ("", format!("{}: {}", case.what, says.join(", "))),
            };
            writeln!(table, "{rule:?} | {passes} | {refused} | {}", code(rule)).unwrap();
        }
        assert!(cases.iter().any(|it| it.says.is_empty()), "{rule:?}: no case passes");
        assert!(cases.iter().any(|it| !it.says.is_empty()), "{rule:?}: no case is refused");
    }
    println!("{table}");
}

#[test]
fn what_somebody_has_still_to_fill_in_is_one_finding() {
    for case in cases::half_typed() {
        let (spec, world) = spoiled(&case);
        let blocks: Vec<(Rule, String)> = check(&spec, &world)
            .iter()
            .filter(|finding| finding.weight == Weight::Blocks)
            .map(|finding| (finding.rule, kind(finding)))
            .collect();
        assert_eq!(blocks, [(case.rule, case.says[0].to_owned())], "{}", case.what);
    }
}

#[test]
fn a_port_is_compared_by_its_whole_name() {
    for (key, taken) in [("Ethernet4", true), ("Ethernet44", false), ("Ethernet", false), ("ethernet4", false)] {
        let (mut spec, mut world) = (spec(), world());
        port(&mut world, "vnet9").key = "Ethernet4".into();
        spec.transport = Transport::Span { port: "Ethernet4".into() };
        let mut session = foreign("theirs");
        session.ports.push(key.into());
        switch(&mut world).sessions.push(session);
        let said = check(&spec, &world).iter().any(|it| it.rule == Rule::DestinationTaken);
        assert_eq!(said, taken, "{key}");
    }
}

#[test]
fn a_finding_names_a_field_of_the_specification() {
    let known = ["", "switch", "backend", "source", "transport", "vlan_filter", "starts_at", "expires_at", "reason"];
    let more = ["incident", "snap_bytes", "sampling", "keep_normal_traffic"];
    for case in cases::all() {
        let (spec, world) = spoiled(&case);
        for finding in check(&spec, &world) {
            let field = finding.path.split(['.', '[']).next().unwrap();
            assert!(known.contains(&field) || more.contains(&field), "{finding:?}");
        }
    }
}

/// Several changes one after the other, each of any case.
fn anything() -> impl Strategy<Value = (MirrorSpec, World)> {
    let numbers = (any::<u32>(), any::<u16>(), any::<i64>(), any::<u64>(), any::<i64>());
    (proptest::collection::vec(any::<prop::sample::Index>(), 0..8), numbers, any::<bool>()).prop_map(
        |(changes, (session, vlan, ms, bps, drift), wild)| {
            let (mut spec, mut world) = (spec(), world());
            let cases = cases::all();
            for change in changes {
                (cases[change.index(cases.len())].change)(&mut spec, &mut world);
            }
            if wild {
                match &mut spec.transport {
                    Transport::Erspan { session: number, .. } => *number = session,
                    Transport::RspanSource { vlan: number, .. } => *number = vlan,
                    _ => {}
                }
                spec.snap_bytes = Some(session);
                spec.expires_at = Some(shared::Timestamp::from_ms(ms));
                spec.starts_at = Some(shared::Timestamp::from_ms(drift));
                world.store_drift_ms = drift;
                for port in world.switch.iter_mut().flat_map(|view| &mut view.ports) {
                    (port.from_vm_bps, port.to_vm_bps) = (Some(bps), Some(bps));
                    (port.speed_mbps, port.mtu, port.vlan) = (Some(session), Some(session), Some(vlan));
                }
            }
            (spec, world)
        },
    )
}

proptest! {
    #[test]
    fn any_specification_is_checked_in_the_rules_order_and_always_alike((spec, world) in anything()) {
        let findings = check(&spec, &world);
        prop_assert!(findings.iter().map(|it| it.rule).is_sorted(), "{findings:?}");
        prop_assert_eq!(&check(&spec, &world), &findings);
        prop_assert!(project(&spec, &world).is_none_or(|it| it.room_bps != Some(u64::MAX)));
    }

    #[test]
    fn a_foreign_session_never_makes_a_mirror_more_welcome(
        (spec, world) in anything(),
        holds in proptest::collection::vec(0_usize..7, 0..4),
        (all_ports, number, vlan) in (any::<bool>(), 0_u32..8, 898_u16..902),
    ) {
        let before = check(&spec, &world);
        let mut after = world;
        if let Some(view) = &mut after.switch {
            let mut session = foreign("theirs");
            session.all_ports = all_ports;
            for (i, at) in holds.iter().enumerate() {
                let key = view.ports[*at].key.clone();
                [&mut session.from_vm, &mut session.to_vm, &mut session.ports][i % 3].push(key);
            }
            session.output_vlan = Some(vlan);
            session.tunnel = Some(shared::mirror::TunnelEnd { remote: collector_ip(), session: Some(number) });
            view.sessions.push(session);
        }
        let after = check(&spec, &after);
        // The name of who was first may be another's by then; what is said stays said.
        let is_said = |it: &MirrorFinding| after.iter().any(|now| {
            (now.rule, &now.weight, &now.path, kind(now)) == (it.rule, &it.weight, &it.path, kind(it))
        });
        for finding in before.iter().filter(|it| it.rule != Rule::Quota) {
            prop_assert!(is_said(finding), "{finding:?} is gone: {after:?}");
        }
        let quota = |all: &[MirrorFinding]| all.iter().filter(|it| it.rule == Rule::Quota).count();
        prop_assert!(quota(&before) <= quota(&after));
    }

    #[test]
    fn no_wire_tunnel_or_door_is_ever_a_source((mut spec, mut world) in anything(), key in "vnet1|vnet2") {
        let Some(view) = &mut world.switch else { return Ok(()) };
        let kinds = [PortKind::Uplink, PortKind::Tunnel, PortKind::Host, PortKind::Patch];
        for (i, port) in view.ports.iter_mut().filter(|port| port.key == key).enumerate() {
            port.kind = kinds[i % kinds.len()];
        }
        spec.source = shared::mirror::MirrorSource::Nics { macs: vec![if key == "vnet1" { WEB01 } else { WEB02 }] };
        let blocked = check(&spec, &world).iter().any(|it| it.weight == Weight::Blocks);
        prop_assert!(blocked);
    }
}

/// What is wrong, and what mends it.
type Mend = (&'static str, fn(&mut MirrorSpec, &mut World));

#[test]
fn what_blocks_is_gone_when_it_is_mended() {
    let mends: [Mend; 16] = [
        ("no_expiry", |s, _| s.expires_at = Some(NOW.plus_ms(60_000))),
        ("expiry_too_late", |s, w| s.expires_at = Some(w.now.after(w.mode.longest))),
        ("source_old", |_, w| source(w).seen_at = NOW),
        ("source_ambiguous", |_, w| w.sources[0].1.truncate(1)),
        ("own_destination", |s, _| {
            s.source = shared::mirror::MirrorSource::Nics { macs: vec![WEB01] };
            span(s);
        }),
        ("destination_of", |_, w| {
            w.mirrors.clear();
            switch(w).sessions.clear();
        }),
        ("not_a_collector", |s, w| {
            let Transport::Span { port } = &s.transport else { panic!("SPAN is meant") };
            (collector(w).port, collector(w).switch) = (Some(port.clone()), None);
        }),
        ("normal_traffic", |s, _| s.keep_normal_traffic = false),
        ("collector_unknown", |s, w| {
            let Transport::Erspan { remote, .. } = s.transport else { panic!("a tunnel is meant") };
            collector(w).ip = Some(remote);
        }),
        ("collector_not_yours", |_, w| collector(w).accounts.push("li".into())),
        ("session_taken", |s, _| s.transport = erspan(collector_ip(), 999)),
        ("snap_in_tunnel", |s, _| s.snap_bytes = None),
        ("too_many_on_switch", |_, w| {
            switch(w).sessions.clear();
            w.mirrors.clear();
        }),
        ("other_hypervisor", |s, _| s.transport = erspan(collector_ip(), 5)),
        ("too_much", |s, w| {
            s.sampling = Some(1_000);
            w.mirrors.clear();
            port(w, "eth0").to_vm_bps = None;
        }),
        ("no_reason", |s, _| s.reason = "resets".into()),
    ];
    for (wrong, mend) in mends {
        let mut mended = 0;
        for case in cases::all().iter().filter(|case| case.says.contains(&wrong)) {
            let (mut spec, mut world) = spoiled(case);
            mend(&mut spec, &mut world);
            let left = check(&spec, &world);
            assert!(!left.iter().any(|it| kind(it) == wrong), "{}: {left:?}", case.what);
            mended += 1;
        }
        assert!(mended > 0, "no case is refused with {wrong}");
    }
}
