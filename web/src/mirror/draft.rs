//! A mirror while it is described, and what is asked of the server by it.

use shared::{
    BackendId, CollectorId, IncidentId, Timestamp,
    api::{CollectorRow, MirrorBoard, SwitchRow},
    mirror::{Capabilities, Direction, Encapsulation, MirrorSource, MirrorSpec, Needs, Transport},
    net::Mac,
};
use std::net::IpAddr;

const MINUTE_MS: i64 = 60_000;
/// The largest session of ERSPAN.
const SESSION_MAX: u32 = 1_023;

/// How copies travel, as somebody chooses it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Kind {
    Span,
    RspanOut,
    RspanIn,
    #[default]
    Erspan2,
    Erspan3,
    Gre,
}

impl Kind {
    pub(crate) const ALL: [Self; 6] =
        [Self::Erspan2, Self::Erspan3, Self::Gre, Self::Span, Self::RspanOut, Self::RspanIn];

    /// What a switch must be able to do for it.
    pub(crate) const fn needs(self) -> Needs {
        match self {
            Self::Span => Needs::Span,
            Self::RspanOut => Needs::RspanSource,
            Self::RspanIn => Needs::RspanDestination,
            Self::Erspan2 => Needs::Erspan2,
            Self::Erspan3 => Needs::Erspan3,
            Self::Gre => Needs::Gre,
        }
    }

    pub(crate) const fn is_tunnel(self) -> bool {
        matches!(self, Self::Erspan2 | Self::Erspan3 | Self::Gre)
    }

    /// Copies come out of a port.
    pub(crate) const fn has_port(self) -> bool {
        matches!(self, Self::Span | Self::RspanIn)
    }

    const fn of(transport: &Transport) -> Self {
        match transport {
            Transport::Span { .. } | Transport::Legacy => Self::Span,
            Transport::RspanSource { .. } => Self::RspanOut,
            Transport::RspanDestination { .. } => Self::RspanIn,
            Transport::Erspan { version: Encapsulation::Gre, .. } => Self::Gre,
            Transport::Erspan { version: Encapsulation::Erspan2, .. } => Self::Erspan2,
            Transport::Erspan { version: Encapsulation::Erspan3, .. } => Self::Erspan3,
        }
    }
}

/// Whether a switch can do something.
pub(crate) const fn can(of: &Capabilities, what: Needs) -> bool {
    match what {
        Needs::Span => of.span,
        Needs::RspanSource => of.rspan_source,
        Needs::RspanDestination => of.rspan_destination,
        Needs::Gre => of.gre,
        Needs::Erspan2 => of.erspan2,
        Needs::Erspan3 => of.erspan3,
        Needs::VlanSource => of.vlan_source,
        Needs::VlanFilter => of.vlan_filter,
        Needs::Snap => of.snap,
        Needs::Sampling => of.sampling,
        Needs::Netstack => of.netstack,
    }
}

/// Whether any switch that is asked about can do something; while none is known, anything may be.
pub(crate) fn any_can(switches: &[SwitchRow], what: Needs) -> bool {
    switches.is_empty() || switches.iter().any(|switch| can(&switch.can, what))
}

/// An interface that was picked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Picked {
    pub(crate) mac: Mac,
    /// Whose it is, where that was said; the address else.
    pub(crate) name: String,
}

/// Everything the page holds; numbers as they are typed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Draft {
    pub(crate) kind: Kind,
    /// Chosen by hand; else that of the source.
    pub(crate) place: Option<(BackendId, String)>,
    pub(crate) nics: Vec<Picked>,
    /// Whole VLANs are the source instead.
    pub(crate) by_vlan: bool,
    pub(crate) vlans: String,
    pub(crate) direction: Direction,
    pub(crate) collector: Option<CollectorId>,
    pub(crate) remote: Option<IpAddr>,
    pub(crate) port: String,
    pub(crate) vlan: String,
    pub(crate) uplinks: String,
    pub(crate) strip_vlan: bool,
    pub(crate) session: String,
    pub(crate) nanoseconds: bool,
    pub(crate) minutes: String,
    pub(crate) snap: String,
    pub(crate) sampling: String,
    pub(crate) vlan_filter: String,
    pub(crate) keep_normal_traffic: bool,
    pub(crate) reason: String,
    pub(crate) incident: String,
    /// What the page has no fields for, kept as it came.
    kept: Kept,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Kept {
    title: String,
    cos: Option<u8>,
    netstack: Option<String>,
}

