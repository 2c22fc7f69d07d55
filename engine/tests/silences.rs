//! Silences that stand in the document: what of them is refused, and what they come to.

use engine::{Engine, Event, Refusal, SilenceAct, Snapshot, lint::lint};
use shared::{Silence, SilenceEnd, SilenceId, Timestamp, timeline::Actor};
use std::sync::Arc;

/// Saturday 2026-11-21 15:00 in Shanghai.
const NOW: Timestamp = Timestamp::from_ms(1_795_244_400_000);
const HOUR: i64 = 3_600_000;

fn config(version: i64, text: &str) -> Arc<Snapshot> {
    Arc::new(Snapshot::compile(version, toml::from_str(text).unwrap()).unwrap_or_else(|found| panic!("{found:#?}")))
}

fn silence(rest: &str) -> String {
    format!(
        "[[silences]]\nid = \"s\"\nmatch = [\"host=a\"]\nreason = \"known\"\ntime_zone = \"Asia/Shanghai\"\n{rest}\n"
    )
}

/// The silences after a new configuration, as they would be stored.
fn taken(engine: &mut Engine, now: Timestamp, config: Arc<Snapshot>) -> Vec<Silence> {
    engine.handle(now, Event::ConfigReplaced(config));
    engine.take_changes().silences.into_iter().map(Arc::unwrap_or_clone).collect()
}

#[test]
fn what_is_wrong_is_named_with_the_mend() {
    for (text, path, part) in [
        (silence(""), "silences[s].until", "add `until`, or `windows`"),
        (silence("until = \"soon\""), "silences[s].until", "`soon` is not a time"),
        (silence("from = \"2026-12-02 00:00\"\nuntil = \"2026-12-01 00:00\""), "silences[s].until", "before it begins"),
        (silence("from = \"2026-12-02 00:00\"\nuntil = \"2029-12-01 00:00\""), "silences[s].until", "400 days"),
        (silence("windows = [{ days = [\"noday\"] }]"), "silences[s].windows[0].days", "noday"),
        (silence("until = \"2026-12-01 00:00\"").replace("Asia/Shanghai", "Mars"), "silences[s].time_zone", "Mars"),
        (silence("until = \"2026-12-01 00:00\"").replace("host=a", "host a"), "silences[s].match[0]", "host a"),
        (silence("until = \"2026-12-01 00:00\"").replace("known", " "), "silences[s].reason", "say why"),
        (silence("until = \"2026-12-01 00:00\"").repeat(2), "silences[s].id", "there twice"),
        (silence("until = \"2026-12-01 00:00\"").replace("\"s\"", "\"a b\""), "silences[0].id", "give it an id"),
    ] {
        let found = Snapshot::compile(1, toml::from_str(&text).unwrap()).expect_err("it is refused");
        assert_eq!((found.len(), found[0].path.split('[').count() > 1), (1, true), "{found:?}");
        assert!(found[0].path.starts_with(path) && found[0].message.contains(part), "{found:?}");
    }
}

#[test]
fn a_silence_follows_its_document_and_nobody_else() {
    let mut engine = Engine::new(config(1, ""));
    let one = config(2, &silence("until = \"2026-11-21 18:00\""));
    let made = taken(&mut engine, NOW, one.clone());
    let id = made[0].id;
    assert_eq!((made.len(), made[0].configured.as_deref(), made[0].starts_at), (1, Some("s"), NOW));
    assert_eq!(made[0].ends_at, Some(NOW.plus_ms(3 * HOUR)), "on the wall clock of its zone");
    assert!(taken(&mut engine, NOW.plus_ms(1), one.clone()).is_empty(), "again is nothing");

    let by = || Actor::Account { login: "li".to_owned() };
    for act in [SilenceAct::End(id), SilenceAct::Change(id, shared::SilenceRequest::default())] {
        let refused = engine.handle(NOW.plus_ms(2), Event::Silence { by: by(), act }).refused;
        assert_eq!(refused, Some(Refusal::ConfiguredSilence { name: "s".to_owned() }));
    }

    let other = config(3, &silence("until = \"2026-11-21 20:00\"").replace("host=a", "host=b"));
    let changed = taken(&mut engine, NOW.plus_ms(HOUR), other.clone());
    assert_eq!((changed[0].id, changed[0].starts_at, &*changed[0].matches[0]), (id, NOW, "host=b"));

    let gone = taken(&mut engine, NOW.plus_ms(2 * HOUR), config(4, ""));
    let end = SilenceEnd { at: NOW.plus_ms(2 * HOUR), by: Actor::System, gone_since: Some(4) };
    assert_eq!((gone.len(), gone[0].ended.as_ref()), (1, Some(&end)));

    // It comes back as another one, and ends by its own time.
    assert_eq!(taken(&mut engine, NOW.plus_ms(3 * HOUR), other.clone())[0].id, SilenceId(id.0 + 1));
    engine.handle(NOW.plus_ms(5 * HOUR), Event::Wake);
    let over = engine.take_changes().silences;
    assert_eq!(over[0].ended.as_ref().and_then(|end| end.gone_since), None);
    assert!(taken(&mut engine, NOW.plus_ms(6 * HOUR), other.clone()).is_empty(), "its time is over");
    let text = format!("people = [{{ id = \"li\", name = \"Li\" }}]\n{}", silence("until = \"2026-11-21 20:00\""));
    let told = lint(&config(3, &text), NOW.plus_ms(6 * HOUR));
    assert!(told.iter().any(|it| it.path == "silences[s].until" && !it.fatal), "{told:?}");
}

#[test]
fn a_configuration_that_came_while_nobody_was_there_is_taken_up_at_the_start() {
    let text = silence("windows = [{ days = [\"sat\"] }]");
    let mut engine = Engine::restore(config(1, &text), engine::Restored::default(), NOW);
    let (due, _) = engine.next_deadline().unwrap();
    assert!(due <= NOW);
    engine.handle(NOW, Event::Wake);
    let made = engine.take_changes().silences;
    assert_eq!((made.len(), made[0].configured.as_deref()), (1, Some("s")));
    assert!(made[0].recurs.is_some() && made[0].ends_at.is_none());
}
