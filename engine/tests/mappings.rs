//! Mappings: where fields came from, what is wrong with one, and what holds for any mapping and any JSON.

use super::normalize::{invariant, run_mapped};
use engine::{
    Snapshot,
    normalize::{Normalized, check_mapping},
};
use proptest::prelude::*;
use serde_json::{Value, json};
use shared::{
    Action, AlertEvent, Flag, Severity,
    api::Preview,
    config::{MappedSeverity, MappedStatus, MappedWhen, Mapping, Texts},
};
use std::collections::BTreeMap;

fn run(mapping: Option<&Mapping>, body: &str) -> Normalized {
    run_mapped(mapping, Some("application/json"), None, body.as_bytes())
}

#[test]
fn a_preview_says_where_each_field_was_found() {
    let mapping: Mapping = toml::from_str(
        r#"
        each = "/list"
        host = "/labels/vm~1name"
        summary = "{/title} ({$/env})"
        service = "constant"
        "#,
    )
    .unwrap();
    let body =
        r#"{"env":"prod","list":[{"title":"lag","labels":{"vm/name":"db-07"},"priority":"P1","ip":"10.8.3.21"}]}"#;
    let preview: Preview = run(Some(&mapping), body).into();
    let event = &preview.events[0];
    let mut origins: Vec<(&str, &str, bool)> =
        event.origins.iter().map(|it| (it.field.as_str(), it.at.as_str(), it.mapped)).collect();
    origins.sort_unstable();
    assert_eq!(
        origins,
        [
            ("host", "/list/0/labels/vm~1name", true),
            ("ip", "/list/0/ip", false),
            ("severity", "/list/0/priority", false),
            ("summary", "/env", true),
            ("summary", "/list/0/title", true),
        ]
    );
    assert_eq!(event.event.service.as_deref(), Some("constant"));
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    let text = r#"
        each = "items"
        when = [{ at = "/a~2" }, { at = "/b", is = [""] }]
        host = ["/ok", "{host}"]
        summary = "{/a"
        severity = { from = [], words = { "" = "P0" } }
        labels = { x = [] }
    "#;
    let mapping: Mapping = toml::from_str(text).unwrap();
    let found: Vec<String> = check_mapping(&mapping, "m").into_iter().map(|it| it.path).collect();
    assert_eq!(
        found,
        [
            "m.each",
            "m.when[0].at",
            "m.when[1].is",
            "m.summary",
            "m.host[1]",
            "m.severity.from",
            "m.severity.words",
            "m.labels.x"
        ]
    );
    let empty: Mapping = toml::from_str("when = [{ at = \"/a\" }]").unwrap();
    assert!(check_mapping(&empty, "m")[0].message.contains("gives no field"));
    let many =
        Mapping { host: Texts(vec!["/a".to_owned(); 9]), service: "x".repeat(1025).into(), ..Mapping::default() };
    assert_eq!(check_mapping(&many, "m").len(), 2);
}

#[test]
fn a_configuration_with_a_bad_mapping_is_refused_and_a_misspelt_member_too() {
    let text = |mapping: &str| format!("[[integrations]]\nid = \"shop\"\nmapping = {{ {mapping} }}\n");
    let faults = Snapshot::compile(1, toml::from_str(&text("host = \"{host}\"")).unwrap()).unwrap_err();
    assert_eq!(faults[0].path, "integrations[shop].mapping.host");
    let good = Snapshot::compile(1, toml::from_str(&text("host = \"/host\"")).unwrap()).unwrap();
    assert!(good.integration(&"shop".into()).mapping.is_some());
    for wrong in
        ["hots = \"/a\"", "host = 7", "severity = { from = \"/a\", words = { x = \"P9\" } }", "each = [\"/a\"]"]
    {
        assert!(toml::from_str::<shared::config::Document>(&text(wrong)).is_err(), "{wrong}");
    }
}

#[test]
fn a_mapping_is_written_as_it_is_read() {
    let mapping: Mapping = toml::from_str("host = [\"/a\", \"/b\"]\nip = \"/c\"\nlabels = { x = \"/y\" }").unwrap();
    let text = toml::to_string(&mapping).unwrap();
    assert!(text.contains("ip = \"/c\"") && !text.contains("severity"), "{text}");
    assert_eq!(toml::from_str::<Mapping>(&text).unwrap(), mapping);
}

const NAMES: &[&str] = &[
    "severity", "level", "priority", "status", "title", "text", "host", "labels", "alerts", "items", "a/b", "x", "ip",
    "key",
];
const TEXTS: &[&str] = &[
    "P0",
    "p0",
    "P2",
    "disaster",
    "warning",
    "0",
    "ok",
    "firing",
    "db-07",
    "10.8.3.21:80",
    "[P0] down",
    "[P0][PROBLEM][db-07][10.8.3.21][down]",
    "[P0][OK][db-07][10.8.3.21][down]",
    "2026-11-21 03:10:00",
    "https://a.example/b",
    "主从延迟",
    "",
    " \u{202e}\n",
];
const PLACES: &[&str] = &[
    "",
    "/",
    "/severity",
    "/level",
    "/title",
    "/text",
    "/labels/x",
    "/labels/severity",
    "/items",
    "/items/0",
    "/alerts",
    "/alerts/0/x",
    "/a~1b",
    "/a~b",
    "/x",
    "/0",
    "$",
    "$/x",
    "$/items/1/host",
    "{/x} {/title}",
    "{x}",
    "{/x",
    "}",
    "constant",
    "[P0][PROBLEM][c][][constant]",
];

