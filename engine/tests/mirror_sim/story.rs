//! One seeded life of a server, its store, a watchdog and a switch, with people who mirror.

use super::{
    dice::Dice,
    promises,
    switch::Switch,
    world::{self, INSTANCE, NOW, SWITCH, WEB01, WEB02, collector_ip, erspan, machine, ours},
};
use engine::{
    Engine, Event, Refusal, Snapshot,
    mirror::{MirrorAct, MirrorCommand, MirrorRefusal, Request, World, check},
    sim::Store,
};
use shared::{
    MirrorId, Timestamp,
    config::{Contact, Document, Person},
    mirror::{Looked, Mirror, MirrorPlace, MirrorReport, MirrorSource, MirrorSpec, MirrorState, MirrorTag, Presence},
    net::Mac,
    timeline::Actor,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    sync::Arc,
};

/// The machine whose traffic only a second person lets somebody see.
pub(crate) const SENSITIVE: Mac = WEB02;
/// A driver that gets no answer says so after this.
const NO_ANSWER_MS: i64 = 45_000;
/// As the sweep and the watchdog have it.
const PATIENCE_MS: i64 = 2_000;
const SWEEP_LOOKS_MS: i64 = 30_000;
const WATCHDOG_LOOKS_MS: i64 = 2_000;
const LEASE_MS: i64 = 90_000;

/// Something on its way.
enum Flight {
    /// An order to the switch.
    Order(MirrorCommand, Arc<Mirror>),
    /// Its answer.
    Answer(MirrorId, MirrorReport),
}

/// Who looks after what the switch's tags say: the server's sweep, or the watchdog.
#[derive(Default)]
struct Watcher {
    alive_since: Option<Timestamp>,
    looked_at: Option<Timestamp>,
    knows: BTreeMap<String, MirrorTag>,
}

pub(crate) struct Story {
    pub(crate) dice: Dice,
    pub(crate) now: Timestamp,
    pub(crate) trace: String,
    pub(crate) engine: Engine,
    pub(crate) switch: Switch,
    pub(crate) well_since: Timestamp,
    /// Each mirror as it was stored last.
    pub(crate) stored: BTreeMap<MirrorId, Mirror>,
    /// Who agreed, as the story has it.
    pub(crate) approvals: BTreeMap<MirrorId, Actor>,
    store: Store,
    store_well: bool,
    sweep: Watcher,
    watchdog: Watcher,
    /// When the lease was last renewed.
    lease: Timestamp,
    flights: BTreeMap<(Timestamp, u64), Flight>,
    flown: u64,
    pub(crate) begun: u32,
}

impl Story {
    pub(crate) fn new(seed: u64) -> Self {
        let mirrors = (*world::world().mode).clone();
        let person = |id: &str| {
            let mail = Contact { id: "mail".into(), email: Some(format!("{id}@example.org")), ..Contact::default() };
            Person { id: id.into(), name: id.into(), contacts: vec![mail], ..Person::default() }
        };
        let document = Document { mirrors, people: vec![person("li"), person("wang")], ..Document::default() };
        let config = Arc::new(Snapshot::compile(1, document).expect("the document compiles"));
        Self {
            dice: Dice::new(seed),
            now: NOW,
            trace: String::new(),
            engine: Engine::new(config.clone()),
            switch: Switch::new(),
            well_since: NOW,
            stored: BTreeMap::new(),
            approvals: BTreeMap::new(),
            store: Store::new(config),
            store_well: true,
            sweep: Watcher { alive_since: Some(NOW), ..Watcher::default() },
            watchdog: Watcher::default(),
            lease: NOW,
            flights: BTreeMap::new(),
            flown: 0,
            begun: 0,
        }
    }

    /// Lives so long, with something happening every now and then.
    ///
    /// # Errors
    /// The promise that was broken, and when.
    pub(crate) fn live(&mut self, ms: i64) -> Result<(), String> {
        let end = self.now.plus_ms(ms);
        let mut next = self.now;
        while self.now < end {
            if self.now >= next {
                self.something()?;
                next = self.now.plus_ms(self.dice.between(1, 120) * 1_000);
            }
            self.pass(next)?;
        }
        Ok(())
    }

    /// Since when something of ours is alive; none while nothing is.
    pub(crate) fn alive_since(&self) -> Option<Timestamp> {
        [self.sweep.alive_since, self.watchdog.alive_since].into_iter().flatten().min()
    }

