//! What holds for every sequence of beats: one in time never pages, a missed one pages exactly once until the next.

use engine::{Changes, Engine, Event, Ingested, Refusal, Snapshot, sim::Store};
use proptest::prelude::*;
use shared::{Signal, Timestamp, timeline::Happening};
use std::sync::Arc;

const HOUSE: &str = r#"
fallback = ["person:li"]
people = [{ id = "li", name = "Li", contacts = [{ id = "push", ntfy = "li" }] }]
[[policies]]
id = "page"
levels = [{ notify = ["person:li"], delay = "7d" }]
[[heartbeats]]
id = "job"
interval = "10m"
grace = "1m"
severity = "P4"
policy = "page"
"#;

const START: Timestamp = Timestamp::from_ms(1_795_392_000_000);
/// Interval and grace.
const PATIENCE_MS: i64 = 660_000;

fn compile(text: &str) -> Result<Snapshot, Vec<shared::config::Finding>> {
    Snapshot::compile(1, toml::from_str(text).unwrap())
}

struct World {
    now: Timestamp,
    engine: Engine,
    store: Store,
    pages: usize,
    missed: usize,
}

impl World {
    fn new() -> Self {
        let config = Arc::new(compile(HOUSE).unwrap());
        let (engine, store) = (Engine::new(config.clone()), Store::new(config));
        Self { now: START, engine, store, pages: 0, missed: 0 }
    }

    fn keep(&mut self, changes: Changes) {
        let count = |what: fn(&Happening) -> bool| changes.timeline.iter().filter(|entry| what(&entry.what)).count();
        self.pages += count(|what| matches!(what, Happening::Paged { .. }));
        self.missed += count(|what| matches!(what, Happening::HeartbeatDown { .. }));
        self.store.apply(self.now, changes).unwrap();
    }

    fn handle(&mut self, event: Event) {
        self.engine.handle(self.now, event);
        self.engine.state.check(self.now, 64).unwrap();
        let changes = self.engine.take_changes();
        self.keep(changes);
    }

    fn pass(&mut self, ms: i64) {
        let until = self.now.plus_ms(ms);
        while let Some((due, _)) = self.engine.next_deadline().filter(|(due, _)| *due <= until) {
            self.now = self.now.max(due);
            self.handle(Event::Wake);
        }
        self.now = until;
    }

    fn beat(&mut self) {
        self.handle(Event::Beat { heartbeat: "job".into(), signal: Signal::Beat, note: String::new() });
    }

    fn configure(&mut self, version: i64, text: &str) {
        let config = Arc::new(Snapshot { version, ..compile(text).unwrap() });
        self.store.replace_config(config.clone());
        self.handle(Event::ConfigReplaced(config));
    }

