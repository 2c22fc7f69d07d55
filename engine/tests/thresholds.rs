//! When a measured value becomes an alert: Open-Falcon's conditions, holding, ends of their own, hours, and templates.

use engine::{
    compile::Snapshot,
    threshold::{Bound, Course, Expression, Judged, OverBecause, Rules, Standing, forecast},
    window::Windows,
};
use proptest::prelude::*;
use shared::{
    Delay, Timestamp,
    api::RuleState,
    config::{Document, Threshold},
};

const STEP: Delay = Delay::secs(10);

fn at(beat: i64) -> Timestamp {
    Timestamp::from_ms(1_700_000_000_000 + beat * STEP.0)
}

/// Points on the beat, beginning with beat 0; a star is a beat at which nothing was measured.
fn points(values: &str) -> Vec<(Timestamp, f32)> {
    let values = values.split_whitespace().enumerate();
    values.filter_map(|(n, text)| Some((at(n as i64), text.parse().ok()?))).collect()
}

fn made(condition: &str, values: &str) -> String {
    let condition: Expression = condition.parse().unwrap();
    match condition.ask(&Course::of(&points(values), STEP)) {
        Some(made) => format!("{} {}", made.holds, made.value.map_or("-".to_owned(), |it| format!("{it:.2}"))),
        None => "unknown".to_owned(),
    }
}

#[test]
fn each_function_makes_of_points_what_open_falcon_does() {
    let mut table = Vec::new();
    for (condition, values, expected) in [
        ("all(#3) cpu.idle < 5", "9 4 3 2", "true 2.00"),
        ("all(#3) cpu.idle < 5", "4 9 3 2", "false 2.00"),
        ("all(#3) cpu.idle < 5", "4 3", "unknown"),
        ("all(30s) cpu.idle < 5", "9 4 3 2", "true 2.00"),
        ("all(30s) cpu.idle < 5", "3 2", "unknown"),
        ("sum(#3) x > 5", "1 2 3", "true 6.00"),
        ("avg(#2) load.1min >= 2.5", "9 2 3", "true 2.50"),
        ("max(#2) x > 8", "9 2 3", "false 3.00"),
        ("min(#3) x <= 2", "9 2 3", "true 2.00"),
        ("diff(#2) x > 5", "1 3 7", "true 6.00"),
        ("diff(#2) x > 7", "1 3 7", "false 4.00"),
        ("diff(#3) x > 5", "1 3 7", "unknown"),
        ("pdiff(#1) x > 100", "3 7", "true 133.33"),
        ("pdiff(#1) x > 100", "0 7", "false -"),
        ("lookup(#2,3) x > 5", "9 1 9 9", "true 9.00"),
        ("lookup(#3,3) x > 5", "9 1 9 9", "false 9.00"),
        ("stddev(#5) x > 1", "1 1 1 1 9", "true 9.00"),
        ("stddev(#5) x > 3", "1 1 1 1 9", "false 9.00"),
        ("all(#1) x == 3", "3.00001", "true 3.00"),
        ("all(#1) x != 3", "3.00001", "false 3.00"),
        // What was before a gap says nothing of now.
        ("all(#3) x > 1", "9 9 * * * 9 9", "unknown"),
        ("all(#3) x > 1", "9 9 * 9", "true 9.00"),
    ] {
        let got = made(condition, values);
        table.push(format!("{condition:<28} | {values:<16} | {got}"));
        assert_eq!(got, expected, "{condition} of {values}");
    }
    println!("{}", table.join("\n"));
}

#[test]
fn three_points_are_three_beats_however_often_somebody_looks() {
    let condition: Expression = "all(#3) cpu.idle < 5".parse().unwrap();
    let mut fast = points("50 50 50");
    // Measured every second for eleven seconds, and low all that time: that is one beat of three.
    fast.extend((1..=11).map(|second| (at(2).plus_ms(second * 1_000), 1.0)));
    let asked = condition.ask(&Course::of(&fast, STEP)).unwrap();
    assert!(!asked.holds, "{asked:?}");
    fast.extend((12..=31).map(|second| (at(2).plus_ms(second * 1_000), 1.0)));
    assert!(condition.ask(&Course::of(&fast, STEP)).unwrap().holds);
}

