//! What the pages share: who is signed in, the clock, the board, the connection and short messages.

pub(crate) mod actions;
pub(crate) mod app;
pub(crate) mod board;
pub(crate) mod prefs;
pub(crate) mod remote;
pub(crate) mod snapshot;
pub(crate) mod toast;

pub(crate) use app::{App, Session};
pub(crate) use remote::{Load, Remote, Untyped, look_again};
