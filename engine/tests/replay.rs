//! A replay does what happened, and a comparison names who would not be woken any more.

use engine::{
    Act, Snapshot,
    normalize::{Source, normalize},
    replay::{Answer, Past, Received, Span, Stopped, replay},
    scenario::{Action, ConfigText, Scenario, Step, What, parse, play},
};
use proptest::prelude::*;
use shared::{
    Delay, EventId, Recipient, Severity, Silence, SilenceId, SilenceKind, Timestamp,
    api::{Answers, Replayed, Unpaged},
    config::Document,
    timeline::Actor,
};
use std::{convert::Infallible, ops::ControlFlow, sync::Arc};

const HOUSE: &str = r#"
fallback = ["person:chen"]
people = [
  { id = "li", name = "Li", time_zone = "Asia/Shanghai", contacts = [{ id = "push", ntfy = "li" }] },
  { id = "wang", name = "Wang", time_zone = "Europe/Berlin", contacts = [{ id = "push", ntfy = "wang" }] },
  { id = "chen", name = "Chen", contacts = [{ id = "push", ntfy = "chen" }] },
  { id = "mute", name = "Mute" },
]
[[policies]]
id = "db"
levels = [{ notify = ["person:li"], delay = "5m" }, { notify = ["person:wang"], delay = "10m" }]
[[policies]]
id = "deaf"
levels = [{ notify = ["person:mute"], delay = "5m", when = { severity = ["P5"] } }]
[[routes]]
id = "db"
match = ["host=~db.*"]
policy = "db"
[[routes]]
id = "web"
match = ["host=~web.*", "severity=~P0|P1|P2"]
policy = "db"
hold = "10m"
"#;

/// 2026-11-23T00:00:00Z: eight in the morning for Li, one at night for Wang, midnight for Chen.
const START: Timestamp = Timestamp::from_ms(1_795_392_000_000);
const SPAN: Span = Span { from: START, until: Timestamp::from_ms(START.ms() + 4 * 3_600_000) };

fn document(text: &str) -> Document {
    toml::from_str(text).expect("the document is TOML")
}

fn compiled(text: &str) -> Arc<Snapshot> {
    Arc::new(Snapshot::compile(1, document(text)).expect("the document compiles"))
}

fn message(id: i64, after: Delay, body: &str) -> (Timestamp, Past) {
    let at = START.after(after);
    let integration = "falcon".into();
    let (content_type, key, body) = (None, None, body.as_bytes().to_vec());
    (at, Past::Message(Received { id: EventId(id), integration, content_type, key, received_at: at, body }))
}

fn told(running: &str, draft: Option<&str>, past: Vec<(Timestamp, Past)>) -> Replayed {
    let draft = draft.map(compiled);
    let past = past.into_iter().map(Ok::<_, Infallible>);
    replay(compiled(running), draft, SPAN, Answers::Nobody, past, |_| ControlFlow::Continue(())).unwrap()
}

fn person(id: &str) -> Recipient {
    Recipient::Person(id.into())
}

/// Every page of a story: after how long, to whom; reminders apart. One message may be about several incidents.
fn deliveries(story: &str) -> (Vec<(Delay, String)>, usize) {
    let (mut pages, mut reminders) = (Vec::new(), 0);
    for line in story.lines() {
        let mut words = line.split_whitespace();
        let (Some(after), Some("->"), Some(_), Some(to)) = (words.next(), words.next(), words.next(), words.next())
        else {
            continue;
        };
        let (lead, others) = line.split_once(" with").unwrap_or((line, ""));
        let others: Vec<bool> = others.split(" #").skip(1).map(|other| other.ends_with("(reminder)")).collect();
        for reminder in std::iter::once(lead.ends_with(", reminder)")).chain(others) {
            if reminder {
                reminders += 1;
            } else {
                pages.push((Delay::parse(after).unwrap(), to.to_owned()));
            }
        }
    }
    (pages, reminders)
}

