//! Instants and delays as plain numbers, so that every decision can take `now` as an argument.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;

/// An instant: milliseconds since 1970-01-01T00:00:00Z. Stored as BIGINT, sent as a JSON number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// The instant `delay` later; saturates instead of wrapping.
    #[must_use]
    pub const fn after(self, delay: Delay) -> Self {
        Self(self.0.saturating_add(delay.0))
    }

    /// The instant `ms` milliseconds later (earlier when negative).
    #[must_use]
    pub const fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// How long after `earlier` this is, in milliseconds; negative when it is before.
    #[must_use]
    pub const fn ms_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// A length of time in milliseconds, written in configuration as `90s`, `5m`, `1h30m` or `7d`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(with = "String"))]
pub struct Delay(pub i64);

impl Delay {
    /// No delay at all.
    pub const ZERO: Self = Self(0);

    /// `n` seconds.
    #[must_use]
    pub const fn secs(n: i64) -> Self {
        Self(n * 1_000)
    }

    /// `n` minutes.
    #[must_use]
    pub const fn mins(n: i64) -> Self {
        Self(n * 60_000)
    }

    /// Reads `250ms`, `90s`, `5m`, `1h30m`, `7d` or `0`; the error says what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let bad =
            |why: &str| format!("`{text}` is not a length of time ({why}); write for example 30s, 5m, 1h30m or 7d");
        let text_trimmed = text.trim();
        if text_trimmed == "0" {
            return Ok(Self::ZERO);
        }
        let mut rest = text_trimmed;
        let mut total: i64 = 0;
        if rest.is_empty() {
            return Err(bad("it is empty"));
        }
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            let (number, tail) = rest.split_at(digits);
            let number: i64 = number.parse().map_err(|_| bad("a number is missing or too large"))?;
            let unit_len = tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len());
            let (unit, tail) = tail.split_at(unit_len);
            let scale = match unit {
                "ms" => 1,
                "s" => 1_000,
                "m" => 60_000,
                "h" => 3_600_000,
                "d" => 86_400_000,
                "w" => 604_800_000,
                "" => return Err(bad("a unit is missing")),
                _ => return Err(bad("units are ms, s, m, h, d and w")),
            };
            total =
                number.checked_mul(scale).and_then(|ms| total.checked_add(ms)).ok_or_else(|| bad("it is too long"))?;
            rest = tail;
        }
        Ok(Self(total))
    }
}

impl fmt::Display for Delay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut ms = self.0;
        if ms == 0 {
            return f.write_str("0s");
        }
        for (scale, unit) in
            [(604_800_000, "w"), (86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s"), (1, "ms")]
        {
            if ms >= scale {
                write!(f, "{}{unit}", ms / scale)?;
                ms %= scale;
            }
        }
        Ok(())
    }
}

impl Serialize for Delay {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Delay {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::Delay;

    #[test]
    fn a_delay_prints_as_it_is_read() {
        for text in ["0s", "250ms", "30s", "5m", "1h30m", "1w2d"] {
            assert_eq!(Delay::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_bad_delay_names_the_mend() {
        for text in ["", "5", "m", "5x", "-5m", "99999999999999999999s"] {
            let error = Delay::parse(text).unwrap_err();
            assert!(error.contains("30s"), "{error}");
        }
    }
}
