//! What is asked for as a session of a distributed switch, and that as a plan: exactly the XML that will be sent.

use super::session::{Ends, GRE, Session};
use crate::{inventory::vsphere::xml::Written, mirror::Order};
use shared::{
    BackendId,
    mirror::{
        Capabilities, Direction, Encapsulation, MIRROR_MARK, MirrorSource, MirrorSpec, MirrorTag, Plan, PlanStep,
        PortKind, REVISION_MARK, SwitchView, Transport,
    },
};
use std::{collections::BTreeSet, net::IpAddr};

/// Bytes that a distributed switch copies of a packet at least, and the longest packet there is.
pub(super) const SNAP_LEAST: u32 = 60;
pub(super) const SNAP_MOST: u32 = 9_216;
const SAMPLING_MOST: u32 = 65_535;
/// An ERSPAN session id has 10 bits, a class of service 3.
const ERSPAN_ID_MOST: u32 = 1_023;
const COS_MOST: u8 = 7;
const VLANS: std::ops::RangeInclusive<u16> = 1..=4_094;

/// Which of a session's two lists of sources are filled: what the machine sends, and what it is sent.
///
/// The one place where directions become the vendor's words. These are spoken from the switch's port: *received* is what
/// comes into it, so what the machine sends; *transmitted* is what leaves it towards the machine. See decision 35.
fn sources(direction: Direction, ends: &Ends) -> (Ends, Ends) {
    let only = |wanted: bool| if wanted { ends.clone() } else { Ends::default() };
    (only(direction.takes_from()), only(direction.takes_to()))
}

/// What a switch is and can do.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) name: &'a str,
    pub(super) version: &'a str,
    pub(super) can: &'a Capabilities,
}

impl<'a> Place<'a> {
    fn of(view: &'a SwitchView) -> Self {
        Self { name: &view.name, version: &view.version, can: &view.can }
    }

    fn lacks(self, what: &str) -> String {
        format!("{} ({}) does not say that it can do {what}", self.name, self.version)
    }
}

/// What the order is as a session under this name and description; whether its ports are there is not asked.
///
/// # Errors
/// What it lacks, or the switch cannot do. A field that the switch or its interface does not know is never left out
/// quietly.
fn session(order: &Order<'_>, place: Place<'_>, name: String, description: String) -> Result<Session, String> {
    let (spec, can) = (order.spec, place.can);
    let mut session = Session { name, description, enabled: true, ..Session::default() };
    session.normal_traffic = spec.keep_normal_traffic;
    if !spec.vlan_filter.is_empty() {
        return Err("a distributed switch cannot pick VLANs of a source port; leave the VLAN filter out".into());
    }
    session.packet_bytes = within(spec.snap_bytes, can.snap, SNAP_LEAST..=SNAP_MOST, "bytes of each packet")?;
    session.sampling = within(spec.sampling, can.sampling, 1..=SAMPLING_MOST, "one packet of so many")?;
    let ports = order.sources.iter().map(|(_, port)| port.clone()).collect::<BTreeSet<_>>().into_iter().collect();
    (session.received, session.transmitted) = sources(spec.direction, &Ends { ports, ..Ends::default() });
    transported(session, spec, place)
}

/// An optional number as the text that is sent; empty when it is not asked for.
fn within(asked: Option<u32>, can: bool, bounds: std::ops::RangeInclusive<u32>, what: &str) -> Result<String, String> {
    match asked {
        None => Ok(String::new()),
        Some(_) if !can => Err(format!("the switch cannot copy only {what}; leave it out")),
        Some(number) if bounds.contains(&number) => Ok(number.to_string()),
        Some(number) => Err(format!("{what}: {number} is not within {} to {}", bounds.start(), bounds.end())),
    }
}

/// Whether the ports and uplinks that an order names are there.
fn fits(order: &Order<'_>, view: &SwitchView) -> Result<(), String> {
    for (mac, key) in order.sources {
        let port = view.port(key).ok_or_else(|| {
            format!(
                "nothing is plugged into port {key} of {}, where {mac} should be; look for the machine again",
                view.name
            )
        })?;
        if port.kind != PortKind::Vm {
            return Err(format!("behind port {key} of {} is no machine; only machines are sources", view.name));
        }
        if port.mac.is_some_and(|seen| seen != *mac) {
            return Err(format!("behind port {key} of {} is not {mac}; look for the machine again", view.name));
        }
    }
    match &order.spec.transport {
        Transport::Span { port } | Transport::RspanDestination { port } => destination(port, view),
        Transport::RspanSource { uplinks, .. } => known(uplinks, view),
        Transport::Erspan { .. } | Transport::Legacy => Ok(()),
    }
}

