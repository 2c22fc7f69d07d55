//! Overrides, temporary schedules, swaps, and what is kept of the past.

use super::house::{at, berlin, document, range, who};
use engine::{
    Snapshot,
    oncall::{Roster, Surroundings, Swap, SwapRefusal, gaps, history, shifts},
};
use shared::Timestamp;

const WEEKS: &str = r#"rotations = [{ people = ["a", "b"], every = "week", handoff = "09:00", start = "2026-01-05" }]"#;

#[test]
fn replacing_holds_only_while_the_replaced_is_on_call() {
    let roster = berlin(&format!(
        r#"{WEEKS}
        overrides = [{{ person = "c", replaces = "a", from = "2026-01-10 00:00", until = "2026-01-20 00:00" }}]"#
    ));
    assert_eq!(
        range(&roster, "2026-01-09 12:00Z", "2026-01-21 12:00Z"),
        "09T13:00 a, 10T00:00 c, 12T09:00 b, 19T09:00 c, 20T00:00 a"
    );
    assert_eq!(roster.at(at("2026-01-11 00:00Z"))[0].until, at("2026-01-12 08:00Z"), "with the turn that is covered");
}

#[test]
fn overrides_add_remove_and_replace_everybody() {
    let roster = berlin(&format!(
        r#"{WEEKS}
        overrides = [
          {{ kind = "add", person = "c", from = "2026-01-06 00:00", until = "2026-01-07 00:00" }},
          {{ kind = "remove", person = "a", from = "2026-01-08 00:00", until = "2026-01-09 00:00" }},
          {{ person = "d", from = "2026-01-10 00:00", until = "2026-01-11 00:00" }},
        ]"#
    ));
    assert_eq!(
        range(&roster, "2026-01-05 12:00Z", "2026-01-12 00:00Z"),
        "05T13:00 a, 06T00:00 a+c, 07T00:00 a, 08T00:00 -, 09T00:00 a, 10T00:00 d, 11T00:00 a"
    );
    let found = gaps(&roster.between(at("2026-01-05 12:00Z"), at("2026-01-12 00:00Z")));
    assert_eq!((found.len(), found[0].from, found[0].until), (1, at("2026-01-07 23:00Z"), at("2026-01-08 23:00Z")));
}

#[test]
fn whoever_took_over_can_be_replaced_again() {
    let roster = berlin(&format!(
        r#"{WEEKS}
        overrides = [
          {{ person = "c", replaces = "a", from = "2026-01-06 00:00", until = "2026-01-08 00:00" }},
          {{ person = "d", replaces = "c", from = "2026-01-07 00:00", until = "2026-01-08 00:00" }},
        ]"#
    ));
    assert_eq!(
        range(&roster, "2026-01-05 12:00Z", "2026-01-09 00:00Z"),
        "05T13:00 a, 06T00:00 c, 07T00:00 d, 08T00:00 a"
    );
}

#[test]
fn a_temporary_schedule_beats_overrides_and_its_holes_are_nobody() {
    let roster = berlin(&format!(
        r#"{WEEKS}
        overrides = [{{ person = "d", from = "2026-01-06 00:00", until = "2026-01-09 00:00" }}]
        [[schedules.temporary]]
        from = "2026-01-07 00:00"
        until = "2026-01-08 00:00"
        shifts = [
          {{ person = "b", from = "2026-01-07 00:00", until = "2026-01-07 12:00" }},
          {{ person = "c", from = "2026-01-07 10:00", until = "2026-01-07 20:00" }},
        ]"#
    ));
    assert_eq!(
        range(&roster, "2026-01-05 12:00Z", "2026-01-09 12:00Z"),
        "05T13:00 a, 06T00:00 d, 07T00:00 b, 07T10:00 b+c, 07T12:00 c, 07T20:00 -, 08T00:00 d, 09T00:00 a"
    );
}

#[test]
fn a_span_begins_at_the_first_occurrence_and_ends_at_the_last() {
    let roster = berlin(&format!(
        r#"{WEEKS}
        overrides = [
          {{ person = "c", from = "2026-10-25 02:15", until = "2026-10-25 02:30" }},
          {{ person = "c", from = "2026-10-25 02:30", until = "2026-10-25 02:45+02:00" }},
          {{ person = "d", from = "2026-03-29 02:15", until = "2026-03-29 02:45" }},
        ]"#
    ));
    let of = |person: &str| {
        let duties = shifts(&roster.between(at("2026-03-01 00:00Z"), at("2026-11-01 00:00Z")));
        let mine = duties.into_iter().filter(|(_, duty)| duty.person.as_str() == person);
        mine.map(|(from, duty)| (from, duty.until)).collect::<Vec<_>>()
    };
    // One quarter of an hour on the wall is an hour and a quarter, and hides the other within it.
    assert_eq!(of("c")[0], (at("2026-10-25 00:15Z"), at("2026-10-25 01:30Z")));
    assert!(of("d").is_empty(), "the clock leaps over it");
}

