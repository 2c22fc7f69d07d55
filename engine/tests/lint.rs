//! A configuration in which a P0 can reach nobody is refused, and the finding says when and why.

use engine::{Snapshot, lint::lint};
use shared::{Timestamp, config::Finding};

/// Saturday 2026-11-21 15:00 in Shanghai.
const NOW: Timestamp = Timestamp::from_ms(1_795_244_400_000);

fn findings(toml: &str) -> Vec<Finding> {
    let document = toml::from_str(toml).expect("the document is TOML");
    lint(&Snapshot::compile(1, document).expect("the document compiles"), NOW)
}

fn fatal(toml: &str) -> Vec<String> {
    findings(toml).into_iter().filter(|it| it.fatal).map(|it| format!("{}: {}", it.path, it.message)).collect()
}

fn warnings(toml: &str) -> Vec<String> {
    findings(toml).into_iter().filter(|it| !it.fatal).map(|it| format!("{}: {}", it.path, it.message)).collect()
}

const SOUND: &str = r#"
public_url = "https://tocsin.example"
fallback = ["person:li"]
[channels.email]
host = "mail.example"
from = "tocsin@example.org"
[[people]]
id = "li"
name = "Li"
contacts = [{ id = "mail", email = "li@example.org" }]
[[people]]
id = "wang"
name = "Wang"
contacts = [{ id = "mail", email = "wang@example.org" }]
[[schedules]]
id = "db"
name = "Databases"
time_zone = "Asia/Shanghai"
rotations = [{ people = ["li", "wang"], every = "week", handoff = "09:00", start = "2026-11-02" }]
[[policies]]
id = "db"
levels = [{ notify = ["schedule:db"], delay = "5m" }, { notify = ["person:li"], delay = "10m" }]
[[routes]]
id = "all"
policy = "db"
"#;

#[test]
fn a_sound_document_has_no_findings() {
    assert_eq!(findings(SOUND), []);
}

#[test]
fn a_new_server_is_warned_and_not_refused() {
    let found = findings("");
    assert_eq!(found.len(), 1);
    assert!(!found[0].fatal && found[0].message.contains("empty"), "{found:?}");
    // One person is a document somebody wrote: from then on a P0 must reach somebody.
    let begun = fatal("[[people]]\nid = \"li\"\nname = \"Li\"\n");
    assert_eq!(
        begun,
        ["fallback: a P0 that matches no route can reach nobody: `fallback` is empty; add a person to it, or a last \
          route without `match` that has a policy"]
    );
}

#[test]
fn a_gap_in_the_shifts_without_a_fallback_is_refused_with_its_local_time() {
    let toml = SOUND
        .replace("fallback = [\"person:li\"]\n", "")
        .replace(", { notify = [\"person:li\"], delay = \"10m\" }", "")
        .replace("start = \"2026-11-02\"", "start = \"2026-11-28\"");
    assert_eq!(
        fatal(&toml),
        [
            "policies[db]: a P0 of policy `db` can reach nobody: schedule `db` has nobody on call on Sat 2026-11-21 15:00 \
          Asia/Shanghai, and `fallback` is empty; add a person to `fallback`, or close the gap"
        ]
    );
}

#[test]
fn a_gap_that_only_the_fallback_covers_is_a_warning() {
    let toml = SOUND
        .replace(", { notify = [\"person:li\"], delay = \"10m\" }", "")
        .replace("start = \"2026-11-02\"", "start = \"2026-11-28\"");
    assert_eq!(fatal(&toml), [""; 0]);
    let found = warnings(&toml);
    assert!(found.iter().any(|it| it.starts_with("policies[db]: a P0 of policy `db` reaches only the fallback")));
    assert!(
        found.iter().any(|it| it.starts_with(
            "schedules[db]: nobody is on call from Sat 2026-11-21 15:00 Asia/Shanghai until Sat 2026-11-28 09:00"
        )),
        "{found:?}"
    );
}

