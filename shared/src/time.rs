//! Instants and delays as plain numbers, so that every decision can take `now` as an argument.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{fmt, num::NonZeroU64};

/// Turns a signed number into an unsigned one of the same order.
const SIGN: u64 = 1 << 63;

/// An instant: milliseconds since 1970-01-01T00:00:00Z. Stored as BIGINT, sent as a JSON number.
// Kept so that one bit pattern is left over: an instant that may be absent takes eight bytes, and incidents have a dozen.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transparent))]
pub struct Timestamp(#[cfg_attr(feature = "schema", schemars(with = "i64"))] NonZeroU64);

impl Timestamp {
    /// The instant so many milliseconds after 1970-01-01T00:00:00Z; `i64::MIN` is taken for the one after it.
    #[must_use]
    pub const fn from_ms(ms: i64) -> Self {
        match NonZeroU64::new(ms.cast_unsigned() ^ SIGN) {
            Some(turned) => Self(turned),
            None => Self(NonZeroU64::MIN),
        }
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn ms(self) -> i64 {
        (self.0.get() ^ SIGN).cast_signed()
    }

    /// The instant `delay` later; saturates instead of wrapping.
    #[must_use]
    pub const fn after(self, delay: Delay) -> Self {
        self.plus_ms(delay.0)
    }

    /// The instant `ms` milliseconds later (earlier when negative).
    #[must_use]
    pub const fn plus_ms(self, ms: i64) -> Self {
        Self::from_ms(self.ms().saturating_add(ms))
    }

    /// How long after `earlier` this is, in milliseconds; negative when it is before.
    #[must_use]
    pub const fn ms_since(self, earlier: Self) -> i64 {
        self.ms().saturating_sub(earlier.ms())
    }
}

impl Default for Timestamp {
    fn default() -> Self {
        Self::from_ms(0)
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Timestamp").field(&self.ms()).finish()
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(self.ms())
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        i64::deserialize(deserializer).map(Self::from_ms)
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
    use super::{Delay, Timestamp};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_instant_is_its_number(one: i64, other: i64) {
            let (one, other) = (one.max(i64::MIN + 1), other.max(i64::MIN + 1));
            let (this, that) = (Timestamp::from_ms(one), Timestamp::from_ms(other));
            prop_assert_eq!((this.ms(), this.cmp(&that)), (one, one.cmp(&other)));
            let json = serde_json::to_string(&this).unwrap();
            prop_assert_eq!(serde_json::from_str::<Timestamp>(&json).unwrap(), this);
            prop_assert_eq!(json, one.to_string());
        }
    }

    #[test]
    fn an_instant_that_may_be_absent_takes_no_more_room() {
        assert_eq!(size_of::<Option<Timestamp>>(), 8);
        assert_eq!(Timestamp::from_ms(i64::MIN), Timestamp::from_ms(i64::MIN + 1));
        assert_eq!(format!("{:?}", Timestamp::default()), "Timestamp(0)");
        assert_eq!(Timestamp::from_ms(i64::MAX).plus_ms(1).ms(), i64::MAX);
    }

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