impl Draft {
    /// About nothing yet, for so many minutes.
    pub(crate) fn new(usual_ms: i64) -> Self {
        Self {
            kind: Kind::default(),
            place: None,
            nics: Vec::new(),
            by_vlan: false,
            vlans: String::new(),
            direction: Direction::Both,
            collector: None,
            remote: None,
            port: String::new(),
            vlan: String::new(),
            uplinks: String::new(),
            strip_vlan: false,
            session: String::new(),
            nanoseconds: false,
            minutes: (usual_ms / MINUTE_MS).to_string(),
            snap: String::new(),
            sampling: String::new(),
            vlan_filter: String::new(),
            keep_normal_traffic: false,
            reason: String::new(),
            incident: String::new(),
            kept: Kept::default(),
        }
    }

    /// What a specification says, to be gone on with; `now` is when its time was counted from.
    pub(crate) fn of(spec: &MirrorSpec, usual_ms: i64, now: Timestamp) -> Self {
        let fresh = Self::new(usual_ms);
        let text = |n: Option<u32>| n.map(|n| n.to_string()).unwrap_or_default();
        let mut draft = Self {
            kind: Kind::of(&spec.transport),
            place: spec.backend.clone().zip(spec.switch.clone()),
            direction: spec.direction,
            minutes: spec.expires_at.map_or(fresh.minutes.clone(), |end| minutes(end.ms_since(now)).to_string()),
            snap: text(spec.snap_bytes),
            sampling: text(spec.sampling),
            vlan_filter: listed(&spec.vlan_filter),
            keep_normal_traffic: spec.keep_normal_traffic,
            reason: spec.reason.clone(),
            incident: spec.incident.map(|id| id.to_string()).unwrap_or_default(),
            ..fresh
        };
        draft.kept.title.clone_from(&spec.title);
        match &spec.source {
            MirrorSource::Nics { macs } => {
                draft.nics = macs.iter().map(|mac| Picked { mac: *mac, name: mac.to_string() }).collect();
            }
            MirrorSource::Vlans { vlans } => (draft.by_vlan, draft.vlans) = (true, listed(vlans)),
        }
        match &spec.transport {
            Transport::Span { port } | Transport::RspanDestination { port } => draft.port.clone_from(port),
            Transport::RspanSource { uplinks, vlan, strip_vlan } => {
                draft.uplinks = uplinks.join(" ");
                (draft.vlan, draft.strip_vlan) = (vlan.to_string(), *strip_vlan);
            }
            Transport::Erspan { remote, session, cos, nanoseconds, netstack, .. } => {
                draft.remote = Some(*remote).filter(|ip| !ip.is_unspecified());
                (draft.session, draft.nanoseconds) = (session.to_string(), *nanoseconds);
                (draft.kept.cos, draft.kept.netstack) = (*cos, netstack.clone());
            }
            Transport::Legacy => {}
        }
        draft
    }

    /// Whether there is anything to ask the server about.
    pub(crate) fn is_begun(&self) -> bool {
        !self.nics.is_empty() || (self.takes_vlans() && !self.vlans.trim().is_empty())
    }

    /// The source is VLANs: chosen, or because RSPAN comes in by them.
    pub(crate) fn takes_vlans(&self) -> bool {
        self.by_vlan || self.kind == Kind::RspanIn
    }

    /// Adds an interface, or takes it away.
    pub(crate) fn toggle(&mut self, picked: Picked) {
        let before = self.nics.len();
        self.nics.retain(|it| it.mac != picked.mac);
        if self.nics.len() == before {
            self.nics.push(picked);
        }
    }

    /// Sends to a collector; what it says of itself is filled in.
    pub(crate) fn choose(&mut self, collector: &CollectorRow, board: &MirrorBoard) {
        self.collector = Some(collector.id.clone());
        if let Some(ip) = collector.ip.filter(|_| self.kind.is_tunnel()) {
            self.remote = Some(ip);
            self.session = free_session(board, ip).map(|session| session.to_string()).unwrap_or_default();
        }
        if let Some(port) = collector.port.as_ref().filter(|_| self.kind.has_port()) {
            self.port.clone_from(port);
        }
        if let Some(vlan) = collector.vlan.filter(|_| self.kind == Kind::RspanOut) {
            self.vlan = vlan.to_string();
        }
        if let Some(vlan) = collector.vlan.filter(|_| self.kind == Kind::RspanIn && self.vlans.trim().is_empty()) {
            self.vlans = vlan.to_string();
        }
    }

