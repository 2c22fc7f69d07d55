//! The life of a port mirror: it begins when it may, ends when it must, and is over when that is proved.

use engine::{
    Engine, Event, Ingested, Refusal, Snapshot,
    mirror::{MirrorAct, MirrorCommand, MirrorRefusal, Request, World as Seen},
    normalize::{Source, normalize},
    sim::Store,
};
use shared::{
    BackendId, IncidentId, MirrorId, Timestamp,
    config::{Integration, MirrorMode},
    inventory::Power,
    mirror::{
        BackendKind, Capabilities, Counters, Direction, Encapsulation, Looked, Mirror, MirrorEnd, MirrorPlace,
        MirrorReport, MirrorSource, MirrorSpec, MirrorState, Plan, PortKind, Presence, SourcePort, SwitchPort,
        SwitchView, Transport, Verified,
    },
    net::Mac,
    timeline::{Actor, Happening, MirrorEvent, TimelineEntry},
};
use std::sync::Arc;

const NOW: Timestamp = Timestamp::from_ms(1_795_392_000_000);
const SECOND: i64 = 1_000;
const MINUTE: i64 = 60_000;
const MAC: Mac = Mac([0x52, 0x54, 0, 0, 0, 7]);
const CONFIG: &str = r#"
fallback = ["person:li"]
paging = { bundle = "0s" }
people = [
    { id = "li", name = "Li", contacts = [{ id = "mail", email = "l@example.org" }] },
    { id = "wang", name = "Wang", contacts = [{ id = "mail", email = "w@example.org" }] },
]
policies = [{ id = "all", levels = [{ notify = ["person:li"], delay = "1h" }] }]
routes = [{ id = "rest", policy = "all" }]
mirrors = { collectors = [{ id = "shark", ip = "10.77.9.9" }] }
"#;

/// An engine, what it stored, and what it wants done.
struct World {
    engine: Engine,
    store: Store,
    now: Timestamp,
    timeline: Vec<TimelineEntry>,
    orders: Vec<MirrorCommand>,
    /// Each mirror as it was stored last.
    stored: std::collections::BTreeMap<MirrorId, Mirror>,
    /// How many of the engine's own alerts are open.
    alarms: i32,
}

impl World {
    fn new() -> Self {
        let config = Arc::new(Snapshot::compile(1, toml::from_str(CONFIG).unwrap()).unwrap());
        Self {
            engine: Engine::new(config.clone()),
            store: Store::new(config),
            now: NOW,
            timeline: Vec::new(),
            orders: Vec::new(),
            stored: Default::default(),
            alarms: 0,
        }
    }

    fn handle(&mut self, event: Event) -> engine::Effects {
        let mut effects = self.engine.handle(self.now, event);
        let changes = self.engine.take_changes();
        self.timeline.extend(changes.timeline.iter().cloned());
        self.stored.extend(changes.mirrors.iter().map(|it| (it.id, Mirror::clone(it))));
        for own in &changes.own {
            self.alarms += if own.event.action == shared::Action::Resolve { -1 } else { 1 };
        }
        self.store.apply(self.now, changes).unwrap();
        self.engine.state.check(self.now, 64).unwrap();
        self.orders.append(&mut effects.mirrors);
        effects
    }

    /// Goes on, from deadline to deadline.
    fn pass(&mut self, ms: i64) {
        let until = self.now.plus_ms(ms);
        while let Some((at, _)) = self.engine.next_deadline().filter(|(at, _)| *at <= until) {
            self.now = self.now.max(at);
            self.handle(Event::Wake);
        }
        self.now = until;
    }

    /// The process is killed, and started again after a while.
    fn restart(&mut self, after_ms: i64) {
        self.now = self.now.plus_ms(after_ms);
        self.engine = self.store.restore(self.now);
        self.orders.clear();
        self.handle(Event::Wake);
    }

    fn incident(&mut self) -> IncidentId {
        let integration = Integration::undeclared("falcon".into());
        let source =
            Source { integration: &integration, content_type: None, format: None, peer: None, received_at: self.now };
        let read = normalize(&source, b"[P1][PROBLEM][web-7][][port is down]");
        let ingested = Ingested {
            integration: integration.id.clone(),
            key: None,
            events: read.events.into_iter().map(|it| it.event).collect(),
            rejected: Vec::new(),
            places: Vec::new(),
            replayed: false,
        };
        let effects = self.handle(Event::Ingested(ingested));
        effects.outcomes[0].incident().unwrap()
    }