/// Fills in how the copies travel.
fn transported(mut session: Session, spec: &MirrorSpec, place: Place<'_>) -> Result<Session, String> {
    let can = |can: bool, what: &str| if can { Ok(()) } else { Err(place.lacks(what)) };
    let from_ports = matches!(spec.source, MirrorSource::Nics { .. })
        && !(session.received.ports.is_empty() && session.transmitted.ports.is_empty());
    if !from_ports && !matches!(spec.transport, Transport::RspanDestination { .. }) {
        return Err(
            "it needs interfaces of machines as sources; VLANs are the source of an RSPAN destination only".into()
        );
    }
    match &spec.transport {
        Transport::Span { port } => {
            can(place.can.span, "distributed port mirroring")?;
            session.kind = "dvPortMirror".into();
            session.destination.ports = vec![port.clone()];
        }
        Transport::RspanSource { uplinks, vlan, strip_vlan } => {
            can(place.can.rspan_source, "remote mirroring as a source")?;
            session.kind = "remoteMirrorSource".into();
            session.destination.uplinks.clone_from(uplinks);
            session.encapsulation_vlan = vlan_text(*vlan)?;
            session.strip_vlan = *strip_vlan;
        }
        Transport::RspanDestination { port } => {
            can(place.can.rspan_destination, "remote mirroring as a destination")?;
            session.kind = "remoteMirrorDest".into();
            session.transmitted = Ends::default();
            session.received = Ends { vlans: vlans_of(&spec.source)?, ..Ends::default() };
            session.destination.ports = vec![port.clone()];
        }
        Transport::Erspan { remote, .. } => {
            can(place.can.gre, "encapsulated remote mirroring")?;
            session.kind = "encapsulatedRemoteMirrorSource".into();
            session.destination.addresses = vec![collector(*remote)?];
            tunnel(&mut session, &spec.transport, place)?;
        }
        Transport::Legacy => {
            return Err("mixed sessions are of before vSphere 5.1: they are shown, and never made".into());
        }
    }
    Ok(session)
}

fn tunnel(session: &mut Session, transport: &Transport, place: Place<'_>) -> Result<(), String> {
    let Transport::Erspan { version, session: id, cos, nanoseconds, netstack, .. } = transport else { return Ok(()) };
    match version {
        Encapsulation::Gre if *id != 0 || cos.is_some() => {
            return Err(
                "a distributed switch's GRE carries neither a session nor a class of service: set the session to \
                        0, or take ERSPAN"
                    .into(),
            );
        }
        // Where the field is not known, it is what every encapsulated session has.
        Encapsulation::Gre if place.can.erspan2 => session.encapsulation = GRE.into(),
        Encapsulation::Gre => {}
        Encapsulation::Erspan2 if place.can.erspan2 => session.encapsulation = "erspan2".into(),
        Encapsulation::Erspan3 if place.can.erspan3 => session.encapsulation = "erspan3".into(),
        Encapsulation::Erspan2 | Encapsulation::Erspan3 => {
            return Err(place.lacks("ERSPAN, which needs vSphere 6.5 and a switch of that version"));
        }
    }
    if *version != Encapsulation::Gre {
        if *id > ERSPAN_ID_MOST {
            return Err(format!("the session is 0 to {ERSPAN_ID_MOST}, not {id}"));
        }
        if let Some(cos) = cos.filter(|cos| *cos > COS_MOST) {
            return Err(format!("the class of service is 0 to {COS_MOST}, not {cos}"));
        }
        session.erspan_id = id.to_string();
        session.erspan_cos = cos.map(|cos| cos.to_string()).unwrap_or_default();
    }
    match version {
        Encapsulation::Erspan3 => session.nanoseconds = Some(*nanoseconds),
        _ if *nanoseconds => return Err("timestamps in nanoseconds are ERSPAN III's".into()),
        _ => {}
    }
    if let Some(netstack) = netstack {
        if !place.can.netstack {
            return Err(
                place.lacks("mirroring from another network stack, which needs vSphere 6.7; leave the stack out")
            );
        }
        if netstack.trim().is_empty() {
            return Err("the network stack has no name; leave it out to take the usual one".into());
        }
        session.netstack.clone_from(netstack);
    }
    Ok(())
}

fn vlans_of(source: &MirrorSource) -> Result<Vec<String>, String> {
    match source {
        MirrorSource::Vlans { vlans } if !vlans.is_empty() => vlans.iter().map(|vlan| vlan_text(*vlan)).collect(),
        _ => Err("an RSPAN destination copies what is in VLANs: name them as the source".into()),
    }
}

fn vlan_text(vlan: u16) -> Result<String, String> {
    if VLANS.contains(&vlan) { Ok(vlan.to_string()) } else { Err(format!("a VLAN is 1 to 4094, not {vlan}")) }
}

