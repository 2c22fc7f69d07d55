//! An incident's state in a word with its mark; a ring while an action is on its way.

use crate::text::{board as t, words};
use leptos::prelude::*;
use shared::{IncidentState, config::Language};

pub(crate) const fn class(state: IncidentState) -> &'static str {
    match state {
        IncidentState::Triggered => "triggered",
        IncidentState::Acked => "acked",
        IncidentState::Snoozed => "snoozed",
        IncidentState::Resolved => "resolved",
    }
}

pub(crate) fn state_word(l: Language, state: IncidentState, pending: bool) -> impl IntoView {
    let title = if pending { t::sending(l) } else { String::new() };
    view! {
        <span class=format!("state {}{}", class(state), if pending { " pending" } else { "" }) title=title>
            <i aria-hidden="true"></i>
            {words::state(l, state)}
        </span>
    }
}
