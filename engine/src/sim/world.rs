//! The simulated world: what happens next, and what each happening does to engine, store and people.

use super::{
    Counts, Failure, Progress, Report, Scale, Store, house, people,
    promises::Promises,
    providers::Providers,
    senders::{self, Message},
};
use crate::{
    compile::Snapshot,
    engine::Engine,
    event::{Act, Command, Effects, Event, Ingested},
    normalize::{Source, normalize},
    oncall::{Copies, Roster},
};
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};
use sha2::{Digest, Sha256};
use shared::{
    AttemptId, Delay, DeliveryReceipt, Failure as Refused, IncidentId, PersonId, Signal, Timestamp,
    config::ContactKind,
    timeline::{Actor, Outcome},
};
use std::{
    collections::{BTreeMap, VecDeque},
    fmt::{self, Write as _},
    sync::Arc,
};

/// 2026-01-01T00:00:00Z; seeds begin on different days of the year, so that all clock changes are met.
const EPOCH: Timestamp = Timestamp::from_ms(1_767_225_600_000);
const DAY_MS: i64 = 86_400_000;
/// How long repeats wait to be counted in their rows; longer than in the real server, so that more crashes fall in it.
const REPEATS_WAIT_MS: i64 = 60_000;
/// Lines of the trace a failure shows.
const TAIL: usize = 60;
/// One of so many commits of a house ends in a crash before it, and one after it.
const CRASH_ONE_IN: u64 = 1_500;
/// One of so many commits of a house compares the engine with one restored from the store.
const COMPARE_ONE_IN: u64 = 400;
/// After so many events of a town everything open is checked; after the others what changed. In a house always.
const WHOLE_EVERY: u64 = 512;

/// Seeded dice.
#[derive(Clone, Debug)]
pub(super) struct Chance(ChaCha8Rng);

impl Chance {
    /// 0 to `n` - 1.
    pub(super) fn below(&mut self, n: u64) -> u64 {
        self.0.next_u64() % n.max(1)
    }

    /// `from` to `to`, both included.
    pub(super) fn between(&mut self, from: u64, to: u64) -> u64 {
        from + self.below(to.saturating_sub(from) + 1)
    }

    pub(super) fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    pub(super) fn pick<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        of.get(self.below(of.len() as u64) as usize)
    }
}

/// Something the world has in store.
#[derive(Clone, Debug)]
enum Item {
    Trouble,
    Storm,
    Beat,
    Message(Message),
    Answer {
        incident: IncidentId,
        attempt: AttemptId,
        try_number: u32,
        result: Result<Option<String>, Refused>,
        process: u64,
    },
    Receipt(IncidentId, AttemptId, DeliveryReceipt),
    Act {
        incident: IncidentId,
        by: Actor,
        act: Act,
    },
    Config,
    Calendar,
    Break,
    Sleep,
    Crash,
    Restart,
    Day,
}

pub(super) struct World {
    seed: u64,
    days: u32,
    scale: Scale,
    start: Timestamp,
    now: Timestamp,
    chance: Chance,
    /// None while the process is down.
    engine: Option<Engine>,
    /// The process stands still until then.
    awake_at: Timestamp,
    /// Which process this is; answers to a dead one are lost.
    process: u64,
    store: Store,
    /// The given configuration, or none when the world makes its own.
    given: Option<Arc<Snapshot>>,
    version: i64,
    agenda: BTreeMap<(Timestamp, u64), Item>,
    serial: u64,
    keys: u64,
    providers: Providers,
    promises: Promises,
    counts: Counts,
    hash: Sha256,
    tail: VecDeque<String>,
}

impl World {
    pub(super) fn new(seed: u64, days: u32, scale: Scale, given: Option<Arc<Snapshot>>) -> Self {
        let mut chance = Chance(ChaCha8Rng::seed_from_u64(seed));
        let start = EPOCH.plus_ms((seed % 365) as i64 * DAY_MS);
        let config = given.clone().unwrap_or_else(|| house::house(&mut chance, &scale, 1, start));
        let mut promises = Promises::default();
        promises.config(&config, start);
        let mut world = Self {
            seed,
            days,
            scale,
            start,
            now: start,
            chance,
            version: config.version,
            engine: Some(Engine::new(config.clone())),
            awake_at: start,
            process: 1,
            store: Store::new(config),
            given,
            agenda: BTreeMap::new(),
            serial: 0,
            keys: 0,
            providers: Providers::default(),
            promises,
            counts: Counts::default(),
            hash: Sha256::new(),
            tail: VecDeque::new(),
        };
        for (item, hours) in [
            (Item::Trouble, 1),
            (Item::Storm, 30),
            (Item::Config, 40),
            (Item::Calendar, 6),
            (Item::Beat, 1),
            (Item::Break, 12),
            (Item::Sleep, 60),
            (Item::Crash, 30),
            (Item::Day, 0),
        ] {
            let after = if hours == 0 { Delay(DAY_MS) } else { world.some(hours) };
            world.later(after, item);
        }
        world
    }

