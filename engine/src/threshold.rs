//! Threshold rules: when a measured value becomes an alert, when it is told again, and when it is over.
//!
//! The conditions are Open-Falcon's (its `judge`, semantics.md 3.6), with a time to hold and a condition of its own for the
//! end besides. Nothing here reads a clock or keeps anything: who judges hands over the points, what was judged before,
//! and `now`.

mod bind;
mod compile;
mod expression;
mod judge;
mod points;

pub use bind::{Bound, Rules};
pub use expression::{Expression, Function, Made, Operator, Span};
pub use judge::{Forecast, Judged, OverBecause, Standing, forecast};
pub use points::Course;

/// What the identity of a threshold's alert begins with.
pub const KEY: &str = "threshold:";
/// What the identity of a silent host's alert begins with.
pub const SILENT_KEY: &str = "silent:";
/// The most points that a condition may look at.
pub const POINTS_MAX: u32 = 360;
/// The longest time that a condition may look back.
pub const LOOK_BACK_MAX_MS: i64 = 3_600_000;