    fn act(&mut self, by: &Actor, act: MirrorAct) -> Result<MirrorId, MirrorRefusal> {
        let effects = self.handle(Event::Mirror { by: by.clone(), act });
        match effects.refused {
            None => Ok(*effects.mirrored.first().unwrap()),
            Some(Refusal::Mirror(refusal)) => Err(*refusal),
            Some(other) => panic!("{other}"),
        }
    }

    fn request(&mut self, change: impl FnOnce(&mut Request)) -> Result<MirrorId, MirrorRefusal> {
        let mut request = request(self.now);
        change(&mut request);
        self.act(&li(), MirrorAct::Request(Box::new(request)))
    }

    fn report(&mut self, mirror: MirrorId, report: MirrorReport) {
        self.handle(Event::MirrorReported { mirror, report });
    }

    fn looked(&mut self, mirror: MirrorId, presence: Presence, packets: u64, source: u64) {
        let counters = Some(counted(packets, source, self.now));
        self.report(mirror, MirrorReport::Looked(Looked { presence, counters }));
    }

    /// Asked for, sent, and read back.
    fn applied(&mut self, change: impl FnOnce(&mut Request)) -> MirrorId {
        let mirror = self.request(change).unwrap();
        assert_eq!(self.taken(), [MirrorCommand::Apply { mirror }]);
        let counters = Some(counted(0, 0, self.now));
        self.report(mirror, MirrorReport::Applied { counters });
        assert_eq!(self.state(mirror), MirrorState::Applied);
        mirror
    }

    fn taken(&mut self) -> Vec<MirrorCommand> {
        std::mem::take(&mut self.orders)
    }

    fn state(&self, mirror: MirrorId) -> MirrorState {
        self.stored[&mirror].state
    }

    fn steps(&self, mirror: MirrorId) -> Vec<MirrorEvent> {
        self.stored[&mirror].steps.iter().map(|it| it.what.clone()).collect()
    }
}

fn account(login: &str) -> Actor {
    Actor::Account { login: login.to_owned() }
}

fn li() -> Actor {
    account("li")
}

fn counted(packets: u64, source: u64, at: Timestamp) -> Counters {
    Counters { packets, bytes: packets * 100, source_packets: Some(source), at }
}

fn port(key: &str, kind: PortKind, mac: Option<Mac>) -> SwitchPort {
    SwitchPort { key: key.to_owned(), kind, mac, promiscuous: Some(false), ..SwitchPort::default() }
}

/// A wish that no rule forbids.
fn request(now: Timestamp) -> Request {
    let can = Capabilities {
        span: true,
        gre: true,
        erspan2: true,
        erspan3: true,
        revalidates: true,
        snap_least: 14,
        snap_most: 65_535,
        sessions_most: 32,
        ..Capabilities::default()
    };
    let spec = MirrorSpec {
        incident: Some(IncidentId(1)),
        reason: "who talks to it".into(),
        backend: Some(BackendId::from("ovs-1")),
        switch: Some("sys/br0".into()),
        source: MirrorSource::Nics { macs: vec![MAC] },
        direction: Direction::Both,
        transport: Transport::Erspan {
            version: Encapsulation::Erspan2,
            remote: "10.77.9.9".parse().unwrap(),
            session: 7,
            cos: None,
            nanoseconds: false,
            netstack: None,
        },
        expires_at: Some(now.plus_ms(10 * MINUTE)),
        ..MirrorSpec::default()
    };
    let switch = SwitchView {
        backend: BackendId::from("ovs-1"),
        kind: BackendKind::Openvswitch,
        switch: "sys/br0".into(),
        name: "br0".into(),
        version: "3.3.4".into(),
        seen_at: now,
        revision: "1".into(),
        can,
        ports: vec![port("tap7", PortKind::Vm, Some(MAC)), port("eth0", PortKind::Uplink, None)],
        sessions: Vec::new(),
        routes: [("10.77.9.9".parse().unwrap(), shared::mirror::Egress::Elsewhere { device: "eth1".into() })].into(),
        clock_drift_ms: None,
    };
    let source = SourcePort {
        mac: MAC,
        vm: "web-7".into(),
        vm_key: "kvm/web-7".into(),
        power: Power::On,
        ips: Vec::new(),
        hypervisor: Some("kvm-1".into()),
        switch: Some("sys/br0".into()),
        port: Some("tap7".into()),
        seen_at: now,
        sensitive: false,
        moving: false,
    };
    let document: shared::config::Document = toml::from_str(CONFIG).unwrap();
    let world = Seen {
        now,
        mode: Arc::new(MirrorMode { ..document.mirrors }),
        asks: "li".into(),
        sources: vec![(MAC, vec![source])],
        switch: Some(switch),
        mirrors: Vec::new(),
        store_drift_ms: 0,
        except: None,
        instance: "ab12cd34".into(),
    };
    let plan = Plan {
        backend: BackendId::from("ovs-1"),
        switch: "sys/br0".into(),
        sources: vec![(MAC, "tap7".into())],
        hash: "0123456789abcdef".into(),
        ..Plan::default()
    };
    Request { spec, world, seen: plan.hash.clone(), plan, key: None }
}