    pub(super) fn run(mut self, progress: &mut dyn FnMut(Progress)) -> Result<Report, Box<Failure>> {
        let end = self.start.plus_ms(i64::from(self.days) * DAY_MS);
        match self.live(end, progress) {
            Ok(()) => {
                let digest = self.hash.finalize();
                let trace = digest.iter().map(|byte| format!("{byte:02x}")).collect();
                Ok(Report { seed: self.seed, days: self.days, scale: self.scale, counts: self.counts, trace })
            }
            Err(what) => {
                let (seed, days, scale, at, tail) = (self.seed, self.days, self.scale, self.now, self.tail.into());
                Err(Box::new(Failure { seed, days, scale, at, what, tail }))
            }
        }
    }

    /// Half to one and a half times as many hours.
    fn some(&mut self, hours: u64) -> Delay {
        Delay::secs(self.chance.between(hours * 1_800, hours * 5_400) as i64)
    }

    fn later(&mut self, after: Delay, item: Item) {
        self.serial += 1;
        self.agenda.insert((self.now.after(after), self.serial), item);
    }

    fn trace(&mut self, what: fmt::Arguments<'_>) {
        let mut line = self.now.ms_since(self.start).to_string();
        // Writing to a String cannot fail; a cut line would show as another hash.
        if write!(line, " {what}").is_ok() {
            self.hash.update(line.as_bytes());
            self.hash.update(b"\n");
        }
        if self.tail.len() >= TAIL {
            self.tail.pop_front();
        }
        self.tail.push_back(line);
    }

    fn live(&mut self, end: Timestamp, progress: &mut dyn FnMut(Progress)) -> Result<(), String> {
        loop {
            let item = self.agenda.first_key_value().map(|((at, _), _)| *at);
            let deadline = self.engine.as_ref().and_then(Engine::next_deadline).map(|(at, _)| at.max(self.awake_at));
            let next = [item, deadline].into_iter().flatten().min();
            let Some(next) = next.filter(|next| *next <= end) else { return Ok(()) };
            self.now = self.now.max(next);
            if deadline.is_some_and(|at| at <= self.now) {
                self.handle(Event::Wake)?;
                continue;
            }
            let Some((_, item)) = self.agenda.pop_first() else { return Ok(()) };
            if matches!(item, Item::Day) {
                let day = (self.now.ms_since(self.start) / DAY_MS) as u32;
                progress(Progress { day, days: self.days, events: self.counts.events });
            }
            self.happen(item)?;
        }
    }

