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
    text::senders as t,
};
use leptos::{prelude::*, task::spawn_local};
use shared::api::{IntegrationRow, List, NewIntegration, NewToken};

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
    let url = made.token.url.clone().unwrap_or_else(|| {
        let origin = app.info().map(|info| info.public_url).filter(|url| !url.is_empty()).unwrap_or_else(dom::origin);
        format!("{}/ingest/{}", origin.trim_end_matches('/'), made.token.token)
    });
    let (shown_token, copied_token) = (made.token.token.clone(), made.token.token.clone());
    let (shown_url, copied_url) = (url.clone(), url.clone());
    view! {
        <section class="card made">
            <h2 id="token-title" tabindex="-1">{t::token_title(l, &made.name)}</h2>
            <p class="notice warn">{icon(Icon::Warning)}{t::token_once(l)}</p>
            <div class="secret"><code data-testid="token" class="mono">{shown_token}</code>{copy_button(crate::text::frame::copy(l), move || copied_token.clone())}</div>
            <div class="secret"><code class="mono">{shown_url}</code>{copy_button(crate::text::frame::copy(l), move || copied_url.clone())}</div>
            {snippets::tabs(app, &url)}
            {made.token.integration.clone().map(|id| listener::listener(app, id, made.name.clone()))}
        </section>
    }
}
