//! Ending every mirror of a backend at once, asked once with what that does.

use super::offline;
use crate::{
    api::{self, query},
    components::modal::modal,
    state::App,
    text::{frame, mirrors as t},
};
use leptos::{prelude::*, task::spawn_local};
use shared::{
    BackendId,
    api::{BackendRow, PanicStopped},
};

/// Opens the question.
#[derive(Clone, Copy)]
pub(super) struct Panic {
    app: App,
    about: RwSignal<Option<(BackendId, String, usize)>>,
    open: RwSignal<bool>,
    done: Callback<()>,
}

impl Panic {
    pub(super) fn new(app: App, done: Callback<()>) -> Self {
        Self { app, about: RwSignal::new(None), open: RwSignal::new(false), done }
    }

    /// `running`: how many of ours may be there.
    pub(super) fn ask(self, backend: &BackendRow, running: usize) {
        self.about.set(Some((backend.id.clone(), super::others::name(backend), running)));
        self.open.set(true);
    }

    fn go(self) {
        let Some((id, ..)) = self.about.get_untracked() else { return };
        let (app, l) = (self.app, self.app.l());
        self.open.set(false);
        spawn_local(async move {
            let path = format!("/api/v1/mirrors/switches/{}/panic", query::encoded(id.as_str()));
            match api::post::<PanicStopped>(&path, &()).await {
                Ok(stopped) => app.toasts.good(t::panicked(l, stopped.removed.len()), None),
                Err(error) => app.toasts.bad(error.sentence(l)),
            }
            self.done.try_run(());
        });
    }
}

pub(super) fn dialog(panic: Panic) -> AnyView {
    let app = panic.app;
    let l = app.l();
    let title =
        move || panic.about.with(|it| it.as_ref().map(|(_, name, _)| t::panic_title(l, name)).unwrap_or_default());
    let content = move || {
        let running = panic.about.with_untracked(|it| it.as_ref().map_or(0, |(.., running)| *running));
        view! {
            <div class="stack">
                <p>{t::panic_lead(l)}</p>
                <p><strong>{t::panic_running(l, running)}</strong></p>
                <div class="form-end">
                    <button type="button" class="btn" autofocus on:click=move |_| panic.open.set(false)>{frame::cancel(l)}</button>
                    <button type="button" class="btn danger" data-testid="panic-do" disabled=move || offline(app)
                        on:click=move |_| panic.go()>{t::panic_do(l)}</button>
                </div>
            </div>
        }
        .into_any()
    };
    modal(panic.open, "narrow", title, content)
}
