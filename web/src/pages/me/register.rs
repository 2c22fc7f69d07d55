//! This browser: registered after a press, or why that cannot be.

use super::{Desk, agent, start};
use crate::{
    browser::{
        dom,
        push::{self, Permission},
        worker,
    },
    components::icon::{Icon, icon},
    text::me as t,
};
use leptos::{prelude::*, task::spawn_local};
use shared::config::Language;

/// What keeps a browser from being registered, before it is asked anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hindrance {
    NotHttps,
    /// An iPhone or iPad where Tocsin is not on the Home Screen.
    NeedsHome,
    NotOffered,
    Denied,
}

/// In the order in which they are mended.
fn hindrance() -> Option<Hindrance> {
    if !push::is_secure() {
        return Some(Hindrance::NotHttps);
    }
    let system = agent::system(&agent(), has_touch());
    let is_app = dom::media_matches("(display-mode: standalone)") || dom::media_matches("(display-mode: fullscreen)");
    if !push::is_offered() {
        let home = system == agent::System::Ios && !is_app;
        return Some(if home { Hindrance::NeedsHome } else { Hindrance::NotOffered });
    }
    (push::permission() == Permission::Denied).then_some(Hindrance::Denied)
}

fn sentence(l: Language, hindrance: Hindrance) -> String {
    match hindrance {
        Hindrance::NotHttps => t::not_https(l),
        Hindrance::NeedsHome => t::needs_home(l),
        Hindrance::NotOffered => t::not_offered(l),
        Hindrance::Denied => t::denied(l),
    }
}

/// What a browser's refusal to subscribe means.
fn refusal(l: Language, name: &str) -> String {
    match name {
        "NotAllowedError" | "AbortError" => t::failed_private(l),
        "NoWorker" => t::failed_worker(l),
        other => t::failed(l, other),
    }
}

pub(super) fn agent() -> String {
    window().navigator().user_agent().unwrap_or_default()
}

pub(super) fn has_touch() -> bool {
    window().navigator().max_touch_points() > 1
}

pub(super) fn this_browser(desk: Desk) -> impl IntoView {
    let l = desk.app.l();
    let busy = RwSignal::new(false);
    let refused = RwSignal::new(None::<String>);
    let press = move |_| {
        busy.set(true);
        refused.set(None);
        spawn_local(async move {
            let done = register(desk).await;
            busy.try_set(false);
            drop(refused.try_set(done.err()));
        });
    };
    let is_known = move || {
        let own = desk.own.get();
        desk.devices.with(|list| list.items.iter().any(|row| Some(row.id) == own && row.dead_at.is_none()))
    };
    move || {
        // Until the devices are known nobody can say whether this is one of them.
        if is_known() != Some(false) {
            return None;
        }
        let hindered = hindrance().map(|it| sentence(l, it));
        let words = move || {
            refused
                .get()
                .map(|why| view! { <p class="notice warn" role="alert">{icon(Icon::Warning)}<span>{why}</span></p> })
        };
        let button = match hindered {
            Some(why) => {
                view! { <p class="notice warn" data-testid="hindered">{icon(Icon::Warning)}<span>{why}</span></p> }
                    .into_any()
            }
            None => view! {
                <button type="button" class="btn primary" disabled=move || busy.get() on:click=press>
                    {icon(Icon::Phone)}{move || if busy.get() { t::registering(l) } else { t::register(l) }}
                </button>
                <span class="hint">{t::register_hint(l)}</span>
            }
            .into_any(),
        };
        Some(view! { <div class="register">{button}{words}</div> })
    }
}

/// Asks, subscribes and tells the server; the error is a sentence.
async fn register(desk: Desk) -> Result<(), String> {
    let app = desk.app;
    let l = app.l();
    // Asked first: only what follows a press at once may ask.
    match push::ask().await {
        Permission::Granted => {}
        Permission::Denied => return Err(t::denied(l)),
        Permission::Ask => return Err(t::not_answered(l)),
    }
    worker::register();
    let subscription = start::fresh().await.map_err(|name| refusal(l, &name))?;
    let label = agent::label(&agent(), has_touch(), &|browser, place| t::on(l, browser, place));
    let told = start::tell(app, &subscription, label, None, false).await;
    let row = told.map_err(|error| {
        app.noticed(&error);
        error.sentence(l)
    })?;
    if let Some(info) = app.info() {
        start::remember(&row, info.login, subscription);
    }
    desk.own.set(Some(row.id));
    desk.devices.reload();
    app.toasts.good(t::registered(l, &row.label), None);
    Ok(())
}
