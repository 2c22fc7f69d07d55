//! The sender's clock: many spellings of an instant, and how far each is believed.

use super::{Source, bounds};
use jiff::{civil::DateTime, tz::TimeZone};
use shared::{AlertEvent, Delay, Flag, Timestamp};
use std::cell::RefCell;

/// Epoch 0 in any zone, year 1 and their neighbours mean "no time".
const ABSENT_BEFORE: i64 = 365 * 86_400_000;
const AHEAD: Delay = Delay::mins(5);
const STALE: Delay = Delay::mins(24 * 60);

thread_local! {
    // Without its `std` feature jiff parses the zone anew at every look-up, on a hot path. Remembering
    // the last one changes no result.
    static LAST_ZONE: RefCell<Option<(String, TimeZone)>> = const { RefCell::new(None) };
}

/// A time without a zone, `2026-11-21 03:10:00` or with `T`, `/` or without seconds, in the zone given.
pub(super) fn zoneless(text: &str, zone: &str) -> Option<Timestamp> {
    let text = text.trim();
    if text.len() > 40 {
        return None;
    }
    let time: DateTime = if text.contains('/') { text.replace('/', "-").parse().ok()? } else { text.parse().ok()? };
    let instant = in_zone(zone, |zone| zone.to_timestamp(time).ok())?;
    Some(Timestamp::from_ms(instant.as_millisecond()))
}

fn in_zone<T>(name: &str, run: impl FnOnce(&TimeZone) -> T) -> T {
    LAST_ZONE.with_borrow_mut(|last| {
        if let Some((known, zone)) = last
            && known == name
        {
            return run(zone);
        }
        let zone = TimeZone::get(name).unwrap_or(TimeZone::UTC);
        let result = run(&zone);
        *last = Some((name.to_owned(), zone));
        result
    })
}

/// RFC 3339, a number of s, ms, µs or ns since 1970, or a time without a zone.
pub(super) fn any(text: &str, zone: &str) -> Option<Timestamp> {
    let text = text.trim();
    if text.is_empty() || text.len() > 64 {
        return None;
    }
    if text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'+' | b'e' | b'E')) {
        return number(text);
    }
    match text.parse::<jiff::Timestamp>() {
        Ok(instant) => Some(Timestamp::from_ms(instant.as_millisecond())),
        Err(_) => zoneless(text, zone),
    }
}

/// The unit follows from the magnitude; the limits lie in the year 5138.
#[allow(clippy::cast_possible_truncation, reason = "the value was checked to lie far inside i64")]
fn number(text: &str) -> Option<Timestamp> {
    let per_ms = |size: f64| match size {
        s if s < 1e11 => Some(1e-3),
        ms if ms < 1e14 => Some(1.0),
        us if us < 1e17 => Some(1e3),
        ns if ns < 9.2e18 => Some(1e6),
        _ => None,
    };
    let value: f64 = text.parse().ok()?;
    Some(Timestamp::from_ms((value / per_ms(value)?).round() as i64))
}

/// Takes a time over into the event, as far as it can be believed.
///
/// `is_start` times say since when something is wrong. A day-old start is no replay, so it is not stale.
pub(super) fn judge(event: &mut AlertEvent, at: Timestamp, is_start: bool, source: &Source<'_>) {
    if at.ms() < ABSENT_BEFORE {
        return;
    }
    if at.ms_since(source.received_at) > AHEAD.0 {
        bounds::flag(event, Flag::ClockSkew);
        return;
    }
    if !is_start && source.received_at.ms_since(at) > STALE.0 {
        bounds::flag(event, Flag::Stale);
    }
    event.occurred_at = Some(at);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_one_instant() {
        let at = Some(Timestamp::from_ms(1_795_201_800_000));
        for text in [
            "1795201800",
            "1795201800.0",
            "1795201800000",
            "1795201800000000",
            "1795201800000000000",
            "2026-11-20T19:10:00Z",
            "2026-11-21T03:10:00+08:00",
            "2026-11-21 03:10:00",
            "2026-11-21T03:10",
            "2026/11/21 03:10:00",
        ] {
            assert_eq!(any(text, "Asia/Shanghai"), at, "{text}");
        }
        for text in ["", "yesterday", "-5", "1e400", "99999999999999999999", "."] {
            assert_eq!(any(text, "Asia/Shanghai"), None, "{text}");
        }
        assert_eq!(any("2026-11-20 19:10:00", "No/Such_Zone"), at);
    }
}
