//! Accepted messages and what became of each; the quarantine is a filter of the same list.

use super::incident::message;
use crate::{
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
    let list = Remote::<List<EventRow>>::idle("");
    Effect::new(move || list.point(address(only_rejected.get()).to_owned()));
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
                let path = if word == "quarantine" { "/messages?outcome=rejected" } else { "/messages" };
                navigate.with_value(|navigate| navigate(path, NavigateOptions::default()));
            }
        },
    );
    let table = loaded(frame::messages(l), list, 8, move |events| {
        let rejected = only_rejected.get_untracked();
        view! { {rows(app, &events.items, rejected)}{more(list, &events, address(rejected))} }.into_any()
    });
    view! {
        <div class="page">
            {page_head(frame::messages(l), t::messages_lead(l), filter)}
            {move || chosen.get().map(|id| detail(app, id))}
            <section class="card">{table}</section>
        </div>
    }
}

const fn address(only_rejected: bool) -> &'static str {
    if only_rejected { "/api/v1/events?outcome=rejected" } else { "/api/v1/events" }
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
    view! {
        <tr>
            <td>{wall(event.received_at)}</td>
            <td>{event.integration.to_string()}<small class="muted block">{event.peer.clone()}</small></td>
            <td class="mono text"><a href=format!("/messages?id={}{suffix}", event.id)>{event.text.clone()}</a></td>
            <td>{outcomes}</td>
        </tr>
    }
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
    let body = loaded(frame::messages(app.l()), remote, 3, move |event| message(app, &event));
    view! { <section class="card" data-testid="raw">{body}</section> }
}
