//! Senders: a list, a new one with its token and commands, those that are known, and a place to try a payload; and each by itself.

mod gallery;
mod list;
mod listener;
pub(crate) mod mapping;
mod new;
pub(crate) mod one;
pub(crate) mod preview;
mod requests;
mod settings;
mod snippets;
mod tokens;

use crate::{
    components::page::page_head,
    state::{App, Remote},
    text::{frame, senders as t},
};
use leptos::prelude::*;
use shared::api::{IntegrationRow, List, NewToken, Role};

/// A sender that was just made, with its token.
#[derive(Clone, Debug, PartialEq)]
struct Made {
    name: String,
    token: NewToken,
}

pub(crate) fn page() -> impl IntoView {
    let app = App::here();
    let l = app.l();
    let senders = Remote::<List<IntegrationRow>>::new("/api/v1/integrations");
    let made = RwSignal::new(None::<Made>);
    // Somebody was heard: the list's times are newer now.
    Effect::new(move |before: Option<()>| {
        let heard = app.heard.with(|heard| !heard.is_empty());
        if before.is_some() && heard {
            senders.reload();
        }
    });
    view! {
        <div class="page">
            {page_head(frame::integrations(l), t::lead(l), ().into_any())}
            {move || made.get().map(|made| new::token(app, made))}
            {list::card(app, senders)}
            {(app.role() == Role::Admin).then(|| new::form(app, senders, made))}
            {gallery::card(app)}
            {preview::card(app)}
        </div>
    }
}
