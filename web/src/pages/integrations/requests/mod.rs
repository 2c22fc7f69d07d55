//! The last requests of a sender: a strip of them, and what became of each.

mod reason;
mod strip;

use crate::{
    api::query,
    components::{
        copy::copy_button,
        keyed::keyed,
        states::{empty, loaded},
        time::wall,
    },
    format,
    pages::again::Again,
    state::{App, Remote, look_again},
    text::{frame, requests as t, words},
};
use leptos::prelude::*;
use reason::Fate;
use shared::{
    IntegrationId,
    api::{List, SenderRequest},
    config::Language,
    snippets::{self, Address},
};

/// Nobody tells of what was refused.
const LOOK_AGAIN_MS: i64 = 10_000;
/// So many are told one by one until somebody asks for all: the strip has them anyway, and more of the page follows.
const FIRST: usize = 10;

pub(super) fn card(app: App, id: &IntegrationId, again: Option<Again>) -> AnyView {
    let l = app.l();
    let path = format!("/api/v1/integrations/{}/requests", query::encoded(id.as_str()));
    let requests = Remote::<List<SenderRequest>>::new(path);
    Effect::new(move |before: Option<()>| {
        app.heard.track();
        if before.is_some() {
            requests.reload();
        }
    });
    look_again(app, LOOK_AGAIN_MS, move || requests.reload());
    // What is drawn stays while the list is the same, and each row for as long as it is listed.
    let items = Memo::new(move |_| requests.with(|list| list.items.clone()).unwrap_or_default());
    let is_empty = Memo::new(move |_| requests.with(|list| list.items.is_empty()));
    let body = move || match is_empty.get() {
        None => loaded(t::title(l), requests, 5, |_| ().into_any()),
        Some(true) => nothing(app),
        Some(false) => untrack(|| listed(app, items, again)),
    };
    view! {
        <section class="card stack" id="requests" data-testid="sender-requests">
            <div><h2>{t::title(l)}</h2><p class="hint">{t::lead(l)}</p></div>
            {body}
        </section>
    }
    .into_any()
}

fn nothing(app: App) -> AnyView {
    let l = app.l();
    let text = snippets::curl_bracket(&Address::new(&super::snippets::address(app)));
    let copied = text.clone();
    let body = view! {
        <p>{t::none_hint(l)}</p>
        <pre class="marked snippet" tabindex="0">{text}</pre>
        {copy_button(frame::copy(l), move || copied.clone())}
    };
    empty(t::none(l), body.into_any())
}

fn listed(app: App, items: Memo<Vec<SenderRequest>>, again: Option<Again>) -> AnyView {
    let l = app.l();
    let shown = RwSignal::new(FIRST);
    let more = move || {
        let count = items.with(Vec::len);
        let all = move |_| shown.set(usize::MAX);
        (count > shown.get())
            .then(|| view! { <button type="button" class="btn more" on:click=all>{t::all(l, count)}</button> })
    };
    let strip = move || items.with(|items| strip::strip(l, items));
    let rows = keyed(
        move || items.with(|items| numbered(items)).into_iter().take(shown.get()).collect(),
        |(key, _)| key.clone(),
        move |(_, request)| row(app, &request, again),
    );
    view! {
        {strip}
        <table class="table requests">
            <thead><tr><th>{t::when(l)}</th><th>{t::request(l)}</th><th>{t::answer(l)}</th><th>{t::size(l)}</th><th>{t::became(l)}</th></tr></thead>
            <tbody>{rows}</tbody>
        </table>
        {more}
    }
    .into_any()
}

/// A name of each that stays when newer ones come: its time, and which it is of those of that time.
fn numbered(items: &[SenderRequest]) -> Vec<(String, SenderRequest)> {
    let nth = |i: usize, it: &SenderRequest| items.iter().skip(i + 1).filter(|older| older.at == it.at).count();
    items.iter().enumerate().map(|(i, it)| (format!("{}-{}", it.at.ms(), nth(i, it)), it.clone())).collect()
}

fn row(app: App, request: &SenderRequest, again: Option<Again>) -> AnyView {
    let l = app.l();
    let fate = Fate::of(request);
    let why = reason::words(l, request).map(|words| view! { <strong class="block">{words}</strong> });
    let detail = request.detail.clone().map(|detail| view! { <small class="muted block">{detail}</small> });
    view! {
        <tr class=fate.class()>
            <td>{wall(request.at)}</td>
            <td>
                <span class="mono">{request.method.clone()} " " {request.path.clone()}</span>
                <small class="muted block">{t::from(l, &request.peer, &request.user_agent)}</small>
            </td>
            <td><span class="fate">{fate.words(l, request.status)}</span>{why}{detail}</td>
            <td class="num"><span>{format::bytes(request.bytes)}</span> " · " <span>{took(l, request.took_ms)}</span></td>
            <td>{became(app, request, again)}</td>
        </tr>
    }
    .into_any()
}

/// How long it took to be answered.
fn took(l: Language, ms: u32) -> String {
    if ms == 0 { t::at_once(l) } else { shared::text::span(l, ms.into()) }
}

/// How many events it was, and as which message it is stored.
fn became(app: App, request: &SenderRequest, again: Option<Again>) -> AnyView {
    let l = app.l();
    let Some(event) = request.event else {
        return view! { <span class="muted">{t::no_event(l)}</span> }.into_any();
    };
    let count = match request.accepted {
        0 => None,
        1 => Some(t::one_event(l)),
        count => Some(t::events(l, count)),
    };
    let unread = (request.rejected > 0).then(|| t::unread(l, request.rejected));
    let read_as = request.format.map(|format| words::format(l, format));
    let said: Vec<String> = count.into_iter().chain(unread).chain(read_as).collect();
    view! {
        <a href=format!("/messages?id={event}")>{t::message(l, event.0)}</a>
        <small class="muted block">{said.join(" · ")}</small>
        {again.map(|again| again.button(event))}
    }
    .into_any()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use shared::Timestamp;

    /// One that was taken.
    pub(super) fn request(at: i64) -> SenderRequest {
        SenderRequest {
            at: Timestamp::from_ms(at),
            method: "POST".to_owned(),
            path: "/ingest/…".to_owned(),
            status: 200,
            took_ms: 3,
            bytes: 40,
            peer: "127.0.0.1".to_owned(),
            user_agent: String::new(),
            format: None,
            event: None,
            accepted: 0,
            rejected: 0,
            reason: None,
            detail: None,
        }
    }

    #[test]
    fn a_row_keeps_its_name_when_newer_ones_come_in_its_millisecond() {
        let names = |times: &[i64]| {
            let items: Vec<_> = times.iter().map(|at| request(*at)).collect();
            numbered(&items).into_iter().map(|(name, _)| name).collect::<Vec<_>>()
        };
        assert_eq!(names(&[7, 5, 5]), ["7-0", "5-1", "5-0"]);
        assert_eq!(names(&[7, 7, 5, 5])[1..], names(&[7, 5, 5]));
    }
}