fn sensitive(request: &mut Request) {
    request.world.sources[0].1[0].sensitive = true;
}

#[test]
fn a_mirror_is_sent_verified_ended_at_its_time_and_proved_gone() {
    let mut world = World::new();
    let incident = world.incident();
    let mirror = world.applied(|request| request.spec.incident = Some(incident));
    world.pass(5 * SECOND);
    assert_eq!(world.taken(), [MirrorCommand::Look { mirror }]);
    world.looked(mirror, Presence::AsPlanned, 12, 12);
    assert_eq!(world.state(mirror), MirrorState::Active);
    assert!(matches!(world.stored[&mirror].verified, Some(Verified::Counted { .. })));
    world.pass(10 * MINUTE - 5 * SECOND - 1);
    assert!(world.taken().iter().all(|it| *it == MirrorCommand::Look { mirror }), "nothing ends it before its time");
    world.pass(1);
    assert!(world.taken().contains(&MirrorCommand::Remove { mirror }));
    assert_eq!(world.state(mirror), MirrorState::Stopping);
    let counters = Some(counted(40, 40, world.now));
    world.report(mirror, MirrorReport::Stopped { counters });
    assert_eq!(world.state(mirror), MirrorState::Stopped);
    for _ in 0..2 {
        world.pass(6 * SECOND);
        assert!(world.taken().contains(&MirrorCommand::Prove { mirror }));
        world.report(mirror, MirrorReport::Quiet { flat: Some(true) });
    }
    assert_eq!(world.state(mirror), MirrorState::ProvedStopped);
    assert!(world.engine.state.mirrors.is_empty(), "what is over leaves the memory");
    let told: Vec<MirrorEvent> = world
        .timeline
        .iter()
        .filter_map(|entry| match &entry.what {
            Happening::Mirror { what, .. } if entry.incident == incident => Some(what.clone()),
            _ => None,
        })
        .collect();
    assert!(matches!(
        told.as_slice(),
        [
            MirrorEvent::Requested { .. },
            MirrorEvent::Applied,
            MirrorEvent::Verified { .. },
            MirrorEvent::Ending { why: MirrorEnd::Expired { .. } },
            MirrorEvent::Stopped { packets: 40, bytes: 4_000 },
            MirrorEvent::ProvedStopped,
        ]
    ));
}

#[test]
fn idle_and_not_copying_are_two_things() {
    let mut world = World::new();
    let idle = world.applied(|_| ());
    for _ in 0..3 {
        world.pass(5 * SECOND);
        world.looked(idle, Presence::AsPlanned, 0, 0);
    }
    assert!(matches!(world.stored[&idle].verified, Some(Verified::Idle { .. })));
    world.pass(5 * SECOND);
    world.looked(idle, Presence::AsPlanned, 3, 3);
    assert!(matches!(world.stored[&idle].verified, Some(Verified::Counted { .. })));

    let mut world = World::new();
    let deaf = world.applied(|_| ());
    for n in 1..=4 {
        world.pass(5 * SECOND);
        world.looked(deaf, Presence::AsPlanned, 0, n * 10);
    }
    assert_eq!((world.state(deaf), &world.stored[&deaf].verified), (MirrorState::Applied, &None));
    assert_eq!(world.steps(deaf).iter().filter(|it| **it == MirrorEvent::NotCopying).count(), 1);
}