    fn away(&mut self, ms: i64) {
        self.now = self.now.plus_ms(ms);
        self.engine = self.store.restore(self.now);
        self.handle(Event::Wake);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn each_gap_that_is_too_long_pages_once_and_no_other_does(gaps in proptest::collection::vec(1..3_000_000_i64, 1..40)) {
        let mut world = World::new();
        world.beat();
        for (n, gap) in gaps.iter().enumerate() {
            world.pass(*gap);
            let late = gaps[..=n].iter().filter(|gap| **gap >= PATIENCE_MS).count();
            prop_assert_eq!((world.missed, world.pages), (late, late), "after a gap of {} ms", gap);
            world.beat();
            prop_assert!(world.engine.state.alerts.is_empty());
        }
    }

    #[test]
    fn a_server_that_was_away_pages_for_no_beat_that_could_not_arrive(
        before in 0..PATIENCE_MS,
        away in proptest::collection::vec(1..10_000_000_i64, 1..5),
        after in 0..PATIENCE_MS,
    ) {
        let mut world = World::new();
        world.beat();
        world.pass(before);
        for ms in away {
            world.away(ms);
            prop_assert_eq!(world.pages, 0);
        }
        // Whatever happened, a beat within the time from the last start on is in time unless it was restarted twice.
        if world.engine.state.pulses[&"job".into()].counted.unwrap().from == world.now {
            world.pass(after);
            prop_assert_eq!(world.pages, 0);
        }
        world.pass(2 * PATIENCE_MS);
        prop_assert_eq!((world.pages, world.missed), (1, 1), "and it is noticed in the end");
    }
}

#[test]
fn a_restart_keeps_what_is_down_and_pages_nobody_again() {
    let mut world = World::new();
    world.beat();
    world.pass(PATIENCE_MS);
    assert_eq!(world.pages, 1);
    world.away(86_400_000);
    world.pass(PATIENCE_MS * 3);
    assert_eq!(world.pages, 1);
    world.beat();
    assert!(world.engine.state.alerts.is_empty() && world.engine.state.accounts.balance());
}

#[test]
fn one_that_is_configured_again_is_known_as_before_here_and_after_a_restart() {
    let mut world = World::new();
    world.beat();
    let (without, _) = HOUSE.split_once("[[heartbeats]]").unwrap();
    world.configure(2, without);
    world.pass(PATIENCE_MS * 3);
    assert_eq!(world.pages, 0, "nobody waits for it");
    world.configure(3, HOUSE);
    let restored = world.store.restore(world.now);
    assert_eq!(world.engine.differs_from(&restored, world.now), None);
    assert_eq!(world.engine.state.pulses[&"job".into()].beats, 1);
    world.pass(PATIENCE_MS - 1);
    assert_eq!(world.pages, 0, "it has its whole time again");
    world.pass(1);
    assert_eq!(world.pages, 1);
}

#[test]
fn while_nothing_can_be_stored_nothing_is_missed() {
    let mut world = World::new();
    world.beat();
    world.engine.stop_listening();
    world.pass(PATIENCE_MS * 5);
    assert_eq!(world.pages, 0);
    // The state is read back, and waiting begins anew.
    world.away(1);
    world.pass(PATIENCE_MS);
    assert_eq!(world.pages, 1);
}

#[test]
fn a_heartbeat_nobody_configured_is_refused() {
    let mut world = World::new();
    let unknown = Event::Beat { heartbeat: "other".into(), signal: Signal::Beat, note: String::new() };
    assert_eq!(world.engine.handle(START, unknown).refused, Some(Refusal::NoSuchHeartbeat));
    assert!(world.engine.take_changes().is_empty());
}

#[test]
fn what_is_wrong_with_a_heartbeat_is_named() {
    for (line, path, said) in [
        ("interval = \"1s\"", "heartbeats[job].interval", "10s to 366d"),
        ("interval = \"1h\"\npolicy = \"none\"", "heartbeats[job].policy", "no policy `none`"),
        ("interval = \"1h\"\nsummary = \" \"", "heartbeats[job].summary", "1 to 500 characters"),
        ("interval = \"1h\"\nmatch = [\"labels.a=b\"]", "heartbeats[job].integration", "name the sender"),
        ("interval = \"1h\"\nintegration = \"prometheus\"", "heartbeats[job].match", "Watchdog"),
        ("interval = \"1h\"\nintegration = \"p\"\nmatch = [\"odd\"]", "heartbeats[job].match[0]", "odd"),
        ("interval = \"1h\"\nduring = [\"office\"]", "heartbeats[job].during[0]", "no time window `office`"),
        ("interval = \"1h\"\n[[heartbeats]]\nid = \"job\"\ninterval = \"1h\"", "heartbeats[1].id", "twice"),
        ("interval = \"1h\"\nlabels = { \"a b\" = \"c\" }", "heartbeats[job].labels", "at most 16"),
    ] {
        let findings = compile(&format!("[[heartbeats]]\nid = \"job\"\n{line}")).unwrap_err();
        let found = findings.iter().find(|it| it.path == path).unwrap_or_else(|| panic!("{path}: {findings:?}"));
        assert!(found.message.contains(said), "{found:?}");
    }
}

const SENDER: &str = r#"
fallback = ["person:li"]
people = [{ id = "li", name = "Li", contacts = [{ id = "push", ntfy = "li" }] }]
[[policies]]
id = "page"
levels = [{ notify = ["person:li"], delay = "7d" }]
[[routes]]
id = "silence"
match = ["labels.sender=chatty"]
policy = "page"
[[integrations]]
id = "chatty"
silent_severity = "P4"
"#;

impl World {
    fn of_sender(text: &str) -> Self {
        let config = Arc::new(compile(text).unwrap());
        let (engine, store) = (Engine::new(config.clone()), Store::new(config));
        Self { now: START, engine, store, pages: 0, missed: 0 }
    }

    /// A message that opens nothing.
    fn post(&mut self) {
        self.tell(false);
    }

