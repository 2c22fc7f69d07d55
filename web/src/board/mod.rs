//! The board without a browser: its rows, filters, order, groups and virtual window.

pub(crate) mod arrange;
pub(crate) mod filter;
pub(crate) mod history;
pub(crate) mod hold;
pub(crate) mod model;
pub(crate) mod window;

#[cfg(test)]
pub(crate) mod sample;