/// What a scenario's steps leave in the store.
fn recorded(scenario: &Scenario, config: &Snapshot) -> Vec<(Timestamp, Past)> {
    let mut past = Vec::new();
    let mut opened = Vec::new();
    for (step, id) in scenario.steps.iter().zip(1..) {
        let at = scenario.start.after(step.at);
        match &step.what {
            What::Post { integration, body, .. } => {
                let settings = config.integration(integration);
                let source =
                    Source { integration: &settings, content_type: None, format: None, peer: None, received_at: at };
                let parsed = normalize(&source, body.as_bytes());
                opened.extend(parsed.events.into_iter().map(|it| (integration.clone(), it.event.dedup_key)));
                past.push((
                    at,
                    Past::Message(Received {
                        id: EventId(id),
                        integration: integration.clone(),
                        content_type: None,
                        key: None,
                        received_at: at,
                        body: body.clone().into_bytes(),
                    }),
                ));
            }
            What::Act { incident, by, act: Action::Ack { .. }, .. } => {
                let (integration, dedup_key) = opened[*incident as usize - 1].clone();
                let by = Actor::Account { login: by.clone() };
                let dedup_keys = vec![dedup_key.to_string()];
                past.push((at, Past::Answered(Answer { integration, dedup_keys, by, act: Act::Ack { until: None } })));
            }
            _ => {}
        }
    }
    past
}

fn same_as_played(scenario: &Scenario) -> Result<(), String> {
    let ConfigText::Inline(text) = &scenario.config else { return Err("the configuration is written out".to_owned()) };
    let story = play(scenario, |_| Ok(document(text))).map_err(|failure| failure.to_string())?;
    assert!(story.failures.is_empty(), "{:?}", story.failures);
    let config = compiled(text);
    let last = scenario.steps.last().map_or(Delay::ZERO, |step| step.at);
    let span = Span { from: scenario.start, until: scenario.start.after(last).plus_ms(1) };
    let past = recorded(scenario, &config).into_iter().map(Ok::<_, Infallible>);
    let replayed =
        replay(config, None, span, Answers::AsItWas, past, |_| ControlFlow::Continue(())).expect("nobody cancels it");
    let (mut played, reminders) = deliveries(&story.text);
    let mut pages: Vec<(Delay, String)> = replayed
        .running
        .list
        .iter()
        .map(|page| (Delay(page.at.ms_since(scenario.start)), shared::text::recipient_name(&page.recipient)))
        .map(|(after, name)| (after, format!("person:{name}")))
        .collect();
    played.sort();
    pages.sort();
    let reminded = replayed.running.reminders as usize;
    if played == pages && reminders == reminded { Ok(()) } else { Err(format!("{}\n{pages:#?}", story.text)) }
}

#[test]
fn a_replay_of_a_recorded_story_does_what_the_story_did() {
    let text = format!(
        "title recorded\nstart 2026-11-23T08:00:00+08:00[Asia/Shanghai]\nconfig\n{HOUSE}\nend\n\
         at 0s post falcon [P0][PROBLEM][db-1][10.0.0.1][down]\n\
         at 2m post falcon [P1][PROBLEM][db-2][10.0.0.2][down]\n\
         at 3m ack 1 by li\n\
         at 9m post falcon [P2][PROBLEM][web-1][10.0.0.3][slow]\n\
         at 12m post falcon [P2][OK][web-1][10.0.0.3][slow]\n\
         at 40m post falcon [P1][OK][db-2][10.0.0.2][down]\n\
         at 50m post falcon [P3][PROBLEM][lab-1][10.0.0.4][odd]\n\
         at 2h expect outcome opened\n"
    );
    let scenario = parse(&text).unwrap();
    same_as_played(&scenario).unwrap();
    let without = Scenario {
        steps: scenario.steps.iter().filter(|step| !matches!(step.what, What::Act { .. })).cloned().collect(),
        ..scenario
    };
    same_as_played(&without).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn what_nobody_answers_pages_as_it_would_have(
        posts in prop::collection::vec((0..3_600_i64, 0..7_u8, 0..6_usize, any::<bool>()), 1..40)
    ) {
        const HOSTS: [&str; 6] = ["db-1", "db-2", "web-1", "web-2", "lab-1", "lab-2"];
        let mut posts = posts;
        posts.sort();
        let mut steps: Vec<Step> = posts
            .into_iter()
            .map(|(after, severity, host, over)| {
                let status = if over { "OK" } else { "PROBLEM" };
                let body = format!("[P{severity}][{status}][{}][10.0.0.1][down]", HOSTS[host]);
                Step { line: 1, at: Delay::secs(after), what: What::Post { integration: "falcon".into(), key: None, body } }
            })
            .collect();
        steps.push(Step { line: 1, at: Delay::mins(200), what: What::Provider {
            contact: "none".to_owned(), behaviour: engine::scenario::Behaviour::TimesOut } });
        let scenario = Scenario {
            title: "random".to_owned(), start: START, config: ConfigText::Inline(HOUSE.to_owned()), steps };
        same_as_played(&scenario).map_err(TestCaseError::fail)?;
    }
}

