//! Ending a silence, asked once.

use super::{Desk, words};
use crate::{
    api,
    components::modal::modal,
    text::{frame, silences as t},
};
use leptos::{prelude::*, task::spawn_local};
use shared::Silence;

/// Opens the question.
#[derive(Clone, Copy)]
pub(super) struct Ender {
    about: RwSignal<Option<Silence>>,
    open: RwSignal<bool>,
    done: Callback<()>,
}

impl Ender {
    pub(super) fn new(done: Callback<()>) -> Self {
        Self { about: RwSignal::new(None), open: RwSignal::new(false), done }
    }

    pub(super) fn ask(self, silence: Silence) {
        self.about.set(Some(silence));
        self.open.set(true);
    }
}

pub(super) fn dialog(desk: Desk) -> AnyView {
    let (app, ender) = (desk.app, desk.ender);
    let l = app.l();
    let name = move || ender.about.with(|about| about.as_ref().map(|about| words::name(l, about)).unwrap_or_default());
    let go = move |_| {
        let Some(id) = ender.about.with_untracked(|about| about.as_ref().map(|about| about.id)) else { return };
        let done = t::ended_now(l, &name());
        ender.open.set(false);
        spawn_local(async move {
            match api::post::<Silence>(&format!("/api/v1/silences/{id}/end"), &()).await {
                Ok(_) => app.toasts.good(done, None),
                Err(error) => app.toasts.bad(error.sentence(l)),
            }
            ender.done.try_run(());
        });
    };
    let content = move || {
        view! {
            <div class="stack">
                <p>{t::end_lead(l)}</p>
                <div class="form-end">
                    <button type="button" class="btn" on:click=move |_| ender.open.set(false)>{frame::cancel(l)}</button>
                    <button type="button" class="btn danger" autofocus data-testid="silence-end" on:click=go>{t::end_now(l)}</button>
                </div>
            </div>
        }
        .into_any()
    };
    modal(ender.open, "narrow", move || t::end_title(l, &name()), content)
}
