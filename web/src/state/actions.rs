//! What people do to incidents: shown at once as pending, true when the server says so, undone aloud when not.

use super::{App, board::Pending};
use crate::{api, text::board as t};
use leptos::{prelude::*, task::spawn_local};
use shared::{IncidentId, IncidentState, api::ActionRequest, config::Language};

/// The last part of an action's path.
pub(crate) const ACK: &str = "ack";
pub(crate) const UNACK: &str = "unack";
pub(crate) const RESOLVE: &str = "resolve";
pub(crate) const SNOOZE: &str = "snooze";
pub(crate) const ESCALATE: &str = "escalate";
pub(crate) const REASSIGN: &str = "reassign";
pub(crate) const RESPONDERS: &str = "responders";
pub(crate) const APPLY_POLICY: &str = "apply-policy";
pub(crate) const NOTE: &str = "note";
pub(crate) const MERGE: &str = "merge";
pub(crate) const DETACH: &str = "detach";

pub(crate) fn verb_name(l: Language, verb: &str) -> String {
    match verb {
        ACK => t::ack(l),
        UNACK => t::unack(l),
        RESOLVE => t::resolve(l),
        SNOOZE => t::snooze(l),
        ESCALATE => t::escalate(l),
        REASSIGN => t::reassign(l),
        RESPONDERS => t::responders(l),
        APPLY_POLICY => t::apply_policy(l),
        MERGE => t::merge(l),
        DETACH => t::detach(l),
        _ => t::note(l),
    }
}

/// The state an action leads to, drawn while it is pending.
pub(crate) fn state_after(verb: &str, state: IncidentState) -> IncidentState {
    match verb {
        ACK => IncidentState::Acked,
        UNACK => IncidentState::Triggered,
        RESOLVE | MERGE => IncidentState::Resolved,
        SNOOZE => IncidentState::Snoozed,
        _ => state,
    }
}

/// Sends an action and tells how it went.
pub(crate) fn act(app: App, id: IncidentId, verb: &'static str, body: ActionRequest) {
    spawn_local(async move {
        let l = app.l();
        match send(app, id, verb, body).await {
            // Where everybody must answer, one answer does not stop it.
            Ok(()) if verb == ACK && app.board.row(id).is_some_and(|row| row.state == IncidentState::Triggered) => {
                app.toasts.good(t::done_answer(l, id.0), None);
            }
            Ok(()) => {
                let undo =
                    (verb == ACK).then(|| Callback::new(move |()| act(app, id, UNACK, ActionRequest::default())));
                app.toasts.good(done(l, id, verb), undo);
            }
            Err(why) => app.toasts.bad(t::not_done(l, id.0, &verb_name(l, verb), &why)),
        }
    });
}

/// The same without words, for many at once.
pub(crate) async fn send(app: App, id: IncidentId, verb: &'static str, body: ActionRequest) -> Result<(), String> {
    let cell = app.board.cell(id);
    if let Some(cell) = &cell {
        let since_version = cell.row.with_untracked(|row| row.version);
        cell.pending.set(Some(Pending { verb, since_version }));
    }
    let answer = api::send_action(id, verb, &body).await;
    if let Some(cell) = &cell {
        cell.pending.set(None);
    }
    match answer {
        Ok(row) => {
            app.board.answer(row);
            app.pulse.update(|pulse| {
                pulse.number += 1;
                pulse.incidents = vec![id];
            });
            Ok(())
        }
        Err(error) => {
            app.noticed(&error);
            Err(error.sentence(app.l()))
        }
    }
}

fn done(l: Language, id: IncidentId, verb: &str) -> String {
    match verb {
        ACK => t::done_ack(l, id.0),
        UNACK => t::done_unack(l, id.0),
        RESOLVE => t::done_resolve(l, id.0),
        SNOOZE => t::done_snooze(l, id.0),
        ESCALATE => t::done_escalate(l, id.0),
        REASSIGN => t::done_reassign(l, id.0),
        RESPONDERS => t::done_responders(l, id.0),
        APPLY_POLICY => t::done_apply_policy(l, id.0),
        MERGE => t::done_merge(l, id.0),
        DETACH => t::done_detach(l, id.0),
        _ => t::done_note(l, id.0),
    }
}
