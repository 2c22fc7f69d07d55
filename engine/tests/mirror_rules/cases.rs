//! For each rule what passes and what is refused.

use super::world::*;
use engine::mirror::World;
use shared::{
    inventory::Power,
    mirror::{
        BackendKind, Direction, Egress, Encapsulation, MirrorSource, MirrorSpec, MirrorState, PortKind, Rule,
        Transport, TunnelEnd,
    },
    net::Mac,
};
use std::net::IpAddr;

/// Something that makes a difference to one rule.
pub(crate) struct Case {
    pub(crate) rule: Rule,
    pub(crate) what: &'static str,
    pub(crate) change: fn(&mut MirrorSpec, &mut World),
    /// The kinds of its findings; those that only warn have a `?`. None: it passes.
    pub(crate) says: &'static [&'static str],
}

const fn case(
    rule: Rule,
    what: &'static str,
    says: &'static [&'static str],
    change: fn(&mut MirrorSpec, &mut World),
) -> Case {
    Case { rule, what, change, says }
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn to(spec: &mut MirrorSpec, address: &str) {
    spec.transport = erspan(ip(address), 5);
}

/// Another mirror of ours, of web02.
fn other(transport: Transport) -> MirrorSpec {
    MirrorSpec { source: MirrorSource::Nics { macs: vec![WEB02] }, transport, ..spec() }
}

fn span_to(port: &str) -> Transport {
    Transport::Span { port: port.into() }
}

fn tunnel(spec: &mut MirrorSpec, how: impl Fn(&mut Encapsulation, &mut Option<u8>, &mut bool, &mut Option<String>)) {
    if let Transport::Erspan { version, cos, nanoseconds, netstack, .. } = &mut spec.transport {
        how(version, cos, nanoseconds, netstack);
    }
}

fn number(spec: &mut MirrorSpec, number: u32) {
    spec.transport = erspan(collector_ip(), number);
}

pub(crate) fn all() -> Vec<Case> {
    [time_and_source(), destination(), way(), switch_and_people()].into_iter().flatten().collect()
}

// tidy: long because it is a table
fn time_and_source() -> Vec<Case> {
    use Rule::{Clock, Expiry, SourceKind, SourceKnown, Unsettled};
    vec![
        case(Expiry, "30 min from now", &[], |_, _| {}),
        case(Expiry, "4 h, the longest", &[], |s, _| s.expires_at = Some(NOW.plus_ms(14_400_000))),
        case(Expiry, "begins in an hour, 4 h from then", &[], |s, _| {
            s.starts_at = Some(NOW.plus_ms(3_600_000));
            s.expires_at = Some(NOW.plus_ms(18_000_000));
        }),
        case(Expiry, "no end", &["no_expiry"], |s, _| s.expires_at = None),
        case(Expiry, "the end is now", &["expiry_past"], |s, _| s.expires_at = Some(NOW)),
        case(Expiry, "ends before it begins", &["expiry_past"], |s, _| s.starts_at = Some(NOW.plus_ms(3_600_000))),
        case(Expiry, "1 ms more than 4 h", &["expiry_too_late"], |s, _| s.expires_at = Some(NOW.plus_ms(14_400_001))),
        case(Expiry, "began long ago, 4 h from now", &["expiry_too_late"], |s, _| {
            s.starts_at = Some(NOW.plus_ms(-1_000_000_000));
            s.expires_at = Some(NOW.plus_ms(14_400_001));
        }),
        case(Expiry, "begins in more than an hour", &["start_too_late"], |s, _| {
            s.starts_at = Some(NOW.plus_ms(3_600_001));
            s.expires_at = Some(NOW.plus_ms(4_000_000));
        }),
        case(SourceKnown, "one machine, seen 5 s ago", &[], |_, _| {}),
        case(SourceKnown, "two machines of one switch", &[], |s, _| {
            s.source = MirrorSource::Nics { macs: vec![WEB01, WEB02] };
        }),
        case(SourceKnown, "nothing chosen", &["no_source"], |s, _| s.source = MirrorSource::default()),
        case(SourceKnown, "no VLAN chosen", &["no_source"], |s, _| vlans(s, &[])),
        case(SourceKnown, "65 VLANs", &["too_many_sources"], |s, _| vlans(s, &[42; 65])),
        case(SourceKnown, "nobody has the address", &["source_unknown"], |_, w| w.sources.clear()),
        case(SourceKnown, "two machines have the address", &["source_ambiguous"], |_, w| {
            source(w);
            w.sources[0].1.push(machine(WEB01, "clone", "vnet2"));
        }),
        case(SourceKnown, "seen 61 s ago", &["source_old"], |_, w| source(w).seen_at = NOW.plus_ms(-61_000)),
        case(SourceKnown, "no port known", &["source_unplugged"], |_, w| source(w).port = None),
        case(SourceKnown, "no switch known", &["source_unplugged"], |_, w| source(w).switch = None),
        case(SourceKnown, "the port is gone (vnet1 is not vnet11)", &["source_unplugged"], |_, w| {
            port(w, "vnet1").key = "vnet11".into();
        }),
        case(SourceKnown, "the port is another's by now", &["port_of_another"], |_, w| {
            port(w, "vnet1").mac = Some(WEB02);
        }),
        case(SourceKnown, "on another switch", &["source_elsewhere"], |_, w| {
            source(w).switch = Some("kvm-2/br0".into())
        }),
        case(SourceKnown, "listed twice", &["source_twice"], |s, _| {
            s.source = MirrorSource::Nics { macs: vec![WEB01, WEB01] };
        }),
        case(SourceKind, "a machine's port", &[], |_, _| {}),
        case(SourceKind, "a port of unknown kind with the machine's address", &[], |_, w| {
            port(w, "vnet1").kind = PortKind::Unknown;
        }),
        case(SourceKind, "the VLAN of machines only", &[], |s, _| vlans(s, &[42])),
        case(SourceKind, "what RSPAN brings over the uplink", &[], |s, w| {
            rspan_end(s);
            port(w, "eth0").vlan = Some(900);
        }),
        case(SourceKind, "a port of which nobody knows what it is", &["not_a_machine"], |_, w| {
            (port(w, "vnet1").kind, port(w, "vnet1").mac) = (PortKind::Unknown, None);
        }),
        case(SourceKind, "an uplink", &["not_a_machine"], |_, w| port(w, "vnet1").kind = PortKind::Uplink),
        case(SourceKind, "a tunnel", &["not_a_machine"], |_, w| port(w, "vnet1").kind = PortKind::Tunnel),
        case(SourceKind, "the host's own port", &["not_a_machine"], |_, w| port(w, "vnet1").kind = PortKind::Host),
        case(SourceKind, "a wire between bridges", &["not_a_machine"], |_, w| port(w, "vnet1").kind = PortKind::Patch),
        case(SourceKind, "a VLAN with an uplink in it", &["not_a_machine"], |s, w| {
            vlans(s, &[42]);
            port(w, "eth0").vlan = Some(42);
        }),
        case(Unsettled, "nothing else goes on", &[], |_, _| {}),
        case(Unsettled, "another machine is mirrored", &[], |_, w| add(w, ours(1, "wang", other(span_to("vnet9"))))),
        case(Unsettled, "somebody copies the port", &["already_mirrored?"], |_, w| {
            let mut session = foreign("theirs");
            session.from_vm.push("vnet1".into());
            switch(w).sessions.push(session);
        }),
        case(Unsettled, "somebody copies every port", &["already_mirrored?"], |_, w| {
            let mut session = foreign("theirs");
            session.all_ports = true;
            switch(w).sessions.push(session);
        }),
        case(Unsettled, "it moves", &["moving?"], |_, w| source(w).moving = true),
        case(Unsettled, "it is off", &["asleep?"], |_, w| source(w).power = Power::Off),
        case(Clock, "29.999 s apart", &[], |_, w| {
            w.store_drift_ms = -29_999;
            switch(w).clock_drift_ms = Some(29_999);
        }),
        case(Clock, "the switch does not tell the time", &[], |_, w| switch(w).clock_drift_ms = None),
        case(Clock, "the store is 30 s behind", &["clocks_differ"], |_, w| w.store_drift_ms = -30_000),
        case(Clock, "the switch is 30 s ahead", &["clocks_differ"], |_, w| switch(w).clock_drift_ms = Some(30_000)),
        case(Clock, "farther apart than numbers go", &["clocks_differ"], |_, w| w.store_drift_ms = i64::MIN),
    ]
}

// tidy: long because it is a table
fn destination() -> Vec<Case> {
    use Rule::{DestinationMarked, DestinationTaken, Ephemeral, Promiscuous, SameHypervisor, SameSession};
    vec![
        case(SameSession, "SPAN to another port", &[], |s, _| span(s)),
        case(SameSession, "vnet11 beside vnet1: whole names count", &[], |s, w| {
            port(w, "vnet9").key = "vnet11".into();
            s.transport = span_to("vnet11");
        }),
        case(SameSession, "SPAN to the source", &["own_destination"], |s, _| s.transport = span_to("vnet1")),
        case(SameSession, "SPAN to a port of the mirrored VLAN", &["own_destination"], |s, _| {
            vlans(s, &[77]);
            span(s);
        }),
        case(SameSession, "RSPAN into the mirrored VLAN", &["own_vlan"], |s, _| {
            vlans(s, &[900]);
            rspan(s, 900);
        }),
        case(DestinationTaken, "a port that nobody uses", &[], |s, _| span(s)),
        case(DestinationTaken, "another mirror to another port", &[], |s, w| {
            span(s);
            add(w, ours(1, "wang", other(span_to("vnet99"))));
        }),
        case(DestinationTaken, "the same name on another switch", &[], |s, w| {
            span(s);
            let mut mirror = ours(1, "wang", other(span_to("vnet9")));
            mirror.plan.switch = "kvm-2/br0".into();
            add(w, mirror);
        }),
        case(DestinationTaken, "somebody copies what the destination sends", &[], |s, w| {
            span(s);
            let mut session = foreign("theirs");
            session.from_vm.push("vnet9".into());
            switch(w).sessions.push(session);
        }),
        case(DestinationTaken, "ours goes there", &["destination_of"], |s, w| {
            span(s);
            add(w, ours(1, "wang", other(span_to("vnet9"))));
        }),
        case(DestinationTaken, "ours went there and is not proved to be over", &["destination_of"], |s, w| {
            span(s);
            let mut mirror = ours(1, "wang", other(span_to("vnet9")));
            mirror.state = MirrorState::Stopped;
            add(w, mirror);
        }),
        case(DestinationTaken, "a foreign one goes there", &["destination_of"], |s, w| {
            span(s);
            let mut session = foreign("theirs");
            session.ports.push("vnet9".into());
            switch(w).sessions.push(session);
        }),
        case(DestinationTaken, "what it is sent is copied", &["source_of"], |s, w| {
            span(s);
            let mut session = foreign("theirs");
            session.to_vm.push("vnet9".into());
            switch(w).sessions.push(session);
        }),
        case(DestinationTaken, "copies come out at the source", &["destination_of"], |_, w| {
            add(w, ours(1, "wang", other(span_to("vnet1"))));
        }),
        case(DestinationTaken, "copies come out at the source, which is copied only from", &[], |s, w| {
            s.direction = Direction::FromVm;
            add(w, ours(1, "wang", other(span_to("vnet1"))));
        }),
        case(DestinationTaken, "another's VLAN of RSPAN", &["vlan_of"], |s, w| {
            rspan(s, 900);
            let mut other = other(erspan(collector_ip(), 6));
            rspan(&mut other, 900);
            add(w, ours(1, "wang", other));
        }),
        case(Promiscuous, "no port is", &[], |s, w| {
            span(s);
            port(w, "vnet1").promiscuous = Some(false);
        }),
        case(Promiscuous, "the source is, and only what it sends is copied", &[], |s, w| {
            s.direction = Direction::FromVm;
            port(w, "vnet1").promiscuous = Some(true);
        }),
        case(Promiscuous, "the destination is", &["promiscuous_port"], |s, w| {
            span(s);
            port(w, "vnet9").promiscuous = Some(true);
        }),
        case(Promiscuous, "the source is, and what it is sent is copied", &["promiscuous_port"], |s, w| {
            s.direction = Direction::ToVm;
            port(w, "vnet1").promiscuous = Some(true);
        }),
        case(Ephemeral, "a port that stays", &[], |s, _| span(s)),
        case(Ephemeral, "a port that goes with its machine", &["ephemeral_group"], |s, w| {
            span(s);
            port(w, "vnet9").ephemeral = true;
        }),
        case(DestinationMarked, "the collector's port", &[], |s, _| span(s)),
        case(DestinationMarked, "a machine's port", &["not_a_collector"], |s, _| s.transport = span_to("vnet2")),
        case(DestinationMarked, "a port of the same name elsewhere", &["not_a_collector"], |s, w| {
            span(s);
            collector(w).switch = Some("kvm-2/br0".into());
        }),
        case(DestinationMarked, "no such port", &["no_such_port"], |s, _| s.transport = span_to("vnet99")),
        case(DestinationMarked, "not chosen yet", &["no_such_port"], |s, _| s.transport = span_to("")),
        case(DestinationMarked, "it is to go on as before", &["normal_traffic"], |s, _| {
            span(s);
            s.keep_normal_traffic = true;
        }),
        case(SameHypervisor, "both on kvm-1", &[], |s, _| span(s)),
        case(SameHypervisor, "a switch whose copies travel", &[], |s, w| {
            span(s);
            switch(w).can.same_hypervisor = false;
            port(w, "vnet9").hypervisor = Some("kvm-2".into());
        }),
        case(SameHypervisor, "a tunnel", &[], |_, w| port(w, "vnet9").hypervisor = Some("kvm-2".into())),
        case(SameHypervisor, "on two", &["other_hypervisor"], |s, w| {
            span(s);
            port(w, "vnet9").hypervisor = Some("kvm-2".into());
        }),
        case(SameHypervisor, "nobody knows where", &["hypervisor_unknown"], |s, w| {
            span(s);
            port(w, "vnet9").hypervisor = None;
        }),
    ]
}

// tidy: long because it is a table
fn way() -> Vec<Case> {
    use Rule::{CollectorAllowed, Loop, Mtu, RspanVlan, TunnelFields};
    vec![
        case(Loop, "through the bridge's uplink, from a machine's port", &[], |_, _| {}),
        case(Loop, "through another device", &[], |_, w| {
            switch(w).routes.insert(collector_ip(), Egress::Elsewhere { device: "eth7".into() });
        }),
        case(Loop, "a distributed switch, which does not say", &[], |_, w| {
            switch(w).routes.clear();
            switch(w).kind = BackendKind::Vsphere;
        }),
        case(Loop, "nobody knows the way", &["route_unknown?"], |_, w| switch(w).routes.clear()),
        case(Loop, "nobody knows the way, and VLANs are copied", &["route_unknown"], |s, w| {
            vlans(s, &[42]);
            switch(w).routes.clear();
        }),
        case(Loop, "through the source", &["leaves_through_source"], |_, w| {
            switch(w).routes.insert(collector_ip(), Egress::Port { port: "vnet1".into() });
        }),
        case(Loop, "through the bridge whose VLANs are copied", &["leaves_through_switch"], |s, _| vlans(s, &[42])),
        case(Loop, "no way", &["no_route"], |_, w| drop(switch(w).routes.insert(collector_ip(), Egress::Nowhere))),
        case(Loop, "to the source itself", &["sources_own_address"], |_, w| source(w).ips.push(ip("::ffff:10.77.9.5"))),
        case(CollectorAllowed, "a collector", &[], |_, _| {}),
        case(CollectorAllowed, "written as IPv6", &[], |s, _| to(s, "::ffff:10.77.9.5")),
        case(CollectorAllowed, "one that may be sent to by name", &[], |_, w| {
            collector(w).accounts = vec!["li".into()]
        }),
        case(CollectorAllowed, "a public one that is allowed", &[], |s, w| {
            to(s, "8.8.8.8");
            (collector(w).ip, collector(w).public) = (Some(ip("8.8.8.8")), true);
        }),
        case(CollectorAllowed, "no collector", &["collector_unknown"], |s, _| to(s, "10.77.9.6")),
        case(CollectorAllowed, "not chosen yet", &["collector_address"], |s, _| to(s, "0.0.0.0")),
        case(CollectorAllowed, "loopback, though configured", &["collector_address"], |s, w| {
            to(s, "127.0.0.1");
            collector(w).ip = Some(ip("127.0.0.1"));
        }),
        case(CollectorAllowed, "multicast, though configured", &["collector_address"], |s, w| {
            to(s, "ff02::1");
            (collector(w).ip, collector(w).public) = (Some(ip("ff02::1")), true);
        }),
        case(CollectorAllowed, "broadcast, though configured", &["collector_address"], |s, w| {
            to(s, "255.255.255.255");
            (collector(w).ip, collector(w).public) = (Some(ip("255.255.255.255")), true);
        }),
        case(CollectorAllowed, "of the Internet", &["collector_address"], |s, w| {
            to(s, "2600::1");
            collector(w).ip = Some(ip("2600::1"));
        }),
        case(CollectorAllowed, "another's collector", &["collector_not_yours"], |_, w| {
            collector(w).accounts = vec!["wang".into(), "li2".into()];
        }),
        case(CollectorAllowed, "another's collector by its port", &["collector_not_yours"], |s, w| {
            span(s);
            collector(w).accounts = vec!["wang".into()];
        }),
        case(CollectorAllowed, "a VLAN of no collector", &["vlan_no_collectors"], |s, _| rspan(s, 901)),
        case(TunnelFields, "1023", &[], |s, _| number(s, 1_023)),
        case(TunnelFields, "a foreign one at another collector", &[], |_, w| {
            let mut session = foreign("theirs");
            session.tunnel = Some(TunnelEnd { remote: ip("10.77.9.6"), session: Some(5) });
            switch(w).sessions.push(session);
        }),
        case(TunnelFields, "its own row, looked at again", &[], |s, w| {
            let mirror = ours(1, "li", s.clone());
            switch(w).sessions.push(observed(&mirror, INSTANCE));
            (w.except, w.mirrors) = (Some(mirror.id), vec![mirror.into()]);
        }),
        case(TunnelFields, "the same number of another Tocsin's", &["session_taken"], |s, w| {
            let mirror = ours(1, "li", s.clone());
            switch(w).sessions.push(observed(&mirror, "cd34"));
            w.except = Some(mirror.id);
        }),
        case(TunnelFields, "1024", &["session_too_large"], |s, _| number(s, 1_024)),
        case(TunnelFields, "GRE with the key of ours on another switch", &["session_taken"], |s, w| {
            let mut mirror = ours(1, "wang", other(erspan(collector_ip(), 5)));
            mirror.plan.switch = "kvm-2/br0".into();
            add(w, mirror);
            tunnel(s, |version, _, _, _| *version = Encapsulation::Gre);
        }),
        case(TunnelFields, "the number of a foreign one", &["session_taken"], |_, w| {
            let mut session = foreign("theirs");
            session.tunnel = Some(TunnelEnd { remote: collector_ip(), session: Some(5) });
            switch(w).sessions.push(session);
        }),
        case(TunnelFields, "class 8", &["cos_too_large"], |s, _| tunnel(s, |_, cos, _, _| *cos = Some(8))),
        case(TunnelFields, "nanoseconds in type II", &["nanoseconds_need_iii"], |s, _| {
            tunnel(s, |_, _, nanoseconds, _| *nanoseconds = true);
        }),
        case(TunnelFields, "nanoseconds in type III", &[], |s, _| {
            tunnel(s, |version, _, nanoseconds, _| (*version, *nanoseconds) = (Encapsulation::Erspan3, true));
        }),
        case(TunnelFields, "a stack without a name", &["netstack_empty"], |s, _| {
            tunnel(s, |_, _, _, netstack| *netstack = Some(" ".into()));
        }),
        case(RspanVlan, "a VLAN of its own", &[], |s, _| rspan(s, 900)),
        case(RspanVlan, "the collector's own port is in it", &[], |s, w| {
            rspan(s, 900);
            port(w, "vnet9").vlan = Some(900);
        }),
        case(RspanVlan, "none", &["vlan_out_of_range"], |s, _| rspan(s, 0)),
        case(RspanVlan, "4095", &["vlan_out_of_range"], |s, _| rspan(s, 4_095)),
        case(RspanVlan, "reserved", &["vlan_reserved"], |s, _| rspan(s, 10)),
        case(RspanVlan, "a reserved one as source", &["vlan_reserved"], |s, _| vlans(s, &[10])),
        case(RspanVlan, "a filter that is no VLAN", &["vlan_out_of_range"], |s, _| s.vlan_filter = vec![42, 4_096]),
        case(RspanVlan, "machines are in it", &["vlan_used"], |s, _| rspan(s, 42)),
        case(RspanVlan, "the uplink's own", &["vlan_used"], |s, w| {
            rspan(s, 900);
            port(w, "eth0").vlan = Some(900);
        }),
        case(RspanVlan, "a distributed switch without an uplink", &["no_uplink"], |s, w| {
            rspan(s, 900);
            switch(w).kind = BackendKind::Vsphere;
        }),
        case(Mtu, "1600 on the way", &[], |_, _| {}),
        case(Mtu, "cut to 128 bytes", &[], |s, w| {
            s.snap_bytes = Some(128);
            collector(w).mtu = Some(1_500);
        }),
        case(Mtu, "1550, as ERSPAN II needs", &[], |_, w| collector(w).mtu = Some(1_550)),
        case(Mtu, "a byte less", &["too_long?"], |_, w| collector(w).mtu = Some(1_549)),
        case(Mtu, "1500 on the way", &["too_long?"], |_, w| collector(w).mtu = Some(1_500)),
        case(Mtu, "nobody knows the way's", &["too_long?"], |_, w| {
            collector(w).mtu = None;
            port(w, "eth0").mtu = None;
        }),
        case(Mtu, "larger packets than the destination's", &["too_long?"], |s, w| {
            span(s);
            port(w, "vnet1").mtu = Some(9_000);
        }),
    ]
}

// tidy: long because it is a table
fn switch_and_people() -> Vec<Case> {
    use Rule::{Accountable, Bandwidth, Capability, Quota, Revalidation, Sampling, Snap};
    vec![
        case(Snap, "SPAN of 64 bytes", &[], |s, _| {
            span(s);
            s.snap_bytes = Some(64);
        }),
        case(Snap, "13 bytes", &["snap_out_of_range"], |s, _| {
            span(s);
            s.snap_bytes = Some(13);
        }),
        case(Snap, "59 bytes of a distributed switch", &["snap_out_of_range"], |s, w| {
            s.snap_bytes = Some(59);
            (switch(w).kind, switch(w).can.snap_least) = (BackendKind::Vsphere, 60);
        }),
        case(Snap, "a tunnel on Open vSwitch", &["snap_in_tunnel"], |s, _| s.snap_bytes = Some(128)),
        case(Sampling, "one of 65535", &[], |s, _| s.sampling = Some(65_535)),
        case(Sampling, "one of none", &["sampling_out_of_range"], |s, _| s.sampling = Some(0)),
        case(Sampling, "one of 65536", &["sampling_out_of_range"], |s, _| s.sampling = Some(65_536)),
        case(Capability, "all of it", &[], |s, _| (s.sampling, s.vlan_filter) = (Some(2), vec![42])),
        case(Capability, "the end of RSPAN needs no VLANs as source", &[], |s, w| {
            rspan_end(s);
            switch(w).can.vlan_source = false;
        }),
        case(Capability, "no SPAN", &["cannot_do"], |s, w| {
            span(s);
            switch(w).can.span = false;
        }),
        case(Capability, "no ERSPAN II", &["cannot_do"], |_, w| switch(w).can.erspan2 = false),
        case(Capability, "no RSPAN", &["cannot_do"], |s, w| {
            rspan(s, 900);
            switch(w).can.rspan_source = false;
        }),
        case(
            Capability,
            "neither sampling nor a filter nor a stack",
            &["cannot_do", "cannot_do", "cannot_do"],
            |s, w| {
                (s.sampling, s.vlan_filter) = (Some(2), vec![42]);
                tunnel(s, |_, _, _, netstack| *netstack = Some("mirror".into()));
                let can = &mut switch(w).can;
                (can.sampling, can.vlan_filter, can.netstack) = (false, false, false);
            },
        ),
        case(Capability, "no VLANs as source", &["cannot_do"], |s, w| {
            vlans(s, &[42]);
            switch(w).can.vlan_source = false;
        }),
        case(Capability, "a machine as the source of what RSPAN brings", &["source_and_transport"], |s, _| {
            s.transport = Transport::RspanDestination { port: "vnet9".into() };
        }),
        case(Capability, "VLANs of a distributed switch in a tunnel", &["source_and_transport"], |s, w| {
            vlans(s, &[42]);
            switch(w).kind = BackendKind::Vsphere;
        }),
        case(Capability, "as before vSphere 5.1", &["legacy_is_read_only"], |s, _| s.transport = Transport::Legacy),
        case(Capability, "the switch does not answer", &["switch_unknown"], |_, w| w.switch = None),
        case(Capability, "a paused backend", &["paused"], |_, w| rules(w).backends[0].paused = true),
        case(Quota, "31 foreign sessions of 32", &[], |_, w| switch(w).sessions = vec![foreign("theirs"); 31]),
        case(Quota, "two of mine", &[], |_, w| (1..=2).for_each(|id| add(w, ours(id, "li", other(span_to("vnet5")))))),
        case(Quota, "32 foreign sessions", &["too_many_on_switch"], |_, w| {
            switch(w).sessions = vec![foreign("theirs"); 32];
        }),
        case(Quota, "31 foreign sessions, and ours on its way", &["too_many_on_switch"], |_, w| {
            switch(w).sessions = vec![foreign("theirs"); 31];
            add(w, ours(1, "wang", other(span_to("vnet5"))));
        }),
        case(Quota, "30 foreign sessions, and ours among them", &[], |_, w| {
            let mirror = ours(1, "wang", other(span_to("vnet5")));
            switch(w).sessions = vec![foreign("theirs"); 30];
            switch(w).sessions.push(observed(&mirror, INSTANCE));
            add(w, mirror);
        }),
        case(Quota, "as many as the backend says", &["too_many_on_switch"], |_, w| {
            switch(w).can.sessions_most = 0;
            rules(w).backends[0].sessions = Some(1);
            switch(w).sessions.push(foreign("theirs"));
        }),
        case(Quota, "8 of ours on one switch", &["too_many_on_switch"], |_, w| {
            (1..=8).for_each(|id| add(w, ours(id, &format!("p{id}"), other(span_to("vnet5")))));
        }),
        case(Quota, "three of mine, on any switch", &["too_many_of_person"], |_, w| {
            for id in 1..=3 {
                let mut mirror = ours(id, "li", other(span_to("vnet5")));
                mirror.plan.switch = format!("kvm-{}/br0", id + 1);
                add(w, mirror);
            }
        }),
        case(Quota, "the collector has two", &["too_many_at_collector"], |_, w| {
            for id in 1..=2 {
                add(w, ours(id, "wang", other(erspan(collector_ip(), 100 + id as u32))));
            }
        }),
        case(Bandwidth, "3 Mbit/s of 1 Gbit/s", &[], |_, _| {}),
        case(Bandwidth, "nothing to copy, and no room", &[], |_, w| {
            (port(w, "vnet1").from_vm_bps, port(w, "vnet1").to_vm_bps) = (Some(0), Some(0));
            collector(w).speed_mbps = Some(0);
        }),
        case(Bandwidth, "one of 1000 packets", &[], |s, w| {
            s.sampling = Some(1_000);
            port(w, "vnet1").to_vm_bps = Some(900_000_000);
        }),
        case(Bandwidth, "half of what is free", &["too_much?"], |s, w| {
            s.direction = Direction::ToVm;
            port(w, "vnet1").to_vm_bps = Some(500_000_000);
        }),
        case(Bandwidth, "four fifths of it", &["too_much"], |s, w| {
            s.direction = Direction::ToVm;
            port(w, "vnet1").to_vm_bps = Some(800_000_000);
        }),
        case(Bandwidth, "both ways together", &["too_much"], |_, w| {
            (port(w, "vnet1").from_vm_bps, port(w, "vnet1").to_vm_bps) = (Some(400_000_000), Some(400_000_000));
        }),
        case(Bandwidth, "a collector that has much to take already", &["too_much"], |_, w| {
            let mut mirror = ours(1, "wang", other(erspan(collector_ip(), 6)));
            mirror.evidence.bps = 997_000_000;
            add(w, mirror);
        }),
        case(Bandwidth, "a busy uplink", &["too_much"], |_, w| {
            port(w, "eth0").to_vm_bps = Some(9_998_000_000);
        }),
        case(Bandwidth, "nobody counts", &["rate_unknown?"], |_, w| port(w, "vnet1").to_vm_bps = None),
        case(Bandwidth, "nobody knows the speed", &["rate_unknown?"], |_, w| {
            collector(w).speed_mbps = None;
            port(w, "eth0").speed_mbps = None;
        }),
        case(Accountable, "a reason and an incident", &[], |_, _| {}),
        case(Accountable, "the VLAN of copies, where machines are sensitive", &[], |s, w| {
            rspan_end(s);
            rules(w).sensitive = vec!["tag=pci".into()];
        }),
        case(Accountable, "no reason", &["no_reason"], |s, _| s.reason = " \t".into()),
        case(Accountable, "no incident", &["no_incident"], |s, _| s.incident = None),
        case(Accountable, "a sensitive machine", &["second_person?"], |_, w| source(w).sensitive = true),
        case(Accountable, "a VLAN, where machines are sensitive", &["second_person?"], |s, w| {
            vlans(s, &[42]);
            rules(w).sensitive = vec!["tag=pci".into()];
        }),
        case(Revalidation, "3.3.4 looks again by itself", &[], |_, _| {}),
        case(Revalidation, "3.1.0 does not", &["must_revalidate?"], |_, w| switch(w).can.revalidates = false),
    ]
}

/// What is still missing while somebody types, with the one finding that blocks.
pub(crate) fn half_typed() -> Vec<Case> {
    use Rule::{CollectorAllowed, DestinationMarked, RspanVlan, SourceKnown};
    vec![
        case(SourceKnown, "no source, and the switch is not known for it", &["no_source"], |s, w| {
            (s.source, s.backend, s.switch) = (MirrorSource::default(), None, None);
            w.switch = None;
        }),
        case(SourceKnown, "an address that nobody has", &["source_unknown"], |s, w| {
            (s.backend, s.switch) = (None, None);
            s.source = MirrorSource::Nics { macs: vec![Mac([2, 0, 0, 0, 0, 9])] };
            w.switch = None;
        }),
        case(CollectorAllowed, "no collector", &["collector_address"], |s, _| s.transport = Transport::default()),
        case(DestinationMarked, "no port", &["no_such_port"], |s, _| s.transport = span_to("")),
        case(RspanVlan, "no VLAN", &["vlan_out_of_range"], |s, _| rspan(s, 0)),
    ]
}