#[test]
fn a_shift_weeks_ahead_of_somebody_without_a_contact_is_found() {
    let toml = SOUND
        .replace("fallback = [\"person:li\"]\n", "")
        .replace(", { notify = [\"person:li\"], delay = \"10m\" }", "")
        .replace("contacts = [{ id = \"mail\", email = \"wang@example.org\" }]", "");
    let found = fatal(&toml);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].contains("schedule `db` on Mon 2026-11-23 09:00 Asia/Shanghai: `wang` has no contact"),
        "{found:?}"
    );
}

#[test]
fn a_contact_without_its_channel_reaches_nobody() {
    let toml = SOUND.replace("[channels.email]\nhost = \"mail.example\"\nfrom = \"tocsin@example.org\"\n", "");
    let found = fatal(&toml);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("e-mail without `channels.email`"), "{found:?}");
    assert!(warnings(&toml).iter().any(|it| it.starts_with("people[li].contacts[0]: `mail` can never be used")));
}

#[test]
fn an_http_webhook_counts_only_where_it_is_allowed() {
    let hook = r#"
fallback = ["webhook:noc"]
webhooks = [{ id = "noc", url = "http://10.0.0.1/hook" }]
people = [{ id = "li", name = "Li" }]
"#;
    assert!(fatal(hook)[0].contains("`channels.webhook.allow_http` is off"));
    let allowed = format!("{hook}\n[channels.webhook]\nallow_http = true\n");
    assert_eq!(fatal(&allowed), [""; 0]);
    assert!(warnings(&allowed).iter().any(|it| it.starts_with("webhooks[noc].secret:")));
}

#[test]
fn an_unmatched_p0_needs_a_fallback_unless_a_route_takes_everything() {
    let bare = SOUND.replace("fallback = [\"person:li\"]\n", "");
    assert_eq!(fatal(&bare), [""; 0], "the last route takes every P0");
    let picky = bare.replace("id = \"all\"\n", "id = \"all\"\nmatch = [\"host=~db-.*\"]\n");
    assert!(fatal(&picky)[0].starts_with("fallback: a P0 that matches no route"));
    let urgent = bare.replace("id = \"all\"\n", "id = \"all\"\nmatch = [\"severity=p0\"]\n");
    assert_eq!(fatal(&urgent), [""; 0], "every P0 meets a condition on its severity alone");
    let lowered = SOUND
        .replace("fallback = [\"person:li\"]\n", "")
        .replace("contacts = [{ id = \"mail\", email = \"li@example.org\" }]", "")
        .replace("contacts = [{ id = \"mail\", email = \"wang@example.org\" }]", "")
        .replace("id = \"all\"\n", "id = \"all\"\nseverity = \"P3\"\n");
    assert_eq!(fatal(&lowered), [""; 0], "a route that makes every P0 a P3 leaves no P0 to reach anybody");
    let raised = SOUND.replace("id = \"all\"\n", "id = \"all\"\nmatch = [\"severity=P5\"]\nseverity = \"P0\"\n");
    let nobody = raised
        .replace("fallback = [\"person:li\"]", "fallback = [\"person:zhao\"]")
        .replace("[[schedules]]", "[[people]]\nid = \"zhao\"\nname = \"Zhao\"\n[[schedules]]")
        .replace("contacts = [{ id = \"mail\", email = \"li@example.org\" }]", "")
        .replace("contacts = [{ id = \"mail\", email = \"wang@example.org\" }]", "");
    assert_eq!(fatal(&nobody).len(), 2, "a P5 raised to P0 is a P0: {:?}", fatal(&nobody));
}

