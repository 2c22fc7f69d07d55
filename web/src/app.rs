//! The root: one context, one router, and whichever of sign-in, set-up and the frame is due.

use crate::{
    api::{self, ApiError},
    browser::worker,
    components::{states, toasts},
    frame,
    live::{driver, machine::Connection},
    pages::{
        self,
        later::{self, Module},
    },
    state::{App, Session, snapshot},
};
use leptos::{mount::mount_to_body, prelude::*, task::spawn_local};
use leptos_router::{components::Router, hooks::use_location};
use shared::api::SessionInfo;
use std::time::Duration;

const ASK_AGAIN: Duration = Duration::from_secs(5);

pub(crate) fn mount() {
    // What the server painted before we ran has served its purpose.
    if let Some(body) = document().body() {
        body.set_text_content(None);
    }
    mount_to_body(Root);
}

#[component]
fn Root() -> impl IntoView {
    let app = App::new();
    provide_context(app);
    app.prefs.apply();
    app.start_clock();
    app.follow_hand_offs();
    driver::watch();
    fetch_the_rest(app);
    ask_session(app);
    view! {
        <Router>
            // Texts are drawn for one language; another one draws everything anew.
            {move || {
                app.prefs.language.track();
                view! { <Gate/> }
            }}
            {toasts::toasts(app)}
        </Router>
    }
}

/// Which of the three: decided by the session, not by the address.
#[component]
fn Gate() -> impl IntoView {
    let app = App::here();
    let path = use_location().pathname;
    let stage = Memo::new(move |_| {
        app.session.with(|session| match session {
            Session::Unknown => 0,
            Session::Out if path.get() == "/setup" => 1,
            Session::Out => 2,
            Session::In(_) => 3,
        })
    });
    move || match stage.get() {
        0 => states::splash(app).into_any(),
        1 => later::page(later::Part::Setup),
        2 => pages::signin::page().into_any(),
        _ => frame::frame().into_any(),
    }
}

/// What was asked for goes first: the other pages, and the worker that keeps them all, come once it is shown.
fn fetch_the_rest(app: App) {
    let is_shown = Memo::new(move |_| {
        app.session.with(|session| match session {
            Session::Unknown => false,
            Session::Out => true,
            Session::In(_) => app.connection.get() == Connection::Live,
        })
    });
    Effect::new(move || {
        if is_shown.get() {
            spawn_local(async move {
                Module::Incident.fetch(app).await;
                Module::Pages.fetch(app).await;
                Module::Hosts.fetch(app).await;
                worker::register();
                if matches!(app.session.get_untracked(), Session::In(_)) {
                    later::begun(app).await;
                }
            });
        }
    });
}

/// Asks who is signed in; without a server, the last board this browser saw is shown instead.
fn ask_session(app: App) {
    spawn_local(async move {
        match api::get::<SessionInfo>("/api/v1/session").await {
            Ok(info) => app.signed_in(info),
            Err(ApiError::Unreachable) => match snapshot::restore_offline(app) {
                Some(info) => app.signed_in(info),
                None => {
                    app.connection.set(Connection::Offline { since: 0 });
                    set_timeout(move || ask_session(app), ASK_AGAIN);
                }
            },
            Err(_) => app.session.set(Session::Out),
        }
    });
}
