//! Settings: a row of tabs, each a part of its own; the tab is in the address. How one is reached is a page of its own.

mod accounts;
mod audit;
mod broken;
mod browser;
mod channels;
mod config;
mod contacts;
mod draft;
mod example;
pub(in crate::pages) mod pair;
pub(in crate::pages) mod person;
mod report;
mod reset;
mod rules;
mod security;
mod tokens;

use crate::{
    browser::dom,
    components::page::page_head,
    state::App,
    text::{frame, settings as t},
};
use leptos::prelude::*;
use leptos_router::{components::Redirect, hooks::use_query_map};
pub(crate) use person::problem;
use shared::api::Role;

pub(crate) fn page() -> impl IntoView {
    let app = App::here();
    let l = app.l();
    let query = use_query_map();
    let tab = Memo::new(move |_| query.with(|query| query.get("tab").unwrap_or_else(|| "security".to_owned())));
    let mut tabs = vec![("security", t::tab_security(l)), ("browser", t::tab_browser(l))];
    if app.role() == Role::Admin {
        tabs.extend([
            ("accounts", t::tab_accounts(l)),
            ("tokens", t::tab_tokens(l)),
            ("channels", t::tab_channels(l)),
            ("config", t::tab_config(l)),
            ("audit", t::tab_audit(l)),
        ]);
    }
    let known: Vec<&str> = tabs.iter().map(|(word, _)| *word).collect();
    let own = view! { <a href="/me">{frame::my_notifications(l)}</a> };
    let links = tabs.into_iter().map(|(word, name)| {
        view! { <a href=format!("/settings?tab={word}") aria-current=move || (tab.get() == word).then_some("page")>{name}</a> }
    });
    let body = move || {
        let tab = tab.get();
        match tab.as_str() {
            // Where it was before it was a page.
            "me" => view! { <Redirect path="/me"/> }.into_any(),
            word if !known.contains(&word) => view! { <p class="muted">{frame::admin_only(l)}</p> }.into_any(),
            "browser" => browser::part(app),
            "accounts" => accounts::part(app),
            "tokens" => tokens::part(app),
            "channels" => channels::part(app),
            "config" => config::part(app),
            "audit" => audit::part(app),
            _ => security::part(app),
        }
    };
    // On a phone the chosen tab may stand outside the row.
    Effect::new(move || {
        tab.track();
        request_animation_frame(|| dom::reveal(".tabs [aria-current]"));
    });
    view! {
        <div class="page">
            {page_head(frame::settings(l), t::lead(l), ().into_any())}
            <nav class="tabs" aria-label=frame::settings(l)>{own}{links.collect_view()}</nav>
            {body}
        </div>
    }
}
