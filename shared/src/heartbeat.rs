//! Heartbeats: what must be heard from again and again, and how each stands.

use crate::{HeartbeatId, Timestamp};
use serde::{Deserialize, Serialize};

/// What a sender says at the address of a heartbeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Signal {
    /// All is well.
    Beat,
    /// It ran, and something is wrong: nobody need wait for the deadline.
    Fail,
    /// It begins; the beat comes when it is done.
    Start,
    /// Only a note.
    Log,
}

/// Something on the strip of a heartbeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Mark {
    pub at: Timestamp,
    pub kind: MarkKind,
}

/// What a mark stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum MarkKind {
    Beat,
    Failed,
    Missed,
}

/// Since when a heartbeat is down, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Down {
    pub since: Timestamp,
    pub because: DownBecause,
}

/// Why a heartbeat is down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum DownBecause {
    /// Nothing came in time.
    Missed,
    /// The sender said so itself.
    Failed,
}

/// From when the time of a heartbeat counts, and why from then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Counted {
    pub from: Timestamp,
    pub because: CountedBecause,
}

/// Why the time of a heartbeat counts from an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum CountedBecause {
    /// A beat came.
    Beat,
    /// The server started: beats could not arrive while it was away.
    Restart,
    /// It was configured otherwise, or not paused any more.
    Configured,
}

/// When a sender was heard, by half hours of the week: what its silence is judged by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Rhythm {
    /// The newest week, counted from the one with the first of January 1970; weeks begin on Monday 00:00 UTC.
    pub week: i64,
    /// The week it was heard in first.
    pub first: i64,
    /// For each half hour of the week a bit a week, the lowest for `week`.
    #[serde(with = "hex")]
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub heard: Vec<u8>,
}

/// Bytes as two digits each: a list of numbers would be twice as long.
mod hex {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};
    use std::fmt::Write as _;

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = String::with_capacity(bytes.len() * 2);
        for byte in bytes {
            write!(text, "{byte:02x}").map_err(serde::ser::Error::custom)?;
        }
        serializer.serialize_str(&text)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        let pairs = text.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap_or_default());
        pairs.map(|pair| u8::from_str_radix(pair, 16).map_err(D::Error::custom)).collect()
    }
}

/// What is kept of a heartbeat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Pulse {
    pub heartbeat: HeartbeatId,
    /// The last beat; none while the first is awaited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_at: Option<Timestamp>,
    /// When it last said that it begins, unless a beat or a failure came since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// What was sent along with the last signal; cut.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted: Option<Counted>,
    /// It is down when nothing came until then; none while it is down, paused or awaits its first beat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub down: Option<Down>,
    /// Beats since it was configured first.
    #[serde(default)]
    pub beats: u64,
    /// The newest beats and misses, oldest first, at most [`MARKS_MAX`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub marks: Vec<Mark>,
    /// Of a sender: when it was heard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rhythm: Option<Box<Rhythm>>,
}

/// Marks kept of a heartbeat.
pub const MARKS_MAX: usize = 40;

/// How a heartbeat stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum HeartbeatState {
    /// Its first beat has not come; it pages nobody.
    Waiting,
    Up,
    /// The interval is over, the grace is not.
    Late,
    Down,
    /// The configuration says that silence is fine.
    Paused,
}

impl Pulse {
    /// Of a heartbeat that was never heard.
    #[must_use]
    pub const fn new(heartbeat: HeartbeatId) -> Self {
        Self {
            heartbeat,
            last_at: None,
            started_at: None,
            note: String::new(),
            counted: None,
            due: None,
            down: None,
            beats: 0,
            marks: Vec::new(),
            rhythm: None,
        }
    }

    /// How it stands at `now`, when its grace is this long and the configuration pauses it or not.
    #[must_use]
    pub fn state(&self, now: Timestamp, grace: crate::Delay, paused: bool) -> HeartbeatState {
        match self.due {
            _ if paused => HeartbeatState::Paused,
            _ if self.down.is_some() => HeartbeatState::Down,
            None => HeartbeatState::Waiting,
            Some(due) if now > due.plus_ms(-grace.0) => HeartbeatState::Late,
            Some(_) => HeartbeatState::Up,
        }
    }

    /// Adds to the strip.
    pub fn mark(&mut self, at: Timestamp, kind: MarkKind) {
        if self.marks.len() >= MARKS_MAX {
            self.marks.remove(0);
        }
        self.marks.push(Mark { at, kind });
    }
}
