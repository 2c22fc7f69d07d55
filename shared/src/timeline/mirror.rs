//! What happens to a port mirror, as data: it stands in its incident's timeline and with the mirror itself.

use crate::{
    Timestamp,
    mirror::{MirrorEnd, Verified},
};
use serde::{Deserialize, Serialize};

/// Something that was done about a mirror, or seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum MirrorEvent {
    /// Somebody asked for it.
    Requested {
        /// The names of the machines, or VLANs.
        of: Vec<String>,
        /// Where the copies go.
        to: String,
        until: Timestamp,
        needs_approval: bool,
        /// The beginning of the plan's hash.
        plan: String,
        reason: String,
    },
    /// A second person agreed to the plan.
    Approved { plan: String },
    /// The plan is sent to the switch; not the first time where `tries` is more than 1.
    Sent { tries: u32 },
    /// It was read back as planned.
    Applied,
    /// Whether it copies is known now.
    Verified { how: Verified },
    /// Its source counts packets, or cannot tell, and nothing is copied: it is applied, and not verified.
    NotCopying,
    /// It copies nothing: its source is gone from the switch.
    Disarmed,
    /// It was changed by somebody else.
    Drifted { what: String },
    /// It is as planned again.
    Restored,
    /// It may last until then.
    Extended { until: Timestamp },
    /// The switch was not told of the new end yet.
    NotExtended { message: String },
    /// It is asked to end.
    Ending { why: MirrorEnd },
    /// It may still be in the switch; it is asked again and again.
    NotStopped { message: String, tries: u32 },
    /// It was read back as gone, having copied so much.
    Stopped { packets: u64, bytes: u64 },
    /// And nothing was counted any more after that.
    ProvedStopped,
    /// Copies were still counted after it was gone.
    StillCounted,
    /// The switch refused it, and has nothing of it.
    Refused { message: String },
    /// It was never sent.
    Dropped,
}
