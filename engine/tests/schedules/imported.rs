//! Imported calendars: events as shifts and as holidays.

use super::house::{at, document, range, roster, who};
use engine::{Snapshot, oncall::Roster};
use shared::Timestamp;

pub(crate) fn text(events: &str) -> String {
    let mut lines = vec!["BEGIN:VCALENDAR", "VERSION:2.0", "X-WR-CALNAME:duty"];
    lines.extend(events.lines().map(str::trim_start_keeping_folds));
    lines.push("END:VCALENDAR");
    lines.join("\r\n")
}

trait Fold {
    fn trim_start_keeping_folds(&self) -> &str;
}

impl Fold for str {
    /// Without the indentation of the test; a `|` marks a folded line.
    fn trim_start_keeping_folds(&self) -> &str {
        let line = self.trim_start();
        line.strip_prefix('|').unwrap_or(line)
    }
}

fn layer(ical: &str) -> String {
    format!(
        "[[schedules]]\nid = \"s\"\nname = \"S\"\ntime_zone = \"Europe/Berlin\"\n[[schedules.layers]]\nid = \"l\"\nical = '''{ical}'''"
    )
}

fn imported(events: &str) -> Roster {
    roster(&layer(&text(events)))
}

#[test]
fn a_weekly_event_is_a_shift_on_the_wall_clock_of_its_zone() {
    let roster = imported(
        "BEGIN:VEVENT
        UID:w
        SUMMARY:a
        DTSTART;TZID=\"America/New_York\":20260301T200000
        DTEND;TZID=America/New_York:20260302T080000
        RRULE:FREQ=WEEKLY;UNTIL=20260316T000000Z
        EXDATE;TZID=America/New_York:20260308T200000
        BEGIN:VALARM
        TRIGGER:-PT15M
        END:VALARM
        END:VEVENT",
    );
    // New York's clock leaps on the 8th; the 15th still begins before the UNTIL, at midnight of UTC exactly.
    assert_eq!(
        range(&roster, "2026-03-01 12:00Z", "2026-03-31 00:00Z"),
        "01T13:00 -, 02T02:00 a, 02T14:00 -, 16T01:00 a, 16T13:00 -"
    );
}

#[test]
fn attendees_come_before_the_summary_and_names_may_be_several() {
    let roster = imported(
        "BEGIN:VEVENT
        UID:1
        SUMMARY:on call\\, week 1
        DTSTART:20260105T090000Z
        DURATION:P1D
        ATTENDEE;CN=\"Bo: the second\";ROLE=REQ-PARTICIPANT:MAILTO:BO@exam
        | ple.org
        ATTENDEE:mailto:stranger@example.org
        END:VEVENT
        BEGIN:VEVENT
        UID:2
        SUMMARY:Anna / 陈晨
        DTSTART;VALUE=DATE:20260106
        END:VEVENT",
    );
    assert_eq!(
        range(&roster, "2026-01-05 09:00Z", "2026-01-07 12:00Z"),
        "05T10:00 b, 06T00:00 b+a+c, 06T10:00 a+c, 07T00:00 -"
    );
}

#[test]
fn a_moved_or_cancelled_occurrence_leaves_its_place() {
    let roster = imported(
        "BEGIN:VEVENT
        UID:w
        SUMMARY:a
        DTSTART;TZID=Europe/Berlin:20260323T090000
        DTEND;TZID=Europe/Berlin:20260324T090000
        RRULE:FREQ=DAILY;INTERVAL=2;COUNT=5
        END:VEVENT
        BEGIN:VEVENT
        UID:w
        RECURRENCE-ID;TZID=Europe/Berlin:20260325T090000
        SUMMARY:b
        DTSTART;TZID=Europe/Berlin:20260326T090000
        DTEND;TZID=Europe/Berlin:20260326T120000
        END:VEVENT
        BEGIN:VEVENT
        UID:w
        RECURRENCE-ID:20260327T080000Z
        STATUS:CANCELLED
        SUMMARY:a
        DTSTART;TZID=Europe/Berlin:20260327T090000
        END:VEVENT",
    );
    assert_eq!(
        range(&roster, "2026-03-23 08:00Z", "2026-04-02 08:00Z"),
        "23T09:00 a, 24T09:00 -, 26T09:00 b, 26T12:00 -, 29T09:00 a, 30T09:00 -, 31T09:00 a, 01T09:00 -"
    );
}

