//! Where an alert goes and what is made of it: conditions, time, effects, and what a sender's words are worth.

use engine::{
    Snapshot, classify,
    matcher::{Matcher, Subject},
    normalize::{Source, normalize},
    route::{self, Routing},
    window::Window,
};
use shared::{
    AlertEvent, IntegrationId, Severity, Timestamp,
    config::{TimeSpan, TimeWindow},
    timeline::{Muted, SeverityReason},
};

fn at(text: &str) -> Timestamp {
    Timestamp::from_ms(text.parse::<jiff::Zoned>().expect(text).timestamp().as_millisecond())
}

const SATURDAY: &str = "2026-11-21T15:00:00+08:00[Asia/Shanghai]";

fn config(toml: &str) -> Snapshot {
    Snapshot::compile(1, toml::from_str(toml).expect("TOML")).expect("a sound document")
}

/// What a sender of this configuration's `shop` is read as.
fn event(config: &Snapshot, body: &str) -> AlertEvent {
    let integration = config.integration(&"shop".into());
    let source =
        Source { integration: &integration, content_type: None, format: None, peer: None, received_at: at(SATURDAY) };
    normalize(&source, body.as_bytes()).events.remove(0).event
}

fn routed(config: &Snapshot, body: &str, now: &str) -> Routing {
    let (event, integration) = (event(config, body), IntegrationId::from("shop"));
    let reason = classify::classify(config, &integration, &event, at(now));
    let subject = Subject { event: &event, integration: &integration, severity: reason.severity(), now: at(now) };
    let traced = route::route(&config.tree, &subject);
    let untraced = route::decide(&config.tree, &subject);
    assert_eq!(Routing { trace: Vec::new(), ..traced.clone() }, untraced, "the trace changes nothing");
    traced
}

fn policies(routing: &Routing) -> Vec<&str> {
    routing.policies.iter().map(|policy| policy.as_str()).collect()
}

const BODY: &str = r#"{"severity":"P2","host":"db-1","ip":"10.1.2.3","title":"slow",
    "labels":{"instance":"10.1.2.3:9100","rack":"r7","a=b":"c"}}"#;

#[test]
fn conditions_see_every_field() {
    let config = config("");
    let (event, integration) = (event(&config, BODY), IntegrationId::from("shop"));
    let subject = Subject { event: &event, integration: &integration, severity: event.severity, now: at(SATURDAY) };
    let holds = |text: &str| Matcher::parse(text).unwrap_or_else(|error| panic!("{error}")).holds(&subject);
    for (yes, no) in [
        ("severity=p2", "severity!=P2"),
        ("host=~db-.*", "host!~\"db-.*\""),
        ("integration=shop", "integration=zabbix"),
        ("ip in 10.0.0.0/8", "ip not in 10.0.0.0/8"),
        ("ip in 192.168.0.0/16, 10.1.2.3", "ip in 192.168.0.0/16,2001:db8::/32"),
        ("labels.instance in 10.1.2.0/24", "labels.rack in 10.1.2.0/24"),
        ("labels.rack not in 10.0.0.0/8", "mac in 10.0.0.0/8"),
        ("rack=r7", "rack=r8"),
        ("labels.\"a=b\"=c", "labels.\"a=b\"!=c"),
        // As in Prometheus: what is absent reads as empty.
        ("service=\"\"", "service=~.+"),
        ("service=~.*", "service!=\"\""),
        ("title=\"slow\"", "title=\" slow\""),
    ] {
        assert!(holds(yes), "{yes}");
        assert!(!holds(no), "{no}");
    }
    for text in ["host", "=x", "ip in 10.0.0.0/40", "ip in", "host=~(", "severity=urgent", "time in nowhere"] {
        assert!(Matcher::parse(text).is_err(), "{text}");
    }
}

const HOURS: &str = r#"
time_windows = [
  { id = "office", time_zone = "Asia/Shanghai", windows = [{ days = ["mon..fri"], from = "09:00", until = "18:00" }] },
  { id = "night", time_zone = "Asia/Shanghai", windows = [{ days = ["fri"], from = "22:00", until = "06:00" }] },
  { id = "gone", time_zone = "UTC", windows = [{ years = ["2020..2021"] }] },
]
policies = [
  { id = "day", levels = [{ notify = [], delay = "5m" }] },
  { id = "duty", levels = [{ notify = [], delay = "5m" }] },
]
"#;