    fn happen(&mut self, item: Item) -> Result<(), String> {
        // A machine that stands still takes nothing and starts nothing; what is for it comes when it goes on.
        let inside = matches!(
            item,
            Item::Message(_)
                | Item::Answer { .. }
                | Item::Receipt(..)
                | Item::Act { .. }
                | Item::Config
                | Item::Calendar
                | Item::Crash
                | Item::Restart
                | Item::Beat
        );
        if inside && self.now < self.awake_at {
            // The lease may have ended meanwhile, and that is looked at first.
            if let Item::Answer { attempt, .. } = &item {
                self.ambiguous(*attempt);
            }
            self.later(Delay(self.awake_at.ms_since(self.now)), item);
            return Ok(());
        }
        match item {
            Item::Trouble => {
                for (after, message) in
                    senders::trouble(&mut self.chance, &mut self.keys, self.scale.machines, self.now)
                {
                    self.later(after, Item::Message(message));
                }
                let after = Delay(Delay::secs(self.chance.between(60, 3_600) as i64).0 / i64::from(self.scale.busy));
                self.later(after, Item::Trouble);
            }
            Item::Storm => {
                for (after, message) in senders::storm(&mut self.chance) {
                    self.later(after, Item::Message(message));
                }
                let after = self.some(70);
                self.later(after, Item::Storm);
            }
            Item::Message(message) => self.message(message)?,
            Item::Answer { process, .. } if process != self.process => {}
            Item::Answer { incident, attempt, try_number, result, .. } => {
                self.handle(Event::DeliveryFinished { incident, attempt, try_number, result })?;
            }
            Item::Receipt(incident, message, receipt) => self.told(incident, message, receipt)?,
            Item::Act { incident, by, act } => self.act(incident, by, act)?,
            Item::Beat => {
                // A beat while nobody is there to take it is lost.
                let signal = if self.chance.one_in(30) { Signal::Fail } else { Signal::Beat };
                self.trace(format_args!("{signal:?}"));
                self.handle(Event::Beat { heartbeat: super::house::JOB.into(), signal, note: String::new() })?;
                let hours = if self.chance.one_in(20) { 4 } else { 1 };
                let after = self.some(hours);
                self.later(after, Item::Beat);
            }
            Item::Config => self.replace_config()?,
            Item::Calendar => self.read_calendar()?,
            Item::Break => {
                let name = self.providers.break_one(&mut self.chance, self.now);
                self.trace(format_args!("{name} breaks"));
                let after = self.some(16);
                self.later(after, Item::Break);
            }
            Item::Sleep => {
                let length = Delay::mins(self.chance.between(1, 120) as i64);
                self.trace(format_args!("stands still for {length}"));
                self.counts.sleeps += 1;
                self.awake_at = self.now.after(length);
                self.promises.excuse(self.awake_at);
                let after = self.some(80);
                self.later(after, Item::Sleep);
            }
            Item::Crash => {
                if self.engine.is_some() {
                    self.crash("killed");
                }
                let after = self.some(40);
                self.later(after, Item::Crash);
            }
            Item::Restart => self.restart()?,
            Item::Day => {
                if let Some(oldest) = self.promises.oldest() {
                    self.providers.forget_before(oldest);
                }
                self.later(Delay(DAY_MS), Item::Day);
            }
        }
        Ok(())
    }

    fn crash(&mut self, when: &str) {
        self.trace(format_args!("crash: {when}"));
        self.counts.crashes += 1;
        self.engine = None;
        self.process += 1;
        // A page a provider took, whose answer nobody is there to hear, may ring again.
        let lost: Vec<AttemptId> = self
            .agenda
            .values()
            .filter_map(|item| match item {
                Item::Answer { attempt, process, .. } if *process + 1 == self.process => Some(*attempt),
                _ => None,
            })
            .collect();
        lost.into_iter().for_each(|attempt| self.ambiguous(attempt));
        let down =
            Delay::secs(
                if self.chance.one_in(5) { self.chance.between(60, 1_800) } else { self.chance.between(1, 10) } as i64,
            );
        self.later(down, Item::Restart);
    }

    fn ambiguous(&mut self, attempt: AttemptId) {
        self.counts.ambiguous += 1;
        self.promises.ambiguous(attempt);
    }

    fn restart(&mut self) -> Result<(), String> {
        self.trace(format_args!("up again"));
        self.promises.excuse(self.now);
        self.engine = Some(self.store.restore(self.now));
        self.handle(Event::Wake).map(|_| ())
    }

    fn replace_config(&mut self) -> Result<(), String> {
        let after = self.some(50);
        self.later(after, Item::Config);
        if self.engine.is_none() {
            return Ok(());
        }
        self.version += 1;
        let config = match &self.given {
            Some(given) => Arc::new(Snapshot { version: self.version, ..Snapshot::clone(given) }),
            None => house::house(&mut self.chance, &self.scale, self.version, self.now),
        };
        let config = Arc::new(config.with_copies(self.store.config().copies.clone()));
        self.counts.configurations += 1;
        let version = self.version;
        self.trace(format_args!("configuration {version}"));
        // Stored first, as the shell does: after a crash it is in force.
        self.store.replace_config(config.clone());
        self.promises.config(&config, self.now);
        self.handle(Event::ConfigReplaced(config)).map(|_| ())
    }

    /// Somebody changed a calendar, and it was fetched.
    fn read_calendar(&mut self) -> Result<(), String> {
        let after = self.some(12);
        self.later(after, Item::Calendar);
        let config = self.store.config();
        let urls = config.rosters.values().flat_map(Roster::imported).map(|it| it.url.clone()).collect::<Vec<_>>();
        let Some(url) = self.chance.pick(&urls).cloned().filter(|_| self.engine.is_some()) else { return Ok(()) };
        let people: Vec<&PersonId> = config.people.keys().collect();
        let text = house::calendar(&mut self.chance, &people, self.now);
        self.trace(format_args!("calendar {url}: {} bytes", text.len()));
        let mut copies = Copies::clone(&config.copies);
        copies.insert(url, text.into());
        let copies = Arc::new(copies);
        // Stored first, as the shell does.
        self.store.keep_copies(copies.clone());
        self.promises.config(&self.store.config(), self.now);
        self.handle(Event::CalendarsRead(copies)).map(|_| ())
    }