#[test]
fn pages_are_counted_by_person_and_by_the_night_of_each() {
    let replayed = told(HOUSE, None, vec![message(1, Delay::ZERO, "[P1][PROBLEM][db-1][10.0.0.1][down]")]);
    let report = replayed.running;
    let of = |id: &str| report.people.iter().find(|load| load.recipient == person(id)).unwrap();
    assert_eq!((of("li").pages, of("li").night), (1, 0), "eight in the morning");
    assert_eq!((of("wang").pages, of("wang").night), (1, 1), "one at night");
    assert!(of("wang").reminders > 5, "every quarter of an hour: {}", of("wang").reminders);
    assert_eq!((report.messages, report.incidents, report.pages, report.night), (1, 1, 2, 1));
    let severity = &report.severities[0];
    assert_eq!(
        (severity.severity, severity.incidents, severity.paged, severity.slowest_ms),
        (Severity::P1, 1, 1, Some(0))
    );
    assert_eq!(report.list[1].after_ms, 300_000);
    assert!(replayed.draft.is_none() && replayed.diff.is_none());
}

#[test]
fn what_pages_nobody_is_counted_with_its_reason() {
    let silence = Silence {
        id: SilenceId(7),
        kind: SilenceKind::Silence,
        matches: vec!["host=db-9".to_owned()],
        starts_at: START,
        ends_at: Some(SPAN.until),
        until_recovered: false,
        recurs: None,
        reason: "known".to_owned(),
        configured: None,
        by: Actor::System,
        author: None,
        created_at: START,
        ended: None,
        hid: Vec::new(),
        hidden: 0,
        remind_at: None,
        stint: None,
        digests: Vec::new(),
        notices: Vec::new(),
    };
    let past = vec![
        (START, Past::Silenced(Box::new(silence))),
        message(1, Delay::secs(1), "[P3][PROBLEM][lab-1][10.0.0.1][odd]"),
        message(2, Delay::secs(2), "[P2][PROBLEM][web-1][10.0.0.2][slow]"),
        message(3, Delay::secs(3), " "),
        message(4, Delay::secs(4), "[P2][OK][db-5][10.0.0.5][down]"),
        message(5, Delay::secs(5), "[P1][PROBLEM][db-9][10.0.0.9][down]"),
        message(6, Delay::mins(3), "[P2][OK][web-1][10.0.0.2][slow]"),
        message(7, Delay::mins(239), "[P2][PROBLEM][web-2][10.0.0.2][slow]"),
    ];
    let report = told(HOUSE, None, past).running;
    let counts: Vec<(Unpaged, u64, u64)> = report.unpaged.iter().map(|it| (it.why, it.alerts, it.urgent)).collect();
    let expected = [
        (Unpaged::NoRoute, 1, 0),
        (Unpaged::Rejected, 1, 0),
        (Unpaged::KeptQuiet, 1, 1),
        (Unpaged::Held, 1, 0),
        (Unpaged::StillWaiting, 1, 0),
        (Unpaged::UnmatchedRecovery, 1, 0),
    ];
    assert_eq!(counts, expected);
    assert_eq!(report.pages, 0);
    let held = report.unpaged.iter().find(|it| it.why == Unpaged::Held).unwrap();
    assert_eq!((held.examples[0].message, held.examples[0].host.as_deref()), (EventId(2), Some("web-1")));
}

