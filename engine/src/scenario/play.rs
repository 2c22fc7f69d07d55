//! Plays a scenario against the engine under the virtual clock, and tells what happened.

use super::{Action, Behaviour, ConfigText, Expectation, Scenario, Step, Told, What, parse::LATENCY};
use crate::{
    compile::Snapshot,
    engine::Engine,
    event::{Act, Command, Effects, Event, Ingested, SilenceAct, Tell},
    normalize::{Source, normalize},
    oncall::Copies,
    sim::Store,
};
use shared::{
    AlertId, AttemptId, ContactId, Delay, DeliveryReceipt, Failure as Refused, Incident, IncidentId, IncidentState,
    Page, Pulse, Recipient, Silence, SilenceId, SilenceRequest, Storm, Timestamp,
    config::{ContactKind, Document},
    text::{Language, Names, happening, notice_text},
    timeline::{Actor, Outcome},
};
use std::{
    collections::BTreeMap,
    fmt::{self, Write as _},
    sync::Arc,
};

/// A promise of the scenario, or of the engine, that did not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct Failure {
    pub line: usize,
    pub what: String,
}

/// What happened.
#[derive(Clone, Debug, Default)]
pub struct Story {
    /// One line for each thing that happened, and the incidents as they stand at the end.
    pub text: String,
    pub failures: Vec<Failure>,
}

/// Plays the steps in order; `read` turns a configuration's text into a document.
pub fn play(
    scenario: &Scenario,
    mut read: impl FnMut(&ConfigText) -> Result<Document, String>,
) -> Result<Story, Failure> {
    let mut config = |text: &ConfigText, version: i64, line: usize| {
        let document = read(text).map_err(|what| Failure { line, what })?;
        Snapshot::compile(version, document)
            .map(Arc::new)
            .map_err(|findings| Failure { line, what: format!("the configuration is refused: {findings:?}") })
    };
    let first = config(&scenario.config, 1, 1)?;
    let mut player = Player::new(scenario.start, first);
    for step in &scenario.steps {
        let until = scenario.start.after(step.at);
        player.line = step.line;
        player.advance(until);
        player.step(step, |text, version| config(text, version, step.line))?;
    }
    player.close();
    Ok(player.story)
}

/// A delivery that began.
struct Delivery {
    at: Timestamp,
    to: String,
    contact: ContactId,
    level: u32,
    reminder: bool,
}

struct Player {
    start: Timestamp,
    now: Timestamp,
    /// None while the process is down.
    engine: Option<Engine>,
    up_at: Timestamp,
    store: Store,
    version: i64,
    /// Providers' answers on their way.
    answers: BTreeMap<(Timestamp, u64), Event>,
    next_answer: u64,
    /// The newest rule for a contact counts.
    providers: Vec<(String, Behaviour)>,
    deliveries: Vec<Delivery>,
    incidents: BTreeMap<IncidentId, Arc<Incident>>,
    silences: BTreeMap<SilenceId, Arc<Silence>>,
    outcomes: Vec<Outcome>,
    /// The time of the step before the ones at `now`.
    previous: Timestamp,
    stepped_at: Timestamp,
    line: usize,
    story: Story,
}

impl Player {
    fn new(start: Timestamp, config: Arc<Snapshot>) -> Self {
        Self {
            start,
            now: start,
            engine: Some(Engine::new(config.clone())),
            up_at: start,
            store: Store::new(config),
            version: 1,
            answers: BTreeMap::new(),
            next_answer: 0,
            providers: Vec::new(),
            deliveries: Vec::new(),
            incidents: BTreeMap::new(),
            silences: BTreeMap::new(),
            outcomes: Vec::new(),
            previous: start.plus_ms(-1),
            stepped_at: start.plus_ms(-1),
            line: 0,
            story: Story::default(),
        }
    }

    fn fail(&mut self, what: impl Into<String>) {
        self.story.failures.push(Failure { line: self.line, what: what.into() });
    }

    fn tell(&mut self, what: fmt::Arguments<'_>) {
        let after = Delay(self.now.ms_since(self.start)).to_string();
        if writeln!(self.story.text, "{after:<9} {what}").is_err() {
            self.fail("the story could not be written");
        }
    }

