//! A new password for somebody else's account.

use crate::{
    api::{self, ApiError, query},
    components::{field::Field, modal::modal},
    state::App,
    text::{frame, settings as t},
};
use leptos::{prelude::*, task::spawn_local};
use shared::api::{AccountChange, AccountRow};

/// Shown while an account is asked about.
pub(super) fn dialog(app: App, asked: RwSignal<Option<String>>) -> impl IntoView {
    let l = app.l();
    let open = RwSignal::new(false);
    Effect::new(move || {
        if asked.with(Option::is_some) {
            open.set(true);
        }
    });
    Effect::new(move || {
        if !open.get() {
            asked.set(None);
        }
    });
    let title = move || asked.with(|login| login.as_ref().map(|login| t::reset_of(l, login)).unwrap_or_default());
    modal(open, "narrow", title, move || form(app, open, asked.get_untracked().unwrap_or_default()))
}

fn form(app: App, open: RwSignal<bool>, login: String) -> AnyView {
    let l = app.l();
    let password = RwSignal::new(String::new());
    let error = RwSignal::new(None::<ApiError>);
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let path = format!("/api/v1/accounts/{}", query::encoded(&login));
        let change = AccountChange {
            name: None,
            role: None,
            person: None,
            disabled: None,
            password: Some(password.get_untracked()),
        };
        let login = login.clone();
        spawn_local(async move {
            match api::put::<AccountRow>(&path, &change).await {
                Ok(_) => {
                    app.toasts.good(t::reset_done(l, &login), None);
                    open.set(false);
                }
                Err(failed) => error.set(Some(failed)),
            }
        });
    };
    let hint = frame::setup_password_hint(l);
    view! {
        <form class="stack" on:submit=submit>
            {Field { hint, ..Field::password("reset-password", t::password_new(l), "new-password", password) }.view()}
            <div role="alert">{move || error.get().map(|error| super::person::problem(app, &error))}</div>
            <div class="form-end">
                <button type="button" class="btn" on:click=move |_| open.set(false)>{frame::cancel(l)}</button>
                <button class="btn primary">{t::reset(l)}</button>
            </div>
        </form>
    }
    .into_any()
}