    fn is_up(&self) -> bool {
        self.sweep.alive_since.is_some()
    }

    /// Goes to the next thing that happens, at most until then.
    fn pass(&mut self, until: Timestamp) -> Result<(), String> {
        let deadline = self.engine.next_deadline().map(|(at, _)| at).filter(|_| self.is_up() && self.store_well);
        let flight = self.flights.keys().next().map(|(at, _)| *at);
        // Watchers look at what they know each second.
        let tick = (self.switch.sessions.values().any(|it| it.seen.tag.is_some())).then(|| self.now.plus_ms(1_000));
        let next = [deadline, flight, tick].into_iter().flatten().min().map_or(until, |at| at.min(until));
        self.now = next.max(self.now);
        while let Some(entry) = self.flights.first_entry().filter(|it| it.key().0 <= self.now) {
            let flight = entry.remove();
            self.land(flight)?;
        }
        if deadline.is_some_and(|at| at <= self.now) {
            self.handle(Event::Wake)?;
        }
        self.watch();
        promises::keep(self)
    }

    /// The engine hears of something; what it decided is durable before it is done.
    fn handle(&mut self, event: Event) -> Result<engine::Effects, String> {
        let effects = self.engine.handle(self.now, event);
        let changes = self.engine.take_changes();
        for mirror in &changes.mirrors {
            promises::step(self.stored.get(&mirror.id), mirror)?;
            let is_new = self.stored.insert(mirror.id, Mirror::clone(mirror)).is_none_or(|it| it.state != mirror.state);
            if is_new {
                let at = self.now.ms_since(NOW);
                writeln!(self.trace, "{at} {} {:?}", mirror.id, mirror.state).map_err(|error| error.to_string())?;
            }
        }
        self.store.apply(self.now, changes)?;
        self.engine.state.check(self.now, 64).map_err(|broken| broken.to_string())?;
        for command in &effects.mirrors {
            let mirror = self.stored.get(&command.mirror()).cloned().ok_or("an order about nothing")?;
            let lag = if self.switch.well { self.dice.between(0, 300) } else { self.dice.between(0, 30_000) };
            self.fly(lag, Flight::Order(*command, Arc::new(mirror)));
        }
        Ok(effects)
    }

    fn fly(&mut self, ms: i64, flight: Flight) {
        self.flown += 1;
        self.flights.insert((self.now.plus_ms(ms), self.flown), flight);
    }

    fn land(&mut self, flight: Flight) -> Result<(), String> {
        match flight {
            Flight::Order(command, mirror) => self.carry_out(command, &mirror),
            Flight::Answer(mirror, report) if self.is_up() && self.store_well => {
                self.handle(Event::MirrorReported { mirror, report }).map(drop)
            }
            // The inbox waits for the store; a process that is gone hears nothing.
            Flight::Answer(..) if !self.is_up() => Ok(()),
            waits @ Flight::Answer(..) => {
                self.fly(5_000, waits);
                Ok(())
            }
        }
    }

    /// What the shell does with an order, and what a driver says of it.
    fn carry_out(&mut self, command: MirrorCommand, mirror: &Mirror) -> Result<(), String> {
        if !self.switch.well {
            if let Some(report) = unanswered(command) {
                self.fly(NO_ANSWER_MS, Flight::Answer(mirror.id, report));
            }
            return Ok(());
        }
        let tag = tag(mirror);
        let own = |it: &MirrorTag| it.mirror == mirror.id && it.instance == INSTANCE;
        let report = match command {
            MirrorCommand::Apply { .. } => Some(self.apply(mirror, &tag)?),
            MirrorCommand::Look { .. } => Some(MirrorReport::Looked(self.switch.read(&tag, self.now))),
            MirrorCommand::Rearm { .. } => {
                let here = mirror.plan.sources.iter().all(|(_, port)| !self.switch.gone.contains(port));
                here.then(|| {
                    self.switch.remove(own);
                    let counters = self.switch.apply(mirror, &tag);
                    MirrorReport::Looked(Looked { presence: Presence::AsPlanned, counters })
                })
            }
            MirrorCommand::Retag { .. } => Some(match self.switch.sessions.get_mut(&tag.name()) {
                Some(session) => {
                    session.seen.tag = Some(tag);
                    MirrorReport::Extended
                }
                None => MirrorReport::NotExtended { message: "it is not there".into() },
            }),
            MirrorCommand::Remove { .. } => {
                self.switch.remove(own);
                Some(MirrorReport::Stopped { counters: None })
            }
            MirrorCommand::Prove { .. } => Some(MirrorReport::Quiet { flat: self.dice.one_of(&[Some(true), None]) }),
        };
        let is_lost = self.dice.one_in(12);
        let lost = || Some((NO_ANSWER_MS, unanswered(command)?));
        let most = if self.dice.one_in(6) { 40_000 } else { 400 };
        let late = self.dice.between(1, most);
        let answer = if is_lost { lost() } else { report.map(|report| (late, report)) };
        if let Some((ms, report)) = answer {
            self.fly(ms, Flight::Answer(mirror.id, report));
        }
        Ok(())
    }

