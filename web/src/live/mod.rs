//! The live connection: a pure state machine, and the socket that feeds it.

pub(crate) mod backoff;
pub(crate) mod driver;
pub(crate) mod machine;
pub(crate) mod look;
mod read;
mod socket;
