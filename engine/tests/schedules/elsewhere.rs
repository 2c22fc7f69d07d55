//! Calendars that others keep: their copies as shifts, whom they name, and what is told about them.

use super::{
    house::{at, document, range, who},
    imported::text,
};
use engine::{
    Snapshot,
    lint::lint,
    oncall::{Copies, CopyState, Roster, count_events},
};
use std::sync::Arc;

const URL: &str = "https://calendar.example/ops.ics";

fn copies(ical: &str) -> Arc<Copies> {
    Arc::new(Copies::from([(URL.to_owned(), ical.into())]))
}

fn layer(more: &str) -> String {
    format!(
        "fallback = [\"person:a\"]
        channels = {{ email = {{ host = \"mail.example\", from = \"t@example.org\" }} }}
        [[policies]]
        id = \"p\"
        levels = [{{ notify = [\"schedule:s\"], delay = \"5m\" }}]
        [[routes]]
        id = \"r\"
        policy = \"p\"
        [[schedules]]
        id = \"s\"
        name = \"S\"
        time_zone = \"Europe/Berlin\"
        {more}
        [[schedules.layers]]
        id = \"l\"
        precedence = 1
        ical_url = \"{URL}\""
    )
}

fn snapshot(more: &str, ical: &str) -> Snapshot {
    Snapshot::compile_with(1, document(&layer(more)), copies(ical)).unwrap_or_else(|findings| panic!("{findings:#?}"))
}

fn fetched(events: &str) -> Roster {
    snapshot("", &text(events)).rosters.into_values().next().unwrap()
}

fn event(uid: &str, summary: &str, day: u8) -> String {
    format!("BEGIN:VEVENT\nUID:{uid}\nSUMMARY:{summary}\nDTSTART;VALUE=DATE:202601{day:02}\nEND:VEVENT\n")
}

#[test]
fn without_a_copy_the_layer_has_nobody_and_the_others_hold() {
    let rotations = "rotations = [{ people = [\"b\"], handoff = \"00:00\", start = \"2026-01-01\" }]";
    let compiled = Snapshot::compile(1, document(&layer(rotations))).unwrap();
    let roster = &compiled.rosters[&"s".into()];
    assert_eq!((who(roster, "2026-01-05 09:00Z"), &roster.imported()[0].copy), ("b".to_owned(), &CopyState::Missing));
    let fetched = compiled.with_copies(copies(&text(&event("1", "Anna", 5))));
    let roster = &fetched.rosters[&"s".into()];
    assert_eq!(range(roster, "2026-01-04 22:00Z", "2026-01-06 00:00Z"), "04T23:00 b, 05T00:00 a, 06T00:00 b");
    assert_eq!((fetched.version, fetched.document == compiled.document), (1, true), "nothing else changes");
}

#[test]
fn people_are_known_by_id_address_and_name_and_days_are_those_of_the_schedule() {
    let roster = fetched(&(event("1", "d", 5) + &event("2", "BO@example.org", 6) + &event("3", " 陈晨 & anna+bo", 7)));
    assert_eq!(
        range(&roster, "2026-01-04 23:00Z", "2026-01-08 00:00Z"),
        "05T00:00 d, 06T00:00 b, 07T00:00 a+b+c, 08T00:00 -"
    );
}

#[test]
fn a_higher_level_takes_the_place_of_a_lower_one_while_it_lasts() {
    let roster = fetched(
        "BEGIN:VEVENT
        UID:low
        SUMMARY:Anna
        DTSTART;TZID=Europe/Berlin:20260105T080000
        DTEND;TZID=Europe/Berlin:20260105T200000
        END:VEVENT
        BEGIN:VEVENT
        UID:high
        SUMMARY:[L2] Bo
        DTSTART;TZID=Europe/Berlin:20260105T120000
        DTEND;TZID=Europe/Berlin:20260105T130000
        END:VEVENT
        BEGIN:VEVENT
        UID:also
        SUMMARY:[L2] c
        DTSTART;TZID=Europe/Berlin:20260105T123000
        DTEND;TZID=Europe/Berlin:20260105T140000
        END:VEVENT
        BEGIN:VEVENT
        UID:nobody
        SUMMARY:[L9] a stranger
        DTSTART;TZID=Europe/Berlin:20260105T090000
        DTEND;TZID=Europe/Berlin:20260105T190000
        END:VEVENT",
    );
    assert_eq!(
        range(&roster, "2026-01-05 06:00Z", "2026-01-05 20:00Z"),
        "05T07:00 -, 05T08:00 a, 05T12:00 b, 05T12:30 b+c, 05T13:00 c, 05T14:00 a, 05T20:00 -"
    );
    assert_eq!(roster.at(at("2026-01-05 08:00Z"))[0].until, at("2026-01-05 11:00Z"), "until the higher one begins");
}

#[test]
fn what_a_calendar_gives_can_be_written_into_a_document() {
    let roster = fetched(&(event("1", "[L1] Anna, Zoe", 5) + &event("2", "Bo", 5) + &event("3", "陈晨", 6)));
    let written = roster.calendar_of(&"l".into(), at("2026-01-01 00:00Z"), at("2026-02-01 00:00Z")).unwrap();
    let inline = layer("").replace(&format!("ical_url = \"{URL}\""), &format!("ical = '''{written}'''"));
    let inline = Snapshot::compile(1, document(&inline)).unwrap();
    let (from, until) = ("2026-01-04 00:00Z", "2026-01-08 00:00Z");
    assert_eq!(range(&inline.rosters[&"s".into()], from, until), range(&roster, from, until));
}

#[test]
fn names_of_nobody_and_of_several_are_told_and_page_nobody() {
    let twins = "people = [
          { id = \"a\", name = \"Anna\", contacts = [{ id = \"mail\", email = \"anna@example.org\" }] },
          { id = \"lw1\", name = \"Li Wei\" }, { id = \"lw2\", name = \"Li Wei\" }]";
    let document = toml::from_str(&format!("{twins}\n{}", layer(""))).unwrap();
    let ical = text(
        &(event("1", "Anna, Zoe", 5)
            + &event("2", "li wei", 6)
            + &event("3", "", 7)
            + "BEGIN:VEVENT\nUID:4\nSUMMARY:duty\nATTENDEE:mailto:anna@example.org\nATTENDEE:mailto:max@example.org\n\
               DTSTART;VALUE=DATE:20260108\nEND:VEVENT\n"
            + &event("5", "Old hand", 1)),
    );
    let snapshot = Snapshot::compile_with(1, document, copies(&ical)).unwrap();
    let roster = &snapshot.rosters[&"s".into()];
    assert_eq!(
        range(roster, "2026-01-04 23:00Z", "2026-01-09 00:00Z"),
        "05T00:00 a, 06T00:00 -, 08T00:00 a, 09T00:00 -"
    );
    let now = at("2026-01-04 12:00Z");
    let told: Vec<(&str, bool)> =
        roster.imported()[0].unclear(now).iter().map(|it| (it.name.as_str(), it.shared)).collect();
    assert_eq!(told, [("max@example.org", false), ("", false), ("li wei", true), ("Zoe", false)], "not what is over");
    let findings = lint(&snapshot, now);
    let about: Vec<_> = findings.iter().filter(|it| it.path == "schedules[s].layers[l].ical_url").collect();
    assert_eq!(about.len(), 4);
    assert!(about.iter().all(|it| !it.fatal));
    assert!(about[2].message.contains("`li wei` is the name of several people"), "{}", about[2].message);
}

#[test]
fn what_a_copy_lacks_is_a_warning_and_a_p0_needs_a_fallback_until_it_is_there() {
    let now = at("2026-01-04 12:00Z");
    let told = |snapshot: &Snapshot| {
        let mut found = lint(snapshot, now);
        found.retain(|it| it.path.ends_with("ical_url") || it.fatal);
        found.into_iter().map(|it| it.message).collect::<Vec<_>>()
    };
    let missing = Snapshot::compile(1, document(&layer(""))).unwrap();
    assert!(told(&missing)[0].starts_with("the calendar was not fetched yet"));
    for (ical, start) in [
        (text(""), "the calendar is empty"),
        (text(&event("1", "a", 2)), "the calendar has no shift to come"),
        ("<html>".to_owned(), "the copy of the calendar cannot be read"),
    ] {
        let told = told(&snapshot("", &ical));
        assert!(told.len() == 1 && told[0].starts_with(start), "{told:?}");
    }
    let alone = Snapshot::compile(1, document(&layer("").replace("\"person:a\"", ""))).unwrap();
    let refused: Vec<_> = lint(&alone, now).into_iter().filter(|it| it.fatal).collect();
    assert!(refused[0].message.contains("the calendar of schedule `s` was not fetched yet"), "{refused:?}");
}

#[test]
fn an_address_that_is_none_and_two_calendars_in_a_layer_are_refused() {
    let refused = |more: &str| {
        let document = document(&layer("").replace(&format!("\"{URL}\""), more));
        let findings = Snapshot::compile(1, document).expect_err("it is refused");
        assert_eq!((findings.len(), findings[0].path.as_str()), (1, "schedules[s].layers[0].ical_url"), "{findings:?}");
        findings[0].message.clone()
    };
    assert!(refused("\"ftp://x/y\"").contains("not the address of a calendar"));
    assert!(refused("\"calendar.example/x\"").contains("write https://… or webcal://…"));
    let both = format!("\"webcal://x/y\"\nical = '''{}'''", text(&event("1", "a", 5)));
    assert_eq!(refused(&both), "a layer has one calendar; keep one of `ical` and `ical_url`");
}

#[test]
fn events_are_counted_without_knowing_anybody() {
    assert_eq!(count_events(&text(&(event("1", "x", 5) + &event("2", "y", 6)))), Ok(2));
    assert_eq!(count_events(&text("")), Ok(0));
    assert!(count_events("").unwrap_err().contains("does not begin with BEGIN:VCALENDAR"));
    assert!(count_events("BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1").unwrap_err().contains("cut off"));
}