    fn message(&mut self, message: Message) -> Result<(), String> {
        let again = Delay::secs(self.chance.between(5, 60) as i64);
        let Some(engine) = &self.engine else {
            // Without a 2xx a sender sends again.
            self.later(again, Item::Message(message));
            return Ok(());
        };
        let integration = engine.config().integration(&message.sender.into());
        let source =
            Source { integration: &integration, content_type: None, format: None, peer: None, received_at: self.now };
        let parsed = normalize(&source, message.body.as_bytes());
        let ingested = Ingested {
            integration: integration.id.clone(),
            key: message.key.clone(),
            events: parsed.events.into_iter().map(|parsed| parsed.event).collect(),
            rejected: parsed.rejected,
            places: Vec::new(),
            replayed: false,
        };
        let members = ingested.events.len() + ingested.rejected.len();
        self.trace(format_args!("{} {:?} {}", message.sender, message.key, message.body));
        let Some(effects) = self.handle(Event::Ingested(ingested))? else {
            self.later(again, Item::Message(message));
            return Ok(());
        };
        let Some(event) = effects.event else { return Err("a message got no number".to_owned()) };
        if effects.outcomes.len() != members {
            return Err(format!("{members} members of a message ended as {:?}", effects.outcomes));
        }
        self.counts.messages += 1;
        let key = message.key.clone().map(|key| (integration.id, key));
        self.promises.answered(key, (self.now, event, effects.outcomes), effects.repeated)?;
        if message.key.is_some() && self.chance.one_in(6) {
            // The answer was lost on the way: the same message comes once more.
            self.later(again, Item::Message(message));
        }
        Ok(())
    }

    fn act(&mut self, incident: IncidentId, by: Actor, act: Act) -> Result<(), String> {
        if self.engine.is_none() {
            self.later(Delay::mins(1), Item::Act { incident, by, act });
            return Ok(());
        }
        self.trace(format_args!("{by:?} {incident} {act:?}"));
        let before = self.engine.as_ref().and_then(|engine| engine.state.incidents.get(&incident)).cloned();
        let effects = self.handle(Event::Acted { incident, by, act })?;
        let Some(effects) = effects else { return Ok(()) };
        self.counts.actions += 1;
        if let Some(refusal) = effects.refused {
            self.counts.refused += 1;
            self.trace(format_args!("refused: {refusal}"));
            let after = self.engine.as_ref().and_then(|engine| engine.state.incidents.get(&incident));
            let changed = before.as_ref().zip(after).is_some_and(|(before, after)| before.version < after.version);
            // A deadline at the same instant may have run a level; the action itself must not.
            if changed && effects.commands.is_empty() {
                return Err(format!("incident {incident} changed although the action was refused"));
            }
        }
        Ok(())
    }

    /// Receipts come over the network: one that finds nobody is lost.
    fn told(&mut self, incident: IncidentId, message: AttemptId, receipt: DeliveryReceipt) -> Result<(), String> {
        self.handle(Event::DeliveryReceipt { incident, message, receipt, device: None }).map(drop)
    }

    /// One event through the engine and the store; nothing comes back when the process died over it.
    fn handle(&mut self, event: Event) -> Result<Option<Effects>, String> {
        let now = self.now;
        let Some(engine) = self.engine.as_mut() else { return Ok(None) };
        let message = match &event {
            Event::Ingested(message) => Some((message.integration.clone(), message.key.clone())),
            _ => None,
        };
        let replaced = matches!(event, Event::ConfigReplaced(_));
        let answered = match &event {
            Event::DeliveryFinished { attempt, .. } => Some(*attempt),
            _ => None,
        };
        let effects = engine.handle(now, event);
        self.counts.events += 1;
        if self.chance.one_in(CRASH_ONE_IN * u64::from(self.scale.busy)) && !replaced {
            self.crash("before the commit");
            if let Some(attempt) = answered {
                self.ambiguous(attempt);
            }
            return Ok(None);
        }
        let changes = engine.take_changes_but_repeats(now.plus_ms(-REPEATS_WAIT_MS));
        self.promises.committed(&changes, now)?;
        let whole = self.scale.is_house() || self.counts.events.is_multiple_of(WHOLE_EVERY);
        self.promises.check(engine, &changes, whole, now)?;
        let lines: Vec<String> =
            changes.timeline.iter().map(|entry| serde_json::to_string(entry).unwrap_or_default()).collect();
        self.store.apply(now, changes)?;
        if let (Some((integration, key)), Some(event), false) = (message, effects.event, effects.repeated) {
            self.store.remember(now, integration, key, event, effects.outcomes.clone());
        }
        for line in lines {
            self.trace(format_args!("{line}"));
        }
        if !effects.repeated {
            effects.outcomes.iter().for_each(|outcome| self.book(outcome));
        }
        if self.chance.one_in(COMPARE_ONE_IN * u64::from(self.scale.busy)) {
            self.compare()?;
        }
        if self.chance.one_in(CRASH_ONE_IN * u64::from(self.scale.busy)) {
            self.compare()?;
            // What was committed and never handed over rings when its lease ends.
            self.crash("after the commit");
            return Ok(None);
        }
        for command in &effects.commands {
            self.deliver(command)?;
        }
        Ok(Some(effects))
    }