#[test]
fn what_is_never_used_or_asked_is_named() {
    let toml = format!(
        "{}\n[[routes]]\nid = \"late\"\nmatch = [\"host=a\"]\npolicy = \"spare\"\n",
        SOUND.replace(
            "[[policies]]",
            r#"[[people]]
id = "zhao"
name = "Zhao"
[[schedules]]
id = "old"
name = "Old"
time_zone = "UTC"
[[policies]]
id = "lost"
levels = [{ notify = ["person:li"], delay = "0s" }, { notify = ["person:wang"], delay = "5m" }]
[[policies]]
id = "spare"
levels = [{ notify = ["person:li"], delay = "5m" }]
[[policies]]"#,
        )
    );
    let found = warnings(&toml);
    for expected in [
        "people[zhao]: nothing pages `zhao`",
        "schedules[old]: no level or fallback names schedule `old`",
        "policies[lost]: no route leads to policy `lost`",
        "policies[lost].levels[0].delay: the next level follows in the same instant",
        "routes[late]: never asked: route `all` before it matches everything",
    ] {
        assert!(found.iter().any(|it| it.starts_with(expected)), "{expected} is missing in {found:#?}");
    }
}

#[test]
fn contradicting_severities_and_a_missing_address_are_named() {
    let toml = SOUND.replace("public_url = \"https://tocsin.example\"\n", "").replace(
        "[[routes]]\nid = \"all\"",
        "[[routes]]\nid = \"never\"\nmatch = [\"severity=P0\", \"severity=P1\"]\n[[routes]]\nid = \"all\"",
    );
    let found = warnings(&toml);
    assert!(found.iter().any(|it| it.starts_with("public_url: ")), "{found:#?}");
    assert!(found.iter().any(|it| it.starts_with("routes[never]: never matches")), "{found:#?}");
}

/// `SOUND` with other routes.
fn with_routes(routes: &str) -> String {
    let (before, _) = SOUND.split_once("[[routes]]").unwrap();
    format!(
        r#"{before}
[[time_windows]]
id = "office"
time_zone = "UTC"
windows = [{{ days = ["mon..fri"] }}]
[[time_windows]]
id = "gone"
time_zone = "UTC"
windows = [{{ years = ["2020"] }}]
{routes}
[[routes]]
id = "last"
policy = "db"
"#
    )
}

#[test]
fn a_route_behind_one_that_takes_all_of_its_alerts_is_shadowed() {
    for (before, behind) in [
        ("", "host=db-1"),
        ("host=~db-.*", "host=db-1"),
        ("host=~db-.*", "host=~\"db-1|db-2\""),
        ("host=~db-.*", "host=~db-.*\", \"severity=P0"),
        ("host!=web", "host=db"),
        ("severity=~P0|P1", "severity=P1"),
        ("severity!=P6", "severity=~P[0-3]"),
        ("ip in 10.0.0.0/8", "ip in 10.1.0.0/16, 10.2.0.0/16"),
        ("ip not in 10.1.0.0/16", "ip not in 10.0.0.0/8"),
        ("ip not in 10.0.0.0/8", "ip in 192.168.0.0/16"),
        ("time in office,gone", "time in office"),
    ] {
        let matches = if before.is_empty() { String::new() } else { format!("match = [\"{before}\"]") };
        let behind = behind.replace("\"db-1|db-2\"", "db-1|db-2");
        let routes = |continues: &str| {
            format!(
                "[[routes]]\nid = \"a\"\npolicy = \"db\"\n{matches}\n{continues}\n\
                 [[routes]]\nid = \"b\"\npolicy = \"db\"\nmatch = [\"{behind}\"]"
            )
        };
        let found = warnings(&with_routes(&routes("")));
        assert!(
            found.iter().any(|it| it.starts_with("routes[b]: never asked: route `a` before it")),
            "{before} / {behind}: {found:?}"
        );
        let found = warnings(&with_routes(&routes("continue = true")));
        assert!(!found.iter().any(|it| it.contains("routes[b]: never asked")), "{before} / {behind}: {found:?}");
    }
    // Where it cannot be known, nothing is said.
    for (before, behind) in [
        ("host=~db-.*", "host=~db-1.*"),
        ("host=db", "service=x"),
        ("ip in 10.1.0.0/16", "ip in 10.0.0.0/8"),
        ("time in office", "time in office,gone"),
    ] {
        let routes = format!(
            "[[routes]]\nid = \"a\"\nmatch = [\"{before}\"]\npolicy = \"db\"\n[[routes]]\nid = \"b\"\nmatch = [\"{behind}\"]\npolicy = \"db\""
        );
        assert_eq!(warnings(&with_routes(&routes)), Vec::<String>::new(), "{before} / {behind}");
    }
}

