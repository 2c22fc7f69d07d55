//! Accepted messages and what became of each; the quarantine is a filter of the same list.

use super::{again::Again, incident::message, integrations::mapping, subscription};
use crate::{
    api::query,
    components::{
        field::segments,
        more::more,
        page::page_head,
        states::{empty, loaded},
        time::wall,
    },
    pages::first_run,
    state::{App, Remote},
    text::{frame, senders as t, words},
};
use leptos::prelude::*;
use leptos_router::{
    NavigateOptions,
    hooks::{use_navigate, use_query_map},
};
use shared::{
    EventId,
    api::{EventDetail, EventRow, List},
    timeline::Outcome,
};

pub(crate) fn page() -> impl IntoView {
    let app = App::here();
    let l = app.l();
    let query = use_query_map();
    let only_rejected = Memo::new(move |_| query.with(|query| query.get("outcome").as_deref() == Some("rejected")));
    let chosen = Memo::new(move |_| query.with(|query| query.get("id").and_then(|id| id.parse().ok()).map(EventId)));
    let sender = Memo::new(move |_| query.with(|query| query.get("integration").unwrap_or_default()));
    let list = Remote::<List<EventRow>>::idle("");
    Effect::new(move || list.point(address(only_rejected.get(), &sender.get())));
    Effect::new(move |before: Option<()>| {
        app.heard.track();
        if before.is_some() {
            list.reload();
        }
    });
    let navigate = use_navigate();
    let filter = segments(
        frame::messages(l),
        vec![("all", t::all(l)), ("quarantine", t::quarantine(l))],
        move || if only_rejected.get() { "quarantine" } else { "all" },
        {
            let navigate = StoredValue::new_local(navigate);
            move |word| {
                let rejected = if word == "quarantine" { "outcome=rejected" } else { "" };
                let path = format!("/messages?{}", joined(rejected, &of(&sender.get_untracked())));
                let path = path.trim_end_matches('?');
                navigate.with_value(|navigate| navigate(path, NavigateOptions::default()));
            }
        },
    );
    let table = loaded(frame::messages(l), list, 8, move |events| {
        let (rejected, sender) = (only_rejected.get_untracked(), sender.get_untracked());
        view! { {rows(app, &events.items, rejected)}{more(list, &events, &address(rejected, &sender))} }.into_any()
    });
    view! {
        <div class="page">
            {page_head(frame::messages(l), t::messages_lead(l), filter)}
            {move || chosen.get().map(|id| detail(app, id))}
            <section class="card">{table}</section>
        </div>
    }
}

fn address(only_rejected: bool, sender: &str) -> String {
    let query = joined(if only_rejected { "outcome=rejected" } else { "" }, &of(sender));
    if query.is_empty() { "/api/v1/events".to_owned() } else { format!("/api/v1/events?{query}") }
}

/// Of one sender, or of all.
fn of(sender: &str) -> String {
    if sender.is_empty() { String::new() } else { format!("integration={}", query::encoded(sender)) }
}

fn joined(one: &str, other: &str) -> String {
    let gap = if one.is_empty() || other.is_empty() { "" } else { "&" };
    format!("{one}{gap}{other}")
}

fn rows(app: App, items: &[EventRow], only_rejected: bool) -> AnyView {
    let l = app.l();
    if items.is_empty() {
        return if only_rejected {
            empty(t::no_quarantine(l), ().into_any())
        } else {
            empty(t::no_messages(l), first_run::below(app))
        };
    }
    let rows = items.iter().map(|event| row(app, event, only_rejected)).collect_view();
    view! {
        <table class="table messages">
            <thead><tr><th>{t::received(l)}</th><th>{t::sender(l)}</th><th>{t::text(l)}</th><th>{t::became(l)}</th></tr></thead>
            <tbody>{rows}</tbody>
        </table>
    }
    .into_any()
}

fn row(app: App, event: &EventRow, only_rejected: bool) -> impl IntoView + use<> {
    let suffix = if only_rejected { "&outcome=rejected" } else { "" };
    let outcomes = event.outcomes.iter().map(|one| outcome(app, one)).collect_view();
    let map = only_rejected.then(|| mapping::link(app, &event.integration, event.id, &event.text));
    view! {
        <tr>
            <td>{wall(event.received_at)}</td>
            <td><a href=format!("/integrations/{}", query::encoded(event.integration.as_str()))>{event.integration.to_string()}</a><small class="muted block">{event.peer.clone()}</small></td>
            <td class="mono text"><a href=format!("/messages?id={}{suffix}", event.id)>{title(app, event)}</a></td>
            <td>{outcomes}{map}</td>
        </tr>
    }
}

/// What a message is called in a list: its text; a link needs a name also where there is none.
pub(super) fn title(app: App, event: &EventRow) -> String {
    if event.text.trim().is_empty() { t::no_text(app.l()) } else { event.text.clone() }
}

pub(super) fn outcome(app: App, outcome: &Outcome) -> AnyView {
    let words = words::outcome(app.l(), outcome);
    match outcome {
        Outcome::Opened { incident, .. }
        | Outcome::Refreshed { incident, .. }
        | Outcome::Acknowledged { incident, .. }
        | Outcome::Closed { incident, .. } => {
            view! { <a class="outcome" href=format!("/incidents/{incident}")>{words}</a> }.into_any()
        }
        Outcome::Rejected { .. } => view! { <span class="outcome bad">{words}</span> }.into_any(),
        _ => view! { <span class="outcome muted">{words}</span> }.into_any(),
    }
}

fn detail(app: App, id: EventId) -> impl IntoView {
    let remote = Remote::<EventDetail>::new(format!("/api/v1/events/{id}"));
    let again = Again::new(app);
    let body = loaded(frame::messages(app.l()), remote, 3, move |event| {
        let map = mapping::link(app, &event.integration, event.id, &event.text);
        let asked = subscription::asked(app, &event, remote);
        view! { {asked}{message(app, &event, again)}<div class="form-end">{map}</div> }.into_any()
    });
    view! { <section class="card" data-testid="raw">{body}</section>{again.map(Again::dialog)} }
}
