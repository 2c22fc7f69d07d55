//! The store: all SQL of the product, on SQLite or PostgreSQL, in functions that take and give our own types.
//!
//! Calls block. Times are arguments. Text may be anything, NUL included. A failed call stores nothing.

mod accounts;
mod analytics;
mod around;
mod audit;
mod broken;
mod calendars;
mod calm;
mod checkpoint;
mod commit;
mod config;
mod connection;
mod deliveries;
mod devices;
mod error;
mod events;
mod heartbeats;
mod hosts;
mod incidents;
mod inventory;
mod lock;
mod meta;
mod migrate;
mod mirrors;
mod mobile;
mod past;
mod places;
mod proof;
mod readers;
mod readiness;
mod restore;
mod schema;
mod sealed;
mod sessions;
mod setup;
mod shifts;
mod silences;
mod swaps;
mod text;
mod tokens;
mod turns;
mod url;

pub use accounts::{Account, AccountPatch};
pub use analytics::{Told, ToldCursor};
pub use audit::{AuditEntry, AuditVerdict};
pub use broken::Learned;
pub use calendars::CalendarState;
pub use checkpoint::Checkpoints;
pub use commit::{EXCERPT_CHARS, Message, Rows};
pub use config::StoredConfig;
pub use deliveries::{DELIVERIES_MAX, DeliveryQuery, Sent, SentPage};
pub use devices::{DEVICES_MOST, Death, Device, DeviceNote, NewDevice, Reach, device_key};
pub use error::{Refused, StoreError};
pub use events::{EventPage, EventQuery, LastHeard, REPLAYED};
pub use hosts::{HostPart, HostRecord};
pub use incidents::{IncidentPage, IncidentQuery, LIMIT_MAX};
pub use lock::{LockError, WriterLock};
pub use mobile::{DeviceSession, Kept, Repeat};
pub use proof::{ProofSpan, ProofVerdict};
pub use readers::Readers;
pub use sealed::{Swept, VAPID};
pub use sessions::{NewSession, Session};
pub use tokens::{NewToken, Token, TokenKind};
pub use url::DatabaseUrl;

/// One connection to the database.
pub struct Store {
    db: connection::Db,
    /// The keys that seal what is secret in it.
    keys: crate::seal::KeyFile,
    /// The revision of the engine's memory that this connection restored or wrote last, and the last numbers given in it.
    restored: Option<(i64, engine::Counters)>,
}
