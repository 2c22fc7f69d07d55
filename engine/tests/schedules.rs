//! What a schedule promises: who is on call, by which layer or override, and where nobody is.

mod elsewhere;
mod house;
mod imported;
mod layers;
mod overruled;
mod tiling;
mod wrong;