    /// Sends only what is still wanted, and what the rules still allow.
    fn apply(&mut self, mirror: &Mirror, tag: &MirrorTag) -> Result<MirrorReport, String> {
        let wanted = !self.is_up() || self.stored.get(&mirror.id).is_some_and(|it| it.state == MirrorState::Applying);
        let refused = |message: &str| Ok(MirrorReport::Refused { message: message.into() });
        if !wanted || mirror.expires_at <= self.now {
            self.switch.remove(|it| it.mirror == mirror.id && it.instance == INSTANCE);
            return refused("it came too late");
        }
        let world = World { except: Some(mirror.id), ..self.world(&mirror.by) };
        if check(&mirror.spec, &world).iter().any(|it| it.weight == shared::mirror::Weight::Blocks) {
            self.switch.remove(|it| it.mirror == mirror.id && it.instance == INSTANCE);
            return refused("a rule forbids it by now");
        }
        promises::begin(self, mirror)?;
        self.begun += 1;
        let counters = self.switch.apply(mirror, tag);
        // Whoever sent it looks at once, so that the sweep knows of it.
        self.sweep.looked_at = None;
        Ok(MirrorReport::Applied { counters })
    }

    /// What the rules see now.
    fn world(&self, by: &Actor) -> World {
        let mut world = world::world();
        world.now = self.now;
        world.asks = name(by).into();
        world.sources =
            vec![(WEB01, vec![machine(WEB01, "web01", "vnet1")]), (WEB02, vec![machine(WEB02, "web02", "vnet2")])];
        for (mac, machines) in &mut world.sources {
            machines[0].seen_at = self.now;
            machines[0].sensitive = *mac == SENSITIVE;
        }
        if let Some(view) = &mut world.switch {
            view.ports.retain(|port| !self.switch.gone.contains(&port.key));
            view.sessions = self.switch.sessions.values().map(|it| it.seen.clone()).collect();
        }
        world.mirrors = self.stored.values().filter(|it| !it.is_over()).cloned().map(Arc::new).collect();
        world
    }

    /// The server's sweep and the watchdog remove what is past its end, whatever anybody else knows.
    fn watch(&mut self) {
        let known: Option<BTreeSet<MirrorId>> = self.store_well.then(|| {
            self.stored
                .values()
                .filter(|it| !it.is_over() && it.state != MirrorState::Stopped)
                .map(|it| it.id)
                .collect()
        });
        if self.is_up() {
            self.lease = self.now;
        }
        let (now, silent) = (self.now, self.now.ms_since(self.lease) > LEASE_MS);
        if !self.switch.well {
            return;
        }
        for (watcher, every, is_sweep) in
            [(&mut self.sweep, SWEEP_LOOKS_MS, true), (&mut self.watchdog, WATCHDOG_LOOKS_MS, false)]
        {
            if watcher.alive_since.is_none() {
                continue;
            }
            if watcher.looked_at.is_none_or(|at| now.ms_since(at) >= every) {
                watcher.looked_at = Some(now);
                let tagged =
                    self.switch.sessions.iter().filter_map(|(name, it)| Some((name.clone(), it.seen.tag.clone()?)));
                watcher.knows = tagged.collect();
            }
            let due = |tag: &MirrorTag| {
                let orphan = is_sweep && known.as_ref().is_some_and(|known| !known.contains(&tag.mirror));
                let abandoned = !is_sweep && silent;
                now.ms_since(tag.expires_at) >= PATIENCE_MS || (tag.instance == INSTANCE && (orphan || abandoned))
            };
            if watcher.knows.values().any(due) {
                self.switch.remove(due);
                watcher.knows.retain(|_, tag| !due(tag));
            }
        }
    }

