//! What an operator sets: the process's own settings, and the one document about people, schedules and routes.
//!
//! Settings come from flags, then `TOCSIN_*` variables, then defaults; no other module reads the environment.
//! The document is TOML text in the store: it is read, checked, compared and changed here, and stored by `db`.

mod check;
mod edit;
mod parse;
mod plan;
mod secrets;
mod settings;

pub use check::{Checked, Refused, check, check_document, report};
pub use edit::{EditError, replace_person};
pub use parse::{parse, read, to_toml};
pub use plan::plan;
pub use secrets::{KEPT, hide, restore, restore_person, without_secrets};
pub use settings::{LogFormat, Serve, Storage, fallback_url};

/// Every key with its default, as documentation.
pub const DEFAULTS: &str = include_str!("../config.default.toml");
