//! What holds for every order of events: the invariants, the accounts, and that a restart changes nothing.

use engine::{
    Act, Changes, Command, Effects, Engine, Event, Ingested, SilenceAct, Snapshot, Tell,
    normalize::{Source, normalize},
    sim::Store,
};
use proptest::prelude::*;
use shared::{
    Action, AlertEvent, AlertId, AttemptId, AttemptState, Failure, IncidentId, Recipient, Severity, SilenceId,
    SilenceKind, SilenceRequest, Storm, Timestamp,
    config::Integration,
    timeline::{Actor, Happening, Outcome},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

const HOUSES: [&str; 4] = [
    r#"
fallback = ["person:chen"]
people = [
  { id = "wang", name = "Wang", contacts = [{ id = "push", ntfy = "wang" }, { id = "mail", email = "w@example.org" }], rules = [{ severity = ["P0", "P1"], notify = [{ contact = "push" }, { contact = "mail", after = "2m" }] }] },
  { id = "li", name = "Li", time_zone = "Asia/Shanghai", contacts = [{ id = "mail", email = "l@example.org" }], quiet_hours = { times = [{ from = "08:02", until = "08:40" }, { from = "22:00", until = "07:00" }], hand_over_to = "wang" } },
  { id = "chen", name = "Chen", contacts = [{ id = "hook", webhook = "https://chen.example/" }] },
  { id = "mute", name = "Mute" },
]
[[policies]]
id = "db"
repeat = 1
levels = [{ notify = ["person:wang"], delay = "5m" }, { notify = ["person:mute"], delay = "5m" }, { notify = ["person:chen"], delay = "2m", when = { severity = ["P0", "P3"], alerts = 1 } }, { notify = ["person:li", "person:wang"], delay = "3m", everyone = true, ack_timeout = "2m" }, { notify = ["person:li"], delay = "0s" }]
[[policies]]
id = "watch"
levels = [{ notify = ["person:mute", "person:li", "person:wang", "person:chen"], delay = "5m", round_robin = true }]
[[routes]]
id = "watch"
match = ["severity=~P0|P2"]
policy = "watch"
continue = true
[[routes]]
id = "db"
match = ["host=~a.*"]
policy = "db"
"#,
    r#"
fallback = ["person:li"]
people = [{ id = "li", name = "Li", time_zone = "Europe/Berlin", quiet_hours = { times = [{ from = "01:10", until = "08:00" }] }, contacts = [{ id = "mail", email = "l@example.org" }] }]
[paging]
tries = 2
give_up_after = "20s"
ack_timeout_p0 = "1m"
defer = { from = "18:00", until = "01:05" }
[[policies]]
id = "db"
levels = [{ notify = ["person:li"], delay = "1m", when = { except = ["odd"] } }]
[[time_windows]]
id = "odd"
time_zone = "Asia/Shanghai"
windows = [{ from = "08:05", until = "09:10" }]
[[routes]]
id = "all"
policy = "db"
severity = "P1"
[[inhibitions]]
id = "whole"
source = ["severity=P0"]
target = ["severity!=P0"]
equal = ["integration"]
[[inhibitions]]
id = "crossing"
source = ["host=a2"]
target = ["host=~a1|b1"]
[[silences]]
id = "backup"
match = ["host=b1"]
reason = "the nightly backup"
time_zone = "Asia/Shanghai"
windows = [{ from = "08:05", until = "09:10" }]
"#,
    r#"
fallback = ["person:li"]
people = [
  { id = "wang", name = "Wang", contacts = [{ id = "push", ntfy = "wang" }] },
  { id = "li", name = "Li", contacts = [{ id = "mail", email = "l@example.org" }] },
]
[flapping]
times = 2
within = "1h"
calm = "5m"
[[policies]]
id = "db"
levels = [{ notify = ["person:wang"], delay = "5m" }, { notify = ["person:li"], delay = "5m" }]
[[policies]]
id = "watch"
levels = [{ notify = ["person:li"], delay = "5m" }]
[[routes]]
id = "all"
match = ["severity!=P6"]
policy = "db"
continue = true
group = { by = ["integration"], window = "5m", limit = 3 }
hold = "1m"
hold_p0 = "15s"
[[routes]]
id = "watch"
match = ["host=a1"]
policy = "watch"
[[inhibitions]]
id = "whole"
source = ["host=a2"]
target = ["host=b1"]
[[silences]]
id = "backup"
kind = "maintenance"
match = ["host=~a1|b1"]
reason = "another backup"
until = "2099-01-01 00:00"
[[silences]]
id = "once"
match = ["severity=P3"]
reason = "known"
windows = [{ days = ["mon..fri"] }]
"#,
    // Little may be sent, and a storm begins with the third.
    r#"
fallback = ["person:li"]
people = [
  { id = "wang", name = "Wang", contacts = [{ id = "push", ntfy = "wang" }, { id = "mail", email = "w@example.org" }], rules = [{ notify = [{ contact = "push" }, { contact = "mail", after = "1m" }] }] },
  { id = "li", name = "Li", contacts = [{ id = "mail", email = "l@example.org" }] },
]
limits = [{ contact = "email", messages = 1, within = "5m" }, { messages = 2, within = "2m" }]
[paging]
bundle = "1m"
tries = 3
[storm]
incidents = 3
within = "5m"
calm = "10m"
at_least_every = "3m"
[[policies]]
id = "all"
repeat = 1
levels = [{ notify = ["person:wang"], delay = "4m" }, { notify = ["person:li", "person:wang"], delay = "5m" }]
[[routes]]
id = "all"
policy = "all"
"#,
];

fn house(n: usize, version: i64) -> Arc<Snapshot> {
    let document = toml::from_str(HOUSES[n % HOUSES.len()]).expect("the document is TOML");
    Arc::new(Snapshot::compile(version, document).expect("the document compiles"))
}

fn events(sender: &str, body: &str, at: Timestamp) -> Vec<AlertEvent> {
    let integration = Integration::undeclared(sender.into());
    let source = Source { integration: &integration, content_type: None, format: None, peer: None, received_at: at };
    normalize(&source, body.as_bytes()).events.into_iter().map(|parsed| parsed.event).collect()
}

#[derive(Clone, Debug)]
enum Op {
    Post { sender: usize, host: usize, check: usize, severity: u8, over: bool, key: Option<u8> },
    Answer { which: usize, how: u8 },
    Act { incident: i64, what: u8 },
    Silence { what: u8, ms: i64 },
    Config(usize),
    Restart,
    Nothing,
}

/// How long nothing comes in, and whether the process sleeps through it.
fn pause() -> impl Strategy<Value = (i64, bool)> {
    prop_oneof![
        4 => Just((0, false)),
        6 => proptest::sample::select(vec![1, 1_000, 15_000, 60_000, 300_000, 3_600_000]).prop_map(|ms| (ms, false)),
        1 => proptest::sample::select(vec![60_000, 3_600_000, 90_000_000]).prop_map(|ms| (ms, true)),
    ]
}

fn op() -> impl Strategy<Value = Op> {
    let post = (0..2_usize, 0..3_usize, 0..2_usize, 0..7_u8, any::<bool>(), proptest::option::weighted(0.2, 0..4_u8));
    prop_oneof![
        6 => post.prop_map(|(sender, host, check, severity, over, key)| {
            Op::Post { sender, host, check, severity, over, key }
        }),
        6 => (any::<usize>(), 0..6_u8).prop_map(|(which, how)| Op::Answer { which, how }),
        6 => (1..6_i64, 0..18_u8).prop_map(|(incident, what)| Op::Act { incident, what }),
        2 => (0..8_u8, proptest::sample::select(vec![1_000, 60_000, 3_600_000, 90_000_000]))
            .prop_map(|(what, ms)| Op::Silence { what, ms }),
        2 => (0..4_usize).prop_map(Op::Config),
        1 => Just(Op::Restart),
        4 => Just(Op::Nothing),
    ]
}

fn body(host: usize, check: usize, severity: u8, over: bool) -> String {
    let (status, host) = (if over { "OK" } else { "PROBLEM" }, ["a1", "a2", "b1"][host]);
    format!("[P{severity}][{status}][{host}][][{}]", ["host is down", "disk is full"][check])
}

fn act(what: u8, now: Timestamp) -> Act {
    match what {
        0 => Act::Ack { until: None },
        10 => Act::AddResponders {
            targets: vec!["person:wang".parse().unwrap(), "team:none".parse().unwrap()],
            version: None,
        },
        11 => Act::AddResponders { targets: vec!["person:mute".parse().unwrap()], version: Some(2) },
        12 => Act::ApplyPolicy { version: None },
        9 => Act::AckAs { person: "wang".into(), until: None },
        1 => Act::Ack { until: Some(now.plus_ms(400_000)) },
        2 => Act::Unack,
        3 => Act::Resolve,
        4 => Act::Snooze { until: now.plus_ms(200_000) },
        5 => Act::Escalate { policy: None, level: None, version: None },
        6 => Act::Escalate { policy: Some("db".into()), level: Some(0), version: Some(2) },
        7 => Act::Reassign { to: "li".into() },
        13 => Act::Merge { into: IncidentId(1), version: None },
        14 => Act::Merge { into: IncidentId(2), version: None },
        15 => Act::Detach { alert: AlertId(2), version: None },
        16 => Act::Detach { alert: AlertId(3), version: None },
        _ => Act::Note { text: "looking".to_owned() },
    }
}

/// The running engine, and one that was restored on the way and must go on alike.
struct Pair {
    now: Timestamp,
    running: Engine,
    restored: Option<Engine>,
    store: Store,
    version: i64,
    flying: Vec<(IncidentId, AttemptId, u32)>,
    /// Notices under way.
    told: Vec<Tell>,
    attempts: BTreeSet<(AttemptId, u32)>,
    /// When each person got a mail that was not about a P0.
    mails: BTreeMap<Recipient, Vec<Timestamp>>,
    /// What is due and waits: how urgent it is, and since when nothing more urgent was sent to its person instead.
    waiting: BTreeMap<AttemptId, (u8, Timestamp)>,
    /// How long one of them waited at most, in milliseconds.
    longest_wait: i64,
    /// Storms that are over.
    storms: Vec<Storm>,
}

impl Pair {
    fn new(first: usize) -> Self {
        let config = house(first, 1);
        Self {
            now: Timestamp::from_ms(1_795_392_000_000),
            running: Engine::new(config.clone()),
            restored: None,
            store: Store::new(config),
            version: 1,
            flying: Vec::new(),
            told: Vec::new(),
            attempts: BTreeSet::new(),
            mails: BTreeMap::new(),
            waiting: BTreeMap::new(),
            longest_wait: 0,
            storms: Vec::new(),
        }
    }

    /// Every delivery that is under way ends well.
    fn everything_is_taken(&mut self) {
        while let Some((incident, attempt, try_number)) = self.flying.pop() {
            self.handle(Event::DeliveryFinished { incident, attempt, try_number, result: Ok(None) });
        }
    }

    /// What was sent, and what waits.
    fn watch(&mut self, commands: &[Command], storms: &[Storm]) {
        self.storms.extend(storms.iter().filter(|storm| storm.ended_at.is_some()).cloned());
        let incidents = &self.running.state.incidents;
        let mut urgent = BTreeMap::new();
        for Command::Deliver { incident, page, contact, try_number, .. } in commands {
            let Some(incident) = incidents.get(incident).filter(|it| it.severity != Severity::P0) else { continue };
            let Some(page) = incident.pages.iter().find(|it| it.id == *page) else { continue };
            if contact.as_str() == "mail" && *try_number == 1 {
                self.mails.entry(page.recipient.clone()).or_default().push(self.now);
            }
            let most = urgent.entry(&page.recipient).or_insert(incident.severity.rank());
            *most = incident.severity.rank().min(*most);
        }
        let mut waiting = BTreeMap::new();
        for (incident, page) in incidents.values().flat_map(|it| it.pages.iter().map(move |page| (it, page))) {
            let rank = incident.severity.rank();
            let overtaken = urgent.get(&page.recipient).is_some_and(|sent| *sent < rank);
            for it in page.attempts.iter().filter(|it| it.state == AttemptState::Planned) {
                let before = self.waiting.get(&it.id);
                let since = match before {
                    Some((was, since)) if *was == rank && !overtaken => *since,
                    None if !overtaken => it.due,
                    _ => it.due.max(self.now),
                };
                waiting.insert(it.id, (rank, since));
                self.longest_wait = self.longest_wait.max(self.now.ms_since(since));
            }
        }
        self.waiting = waiting;
        assert!(self.running.state.waiting() as usize <= self.running.state.queued(), "what waits stands in no queue");
    }

    fn handle(&mut self, event: Event) -> Effects {
        let now = self.now;
        let message = match &event {
            Event::Ingested(message) => Some(message.clone()),
            _ => None,
        };
        let effects = self.running.handle(now, event.clone());
        self.running.state.check(now, self.running.config().paging().in_flight).unwrap();
        self.running.state.check_quiet(&self.running.config().inhibitions, now).unwrap();
        assert_eq!(self.running.state.held_up(self.running.config().paging()), None);
        let changes = self.running.take_changes_but_repeats(now.plus_ms(-60_000));
        if let Some(other) = &mut self.restored {
            let theirs = other.handle(now, event);
            assert_eq!(theirs.commands, effects.commands, "a restored engine pages differently");
            assert_eq!(theirs.outcomes, effects.outcomes);
            assert_eq!(theirs.notices, effects.notices, "a restored engine tells people otherwise");
            assert_eq!(
                (theirs.event, theirs.repeated, &theirs.refused),
                (effects.event, effects.repeated, &effects.refused)
            );
            assert_eq!(other.take_changes().timeline, changes.timeline, "a restored engine tells another story");
        }
        self.watch(&effects.commands, &changes.storms);
        self.store.apply(now, changes).unwrap();
        if let Some(message) = message {
            assert_eq!(effects.outcomes.len(), message.events.len() + message.rejected.len());
            if let (Some(event), false) = (effects.event, effects.repeated) {
                self.store.remember(now, message.integration, message.key, event, effects.outcomes.clone());
            }
        }
        let rebuilt = self.store.restore(now);
        assert_eq!(self.running.differs_from(&rebuilt, now), None, "a restored engine knows something else");
        self.told.extend(&effects.notices);
        for command in &effects.commands {
            let Command::Deliver { incident, attempt, try_number, others, .. } = command;
            for begun in std::iter::once(attempt).chain(others.iter().map(|other| &other.attempt)) {
                assert!(self.attempts.insert((*begun, *try_number)), "the same try began twice");
            }
            self.flying.push((*incident, *attempt, *try_number));
        }
        effects
    }

    fn compare(&self) {
        let rebuilt = self.store.restore(self.now);
        let differs = self.running.differs_from(&rebuilt, self.now);
        assert_eq!(differs, None, "a restored engine knows something else");
    }

    fn step(&mut self, op: Op) {
        match op {
            Op::Post { sender, host, check, severity, over, key } => {
                let sender = ["falcon", "zabbix"][sender];
                let events = events(sender, &body(host, check, severity, over), self.now);
                let key = key.map(|key| format!("key-{key}"));
                self.handle(Event::Ingested(Ingested {
                    integration: sender.into(),
                    key,
                    events,
                    rejected: Vec::new(),
                    places: Vec::new(),
                    replayed: false,
                }));
            }
            Op::Answer { which, how } if !self.told.is_empty() && how != 3 => {
                let Tell { silence, attempt, try_number } = self.told.swap_remove(which % self.told.len());
                let failure = Failure {
                    permanent: how == 0,
                    ambiguous: how == 2,
                    detail: "no".to_owned(),
                    retry_after_ms: None,
                    fault: shared::Fault::Unknown,
                };
                let result = if how < 3 { Err(failure) } else { Ok(None) };
                self.handle(Event::NoticeFinished { silence, attempt, try_number, result });
            }
            Op::Answer { which, how } if !self.flying.is_empty() => {
                let at = which % self.flying.len();
                // Some answers come twice.
                let (incident, attempt, try_number) =
                    if how == 5 { self.flying[at] } else { self.flying.swap_remove(at) };
                let failure = |permanent, ambiguous, retry_after_ms| {
                    Err(Failure {
                        permanent,
                        ambiguous,
                        detail: "no".to_owned(),
                        retry_after_ms,
                        fault: shared::Fault::Unknown,
                    })
                };
                let result = match how {
                    0 => failure(true, false, None),
                    1 => failure(false, false, None),
                    2 => failure(false, true, Some(30_000)),
                    _ => Ok(None),
                };
                self.handle(Event::DeliveryFinished { incident, attempt, try_number, result });
            }
            Op::Act { incident, what } => {
                let act = act(what, self.now);
                let by = Actor::Account { login: "li".to_owned() };
                self.handle(Event::Acted { incident: IncidentId(incident), by, act });
            }
            Op::Silence { what, ms } => {
                let by = Actor::Account { login: "li".into() };
                let request = SilenceRequest {
                    kind: if ms == 60_000 { SilenceKind::Maintenance } else { SilenceKind::Silence },
                    matches: vec![
                        ["host=a1", "host=~.*", "severity=~P[0-3]", "integration=falcon"][usize::from(what % 4)].into(),
                    ],
                    starts_at: (what % 3 == 1).then(|| self.now.plus_ms(30_000)),
                    ends_at: (what % 3 != 2).then(|| self.now.plus_ms(30_000 + ms)),
                    until_recovered: what % 3 == 2,
                    reason: "a test".into(),
                    ..SilenceRequest::default()
                };
                let newest = SilenceId(self.running.state.counters.silence);
                let act = match what {
                    0..5 => SilenceAct::Begin(request),
                    5 => SilenceAct::Change(newest, request),
                    _ => SilenceAct::End(newest),
                };
                self.handle(Event::Silence { by, act });
            }
            Op::Config(n) => {
                self.version += 1;
                let config = house(n, self.version);
                self.store.replace_config(config.clone());
                self.handle(Event::ConfigReplaced(config));
            }
            Op::Restart => {
                self.handle(Event::Wake);
                self.restored = Some(self.store.restore(self.now));
            }
            Op::Answer { .. } | Op::Nothing => {
                self.handle(Event::Wake);
            }
        }
    }

    /// Deadlines are met one by one, as the shell does.
    fn advance(&mut self, ms: i64) {
        let until = self.now.plus_ms(ms);
        while let Some((due, _)) = self.running.next_deadline().filter(|(due, _)| *due <= until) {
            self.now = self.now.max(due);
            self.handle(Event::Wake);
        }
        self.now = until;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn any_order_of_events_keeps_every_promise_and_survives_a_restart(
        first in 0..4_usize,
        ops in proptest::collection::vec((op(), pause()), 1..40),
    ) {
        let mut pair = Pair::new(first);
        for (op, (ms, asleep)) in ops {
            if asleep { pair.now = pair.now.plus_ms(ms) } else { pair.advance(ms) }
            pair.step(op);
            pair.compare();
        }
    }
}

proptest! {
    // Each goes through hours of many people, so fewer of them take as long as all of the others.
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    /// However little may be sent, and whether or not it storms: a P0 begins at once, what waits is sent or cancelled
    /// before long unless something more urgent for the same person takes its place, the limits hold, and the account of
    /// a storm leaves nothing out.
    #[test]
    fn limits_delay_everything_but_a_p0_and_lose_nothing(
        posts in proptest::collection::vec((0..3_usize, 0..40_usize, 0..5_u8, 0..4_u8), 1..60),
        restart in 0..60_usize,
    ) {
        let mut pair = Pair::new(3);
        for (n, (pause, host, severity, over)) in posts.into_iter().enumerate() {
            pair.advance([0, 5_000, 70_000][pause]);
            if n == restart {
                pair.step(Op::Restart);
            }
            let body = format!("[P{severity}][{}][h{host}][][down]", if over == 0 { "OK" } else { "PROBLEM" });
            let events = events("falcon", &body, pair.now);
            let message = Ingested { integration: "falcon".into(), key: None, events, rejected: Vec::new(), places: Vec::new(), replayed: false };
            let effects = pair.handle(Event::Ingested(message));
            let opened = effects.outcomes.iter().find_map(|outcome| match outcome {
                Outcome::Opened { incident, .. } => Some(*incident),
                _ => None,
            });
            if let Some(incident) = opened.filter(|_| severity == 0) {
                let begun = effects.commands.iter().any(|command| command.incidents().any(|it| it == incident));
                prop_assert!(begun, "a P0 waits");
            }
            pair.everything_is_taken();
        }
        let end = pair.now.plus_ms(3_600_000);
        while let Some((next, _)) = pair.running.next_deadline().filter(|(next, _)| *next <= end) {
            pair.now = pair.now.max(next);
            pair.handle(Event::Wake);
            pair.everything_is_taken();
        }
        // One limit after the other.
        prop_assert!(pair.longest_wait <= 420_000, "a page waited for {} ms", pair.longest_wait);
        for mails in pair.mails.values() {
            prop_assert!(mails.is_sorted_by(|a, b| b.ms_since(*a) >= 300_000), "a limit was exceeded: {mails:?}");
        }
        prop_assert!(pair.running.state.storm.is_none(), "a storm does not end");
        for storm in &pair.storms {
            prop_assert_eq!(storm.dropped, 0, "{:?}", storm);
            prop_assert_eq!(storm.received, storm.outcomes.total());
            prop_assert_eq!(storm.must_wait(), storm.deliveries.waiting);
        }
    }

    #[test]
    fn an_alert_is_opened_repeated_and_closed_by_its_identity(
        posts in proptest::collection::vec((0..2_usize, 0..3_usize, 0..2_usize, 0..7_u8, any::<bool>()), 1..60),
    ) {
        let mut engine = Engine::new(house(0, 1));
        let mut now = Timestamp::from_ms(1_795_392_000_000);
        let mut open: BTreeMap<(String, String), String> = BTreeMap::new();
        for (sender, host, check, severity, over) in posts {
            now = now.plus_ms(1_000);
            let sender = ["falcon", "zabbix"][sender];
            let parsed = events(sender, &body(host, check, severity, over), now);
            let event = parsed[0].clone();
            let key = (sender.to_owned(), event.dedup_key.to_string());
            let place = event.host.clone().unwrap_or_default().to_string();
            let of_host: Vec<_> =
                open.iter().filter(|((from, _), host)| from == sender && **host == place).map(|(key, _)| key.clone()).collect();
            let expected = match (event.action, open.contains_key(&key), of_host.as_slice()) {
                (Action::Trigger, true, _) => "refreshed",
                (Action::Trigger, false, _) => { open.insert(key, place); "opened" }
                (Action::Resolve, true, _) => { open.remove(&key); "closed" }
                (Action::Resolve, false, [only]) if event.resolve_by_host => { open.remove(only); "closed" }
                (Action::Resolve, false, _) | (Action::Acknowledge | Action::Update | Action::Change, ..) => "dropped",
            };
            let message = Ingested { integration: sender.into(), key: None, events: parsed, rejected: Vec::new(), places: Vec::new(), replayed: false };
            let effects = engine.handle(now, Event::Ingested(message));
            let names: Vec<&str> = effects.outcomes.iter().map(Outcome::name).collect();
            prop_assert_eq!(names, vec![expected]);
            prop_assert_eq!(engine.state.alerts.len(), open.len());
        }
    }

    #[test]
    fn a_flapping_alert_pages_a_bounded_number_of_times(pauses in proptest::collection::vec(1..120_i64, 8..200)) {
        let mut engine = Engine::new(house(0, 1));
        let mut now = Timestamp::from_ms(1_795_392_000_000);
        let (mut pages, mut incidents) = (0, BTreeSet::new());
        let mut tell = |changes: Changes| {
            pages += changes.timeline.iter().filter(|entry| matches!(entry.what, Happening::Paged { .. })).count();
            incidents.extend(changes.incidents.iter().map(|incident| incident.id));
        };
        for (n, pause) in pauses.iter().enumerate() {
            let until = now.plus_ms(pause * 1_000);
            while let Some((due, _)) = engine.next_deadline().filter(|(due, _)| *due <= until) {
                now = now.max(due);
                engine.handle(now, Event::Wake);
                tell(engine.take_changes());
            }
            now = until;
            let events = events("falcon", &body(0, 0, 3, n % 2 == 1), now);
            let message = Ingested { integration: "falcon".into(), key: None, events, rejected: Vec::new(), places: Vec::new(), replayed: false };
            engine.handle(now, Event::Ingested(message));
            tell(engine.take_changes());
        }
        // Three incidents that are paged for once each, and then the whole policy, twice.
        prop_assert_eq!(incidents.len(), 4);
        prop_assert!(pages <= 3 + 6, "{} pages", pages);
        // It ends: it is over, or it is one more page for what fires steadily.
        let open = engine.state.incidents.values().filter(|it| it.flapping.is_some()).count();
        while let Some((due, _)) = engine.next_deadline().filter(|(due, _)| due.ms_since(now) <= 600_000) {
            engine.handle(due, Event::Wake);
        }
        prop_assert_eq!(open, 1);
        prop_assert!(engine.state.incidents.values().all(|it| it.flapping.is_none()));
    }
}