#[test]
fn a_time_condition_leaves_the_alert_to_the_next_route() {
    let config = config(&format!(
        "{HOURS}
        [[routes]]
        id = \"office\"
        match = [\"time in office\", \"time not in night,gone\"]
        policy = \"day\"
        [[routes]]
        id = \"rest\"
        policy = \"duty\""
    ));
    let monday = routed(&config, BODY, "2026-11-23T09:00:00+08:00[Asia/Shanghai]");
    assert_eq!(policies(&monday), ["day"]);
    let evening = routed(&config, BODY, "2026-11-23T18:00:00+08:00[Asia/Shanghai]");
    assert_eq!(policies(&evening), ["duty"]);
    let failed = evening.trace[0].failed.as_ref().unwrap();
    assert_eq!(failed.condition, "time in office");
    assert_eq!(failed.value.as_deref(), Some("Mon 2026-11-23 18:00 Asia/Shanghai"));
    // In the zone of the window, wherever the server stands: still Monday morning in Berlin.
    assert_eq!(policies(&routed(&config, BODY, "2026-11-23T02:00:00+01:00[Europe/Berlin]")), ["day"]);
}

#[test]
fn a_muted_route_takes_the_alert_and_waits() {
    let config = config(&format!(
        "{HOURS}
        [[routes]]
        id = \"office\"
        match = [\"host=~db-.*\"]
        policy = \"day\"
        active = [\"office\"]
        mute = [\"night\"]
        continue = true
        [[routes.routes]]
        id = \"always\"
        match = [\"labels.rack=r8\"]
        active = []
        [[routes]]
        id = \"never\"
        policy = \"duty\"
        active = [\"gone\"]"
    ));
    let saturday = routed(&config, BODY, SATURDAY);
    let monday = at("2026-11-23T09:00:00+08:00[Asia/Shanghai]");
    assert_eq!(policies(&saturday), ["day"]);
    assert_eq!(saturday.held.get(&"day".into()), Some(&monday));
    let muted: Vec<_> = saturday.trace.iter().map(|step| step.muted.clone()).collect();
    let inactive = Some(Muted { window: None, until: Some(monday) });
    assert_eq!(muted, [inactive, None, Some(Muted { window: None, until: None })]);
    let open = routed(&config, BODY, "2026-11-23T10:00:00+08:00[Asia/Shanghai]");
    assert!(open.held.is_empty() && policies(&open) == ["day"]);
    // What the parent says is inherited unless it is said otherwise, and `mute` stays.
    let child = BODY.replace("r7", "r8");
    assert!(routed(&config, &child, SATURDAY).held.is_empty());
    let friday_night = routed(&config, &child, "2026-11-27T23:00:00+08:00[Asia/Shanghai]");
    let saturday_six = at("2026-11-28T06:00:00+08:00[Asia/Shanghai]");
    assert_eq!(friday_night.held.get(&"day".into()), Some(&saturday_six));
    assert_eq!(friday_night.trace[1].muted.as_ref().unwrap().window, Some("night".into()));
}

#[test]
fn a_policy_waits_only_when_every_route_to_it_does() {
    let config = config(&format!(
        "{HOURS}
        [[routes]]
        id = \"calm\"
        policy = \"day\"
        active = [\"office\"]
        continue = true
        [[routes]]
        id = \"database\"
        match = [\"host=~db-.*\"]
        policy = \"day\""
    ));
    assert!(routed(&config, BODY, SATURDAY).held.is_empty());
    assert_eq!(routed(&config, &BODY.replace("db-1", "web-1"), SATURDAY).held.len(), 1);
}

#[test]
fn routes_group_and_annotate() {
    let config = config(
        r#"
        policies = [{ id = "p", levels = [{ notify = [], delay = "5m" }] }]
        [[routes]]
        id = "top"
        policy = "p"
        group = { by = ["host", "labels.rack"] }
        annotations = { runbook = "https://wiki/top", team = "ops" }
        [[routes.routes]]
        id = "db"
        match = ["host=~db-.*"]
        annotations = { runbook = "https://wiki/db" }
        [[routes.routes]]
        id = "loose"
        match = ["service=loose"]
        group = { by = ["labels.rack"], missing_equal = true }
        "#,
    );
    let found = routed(&config, BODY, SATURDAY);
    assert_eq!(found.group.as_ref().map(|group| group.key.as_str()), Some(r#"db host="db-1" labels.rack="r7""#));
    let said: Vec<_> = found.annotations.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    assert_eq!(said, [("runbook", "https://wiki/db"), ("team", "ops")]);
    // Strict: two alerts without a rack have nothing in common.
    let bare = routed(&config, "[P2][PROBLEM][db-1][10.1.2.3][slow]", SATURDAY);
    assert_eq!(bare.group, None);
    let loose = routed(&config, r#"{"severity":"P2","title":"slow","service":"loose"}"#, SATURDAY);
    assert_eq!(loose.group.as_ref().map(|group| group.key.as_str()), Some(r#"loose labels.rack="""#));
}

#[test]
fn every_word_of_the_table_has_its_severity() {
    let config = config("");
    for (severity, words) in [
        ("P0", "page fatal emergency disaster security p0"),
        ("P1", "critical crit alert DOWN S1 P1"),
        ("P2", "error err major high average UNREACHABLE S2"),
        ("P3", "warning warn minor WARNING S3"),
        ("P4", "info notice none informational indeterminate"),
        ("P5", "debug trace"),
        // Absent or unknown.
        ("P3", "purple"),
    ] {
        for word in words.split(' ') {
            let event = event(&config, &format!(r#"{{"title":"x","severity":"{word}"}}"#));
            assert_eq!(event.severity.as_str(), severity, "{word}");
        }
    }
}

const CLASSES: &str = r#"
[[integrations]]
id = "shop"
classes = [
  { id = "lab", match = ["host=~lab-.*"], severity = "P6" },
  { id = "worst", match = ["severity_word=~(?i)disaster|purple|5"], severity = "P1" },
]
"#;

#[test]
fn classes_decide_what_words_mean_and_say_so() {
    let config = config(CLASSES);
    let reason = |body: &str| {
        let event = event(&config, body);
        classify::classify(&config, &"shop".into(), &event, at(SATURDAY))
    };
    let class = |severity, class: &str, was| SeverityReason::Class { severity, class: class.into(), was };
    assert_eq!(reason(r#"{"title":"x","severity":"Disaster"}"#), class(Severity::P1, "worst", Severity::P0));
    assert_eq!(reason(r#"{"title":"x","severity":"purple"}"#), class(Severity::P1, "worst", Severity::P3));
    assert_eq!(reason(r#"{"title":"x","severity":5}"#), class(Severity::P1, "worst", Severity::P5));
    assert_eq!(reason(r#"{"title":"x","host":"lab-1"}"#), class(Severity::P6, "lab", Severity::P3));
    // A level of ours wins over every rule, wherever the message says it.
    assert_eq!(reason("[P0][PROBLEM][lab-1][10.0.0.1][down]"), SeverityReason::Stated { severity: Severity::P0 });
    let both = r#"{"title":"x","severity":"disaster","level":"P2"}"#;
    assert_eq!(reason(both), SeverityReason::Stated { severity: Severity::P2 });
    let word = SeverityReason::Word { severity: Severity::P1, word: "critical".to_owned() };
    assert_eq!(reason(r#"{"title":"x","severity":"critical"}"#), word);
    assert_eq!(reason(r#"{"title":"x"}"#), SeverityReason::Default { severity: Severity::P3 });
    // Another sender's rules are its own.
    let event = event(&config, r#"{"title":"x","severity":"Disaster"}"#);
    assert_eq!(classify::classify(&config, &"other".into(), &event, at(SATURDAY)).severity(), Severity::P0);
    assert_eq!(classify::foresee(&config, &"shop".into(), &event, at(SATURDAY)), Severity::P1);
}

fn window(zone: &str, span: TimeSpan) -> Window {
    let window = TimeWindow { id: "w".into(), time_zone: zone.to_owned(), windows: vec![span] };
    Window::compile(&window).unwrap_or_else(|error| panic!("{error:?}"))
}

fn span(days: &[&str], dates: &[&str], months: &[&str], hours: Option<(&str, &str)>) -> TimeSpan {
    let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
    TimeSpan {
        days: texts(days),
        dates: texts(dates),
        months: texts(months),
        years: Vec::new(),
        from: hours.map(|(from, _)| from.to_owned()),
        until: hours.map(|(_, until)| until.to_owned()),
    }
}

#[test]
fn windows_are_what_the_wall_clock_shows() {
    let zone = "Europe/Berlin";
    for (it, inside, outside) in [
        (span(&["mon..fri"], &[], &[], None), "2026-11-23T00:00", "2026-11-22T23:59"),
        (span(&["sat..mon"], &[], &[], None), "2026-11-23T12:00", "2026-11-24T00:00"),
        (span(&["Friday"], &[], &[], Some(("22:00", "06:00"))), "2026-11-28T05:59", "2026-11-29T05:59"),
        // From one time of day to the same is a whole day.
        (span(&["sun"], &[], &[], Some(("12:00", "12:00"))), "2026-11-23T11:59", "2026-11-23T12:00"),
        (span(&[], &["-1"], &[], None), "2028-02-29T12:00", "2028-02-28T12:00"),
        (span(&[], &["-3..-1"], &["feb"], None), "2026-02-26T12:00", "2026-02-25T12:00"),
        (span(&[], &["30..31"], &[], None), "2026-04-30T12:00", "2026-02-28T12:00"),
        (span(&[], &["1..7"], &["nov..feb"], None), "2027-01-07T12:00", "2026-03-01T12:00"),
    ] {
        let (text, compiled) = (format!("{it:?}"), window(zone, it));
        let local = |time: &str| at(&format!("{time}[{zone}]"));
        assert!(compiled.contains(local(inside)), "{text} at {inside}");
        assert!(!compiled.contains(local(outside)), "{text} at {outside}");
    }
}

#[test]
fn windows_change_where_clocks_do() {
    let night = window("Europe/Berlin", span(&[], &[], &[], Some(("02:30", "04:00"))));
    // Clocks go forward over 02:30: the window opens at the first instant after the gap.
    let opens = night.changes_after(at("2026-03-29T00:00[Europe/Berlin]")).unwrap();
    assert_eq!(opens, at("2026-03-29T03:00:00+02:00[Europe/Berlin]"));
    // They go back from 03:00: it is 02:30 twice, and outside in between.
    let mut now = at("2026-10-25T00:00[Europe/Berlin]");
    let mut changes = Vec::new();
    for _ in 0..4 {
        now = night.changes_after(now).unwrap();
        changes.push(now);
    }
    let want = ["02:30:00+02:00", "02:00:00+01:00", "02:30:00+01:00", "04:00:00+01:00"]
        .map(|time| at(&format!("2026-10-25T{time}[Europe/Berlin]")));
    assert_eq!(changes, want);
    let gone = TimeSpan { years: vec!["2020".to_owned()], ..TimeSpan::default() };
    assert_eq!(window("UTC", gone).changes_after(at(SATURDAY)), None);
    assert_eq!(window("UTC", TimeSpan::default()).changes_after(at(SATURDAY)), None);
    let leap_day = window("UTC", span(&[], &["29"], &["feb"], None));
    assert_eq!(leap_day.changes_after(at(SATURDAY)), Some(at("2028-02-29T00:00[UTC]")));
}

#[test]
fn a_window_that_cannot_be_read_says_where() {
    for (it, field, words) in [
        (span(&["funday"], &[], &[], None), "windows[0].days", "`funday` is not one of mon, tue"),
        (span(&[], &["32"], &[], None), "windows[0].dates", "`32` is not a day of the month"),
        (span(&[], &["7..1"], &[], None), "windows[0].dates", "ends before it begins"),
        (span(&[], &[], &["13"], None), "windows[0].months", "`13` is not one of jan"),
        (span(&[], &[], &[], Some(("9", "10:00"))), "windows[0].from", "not a time of day"),
        (TimeSpan { from: Some("09:00".into()), ..TimeSpan::default() }, "windows[0].until", "does not end"),
    ] {
        let window = TimeWindow { id: "w".into(), time_zone: "UTC".to_owned(), windows: vec![it] };
        let (found, message) = Window::compile(&window).unwrap_err();
        assert!(found == field && message.contains(words), "{found}: {message}");
    }
}

#[test]
fn every_fault_of_the_tree_is_named() {
    let text = r#"
        [[integrations]]
        id = "shop"
        classes = [{ id = "a b", match = ["host"], severity = "P1" }]
        [[routes]]
        id = "r"
        match = ["time in nowhere", "ip in 10.0.0.0/99"]
        mute = ["nowhere"]
        group = { by = [""] }
        annotations = { "a b" = "x" }
    "#;
    let faults = Snapshot::compile(1, toml::from_str(text).unwrap()).unwrap_err();
    let paths: Vec<&str> = faults.iter().map(|fault| fault.path.as_str()).collect();
    for path in [
        "integrations[shop].classes[0].id",
        "integrations[shop].classes[a b].match[0]",
        "routes[r].match[0]",
        "routes[r].match[1]",
        "routes[r].mute",
        "routes[r].group.by",
        "routes[r].annotations.a b",
    ] {
        assert!(paths.contains(&path), "{path} is not among {paths:?}");
    }
}