    /// Lets everything happen that is due until then.
    fn advance(&mut self, until: Timestamp) {
        loop {
            let answer = self.answers.first_key_value().map(|((at, _), _)| *at);
            let deadline = self.engine.as_ref().and_then(Engine::next_deadline).map(|(at, _)| at);
            let restart = self.engine.is_none().then_some(self.up_at);
            // A process that stands still handles what came meanwhile when it goes on.
            let next = [answer, deadline, restart].into_iter().flatten().min().map(|at| at.max(self.up_at));
            let Some(next) = next.filter(|next| *next <= until) else { break };
            self.now = self.now.max(next);
            if self.engine.is_none() {
                self.engine = Some(self.store.restore(self.now));
                self.tell(format_args!("the server is up again"));
                self.handle(Event::Wake);
            } else if answer.is_some_and(|at| at <= self.now) && deadline.is_none_or(|at| answer < Some(at)) {
                let Some((_, answer)) = self.answers.pop_first() else { break };
                self.handle(answer);
            } else {
                self.handle(Event::Wake);
            }
        }
        self.now = self.now.max(until);
        if self.stepped_at < self.now {
            (self.previous, self.stepped_at) = (self.stepped_at, self.now);
        }
    }

    /// One event through the engine, the store and the providers.
    fn handle(&mut self, event: Event) -> Option<Effects> {
        let now = self.now;
        let engine = self.engine.as_mut()?;
        let effects = engine.handle(now, event);
        let broken = engine.state.check(now, engine.config().paging().in_flight).err().map(|it| it.to_string());
        let changes = engine.take_changes();
        for incident in &changes.incidents {
            self.incidents.insert(incident.id, incident.clone());
        }
        self.silences.extend(changes.silences.iter().map(|it| (it.id, it.clone())));
        let names = Names::new();
        let told: Vec<String> = changes
            .timeline
            .iter()
            .map(|entry| {
                format!("#{} {} {}", entry.incident, by(&entry.actor), happening(Language::En, &names, &entry.what))
            })
            .collect();
        for line in told {
            self.tell(format_args!("{line}"));
        }
        let storms = changes.storms.clone();
        let stored = self.store.apply(now, changes).err();
        for storm in storms {
            self.tell_storm(&storm);
        }
        for what in broken.into_iter().chain(stored) {
            self.fail(what);
        }
        for command in &effects.commands {
            self.deliver(command);
        }
        for notice in &effects.notices {
            self.tell_person(*notice);
        }
        Some(effects)
    }

    fn tell_storm(&mut self, storm: &Storm) {
        if storm.ended_at.is_none() {
            if storm.began_at == self.now {
                self.tell(format_args!("a storm with #{}: {} incidents", storm.id, storm.incidents));
            }
            return;
        }
        let Storm { incidents, p0, received, outcomes, deliveries, messages, dropped, .. } = storm;
        self.tell(format_args!(
            "the storm is over: {incidents} incidents, {p0} of them P0; {received} received: {outcomes:?}; {messages} \
             messages, {deliveries:?}; dropped {dropped}"
        ));
        if *dropped != 0 {
            self.fail("a storm dropped something");
        }
    }

