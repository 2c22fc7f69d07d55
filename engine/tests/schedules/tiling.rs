//! What holds for every schedule: stretches tile the line, agree with every instant asked by itself, and can be cut
//! anywhere.

use super::house::document;
use engine::{
    Snapshot,
    oncall::{Roster, Stretch, gaps, history, shifts},
};
use proptest::prelude::*;
use shared::{Delay, Timestamp};
use std::{collections::BTreeSet, fmt::Write as _};

const ZONES: [&str; 6] = [
    "Asia/Shanghai",
    "America/New_York",
    "Europe/Berlin",
    "Australia/Lord_Howe",
    "America/St_Johns",
    "Africa/Casablanca",
];
/// Some weeks around jumps of most of these clocks.
const BEGINNINGS: [&str; 3] = ["2026-03-01", "2026-10-10", "2026-02-10"];
const WEEKS: Delay = Delay(6 * 7 * 86_400_000);

fn clock() -> impl Strategy<Value = String> {
    (0..24_u8, prop::sample::select(vec![0_u8, 30, 59])).prop_map(|(hour, minute)| format!("{hour:02}:{minute:02}"))
}

fn people() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::collection::vec(prop::sample::select(vec!["a", "b", "c", "d"]), 1..4)
            .prop_map(|people| format!("people = {people:?}")),
        prop::collection::vec(prop::collection::vec(prop::sample::select(vec!["a", "b", "c", "d"]), 1..3), 1..3)
            .prop_map(|groups| format!("groups = {groups:?}")),
    ]
}

fn rotation() -> impl Strategy<Value = String> {
    let window = (
        clock(),
        clock(),
        prop::sample::select(vec!["", "days = [\"sat\", \"sun\"], ", "days = [\"mon\", \"wed\"], "]),
    )
        .prop_map(|(from, until, days)| format!("{{ {days}from = \"{from}\", until = \"{until}\" }}"));
    let every = prop::sample::select(vec!["hour", "day", "week", "month"]);
    (people(), every, 1..5_u8, clock(), prop::collection::vec(window, 0..3)).prop_map(
        |(people, every, length, handoff, windows)| {
            let windows = windows.join(", ");
            format!("{{ {people}, every = \"{every}\", length = {length}, handoff = \"{handoff}\", start = \"2026-02-20\", restrict = [{windows}] }}")
        },
    )
}

/// A wall time near a beginning.
fn time(beginning: &'static str) -> impl Strategy<Value = (i64, String)> {
    (0..42_i64, clock()).prop_map(move |(day, clock)| {
        let date: jiff::civil::Date = beginning.parse().unwrap();
        let date = date.checked_add(jiff::Span::new().days(day)).unwrap();
        (day, format!("{date} {clock}"))
    })
}

fn span(beginning: &'static str) -> impl Strategy<Value = String> {
    (time(beginning), time(beginning))
        .prop_filter("in order", |(from, until)| from.0 < until.0)
        .prop_map(|((_, from), (_, until))| format!("from = \"{from}\", until = \"{until}\""))
}

