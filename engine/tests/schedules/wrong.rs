//! What is wrong with a schedule is said with its place and its mend, all of it at once.

use super::house::document;
use engine::Snapshot;

/// (path, part of the message) of every finding.
fn refused(rest: &str, expected: &[(&str, &str)]) {
    let findings = Snapshot::compile(1, document(rest)).expect_err("it is refused");
    let told: Vec<String> = findings.iter().map(|it| format!("{}: {}", it.path, it.message)).collect();
    assert_eq!(findings.len(), expected.len(), "{told:#?}");
    for ((path, message), finding) in expected.iter().zip(&findings) {
        assert!(finding.path == *path && finding.message.contains(message), "{path}: {message} is not in {told:#?}");
    }
}

#[test]
fn every_fault_of_a_schedule_is_named() {
    refused(
        r#"
        time_off = [{ person = "x", from = "2026-01-02 00:00", until = "2026-01-01 00:00" }]
        holidays = [{ id = "h", dates = ["2026-02-30"], ical = "nothing" }]
        [[schedules]]
        id = "s"
        name = "S"
        time_zone = "UTC"
        holidays = ["h", "none"]
        rotations = [
          { handoff = "9:00", start = "2026-01-05" },
          { people = ["a"], groups = [["b"]], length = 0, handoff = "09:00", start = "5.1.2026" },
          { groups = [["a"], []], handoff = "24:00", start = "2026-01-05", end = "2026-01-01", restrict = [{ from = "22", until = "06:00" }] },
        ]
        layers = [{ id = "l" }, { id = "l", on = "holidays", ical = "BEGIN:VCALENDAR" }]
        overrides = [
          { kind = "remove", person = "a", replaces = "b", from = "2026-01-05 09:00", until = "2026-01-06 09:00" },
          { person = "a", replaces = "a", from = "2026-01-05 09:00", until = "2026-01-06 09:00" },
          { person = "a", from = "tomorrow", until = "2026-01-06 09:00" },
          { person = "a", from = "2026-01-06 09:00", until = "2026-01-06 09:00" },
        ]
        [[schedules.temporary]]
        from = "2026-01-05 09:00"
        until = "2026-01-06 09:00"
        shifts = [{ person = "a", from = "2026-01-05 08:00", until = "2026-01-05 10:00" }]
        "#,
        &[
            ("holidays[h].dates[0]", "`2026-02-30` is not a date"),
            ("holidays[h].ical", "BEGIN:VCALENDAR"),
            ("time_off[0].person", "there is no person `x`"),
            ("time_off[0].until", "give a later time"),
            ("schedules[s].rotations[0].handoff", "`9:00` is not a time of day"),
            ("schedules[s].rotations[0].people", "name at least one"),
            ("schedules[s].rotations[1].start", "`5.1.2026` is not a date"),
            ("schedules[s].rotations[1].length", "1 to 366"),
            ("schedules[s].rotations[1].groups", "either `people` or `groups`"),
            ("schedules[s].rotations[2].handoff", "`24:00`"),
            ("schedules[s].rotations[2].end", "give a later date"),
            ("schedules[s].rotations[2].groups[1]", "name at least one"),
            ("schedules[s].rotations[2].restrict[0].from", "`22` is not a time of day"),
            ("schedules[s].layers[0]", "give it `rotations`, `ical` or `ical_url`"),
            ("schedules[s].layers[1].id", "`l` is there twice"),
            ("schedules[s].layers[1].ical", "cut off"),
            ("schedules[s].holidays[1]", "no holiday calendar `none`"),
            ("schedules[s].overrides[0].replaces", "leave it out"),
            ("schedules[s].overrides[1].replaces", "name somebody else"),
            ("schedules[s].overrides[2].from", "`tomorrow` is not a time"),
            ("schedules[s].overrides[3].until", "give a later time"),
            ("schedules[s].temporary[0].shifts[0]", "cut it, or widen that"),
        ],
    );
}

#[test]
fn contradictions_are_refused() {
    let schedule = |rest: &str| {
        format!(
            "[[schedules]]\nid = \"s\"\nname = \"S\"\ntime_zone = \"Europe/Berlin\"\nrotations = [{{ people = [\"a\"], handoff = \"09:00\", start = \"2026-01-05\" }}]\n{rest}"
        )
    };
    refused(
        &schedule(
            r#"overrides = [
              { person = "b", from = "2026-01-07 00:00", until = "2026-01-08 00:00" },
              { kind = "add", person = "b", from = "2026-01-06 00:00", until = "2026-01-07 01:00" },
              { person = "c", replaces = "a", from = "2026-01-10 00:00", until = "2026-01-12 00:00" },
              { person = "d", replaces = "a", from = "2026-01-11 00:00", until = "2026-01-13 00:00" },
              { kind = "remove", person = "d", from = "2026-01-12 00:00", until = "2026-01-14 00:00" },
            ]"#,
        ),
        &[
            ("schedules[s].overrides[1]", "`b` is in overrides[0]"),
            ("schedules[s].overrides[3]", "`a` is in overrides[2]"),
            ("schedules[s].overrides[4]", "`d` is in overrides[3]"),
        ],
    );
    refused(
        &schedule(
            r#"temporary = [{ from = "2026-01-07 00:00", until = "2026-01-09 00:00" },
                            { from = "2026-01-08 00:00", until = "2026-01-10 00:00" }]"#,
        ),
        &[("schedules[s].temporary[1]", "temporary[0] holds at the same time")],
    );
    // One that follows on the same wall time does not overlap, though the clock shows that time twice.
    let meet = schedule(
        r#"overrides = [
          { person = "b", from = "2026-10-25 01:00", until = "2026-10-25 02:30" },
          { person = "b", from = "2026-10-25 02:30", until = "2026-10-25 04:00" },
        ]"#,
    );
    assert!(Snapshot::compile(1, document(&meet)).is_ok());
}
