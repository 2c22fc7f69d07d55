//! Identifiers: numbers for what happens, names for what is configured.

use crate::SharedStr;
use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! number {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

macro_rules! name {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(transparent)]
        pub struct $name(pub SharedStr);

        impl $name {
            /// The name as written in the configuration.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(name: &str) -> Self {
                Self(name.into())
            }
        }

        impl From<String> for $name {
            fn from(name: String) -> Self {
                Self(name.into())
            }
        }
    )*};
}

number! {
    /// One accepted request body on an ingest endpoint.
    EventId
    /// A deduplicated alert.
    AlertId
    /// What people work on.
    IncidentId
    /// A notification to one person (or webhook).
    PageId
    /// One delivery of a page to one contact; its tries share the id and so the idempotency key.
    AttemptId
    /// A silence or a maintenance.
    SilenceId
    /// A port mirror.
    MirrorId
}

name! {
    /// A configured sender.
    IntegrationId
    /// Something that must be heard from again and again.
    HeartbeatId
    /// Somebody who can be paged.
    PersonId
    /// A way to reach a person, named within that person.
    ContactId
    /// A group of people.
    TeamId
    /// Who is on call when.
    ScheduleId
    /// A layer of a schedule, named within it.
    LayerId
    /// A calendar of holidays.
    CalendarId
    /// An escalation policy.
    PolicyId
    /// A rule by which one alert keeps others quiet.
    InhibitionId
    /// A node of the routing tree.
    RouteId
    /// A configured outgoing webhook.
    HookId
    /// A named time window.
    WindowId
    /// A classification rule, named within its integration.
    ClassId
    /// What says which machines there are.
    SourceId
    /// What carries port mirrors out.
    BackendId
    /// Where the copies of a port mirror may go.
    CollectorId
    /// Hosts that are meant together.
    HostGroupId
    /// Rules that are bound to groups of hosts together.
    TemplateId
    /// A threshold rule, named within its template.
    ThresholdId
}