    fn deliver(&mut self, command: &Command) {
        let Command::Deliver { incident, page, attempt, contact, try_number, reminder, message, others, storm, .. } =
            command;
        let found = self.incidents.get(incident).and_then(|it| it.pages.iter().rev().find(|it| it.id == *page));
        let Some(Page { recipient, policy, level, .. }) = found.cloned() else {
            return self.fail(format!("delivery {attempt} belongs to no page"));
        };
        let to = match &recipient {
            Recipient::Person(id) => format!("person:{id}"),
            Recipient::Webhook(id) => format!("webhook:{id}"),
        };
        let again = if *try_number > 1 { format!(", try {try_number}") } else { String::new() };
        let slow = if *reminder { ", reminder" } else { "" };
        let human = level + 1;
        let with: String = others
            .iter()
            .map(|it| format!(" #{}{}", it.incident, if it.reminder { " (reminder)" } else { "" }))
            .collect();
        let with = if with.is_empty() { with } else { format!(" with{with}") };
        let with = if storm.is_some() { with + ", storm" } else { with };
        self.tell(format_args!("-> #{incident} {to} via {contact} ({policy} level {human}{again}{slow}){with}"));
        self.deliveries.push(Delivery { at: self.now, to, contact: contact.clone(), level, reminder: *reminder });
        let (after, result) = match self.behaviour(&recipient, contact) {
            Behaviour::Accepts { after } => (after, Ok(None)),
            Behaviour::Fails { permanently } => (LATENCY, Err(refused("the provider refused it", permanently))),
            Behaviour::RefusesUs => (LATENCY, Err(refused_us())),
            Behaviour::TooMany { retry_after } => {
                let retry_after_ms = retry_after.map(|delay| delay.0);
                (LATENCY, Err(Refused { retry_after_ms, ..refused("too many requests", false) }))
            }
            Behaviour::LosesTheAnswer => {
                (LATENCY, Err(Refused { ambiguous: true, ..refused("the answer was lost", false) }))
            }
            Behaviour::Tells { what, after } => {
                self.tell_later(*incident, *message, what, after);
                (LATENCY, Ok(None))
            }
            Behaviour::TimesOut => return,
        };
        self.next_answer += 1;
        let (incident, attempt, try_number) = (*incident, *message, *try_number);
        let answer = Event::DeliveryFinished { incident, attempt, try_number, result };
        self.answers.insert((self.now.after(after), self.next_answer), answer);
    }

    /// What becomes of a message that was taken.
    fn tell_later(&mut self, incident: IncidentId, message: AttemptId, what: Told, after: Delay) {
        let receipt = match what {
            Told::Delivered => DeliveryReceipt::Delivered,
            Told::Shown => DeliveryReceipt::Shown,
            Told::Opened => DeliveryReceipt::Opened,
            Told::Failed => DeliveryReceipt::Failed { failure: refused("the phone is switched off", true) },
        };
        self.next_answer += 1;
        let event = Event::DeliveryReceipt { incident, message, receipt, device: None };
        self.answers.insert((self.now.after(after), self.next_answer), event);
    }

    /// A notice to its provider; it is no page, and what expects pages does not count it.
    fn tell_person(&mut self, what: Tell) {
        let Tell { silence, attempt, try_number } = what;
        let known = self.silences.get(&silence).cloned();
        let found = known.as_ref().and_then(|known| {
            let notice =
                known.notices.iter().find(|it| it.sending.as_ref().is_some_and(|sending| sending.id == attempt))?;
            let text = notice_text(Language::En, known, notice)?;
            Some((notice.person.clone()?, notice.sending.as_ref()?.contact.clone(), text))
        });
        let Some((person, contact, text)) = found else {
            return self.fail(format!("notice {attempt} tells nobody anything"));
        };
        let again = if try_number > 1 { format!(" (try {try_number})") } else { String::new() };
        self.tell(format_args!("-> person:{person} via {contact}{again}: {}", text.title));
        for line in text.body.lines().filter(|line| line.starts_with('#')) {
            self.tell(format_args!("      {line}"));
        }
        let (after, result) = match self.behaviour(&Recipient::Person(person), &contact) {
            Behaviour::Accepts { after } => (after, Ok(None)),
            Behaviour::Tells { .. } => (LATENCY, Ok(None)),
            Behaviour::Fails { permanently } => (LATENCY, Err(refused("the provider refused it", permanently))),
            Behaviour::RefusesUs => (LATENCY, Err(refused_us())),
            Behaviour::TooMany { .. } | Behaviour::LosesTheAnswer => (LATENCY, Err(refused("no answer", false))),
            Behaviour::TimesOut => return,
        };
        self.next_answer += 1;
        self.answers.insert(
            (self.now.after(after), self.next_answer),
            Event::NoticeFinished { silence, attempt, try_number, result },
        );
    }