    /// The fields in which something stands that is no number; nothing is asked for by half a field.
    pub(crate) fn unread(&self) -> Vec<&'static str> {
        let optional = |text: &str| text.trim().is_empty() || number(text).is_some();
        let checks = [
            ("source", !self.takes_vlans() || numbers(&self.vlans).is_some()),
            ("transport.session", !self.kind.is_tunnel() || optional(&self.session)),
            ("transport.vlan", self.kind != Kind::RspanOut || optional(&self.vlan)),
            ("expires_at", number(&self.minutes).is_some()),
            ("snap_bytes", optional(&self.snap)),
            ("sampling", optional(&self.sampling)),
            ("vlan_filter", numbers(&self.vlan_filter).is_some()),
            ("incident", optional(self.incident.trim().trim_start_matches('#'))),
        ];
        checks.into_iter().filter(|(_, is_read)| !is_read).map(|(field, _)| field).collect()
    }

    /// What the server is asked for; none while a field cannot be read.
    pub(crate) fn spec(&self, now: Timestamp) -> Option<MirrorSpec> {
        if !self.unread().is_empty() {
            return None;
        }
        let source = if self.takes_vlans() {
            MirrorSource::Vlans { vlans: numbers(&self.vlans)? }
        } else {
            MirrorSource::Nics { macs: self.nics.iter().map(|it| it.mac).collect() }
        };
        let incident = number(self.incident.trim().trim_start_matches('#'));
        let (backend, switch) = self.place.clone().unzip();
        Some(MirrorSpec {
            title: self.kept.title.clone(),
            incident: incident.map(|id| IncidentId(i64::from(id))),
            reason: self.reason.trim().to_owned(),
            backend,
            switch,
            source,
            direction: self.direction,
            transport: self.transport(),
            vlan_filter: numbers(&self.vlan_filter)?,
            snap_bytes: number(&self.snap),
            sampling: number(&self.sampling),
            keep_normal_traffic: self.kind.has_port() && self.keep_normal_traffic,
            starts_at: None,
            expires_at: number(&self.minutes).map(|n| now.plus_ms(i64::from(n) * MINUTE_MS)),
        })
    }

    fn transport(&self) -> Transport {
        let erspan = |version| Transport::Erspan {
            version,
            remote: self.remote.unwrap_or(IpAddr::from([0, 0, 0, 0])),
            session: number(&self.session).unwrap_or(0),
            cos: self.kept.cos,
            nanoseconds: self.kind == Kind::Erspan3 && self.nanoseconds,
            netstack: self.kept.netstack.clone(),
        };
        match self.kind {
            Kind::Span => Transport::Span { port: self.port.trim().to_owned() },
            Kind::RspanIn => Transport::RspanDestination { port: self.port.trim().to_owned() },
            Kind::RspanOut => Transport::RspanSource {
                uplinks: words(&self.uplinks),
                // Beyond 65,535 it is no VLAN either; the rule says which are.
                vlan: u16::try_from(number(&self.vlan).unwrap_or(0)).unwrap_or(u16::MAX),
                strip_vlan: self.strip_vlan,
            },
            Kind::Gre => erspan(Encapsulation::Gre),
            Kind::Erspan2 => erspan(Encapsulation::Erspan2),
            Kind::Erspan3 => erspan(Encapsulation::Erspan3),
        }
    }
}

/// The smallest session from 1 on that nobody sends to an address with.
pub(crate) fn free_session(board: &MirrorBoard, remote: IpAddr) -> Option<u32> {
    let ours = board.items.iter().filter(|mirror| !mirror.is_over()).filter_map(|mirror| match mirror.spec.transport {
        Transport::Erspan { remote: to, session, .. } => (to == remote).then_some(session),
        _ => None,
    });
    let others = board.backends.iter().flat_map(|backend| &backend.switches).flat_map(|switch| &switch.others);
    let others = others.filter_map(|other| other.session.tunnel.as_ref().filter(|end| end.remote == remote)?.session);
    let taken: std::collections::BTreeSet<u32> = ours.chain(others).collect();
    (1..=SESSION_MAX).find(|session| !taken.contains(session))
}

/// Whole minutes, the nearest: what is asked for a moment after it was counted is not a minute less.
pub(crate) const fn minutes(ms: i64) -> i64 {
    let whole = (ms + MINUTE_MS / 2) / MINUTE_MS;
    if whole < 1 { 1 } else { whole }
}

fn number(text: &str) -> Option<u32> {
    text.trim().parse().ok()
}

