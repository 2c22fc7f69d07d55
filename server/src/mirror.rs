//! Port mirrors on real switches: carries out what the engine decides, and compares what is with what should be.

mod driver;

pub use driver::{Driver, Order, Outcome, Picked, Quiet, Removed};
