//! The pure core of Tocsin: every decision, as a function of state, event and the given time.
//!
//! No clock, no randomness, no I/O, no threads: the same events give the same effects, byte for byte.
//! The path of an alert through the modules: [`normalize`] (bytes to events, at the edge), then
//! [`classify`], [`dedup`], [`correlate`], [`suppress`], [`route`], [`escalate`] and [`levels`], [`oncall`], [`notify`],
//! [`dispatch`]; [`Engine::handle`] strings them together.

pub mod analytics;
pub mod audit;
pub mod classify;
pub mod compile;
pub mod condition;
mod correlate;
mod deadline;
pub mod dedup;
mod dispatch;
mod engine;
mod escalate;
pub mod event;
pub mod field;
mod flap;
mod group;
mod index;
pub mod inhibit;
pub mod invariant;
mod levels;
pub mod lint;
pub mod matcher;
mod merge;
pub mod normalize;
mod notify;
pub mod oncall;
pub mod quiet;
mod repeats;
mod responders;
mod rise;
pub mod route;
pub mod scenario;
pub mod silence;
pub mod sim;
mod state;
mod suppress;
pub mod trial;
pub mod window;

pub use compile::Snapshot;
pub use correlate::MEMORY;
pub use engine::Engine;
pub use event::{Act, Changes, Command, Effects, Event, Ingested, Refusal, SilenceAct, Wake};
pub use state::{Accounts, Counters, LevelTurn, RECENT_MAX, Recent, Restored, State};
