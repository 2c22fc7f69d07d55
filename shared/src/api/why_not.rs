//! Why somebody was not paged at a moment of the past.

use super::{EventRow, IncidentRow, account::wire};
use crate::{AttemptState, PersonId, Piece, PolicyId, ScheduleId, Timestamp};
use serde::{Deserialize, Serialize};

wire! {
    /// What was going on around a moment, and why it rang for a person or did not.
    struct WhyNot {
        person: PersonId,
        name: String,
        at: Timestamp,
        /// Before and after the moment, as asked.
        from: Timestamp,
        until: Timestamp,
        /// The schedules they take part in.
        duties: Vec<DutyThen>,
        /// Incidents in which something happened then, newest first.
        incidents: Vec<WhyNotIncident>,
        /// Messages of that time of which a part went to no incident, newest first.
        messages: Vec<EventRow>,
        /// There were more incidents or messages than are told.
        more: bool,
    }

    /// Whether somebody was on call then.
    struct DutyThen {
        schedule: ScheduleId,
        name: String,
        on_call: bool,
        /// The names of everybody else who was.
        others: Vec<String>,
    }

    /// One incident, and what it meant to the person.
    struct WhyNotIncident {
        row: IncidentRow,
        /// The pages they were sent, at whatever time.
        pages: Vec<PageThen>,
        /// Why there is none, in the reader's language; none when there is one.
        reason: Option<String>,
        /// The reason in pieces, each thing it names with the version that was used.
        #[serde(default)]
        pieces: Vec<Piece>,
    }

    /// A page somebody was sent.
    struct PageThen {
        at: Timestamp,
        policy: PolicyId,
        /// The version of the policy, where it is known.
        #[serde(default)]
        config: Option<i64>,
        /// Counted from 1.
        level: u32,
        /// How far its best delivery came; none when it planned none.
        state: Option<AttemptState>,
        /// When that delivery was taken, or given up.
        done_at: Option<Timestamp>,
    }
}
