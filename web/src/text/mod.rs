//! Every sentence of the browser's pages, in English and Simplified Chinese; a missing one does not compile.

pub(crate) mod analytics;
pub(crate) mod board;
pub(crate) mod calendar;
pub(crate) mod charts;
pub(crate) mod first_run;
pub(crate) mod frame;
pub(crate) mod heartbeats;
pub(crate) mod host_rules;
pub(crate) mod hosts;
pub(crate) mod imported;
pub(crate) mod incident;
pub(crate) mod machines;
pub(crate) mod mirror_wizard;
pub(crate) mod mirrors;
pub(crate) mod oncall;
pub(crate) mod policies;
pub(crate) mod routes;
pub(crate) mod rules;
pub(crate) mod senders;
pub(crate) mod settings;
pub(crate) mod silences;
pub(crate) mod status;
pub(crate) mod versions;
pub(crate) mod why_not;
pub(crate) mod words;
