//! How bad it is: P0 (wake everybody) to P6 (a note).

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{fmt, str::FromStr};

/// Severity, most urgent first, so that `P0 < P1` sorts a board correctly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    P0,
    P1,
    P2,
    P3,
    P4,
    P5,
    P6,
}

impl Severity {
    /// All levels, most urgent first.
    pub const ALL: [Self; 7] = [Self::P0, Self::P1, Self::P2, Self::P3, Self::P4, Self::P5, Self::P6];

    /// 0 for P0 to 6 for P6.
    #[must_use]
    pub const fn rank(self) -> u8 {
        self as u8
    }

    /// The level of that rank; ranks above 6 are P6.
    #[must_use]
    pub fn from_rank(rank: u64) -> Self {
        usize::try_from(rank).ok().and_then(|rank| Self::ALL.get(rank)).copied().unwrap_or(Self::P6)
    }

    /// `P0`, as people write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::P0 => "P0",
            Self::P1 => "P1",
            Self::P2 => "P2",
            Self::P3 => "P3",
            Self::P4 => "P4",
            Self::P5 => "P5",
            Self::P6 => "P6",
        }
    }

    /// Whether this is P0 or P1: never left silent after the last escalation level.
    #[must_use]
    pub fn is_urgent(self) -> bool {
        self <= Self::P1
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Severity {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|level| level.as_str().eq_ignore_ascii_case(text.trim()))
            .ok_or_else(|| format!("`{text}` is not a severity; use P0 to P6"))
    }
}

impl Serialize for Severity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Severity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Severity {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Severity".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "enum": Self::ALL.map(Self::as_str) })
    }
}