    fn behaviour(&self, recipient: &Recipient, contact: &ContactId) -> Behaviour {
        let full = match recipient {
            Recipient::Person(person) => format!("{person}/{contact}"),
            Recipient::Webhook(hook) => hook.to_string(),
        };
        let rule = self.providers.iter().rev().find(|(name, _)| *name == full || name == contact.as_str());
        rule.map_or(Behaviour::Accepts { after: LATENCY }, |(_, behaviour)| *behaviour)
    }

    fn step(
        &mut self,
        step: &Step,
        config: impl FnOnce(&ConfigText, i64) -> Result<Arc<Snapshot>, Failure>,
    ) -> Result<(), Failure> {
        match &step.what {
            What::Post { integration, key, body } => {
                let Some(engine) = &self.engine else {
                    self.tell(format_args!("post {integration}: the server is down"));
                    return Ok(());
                };
                let settings = engine.config().integration(integration);
                let source = Source {
                    integration: &settings,
                    content_type: None,
                    format: None,
                    peer: None,
                    received_at: self.now,
                };
                let parsed = normalize(&source, body.as_bytes());
                let events = parsed.events.into_iter().map(|parsed| parsed.event).collect();
                let (integration, rejected) = (integration.clone(), parsed.rejected);
                self.post(
                    Ingested { integration, key: key.clone(), events, rejected, places: Vec::new(), replayed: false },
                    body,
                );
            }
            What::Beat { heartbeat, signal, note } => {
                self.tell(format_args!("beat {heartbeat}: {signal:?} {note}"));
                let (heartbeat, signal, note) = (heartbeat.clone(), *signal, note.clone());
                match self.handle(Event::Beat { heartbeat, signal, note }).map(|effects| effects.refused) {
                    Some(None) => {}
                    Some(Some(refusal)) => self.fail(format!("the beat was refused: {refusal}")),
                    None => self.tell(format_args!("   the server is down")),
                }
            }
            What::Act { incident, by, act, refused } => self.act(*incident, by, act, *refused),
            What::Silence { kind, by, after, length, matches } => {
                let starts_at = self.now.after(*after);
                let request = SilenceRequest {
                    kind: *kind,
                    matches: matches.clone(),
                    starts_at: Some(starts_at),
                    ends_at: length.map(|length| starts_at.after(length)),
                    until_recovered: length.is_none(),
                    recurs: None,
                    reason: "a story".to_owned(),
                    author: None,
                };
                self.silence(by, SilenceAct::Begin(request));
            }
            What::EndSilence { silence, by } => self.silence(by, SilenceAct::End(SilenceId(*silence))),
            What::Provider { contact, behaviour } => self.providers.push((contact.clone(), *behaviour)),
            What::Config(text) => {
                self.version += 1;
                let config = config(text, self.version)?;
                let config = Arc::new(config.with_copies(self.store.config().copies.clone()));
                self.store.replace_config(config.clone());
                let version = self.version;
                self.tell(format_args!("configuration {version} is in force"));
                self.handle(Event::ConfigReplaced(config));
            }
            What::Calendar { url, text } => {
                let mut copies = Copies::clone(&self.store.config().copies);
                copies.insert(url.clone(), text.as_str().into());
                let copies = Arc::new(copies);
                self.store.keep_copies(copies.clone());
                self.tell(format_args!("the calendar {url} was fetched"));
                self.handle(Event::CalendarsRead(copies));
            }
            What::Crash { down } => {
                self.tell(format_args!("the server is killed"));
                self.engine = None;
                self.answers.clear();
                self.up_at = self.now.after(*down);
                self.advance(self.now);
            }
            What::Sleep { length } => {
                self.tell(format_args!("the machine stands still for {length}"));
                self.up_at = self.now.after(*length);
            }
            What::Expect(expectation) => self.expect(expectation),
        }
        Ok(())
    }

