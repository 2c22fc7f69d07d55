//! A switch that others change as well, that loses ports, answers late or not at all, and keeps what it was told.

use super::world::{INSTANCE, SWITCH, foreign};
use shared::{
    Timestamp,
    mirror::{Counters, Looked, Mirror, MirrorTag, Observed, Presence, Transport, TunnelEnd},
};
use std::collections::{BTreeMap, BTreeSet};

/// What a switch keeps: its database outlives its own crashes.
#[derive(Clone, Debug)]
pub(crate) struct Switch {
    /// It answers, and does what it is asked at once.
    pub(crate) well: bool,
    pub(crate) sessions: BTreeMap<String, Session>,
    /// Ports of machines that are gone.
    pub(crate) gone: BTreeSet<String>,
    packets: u64,
}

/// A session as the switch has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Session {
    pub(crate) seen: Observed,
    /// Somebody changed it.
    pub(crate) changed: bool,
    /// Its port went: the reference is empty until it is written anew.
    pub(crate) empty: bool,
}

impl Switch {
    pub(crate) fn new() -> Self {
        Self { well: true, sessions: BTreeMap::new(), gone: BTreeSet::new(), packets: 0 }
    }

    /// Ours, with their tags.
    pub(crate) fn ours(&self) -> impl Iterator<Item = (&Session, &MirrorTag)> {
        let tagged = self.sessions.values().filter_map(|it| Some((it, it.seen.tag.as_ref()?)));
        tagged.filter(|(_, tag)| tag.instance == INSTANCE)
    }

    pub(crate) fn add_foreign(&mut self, name: &str, port: Option<&str>, tunnel: Option<TunnelEnd>) {
        let mut seen = foreign(name);
        seen.ports = port.into_iter().map(str::to_owned).collect();
        seen.tunnel = tunnel;
        self.sessions.insert(name.to_owned(), Session { seen, changed: false, empty: false });
    }

    /// Somebody else's Tocsin, which removes its own.
    pub(crate) fn add_others(&mut self, expires_at: Timestamp) {
        let tag = MirrorTag {
            mirror: shared::MirrorId(1),
            instance: "zz99".into(),
            owner: "o".into(),
            expires_at,
            plan: "1".into(),
        };
        let seen = Observed { tag: Some(tag.clone()), ..foreign(&tag.name()) };
        self.sessions.insert(tag.name(), Session { seen, changed: false, empty: false });
    }

    /// A port goes, and with it every reference to it.
    pub(crate) fn lose(&mut self, port: &str) {
        self.gone.insert(port.to_owned());
        for session in self.sessions.values_mut() {
            if session.seen.from_vm.iter().chain(&session.seen.to_vm).any(|it| it == port) {
                session.empty = true;
            }
        }
    }

    /// What is sent is there afterwards; what was there already stays.
    pub(crate) fn apply(&mut self, mirror: &Mirror, tag: &MirrorTag) -> Option<Counters> {
        let mut seen = Observed { tag: Some(tag.clone()), ..foreign(&tag.name()) };
        let ports: Vec<String> = mirror.plan.sources.iter().map(|(_, port)| port.clone()).collect();
        (seen.from_vm, seen.to_vm) = (ports.clone(), ports);
        match &mirror.spec.transport {
            Transport::Span { port } => seen.ports.push(port.clone()),
            Transport::Erspan { remote, session, .. } => {
                seen.tunnel = Some(TunnelEnd { remote: *remote, session: Some(*session) });
            }
            other => panic!("nobody asks for {other:?} on {SWITCH}"),
        }
        self.sessions.entry(tag.name()).or_insert(Session { seen, changed: false, empty: false });
        self.counters(tag.expires_at)
    }

    /// Removes what is picked by its tag, and nothing else.
    pub(crate) fn remove(&mut self, picked: impl Fn(&MirrorTag) -> bool) {
        self.sessions.retain(|_, session| !session.seen.tag.as_ref().is_some_and(&picked));
    }

    pub(crate) fn read(&mut self, tag: &MirrorTag, now: Timestamp) -> Looked {
        let presence = match self.sessions.get(&tag.name()) {
            None => Presence::Absent,
            Some(session) if session.changed => Presence::Changed("output_port".into()),
            Some(session) if session.empty => Presence::SourceGone,
            Some(_) => Presence::AsPlanned,
        };
        Looked { presence, counters: self.counters(now) }
    }

    fn counters(&mut self, at: Timestamp) -> Option<Counters> {
        self.packets += 3;
        Some(Counters { packets: self.packets, bytes: self.packets * 100, source_packets: Some(self.packets), at })
    }
}
