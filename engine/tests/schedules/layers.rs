//! Rotations, layers, restrictions, holidays, time off.

use super::house::{at, berlin, range, roster, who};
use engine::oncall::{DutyReason, covering};

#[test]
fn rotations_without_a_layer_are_on_call_together() {
    let roster = berlin(
        r#"rotations = [
          { people = ["a", "b"], every = "week", handoff = "09:00", start = "2026-01-05" },
          { people = ["c"], every = "day", handoff = "09:00", start = "2026-01-05" },
        ]"#,
    );
    assert_eq!(who(&roster, "2026-01-05 08:59+01:00"), "-");
    assert_eq!(who(&roster, "2026-01-05 09:00+01:00"), "a+c");
    assert_eq!(who(&roster, "2026-01-12 09:00+01:00"), "b+c");
}

#[test]
fn a_month_hands_over_on_its_last_day_when_it_is_too_short() {
    let roster = berlin(
        r#"rotations = [{ people = ["a", "b", "c"], every = "month", handoff = "09:00", start = "2026-01-31", end = "2026-05-31" }]"#,
    );
    assert_eq!(
        range(&roster, "2026-01-31 08:00Z", "2026-06-02 00:00Z"),
        "31T09:00 a, 28T09:00 b, 31T09:00 c, 30T09:00 a, 31T09:00 -"
    );
}

#[test]
fn a_turn_of_hours_in_the_gap_has_no_length_and_one_in_the_fold_is_longer() {
    let roster = berlin(
        r#"rotations = [{ people = ["a", "b", "c"], every = "hour", handoff = "00:00", start = "2026-01-01" }]"#,
    );
    assert_eq!(
        range(&roster, "2026-03-28 23:00Z", "2026-03-29 03:00Z"),
        "29T00:00 a, 29T01:00 b, 29T03:00 a, 29T04:00 b"
    );
    assert_eq!(
        range(&roster, "2026-10-24 22:00Z", "2026-10-25 03:00Z"),
        "25T00:00 a, 25T01:00 b, 25T02:00 c, 25T03:00 a"
    );
    let night = roster.between(at("2026-10-24 22:00Z"), at("2026-10-25 03:00Z"));
    assert_eq!(night[2].until.ms_since(night[2].from), 2 * 3_600_000);
}

#[test]
fn several_people_take_a_turn_together() {
    let roster = berlin(
        r#"rotations = [{ groups = [["a", "b"], ["c"]], every = "day", handoff = "09:00", start = "2026-01-05" }]"#,
    );
    assert_eq!(range(&roster, "2026-01-05 08:00Z", "2026-01-07 08:00Z"), "05T09:00 a+b, 06T09:00 c");
}

const LAYERS: &str = r#"
    [[schedules.layers]]
    id = "nights"
    precedence = 2
    [[schedules.layers.rotations]]
    people = ["b"]
    handoff = "00:00"
    start = "2026-01-01"
    restrict = [{ days = ["mon", "tue", "wed", "thu", "fri"], from = "22:00", until = "06:00" }]
    [[schedules.layers]]
    id = "all"
    precedence = 1
    rotations = [{ people = ["a"], handoff = "00:00", start = "2026-01-01" }]
    [[schedules.layers]]
    id = "too"
    precedence = 1
    rotations = [{ people = ["c"], handoff = "00:00", start = "2026-01-01" }]
    [[schedules.layers]]
    id = "rest"
    rotations = [{ people = ["d"], handoff = "00:00", start = "2025-01-01" }]
"#;

#[test]
fn the_highest_layer_with_somebody_wins_and_equal_ones_are_together() {
    let roster = berlin(LAYERS);
    // Friday the 9th until Monday the 12th: the night that begins on Friday is its own, on Saturday there is none.
    assert_eq!(
        range(&roster, "2026-01-09 12:00Z", "2026-01-13 12:00Z"),
        "09T13:00 a+c, 09T22:00 b, 10T06:00 a+c, 12T22:00 b, 13T06:00 a+c"
    );
    assert_eq!(who(&roster, "2025-12-31 12:00Z"), "d", "below the layers that have not begun");
    let duty = roster.at(at("2026-01-09 23:00Z")).remove(0);
    let turn = DutyReason::Turn { layer: Some("nights".into()), rotation: 0, turn: 1, stands_in_for: vec![] };
    assert_eq!((duty.reason, duty.until), (turn, at("2026-01-10 05:00Z")));
    let layers = roster.layers_between(at("2026-01-09 12:00Z"), at("2026-01-10 12:00Z"));
    let shape: Vec<(i32, usize)> = layers.iter().map(|(_, precedence, all)| (*precedence, all.len())).collect();
    assert_eq!(shape, [(2, 3), (1, 1), (1, 1), (0, 1)]);
}

