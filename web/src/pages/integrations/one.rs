//! One sender: how it is doing, its newest messages and requests, its tokens, how it sends, and what of its JSON is what.

use super::{list, mapping, requests, settings, snippets, tokens};
use crate::{
    api::query,
    components::{
        page::name_page,
        states::{empty, loaded},
        time::wall,
    },
    format,
    pages::{
        again::Again,
        messages::{outcome, title},
    },
    state::{App, Remote},
    text::{frame, mapping as t, senders},
};
use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};
use shared::{
    EventId, IntegrationId,
    api::{EventRow, IntegrationRow, List, Role},
};

pub(crate) fn page() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| params.with(|params| params.get("id").unwrap_or_default()));
    // Another sender is another page: nothing of the last one stays.
    move || {
        let id = id.get();
        untrack(|| one(IntegrationId::from(id.as_str())))
    }
}

/// What the parts of the page look at.
#[derive(Clone, Copy)]
struct Desk {
    app: App,
    senders: Remote<List<IntegrationRow>>,
    /// The newest messages of it.
    recent: Remote<List<EventRow>>,
    row: Memo<Option<IntegrationRow>>,
    /// The message that is to be mapped.
    chosen: Memo<Option<EventId>>,
}

fn one(id: IntegrationId) -> AnyView {
    let app = App::here();
    let l = app.l();
    name_page(id.as_str());
    let search = use_query_map();
    let chosen =
        Memo::new(move |_| search.with(|search| search.get("event").and_then(|id| id.parse().ok()).map(EventId)));
    let senders = Remote::<List<IntegrationRow>>::new("/api/v1/integrations");
    let of_sender = query::encoded(id.as_str());
    let recent = Remote::<List<EventRow>>::new(format!("/api/v1/events?integration={of_sender}&limit=6"));
    Effect::new(move |before: Option<()>| {
        app.heard.track();
        if before.is_some() {
            senders.reload();
            recent.reload();
        }
    });
    let own = id.clone();
    let found = Memo::new(move |_| senders.with(|list| list.items.iter().find(|it| it.id == own).cloned()));
    let row = Memo::new(move |_| found.get().flatten());
    let is_unknown = Memo::new(move |_| found.with(|found| matches!(found, Some(None))));
    let own = id.clone();
    let name = move || row.get().map(|row| row.name).filter(|it| !it.is_empty()).unwrap_or_else(|| own.to_string());
    let desk = Desk { app, senders, recent, row, chosen };
    // Nothing can be done for a sender that there is none of.
    let body = move || {
        if is_unknown.get() { unknown(app) } else { untrack(|| parts(desk, id.clone())) }
    };
    let all = format!("/messages?integration={of_sender}");
    view! {
        <div class="page sender-page">
            <header class="page-head">
                <div><h1><a class="muted" href="/integrations">{frame::integrations(l)}</a> " / " {name}</h1></div>
                <div class="page-actions">
                    <a class="btn" href=all.clone()>{t::all_messages(l)}</a>
                    <a class="btn" href=format!("{all}&outcome=rejected")>{t::its_quarantine(l)}</a>
                </div>
            </header>
            {body}
        </div>
    }
    .into_any()
}

fn unknown(app: App) -> AnyView {
    let l = app.l();
    let body = view! { <p>{t::unknown_hint(l)}</p><a class="btn" href="/integrations">{t::back(l)}</a> };
    view! { <section class="card">{empty(t::unknown(l), body.into_any())}</section> }.into_any()
}

fn parts(desk: Desk, id: IntegrationId) -> AnyView {
    let Desk { app, senders, recent, row, chosen } = desk;
    let l = app.l();
    let facts = loaded(frame::integrations(l), senders, 3, move |_| row.get().map(|row| facts(app, &row)).into_any());
    let messages = loaded(frame::messages(l), recent, 4, move |list| messages(app, &list.items));
    let again = Again::new(app);
    let requests = requests::card(app, &id, again);
    let tokens = tokens::card(app, id.clone(), row, senders);
    let editor = if app.role() == Role::Admin {
        mapping::editor(app, id, recent, chosen.into())
    } else {
        view! { <section class="card" id="mapping"><h2>{t::title(l)}</h2><p class="muted">{t::only_admins(l)}</p></section> }.into_any()
    };
    view! {
        <div class="editor">
            <section class="card stack" data-testid="sender-facts"><h2>{t::doing(l)}</h2>{facts}</section>
            <section class="card stack" data-testid="sender-recent"><h2>{t::recent(l)}</h2>{messages}</section>
        </div>
        {requests}
        {tokens}
        {settings::card(app, row)}
        {editor}
        <section class="card stack"><p class="hint">{t::send_hint(l)}</p>{snippets::tabs(app, snippets::of_sender(app, row))}</section>
        {again.map(Again::dialog)}
    }
    .into_any()
}

fn facts(app: App, row: &IntegrationRow) -> AnyView {
    let l = app.l();
    let heard = list::heard(app, row);
    let tokens = row.tokens.iter().map(|token| format!("{token}…")).collect::<Vec<_>>().join(", ");
    let tokens = if tokens.is_empty() { "—".to_owned() } else { tokens };
    view! {
        <dl class="facts-grid small">
            <div><dt>{senders::last_heard(l)}</dt><dd>{heard}</dd></div>
            <div><dt>{senders::events(l)}</dt><dd>{format::grouped(row.events)}</dd></div>
            <div><dt>{senders::tokens(l)}</dt><dd class="mono">{tokens}</dd></div>
        </dl>
    }
    .into_any()
}

fn messages(app: App, items: &[EventRow]) -> AnyView {
    let l = app.l();
    if items.is_empty() {
        return view! { <p class="muted">{t::nothing_yet(l)}</p> }.into_any();
    }
    let rows = items.iter().map(|event| {
        let outcomes = event.outcomes.iter().take(2).map(|one| outcome(app, one)).collect_view();
        view! {
            <li>
                <span class="muted">{wall(event.received_at)}</span>
                <a class="mono text" href=format!("/messages?id={}", event.id)>{title(app, event)}</a>
                <span>{outcomes}</span>
                {mapping::link(app, &event.integration, event.id, &event.text)}
            </li>
        }
    });
    view! { <ul class="recent">{rows.collect_view()}</ul> }.into_any()
}