fn collector(remote: IpAddr) -> Result<String, String> {
    if remote.is_unspecified() || remote.is_loopback() || remote.is_multicast() {
        return Err(format!("copies cannot be sent to {remote}; name the collector's own address"));
    }
    Ok(remote.to_string())
}

fn destination(key: &str, view: &SwitchView) -> Result<(), String> {
    let port = view.port(key).ok_or_else(|| format!("nothing is plugged into port {key} of {}", view.name))?;
    if port.kind == PortKind::Uplink {
        return Err(format!("port {key} of {} is an uplink; copies of this kind go to a machine's port", view.name));
    }
    Ok(())
}

fn known(names: &[String], view: &SwitchView) -> Result<(), String> {
    let uplinks = view.ports.iter().filter(|port| port.kind == PortKind::Uplink);
    let known: BTreeSet<&str> = uplinks.filter_map(|port| port.name.as_deref()).collect();
    let has = known.iter().copied().collect::<Vec<_>>().join(", ");
    if names.is_empty() {
        return Err(format!("name the uplinks that the copies leave by; {} has {has}", view.name));
    }
    match names.iter().find(|name| !known.contains(name.as_str())) {
        Some(name) => Err(format!("{} has no uplink `{name}` in use; it has {has}", view.name)),
        None => Ok(()),
    }
}

/// The session as it is sent for a mirror that has its number.
///
/// # Errors
/// As a plan's.
pub(super) fn numbered(order: &Order<'_>, place: Place<'_>) -> Result<Session, String> {
    session(order, place, order.tag.name(), order.tag.to_string())
}

/// The plan of an order: its session with marks for what is not known yet. Whether its end was moved since does not change
/// it.
pub(super) fn plan(order: &Order<'_>, view: &SwitchView, backend: &BackendId) -> Result<Plan, String> {
    let expires_at = order.spec.expires_at.unwrap_or(order.tag.expires_at);
    let tag = MirrorTag { expires_at, ..order.tag.clone() };
    let name = format!("tocsin-{}-{MIRROR_MARK}", tag.instance);
    fits(order, view)?;
    let session = session(order, Place::of(view), name, tag.planned())?;
    let written = spec(REVISION_MARK, &[(Operation::Add, &session)]);
    let step = PlanStep {
        call: "ReconfigureDvs_Task".into(),
        sent: indented(Written::default().typed("spec", SPEC_TYPE, &written).as_str()),
        changes: changes(&session),
        undo: "ReconfigureDvs_Task with operation `remove` for the key that the vCenter gives the session".into(),
    };
    Ok(Plan {
        backend: backend.clone(),
        switch: view.switch.clone(),
        revision: view.revision.clone(),
        sources: order.sources.to_vec(),
        steps: vec![step],
        hash: String::new(),
    })
}

/// The type of the argument of `ReconfigureDvs_Task`; the base type has no sessions.
pub(super) const SPEC_TYPE: &str = "VMwareDVSConfigSpec";

/// What is done with a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Add,
    Edit,
    Remove,
}

/// The inside of a `VMwareDVSConfigSpec` for the switch's state of this revision. The base type's elements come first.
pub(super) fn spec(revision: &str, sessions: &[(Operation, &Session)]) -> Written {
    let revision = Written::default().text("configVersion", revision);
    sessions.iter().fold(revision, |all, (operation, session)| {
        let word = match operation {
            Operation::Add => "add",
            Operation::Edit => "edit",
            Operation::Remove => "remove",
        };
        let one = Written::default().inside("vspanSession", &session.written()).text("operation", word);
        all.inside("vspanConfigSpec", &one)
    })
}

/// What the session has, one field a line.
fn changes(session: &Session) -> Vec<String> {
    let said = session.said().into_iter().filter(|(_, text)| !text.is_empty());
    let fields = said.map(|(field, text)| format!("+   {field}: {text}"));
    [format!("+ vspanSession {}", session.name)].into_iter().chain(fields).collect()
}

/// XML of ours with one element a line. It has no text beside elements.
fn indented(xml: &str) -> String {
    let (mut lines, mut depth, mut rest) = (String::new(), 0_usize, xml);
    while let Some(end) = rest.find('>') {
        let (tag, after) = rest.split_at(end + 1);
        let shuts = tag.starts_with("</");
        depth = depth.saturating_sub(usize::from(shuts));
        lines.push_str(&"  ".repeat(depth));
        lines.push_str(tag);
        rest = after;
        // A text stands in one line with its element's end, and so does an element of nothing.
        let whole = !shuts && rest.find('<').is_some_and(|at| rest[at..].starts_with("</"));
        if whole {
            let end = rest.find('>').map_or(rest.len(), |at| at + 1);
            lines.push_str(&rest[..end]);
            rest = &rest[end..];
        }
        depth += usize::from(!shuts && !whole);
        lines.push('\n');
    }
    lines
}