    /// Something that people, processes or others do.
    fn something(&mut self) -> Result<(), String> {
        // What is broken is mended sooner than it broke.
        if self.dice.one_in(3) {
            if !self.switch.well {
                return self.turn_switch();
            } else if !self.store_well {
                self.store_well = true;
            } else if !self.is_up() {
                return self.crash();
            }
        }
        let hears = self.is_up() && self.store_well;
        match self.dice.between(0, 40) {
            0..=13 if hears => self.request(),
            14..=20 if hears => self.approve(),
            21..=23 if hears => self.extend(),
            24 | 25 if hears => self.stop(),
            26 if hears && self.switch.well => {
                self.switch.remove(|tag| tag.instance == INSTANCE);
                let places = vec![MirrorPlace { backend: "kvm-1".into(), switch: SWITCH.into() }];
                self.act(&account("wang"), MirrorAct::Panic { places }).map(drop)
            }
            27 | 28 => self.crash(),
            29 => self.gap(),
            30 | 31 => self.turn_switch(),
            32 => {
                self.store_well = !self.store_well;
                Ok(())
            }
            33 => {
                let alive = self.watchdog.alive_since.is_none().then_some(self.now);
                self.watchdog = Watcher { alive_since: alive, ..Watcher::default() };
                Ok(())
            }
            34..=40 => self.others(),
            _ => Ok(()),
        }
    }

    fn turn_switch(&mut self) -> Result<(), String> {
        self.switch.well = !self.switch.well;
        self.well_since = self.now;
        Ok(())
    }

    /// What is done to the switch past us.
    fn others(&mut self) -> Result<(), String> {
        let ours: Vec<String> = self.switch.ours().map(|(session, _)| session.seen.name.clone()).collect();
        match self.dice.between(0, 7) {
            0 => self.switch.lose("vnet1"),
            1 | 2 => self.switch.gone.clear(),
            3 => self.switch.add_foreign("theirs", Some("vnet9"), None),
            4 => {
                let end = shared::mirror::TunnelEnd { remote: collector_ip(), session: Some(1) };
                self.switch.add_foreign("theirs too", None, Some(end));
            }
            5 => drop((self.switch.sessions.remove("theirs"), self.switch.sessions.remove("theirs too"))),
            6 => self.switch.add_others(self.now.plus_ms(600_000)),
            _ => {
                let Some(name) = ours.first() else { return Ok(()) };
                if self.dice.one_in(2) {
                    self.switch.sessions.remove(name);
                } else if let Some(session) = self.switch.sessions.get_mut(name) {
                    session.changed = !session.changed;
                }
            }
        }
        Ok(())
    }

    fn act(&mut self, by: &Actor, act: MirrorAct) -> Result<Result<Vec<MirrorId>, MirrorRefusal>, String> {
        let effects = self.handle(Event::Mirror { by: by.clone(), act })?;
        match effects.refused {
            None => Ok(Ok(effects.mirrored)),
            Some(Refusal::Mirror(refusal)) => Ok(Err(*refusal)),
            Some(other) => Err(other.to_string()),
        }
    }

    fn request(&mut self) -> Result<(), String> {
        let by = self.dice.one_of(&[account("li"), account("wang"), Actor::Token { name: "robot".into() }]);
        let mac = self.dice.one_of(&[WEB01, WEB02]);
        let mut spec = MirrorSpec { source: MirrorSource::Nics { macs: vec![mac] }, ..world::spec() };
        if self.dice.one_in(2) {
            world::span(&mut spec);
        } else {
            spec.transport = erspan(collector_ip(), self.dice.between(1, 2) as u32);
        }
        spec.starts_at = self.dice.one_in(3).then(|| self.now.plus_ms(self.dice.between(0, 600_000)));
        let from = spec.starts_at.unwrap_or(self.now);
        spec.expires_at = Some(from.plus_ms(self.dice.between(10, 1_800) * 1_000));
        let world = self.world(&by);
        let plan = ours(0, "", spec.clone()).plan;
        let hash = format!("{}:{spec:?}", plan.switch);
        let plan = shared::mirror::Plan { hash: hash.clone(), ..plan };
        let key = self.dice.one_in(3).then(|| format!("{}", self.dice.between(0, 3)));
        self.act(&by, MirrorAct::Request(Box::new(Request { spec, world, plan, seen: hash, key }))).map(drop)
    }