fn value() -> impl Strategy<Value = Value> {
    let name = || prop::sample::select(NAMES);
    let leaf = prop_oneof![
        6 => prop::sample::select(TEXTS).prop_map(|text| json!(text)),
        1 => (-5_i64..5).prop_map(|number| json!(number)),
        1 => any::<bool>().prop_map(|it| json!(it)),
        1 => Just(Value::Null),
    ];
    let nested = leaf.prop_recursive(4, 48, 6, move |inner| {
        prop_oneof![
            3 => prop::collection::btree_map(name().prop_map(ToOwned::to_owned), inner.clone(), 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
            1 => prop::collection::vec(inner, 0..4).prop_map(Value::Array),
        ]
    });
    prop::collection::btree_map(name().prop_map(ToOwned::to_owned), nested, 0..7)
        .prop_map(|map| Value::Object(map.into_iter().collect()))
}

fn texts() -> impl Strategy<Value = Texts> {
    prop::collection::vec(prop::sample::select(PLACES).prop_map(ToOwned::to_owned), 0..3).prop_map(Texts)
}

fn words<T: Clone + std::fmt::Debug + 'static>(values: Vec<T>) -> impl Strategy<Value = BTreeMap<String, T>> {
    let word = prop::sample::select(TEXTS).prop_map(ToOwned::to_owned);
    prop::collection::btree_map(word, prop::sample::select(values), 0..3)
}

prop_compose! {
    fn mapping()(
        each in prop::option::of(prop::sample::select(PLACES).prop_map(ToOwned::to_owned)),
        when in prop::collection::vec((prop::sample::select(PLACES), prop::collection::vec(prop::sample::select(TEXTS), 0..2)), 0..2),
        (summary, content, host, ip, service) in (texts(), texts(), texts(), texts(), texts()),
        (key, time, url, mac, label) in (texts(), texts(), texts(), texts(), texts()),
        severity in prop::option::of((texts(), words(Severity::ALL.to_vec()))),
        status in prop::option::of((texts(), words(vec![Action::Trigger, Action::Resolve, Action::Change]))),
    ) -> Mapping {
        let test = |(at, is): (&str, Vec<&str>)| MappedWhen { at: at.into(), is: is.into_iter().map(Into::into).collect() };
        Mapping {
            each,
            when: when.into_iter().map(test).collect(),
            summary, content, host, ip, mac, service, key, time, url,
            severity: severity.map(|(from, words)| MappedSeverity { from, words }),
            status: status.map(|(from, words)| MappedStatus { from, words }),
            labels: [("x".to_owned(), label)].into(),
        }
    }
}

/// It says so, and is not only taken for one because it could not be read.
fn is_p0(event: &AlertEvent) -> bool {
    event.severity == Severity::P0 && ![Flag::DefaultSeverity, Flag::Poison].iter().any(|it| event.flags.contains(it))
}

fn p0(read: &Normalized) -> usize {
    read.events.iter().filter(|parsed| is_p0(&parsed.event)).count()
}

/// Those that page; a mapping may say where it is told that they are over.
fn paging_p0(read: &Normalized) -> usize {
    read.events.iter().filter(|parsed| is_p0(&parsed.event) && parsed.event.action == Action::Trigger).count()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8192, ..ProptestConfig::default() })]

    #[test]
    fn any_mapping_of_any_json_gives_bounded_events_or_reasons(mapping in mapping(), body in value()) {
        let body = body.to_string();
        let got = run(Some(&mapping), &body);
        prop_assert_eq!(invariant(&got), None);
        prop_assert_eq!(&run(Some(&mapping), &body), &got);
        // Whether its faults are named or not.
        prop_assert!(check_mapping(&mapping, "m").len() < 100);
        let events = got.events.len();
        prop_assert_eq!(Preview::from(got).events.len(), events);
    }

    #[test]
    fn a_p0_is_only_made_milder_by_a_word_that_is_named(mapping in mapping(), body in value()) {
        let mut mapping = mapping;
        if let Some(severity) = &mut mapping.severity {
            severity.words.clear();
        }
        let body = body.to_string();
        let (with, without) = (run(Some(&mapping), &body), run(None, &body));
        prop_assert!(paging_p0(&without) == 0 || p0(&with) > 0, "{:#?}\n{:#?}", without, with);
        if mapping.each.is_none() && with.events.len() == without.events.len() {
            prop_assert!(p0(&with) >= p0(&without), "{:#?}\n{:#?}", without, with);
        }
    }

    #[test]
    fn a_line_that_says_p0_stays_one_under_any_mapping(mapping in mapping(), rest in value()) {
        let mut mapping = mapping;
        if let Some(status) = &mut mapping.status {
            status.words.clear();
        }
        let mut body = rest;
        body["text"] = json!("[P0][PROBLEM][db-07][10.8.3.21][down]");
        ["subject", "content", "alerts", "severity", "level", "priority"].iter().for_each(|name| {
            body.as_object_mut().unwrap().remove(*name);
        });
        let got = run(Some(&mapping), &body.to_string());
        let paging = |parsed: &engine::normalize::Parsed| {
            parsed.event.severity == Severity::P0 && parsed.event.action == Action::Trigger
        };
        prop_assert!(got.events.iter().any(paging), "{:#?}", got);
    }

    #[test]
    fn what_a_mapping_does_not_fit_is_read_as_without_it(mapping in mapping(), body in value()) {
        let mut mapping = mapping;
        mapping.each = None;
        mapping.when.push(MappedWhen { at: "/nowhere".to_owned(), is: Vec::new() });
        let body = body.to_string();
        let (mut with, without) = (run(Some(&mapping), &body), run(None, &body));
        for parsed in &mut with.events {
            let flags = &mut parsed.event.flags;
            prop_assert!(flags.contains(&Flag::Unmapped) || flags.contains(&Flag::Poison));
            flags.retain(|flag| *flag != Flag::Unmapped);
        }
        prop_assert_eq!(with, without);
    }
}
