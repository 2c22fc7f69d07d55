//! The formats senders speak: a table of messages, properties of all messages, and noise.

pub(super) use engine::normalize::fuzz::out_of_bounds as invariant;
use engine::normalize::{
    ALERTMANAGER_API, Charset, Normalized, SYSLOG, Source, fuzz::is_no_alerts, looks_like_p0, normalize, syslog,
};
use proptest::prelude::*;
use serde::Deserialize;
use shared::{
    Action, AlertEvent, Flag, Format, Severity, Timestamp,
    config::{Integration, Mapping},
    timeline::RejectReason,
};
use std::collections::BTreeMap;

const RECEIVED: Timestamp = Timestamp::from_ms(1_795_201_920_000);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    case: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    body: Option<String>,
    hex: Option<String>,
    gbk: Option<String>,
    content_type: Option<String>,
    format: Option<String>,
    mapping: Option<Mapping>,
    charset: Option<Charset>,
    #[serde(default)]
    rejected: Vec<String>,
    #[serde(default)]
    passed_over: u32,
    #[serde(default)]
    event: Vec<Expected>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    severity: Option<Severity>,
    action: Option<Action>,
    format: Option<Format>,
    host: Option<String>,
    ip: Option<String>,
    mac: Option<String>,
    service: Option<String>,
    summary: Option<String>,
    content: Option<String>,
    status: Option<String>,
    key: Option<String>,
    resolve_by_host: Option<bool>,
    metric: Option<String>,
    func: Option<String>,
    left: Option<String>,
    op: Option<String>,
    right: Option<String>,
    tags: Option<BTreeMap<String, String>>,
    step: Option<u32>,
    occurred_at: Option<i64>,
    ends_at: Option<i64>,
    links: Option<Vec<String>>,
    labels: Option<BTreeMap<String, String>>,
    annotations: Option<BTreeMap<String, String>>,
    #[serde(default)]
    no_host: bool,
    #[serde(default)]
    no_ip: bool,
    #[serde(default)]
    no_time: bool,
    #[serde(default)]
    no_end: bool,
    #[serde(default)]
    flags: Vec<Flag>,
}

fn run(content_type: Option<&str>, format: Option<&str>, body: &[u8]) -> Normalized {
    run_mapped(None, content_type, format, body)
}

pub(super) fn run_mapped(
    mapping: Option<&Mapping>,
    content_type: Option<&str>,
    format: Option<&str>,
    body: &[u8],
) -> Normalized {
    let mapping = mapping.cloned().map(Box::new);
    let integration = Integration { mapping, ..Integration::undeclared("test".into()) };
    normalize(&Source { integration: &integration, content_type, format, peer: None, received_at: RECEIVED }, body)
}

fn reason_name(reason: &RejectReason) -> String {
    serde_json::to_value(reason).unwrap()["kind"].as_str().unwrap().to_owned()
}

fn sorted<T: Ord + Clone>(items: &[T]) -> Vec<T> {
    let mut items = items.to_vec();
    items.sort();
    items
}

fn compare(want: &Expected, event: &AlertEvent) -> Vec<String> {
    let mut wrong = Vec::new();
    macro_rules! same {
        ($($name:literal: $want:expr => $got:expr),* $(,)?) => {$(
            if let Some(want) = $want.clone() {
                let got = $got.clone();
                if Some(&want) != got.as_ref() {
                    wrong.push(format!("{}: want {want:?}, got {got:?}", $name));
                }
            }
        )*};
    }
    let metric = event.metric.clone();
    let part = |take: fn(&shared::Metric) -> &String| metric.as_deref().map(take).cloned();
    same! {
        "severity": want.severity => Some(event.severity),
        "action": want.action => Some(event.action),
        "format": want.format => Some(event.format),
        "host": want.host => event.host.as_ref().map(ToString::to_string),
        "ip": want.ip => event.ip.as_ref().map(ToString::to_string),
        "mac": want.mac => event.mac.as_ref().map(ToString::to_string),
        "service": want.service => event.service.as_ref().map(ToString::to_string),
        "summary": want.summary => Some(event.summary.to_string()),
        "content": want.content => Some(event.content.to_string()),
        "status": want.status => event.status_raw.as_ref().map(ToString::to_string),
        "key": want.key => Some(event.dedup_key.to_string()),
        "resolve_by_host": want.resolve_by_host => Some(event.resolve_by_host),
        "metric": want.metric => part(|m| &m.name),
        "func": want.func => part(|m| &m.func),
        "left": want.left => part(|m| &m.left),
        "op": want.op => part(|m| &m.op),
        "right": want.right => part(|m| &m.right),
        "tags": want.tags => metric.as_ref().map(|m| m.tags.clone()),
        "step": want.step => metric.as_ref().and_then(|m| m.step),
        "occurred_at": want.occurred_at => event.occurred_at.map(|at| at.ms()),
        "ends_at": want.ends_at => event.ends_at.map(|at| at.ms()),
        "links": want.links => Some(event.links.to_vec()),
        "flags": Some(sorted(&want.flags)) => Some(sorted(&event.flags)),
    }
    for (name, value) in want.labels.iter().flatten() {
        if event.labels.get(name) != Some(value) {
            wrong.push(format!("label {name}: want {value:?}, got {:?}", event.labels));
        }
    }
    for (name, value) in want.annotations.iter().flatten() {
        if event.annotations.get(name) != Some(value) {
            wrong.push(format!("annotation {name}: want {value:?}, got {:?}", event.annotations));
        }
    }
    for (name, must_be_none, none) in [
        ("host", want.no_host, event.host.is_none()),
        ("ip", want.no_ip, event.ip.is_none()),
        ("time", want.no_time, event.occurred_at.is_none()),
        ("end", want.no_end, event.ends_at.is_none()),
    ] {
        if must_be_none && !none {
            wrong.push(format!("{name}: want none"));
        }
    }
    wrong
}