    fn approve(&mut self) -> Result<(), String> {
        let by = self.dice.one_of(&[account("li"), account("wang"), Actor::Token { name: "robot".into() }]);
        let waiting = self.stored.values().find(|it| it.state == MirrorState::Planned);
        let Some((mirror, right)) = waiting.map(|it| (it.id, it.plan.hash.clone())) else { return Ok(()) };
        let hash = if self.dice.one_in(4) { "another".to_owned() } else { right.clone() };
        if self.act(&by, MirrorAct::Approve { mirror, hash: hash.clone() })?.is_ok() {
            if hash != right {
                return Err(format!("{mirror} was approved by another hash"));
            }
            self.approvals.insert(mirror, by);
        }
        Ok(())
    }

    fn extend(&mut self) -> Result<(), String> {
        let running: Vec<MirrorId> = self.stored.values().filter(|it| it.state.is_running()).map(|it| it.id).collect();
        let Some(mirror) = running.first().copied() else { return Ok(()) };
        let until = self.now.plus_ms(self.dice.between(-60, 20_000) * 1_000);
        if self.act(&account("li"), MirrorAct::Extend { mirror, until })?.is_ok() {
            let longest = self.stored[&mirror].created_at.plus_ms(4 * 3_600_000 + 3_600_000);
            if until > longest || until <= self.now {
                return Err(format!("{mirror} was extended to {until:?}"));
            }
        }
        Ok(())
    }

    fn stop(&mut self) -> Result<(), String> {
        let running: Vec<MirrorId> = self.stored.values().filter(|it| !it.is_over()).map(|it| it.id).collect();
        let Some(mirror) = running.last().copied() else { return Ok(()) };
        self.act(&account("wang"), MirrorAct::Stop { mirror }).map(drop)
    }

    /// The server is killed, and perhaps started again; what was on the wire may still arrive.
    fn crash(&mut self) -> Result<(), String> {
        if self.is_up() {
            let soon = self.now.plus_ms(1_000);
            self.flights.retain(|(at, _), flight| *at < soon && matches!(flight, Flight::Order(..)));
            self.sweep = Watcher::default();
            return Ok(());
        }
        self.sweep = Watcher { alive_since: Some(self.now), ..Watcher::default() };
        if self.store_well {
            self.engine = self.store.restore(self.now);
            self.handle(Event::Wake)?;
        } else {
            // Without its store it does not begin.
            self.sweep = Watcher::default();
        }
        Ok(())
    }

    /// The host of the server and of the watchdog sleeps for hours.
    fn gap(&mut self) -> Result<(), String> {
        self.now = self.now.plus_ms(self.dice.between(60, 4 * 3_600) * 1_000);
        for watcher in [&mut self.sweep, &mut self.watchdog] {
            watcher.alive_since = watcher.alive_since.map(|_| self.now);
            watcher.looked_at = None;
        }
        Ok(())
    }
}

/// What is said when nothing is heard.
fn unanswered(command: MirrorCommand) -> Option<MirrorReport> {
    let message = || "it did not answer within 45 s".to_owned();
    match command {
        MirrorCommand::Apply { .. } => Some(MirrorReport::Unknown { message: message() }),
        MirrorCommand::Remove { .. } => Some(MirrorReport::NotStopped { message: message() }),
        MirrorCommand::Retag { .. } => Some(MirrorReport::NotExtended { message: message() }),
        MirrorCommand::Look { .. } | MirrorCommand::Rearm { .. } | MirrorCommand::Prove { .. } => None,
    }
}

fn tag(mirror: &Mirror) -> MirrorTag {
    MirrorTag {
        mirror: mirror.id,
        instance: INSTANCE.into(),
        owner: name(&mirror.by).into(),
        expires_at: mirror.expires_at,
        plan: "0f".into(),
    }
}

fn name(by: &Actor) -> &str {
    match by {
        Actor::Account { login } => login,
        Actor::Token { name } => name,
        _ => "",
    }
}

fn account(login: &str) -> Actor {
    Actor::Account { login: login.into() }
}
