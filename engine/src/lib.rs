//! The pure core of Tocsin: every decision, as a function of state, event and the given time.
//!
//! No clock, no randomness, no I/O, no threads: the same events give the same effects, byte for byte.
//! The path of an alert through the modules: [`normalize`] (bytes to events, at the edge), then
//! [`classify`], [`dedup`], [`correlate`], [`suppress`], [`route`], [`escalate`] and [`levels`], [`oncall`], [`notify`],
//! [`dispatch`]; [`Engine::handle`] strings them together.

mod allowance;
pub mod analytics;
pub mod audit;
pub mod broken;
mod bundle;
pub mod classify;
pub mod compile;
pub mod condition;
mod copies;
mod correlate;
mod deadline;
pub mod dedup;
pub mod dense;
mod dispatch;
mod engine;
mod escalate;
pub mod event;
pub mod field;
mod flap;
mod group;
pub mod health;
pub mod heartbeat;
mod index;
pub mod inhibit;
mod intake;
pub mod invariant;
mod late;
mod levels;
pub mod lint;
pub mod matcher;
mod merge;
pub mod mirror;
mod names;
pub mod normalize;
mod notice;
mod notify;
pub mod oncall;
pub mod placement;
mod proof;
mod provider;
pub mod quiet;
pub mod readiness;
pub mod rehearsal;
mod repeats;
pub mod replay;
mod responders;
mod rise;
pub mod route;
pub mod scenario;
pub mod silence;
pub mod sim;
pub mod stage;
mod stale;
mod state;
mod storm;
mod suppress;
mod suspect;
pub mod threshold;
mod throttle;
pub mod trial;
pub mod window;

pub use compile::Snapshot;
pub use correlate::MEMORY;
pub use engine::Engine;
pub use event::{Act, Changes, Command, Effects, Event, Ingested, OwnMessage, Part, Refusal, SilenceAct, Tell, Wake};
pub use names::Names;
pub use state::{Accounts, Counters, LevelTurn, Placing, RECENT_MAX, Recent, Restored, State};
pub use storm::OPENINGS_MAX;
pub use suspect::Sought;
pub use throttle::{ContactSends, SendLog, Told};