    fn book(&mut self, outcome: &Outcome) {
        let counts = &mut self.counts;
        match outcome {
            Outcome::Opened { .. } => {
                counts.opened += 1;
                counts.incidents += 1;
            }
            Outcome::Refreshed { .. } | Outcome::Acknowledged { .. } => counts.refreshed += 1,
            Outcome::Closed { .. } => counts.closed += 1,
            Outcome::Suppressed { .. } => counts.suppressed += 1,
            Outcome::Dropped { .. } => counts.dropped += 1,
            Outcome::Rejected { .. } => counts.rejected += 1,
        }
    }

    /// A new process would know what this one knows.
    fn compare(&mut self) -> Result<(), String> {
        let Some(engine) = &self.engine else { return Ok(()) };
        self.counts.restores += 1;
        let restored = self.store.restore(self.now);
        match engine.differs_from(&restored, self.now) {
            Some(what) => Err(format!("{what} of a restored engine differ")),
            None => Ok(()),
        }
    }

    fn deliver(&mut self, command: &Command) -> Result<(), String> {
        let Command::Deliver { incident, page, attempt, try_number, others, .. } = command;
        let (incident, attempt, try_number) = (*incident, *attempt, *try_number);
        let Some(engine) = &self.engine else { return Ok(()) };
        self.promises.begun(engine, incident, attempt, try_number, self.now)?;
        for other in others {
            self.promises.begun(engine, other.incident, other.attempt, try_number, self.now)?;
        }
        let Some(known) = engine.state.incidents.get(&incident).cloned() else { return Ok(()) };
        let found = known.pages.iter().rev().find(|it| it.id == *page);
        let Some((page, planned)) =
            found.and_then(|page| Some((page, page.attempts.iter().find(|it| it.id == attempt)?)))
        else {
            return Err(format!("delivery {attempt} belongs to no page"));
        };
        self.counts.deliveries += 1;
        self.trace(format_args!("deliver {incident} {attempt} try {try_number}"));
        let outcome = self.providers.deliver(&mut self.chance, planned.channel.as_str(), attempt, self.now);
        if outcome.rings && self.promises.rang(attempt)? {
            self.counts.rang_twice += 1;
        }
        let lease = engine_lease(command);
        match &outcome.answer {
            Some((_, Ok(_))) => self.counts.accepted += 1,
            Some((_, Err(failure))) if failure.ambiguous => self.ambiguous(attempt),
            _ => {}
        }
        if outcome.answer.as_ref().is_none_or(|(after, _)| *after >= lease) {
            self.ambiguous(attempt);
        }
        let Command::Deliver { message, .. } = command;
        for (after, receipt) in outcome.receipts {
            self.later(after, Item::Receipt(incident, *message, receipt));
        }
        if let Some((after, result)) = outcome.answer {
            let process = self.process;
            let answer = Item::Answer { incident, attempt, try_number, result, process };
            if outcome.twice {
                self.later(Delay(after.0 + 40), answer.clone());
            }
            self.later(after, answer);
        }
        if outcome.rings && planned.channel != ContactKind::Webhook {
            let by = match &page.recipient {
                shared::Recipient::Person(person) if attempt.0 % 2 == 0 => {
                    Actor::Link { person: person.clone(), via: None }
                }
                recipient => Actor::Account { login: shared::text::recipient_name(recipient).to_owned() },
            };
            for (after, act) in people::answer(&mut self.chance, &known, self.now) {
                self.later(after, Item::Act { incident, by: by.clone(), act });
            }
        }
        Ok(())
    }
}

fn engine_lease(command: &Command) -> Delay {
    let Command::Deliver { lease, .. } = command;
    *lease
}