#[test]
fn a_draft_that_loses_a_p0_says_so_first() {
    // Whoever writes this has a fallback of nobody, and a policy that means P5 only.
    let draft = HOUSE
        .replace("fallback = [\"person:chen\"]", "")
        .replace("match = [\"host=~db.*\"]\npolicy = \"db\"", "match = [\"host=~db.*\"]\npolicy = \"deaf\"");
    let past = vec![
        message(1, Delay::ZERO, "[P1][PROBLEM][db-1][10.0.0.1][down]"),
        message(2, Delay::mins(1), "[P0][PROBLEM][db-2][10.0.0.2][down]"),
        message(3, Delay::mins(2), "[P0][PROBLEM][web-1][10.0.0.3][down]"),
    ];
    let replayed = told(HOUSE, Some(&draft), past);
    let diff = replayed.diff.unwrap();
    assert_eq!((diff.lost_p0, diff.lost_total, diff.found_total), (1, 2, 0));
    let first = &diff.lost[0];
    assert_eq!(
        (first.alert.message, first.alert.severity, first.why),
        (EventId(2), Severity::P0, Unpaged::NobodyReached)
    );
    assert_eq!(first.today, [person("li"), person("wang")]);
    assert_eq!((diff.gained_pages, diff.lost_pages, diff.moved_pages), (0, 4, 0));
    assert!(diff.dropped.iter().all(|page| page.alert.host.as_deref() != Some("web-1")));
    let li = diff.people.iter().find(|change| change.recipient == person("li")).unwrap();
    assert_eq!((li.pages, li.draft_pages), (3, 1));
}

#[test]
fn the_same_configuration_changes_nothing_and_a_longer_wait_moves_pages() {
    let past = || vec![message(1, Delay::ZERO, "[P1][PROBLEM][db-1][10.0.0.1][down]")];
    let same = told(HOUSE, Some(HOUSE), past());
    assert_eq!(same.draft, Some(same.running.clone()));
    let diff = same.diff.unwrap();
    assert_eq!((diff.gained_pages, diff.lost_pages, diff.moved_pages, diff.lost_total), (0, 0, 0, 0));
    let later = told(HOUSE, Some(&HOUSE.replace("delay = \"5m\" }, {", "delay = \"7m\" }, {")), past());
    let diff = later.diff.unwrap();
    assert_eq!((diff.gained_pages, diff.lost_pages, diff.moved_pages), (0, 0, 1));
    let wider = told(HOUSE, Some(&HOUSE.replace("[\"person:wang\"]", "[\"person:wang\", \"person:chen\"]")), past());
    let diff = wider.diff.unwrap();
    assert_eq!((diff.gained_pages, diff.gained[0].recipient.clone()), (1, person("chen")));
}

#[test]
fn what_was_open_before_the_span_is_known_and_not_counted() {
    let past = vec![
        message(1, Delay(-3_600_000), "[P2][PROBLEM][db-1][10.0.0.1][down]"),
        message(2, Delay::mins(1), "[P2][PROBLEM][db-1][10.0.0.1][down]"),
        message(3, Delay::mins(2), "[P2][OK][db-1][10.0.0.1][down]"),
        message(4, Delay(SPAN.until.ms_since(START)), "[P0][PROBLEM][db-1][10.0.0.1][too late]"),
    ];
    let report = told(HOUSE, None, past).running;
    assert_eq!((report.messages, report.incidents, report.pages), (2, 0, 0));
    assert!(report.unpaged.is_empty(), "the recovery found its alert: {:?}", report.unpaged);
}

#[test]
fn a_replay_tells_how_far_it_is_and_can_be_cancelled() {
    let past: Vec<_> = (1..2_000)
        .map(|id| message(id, Delay::secs(id), "[P3][PROBLEM][lab-1][10.0.0.1][odd]"))
        .map(Ok::<_, Infallible>)
        .collect();
    let mut seen = Vec::new();
    let whole = replay(compiled(HOUSE), None, SPAN, Answers::Nobody, past.clone(), |progress| {
        seen.push(progress.messages);
        ControlFlow::Continue(())
    });
    assert!(whole.is_ok() && seen.len() > 5 && seen.is_sorted() && seen.last() == Some(&1_999));
    let stopped = replay(compiled(HOUSE), None, SPAN, Answers::Nobody, past, |_| ControlFlow::Break(()));
    assert_eq!(stopped, Err(Stopped::Cancelled));
}
