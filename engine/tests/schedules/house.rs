//! Schedules from text, and answers as text.

use engine::{Snapshot, oncall::Roster};
use shared::{Timestamp, config::Document};

/// Four people; `rest` is what the test is about.
pub(crate) fn document(rest: &str) -> Document {
    let people = r#"
        people = [
          { id = "a", name = "Anna", contacts = [{ id = "mail", email = "anna@example.org" }] },
          { id = "b", name = "Bo", contacts = [{ id = "mail", email = "bo@example.org" }] },
          { id = "c", name = "陈晨" },
          { id = "d", name = "Dee", time_zone = "America/New_York" },
        ]
    "#;
    toml::from_str(&format!("{people}\n{rest}")).unwrap_or_else(|error| panic!("{error}"))
}

/// The only schedule of a document.
pub(crate) fn roster(rest: &str) -> Roster {
    let compiled = Snapshot::compile(1, document(rest)).unwrap_or_else(|findings| panic!("{findings:#?}"));
    compiled.rosters.into_values().next().unwrap()
}

/// A schedule in Berlin with these keys and tables.
pub(crate) fn berlin(rest: &str) -> Roster {
    roster(&format!("[[schedules]]\nid = \"s\"\nname = \"S\"\ntime_zone = \"Europe/Berlin\"\n{rest}"))
}

/// `2026-03-29 02:30+01:00`, or with `Z`.
pub(crate) fn at(text: &str) -> Timestamp {
    let at: jiff::Timestamp = text.replacen(' ', "T", 1).parse().unwrap_or_else(|error| panic!("{text}: {error}"));
    Timestamp::from_ms(at.as_millisecond())
}

/// Who is on call at an instant, as `a+b`; `-` when nobody is.
pub(crate) fn who(roster: &Roster, text: &str) -> String {
    names(&roster.at(at(text)))
}

fn names(duties: &[engine::oncall::Duty]) -> String {
    if duties.is_empty() {
        return "-".to_owned();
    }
    duties.iter().map(|duty| duty.person.as_str()).collect::<Vec<_>>().join("+")
}

/// A range as `29T00 a, 29T03 b`: hours on the schedule's wall.
pub(crate) fn range(roster: &Roster, from: &str, until: &str) -> String {
    let one = |stretch: engine::oncall::Stretch| {
        let wall = jiff::Timestamp::from_millisecond(stretch.from.ms()).unwrap().to_zoned(roster.zone().clone());
        format!("{} {}", wall.strftime("%dT%H:%M"), names(&stretch.duties))
    };
    roster.between(at(from), at(until)).into_iter().map(one).collect::<Vec<_>>().join(", ")
}
