//! Stretches of people on call together as shifts of one person each, unbroken for as long as the reason stays.

use super::read::{Reason, Stretch};
use shared::api::Shift;

/// In the order of their beginnings. A stretch that ends because somebody else came or went does not end a shift, nor
/// does the end of what was asked for: whoever gives away the last shift gives all of it.
pub(crate) fn pieces(stretches: &[Stretch]) -> Vec<Shift> {
    let mut made: Vec<(Shift, &Reason)> = Vec::new();
    for (n, stretch) in stretches.iter().enumerate() {
        let is_last = n + 1 == stretches.len();
        for duty in &stretch.duties {
            let until = if is_last { duty.until.max(stretch.until) } else { stretch.until };
            let goes_on = |(shift, reason): &&mut (Shift, &Reason)| {
                shift.until == stretch.from && shift.person == duty.person && **reason == duty.reason
            };
            if let Some((shift, _)) = made.iter_mut().rev().find(goes_on) {
                shift.until = until;
                continue;
            }
            let (over, replaces) = (duty.reason.is_over(), duty.reason.replaces.clone());
            let shift = Shift { person: duty.person.clone(), from: stretch.from, until, over, replaces };
            made.push((shift, &duty.reason));
        }
    }
    made.into_iter().map(|(shift, _)| shift).collect()
}

#[cfg(test)]
mod tests {
    use super::{super::read::tests as sent, *};
    use shared::{
        Timestamp,
        api::{self, Duty, DutyReason, ScheduleRange},
    };

    fn turn(n: i64) -> DutyReason {
        DutyReason::Turn { layer: None, rotation: 0, turn: n, stands_in_for: vec![] }
    }

    fn stretch(from: i64, until: i64, duties: &[(&str, DutyReason)]) -> api::Stretch {
        let duty = |(person, reason): &(&str, DutyReason)| Duty {
            person: (*person).into(),
            reason: reason.clone(),
            until: Timestamp::from_ms(until),
        };
        api::Stretch {
            from: Timestamp::from_ms(from),
            until: Timestamp::from_ms(until),
            duties: duties.iter().map(duty).collect(),
        }
    }

    fn shifts(stretches: Vec<api::Stretch>) -> Vec<Shift> {
        let range = ScheduleRange { stretches, ..sent::nothing(Timestamp::from_ms(0), Timestamp::from_ms(30)) };
        pieces(&sent::read(&range).stretches)
    }

    #[test]
    fn a_shift_outlasts_the_coming_of_others() {
        let shifts = shifts(vec![
            stretch(0, 10, &[("a", turn(1))]),
            stretch(10, 20, &[("a", turn(1)), ("b", turn(7))]),
            stretch(20, 30, &[("a", turn(2))]),
        ]);
        let spans: Vec<_> = shifts.iter().map(|it| (it.person.as_str(), it.from.ms(), it.until.ms())).collect();
        assert_eq!(spans, [("a", 0, 20), ("b", 10, 20), ("a", 20, 30)]);
    }

    #[test]
    fn the_last_shift_ends_when_it_ends_and_not_where_the_range_does() {
        let mut cut = stretch(10, 20, &[("a", turn(1))]);
        cut.duties[0].until = Timestamp::from_ms(28);
        let mut before = stretch(0, 10, &[("b", turn(0))]);
        before.duties[0].until = Timestamp::from_ms(15);
        let ends: Vec<_> = shifts(vec![before, cut]).iter().map(|it| it.until.ms()).collect();
        assert_eq!(ends, [10, 28], "one that somebody cut short stays short");
    }

    #[test]
    fn a_cover_says_for_whom() {
        let reason = DutyReason::Override {
            place: 0,
            does: shared::config::OverrideKind::Replace,
            id: None,
            replaces: Some("a".into()),
            by: None,
        };
        let shifts = shifts(vec![stretch(0, 10, &[("b", reason)]), stretch(10, 20, &[])]);
        assert_eq!(shifts.len(), 1, "nobody is no shift");
        assert!(shifts[0].over);
        assert_eq!(shifts[0].replaces, Some("a".into()));
    }
}
