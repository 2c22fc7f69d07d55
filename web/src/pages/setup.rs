//! The first run: makes the administrator with the one-time code from the server's log.

use super::signin::{Door, problem};
use crate::{
    api::{self, ApiError},
    components::{field::Field, page::name_page},
    state::App,
    text::frame as t,
};
use leptos::{prelude::*, task::spawn_local};
use leptos_router::hooks::use_query_map;
use shared::api::{SessionInfo, SetupRequest, SetupState};

pub(crate) fn page() -> impl IntoView {
    let app = App::here();
    let l = app.l();
    name_page(&t::setup(l));
    let fresh = || RwSignal::new(String::new());
    let code = RwSignal::new(use_query_map().get_untracked().get("code").unwrap_or_default());
    let (login, name, password) = (fresh(), fresh(), fresh());
    let error = RwSignal::new(None::<ApiError>);
    let busy = RwSignal::new(false);
    let needed = RwSignal::new(true);
    spawn_local(async move {
        if let Ok(state) = api::get::<SetupState>("/api/v1/setup").await {
            needed.set(state.needed);
        }
    });
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        let request = SetupRequest {
            code: code.get_untracked(),
            login: login.get_untracked(),
            name: name.get_untracked(),
            password: password.get_untracked(),
        };
        spawn_local(async move {
            match api::post::<SessionInfo>("/api/v1/setup", &request).await {
                Ok(info) => app.signed_in(info),
                Err(failed) => error.set(Some(failed)),
            }
            busy.try_set(false);
        });
    };
    let form = move || {
        view! {
            <form on:submit=submit>
                {Field::text("setup-code", t::setup_code(l), code).view()}
                {Field { autocomplete: "name", ..Field::text("setup-name", t::setup_name(l), name) }.view()}
                {Field { autocomplete: "username", ..Field::text("setup-login", t::login(l), login) }.view()}
                {Field {
                    hint: t::setup_password_hint(l),
                    ..Field::password("setup-password", t::password(l), "new-password", password)
                }.view()}
                {move || error.get().map(|error| problem(app, &error))}
                <button class="btn primary wide tall" data-testid="setup-submit" disabled=move || busy.get()>
                    {t::setup_submit(l)}
                </button>
            </form>
        }
    };
    view! {
        <Door lead=t::setup_lead(l)>
            <h2>{t::setup(l)}</h2>
            {move || if needed.get() {
                form().into_any()
            } else {
                view! { <p class="notice">{t::setup_done(l)} " " <a href="/signin">{t::sign_in(l)}</a></p> }.into_any()
            }}
        </Door>
    }
}