    fn silence(&mut self, by: &str, act: SilenceAct) {
        let told = match &act {
            SilenceAct::Begin(request) | SilenceAct::Change(_, request) => {
                format!("{:?} {}", request.kind, request.matches.join(" ")).to_lowercase()
            }
            SilenceAct::End(id) => format!("ends silence {id}"),
        };
        self.tell(format_args!("{by}: {told}"));
        let by = Actor::Account { login: by.to_owned() };
        match self.handle(Event::Silence { by, act }).map(|effects| (effects.silence, effects.refused)) {
            Some((_, Some(refusal))) => self.tell(format_args!("   refused: {refusal}")),
            Some((Some(silence), _)) => self.tell(format_args!("   silence {silence}")),
            _ => {}
        }
    }

    fn post(&mut self, message: Ingested, body: &str) {
        let (integration, key, at) = (message.integration.clone(), message.key.clone(), self.now);
        self.tell(format_args!("post {integration} {}", body.replace('\n', "\\n")));
        let Some(effects) = self.handle(Event::Ingested(message)) else { return };
        if let (Some(key), Some(event), false) = (key, effects.event, effects.repeated) {
            self.store.remember(at, integration, Some(key), event, effects.outcomes.clone());
        }
        let again = if effects.repeated { " (the same message)" } else { "" };
        for outcome in &effects.outcomes {
            self.tell(format_args!("   {}{again}", ended(outcome)));
        }
        self.outcomes = effects.outcomes;
    }

    fn act(&mut self, incident: i64, by: &str, act: &Action, expected: bool) {
        let by = match by.split_once(':') {
            Some(("link", person)) => Actor::Link { person: person.into(), via: None },
            Some(("token", name)) => Actor::Token { name: name.to_owned() },
            _ => Actor::Account { login: by.to_owned() },
        };
        let act = match act {
            Action::Ack { length } => Act::Ack { until: length.map(|length| self.now.after(length)) },
            Action::Unack => Act::Unack,
            Action::Resolve => Act::Resolve,
            Action::Snooze { length } => Act::Snooze { until: self.now.after(*length) },
            Action::Escalate { policy, level, version } => {
                Act::Escalate { policy: policy.clone(), level: *level, version: *version }
            }
            Action::Reassign { to } => Act::Reassign { to: to.clone() },
            Action::ApplyPolicy { version } => Act::ApplyPolicy { version: *version },
            Action::AddResponders { targets, version } => {
                Act::AddResponders { targets: targets.clone(), version: *version }
            }
            Action::Note { text } => Act::Note { text: text.clone() },
            Action::Merge { into, version } => Act::Merge { into: IncidentId(*into), version: *version },
            Action::Detach { alert, version } => Act::Detach { alert: AlertId(*alert), version: *version },
        };
        let Some(effects) = self.handle(Event::Acted { incident: IncidentId(incident), by, act }) else {
            return self.fail("the server is down");
        };
        if let Some(refusal) = &effects.refused {
            self.tell(format_args!("   refused: {refusal}"));
        }
        match (&effects.refused, expected) {
            (Some(refusal), false) => self.fail(format!("it was refused: {refusal}")),
            (None, true) => self.fail("it was not refused"),
            _ => {}
        }
    }

