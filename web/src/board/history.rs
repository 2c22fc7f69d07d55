//! Openings per minute of the last hour, from the rows at hand: the heading's small curve.

use shared::Timestamp;

pub(crate) const MINUTES: usize = 60;

/// One number a minute, oldest first.
pub(crate) fn openings(opened: impl Iterator<Item = Timestamp>, now: Timestamp) -> [u32; MINUTES] {
    let mut minutes = [0; MINUTES];
    for at in opened {
        let ago = now.ms_since(at).max(0) / 60_000;
        if let Ok(ago) = usize::try_from(ago)
            && ago < MINUTES
        {
            minutes[MINUTES - 1 - ago] += 1;
        }
    }
    minutes
}

/// The curve as an SVG path in a box of 160 × 28.
pub(crate) fn curve(minutes: &[u32; MINUTES]) -> String {
    // Three-minute steps: single minutes are noise at this size.
    let steps: Vec<u32> = minutes.chunks(3).map(|chunk| chunk.iter().sum()).collect();
    let top = steps.iter().copied().max().unwrap_or(0).max(1);
    let mut path = String::new();
    for (index, step) in steps.iter().enumerate() {
        let x = index * 160 / (steps.len().max(2) - 1);
        let y = 26 - step * 24 / top;
        path.push_str(if index == 0 { "M" } else { "L" });
        path.push_str(&format!("{x} {y}"));
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_opening_falls_into_its_minute() {
        let now = Timestamp::from_ms(7_200_000);
        let minutes = openings([now, now.plus_ms(-61_000), now.plus_ms(-3_600_001)].into_iter(), now);
        assert_eq!(minutes[59], 1);
        assert_eq!(minutes[58], 1);
        assert_eq!(minutes.iter().sum::<u32>(), 2, "older than an hour is not shown");
    }

    #[test]
    fn the_curve_stays_in_its_box() {
        let path = curve(&[1_000_000; MINUTES]);
        assert!(path.starts_with("M0 2") && path.ends_with("160 2"), "{path}");
    }
}
