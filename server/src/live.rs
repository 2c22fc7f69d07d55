//! What browsers see without asking again: the board in memory, numbered deltas, and one socket a browser.

mod board;
mod counts;
mod feed;
mod socket;

pub use board::{Board, BoardFilter, Since};
pub use feed::publish;
pub use socket::socket;