fn bytes(case: &Case) -> Vec<u8> {
    match (&case.body, &case.hex, &case.gbk) {
        (Some(body), None, None) => body.clone().into_bytes(),
        (None, Some(hex), None) => {
            let digits: Vec<u32> = hex.chars().map(|c| c.to_digit(16).unwrap()).collect();
            digits.chunks(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).unwrap()).collect()
        }
        (None, None, Some(text)) => encoding_rs::GBK.encode(text).0.into_owned(),
        _ => panic!("{}: exactly one of body, hex and gbk", case.name),
    }
}

#[test]
fn the_table() {
    let tables = [
        include_str!("normalize/cases.toml"),
        include_str!("normalize/alertmanager.toml"),
        include_str!("normalize/others.toml"),
        include_str!("normalize/pagerduty.toml"),
        include_str!("normalize/falcon.toml"),
        include_str!("normalize/alerta.toml"),
        include_str!("normalize/slack.toml"),
        include_str!("normalize/syslog.toml"),
        include_str!("normalize/mail.toml"),
        include_str!("normalize/mapping.toml"),
        include_str!("normalize/cloudevents.toml"),
        include_str!("normalize/github.toml"),
        include_str!("normalize/sentry.toml"),
        include_str!("normalize/sns.toml"),
        include_str!("normalize/grafana_legacy.toml"),
        include_str!("normalize/fluent.toml"),
    ];
    let cases = tables.into_iter().flat_map(|table| toml::from_str::<Table>(table).unwrap().case);
    let mut wrong = Vec::new();
    for case in &cases.collect::<Vec<_>>() {
        let (content_type, format) = (case.content_type.as_deref(), case.format.as_deref());
        let got = run_mapped(case.mapping.as_ref(), content_type, format, &bytes(case));
        let mut note = |what: String| wrong.push(format!("{}: {what}", case.name));
        if got.charset != case.charset.unwrap_or(Charset::Utf8) {
            note(format!("charset {:?}", got.charset));
        }
        let rejected: Vec<String> = got.rejected.iter().map(reason_name).collect();
        if rejected != case.rejected {
            note(format!("rejected {:?}", got.rejected));
        }
        if got.passed_over != case.passed_over {
            note(format!("{} passed over", got.passed_over));
        }
        if got.events.len() != case.event.len() {
            note(format!("{} events: {:#?}", got.events.len(), got.events));
        }
        for (want, parsed) in case.event.iter().zip(&got.events) {
            compare(want, &parsed.event).into_iter().for_each(&mut note);
        }
        if let Some(problem) = invariant(&got) {
            note(problem);
        }
    }
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn spans_point_at_the_fields() {
    let got = run(
        None,
        None,
        "【运维】[P1][PROBLEM][db-1][][主从 all(#3) m a=b 412>=120][O2 2026-11-21 03:10:00]".as_bytes(),
    );
    let spans: BTreeMap<&str, &str> = got.events[0]
        .spans
        .iter()
        .map(|span| (span.field.as_str(), &got.text[span.start as usize..span.end as usize]))
        .collect();
    for (field, text) in [
        ("severity", "P1"),
        ("status", "PROBLEM"),
        ("host", "db-1"),
        ("note", "主从"),
        ("func", "all(#3)"),
        ("metric", "m"),
        ("tags", "a=b"),
        ("left", "412"),
        ("op", ">="),
        ("right", "120"),
        ("step", "2"),
        ("time", "2026-11-21 03:10:00"),
    ] {
        assert_eq!(spans.get(field), Some(&text), "{field}");
    }
    let got = run(None, None, br#"{"host":"db-1","content":"[P0][PROBLEM][db-2][][x]"}"#);
    let severity = got.events[0].spans.iter().find(|span| span.field == "severity").unwrap();
    assert_eq!(&got.text[severity.start as usize..severity.end as usize], "P0");
}

#[test]
fn bounds_are_kept() {
    let long = format!("[P0][PROBLEM][{}][10.0.0.1][{}]", "h".repeat(400), "主".repeat(60_000));
    let got = run(None, None, long.as_bytes());
    assert_eq!(invariant(&got), None);
    assert!(got.events[0].event.flags.contains(&Flag::Truncated));
    let labels: BTreeMap<String, String> = (0..300).map(|n| (format!("k{n}"), "v".repeat(5000))).collect();
    let got = run(None, None, serde_json::json!({"msg": "x", "labels": labels}).to_string().as_bytes());
    assert_eq!(invariant(&got), None);
    assert!(got.events[0].event.flags.contains(&Flag::LabelsCut));
}

#[test]
fn a_thousand_members_and_no_more() {
    let many = vec![serde_json::json!({"msg": "x", "priority": "P5"}); 1000];
    let got = run(None, None, serde_json::to_vec(&many).unwrap().as_slice());
    assert_eq!((got.events.len(), got.rejected.len()), (1000, 0));
    let got = run(None, None, "[P1][PROBLEM][a][][x]\n".repeat(1001).as_bytes());
    assert_eq!(got.rejected, [RejectReason::TooMany { limit: 1000, found: 1001 }]);
    assert_eq!(got.events.len(), 1000);
    // The one too many is a P0: raised all the same.
    let mut body = "[P1][PROBLEM][a][][x]\n".repeat(1000);
    body.push_str("[P0][PROBLEM][b][][y]");
    let got = run(None, None, body.as_bytes());
    assert!(got.events.iter().any(|parsed| parsed.event.severity == Severity::P0));
}

#[test]
fn what_messages_carry_counts_as_if_it_had_been_posted_itself() {
    let lines = "[P5][PROBLEM][a][][x]\n".repeat(40);
    let notification = serde_json::json!({"Type": "Notification", "MessageId": "1", "TopicArn": "t", "Message": lines});
    let event = |data: &serde_json::Value| serde_json::json!({"specversion": "1.0", "id": "1", "source": "/m", "type": "x", "data": data});
    let alerts = event(&serde_json::json!({"alerts": vec![serde_json::json!({"msg": "x", "priority": "P5"}); 40]}));
    for carrier in [event(&notification), notification, alerts] {
        let got = run(None, None, serde_json::to_vec(&vec![carrier.clone(); 25]).unwrap().as_slice());
        assert_eq!((got.events.len(), got.rejected.len()), (1000, 0), "{carrier}");
        let got = run(None, None, serde_json::to_vec(&vec![carrier.clone(); 100]).unwrap().as_slice());
        assert_eq!(invariant(&got), None);
        assert!(
            matches!(got.rejected[..], [RejectReason::TooMany { limit: 1000, found: 1001.. }]),
            "{:?}",
            got.rejected
        );
    }
    // One that carries nothing counts itself.
    let got =
        run(None, None, serde_json::to_vec(&vec![event(&serde_json::json!({"alerts": []})); 2000]).unwrap().as_slice());
    assert_eq!((invariant(&got), got.events.len()), (None, 1000));
}

#[test]
fn a_message_has_the_name_its_sender_gives_it_and_a_list_has_none() {
    let named = |body: &str| run(None, None, body.as_bytes()).named;
    let event = r#"{"specversion":"1.0","id":"1","source":"/m","type":"x","data":{"specversion":"1.0","id":"2","source":"/n","type":"y"}}"#;
    assert_eq!(named(event).as_deref(), Some("/m 1"));
    assert_eq!(named(&format!("[{event},{event}]")), None);
    assert_eq!(named(&format!("{event}\n{{\"msg\":\"x\"}}")), None);
    let notification = r#"{"type":"Notification","message_id":"242f","topic_urn":"t","message":"x"}"#;
    assert_eq!(named(notification).as_deref(), Some("242f"));
    assert_eq!(named(r#"{"msg":"x","id":"1"}"#), None);
}

#[test]
fn the_address_that_confirms_a_subscription_is_found_and_no_other() {
    let of = |body: &str| engine::normalize::subscription(body.as_bytes());
    let asks = |kind: &str| {
        format!(r#"{{"Type":"{kind}","TopicArn":"t","MessageId":"1","SubscribeURL":"https://sns.example/"}}"#)
    };
    assert_eq!(of(&asks("SubscriptionConfirmation")).as_deref(), Some("https://sns.example/"));
    assert_eq!(
        of(r#"{"type":"SubscriptionConfirmation","topic_urn":"t","subscribe_url":"https://smn.example/"}"#).as_deref(),
        Some("https://smn.example/")
    );
    for body in
        [&asks("Notification"), &asks("UnsubscribeConfirmation"), "", "{", "[]", r#"{"SubscribeURL":"https://a/"}"#]
    {
        assert_eq!(of(body), None, "{body}");
    }
}

/// Bodies that make a careless parser quadratic; a megabyte each.
#[test]
#[allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "the test is about time")]
fn hostile_bodies_take_one_pass() {
    const SIZE: usize = 1 << 20;
    for piece in [
        "[",
        "{",
        "\n",
        "[ ",
        " ",
        "\n[P0",
        "[P0]",
        "\n[P0]",
        "{\"a\":",
        "{}\n{",
        "{\"a\":\"\n",
        "1.",
        "a:",
        "::",
        "\\u",
        "【",
        "&a=",
        "%",
        "1,",
        "P0\"",
        "\n{\"level\": ",
        "[P0][O1 ",
        "][",
        "=",
        "x all(#1) ",
        "\n<1>[",
        "9 <1>",
        " b=\"\"",
    ] {
        for prefix in ["", "[P0][PROBLEM][a][][", "{\"a\":\"", "content=", "<1>1 - - - - - [a"] {
            let body = prefix.to_owned() + &piece.repeat(SIZE / piece.len());
            let form = Some("application/x-www-form-urlencoded");
            for content_type in [None, Some("application/json"), form, Some(syslog::MESSAGE), Some(syslog::FRAMES)] {
                let started = std::time::Instant::now();
                let got = run(content_type, None, body.as_bytes());
                assert_eq!(invariant(&got), None);
                let took = started.elapsed();
                assert!(took.as_secs() < 10, "{prefix:?} and {piece:?} as {content_type:?} took {took:?}");
            }
        }
    }
}

const TYPES: [Option<&str>; 6] = [
    None,
    Some("application/json"),
    Some("application/x-www-form-urlencoded"),
    Some("text/plain"),
    Some(syslog::MESSAGE),
    Some(syslog::FRAMES),
];
const FORMATS: &[Option<&str>] = &[
    None,
    Some("auto"),
    Some("bracket"),
    Some("falcon"),
    Some("json"),
    Some("text"),
    Some("form"),
    Some("pagerduty"),
    Some("pagerduty-change"),
    Some("opsgenie"),
    Some("callback"),
    Some("alertmanager"),
    Some("alerta"),
    Some("slack"),
    Some("gotify"),
    Some(ALERTMANAGER_API),
    Some(SYSLOG),
];

/// Pieces of everything we parse, so that noise gets past the first branch.
fn noise() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => prop::sample::select(vec![
            "[", "]", "[P0]", "[p1]", "【P0】", "［", "］", "【", "】", "[OK]", "[PROBLEM]", "[10.0.0.1]", "[[::1]]", "[host]", "\n", "\r\n",
            "[O1 2026-11-21 03:10:00]", "[O", " all(#3) ", "cpu.idle", "  1<2", " k=v,x 1>=2", "e.g.", " 12 m", "http://a/b", "{", "}", "\"", ":", ",",
            "<11>", "9 <1>", "1 - - - ", "Nov 21 03:10:00 ", "2026-11-21T03:10:00Z ", "app[1]: ", "[a@1 b=\"", "{\"a\":1}", "\"severity\":\"P0\"", "\"alerts\":[", "\\u0000", "\\ud83d", "null", "true", "-1e5", "content=", "&", "%5B", "%", "+", "主从",
            "\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/m\",\"type\":\"x.ok\",\"data\":", "\"data_base64\":\"tMXFzA==\"",
            "\"Type\":\"Notification\",\"MessageId\":\"1\",\"TopicArn\":\"a:t\",\"Message\":", "\"[P0][PROBLEM][h][][x]\\n[P1][OK][h][][x]\"", "{\"github\":",
            "\u{202e}", "\u{0}", "\u{feff}", "é", "\u{3000}", "fe80::1%eth0", "00:11:22:33:44:55", "\"time\":\"2026-11-21\"",
            "\"attachments\":[", "\"text\":", "\"blocks\":[", "\"fields\":[", "\"elements\":[", "\"title\":", "\"color\":\"good\"", "\"type\":\"rich_text\"",
            "{\"slack\":", "{\"gotify\":", "{\"alerta\":", "\"do\":\"alert\"", "\"message\":", "\"value\":", "},{", "}]}",
        ]).prop_map(|piece| piece.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..8),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_give_bounded_events_or_reasons(
        body in prop_oneof![noise(), prop::collection::vec(any::<u8>(), 0..200)],
        content_type in prop::sample::select(&TYPES[..]),
        format in prop::sample::select(FORMATS),
    ) {
        let got = run(content_type, format, &body);
        if !is_no_alerts(format, &got.text) {
            prop_assert_eq!(invariant(&got), None);
        }
        prop_assert_eq!(&run(content_type, format, &body), &got);
        if !got.rejected.is_empty() && looks_like_p0(&body) && !matches!(got.rejected[..], [RejectReason::Empty]) {
            prop_assert!(got.events.iter().any(|parsed| parsed.event.severity == Severity::P0), "a P0 was lost: {:?}", got);
        }
    }

    #[test]
    fn a_p0_prefix_is_a_p0_whatever_follows(
        prefix in prop::sample::select(vec!["[P0]", "[p0]", " [ P0 ]", "\u{feff}[P0]", "【P0】", "［P0］", "【运维】[P0]"]),
        rest in noise(),
        content_type in prop::sample::select(&TYPES[..]),
        format in prop::sample::select(FORMATS),
    ) {
        let body = [prefix.as_bytes(), &rest].concat();
        let got = run(content_type, format, &body);
        let first = got.events.first().map(|parsed| parsed.event.severity);
        prop_assert_eq!(first, Some(Severity::P0), "{:?}", got);
        prop_assert!(looks_like_p0(&body));
    }

    #[test]
    fn falcon_prints_and_reads_back(
        level in 0_u8..=6,
        ok: bool,
        host in "[a-z][a-z0-9.-]{0,20}",
        note in "([a-z主从延迟#(]{1,6}|\\]\\[|\\[x\\]| ){0,4}",
        func in "(all|max|lookup|kdiff)\\(#[1-9](,[1-9])?\\)",
        metric in "[a-z][a-z.]{0,15}",
        tags in prop::collection::btree_map("[a-z]{1,5}", "[a-z0-9/\\[\\]:=_-]{1,8}", 0..4),
        left in -1_000_000..1_000_000_i32,
        fraction in prop::option::of(1..9_u8),
        op in prop::sample::select(vec!["=", "==", "!=", "<", "<=", ">", ">="]),
        right in -1_000..1_000_i32,
        step in 1..9_u32,
    ) {
        let status = if ok { "OK" } else { "PROBLEM" };
        let left = fraction.map_or(left.to_string(), |digit| format!("{left}.{digit}"));
        let printed: Vec<String> = tags.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let body = format!(
            "[P{level}][{status}][{host}][][{note} {func} {metric} {} {left}{op}{right}][O{step} 2026-11-21 03:10:00]",
            printed.join(","),
        );
        let got = run(None, None, body.as_bytes());
        prop_assert_eq!(got.events.len(), 1);
        let event = &got.events[0].event;
        prop_assert_eq!(event.format, Format::Falcon, "{}", body);
        prop_assert_eq!(event.severity, Severity::ALL[usize::from(level)]);
        prop_assert_eq!(event.action, if ok { Action::Resolve } else { Action::Trigger });
        prop_assert_eq!(event.host.as_deref(), Some(host.as_str()));
        prop_assert_eq!(event.occurred_at, Some(Timestamp::from_ms(1_795_201_800_000)));
        let read = event.metric.clone().unwrap();
        prop_assert_eq!((read.name, read.func, read.left, read.op, read.right), (metric, func, left, op.to_owned(), right.to_string()));
        prop_assert_eq!((read.tags, read.step), (tags, Some(step)));
        prop_assert!(event.flags.is_empty(), "{:?}", event.flags);
    }
}
