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
