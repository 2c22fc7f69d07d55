//! The check while one types: the engine in the browser looks at the whole document with the draft in it.

use super::draft::Draft;
use crate::{
    pages::rehearsal::{self, Arrival, Ask, Told},
    state::App,
};
use leptos::prelude::*;
use std::time::Duration;

/// So long after the last key is looked.
const SETTLE: Duration = Duration::from_millis(250);

/// Fetches the engine, and lets it look after every change.
pub(super) fn follow(app: App, draft: Draft) -> RwSignal<Arrival> {
    let arrival = RwSignal::new(Arrival::Awaited);
    rehearsal::fetch(arrival);
    Effect::new(move || {
        let edit = draft.edits.get();
        if arrival.get() != Arrival::Here {
            return;
        }
        if edit == 0 {
            look(app, draft);
            return;
        }
        let settled = move || {
            // Another key was pressed since, or the page was left.
            if draft.edits.try_get_untracked() == Some(edit) {
                look(app, draft);
            }
        };
        set_timeout(settled, SETTLE);
    });
    arrival
}

fn look(app: App, draft: Draft) {
    let ask = Ask::Review { document: draft.document(), routes: draft.routes(), at: app.now.get_untracked() };
    if let Some(Told::Reviewed(findings)) = rehearsal::ask(ask) {
        if draft.known_findings.with_value(Option::is_none) {
            draft.known_findings.set_value(Some(findings.clone()));
        }
        draft.findings.set(findings);
    }
    draft.reviews.update(|reviews| *reviews += 1);
}
