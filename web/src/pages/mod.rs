//! One module a page.

pub(crate) mod analytics;
pub(crate) mod ask;
pub(crate) mod board;
pub(crate) mod calendar;
pub(crate) mod first_run;
pub(crate) mod heartbeats;
pub(crate) mod incident;
pub(crate) mod integrations;
pub(crate) mod later;
pub(crate) mod machines;
pub(crate) mod messages;
pub(crate) mod missing;
pub(crate) mod more;
pub(crate) mod oncall;
pub(crate) mod policies;
pub(crate) mod policy_editor;
pub(crate) mod rehearsal;
pub(crate) mod routes;
mod sections;
pub(crate) mod settings;
pub(crate) mod setup;
pub(crate) mod signin;
pub(crate) mod silences;
pub(crate) mod status;
mod storms;
pub(crate) mod versions;
pub(crate) mod why_not;