fn words(text: &str) -> Vec<String> {
    let parts = text.split(|c: char| c.is_whitespace() || matches!(c, ',' | '，' | '、'));
    parts.filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// VLANs apart by commas or spaces; none when one of them is no number.
fn numbers(text: &str) -> Option<Vec<u16>> {
    words(text).iter().map(|word| word.parse().ok()).collect()
}

fn listed(vlans: &[u16]) -> String {
    vlans.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mirror::sample::{at, board, mirror};
    use proptest::prelude::*;
    use shared::mirror::MirrorState;

    fn spec(change: impl FnOnce(&mut Draft)) -> Option<MirrorSpec> {
        let mut draft = Draft::new(30 * MINUTE_MS);
        change(&mut draft);
        draft.spec(at(0))
    }

    #[test]
    fn a_new_one_lasts_the_usual_time_and_sends_nowhere_yet() {
        let spec = spec(|_| {}).unwrap();
        assert_eq!((spec.expires_at, spec.transport), (Some(at(30)), Transport::default()));
    }

    #[test]
    fn a_specification_is_gone_on_with_as_it_was() {
        let mut one = mirror(MirrorState::Active).spec;
        let back = |spec: &MirrorSpec| Draft::of(spec, 30 * MINUTE_MS, at(0)).spec(at(0)).unwrap();
        assert_eq!(back(&one), one);
        one.source = MirrorSource::Vlans { vlans: vec![42, 43] };
        one.transport = Transport::RspanDestination { port: "tap9".into() };
        one.keep_normal_traffic = true;
        assert_eq!(back(&one), one);
        one.transport =
            Transport::RspanSource { uplinks: vec!["up1".into(), "up2".into()], vlan: 99, strip_vlan: true };
        one.keep_normal_traffic = false;
        (one.snap_bytes, one.sampling, one.vlan_filter) = (Some(96), Some(10), vec![7]);
        assert_eq!(back(&one), one);
    }

    #[test]
    fn half_a_field_asks_for_nothing() {
        let mut draft = Draft::new(30 * MINUTE_MS);
        (draft.snap, draft.vlan_filter) = ("12x".into(), "4, y".into());
        assert_eq!(draft.unread(), ["snap_bytes", "vlan_filter"]);
        assert_eq!(draft.spec(at(0)), None);
        (draft.snap, draft.vlan_filter) = (" 128 ".into(), "4，5".into());
        assert_eq!(draft.spec(at(0)).unwrap().vlan_filter, [4, 5]);
    }

    #[test]
    fn a_free_session_is_nobodys() {
        let capture = IpAddr::from([10, 77, 0, 9]);
        let mut all = board(vec![mirror(MirrorState::Active)]);
        assert_eq!(free_session(&all, capture), Some(1));
        if let Transport::Erspan { session, .. } = &mut all.items[0].spec.transport {
            *session = 1;
        }
        assert_eq!(free_session(&all, capture), Some(2));
        assert_eq!(free_session(&all, IpAddr::from([10, 77, 0, 8])), Some(1));
        all.items[0].state = MirrorState::ProvedStopped;
        assert_eq!(free_session(&all, capture), Some(1));
    }

    #[test]
    fn a_collector_fills_in_what_it_says_of_itself() {
        let all = board(vec![]);
        let chosen = spec(|draft| draft.choose(&all.collectors[0], &all)).unwrap().transport;
        let Transport::Erspan { remote, session, .. } = chosen else { panic!("a tunnel") };
        assert_eq!((remote.to_string(), session), ("10.77.0.9".to_owned(), 1));
    }

    #[test]
    fn rspan_comes_in_by_vlans() {
        let spec = spec(|draft| (draft.kind, draft.vlans) = (Kind::RspanIn, "99".into())).unwrap();
        assert_eq!(spec.source, MirrorSource::Vlans { vlans: vec![99] });
    }

    #[test]
    fn an_interface_is_picked_once() {
        let mut draft = Draft::new(0);
        let picked = || Picked { mac: "52:54:00:00:00:01".parse().unwrap(), name: "web01".into() };
        draft.toggle(picked());
        assert!(draft.is_begun());
        draft.toggle(picked());
        assert!(!draft.is_begun());
    }

    #[test]
    fn a_switch_can_what_it_says() {
        let switches = &board(vec![]).backends[0].switches.clone();
        assert!(any_can(switches, Kind::Erspan2.needs()) && !any_can(switches, Kind::Erspan3.needs()));
        assert!(!any_can(switches, Needs::Snap) && any_can(&[], Needs::Snap));
    }

    proptest! {
        #[test]
        fn whatever_is_typed_is_read_or_said_to_be_wrong(text in ".{0,12}") {
            for kind in Kind::ALL {
                let mut draft = Draft::new(0);
                draft.kind = kind;
                for field in [&mut draft.vlans, &mut draft.vlan, &mut draft.session, &mut draft.minutes,
                    &mut draft.snap, &mut draft.sampling, &mut draft.vlan_filter, &mut draft.incident] {
                    field.clone_from(&text);
                }
                prop_assert_eq!(draft.spec(at(0)).is_some(), draft.unread().is_empty());
            }
        }
    }
}
