//! The password, and where one is signed in.

use crate::{
    api::{self, ApiError},
    components::{field::Field, page::card, states::loaded},
    state::{App, Remote},
    text::{frame, settings as t},
};
use leptos::{prelude::*, task::spawn_local};
use shared::api::{List, PasswordRequest, SessionRow};

pub(super) fn part(app: App) -> AnyView {
    view! { <div class="grid-2">{password(app)}{sessions(app)}</div> }.into_any()
}

fn password(app: App) -> AnyView {
    let l = app.l();
    let (old, new) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let error = RwSignal::new(None::<ApiError>);
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        spawn_local(async move {
            let request = PasswordRequest { old: old.get_untracked(), new: new.get_untracked() };
            match api::put::<()>("/api/v1/me/password", &request).await {
                Ok(()) => {
                    app.toasts.good(t::password_done(l), None);
                    old.set(String::new());
                    new.set(String::new());
                    error.set(None);
                }
                Err(failed) => error.set(Some(failed)),
            }
        });
    };
    let form = view! {
        <form class="stack" on:submit=submit>
            {Field::password("password-old", t::password_old(l), "current-password", old).view()}
            {Field { hint: frame::setup_password_hint(l), ..Field::password("password-new", t::password_new(l), "new-password", new) }.view()}
            <p class="hint">{t::password_hint(l)}</p>
            <div role="alert">{move || error.get().map(|error| super::person::problem(app, &error))}</div>
            <div class="form-end"><button class="btn primary">{t::password_change(l)}</button></div>
        </form>
    };
    card(t::password(l), form.into_any())
}

fn sessions(app: App) -> AnyView {
    let l = app.l();
    let remote = Remote::<List<SessionRow>>::new("/api/v1/sessions");
    let body = loaded(t::sessions(l), remote, 3, move |list| {
        let rows = list.items.into_iter().map(|row| session(app, remote, row)).collect_view();
        view! { <ul class="lines-list">{rows}</ul> }.into_any()
    });
    card(t::sessions(l), body)
}

fn session(app: App, remote: Remote<List<SessionRow>>, row: SessionRow) -> impl IntoView {
    let l = app.l();
    let id = row.id;
    let end = move |_| {
        spawn_local(async move {
            match api::delete(&format!("/api/v1/sessions/{id}")).await {
                Ok(()) => remote.reload(),
                Err(error) => app.toasts.bad(error.sentence(l)),
            }
        });
    };
    let seen = shared::text::span(l, app.now.get_untracked().ms_since(row.last_seen_at));
    let mark = if row.current {
        view! { <span class="chip call">{t::this_session(l)}</span> }.into_any()
    } else {
        view! { <button type="button" class="btn small" on:click=end>{t::end(l)}</button> }.into_any()
    };
    view! {
        <li>
            <span class="grow"><strong class="agent">{row.user_agent}</strong>
                <small class="muted block">{(!row.current).then(|| format!("{} · ", t::last_seen(l, &seen)))} {t::signed_in_at(l, &app.clock_time(row.created_at))}</small></span>
            {mark}
        </li>
    }
}
