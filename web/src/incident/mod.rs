//! The incident page without a browser: its head, marked text, the swim-lane and the chain of reasons.

pub(crate) mod chain;
pub(crate) mod curl;
pub(crate) mod head;
pub(crate) mod lanes;
pub(crate) mod marks;