#[test]
fn equal_clocks_are_a_whole_day_and_days_in_a_row_are_one_stretch() {
    let roster = berlin(
        r#"rotations = [{ people = ["a"], every = "month", handoff = "00:00", start = "2026-01-01", restrict = [
          { days = ["fri", "sat", "sun"], from = "02:30", until = "02:30" }] }]"#,
    );
    // The clock leaps over 02:30 on Sunday the 29th.
    assert_eq!(range(&roster, "2026-03-26 00:00Z", "2026-03-31 00:00Z"), "26T01:00 -, 27T02:30 a, 30T02:30 -");
    assert_eq!(roster.at(at("2026-03-28 00:00Z"))[0].until, at("2026-03-30 00:30Z"));
    let always = berlin(
        r#"rotations = [{ people = ["a"], every = "month", length = 12, handoff = "00:00", start = "2026-01-01", restrict = [
          { from = "00:00", until = "12:00" }, { from = "12:00", until = "00:00" }] }]"#,
    );
    assert_eq!(range(&always, "2026-01-01 00:00Z", "2026-12-31 00:00Z"), "01T01:00 a");
}

#[test]
fn holidays_switch_to_another_layer() {
    let roster = roster(
        r#"
        holidays = [{ id = "h", dates = ["2026-05-01", "2026-12-24..2026-12-26"] }]
        [[schedules]]
        id = "s"
        name = "S"
        time_zone = "Europe/Berlin"
        holidays = ["h"]
        [[schedules.layers]]
        id = "days"
        on = "workdays"
        rotations = [{ people = ["a"], handoff = "00:00", start = "2026-01-01" }]
        [[schedules.layers]]
        id = "feast"
        on = "holidays"
        rotations = [{ people = ["b"], handoff = "00:00", start = "2026-01-01" }]
        "#,
    );
    assert_eq!(range(&roster, "2026-04-30 12:00Z", "2026-05-02 12:00Z"), "30T14:00 a, 01T00:00 b, 02T00:00 a");
    assert_eq!(range(&roster, "2026-12-23 12:00Z", "2026-12-27 12:00Z"), "23T13:00 a, 24T00:00 b, 27T00:00 a");
    let week = roster.between(at("2026-12-20 23:00Z"), at("2026-12-27 23:00Z"));
    let loads = roster.load(&week);
    let hours = |ms: i64| ms / 3_600_000;
    let of_b = &loads[1];
    assert_eq!((hours(of_b.total_ms), hours(of_b.holiday_ms), of_b.shifts), (72, 72, 1));
    assert_eq!((hours(of_b.weekend_ms), hours(of_b.night_ms)), (24, 24));
}

#[test]
fn time_off_is_covered_by_the_next_and_the_turns_stay_as_they_are() {
    let roster = roster(
        r#"
        time_off = [
          { person = "b", from = "2026-01-13 00:00", until = "2026-01-15 00:00" },
          { person = "c", from = "2026-01-14 00:00", until = "2026-01-16 00:00" },
        ]
        [[schedules]]
        id = "s"
        name = "S"
        time_zone = "Europe/Berlin"
        rotations = [{ people = ["a", "b", "c"], every = "week", handoff = "09:00", start = "2026-01-05" }]
        "#,
    );
    assert_eq!(
        range(&roster, "2026-01-12 08:00Z", "2026-01-26 08:00Z"),
        "12T09:00 b, 13T00:00 c, 14T00:00 a, 15T00:00 b, 19T09:00 c"
    );
    let duty = roster.at(at("2026-01-14 12:00Z")).remove(0);
    assert_eq!(covering(&duty.reason), (true, Some(&"b".into())));
    assert!(matches!(&duty.reason, DutyReason::Turn { turn: 1, stands_in_for, .. } if stands_in_for.len() == 2));
    assert_eq!(duty.until, at("2026-01-14 23:00Z"));
}

#[test]
fn whoever_is_away_keeps_their_own_clock_and_a_group_goes_on_without_them() {
    let roster = roster(
        r#"
        time_off = [{ person = "d", from = "2026-01-06 00:00", until = "2026-01-07 00:00" },
                    { person = "a", from = "2026-01-06 12:00", until = "2026-01-06 18:00" }]
        [[schedules]]
        id = "s"
        name = "S"
        time_zone = "Europe/Berlin"
        rotations = [{ groups = [["a", "d"]], handoff = "09:00", start = "2026-01-05" }]
        "#,
    );
    // New York is six hours behind; while both are away there is nobody, and lower layers would be asked.
    assert_eq!(
        range(&roster, "2026-01-06 00:00Z", "2026-01-07 08:00Z"),
        "06T01:00 a+d, 06T06:00 a, 06T12:00 -, 06T18:00 a, 07T06:00 a+d"
    );
}

#[test]
fn the_next_hand_off_is_the_next_change_of_people() {
    let roster = berlin(
        r#"rotations = [{ people = ["a", "a", "b"], every = "week", handoff = "09:00", start = "2026-01-05", end = "2026-02-02" }]"#,
    );
    assert_eq!(roster.next_handoff(at("2026-01-01 00:00Z")), Some(at("2026-01-05 08:00Z")));
    assert_eq!(roster.next_handoff(at("2026-01-06 00:00Z")), Some(at("2026-01-19 08:00Z")));
    assert_eq!(roster.next_handoff(at("2026-02-02 08:00Z")), None);
}
