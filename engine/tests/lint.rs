//! A configuration in which a P0 can reach nobody is refused, and the finding says when and why.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use engine::{Snapshot, lint::lint};
use shared::{Timestamp, config::Finding};

/// Saturday 2026-11-21 15:00 in Shanghai.
const NOW: Timestamp = Timestamp(1_795_244_400_000);

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
