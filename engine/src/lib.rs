//! The pure core of Tocsin: every decision, as a function of its input and the given time.
//!
//! No clock, no randomness, no I/O, no threads: the same events give the same effects, byte for byte.

pub mod classify;
pub mod matcher;
pub mod normalize;
pub mod oncall;
pub mod route;
