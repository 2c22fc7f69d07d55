//! Heartbeats: each with how it stands, its newest beats, and the address at which it is heard.

mod item;
mod new;
mod snippets;
mod strip;

use crate::{
    browser::dom,
    components::{
        keyed::keyed,
        page::page_head,
        states::{empty, loaded},
    },
    state::{App, Remote},
    text::{frame, heartbeats as t},
};
use leptos::prelude::*;
use shared::api::{HeartbeatAddress, HeartbeatRow, List, Role};

/// Nobody tells of a beat: they are asked for while somebody looks.
const LOOK_AGAIN_MS: i64 = 3_000;

/// What the parts of the page share.
#[derive(Clone, Copy)]
struct Desk {
    app: App,
    rows: Remote<List<HeartbeatRow>>,
    /// An address that was just made.
    made: RwSignal<Option<HeartbeatAddress>>,
}

impl Desk {
    fn row(self, id: &str) -> Option<HeartbeatRow> {
        self.rows.with(|list| list.items.iter().find(|row| row.heartbeat.id.as_str() == id).cloned()).flatten()
    }

    fn may_change(self) -> bool {
        self.app.role() == Role::Admin
    }
}

pub(crate) fn page() -> impl IntoView {
    let app = App::here();
    let l = app.l();
    let desk = Desk { app, rows: Remote::new("/api/v1/heartbeats"), made: RwSignal::new(None) };
    Effect::new(move |before: Option<i64>| {
        let now = app.now.get().ms() / LOOK_AGAIN_MS;
        if before.is_some_and(|before| before != now) && !dom::is_hidden() {
            desk.rows.reload();
        }
        now
    });
    let ids = Memo::new(move |_| {
        let drawn = |row: &HeartbeatRow| (row.heartbeat.id.to_string(), row.tokens.join(", "));
        desk.rows.with(|list| list.items.iter().map(drawn).collect::<Vec<_>>())
    });
    let items = keyed(
        move || ids.get().unwrap_or_default(),
        |(id, tokens)| format!("{id} {tokens}"),
        move |(id, _)| item::item(desk, id),
    );
    let none = move || {
        let nothing = ids.with(|ids| ids.as_ref().is_some_and(Vec::is_empty));
        nothing.then(|| empty(t::none(l), view! { <p>{t::none_hint(l)}</p> }.into_any()))
    };
    view! {
        <div class="page">
            {page_head(frame::heartbeats(l), t::lead(l), ().into_any())}
            {move || desk.made.get().map(|made| new::address(desk, made))}
            <section class="card heartbeats">
                {loaded(frame::heartbeats(l), desk.rows, 4, |_| ().into_any())}
                {none}
                {items}
            </section>
            {desk.may_change().then(|| new::form(desk))}
        </div>
    }
}