fn schedule() -> impl Strategy<Value = (Timestamp, String)> {
    let person = || prop::sample::select(vec!["a", "b", "c", "d"]);
    (prop::sample::select(ZONES.to_vec()), prop::sample::select(BEGINNINGS.to_vec())).prop_flat_map(
        move |(zone, beginning)| {
            let kind = prop::sample::select(vec!["add", "remove", "replace"]);
            let cover = (person(), kind, span(beginning))
                .prop_map(|(person, kind, span)| format!("{{ person = \"{person}\", kind = \"{kind}\", {span} }}"));
            let off = (person(), span(beginning)).prop_map(|(person, span)| format!("{{ person = \"{person}\", {span} }}"));
            let layer = (0..3_i32, prop::sample::select(vec!["always", "holidays", "workdays"]), rotation());
            (
                prop::collection::vec(rotation(), 0..3),
                prop::collection::vec(layer, 0..3),
                prop::collection::vec(cover, 0..3),
                prop::collection::vec(off, 0..3),
                prop::option::of(span(beginning)),
            )
                .prop_map(move |(rotations, layers, covers, offs, temporary)| {
                    let mut text = format!("time_off = [{}]\n", offs.join(", "));
                    text += &format!("holidays = [{{ id = \"h\", dates = [\"{beginning}..{}\", \"2026-03-29\", \"2026-10-25\"] }}]\n", &format!("{}28", &beginning[..8]));
                    text += &format!("[[schedules]]\nid = \"s\"\nname = \"S\"\ntime_zone = \"{zone}\"\nholidays = [\"h\"]\n");
                    if let Some(span) = temporary {
                        writeln!(text, "temporary = [{{ {span} }}]").unwrap();
                    }
                    writeln!(text, "rotations = [{}]\noverrides = [{}]", rotations.join(", "), covers.join(", ")).unwrap();
                    for (i, (precedence, on, rotation)) in layers.iter().enumerate() {
                        writeln!(text, "[[schedules.layers]]\nid = \"l{i}\"\nprecedence = {precedence}\non = \"{on}\"\nrotations = [{rotation}]").unwrap();
                    }
                    let from: jiff::Timestamp = format!("{beginning}T00:00Z").parse().unwrap();
                    (Timestamp::from_ms(from.as_millisecond()), text)
                })
        },
    )
}

/// None when overrides contradict each other.
fn compiled(text: &str) -> Option<Roster> {
    match Snapshot::compile(1, document(text)) {
        Ok(snapshot) => snapshot.rosters.into_values().next(),
        Err(findings) => {
            assert!(findings.iter().all(|it| it.message.contains("at the same time")), "{findings:#?}\n{text}");
            None
        }
    }
}

fn check(roster: &Roster, from: Timestamp, cuts: &[i64]) {
    let until = from.after(WEEKS);
    let all = roster.between(from, until);
    assert_eq!((all[0].from, all[all.len() - 1].until), (from, until));
    for pair in all.windows(2) {
        assert_eq!(pair[0].until, pair[1].from, "no gap, no overlap");
        assert_ne!(pair[0].duties, pair[1].duties, "neighbours differ");
    }
    for Stretch { from, until, duties } in &all {
        assert!(from < until);
        let people: BTreeSet<_> = duties.iter().map(|duty| &duty.person).collect();
        assert_eq!(people.len(), duties.len(), "everybody once");
        let middle = Timestamp::from_ms(i64::midpoint(from.ms(), until.ms()));
        for at in [*from, middle, until.plus_ms(-1)] {
            assert_eq!(roster.at(at), *duties, "asked at {}", at.ms());
        }
        assert!(duties.iter().all(|duty| duty.until > *from), "nobody's duty is over before it is");
    }
    for cut in cuts {
        let cut = from.plus_ms(*cut % WEEKS.0);
        let mut parts = roster.between(from, cut);
        history::append(&mut parts, roster.between(cut, until));
        assert_eq!(parts, all, "cut at {}", cut.ms());
    }
    let on_call_ms: i64 =
        all.iter().map(|it| it.until.ms_since(it.from) * i64::try_from(it.duties.len()).unwrap()).sum();
    assert_eq!(roster.load(&all).iter().map(|load| load.total_ms).sum::<i64>(), on_call_ms);
    let gaps: i64 = gaps(&all).iter().map(|gap| gap.until.ms_since(gap.from)).sum();
    let covered: i64 = all.iter().filter(|it| !it.duties.is_empty()).map(|it| it.until.ms_since(it.from)).sum();
    assert_eq!(gaps + covered, WEEKS.0);
    let whole: i64 = shifts(&all).iter().map(|(from, duty)| duty.until.min(until).ms_since(*from)).sum();
    assert!(whole >= on_call_ms, "no shift is lost");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 250, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn stretches_tile_the_line_and_agree_with_every_instant(
        (from, text) in schedule(),
        cuts in prop::collection::vec(1..WEEKS.0, 3),
    ) {
        if let Some(roster) = compiled(&text) {
            check(&roster, from, &cuts);
        }
    }
}
