//! The questions before an action: which level, until when, what note, and are these really all of them.

mod bulk;
mod forms;
mod merge;
mod people;

use crate::{
    components::modal::modal,
    pages::{incident::further::Part, later},
    state::{
        App,
        actions::{self, DETACH, ESCALATE, MERGE, NOTE, REASSIGN, RESPONDERS, SNOOZE},
    },
    text::board as t,
};
use leptos::prelude::*;
use shared::{AlertId, IncidentId, api::ActionRequest};

/// What is being asked.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Ask {
    pub(crate) verb: &'static str,
    pub(crate) ids: Vec<IncidentId>,
    /// One of its alerts, and what it says.
    pub(crate) alert: Option<(AlertId, String)>,
}

/// Opens the question; one of these stands on each page that acts.
#[derive(Clone, Copy)]
pub(crate) struct Asker {
    ask: RwSignal<Option<Ask>>,
    open: RwSignal<bool>,
    /// Called once an answer was carried out.
    done: Option<Callback<()>>,
}

impl Asker {
    pub(crate) fn new(done: Option<Callback<()>>) -> Self {
        Self { ask: RwSignal::new(None), open: RwSignal::new(false), done }
    }

    pub(crate) fn ask(self, verb: &'static str, ids: Vec<IncidentId>) {
        if !ids.is_empty() {
            self.ask.set(Some(Ask { verb, ids, alert: None }));
            self.open.set(true);
        }
    }

    pub(crate) fn ask_of_alert(self, verb: &'static str, id: IncidentId, alert: (AlertId, String)) {
        self.ask.set(Some(Ask { verb, ids: vec![id], alert: Some(alert) }));
        self.open.set(true);
    }

    fn finish(self) {
        self.open.set(false);
        if let Some(done) = self.done {
            // Nobody is left to be told when the page was left meanwhile.
            done.try_run(());
        }
    }

    /// Acts on each; one incident's answer is told as a message.
    fn carry_out(self, app: App, ask: &Ask, body: &ActionRequest) {
        for id in &ask.ids {
            actions::act(app, *id, ask.verb, body.clone());
        }
        self.finish();
    }
}

/// The dialog itself.
pub(crate) fn dialog(app: App, asker: Asker) -> impl IntoView {
    let l = app.l();
    let title = move || {
        asker.ask.with(|ask| {
            ask.as_ref().map_or_else(String::new, |ask| {
                let verb = actions::verb_name(l, ask.verb);
                match ask.ids.as_slice() {
                    [id] => format!("{verb} #{id}"),
                    ids => t::bulk_title(l, &verb, ids.len()),
                }
            })
        })
    };
    let content = move || match asker.ask.get_untracked() {
        Some(ask) => later::part(Part::Question(asker, StoredValue::new(ask))),
        None => ().into_any(),
    };
    modal(asker.open, "narrow", title, content)
}

/// What stands in the dialog.
pub(crate) fn question(app: App, asker: Asker, ask: Ask) -> AnyView {
    match ask.verb {
        SNOOZE => forms::snooze(app, asker, ask),
        ESCALATE => forms::escalate(app, asker, ask),
        REASSIGN => people::reassign(app, asker, ask),
        RESPONDERS => people::responders(app, asker, ask),
        NOTE => forms::note(app, asker, ask),
        MERGE => merge::merge(app, asker, ask),
        DETACH => merge::detach(app, asker, ask),
        _ => bulk::confirm(app, asker, ask, ActionRequest::default()),
    }
}
