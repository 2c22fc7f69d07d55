//! How long to wait before the next try: doubling from half a second to half a minute, with full jitter.

const FIRST_MS: i64 = 500;
const LONGEST_MS: i64 = 30_000;

/// The wait before try number `attempt` (0-based); `random` is in 0..1.
pub(crate) fn wait_ms(attempt: u32, random: f64) -> i64 {
    let ceiling = FIRST_MS.saturating_mul(1_i64 << attempt.min(16)).min(LONGEST_MS);
    // Never less than a tenth, so that a whole browser park does not come back in the same millisecond.
    let least = ceiling / 10;
    least + (random.clamp(0.0, 1.0) * (ceiling - least) as f64) as i64
}

#[cfg(test)]
mod tests {
    use super::wait_ms;

    #[test]
    fn it_doubles_to_half_a_minute_and_stays() {
        assert_eq!(wait_ms(0, 1.0), 500);
        assert_eq!(wait_ms(1, 1.0), 1_000);
        assert_eq!(wait_ms(6, 1.0), 30_000);
        assert_eq!(wait_ms(u32::MAX, 1.0), 30_000);
    }

    #[test]
    fn jitter_covers_the_whole_range() {
        assert_eq!(wait_ms(6, 0.0), 3_000);
        assert!(wait_ms(6, 0.5) > 10_000 && wait_ms(6, 0.5) < 20_000);
    }
}