#[test]
fn a_swap_becomes_overrides() {
    let roster = berlin(WEEKS);
    let swap = Swap {
        giver: "a".into(),
        taker: "b".into(),
        from: at("2026-03-28 23:00Z"),
        until: at("2026-03-30 07:00Z"),
        in_return: Some((at("2026-04-05 07:00Z"), at("2026-04-06 07:00Z"))),
    };
    // The week from Monday the 23rd is b's, so it is b who can give it.
    assert_eq!(swap.overrides(&roster, Timestamp::from_ms(0)), Err(SwapRefusal::NotOnCall("a".into())));
    let swap = Swap { giver: "b".into(), taker: "a".into(), ..swap };
    let covers = swap.overrides(&roster, Timestamp::from_ms(0)).unwrap();
    assert_eq!((covers[0].from.as_str(), covers[0].until.as_str()), ("2026-03-29 00:00", "2026-03-30 09:00"));
    let mut swapped =
        document(&format!("[[schedules]]\nid = \"s\"\nname = \"S\"\ntime_zone = \"Europe/Berlin\"\n{WEEKS}"));
    swapped.schedules[0].overrides = covers;
    let swapped = Roster::compile(&swapped.schedules[0], &Surroundings::default()).unwrap();
    assert_eq!(
        range(&swapped, "2026-03-28 12:00Z", "2026-04-07 00:00Z"),
        "28T13:00 b, 29T00:00 a, 30T09:00 a, 05T09:00 b, 06T09:00 b"
    );
}

#[test]
fn a_swap_that_cannot_be_is_refused_with_its_reason() {
    let roster = super::house::roster(&format!(
        r#"
        time_off = [{{ person = "d", from = "2026-01-06 00:00", until = "2026-01-07 00:00" }}]
        [[schedules]]
        id = "s"
        name = "S"
        time_zone = "Europe/Berlin"
        {WEEKS}
        overrides = [{{ kind = "add", person = "c", from = "2026-01-06 00:00", until = "2026-01-07 00:00" }}]
        temporary = [{{ from = "2026-01-10 00:00", until = "2026-01-11 00:00" }}]"#
    ));
    let offer = |taker: &str, from: &str, until: &str| {
        let (from, until) = (at(from), at(until));
        let swap = Swap { giver: "a".into(), taker: taker.into(), from, until, in_return: None };
        swap.overrides(&roster, at("2026-01-06 06:00Z")).map(|covers| covers[0].from.clone())
    };
    assert_eq!(offer("b", "2026-01-05 10:00Z", "2026-01-08 10:00Z").unwrap(), "2026-01-06 07:00", "from now on");
    assert_eq!(offer("a", "2026-01-07 10:00Z", "2026-01-08 10:00Z"), Err(SwapRefusal::Same));
    assert_eq!(offer("b", "2026-01-05 10:00Z", "2026-01-06 05:00Z"), Err(SwapRefusal::Over));
    assert_eq!(offer("b", "2026-01-09 10:00Z", "2026-01-09 23:30Z"), Err(SwapRefusal::Temporary));
    assert_eq!(offer("b", "2026-01-11 10:00Z", "2026-01-12 10:00Z"), Err(SwapRefusal::NotOnCall("a".into())));
    assert_eq!(offer("c", "2026-01-06 10:00Z", "2026-01-06 11:00Z"), Err(SwapRefusal::OnCallAlready("c".into())));
    assert_eq!(offer("d", "2026-01-06 10:00Z", "2026-01-06 11:00Z"), Err(SwapRefusal::Away("d".into())));
}

#[test]
fn an_edit_does_not_change_yesterday() {
    let versions = [WEEKS.to_owned(), WEEKS.replace("[\"a\", \"b\"]", "[\"c\"]"), String::new(), WEEKS.to_owned()];
    let compiled: Vec<Option<Roster>> =
        versions.iter().map(|text| if text.is_empty() { None } else { Some(berlin(text)) }).collect();
    let came = ["2026-01-06 00:00Z", "2026-01-08 00:00Z", "2026-01-10 00:00Z", "2026-01-11 00:00Z"].map(at);
    let versions: Vec<history::Version<'_>> =
        came.iter().zip(&compiled).map(|(at, roster)| history::Version { at: *at, roster: roster.as_ref() }).collect();
    let told = |from: &str, until: &str| {
        let kept = history::in_force(&versions, at(from), at(until));
        kept.into_iter().map(|it| (it.from, it.duties[0].person.as_str().to_owned())).collect::<Vec<_>>()
    };
    let one = |from: &str, person: &str| (at(from), person.to_owned());
    assert_eq!(
        told("2026-01-01 00:00Z", "2026-01-13 00:00Z"),
        [
            one("2026-01-06 00:00Z", "a"),
            one("2026-01-08 00:00Z", "c"),
            one("2026-01-11 00:00Z", "a"),
            one("2026-01-12 08:00Z", "b")
        ]
    );
    assert_eq!(told("2026-01-07 00:00Z", "2026-01-07 12:00Z"), [one("2026-01-07 00:00Z", "a")]);
    // Kept in parts it is the same as kept at once.
    let mut kept = history::in_force(&versions, at("2026-01-06 00:00Z"), at("2026-01-07 00:00Z"));
    history::append(&mut kept, history::in_force(&versions, at("2026-01-07 00:00Z"), at("2026-01-13 00:00Z")));
    assert_eq!(kept, history::in_force(&versions, at("2026-01-06 00:00Z"), at("2026-01-13 00:00Z")));
}

#[test]
fn an_override_for_somebody_unknown_is_named() {
    let text = format!(
        "[[schedules]]\nid = \"s\"\nname = \"S\"\ntime_zone = \"UTC\"\n{WEEKS}\noverrides = [{{ person = \"x\", from = \"2026-01-06 00:00\", until = \"2026-01-07 00:00\" }}]"
    );
    let findings = Snapshot::compile(1, document(&text)).unwrap_err();
    assert!(findings[0].message.contains("`x`") && findings[0].path == "schedules[s]", "{findings:?}");
    assert_eq!(who(&berlin(WEEKS), "2026-01-06 12:00Z"), "a");
}
