//! What a specification needs of a switch, for drivers: a plan for what cannot be done is never made, whatever the rules
//! said before.

use shared::mirror::{Capabilities, Encapsulation, MirrorSource, MirrorSpec, Needs, Transport};

/// The first that the switch cannot do.
#[must_use]
pub(super) fn lacking(spec: &MirrorSpec, can: &Capabilities) -> Option<Needs> {
    let transport = match &spec.transport {
        Transport::Span { .. } => (Needs::Span, can.span),
        Transport::RspanSource { .. } => (Needs::RspanSource, can.rspan_source),
        Transport::RspanDestination { .. } => (Needs::RspanDestination, can.rspan_destination),
        Transport::Erspan { version: Encapsulation::Gre, .. } => (Needs::Gre, can.gre),
        Transport::Erspan { version: Encapsulation::Erspan2, .. } => (Needs::Erspan2, can.erspan2),
        Transport::Erspan { version: Encapsulation::Erspan3, .. } => (Needs::Erspan3, can.erspan3),
        // Nothing makes one.
        Transport::Legacy => return None,
    };
    let netstack = matches!(&spec.transport, Transport::Erspan { netstack: Some(_), .. });
    let is_vlans = matches!(spec.source, MirrorSource::Vlans { .. });
    [
        transport,
        (Needs::VlanSource, can.vlan_source || !is_vlans),
        (Needs::VlanFilter, can.vlan_filter || spec.vlan_filter.is_empty()),
        (Needs::Snap, can.snap || spec.snap_bytes.is_none()),
        (Needs::Sampling, can.sampling || spec.sampling.is_none()),
        (Needs::Netstack, can.netstack || !netstack),
    ]
    .into_iter()
    .find_map(|(needs, can)| (!can).then_some(needs))
}

/// Of a port mirror, in the words of its specification.
#[must_use]
pub(super) const fn in_words(needs: Needs) -> &'static str {
    match needs {
        Needs::Span => "copies to a port (SPAN)",
        Needs::RspanSource => "copies into a VLAN (RSPAN)",
        Needs::RspanDestination => "copies out of a VLAN (RSPAN)",
        Needs::Gre => "copies in GRE",
        Needs::Erspan2 => "copies in ERSPAN II",
        Needs::Erspan3 => "copies in ERSPAN III",
        Needs::VlanSource => "VLANs as a source",
        Needs::VlanFilter => "a filter by VLAN",
        Needs::Snap => "copies that are cut",
        Needs::Sampling => "sampling",
        Needs::Netstack => "a network stack of its own",
    }
}
