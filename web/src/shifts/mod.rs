//! Shifts on a strip of days: which bar stands where, without a browser.

use crate::order::sorted;
use shared::{
    PersonId, Timestamp,
    api::{OnCallNow, ScheduleNow, Shift},
};

/// A stretch of the strip, in percent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Span {
    pub(crate) left: f64,
    pub(crate) width: f64,
}

/// A shift on the strip; people on call together stand in rows below each other.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Bar {
    pub(crate) shift: Shift,
    pub(crate) span: Span,
    pub(crate) row: usize,
}

/// The part of `from..until` inside the strip.
pub(crate) fn span(from: Timestamp, until: Timestamp, strip: (Timestamp, Timestamp)) -> Option<Span> {
    let (start, end) = (from.max(strip.0), until.min(strip.1));
    let whole = strip.1.ms_since(strip.0);
    if start >= end || whole <= 0 {
        return None;
    }
    let share = |ms: i64| ms as f64 / whole as f64 * 100.0;
    Some(Span { left: share(start.ms_since(strip.0)), width: share(end.ms_since(start)) })
}

/// All shifts of a schedule, those of now and those to come, each once.
pub(crate) fn all(schedule: &ScheduleNow) -> Vec<Shift> {
    let shifts: Vec<Shift> = schedule.on_call.iter().chain(&schedule.upcoming).cloned().collect();
    let mut shifts = sorted(shifts, |a, b| (a.from, a.until, &a.person).cmp(&(b.from, b.until, &b.person)));
    shifts.dedup();
    shifts
}

pub(crate) fn bars(shifts: &[Shift], strip: (Timestamp, Timestamp)) -> Vec<Bar> {
    let mut ends: Vec<Timestamp> = Vec::new();
    let mut bars = Vec::new();
    for shift in shifts {
        let Some(span) = span(shift.from, shift.until, strip) else { continue };
        let free = ends.iter().position(|end| *end <= shift.from);
        let row = free.unwrap_or_else(|| {
            ends.push(shift.until);
            ends.len() - 1
        });
        ends[row] = shift.until;
        bars.push(Bar { shift: shift.clone(), span, row });
    }
    bars
}

/// Whether somebody took over since this was true: then it has to be asked for again.
pub(crate) fn is_outdated(on_call: &OnCallNow, now: Timestamp) -> bool {
    let passed = |at: Timestamp| at > on_call.now && at <= now;
    let shifts = on_call.schedules.iter().flat_map(|schedule| schedule.on_call.iter().chain(&schedule.upcoming));
    shifts.into_iter().any(|shift| passed(shift.from) || passed(shift.until))
}

/// One of five colours, the same for a person everywhere.
pub(crate) fn colour(person: &PersonId) -> usize {
    let hash = person.as_str().bytes().fold(7_u32, |hash, byte| hash.wrapping_mul(31).wrapping_add(u32::from(byte)));
    usize::try_from(hash % 5).unwrap_or(0) + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shift(person: &str, from: i64, until: i64) -> Shift {
        Shift {
            person: person.into(),
            from: Timestamp::from_ms(from),
            until: Timestamp::from_ms(until),
            over: false,
            replaces: None,
        }
    }

    const STRIP: (Timestamp, Timestamp) = (Timestamp::from_ms(0), Timestamp::from_ms(1_000));

    #[test]
    fn a_shift_is_cut_at_the_edges_of_the_strip() {
        assert_eq!(
            span(Timestamp::from_ms(-100), Timestamp::from_ms(250), STRIP),
            Some(Span { left: 0.0, width: 25.0 })
        );
        assert_eq!(
            span(Timestamp::from_ms(900), Timestamp::from_ms(5_000), STRIP),
            Some(Span { left: 90.0, width: 10.0 })
        );
        assert_eq!(span(Timestamp::from_ms(-9), Timestamp::from_ms(0), STRIP), None);
    }

    #[test]
    fn a_hand_off_outdates_what_is_known() {
        let schedule = ScheduleNow {
            schedule: "db".into(),
            name: String::new(),
            time_zone: "UTC".to_owned(),
            on_call: vec![shift("a", 0, 100)],
            upcoming: vec![shift("b", 100, 300)],
            gaps: vec![],
            asked: vec![],
        };
        let known = OnCallNow { now: Timestamp::from_ms(50), schedules: vec![schedule], names: [].into() };
        assert!(!is_outdated(&known, Timestamp::from_ms(99)));
        assert!(is_outdated(&known, Timestamp::from_ms(100)));
        assert!(!is_outdated(&OnCallNow { now: Timestamp::from_ms(100), ..known }, Timestamp::from_ms(299)));
    }

    #[test]
    fn people_on_call_together_stand_in_rows() {
        let rows: Vec<usize> = bars(&[shift("a", 0, 100), shift("b", 50, 200), shift("c", 100, 300)], STRIP)
            .iter()
            .map(|bar| bar.row)
            .collect();
        assert_eq!(rows, [0, 1, 0]);
    }
}
