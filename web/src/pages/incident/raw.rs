//! The messages as they arrived, what was read out of each, and how to send one again.

use super::part;
use crate::{
    components::{copy::copy_button, marked::marked, page::card as boxed, time::wall},
    format,
    incident::curl,
    pages::again::Again,
    state::{App, Remote},
    text::{incident as t, words},
};
use leptos::prelude::*;
use shared::api::{EventDetail, IncidentDetail};

pub(super) fn card(app: App, detail: Remote<IncidentDetail>) -> AnyView {
    let l = app.l();
    let again = Again::new(app);
    let messages = part(detail, |detail| detail.messages.clone());
    let body = move || {
        let mut messages = messages.get()?.into_iter();
        let Some(newest) = messages.next() else {
            return Some(view! { <p class="muted">{t::raw_none(l)}</p> }.into_any());
        };
        let older: Vec<EventDetail> = messages.collect();
        let count = older.len();
        let older = (count > 0).then(|| {
            let each = older.iter().map(|event| message(app, event, again)).collect_view();
            view! { <details class="older"><summary>{if count == 1 { t::older_message(l) } else { t::older_messages(l, count) }}</summary>{each}</details> }
        });
        Some(view! { {message(app, &newest, again)}{older} }.into_any())
    };
    boxed(t::raw(l), view! { <div data-testid="raw" class="stack">{body}</div>{again.map(Again::dialog)} }.into_any())
}

/// One message with its fields marked; the list of messages shows the same.
pub(crate) fn message(app: App, event: &EventDetail, again: Option<Again>) -> AnyView {
    let l = app.l();
    let origin = app
        .info()
        .map(|info| info.public_url)
        .filter(|url| !url.is_empty())
        .unwrap_or_else(crate::browser::dom::origin);
    let command = curl::command(&origin, event);
    let text = event.text.clone();
    // The pager's own word is told again by itself.
    let again = again.filter(|_| event.integration.as_str() != "tocsin").map(|again| again.button(event.id));
    let formats: Vec<String> = event.formats.iter().map(|format| words::format(l, *format)).collect();
    let outcomes =
        event.outcomes.iter().map(|outcome| view! { <span>{words::outcome(l, outcome)}</span> }).collect_view();
    view! {
        <article class="message">
            <p class="message-facts">
                <span class="mono">{t::message(l, event.id.0)}</span>
                {wall(event.received_at)}
                <span>{event.integration.to_string()}</span>
                <span>{t::from_peer(l, &event.peer)}</span>
                <span>{formats.join(", ")}</span>
                <span>{t::charset(l, &event.charset)}</span>
                <span>{format::bytes(event.size_bytes)}</span>
            </p>
            {marked(&event.text, &event.fields)}
            <div class="message-end">
                <p class="message-facts">{outcomes}</p>
                {copy_button(t::copy_curl(l), move || command.clone())}
                {copy_button(t::copy_text(l), move || text.clone())}
                {again}
            </div>
        </article>
    }
    .into_any()
}
