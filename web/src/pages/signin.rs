//! Signing in: two fields that a password manager can fill, and an error that says what to do.

use crate::{
    api::{self, ApiError},
    components::{
        field::Field,
        icon::{Icon, icon},
        page::name_page,
    },
    frame::appearance,
    state::App,
    text::frame as t,
};
use leptos::{prelude::*, task::spawn_local};
use leptos_router::{
    NavigateOptions,
    hooks::{use_location, use_navigate, use_query_map},
};
use shared::api::{SessionInfo, SetupState, SignInRequest};

pub(crate) fn page() -> impl IntoView {
    let app = App::here();
    let l = app.l();
    name_page(&t::sign_in(l));
    go_to_own_address();
    let (login, password) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let error = RwSignal::new(None::<ApiError>);
    let busy = RwSignal::new(false);
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        spawn_local(async move {
            let request = SignInRequest { login: login.get_untracked(), password: password.get_untracked() };
            match api::post::<SessionInfo>("/api/v1/session", &request).await {
                Ok(info) => app.signed_in(info),
                Err(failed) => error.set(Some(failed)),
            }
            busy.try_set(false);
        });
    };
    view! {
        <Door lead=t::sign_in_lead(l)>
            <form on:submit=submit>
                {Field { autocomplete: "username", ..Field::text("signin-login", t::login(l), login) }.view()}
                {Field::password("signin-password", t::password(l), "current-password", password).view()}
                {move || error.get().map(|error| problem(app, &error))}
                <button class="btn primary wide tall" data-testid="signin-submit" disabled=move || busy.get()>
                    {move || if busy.get() { t::signing_in(l) } else { t::sign_in(l) }}
                </button>
            </form>
        </Door>
    }
}

/// What a signed-in person sees at the sign-in address for a blink: the page they came for.
pub(crate) fn done() -> impl IntoView {
    let next =
        use_query_map().get_untracked().get("next").filter(|next| next.starts_with('/') && !next.starts_with("//"));
    let navigate = use_navigate();
    request_animation_frame(move || {
        navigate(next.as_deref().unwrap_or("/"), NavigateOptions { replace: true, ..NavigateOptions::default() });
    });
}

/// To `/signin` (or to `/setup`, when there is nobody to sign in as), remembering the page that was asked for.
fn go_to_own_address() {
    let location = use_location();
    let navigate = use_navigate();
    let (path, search) = (location.pathname.get_untracked(), location.search.get_untracked());
    let replace = NavigateOptions { replace: true, ..NavigateOptions::default() };
    if path == "/signin" {
        // Asked for by its own address: an account can be made on the command line before there is an administrator.
        return;
    }
    let wanted = if search.is_empty() { path } else { format!("{path}?{search}") };
    let next = if wanted == "/" { "" } else { &wanted };
    navigate(&format!("/signin{}", api::query::build(&[("next", next)])), replace.clone());
    spawn_local(async move {
        if let Ok(SetupState { needed: true }) = api::get("/api/v1/setup").await {
            navigate("/setup", replace);
        }
    });
}

pub(super) fn problem(app: App, error: &ApiError) -> impl IntoView + use<> {
    let l = app.l();
    let field = error.field().map(|field| view! { <p class="muted">{t::field_at_fault(l, field)}</p> });
    view! {
        <div class="notice bad" role="alert">
            {icon(Icon::Warning)}
            <div><strong>{error.title(l)}</strong><p>{error.detail(l)}</p>{field}</div>
        </div>
    }
}

/// The frame of the two pages before signing in.
#[component]
pub(super) fn Door(lead: String, children: Children) -> impl IntoView {
    let app = App::here();
    view! {
        <main class="door" id="content">
            <div class="door-box">
                <h1 class="brand">{icon(Icon::Bell)} "Tocsin"</h1>
                <p class="lead">{lead}</p>
                {children()}
            </div>
            <div class="door-foot">{appearance(app)}</div>
        </main>
    }
}
