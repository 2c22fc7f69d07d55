//! Whoever made a silence is reminded exactly once for each end it has, and only by what is still true.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail")]

use engine::{
    Effects, Engine, Event, Ingested, SilenceAct, Snapshot,
    normalize::{Source, normalize},
};
use shared::{
    Delay, NoticeAbout, Silence, SilenceId, SilenceKind, SilenceRequest, Timestamp, Untold, config::Integration,
    timeline::Actor,
};
use std::sync::Arc;

const NOW: Timestamp = Timestamp::from_ms(1_795_392_000_000);
const HOUSE: &str = r#"
[[people]]
id = "li"
name = "Li"
contacts = [{ id = "mail", email = "li@example.org" }]
[[people]]
id = "mute"
name = "Mute"
[[policies]]
id = "db"
levels = [{ notify = ["person:li"], delay = "5m" }]
[[routes]]
id = "all"
policy = "db"
"#;

pub(crate) fn at(minutes: i64) -> Timestamp {
    NOW.after(Delay::mins(minutes))
}

/// The house, with more of a configuration before it.
pub(crate) fn engine(more: &str) -> Engine {
    let document = toml::from_str(&format!("{more}\n{HOUSE}")).unwrap();
    Engine::new(Arc::new(Snapshot::compile(1, document).unwrap()))
}

fn silence(kind: SilenceKind, ends: i64) -> SilenceRequest {
    SilenceRequest {
        kind,
        matches: vec!["host=db-07".to_owned()],
        ends_at: Some(at(ends)),
        reason: "works".to_owned(),
        ..SilenceRequest::default()
    }
}

fn begin(engine: &mut Engine, login: &str, request: SilenceRequest) -> SilenceId {
    let by = Actor::Account { login: login.to_owned() };
    engine.handle(NOW, Event::Silence { by, act: SilenceAct::Begin(request) }).silence.unwrap()
}

fn post(engine: &mut Engine, now: Timestamp, body: &str) -> Effects {
    let integration = Integration::undeclared("falcon".into());
    let source = Source { integration: &integration, content_type: None, format: None, peer: None, received_at: now };
    let events = normalize(&source, body.as_bytes()).events.into_iter().map(|parsed| parsed.event).collect();
    let message = Ingested {
        integration: integration.id,
        key: None,
        events,
        rejected: Vec::new(),
        places: Vec::new(),
        replayed: false,
    };
    engine.handle(now, Event::Ingested(message))
}

/// Lets time pass, answering every notice with yes; gives how many went out.
fn pass(engine: &mut Engine, until: Timestamp) -> usize {
    let mut told = 0;
    while let Some((due, _)) = engine.next_deadline().filter(|(due, _)| *due <= until) {
        for tell in engine.handle(due, Event::Wake).notices {
            told += 1;
            let (silence, attempt, try_number) = (tell.silence, tell.attempt, tell.try_number);
            engine.handle(due, Event::NoticeFinished { silence, attempt, try_number, result: Ok(None) });
        }
    }
    told
}

fn known(engine: &Engine, id: SilenceId) -> Silence {
    Silence::clone(&engine.state.silences[&id].silence)
}

const DOWN: &str = "[P2][PROBLEM][db-07][10.1.2.3][disk is full]";

#[test]
fn a_silence_that_is_extended_reminds_once_for_each_end() {
    let mut engine = engine("");
    let id = begin(&mut engine, "li", silence(SilenceKind::Silence, 60));
    post(&mut engine, at(1), DOWN);
    assert_eq!(pass(&mut engine, at(44)), 0);
    assert_eq!(pass(&mut engine, at(46)), 1, "a quarter of an hour before the end");
    assert_eq!(pass(&mut engine, at(50)), 0, "once is enough");
    let by = Actor::Account { login: "li".to_owned() };
    let reason = SilenceRequest { reason: "longer works".to_owned(), ..silence(SilenceKind::Silence, 60) };
    engine.handle(at(50), Event::Silence { by: by.clone(), act: SilenceAct::Change(id, reason) });
    assert_eq!(pass(&mut engine, at(51)), 0, "another reason is no other end");
    let longer = silence(SilenceKind::Silence, 120);
    engine.handle(at(51), Event::Silence { by, act: SilenceAct::Change(id, longer) });
    assert_eq!(pass(&mut engine, at(104)), 0);
    assert_eq!(pass(&mut engine, at(106)), 1, "the new end is told of as well");
    let ends: Vec<_> = known(&engine, id).notices.iter().map(|notice| notice.about).collect();
    let soon = |minutes| NoticeAbout::EndsSoon { ends_at: at(minutes), firing: 1 };
    assert_eq!(ends, [soon(60), soon(120)]);
}

