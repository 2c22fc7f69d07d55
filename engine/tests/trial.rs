//! The tests a configuration carries: they pass when the pages go out, and say what happened when they do not.

use engine::{Snapshot, trial};
use shared::{api::TrialResult, config::Document};

const HOUSE: &str = r#"
fallback = ["person:li"]
[[people]]
id = "li"
name = "Li"
contacts = [{ id = "mail", email = "li@example.org" }, { id = "push", ntfy = "li" }]
rules = [{ severity = ["P0"], notify = [{ contact = "push" }, { contact = "mail", after = "2m" }] }, { notify = [{ contact = "mail" }] }]
[[people]]
id = "wang"
name = "Wang"
contacts = [{ id = "mail", email = "wang@example.org" }]
[[schedules]]
id = "db"
name = "Databases"
time_zone = "Asia/Shanghai"
rotations = [{ people = ["wang", "li"], every = "week", handoff = "09:00", start = "2026-11-02" }]
[[policies]]
id = "db"
levels = [{ notify = ["schedule:db"], delay = "5m" }, { notify = ["person:li"], delay = "10m" }]
[[routes]]
id = "urgent"
match = ["severity=~P0|P1|P2"]
policy = "db"
"#;

fn run(test: &str) -> TrialResult {
    let text = format!("{HOUSE}\n[[tests]]\nname = \"night\"\nintegration = \"falcon\"\n{test}");
    let document: Document = toml::from_str(&text).expect("the document is TOML");
    let snapshot = Snapshot::compile(1, document.clone()).expect("the document compiles");
    let mut results = trial::run(&snapshot, &document);
    assert_eq!(results.len(), 1);
    results.pop().unwrap()
}

/// Wang has the week of the 16th, Li that of the 23rd.
const NIGHT: &str = r#"at = "2026-11-22T03:00:00+08:00[Asia/Shanghai]"
payload = "[P0][PROBLEM][db-07][10.1.2.3][host is down]"
"#;

#[test]
fn the_pages_of_a_night_are_what_the_policy_promises() {
    let result = run(&format!(
        r#"{NIGHT}
exact = true
expect = [
  {{ to = "person:wang", via = "mail" }},
  {{ to = "person:li", via = "push", after = "5m" }},
  {{ to = "person:li", via = "mail", after = "6m" }},
]"#
    ));
    assert!(result.passed, "{}", result.detail);
    assert_eq!((result.name.as_str(), result.detail.as_str()), ("night", "all 3 pages went out"));
    let by_schedule = run(&format!("{NIGHT}\nexpect = [{{ to = \"schedule:db\" }}]"));
    assert!(by_schedule.passed, "{}", by_schedule.detail);
}

#[test]
fn a_failure_says_what_went_out_instead() {
    let result = run(&format!("{NIGHT}\nexpect = [{{ to = \"person:li\", via = \"push\" }}]"));
    assert!(!result.passed);
    let lines: Vec<&str> = result.detail.lines().collect();
    assert_eq!(
        lines[..4],
        [
            "expected a page to person:li via push after 0s: it went out after 5m",
            "pages that went out:",
            "  person:wang via mail after 0s (db level 1)",
            "  person:li via push after 5m (db level 2)",
        ]
    );
}

#[test]
fn an_exact_test_refuses_further_pages() {
    let result =
        run(&format!("{NIGHT}\nexact = true\nexpect = [{{ to = \"person:li\", via = \"push\", after = \"5m\" }}]"));
    assert!(!result.passed);
    assert!(
        result.detail.starts_with("not expected, and the test is exact: person:wang via mail after 0s"),
        "{}",
        result.detail
    );
}

#[test]
fn a_note_in_the_night_wakes_nobody() {
    let note = NIGHT.replace("[P0]", "[P5]");
    let result = run(&format!("{note}\nexact = true\nexpect = []"));
    assert!(result.passed, "{}", result.detail);
    assert_eq!(result.detail, "nobody was paged");
    let hopeful = run(&format!("{note}\nexpect = [{{ to = \"person:wang\" }}]"));
    assert!(!hopeful.passed);
    assert!(hopeful.detail.contains("nobody was paged:"), "{}", hopeful.detail);
}

#[test]
fn a_test_that_cannot_fail_or_be_read_fails() {
    assert!(run(&format!("{NIGHT}\nexpect = []")).detail.contains("could never fail"));
    let bad = run("at = \"tomorrow\"\npayload = \"x\"\nexpect = [{ to = \"person:li\" }]");
    assert!(!bad.passed && bad.detail.contains("is not an instant"), "{}", bad.detail);
    let empty = run("at = \"2026-11-21T19:00:00Z\"\npayload = \"\"\nexpect = [{ to = \"person:li\" }]");
    assert!(!empty.passed && empty.detail.contains("not understood"), "{}", empty.detail);
    let recovery = run(&format!("{}\nexpect = [{{ to = \"person:li\" }}]", NIGHT.replace("PROBLEM", "OK")));
    assert!(recovery.detail.contains("a recovery of nothing that is open"), "{}", recovery.detail);
}
