//! The language of Tocsin: its nouns, its configuration document, and its wire protocol, each declared once.
//!
//! Server, web and tests speak these types and no others. Nothing here performs I/O, reads a clock or
//! depends on another crate of ours; everything builds for wasm32.

pub mod agent;
pub mod alert;
pub mod api;
pub mod attempt;
pub mod config;
pub mod few;
pub mod heartbeat;
pub mod host;
pub mod id;
pub mod incident;
pub mod inventory;
pub mod live;
pub mod mirror;
pub mod net;
pub mod notice;
pub mod noun;
pub mod pairs;
pub mod placement;
pub mod problem;
pub mod proof;
pub mod severity;
pub mod silence;
pub mod snippets;
pub mod storm;
pub mod string;
pub mod text;
pub mod time;
pub mod timeline;

pub use alert::{Action, Alert, AlertEvent, AlertState, Flag, Format, Metric};
pub use attempt::{Attempt, AttemptState, Bundling, Failure, Fault, Throttle, ThrottledBy};
pub use few::Few;
pub use heartbeat::{
    Counted, CountedBecause, Down, DownBecause, HeartbeatState, Mark, MarkKind, Pulse, Rhythm, Signal,
};
pub use id::{
    AlertId, AttemptId, BackendId, CalendarId, ClassId, CollectorId, ContactId, EventId, HeartbeatId, HookId,
    HostGroupId, IncidentId, InhibitionId, IntegrationId, LayerId, MirrorId, PageId, PersonId, PolicyId, RouteId,
    ScheduleId, SilenceId, SourceId, TeamId, TemplateId, ThresholdId, WindowId,
};
pub use incident::{
    Ack, Again, Escalation, EscalationState, Everyone, Flapping, Grouping, Incident, IncidentState, OnCall, Page,
    PageVia, Recipient, Stale, Waits, WaitsFor,
};
pub use notice::{Digest, Named, Notice, NoticeAbout, Stint, Untold};
pub use noun::{Noun, NounKind, Piece};
pub use pairs::Pairs;
pub use proof::{DeliveryReceipt, Proof};
pub use severity::Severity;
pub use silence::{Silence, SilenceEnd, SilenceKind, SilenceRequest, SuppressedBy};
pub use storm::{Storm, StormDeliveries, StormOutcomes};
pub use string::SharedStr;
pub use thin_vec::{ThinVec, thin_vec};
pub use time::{Delay, Timestamp};