#[test]
fn a_sensitive_machine_needs_a_second_person_who_saw_the_same_plan() {
    let mut world = World::new();
    let token = Actor::Token { name: "robot".into() };
    let mut wish = request(world.now);
    sensitive(&mut wish);
    let by_token = world.act(&token, MirrorAct::Request(Box::new(wish)));
    assert_eq!(by_token, Err(MirrorRefusal::NeedsAccount));
    let mirror = world.request(sensitive).unwrap();
    assert_eq!((world.state(mirror), world.taken()), (MirrorState::Planned, Vec::new()));
    let hash = world.stored[&mirror].plan.hash.clone();
    let approve = |hash: &str| MirrorAct::Approve { mirror, hash: hash.to_owned() };
    assert_eq!(world.act(&li(), approve(&hash)), Err(MirrorRefusal::OwnApproval));
    let phone = Actor::Device { login: "li".into(), device: "Pixel".into() };
    assert_eq!(world.act(&phone, approve(&hash)), Err(MirrorRefusal::OwnApproval), "one's phone is no second person");
    assert_eq!(world.act(&token, approve(&hash)), Err(MirrorRefusal::NeedsAccount));
    assert_eq!(world.act(&account("wang"), approve("another")), Err(MirrorRefusal::OtherPlan { now: hash.clone() }));
    assert_eq!(world.taken(), []);
    world.act(&account("wang"), approve(&hash)).unwrap();
    assert_eq!(world.taken(), [MirrorCommand::Apply { mirror }]);
    assert_eq!(world.act(&account("wang"), approve(&hash)), Err(MirrorRefusal::NotWaiting));
}

#[test]
fn what_nobody_approves_is_dropped_and_was_never_sent() {
    let mut world = World::new();
    let mirror = world
        .request(|request| {
            sensitive(request);
            request.spec.expires_at = Some(NOW.plus_ms(120 * MINUTE));
        })
        .unwrap();
    world.pass(30 * MINUTE);
    assert_eq!((world.state(mirror), world.taken()), (MirrorState::Dropped, Vec::new()));
    assert!(matches!(world.stored[&mirror].ended, Some(MirrorEnd::NotApproved { .. })));
}

#[test]
fn the_same_key_is_the_same_mirror_and_another_plan_begins_nothing() {
    let mut world = World::new();
    let first = world.request(|request| request.key = Some("k".into())).unwrap();
    assert_eq!(world.request(|request| request.key = Some("k".into())), Ok(first));
    assert_eq!(world.taken().len(), 1);
    let other = world.request(|request| {
        request.seen = "what was seen".into();
        let Transport::Erspan { session, .. } = &mut request.spec.transport else { unreachable!() };
        *session = 8;
    });
    assert_eq!(other, Err(MirrorRefusal::OtherPlan { now: "0123456789abcdef".into() }));
}

#[test]
fn what_became_of_it_unknown_is_removed_and_what_was_refused_is_over() {
    let mut world = World::new();
    let mirror = world.request(|_| ()).unwrap();
    world.taken();
    world.report(mirror, MirrorReport::Unknown { message: "no answer".into() });
    assert_eq!((world.state(mirror), world.taken()), (MirrorState::Stopping, vec![MirrorCommand::Remove { mirror }]));

    let mut world = World::new();
    let mirror = world.request(|_| ()).unwrap();
    world.report(mirror, MirrorReport::Refused { message: "no".into() });
    assert_eq!(world.state(mirror), MirrorState::Failed);
    assert!(world.engine.state.mirrors.is_empty());
}

#[test]
fn a_restart_goes_on_where_it_was() {
    let mut world = World::new();
    let mirror = world.request(|_| ()).unwrap();
    world.restart(SECOND);
    assert_eq!(
        world.taken(),
        [MirrorCommand::Apply { mirror }],
        "it is sent again, which changes nothing if it is there"
    );
    world.report(mirror, MirrorReport::Applied { counters: None });
    world.restart(SECOND);
    assert_eq!(world.taken(), [MirrorCommand::Look { mirror }]);
    world.act(&li(), MirrorAct::Stop { mirror }).unwrap();
    world.restart(SECOND);
    assert_eq!(world.taken(), [MirrorCommand::Remove { mirror }]);
}

#[test]
fn a_process_that_slept_past_the_end_removes_first_of_all() {
    let mut world = World::new();
    let mirror = world.applied(|_| ());
    world.restart(60 * MINUTE);
    assert_eq!(world.taken(), [MirrorCommand::Remove { mirror }]);
    // And a clock that was set back gives it no more time.
    let mut world = World::new();
    let mirror = world.applied(|_| ());
    world.incident();
    world.now = world.now.plus_ms(-120 * MINUTE);
    world.restart(0);
    assert!(world.stored[&mirror].expires_at <= world.now.plus_ms(10 * MINUTE));
}