#[test]
fn a_route_whose_conditions_contradict_each_other_is_named() {
    for (conditions, why) in [
        (r#""severity=P0", "severity=P1""#, "its conditions on `severity` contradict each other"),
        (r#""host=a", "host=b""#, "its conditions on `host` contradict each other"),
        (r#""host=a", "host!=a""#, "its conditions on `host` contradict each other"),
        (r#""host=~a.*", "host!~a.*""#, "its conditions on `host` contradict each other"),
        (r#""labels.x=~a|b", "labels.x!~[ab]""#, "its conditions on `labels.x` contradict each other"),
        (r#""ip in 10.1.0.0/16", "ip not in 10.0.0.0/8""#, "its conditions on `ip` contradict each other"),
        (r#""ip in 10.1.0.0/16", "ip in 10.2.0.0/16""#, "its conditions on `ip` contradict each other"),
        (r#""time in office", "time not in office""#, "its conditions on `time` contradict each other"),
        (r#""time in gone""#, "the time of `time in gone` does not come any more"),
    ] {
        let found = warnings(&with_routes(&format!("[[routes]]\nid = \"r\"\nmatch = [{conditions}]\npolicy = \"db\"")));
        assert_eq!(found, [format!("routes[r]: never matches: {why}")], "{conditions}");
    }
    // Also with what the parent asks.
    let below = "[[routes]]\nid = \"r\"\nmatch = [\"host=a\"]\npolicy = \"db\"\n[[routes.routes]]\nid = \"c\"\nmatch = [\"host=b\"]";
    let found = warnings(&with_routes(below));
    assert_eq!(found, ["routes[r].routes[c]: never matches: its conditions on `host` contradict each other"]);
}

#[test]
fn alerts_that_no_route_takes_are_named() {
    let partly = SOUND.replace("id = \"all\"", "id = \"urgent\"\nmatch = [\"severity=~P0|P1\"]");
    assert_eq!(
        warnings(&partly),
        ["routes: a P2, P3, P4, P5, P6 that no route matches is shown and pages nobody; a last route without `match` \
          would take the rest"]
    );
    let some = SOUND.replace("id = \"all\"", "id = \"some\"\nmatch = [\"host=~db-.*\"]");
    assert_eq!(
        warnings(&some),
        ["routes: a P0, P1 that no route matches pages the fallback, and a P2, P3, P4, P5, P6 is shown and pages \
          nobody; a last route without `match` would take the rest"]
    );
}

#[test]
fn a_p0_that_would_wait_is_named() {
    let muted = |more: &str| warnings(&with_routes(&format!("[[routes]]\nid = \"r\"\npolicy = \"db\"\n{more}")));
    let waits = "routes[r]: a P0 waits too while the route is muted; add severity!=P0, and a route for P0 before it";
    assert_eq!(muted("match = [\"host=a\"]\nmute = [\"office\"]"), [waits]);
    assert_eq!(muted("match = [\"host=a\", \"severity!=P0\"]\nmute = [\"office\"]"), Vec::<String>::new());
    assert_eq!(
        muted("match = [\"host=a\"]\nactive = [\"gone\"]"),
        ["routes[r]: never pages: it is muted, and its time windows never change that"]
    );
}

#[test]
fn a_level_that_does_not_always_run_cannot_be_counted_on() {
    const WINDOW: &str = "[[time_windows]]\nid = \"office\"\ntime_zone = \"Asia/Shanghai\"\n\
                          windows = [{ days = [\"mon..fri\"], from = \"09:00\", until = \"18:00\" }]\n";
    let house = |when: &str| {
        let levels = format!("levels = [{{ notify = [\"schedule:db\"], delay = \"5m\", when = {when} }}]");
        SOUND
            .replace("fallback = [\"person:li\"]\n", "")
            .replace(
                "levels = [{ notify = [\"schedule:db\"], delay = \"5m\" }, { notify = [\"person:li\"], delay = \"10m\" }]",
                &levels,
            )
            .replace("[[policies]]", &format!("{WINDOW}[[policies]]"))
    };
    for when in
        [r#"{ severity = ["P1"] }"#, r#"{ during = ["office"] }"#, r#"{ except = ["office"] }"#, "{ alerts = 2 }"]
    {
        let found = fatal(&house(when));
        assert_eq!(found.len(), 1, "{when}: {found:?}");
        assert!(found[0].contains("no level that runs then names anybody"), "{when}: {found:?}");
    }
    assert_eq!(fatal(&house(r#"{ severity = ["P0"], alerts = 1 }"#)), [""; 0]);
    // Two levels that divide the week between them leave no gap.
    let both = house(r#"{ during = ["office"] }"#).replace(
        r#"when = { during = ["office"] } }]"#,
        r#"when = { during = ["office"] } }, { notify = ["person:li"], delay = "5m", when = { except = ["office"] } }]"#,
    );
    assert_eq!(fatal(&both), [""; 0]);
    let faults = Snapshot::compile(1, toml::from_str(&house(r#"{ during = ["nights"] }"#)).unwrap()).unwrap_err();
    assert_eq!(faults[0].path, "policies[db].levels[0].when.during[0]");
}

#[test]
fn what_cannot_be_meant_of_answers_and_quiet_hours_is_named() {
    let faults = |from: &str, to: &str| -> Vec<String> {
        let toml = SOUND.replacen(from, to, 1);
        assert_ne!(toml, SOUND, "{from} is not there");
        let faults = Snapshot::compile(1, toml::from_str(&toml).expect("the document is TOML")).expect_err(to);
        faults.into_iter().map(|it| it.path).collect()
    };
    let level = "delay = \"5m\" }";
    assert_eq!(
        faults(level, "delay = \"5m\", everyone = true, round_robin = true }"),
        ["policies[db].levels[0].everyone"]
    );
    assert_eq!(faults(level, "delay = \"5m\", when = { alerts = 0 } }"), ["policies[db].levels[0].when.alerts"]);
    let paging = |keys: &str| faults("[channels.email]", &format!("[paging]\n{keys}\n[channels.email]"));
    assert_eq!(paging("ack_timeouts = { P0 = \"5m\" }"), ["paging.ack_timeouts.P0"]);
    assert_eq!(paging("defer = { from = \"9\", until = \"09:00\" }"), ["paging.defer.from"]);
    assert_eq!(paging("defer = { from = \"09:00\", until = \"09:00\" }"), ["paging.defer.until"]);
    assert_eq!(paging("defer = { severity = [\"P2\"] }"), ["paging.defer.severity"]);
    let li = |keys: &str| faults("name = \"Li\"", &format!("name = \"Li\"\n{keys}"));
    let hours = r#"times = [{ from = "22:00", until = "07:00" }]"#;
    assert_eq!(li(&format!("quiet_hours = {{ {hours} }}")), ["people[li].quiet_hours"]);
    let zoned = |quiet: &str| li(&format!("time_zone = \"Asia/Shanghai\"\nquiet_hours = {{ {quiet} }}"));
    assert_eq!(zoned(r#"times = [{ from = "22:00" }]"#), ["people[li].quiet_hours.times[0].until"]);
    assert_eq!(zoned(r#"hand_over_to = "wang""#), ["people[li].quiet_hours.times"]);
    assert_eq!(zoned(&format!("{hours}, hand_over_to = \"li\"")), ["people[li].quiet_hours.hand_over_to"]);
    assert_eq!(zoned(&format!("{hours}, hand_over_to = \"nobody\"")), ["people[li].quiet_hours.hand_over_to"]);
}

#[test]
fn whose_night_nobody_knows_is_named() {
    let toml = SOUND.replacen("[channels.email]", "[paging.defer]\n[channels.email]", 1).replacen(
        "name = \"Li\"",
        "name = \"Li\"\ntime_zone = \"Asia/Shanghai\"",
        1,
    );
    let found: Vec<Finding> = findings(&toml);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].path, "people[wang].time_zone");
}