    fn tell(&mut self, replayed: bool) {
        let message = Ingested {
            integration: "chatty".into(),
            key: None,
            events: vec![],
            rejected: vec![],
            places: Vec::new(),
            replayed,
        };
        self.handle(Event::Ingested(message));
    }
}

#[test]
fn a_sender_that_never_stopped_for_long_is_missed_once_also_after_restarts() {
    let mut world = World::of_sender(SENDER);
    for n in 0..36 * 72 {
        world.post();
        world.pass(20 * 60_000);
        if n % 500 == 499 {
            // A restart forgets no rhythm: the state is the same.
            let before = world.engine.state.pulses[&"sender:chatty".into()].rhythm.clone();
            world.away(1);
            assert_eq!(world.engine.state.pulses[&"sender:chatty".into()].rhythm, before);
        }
    }
    assert_eq!((world.missed, world.pages), (0, 0));
    world.post();
    world.pass(50 * 60_000);
    assert_eq!(world.missed, 0);
    world.pass(130 * 60_000);
    assert_eq!((world.missed, world.pages), (1, 1), "within three hours");
    world.pass(86_400_000);
    assert_eq!(world.missed, 1);
    world.post();
    assert!(world.engine.state.alerts.is_empty());
}

#[test]
fn a_message_that_somebody_tells_again_is_no_word_of_its_sender() {
    let mut world = World::of_sender(&SENDER.replace("silent_severity", "silent_after = \"1h\"\nsilent_severity"));
    world.post();
    world.pass(90 * 60_000);
    assert_eq!((world.missed, world.engine.state.alerts.len()), (1, 1));
    world.tell(true);
    assert_eq!(world.engine.state.alerts.len(), 1, "it is silent still");
    world.post();
    assert!(world.engine.state.alerts.is_empty());
}

#[test]
fn on_a_holiday_a_sender_that_keeps_office_hours_is_not_missed_and_on_the_day_after_it_is() {
    const HOUR: i64 = 3_600_000;
    // The seventh Monday, in the sender's zone.
    const HOLIDAY: &str = "[[holidays]]\nid = \"cn\"\ndates = [\"2027-01-11\"]\n";
    let holidays = format!("{SENDER}time_zone = \"Asia/Shanghai\"\nholidays = [\"cn\"]\n{HOLIDAY}");
    // START is a Monday, 08:00 in Shanghai.
    let lives = |text: &str, set: Option<&str>| {
        let text = set
            .map_or_else(|| text.to_owned(), |set| text.replace("silent_severity", &format!("{set}\nsilent_severity")));
        let mut world = World::of_sender(&text);
        for day in 0..49 {
            for hour in 0..24 {
                if day % 7 < 5 && (1..10).contains(&hour) {
                    world.post();
                    world.pass(HOUR / 2);
                    world.post();
                    world.pass(HOUR / 2);
                } else {
                    world.pass(HOUR);
                }
            }
        }
        assert_eq!(world.missed, 0, "its nights and weekends are quiet");
        world
    };
    for (text, monday) in [(SENDER, 1), (holidays.as_str(), 0)] {
        let mut world = lives(text, None);
        // 08:00 on the holiday, until 20:00.
        world.pass(12 * HOUR);
        assert_eq!(world.missed, monday);
    }
    let mut world = lives(&holidays, None);
    world.pass(24 * HOUR + 12 * HOUR);
    assert_eq!(world.missed, 1, "on Tuesday it works again, and is missed");
    // A silence that is set counts from the end of the holiday.
    let mut world = lives(&holidays, Some("silent_after = \"70h\""));
    world.pass(24 * HOUR + 60 * HOUR);
    assert_eq!(world.missed, 0);
    world.pass(12 * HOUR);
    assert_eq!(world.missed, 1);
    let wrong = compile(&format!("{SENDER}holidays = [\"de\"]\n")).unwrap_err();
    assert_eq!(wrong[0].path, "integrations[chatty].holidays[0]");
    assert!(wrong[0].message.contains("no holiday calendar `de`"), "{}", wrong[0].message);
}

#[test]
fn a_silence_that_is_set_overrules_what_was_learned() {
    for (line, missed) in [("silent_after = \"6h\"", 1), ("silent_after = \"0s\"", 0)] {
        let mut world = World::of_sender(&format!("{SENDER}{line}\n"));
        for _ in 0..36 * 24 {
            world.post();
            world.pass(60 * 60_000);
        }
        world.post();
        world.pass(359 * 60_000);
        assert_eq!(world.missed, 0, "{line}");
        world.pass(86_400_000);
        assert_eq!(world.missed, missed, "{line}");
    }
}
