//! A severity as a shape, a label and a colour; any one of the three is enough to tell it.

use leptos::prelude::*;
use shared::{Severity, config::Language};

const fn shape(severity: Severity) -> &'static str {
    match severity {
        Severity::P0 => "M6 0 11 3v6L6 12 1 9V3z",
        Severity::P1 => "M6 1 12 11H0z",
        Severity::P2 => "M6 0 12 6 6 12 0 6z",
        Severity::P3 => "M6 .5a5.500 5.500 0 1 0 .01 0z",
        _ => "M6 .5a5.500 5.500 0 1 0 .01 0zM6 3.500a2.500 2.500 0 1 1-.01 0z",
    }
}

/// The colour class: everything below P4 looks like P4.
pub(crate) const fn class(severity: Severity) -> &'static str {
    match severity {
        Severity::P0 => "p0",
        Severity::P1 => "p1",
        Severity::P2 => "p2",
        Severity::P3 => "p3",
        _ => "p4",
    }
}

pub(crate) fn badge(l: Language, severity: Severity) -> impl IntoView {
    view! {
        <span class=format!("badge {}", class(severity)) title=crate::text::words::severity(l, severity)>
            <svg viewBox="0 0 12 12" aria-hidden="true"><path d=shape(severity)></path></svg>
            {severity.as_str()}
        </span>
    }
}
