//! The pieces pages are made of, one a file.

pub(crate) mod badge;
pub(crate) mod copy;
pub(crate) mod field;
pub(crate) mod icon;
pub(crate) mod key;
pub(crate) mod keyed;
pub(crate) mod marked;
pub(crate) mod modal;
pub(crate) mod more;
pub(crate) mod nouns;
pub(crate) mod page;
pub(crate) mod painted;
pub(crate) mod state_word;
pub(crate) mod states;
pub(crate) mod time;
pub(crate) mod toasts;
