//! What a mirror is to be in the words of Open vSwitch: planned, sent, and compared with what is there, out of one place.

use crate::mirror::{
    Order,
    needs::{in_words, lacking},
};
use shared::{
    mirror::{
        Capabilities, Direction, Egress, Encapsulation, MIRROR_MARK, MirrorSource, MirrorSpec, MirrorTag, PortKind,
        SwitchView, Transport,
    },
    net::Mac,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    ops::RangeInclusive,
};

/// Mirrors that one bridge carries out. The next is accepted, and does nothing.
pub(in crate::mirror) const SESSIONS_MOST: u32 = 32;
/// What a copy can be cut to.
pub(in crate::mirror) const SNAP_BYTES: RangeInclusive<u32> = 14..=65_535;
const VLANS: RangeInclusive<u16> = 1..=4_094;
/// The longest name that Linux has for an interface.
pub(in crate::mirror) const NAME_BYTES: usize = 15;
/// Of the Tocsin's own name in that of a port; the rest is the mirror's number.
const INSTANCE_BYTES: usize = 5;

/// A mirror as rows. Ports are named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::mirror) struct Wanted {
    pub(in crate::mirror) name: String,
    pub(in crate::mirror) from: BTreeSet<String>,
    pub(in crate::mirror) to: BTreeSet<String>,
    /// The sources are VLANs, so the ports are those that the bridge had when it was planned.
    pub(in crate::mirror) any_port: bool,
    pub(in crate::mirror) vlans: BTreeSet<u16>,
    pub(in crate::mirror) output: Output,
    pub(in crate::mirror) snap: Option<u32>,
    /// That is made with the mirror, and removed with it in the same transaction.
    pub(in crate::mirror) own: Option<OwnPort>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::mirror) enum Output {
    /// A port that is there.
    Port(String),
    /// The own port.
    Tunnel,
    Vlan(u16),
}

/// A port of the mirror's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::mirror) struct OwnPort {
    pub(in crate::mirror) name: String,
    pub(in crate::mirror) kind: &'static str,
    pub(in crate::mirror) options: BTreeMap<String, String>,
}

impl Wanted {
    /// For the plan, with [`MIRROR_MARK`] where the number will stand.
    pub(in crate::mirror) fn planned(order: &Order<'_>, view: &SwitchView) -> Result<Self, String> {
        if let Transport::Erspan { remote, .. } = &order.spec.transport {
            match view.routes.get(remote) {
                Some(Egress::Port { port }) => {
                    return Err(format!(
                        "the way to {remote} is through {port} of the same bridge, so its copies could be copied; choose a \
                         collector that is reached another way"
                    ));
                }
                Some(Egress::Nowhere) => return Err(format!("the switch's host has no way to {remote}")),
                Some(Egress::Elsewhere { .. }) | None => {}
            }
        }
        let missing = |(_, port): &&(Mac, String)| view.port(port).is_none();
        if let Some((mac, port)) = order.sources.iter().find(missing) {
            return Err(format!("{} has no port {port} (of {mac})", view.name));
        }
        if let Transport::Span { port } | Transport::RspanDestination { port } = &order.spec.transport
            && view.port(port).is_none()
        {
            return Err(format!("{} has no port {port} to copy to", view.name));
        }
        may_be(order, &view.can)?;
        let ports = sources(order, view)?;
        Self::of(order, ports, view.can.revalidates, MIRROR_MARK)
    }

    /// For what is there. What may be planned does not matter any more: of ports and capabilities the switch may know
    /// nothing for a moment, as after its database was restarted.
    pub(in crate::mirror) fn there(order: &Order<'_>, revalidates: bool) -> Result<Self, String> {
        let ports = order.sources.iter().map(|(_, port)| port.clone()).collect();
        Self::of(order, ports, revalidates, &order.tag.mirror.to_string())
    }

    fn of(order: &Order<'_>, ports: BTreeSet<String>, revalidates: bool, number: &str) -> Result<Self, String> {
        let spec = order.spec;
        let own_name = own_port_name(order.tag, number);
        let (output, tunnel) = match &spec.transport {
            Transport::Span { port } | Transport::RspanDestination { port } => (Output::Port(port.clone()), None),
            Transport::RspanSource { vlan, .. } => (Output::Vlan(*vlan), None),
            Transport::Erspan { version, remote, session, .. } => {
                let is_to_vm = spec.direction == Direction::ToVm;
                (Output::Tunnel, Some(tunnel(*version, *remote, *session, is_to_vm, &own_name)))
            }
            Transport::Legacy => return Err("such sessions are shown only, and never made".into()),
        };
        let taken = |wanted: bool| if wanted { ports.clone() } else { BTreeSet::new() };
        let blind = || (!revalidates).then(|| blind_port(&own_name));
        let (any_port, vlans) = match &spec.source {
            MirrorSource::Vlans { vlans } => (true, vlans),
            MirrorSource::Nics { .. } => (false, &spec.vlan_filter),
        };
        Ok(Self {
            name: format!("tocsin-{}-{number}", order.tag.instance),
            from: taken(spec.direction.takes_from()),
            to: taken(spec.direction.takes_to()),
            any_port,
            vlans: vlans.iter().copied().collect(),
            output,
            snap: spec.snap_bytes,
            own: tunnel.or_else(blind),
        })
    }
}

