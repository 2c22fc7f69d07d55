//! What a drag over a strip means as a time.

use shared::Timestamp;

/// The stretch between two places of a strip (0 at its left, 1 at its right), on whole steps counted from the strip's
/// beginning, at least one step long.
pub(crate) fn dragged(
    strip: (Timestamp, Timestamp),
    from: f64,
    until: f64,
    step_ms: i64,
) -> Option<(Timestamp, Timestamp)> {
    let whole = strip.1.ms_since(strip.0);
    if whole <= 0 || step_ms <= 0 {
        return None;
    }
    let ms = |place: f64| (place.clamp(0.0, 1.0) * whole as f64) as i64;
    let first = ms(from.min(until)) / step_ms * step_ms;
    let last = (ms(from.max(until)) + step_ms - 1) / step_ms * step_ms;
    let last = last.max(first + step_ms).min(whole);
    (first < last).then(|| (strip.0.plus_ms(first), strip.0.plus_ms(last)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: (Timestamp, Timestamp) = (Timestamp::from_ms(1_000_000), Timestamp::from_ms(1_000_000 + 24 * HOUR_MS));
    const HOUR_MS: i64 = 3_600_000;

    fn hours(from: f64, until: f64) -> Option<(i64, i64)> {
        let (from, until) = dragged(DAY, from / 24.0, until / 24.0, HOUR_MS)?;
        Some((from.ms_since(DAY.0) / HOUR_MS, until.ms_since(DAY.0) / HOUR_MS))
    }

    #[test]
    fn a_drag_covers_every_hour_it_touches_in_either_direction() {
        assert_eq!(hours(8.4, 11.2), Some((8, 12)));
        assert_eq!(hours(11.2, 8.4), Some((8, 12)));
        assert_eq!(hours(3.1, 3.2), Some((3, 4)));
    }

    #[test]
    fn a_drag_stays_inside_the_strip() {
        assert_eq!(hours(-5.0, 40.0), Some((0, 24)));
        assert_eq!(hours(24.0, 24.0), None);
        assert_eq!(dragged((Timestamp::from_ms(5), Timestamp::from_ms(5)), 0.0, 1.0, HOUR_MS), None);
    }
}