    fn expect(&mut self, expectation: &Expectation) {
        match expectation {
            Expectation::Page { to, via, level, reminder, within } => {
                let since = self.now.plus_ms(-within.0);
                let is = |it: &&Delivery| {
                    it.to == *to
                        && via.as_ref().is_none_or(|via| *via == it.contact)
                        && level.is_none_or(|level| level == it.level)
                        && it.reminder == *reminder
                };
                if !self.deliveries.iter().rev().take_while(|it| it.at > since).any(|it| is(&it)) {
                    let last = self.deliveries.iter().rev().find(is).map(|it| it.at);
                    let last = last.map_or_else(
                        || "there was none at all".to_owned(),
                        |at| format!("the last one began at {}", Delay(at.ms_since(self.start))),
                    );
                    self.fail(format!("no such page to {to} began: {last}"));
                }
            }
            Expectation::Silence { to } => {
                let previous = self.previous;
                let rang: Vec<String> = self
                    .deliveries
                    .iter()
                    .filter(|it| it.at > previous && to.as_ref().is_none_or(|to| *to == it.to))
                    .map(|it| format!("{} at {}", it.to, Delay(it.at.ms_since(self.start))))
                    .collect();
                if !rang.is_empty() {
                    self.fail(format!("it was not silent: {}", rang.join(", ")));
                }
            }
            Expectation::Incident { incident, state, severity } => {
                let Some(found) = self.incidents.get(&IncidentId(*incident)) else {
                    return self.fail(format!("there is no incident {incident}"));
                };
                let stands = (found.state, found.severity);
                if stands.0 != *state || severity.is_some_and(|severity| severity != stands.1) {
                    self.fail(format!("incident {incident} is {:?} {}", stands.0, stands.1));
                }
            }
            Expectation::Heartbeat { heartbeat, state } => {
                let Some(engine) = &self.engine else { return self.fail("the server is down") };
                let config = engine.config().heartbeats.get(heartbeat).map(|it| (it.config.grace, it.config.paused));
                let unheard = Pulse::new(heartbeat.clone());
                let pulse = engine.state.pulses.get(heartbeat).unwrap_or(&unheard);
                let stands = config.map(|(grace, paused)| pulse.state(self.now, grace, paused));
                if stands != Some(*state) {
                    self.fail(format!("heartbeat {heartbeat} is {stands:?}"));
                }
            }
            Expectation::Outcome { name } => {
                let names: Vec<&str> = self.outcomes.iter().map(Outcome::name).collect();
                if names != [name.as_str()] {
                    self.fail(format!("the post ended as {names:?}"));
                }
            }
        }
    }

    /// How everything stands at the end.
    fn close(&mut self) {
        for incident in std::mem::take(&mut self.incidents).into_values() {
            let Incident { id, severity, state, version, count, alerts, firing, .. } = &*incident;
            let (state, known) = (name(*state), alerts.len());
            let again = incident.again.as_ref().map_or_else(String::new, |again| {
                let since = Delay(incident.opened_at.ms_since(again.closed_at));
                format!(", again after {since}, last was #{}, {} times in 24 h", again.previous, again.times)
            });
            self.tell(format_args!(
                "== #{id} {severity} {state}, version {version}, {count} messages, {firing} of {known} firing{again}"
            ));
        }
        if let Some(engine) = &self.engine {
            let accounts = engine.state.accounts;
            let (waiting, flying) = (engine.state.queued(), engine.state.in_flight());
            self.tell(format_args!("== {waiting} deliveries wait, {flying} are under way; {accounts:?}"));
        }
    }
}

const fn name(state: IncidentState) -> &'static str {
    match state {
        IncidentState::Triggered => "triggered",
        IncidentState::Acked => "acked",
        IncidentState::Snoozed => "snoozed",
        IncidentState::Resolved => "resolved",
    }
}

fn refused(detail: &str, permanent: bool) -> Refused {
    Refused {
        permanent,
        ambiguous: false,
        detail: detail.to_owned(),
        retry_after_ms: None,
        fault: shared::Fault::Unknown,
    }
}

fn refused_us() -> Refused {
    Refused { fault: shared::Fault::Provider, ..refused("the account or its token is wrong", true) }
}

fn by(actor: &Actor) -> String {
    match actor {
        Actor::System => "·".to_owned(),
        Actor::Account { login } => format!("{login}:"),
        Actor::Device { login, device } => format!("{login} on {device}:"),
        Actor::Link { person, via } => format!("{person} by {}:", via.map_or("link", ContactKind::as_str)),
        Actor::Token { name } => format!("token {name}:"),
        Actor::Integration { integration } => format!("{integration}:"),
    }
}

fn ended(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Opened { alert, incident } => format!("opened alert {alert} in #{incident}"),
        Outcome::Refreshed { alert, incident } => format!("refreshed alert {alert} in #{incident}"),
        Outcome::Acknowledged { alert, incident } => format!("acknowledged alert {alert} in #{incident}"),
        Outcome::Closed { alert, incident } => format!("closed alert {alert} in #{incident}"),
        Outcome::Suppressed { reason } => format!("suppressed: {reason:?}"),
        Outcome::Dropped { reason } => format!("dropped: {reason:?}"),
        Outcome::Rejected { reason } => format!("rejected: {reason:?}"),
    }
}
