//! What a correct document may still get wrong: above all, whether there is an instant at which a P0 reaches nobody.
//!
//! [`Snapshot::compile`] finds what cannot be read; this finds what would hurt at night. A document in
//! which a P0 can reach nobody is refused; everything else is a warning.

mod advice;
mod reach;
mod routes;

use crate::compile::Snapshot;
use shared::{Delay, Timestamp, config::Finding};

/// How far ahead shifts are looked at.
pub(crate) const AHEAD: Delay = Delay(8 * 7 * 86_400_000);

/// Looks at the coming eight weeks of a compiled document.
///
/// Shifts change only at their boundaries, so asking at each boundary is asking at every instant.
#[must_use]
pub fn lint(snapshot: &Snapshot, now: Timestamp) -> Vec<Finding> {
    let document = &snapshot.document;
    let untouched = document.integrations.is_empty()
        && document.routes.is_empty()
        && document.policies.is_empty()
        && document.people.is_empty();
    if untouched {
        // What a new server starts with; refusing it would refuse the first start.
        let message = "the document is empty, so no alert pages anybody; add people with contacts, a policy, and \
                       `fallback` for urgent alerts that no route matches";
        return vec![warning("people", message)];
    }
    let mut findings = reach::unreachable(snapshot, now);
    findings.extend(advice::advice(snapshot, now));
    findings.extend(routes::routes(snapshot, now));
    findings
}

fn warning(path: impl Into<String>, message: impl Into<String>) -> Finding {
    Finding { path: path.into(), message: message.into(), fatal: false }
}

fn fatal(path: impl Into<String>, message: impl Into<String>) -> Finding {
    Finding { path: path.into(), message: message.into(), fatal: true }
}
