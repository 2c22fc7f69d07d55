//! The shell of Tocsin: it accepts, persists, asks the engine, persists the answer, and only then acts.

pub mod auth;
pub mod channels;
pub mod clock;
pub mod entropy;
pub mod outbound;
