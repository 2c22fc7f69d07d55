//! Hosts on screen, decided without a browser: which charts there are and of what, how the board is filtered and sorted,
//! and where the cells of a honeycomb lie.

pub(crate) mod asked;
pub(crate) mod board;
pub(crate) mod comb;
pub(crate) mod devices;
pub(crate) mod heard;
pub(crate) mod meaning;
pub(crate) mod plans;
pub(crate) mod range;

#[cfg(test)]
pub(crate) mod sample;