#[test]
fn nobody_is_reminded_when_nothing_fires_or_it_is_switched_off_or_the_silence_is_short() {
    let mut quiet = engine("");
    begin(&mut quiet, "li", silence(SilenceKind::Silence, 60));
    assert_eq!(pass(&mut quiet, at(70)), 0);
    let mut off = engine("paging.silence_reminder = \"0s\"");
    begin(&mut off, "li", silence(SilenceKind::Silence, 60));
    post(&mut off, at(1), DOWN);
    assert_eq!(pass(&mut off, at(59)), 0);
    let mut short = engine("");
    begin(&mut short, "li", silence(SilenceKind::Silence, 15));
    post(&mut short, at(1), DOWN);
    assert_eq!(pass(&mut short, at(14)), 0);
}

#[test]
fn who_cannot_be_told_is_named_with_the_reason() {
    for (login, why) in [("root", Untold::NoPerson), ("mute", Untold::NoContact)] {
        let mut engine = engine("");
        let id = begin(&mut engine, login, silence(SilenceKind::Silence, 60));
        post(&mut engine, at(1), DOWN);
        assert_eq!(pass(&mut engine, at(59)), 0, "{login}");
        let notices = known(&engine, id).notices;
        assert_eq!(notices.iter().map(|it| it.untold.clone()).collect::<Vec<_>>(), [Some(why)], "{login}");
    }
}

#[test]
fn a_recurring_maintenance_is_told_of_each_time_it_is_over() {
    let mut engine = engine("");
    let recurs = serde_json::json!({
        "kind": "maintenance", "match": ["host=db-07"], "reason": "backup",
        "recurs": { "time_zone": "UTC", "windows": [{ "from": "01:00", "until": "02:00" }] },
    });
    let id = begin(&mut engine, "li", serde_json::from_value(recurs).unwrap());
    // 2026-11-23T00:00:00Z.
    let midnight = Timestamp::from_ms(NOW.ms() - NOW.ms() % 86_400_000 + 86_400_000);
    for day in 0..2 {
        let hour = |hour: i64| midnight.after(Delay::mins(day * 1_440 + hour * 60));
        pass(&mut engine, hour(1));
        post(&mut engine, hour(1).after(Delay::mins(5)), DOWN);
        post(&mut engine, hour(1).after(Delay::mins(6)), &DOWN.replace("PROBLEM", "OK"));
        assert_eq!(pass(&mut engine, hour(2)), 1, "day {day}");
    }
    pass(&mut engine, midnight.after(Delay::mins(3 * 1_440)));
    let digests = known(&engine, id).digests;
    assert_eq!(digests.len(), 2, "nothing happened in the third");
    assert!(digests.iter().all(|it| (it.hid, it.recovered, it.firing) == (1, 1, 0)), "{digests:?}");
}

#[test]
fn a_digest_that_is_on_its_way_outlives_the_maintenance_and_a_restart() {
    let mut engine = engine("");
    let id = begin(&mut engine, "li", silence(SilenceKind::Maintenance, 60));
    post(&mut engine, at(10), DOWN);
    post(&mut engine, at(11), &DOWN.replace("PROBLEM", "OK"));
    engine.take_changes();
    while let Some((due, _)) = engine.next_deadline().filter(|(due, _)| *due < at(60)) {
        engine.handle(due, Event::Wake);
    }
    assert_eq!(engine.handle(at(60), Event::Wake).notices.len(), 1);
    let changes = engine.take_changes();
    assert_eq!(changes.digests.len(), 1);
    let over = changes.silences.iter().find(|it| it.id == id).unwrap();
    assert!(over.ended.is_some() && over.is_live(), "{over:?}");
    let restored = engine::Restored {
        counters: changes.counters,
        silences: vec![Silence::clone(over)],
        ..engine::Restored::default()
    };
    let mut again = Engine::restore(engine.config().clone(), restored, at(60));
    assert_eq!(pass(&mut again, at(62)), 1, "the answer was lost, so it is sent once more under the same key");
    let over = again.take_changes().silences.pop().unwrap();
    assert!(!over.is_live() && over.notices.len() == 1, "{over:?}");
}