#[test]
fn what_cannot_be_ended_is_asked_again_and_wakes_somebody() {
    let mut world = World::new();
    let mirror = world.applied(|_| ());
    world.act(&li(), MirrorAct::Stop { mirror }).unwrap();
    let mut asked = 0;
    for _ in 0..90 {
        asked += world.taken().iter().filter(|it| **it == MirrorCommand::Remove { mirror }).count();
        world.report(mirror, MirrorReport::NotStopped { message: "the switch does not answer".into() });
        world.pass(SECOND);
    }
    assert!((8..=15).contains(&asked), "{asked}");
    assert_eq!(world.alarms, 1, "a minute later somebody is woken, once");
    world.restart(SECOND);
    world.report(mirror, MirrorReport::NotStopped { message: "still not".into() });
    assert_eq!(world.alarms, 1, "also over a restart");
    world.report(mirror, MirrorReport::Stopped { counters: None });
    assert_eq!((world.state(mirror), world.alarms), (MirrorState::Stopped, 0));
}

#[test]
fn more_time_is_given_up_to_the_longest_and_written_until_the_switch_has_it() {
    let mut world = World::new();
    let mirror = world.applied(|_| ());
    let latest = world.stored[&mirror].latest;
    let extend = |until: Timestamp| MirrorAct::Extend { mirror, until };
    assert_eq!(world.act(&li(), extend(latest.plus_ms(1))), Err(MirrorRefusal::TooLate { latest }));
    assert_eq!(world.act(&li(), extend(world.now)), Err(MirrorRefusal::InThePast));
    world.act(&li(), extend(NOW.plus_ms(20 * MINUTE))).unwrap();
    assert_eq!(world.taken(), [MirrorCommand::Retag { mirror }]);
    world.report(mirror, MirrorReport::NotExtended { message: "no".into() });
    world.pass(5 * SECOND);
    world.taken();
    world.looked(mirror, Presence::AsPlanned, 1, 1);
    assert_eq!(world.taken(), [MirrorCommand::Retag { mirror }]);
    world.report(mirror, MirrorReport::Extended);
    world.pass(5 * SECOND);
    world.taken();
    world.looked(mirror, Presence::AsPlanned, 2, 2);
    assert_eq!(world.taken(), []);
    world.pass(12 * MINUTE);
    assert!(world.state(mirror).is_running());
    world.pass(8 * MINUTE);
    assert_eq!(world.state(mirror), MirrorState::Stopping);
}

#[test]
fn a_source_that_is_gone_disarms_it_and_a_change_by_others_ends_it() {
    let mut world = World::new();
    let mirror = world.applied(|_| ());
    world.looked(mirror, Presence::SourceGone, 5, 5);
    assert_eq!((world.state(mirror), world.taken()), (MirrorState::Disarmed, vec![MirrorCommand::Rearm { mirror }]));
    world.looked(mirror, Presence::AsPlanned, 6, 6);
    assert!(world.state(mirror).is_running() && world.steps(mirror).contains(&MirrorEvent::Restored));
    world.looked(mirror, Presence::Changed("another output".into()), 6, 6);
    assert_eq!(world.state(mirror), MirrorState::Drifted);
    world.pass(29 * SECOND);
    world.looked(mirror, Presence::Changed("another output".into()), 6, 6);
    assert_eq!(world.state(mirror), MirrorState::Drifted);
    world.pass(SECOND);
    world.looked(mirror, Presence::Changed("another output".into()), 6, 6);
    assert_eq!(world.state(mirror), MirrorState::Stopping);
}

#[test]
fn what_others_removed_is_over() {
    let mut world = World::new();
    let mirror = world.applied(|_| ());
    world.report(mirror, MirrorReport::Looked(Looked { presence: Presence::Absent, counters: None }));
    assert_eq!(world.state(mirror), MirrorState::Stopped);
    assert!(matches!(world.stored[&mirror].ended, Some(MirrorEnd::Removed { .. })));
    world.report(mirror, MirrorReport::Quiet { flat: None });
    assert!(world.stored[&mirror].is_over() && world.stored[&mirror].unprovable);
}

#[test]
fn a_panic_ends_everything_on_its_switch_and_nothing_elsewhere() {
    let mut world = World::new();
    let here = world.applied(|_| ());
    let elsewhere = world.applied(|request| {
        request.plan.switch = "sys/br1".into();
        let Transport::Erspan { session, .. } = &mut request.spec.transport else { unreachable!() };
        *session = 8;
    });
    let places = vec![MirrorPlace { backend: BackendId::from("ovs-1"), switch: "sys/br0".into() }];
    assert_eq!(world.act(&li(), MirrorAct::Panic { places }), Ok(here));
    assert_eq!(world.state(here), MirrorState::Stopping);
    assert!(world.state(elsewhere).is_running());
}