/// Whether a specification can be meant for such a switch at all.
fn may_be(order: &Order<'_>, can: &Capabilities) -> Result<(), String> {
    let spec = order.spec;
    if let Some(needs) = lacking(spec, can) {
        return Err(format!("this switch cannot do {}; choose another way or another switch", in_words(needs)));
    }
    if spec.keep_normal_traffic {
        return Err("a port that copies go to takes part in nothing else here; leave `keep_normal_traffic` out".into());
    }
    if let Some(bytes) = spec.snap_bytes {
        if matches!(spec.transport, Transport::Erspan { .. }) {
            let why = "a copy that is cut cannot be in a tunnel here, as the tunnel's own header is cut; leave `snap_bytes` out";
            return Err(why.into());
        }
        if !SNAP_BYTES.contains(&bytes) {
            return Err(format!("copies are cut to {} to {} bytes", SNAP_BYTES.start(), SNAP_BYTES.end()));
        }
    }
    transport_may_be(&spec.transport)?;
    vlans_may_be(spec)
}

/// The ports that are selected. Never everything: with a tunnel that would copy the copies, and ends `ovs-vswitchd`.
fn sources(order: &Order<'_>, view: &SwitchView) -> Result<BTreeSet<String>, String> {
    let destination = match &order.spec.transport {
        Transport::Span { port } | Transport::RspanDestination { port } => Some(port.as_str()),
        Transport::RspanSource { .. } | Transport::Erspan { .. } | Transport::Legacy => None,
    };
    let kind = |name: &str| view.port(name).map(|port| port.kind);
    let ports: BTreeSet<String> = match &order.spec.source {
        MirrorSource::Vlans { .. } => {
            let is_source =
                |kind: &PortKind| matches!(kind, PortKind::Vm | PortKind::Uplink | PortKind::Patch | PortKind::Unknown);
            let others =
                view.ports.iter().filter(|port| is_source(&port.kind) && Some(port.key.as_str()) != destination);
            others.map(|port| port.key.clone()).collect()
        }
        MirrorSource::Nics { .. } => {
            for (mac, port) in order.sources {
                if let Some(kind @ (PortKind::Uplink | PortKind::Tunnel | PortKind::Host | PortKind::Patch)) =
                    kind(port)
                {
                    return Err(format!(
                        "the port {port} of {mac} has no machine behind it ({kind:?}) and is no source"
                    ));
                }
            }
            order.sources.iter().map(|(_, port)| port.clone()).collect()
        }
    };
    if ports.is_empty() {
        return Err("there is no port to copy from; name a machine that is on this switch".into());
    }
    match destination {
        Some(port) if ports.contains(port) => {
            Err(format!("the port {port} cannot be source and destination of one mirror"))
        }
        Some(port) => match kind(port) {
            Some(kind @ (PortKind::Uplink | PortKind::Host | PortKind::Tunnel | PortKind::Patch)) => Err(format!(
                "copies would take the port {port} ({kind:?}) from everybody else; name a collector's port"
            )),
            Some(PortKind::Vm | PortKind::Unknown) | None => Ok(ports),
        },
        None => Ok(ports),
    }
}

fn vlans_may_be(spec: &MirrorSpec) -> Result<(), String> {
    let vlans = match &spec.source {
        MirrorSource::Vlans { .. } if !spec.vlan_filter.is_empty() => {
            return Err("VLANs are the source already; leave `vlan_filter` out".into());
        }
        MirrorSource::Vlans { vlans } if vlans.is_empty() => return Err("name the VLANs to copy".into()),
        MirrorSource::Vlans { vlans } => vlans,
        MirrorSource::Nics { .. } if matches!(spec.transport, Transport::RspanDestination { .. }) => {
            return Err("RSPAN's destination takes its copies out of VLANs; name these as the source".into());
        }
        MirrorSource::Nics { .. } => &spec.vlan_filter,
    };
    match vlans.iter().find(|vlan| !VLANS.contains(*vlan)) {
        Some(wrong) => Err(no_vlan(*wrong)),
        None => Ok(()),
    }
}