#[test]
fn a_bad_condition_names_the_mend() {
    for (text, word) in [
        ("", "all(#3) cpu.idle < 5"),
        ("cpu.idle < 5", "all(#3) cpu.idle < 5"),
        ("most(#3) cpu.idle < 5", "lookup"),
        ("all(3) cpu.idle < 5", "#3"),
        ("all(#0) cpu.idle < 5", "#1 to #360"),
        ("all(2h) cpu.idle < 5", "1s to 1h"),
        ("all(#3) cpu.idle", "compares nothing"),
        ("all(#3) cpu.idle <", "not a number"),
        ("all(#3) cpu.idle <> 5", "use <"),
        ("all(#3) < 5", "metric is empty"),
        ("all(#3) x > five", "not a number"),
        ("all(#3) x > 5apples", "not a unit"),
        ("lookup(#3) x > 5", "lookup(#2,5)"),
        ("lookup(#3,2) x > 5", "never 3"),
        ("nodata(#3) x", "nodata takes a time"),
        ("stddev(#20) x < 3", "stddev(#20) cpu.busy > 3"),
        ("all(#3,4) x > 5", "takes no `4`"),
    ] {
        let error = text.parse::<Expression>().unwrap_err();
        assert!(error.contains(word), "{text}: {error}");
    }
}

#[test]
fn tags_and_units_are_read_and_written() {
    for (text, written) in [
        ("max(#2) df.bytes.used.percent/mount=/data >= 90%", "max(#2) df.bytes.used.percent/mount=/data >= 90"),
        ("avg( 5m )  net.if.in.bits/iface=eth0 > 800M", "avg(5m) net.if.in.bits/iface=eth0 > 800000000"),
        ("all(#3) mem.memavailable<512Mi", "all(#3) mem.memavailable < 536870912"),
        ("nodata(5m) nginx.alive", "nodata(5m) nginx.alive"),
        ("lookup(#2, 5) x > -1", "lookup(#2,#5) x > -1"),
    ] {
        assert_eq!(text.parse::<Expression>().unwrap().to_string(), written);
    }
}

fn rule(toml: &str) -> Bound {
    let rule: Threshold = toml::from_str(&format!("id = \"r\"\n{toml}")).unwrap();
    Bound::compile(&"t".into(), &rule, &Windows::new()).unwrap()
}

/// What is told as the points come, a word a beat.
fn told(rule: &Bound, values: &str) -> String {
    let all: Vec<Option<f32>> = values.split_whitespace().map(|text| text.parse().ok()).collect();
    let mut standing = Standing::new(at(0));
    let mut words = Vec::new();
    let mut seen = Vec::new();
    for (n, value) in all.into_iter().enumerate() {
        let now = at(n as i64);
        seen.extend(value.map(|value| (now, value)));
        let judged = standing.judge(rule, &Course::of(&seen, STEP), now);
        words.push(match judged {
            Some(Judged::Problem { step, .. }) => format!("problem{step}"),
            Some(Judged::Over { because: OverBecause::Recovered, .. }) => "over".to_owned(),
            Some(Judged::Over { because: OverBecause::OutsideHours, .. }) => "hours".to_owned(),
            None => match standing.state {
                RuleState::Fine => "fine".to_owned(),
                RuleState::Unknown => "?".to_owned(),
                RuleState::Holding => "holds".to_owned(),
                RuleState::Firing => "fires".to_owned(),
            },
        });
    }
    words.join(" ")
}

