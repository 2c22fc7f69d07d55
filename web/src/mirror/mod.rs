//! What the screens of port mirrors compute without a browser: how each stands, what may be done about it, and pictures
//! of it as data.

pub(crate) mod draft;
pub(crate) mod findings;
pub(crate) mod guide;
pub(crate) mod path;
pub(crate) mod picture;
pub(crate) mod rate;
#[cfg(test)]
pub(crate) mod sample;
pub(crate) mod standing;