fn transport_may_be(transport: &Transport) -> Result<(), String> {
    match transport {
        Transport::RspanSource { uplinks, .. } if !uplinks.is_empty() => {
            Err("here the VLAN goes wherever the bridge's trunks go; name no uplinks".into())
        }
        Transport::RspanSource { vlan, .. } if !VLANS.contains(vlan) => Err(no_vlan(*vlan)),
        Transport::Erspan { cos: Some(_), .. } => Err("no class of service is written here; leave `cos` out".into()),
        Transport::Erspan { nanoseconds: true, .. } => {
            Err("timestamps are of 100 µs here; leave `nanoseconds` out".into())
        }
        // Larger ones are taken without a word, and cut off.
        Transport::Erspan { session: 1_024.., .. } => Err("the session of a tunnel is 0 to 1023".into()),
        Transport::Legacy => Err("such sessions are shown only, and never made".into()),
        Transport::Span { .. }
        | Transport::RspanSource { .. }
        | Transport::RspanDestination { .. }
        | Transport::Erspan { .. } => Ok(()),
    }
}

fn no_vlan(number: u16) -> String {
    format!("{number} is no VLAN; they go from {} to {}", VLANS.start(), VLANS.end())
}

/// The header of ERSPAN III says which way the copies went, once for all of them: to the machine, or out of it.
fn tunnel(version: Encapsulation, remote: IpAddr, session: u32, is_to_vm: bool, own_name: &str) -> OwnPort {
    let mut options = BTreeMap::from([("remote_ip", remote.to_string()), ("key", session.to_string())]);
    let kind = match version {
        Encapsulation::Gre => "gre",
        Encapsulation::Erspan2 => {
            options.extend([("erspan_ver", "1".to_owned()), ("erspan_idx", "0".to_owned())]);
            "erspan"
        }
        Encapsulation::Erspan3 => {
            options.extend([
                ("erspan_ver", "2".to_owned()),
                ("erspan_dir", u8::from(is_to_vm).to_string()),
                ("erspan_hwid", "0".to_owned()),
            ]);
            "erspan"
        }
    };
    let options = options.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    OwnPort { name: own_name.to_owned(), kind, options }
}

/// Half of a wire between bridges, whose other half is nowhere: nothing comes in or gets out, and the kernel knows nothing
/// of it. That it comes and goes makes the switch look again at everything that runs, whatever its version.
fn blind_port(own_name: &str) -> OwnPort {
    let options = BTreeMap::from([("peer".to_owned(), "nowhere".to_owned())]);
    OwnPort { name: own_name.to_owned(), kind: "patch", options }
}

/// Such a port for a mirror that has lost its own.
pub(in crate::mirror) fn blind_port_of(tag: &MirrorTag) -> OwnPort {
    blind_port(&own_port_name(tag, &tag.mirror.to_string()))
}

fn own_port_name(tag: &MirrorTag, number: &str) -> String {
    let instance: String = tag.instance.chars().filter(char::is_ascii_alphanumeric).take(INSTANCE_BYTES).collect();
    format!("t{instance}-{number}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::{MirrorId, Timestamp};

    fn tag(instance: &str) -> MirrorTag {
        let expires_at = Timestamp::from_ms(9);
        MirrorTag {
            mirror: MirrorId(7),
            instance: instance.into(),
            owner: String::new(),
            expires_at,
            plan: String::new(),
        }
    }

    #[test]
    fn names_of_ports_are_short_and_told_apart() {
        assert_eq!(own_port_name(&tag("ab12"), "7"), "tab12-7");
        let longest = own_port_name(&tag("a-very-long-name"), "99999999");
        assert_eq!((longest.as_str(), longest.len()), ("tavery-99999999", NAME_BYTES));
    }

    #[test]
    fn what_would_be_left_out_quietly_is_refused() {
        let erspan = |cos, nanoseconds, session| Transport::Erspan {
            version: Encapsulation::Erspan3,
            remote: "192.0.2.1".parse().unwrap(),
            session,
            cos,
            nanoseconds,
            netstack: None,
        };
        assert_eq!(transport_may_be(&erspan(None, false, 1_023)), Ok(()));
        for (wrong, what) in [
            (erspan(Some(1), false, 1), "cos"),
            (erspan(None, true, 1), "nanoseconds"),
            (erspan(None, false, 1_024), "1023"),
            (Transport::RspanSource { uplinks: vec!["a".into()], vlan: 7, strip_vlan: true }, "uplinks"),
            (Transport::RspanSource { uplinks: Vec::new(), vlan: 4_095, strip_vlan: true }, "4095"),
            (Transport::Legacy, "never made"),
        ] {
            let why = transport_may_be(&wrong).unwrap_err();
            assert!(why.contains(what), "{why}");
        }
    }

    #[test]
    fn the_header_of_a_tunnel_says_what_it_carries() {
        let options = |version, is_to_vm| tunnel(version, "192.0.2.1".parse().unwrap(), 9, is_to_vm, "t").options;
        let third = options(Encapsulation::Erspan3, true);
        assert_eq!(
            (third["erspan_ver"].as_str(), third["erspan_dir"].as_str(), third["key"].as_str()),
            ("2", "1", "9")
        );
        assert_eq!(options(Encapsulation::Erspan3, false)["erspan_dir"], "0");
        assert_eq!(options(Encapsulation::Erspan2, true)["erspan_ver"], "1");
        assert_eq!(options(Encapsulation::Gre, true).len(), 2);
    }
}