#[test]
fn a_problem_is_told_at_once_again_in_time_and_so_often_at_most_and_its_end_once() {
    let plain = rule("when = \"all(#2) x > 5\"\nevery = \"20s\"\nmax_steps = 3");
    assert_eq!(told(&plain, "9 9 9 9 9 9 9 9 1 1"), "? problem1 fires problem2 fires problem3 fires fires over fine");
    let muted = rule("when = \"all(#2) x > 5\"\nmax_steps = 0");
    assert_eq!(told(&muted, "9 9 9 1"), "? holds holds fine");
}

#[test]
fn it_must_hold_for_as_long_as_it_says() {
    let slow = rule("when = \"all(#1) x > 5\"\nhold = \"30s\"");
    assert_eq!(told(&slow, "9 9 9 1 9 9 9 9 9"), "holds holds holds fine holds holds holds problem1 fires");
}

#[test]
fn an_end_of_its_own_keeps_it_from_flapping() {
    let rule = rule("when = \"all(#1) cpu.idle < 5\"\nclear = \"all(#2) cpu.idle > 15\"");
    assert_eq!(told(&rule, "3 9 4 16 9 16 17 4"), "problem1 fires fires fires fires fires over problem1");
}

#[test]
fn no_news_is_no_recovery() {
    let rule = rule("when = \"all(#2) x > 5\"\nmax_steps = 1");
    assert_eq!(told(&rule, "9 9 * * * * 9 9 1"), "? problem1 fires fires fires fires fires fires over");
}

#[test]
fn what_stays_away_is_told_and_its_return_too() {
    let rule = rule("when = \"nodata(30s) x\"");
    let told = forecast(&rule, &points("1 1 1 * * * * * 1 1"), STEP, at(20));
    let told: Vec<_> = told.iter().map(|it| (it.from, it.until)).collect();
    assert_eq!(told, [(at(5), Some(at(8))), (at(12), None)]);
}

#[test]
fn outside_its_hours_a_rule_counts_for_nothing() {
    let document: Document = toml::from_str(
        "[[time_windows]]\nid = \"day\"\ntime_zone = \"UTC\"\nwindows = [{ from = \"22:13\", until = \"22:14\" }]\n\
         [[templates]]\nid = \"t\"\nevery_host = true\n\
         [[templates.rules]]\nid = \"r\"\nwhen = \"all(#1) x > 5\"\nduring = [\"day\"]",
    )
    .unwrap();
    let snapshot = Snapshot::compile(1, document).unwrap();
    let rules = snapshot.thresholds.of("any");
    // Beat 0 is 22:13:20.
    assert_eq!(told(rules.first().unwrap(), "9 9 9 9 9 9"), "problem1 fires fires fires hours ?");
}

const DOCUMENT: &str = r##"
[[host_groups]]
id = "web"
hosts = ["web-*"]
except = ["web-old"]

[[host_groups]]
id = "db"
hosts = ["db-0?"]

[[templates]]
id = "base"
groups = ["web", "db"]
[[templates.rules]]
id = "idle"
when = "all(#3) cpu.idle < 10"
[[templates.rules]]
id = "disk"
when = "all(#3) df.bytes.used.percent > 90"

[[templates]]
id = "web"
parent = "base"
groups = ["web"]
[[templates.rules]]
id = "idle"
when = "all(#3) cpu.idle < 5"

[[templates]]
id = "all"
every_host = true
[[templates.rules]]
id = "load"
when = "all(#3) load.1min > 40"
"##;

