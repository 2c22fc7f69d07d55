//! Acts of the command line, for the record.

use crate::{clock, db::AuditEntry};

/// Whoever may run this program on the server's data is named so.
pub(super) const BY: &str = "cli";

pub(super) fn entry(action: &str, object: &str, detail: impl Into<String>) -> AuditEntry {
    AuditEntry {
        at: clock::now(),
        actor: BY.to_owned(),
        action: action.to_owned(),
        object: object.to_owned(),
        detail: detail.into(),
        outcome: "ok".to_owned(),
    }
}