#[test]
fn shifts_from_nine_to_nine_leave_no_gap_when_the_clock_jumps() {
    let roster = imported(
        "BEGIN:VEVENT
        UID:odd
        SUMMARY:a
        DTSTART;TZID=Europe/Berlin:20200101T023000
        DTEND;TZID=Europe/Berlin:20200102T023000
        RRULE:FREQ=DAILY;INTERVAL=2
        END:VEVENT
        BEGIN:VEVENT
        UID:even
        SUMMARY:b
        DTSTART;TZID=Europe/Berlin:20200102T023000
        DTEND;TZID=Europe/Berlin:20200103T023000
        RRULE:FREQ=DAILY;INTERVAL=2
        END:VEVENT",
    );
    let stretches = roster.between(at("2026-01-01 00:00Z"), at("2028-01-01 00:00Z"));
    assert!(stretches.iter().all(|it| !it.duties.is_empty()), "nobody is ever missing");
    assert!(stretches.len() >= 730);
    assert_eq!(who(&roster, "2050-06-01 00:00Z"), "-", "rules are followed until 2050");
}

#[test]
fn events_are_holidays_on_the_clock_of_the_schedule() {
    let ical = text(
        "BEGIN:VEVENT
        UID:1
        SUMMARY:National Day
        DTSTART;VALUE=DATE:20201001
        DTEND;VALUE=DATE:20201004
        RRULE:FREQ=YEARLY
        END:VEVENT",
    );
    let roster = roster(&format!(
        "holidays = [{{ id = \"cn\", ical = '''{ical}''' }}]
        [[schedules]]
        id = \"s\"
        name = \"S\"
        time_zone = \"Asia/Shanghai\"
        holidays = [\"cn\"]
        layers = [{{ id = \"l\", on = \"holidays\", rotations = [{{ people = [\"a\"], handoff = \"00:00\", start = \"2026-01-01\" }}] }}]"
    ));
    let spans: Vec<(Timestamp, Timestamp)> =
        roster.holidays().within(at("2026-01-01 00:00Z"), at("2028-01-01 00:00Z")).collect();
    assert_eq!(spans[0], (at("2026-09-30 16:00Z"), at("2026-10-03 16:00Z")));
    assert_eq!(spans.len(), 2);
    assert_eq!(
        (who(&roster, "2026-10-02 00:00Z"), who(&roster, "2026-10-05 00:00Z")),
        ("a".to_owned(), "-".to_owned())
    );
}

#[test]
fn what_cannot_be_read_is_named() {
    let event = |lines: &str| text(&format!("BEGIN:VEVENT\nUID:1\nSUMMARY:a\n{lines}\nEND:VEVENT"));
    for (ical, part) in [
        ("hello".to_owned(), "does not begin with BEGIN:VCALENDAR"),
        (text("BEGIN:VEVENT\nUID:1\nSUMMARY:a\nEND:VEVENT"), "no DTSTART"),
        (event("DTSTART;TZID=China Standard Time:20260101T090000"), "`China Standard Time` is not an IANA"),
        (event("DTSTART:20260101T25"), "line 7 of the calendar: `20260101T25` is not a date"),
        (event("DTSTART:20260101T090000Z\nRRULE:FREQ=HOURLY"), "repeats within a day"),
        (event("DTSTART:20260101T090000Z\nRRULE:FREQ=SOMETIMES"), "the rule `FREQ=SOMETIMES` cannot be read"),
        (text("BEGIN:VEVENT\nUID:1\nSUMMARY:a, stranger\nDTSTART:20260101T090000Z\nEND:VEVENT"), "names nobody"),
    ] {
        let findings = Snapshot::compile(1, document(&layer(&ical))).expect_err("it is refused");
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert!(
            findings[0].path == "schedules[s].layers[0].ical" && findings[0].message.contains(part),
            "{findings:?}"
        );
    }
}
