//! A new sender: its name in, its token out, once.

use super::{Made, listener, snippets};
use crate::{
    api::{self, ApiError},
    browser::dom,
    components::{
        copy::copy_button,
        field::Field,
        icon::{Icon, icon},
    },
    state::{App, Remote},
    text::{frame, senders as t},
};
use leptos::{prelude::*, task::spawn_local};
use shared::{
    api::{IntegrationRow, List, NewIntegration, NewToken},
    snippets::Address,
};

pub(super) fn form(app: App, senders: Remote<List<IntegrationRow>>, made: RwSignal<Option<Made>>) -> impl IntoView {
    let l = app.l();
    let name = RwSignal::new(String::new());
    let error = RwSignal::new(None::<ApiError>);
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let chosen = name.get_untracked().trim().to_owned();
        if chosen.is_empty() {
            return;
        }
        spawn_local(async move {
            let request = NewIntegration { name: chosen.clone() };
            match api::post::<NewToken>("/api/v1/integrations", &request).await {
                Ok(token) => {
                    made.set(Some(Made { name: chosen, token }));
                    error.set(None);
                    name.set(String::new());
                    senders.reload();
                    set_timeout(|| dom::focus("#token-title"), std::time::Duration::from_millis(50));
                }
                Err(failed) => error.set(Some(failed)),
            }
        });
    };
    view! {
        <section class="card" id="new">
            <h2>{t::new(l)}</h2>
            <form class="row-fields" on:submit=submit>
                {Field { hint: t::new_hint(l), ..Field::text("integration-name", t::new_name(l), name) }.view()}
                <button class="btn primary" data-testid="new-integration">{icon(Icon::Plus)}{t::create(l)}</button>
            </form>
            <p class="bad" role="alert">{move || error.get().map(|error| error.sentence(l))}</p>
        </section>
    }
}

/// The token with ready commands, and the listener that waits for the first message.
pub(super) fn token(app: App, made: Made) -> impl IntoView {
    let l = app.l();
    let url = address(app, &made.token);
    view! {
        <section class="card made">
            <h2 id="token-title" tabindex="-1">{t::token_title(l, &made.name)}</h2>
            <p class="notice warn">{icon(Icon::Warning)}{t::token_once(l)}</p>
            {secrets(&made.token.token, &url)}
            {snippets::tabs(app, Signal::stored(Address::new(&url)))}
            {made.token.integration.clone().map(|id| listener::listener(app, id, made.name.clone()))}
        </section>
    }
}

/// Where a new token is posted to.
pub(super) fn address(app: App, made: &NewToken) -> String {
    made.url.clone().unwrap_or_else(|| {
        let origin = app.info().map(|info| info.public_url).filter(|url| !url.is_empty()).unwrap_or_else(dom::origin);
        format!("{}/ingest/{}", origin.trim_end_matches('/'), made.token)
    })
}

/// The token and its address, to be copied.
pub(super) fn secrets(token: &str, url: &str) -> AnyView {
    let l = App::here().l();
    let (shown_token, copied_token) = (token.to_owned(), token.to_owned());
    let (shown_url, copied_url) = (url.to_owned(), url.to_owned());
    view! {
        <div class="secret"><code data-testid="token" class="mono">{shown_token}</code>{copy_button(frame::copy(l), move || copied_token.clone())}</div>
        <div class="secret"><code class="mono">{shown_url}</code>{copy_button(frame::copy(l), move || copied_url.clone())}</div>
    }
    .into_any()
}