#[test]
fn the_nearest_rule_of_a_name_is_a_hosts_and_each_only_once() {
    let document: Document = toml::from_str(DOCUMENT).unwrap();
    let rules = Rules::compile(&document, &Windows::new()).unwrap();
    let of = |host: &str| {
        let named = rules.of(host);
        named.iter().map(|it| format!("{}/{}", it.template, it.config.id)).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(of("web-1"), "all/load base/disk web/idle");
    assert_eq!(of("db-01"), "all/load base/disk base/idle");
    assert_eq!(of("web-old"), "all/load");
    assert_eq!(of("mail"), "all/load");
    let key = rules.of("db-01").last().unwrap().key("db-01", "cpu.idle");
    assert_eq!(key, "threshold:base/idle:db-01:cpu.idle", "neither level nor value is in an identity");
}

#[test]
fn what_is_wrong_with_rules_is_named_with_its_place() {
    let toml = DOCUMENT
        .replace("groups = [\"web\", \"db\"]", "groups = [\"web\", \"mail\"]")
        .replace("id = \"base\"\n", "id = \"base\"\nparent = \"web\"\n")
        + "[[templates.rules]]\nid = \"load\"\nwhen = \"often(#3) x > 1\"\nduring = [\"night\"]\n[hosts]\nevery = \"1ms\"\n";
    let document: Document = toml::from_str(&toml).unwrap();
    let findings = Snapshot::compile(1, document).unwrap_err();
    let said: Vec<String> = findings.iter().map(|it| format!("{}: {}", it.path, it.message)).collect();
    for expected in [
        "templates[base].groups[1]: there is no group `mail` in host_groups",
        "templates[base].parent: `base` would be its own parent",
        "templates[web].parent: `web` would be its own parent",
        "templates[all].rules[load]: another rule of this template has this id",
        "templates[all].rules[load].when: `often` is not a function",
        "templates[all].rules[load].during[0]: there is no time window `night`",
        "hosts.every: `every` is 1s to 5m, not 1ms",
    ] {
        assert!(said.iter().any(|it| it.starts_with(expected)), "{expected}\n{said:#?}");
    }
}

proptest! {
    #[test]
    fn no_text_breaks_the_reader(text in ".{0,60}") {
        if let Ok(read) = text.parse::<Expression>() {
            prop_assert_eq!(read.to_string().parse::<Expression>(), Ok(read));
        }
    }

    #[test]
    fn what_looks_like_a_condition_is_one_or_says_why(
        function in "(all|avg|max|min|sum|diff|pdiff|stddev|lookup|nodata)",
        argument in "(#[0-9]{1,4}|[0-9]{1,3}[smh]|#1,[0-9])",
        series in "[a-z.]{1,8}(/[a-z]=[a-z0-9/]{0,4})?",
        sign in "(<|<=|>|>=|==|=|!=)",
        value in "-?[0-9]{1,5}(\\.[0-9])?(k|Mi|%)?",
    ) {
        let text = format!("{function}({argument}) {series} {sign} {value}");
        if let Ok(read) = text.parse::<Expression>() {
            prop_assert_eq!(read.to_string().parse::<Expression>(), Ok(read));
        }
    }

    /// Whatever comes: problems and ends take turns, steps are counted without a gap, and never too many of them.
    #[test]
    fn problems_and_ends_take_turns(
        values in proptest::collection::vec((1_i64..40_000, -1.0_f32..10.0), 1..120),
        hold in 0_i64..40,
        max_steps in 0_u32..4,
        clear in proptest::bool::ANY,
    ) {
        let clear = if clear { "clear = \"all(#2) x < 2\"\n" } else { "" };
        let rule = rule(&format!("when = \"avg(#2) x > 5\"\nhold = \"{hold}s\"\nevery = \"10s\"\nmax_steps = {max_steps}\n{clear}"));
        let (mut now, mut seen, mut standing, mut open) = (at(0), Vec::new(), Standing::new(at(0)), 0);
        for (after, value) in values {
            now = now.plus_ms(after);
            seen.push((now, value));
            match standing.judge(&rule, &Course::of(&seen, STEP), now) {
                Some(Judged::Problem { step, .. }) => {
                    prop_assert_eq!(step, open + 1);
                    prop_assert!(step <= max_steps);
                    open = step;
                }
                Some(Judged::Over { .. }) => {
                    prop_assert!(open > 0);
                    open = 0;
                }
                None => {}
            }
            prop_assert_eq!(standing.state == RuleState::Firing, open > 0);
        }
    }
}
