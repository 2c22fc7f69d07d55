//! The newest points of a series as a rule looks at them: without a gap, and no closer than the host's usual beat.
//!
//! A host that somebody looks at is measured every second. Three points are three beats of the usual kind all the same:
//! what is measured more often is joined to means of a beat.

use shared::{Delay, Timestamp};

/// A point further than so many beats from the one before is behind a gap.
const GAP_BEATS: i64 = 3;

/// The unbroken newest part of a series, the oldest point first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Course {
    at: Vec<Timestamp>,
    values: Vec<f64>,
    /// Whether there was a point before the oldest, so that a time that begins after that is known whole.
    step_ms: i64,
}

impl Course {
    /// The course of some points, the oldest first, of a host that is usually measured every `step`.
    #[must_use]
    pub fn of(points: &[(Timestamp, f32)], step: Delay) -> Self {
        let step_ms = step.0.max(1);
        let mut course = Self { step_ms, ..Self::default() };
        let (mut sum, mut n, mut covered, mut before) = (0.0, 0.0, 0, None::<Timestamp>);
        for (at, value) in points.iter().filter(|(_, value)| value.is_finite()) {
            let since = before.map_or(step_ms, |before| at.ms_since(before));
            if since <= 0 {
                continue;
            }
            if since > step_ms.saturating_mul(GAP_BEATS) {
                course.at.clear();
                course.values.clear();
                (sum, n, covered) = (0.0, 0.0, 0);
            }
            before = Some(*at);
            (sum, n, covered) = (sum + f64::from(*value), n + 1.0, covered + since);
            // A beat is never quite exact.
            if covered.saturating_mul(20) >= step_ms.saturating_mul(19) {
                course.at.push(*at);
                course.values.push(sum / n);
                (sum, n, covered) = (0.0, 0.0, 0);
            }
        }
        course
    }

    /// When the newest point was measured.
    #[must_use]
    pub fn newest_at(&self) -> Option<Timestamp> {
        self.at.last().copied()
    }

    /// The newest `n` values, if there are as many.
    pub(super) fn newest(&self, n: u32) -> Option<&[f64]> {
        let first = self.values.len().checked_sub(n as usize)?;
        self.values.get(first..)
    }

    /// The values of the newest `time`, if that much is known.
    pub(super) fn within(&self, time: Delay) -> Option<&[f64]> {
        let begins = self.newest_at()?.plus_ms(time.0.saturating_neg());
        // The first point stands for the beat before it.
        let known_from = self.at.first()?.plus_ms(self.step_ms.saturating_mul(-3) / 2);
        if known_from > begins {
            return None;
        }
        let first = self.at.partition_point(|at| *at <= begins);
        self.values.get(first..)
    }
}
