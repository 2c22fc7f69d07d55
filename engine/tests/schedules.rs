//! What a schedule promises: who is on call, by which layer or override, and where nobody is.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

#[path = "oncall/elsewhere.rs"]
mod elsewhere;
#[path = "oncall/house.rs"]
mod house;
#[path = "oncall/imported.rs"]
mod imported;
#[path = "oncall/layers.rs"]
mod layers;
#[path = "oncall/overruled.rs"]
mod overruled;
#[path = "oncall/tiling.rs"]
mod tiling;
#[path = "oncall/wrong.rs"]
mod wrong;
