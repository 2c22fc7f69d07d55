//! The live connection: a pure state machine, and the socket that feeds it.

pub(crate) mod backoff;
pub(crate) mod driver;
pub(crate) mod look;
pub(crate) mod machine;
mod read;
mod socket;
