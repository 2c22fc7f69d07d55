//! Rates and amounts of copies for people, and what the page has seen of a mirror's rate as a line.

use shared::{MirrorId, Timestamp};
use std::{collections::BTreeMap, fmt::Write as _};

/// Values of one mirror that are kept: at one in two seconds, ten minutes.
const SEEN_MAX: usize = 300;

/// Bits a second: `0 bit/s`, `940 kbit/s`, `1.2 Gbit/s`.
pub(crate) fn bits(bps: u64) -> String {
    scaled(bps, ["bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s"])
}

/// Bytes copied: `1.2 GB`.
pub(crate) fn volume(bytes: u64) -> String {
    scaled(bytes, ["B", "kB", "MB", "GB", "TB"])
}

/// In steps of a thousand, with one decimal below ten.
fn scaled(n: u64, units: [&str; 5]) -> String {
    let mut divisor = 1_u64;
    let mut place = 0;
    while n / divisor >= 1_000 && place + 1 < units.len() {
        divisor *= 1_000;
        place += 1;
    }
    let (whole, tenth) = (n / divisor, n % divisor * 10 / divisor);
    let unit = units[place];
    if place > 0 && whole < 10 { format!("{whole}.{tenth} {unit}") } else { format!("{whole} {unit}") }
}

/// What the page has seen of each mirror's rate.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen(BTreeMap<MirrorId, Vec<(Timestamp, u64)>>);

impl Seen {
    /// A rate as it was counted at a time; the same count twice is one value.
    pub(crate) fn push(&mut self, mirror: MirrorId, at: Timestamp, bps: u64) {
        let values = self.0.entry(mirror).or_default();
        if values.last().is_none_or(|(last, _)| *last < at) {
            values.push((at, bps));
        }
        if values.len() > SEEN_MAX {
            values.remove(0);
        }
    }

    pub(crate) fn of(&self, mirror: MirrorId) -> &[(Timestamp, u64)] {
        self.0.get(&mirror).map_or(&[], Vec::as_slice)
    }

    /// A line across a box, its highest value at the top; nothing below two values.
    pub(crate) fn line(&self, mirror: MirrorId, width: i64, height: i64) -> String {
        let values = self.of(mirror);
        let (Some((from, _)), Some((until, _)), true) = (values.first(), values.last(), values.len() > 1) else {
            return String::new();
        };
        let span = until.ms_since(*from).max(1);
        let most = u128::from(values.iter().map(|(_, bps)| *bps).max().unwrap_or(1).max(1));
        let mut line = String::new();
        for (at, bps) in values {
            let x = at.ms_since(*from) * width / span;
            let above = u128::from(*bps) * u128::from(height.unsigned_abs()) / most;
            let y = height - i64::try_from(above).unwrap_or(height);
            let sign = if line.is_empty() { 'M' } else { 'L' };
            let drawn = write!(line, "{sign}{x} {y}");
            debug_assert!(drawn.is_ok());
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mirror::sample::at;
    use proptest::prelude::*;

    #[test]
    fn rates_have_a_unit_people_know() {
        let say = [0, 999, 1_000, 9_940, 94_000, 940_000_000, 2_300_000_000].map(bits);
        assert_eq!(say, ["0 bit/s", "999 bit/s", "1.0 kbit/s", "9.9 kbit/s", "94 kbit/s", "940 Mbit/s", "2.3 Gbit/s"]);
        assert_eq!(volume(1_234_567), "1.2 MB");
    }

    #[test]
    fn a_line_goes_through_what_was_seen() {
        let mut seen = Seen::default();
        let id = MirrorId(1);
        seen.push(id, at(0), 0);
        assert_eq!(seen.line(id, 100, 20), "");
        seen.push(id, at(1), 500);
        seen.push(id, at(1), 900);
        seen.push(id, at(2), 1_000);
        assert_eq!(seen.line(id, 100, 20), "M0 20L50 10L100 0");
    }

    proptest! {
        #[test]
        fn any_rate_is_said_and_drawn(rates in proptest::collection::vec(any::<u64>(), 0..400)) {
            let mut seen = Seen::default();
            for (n, bps) in rates.iter().enumerate() {
                bits(*bps);
                seen.push(MirrorId(1), at(n as i64), *bps);
            }
            seen.line(MirrorId(1), 100, 20);
            prop_assert!(seen.of(MirrorId(1)).len() <= SEEN_MAX);
        }
    }
}
