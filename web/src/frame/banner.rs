//! Banners above the page: offline, and a server that was updated.

use crate::{
    browser::dom,
    live::{
        driver,
        machine::{Connection, Input},
    },
    state::App,
    text::frame as t,
};
use leptos::prelude::*;
use shared::Timestamp;

pub(super) fn banners(app: App) -> impl IntoView {
    view! {
        {move || offline(app)}
        {move || app.outdated.get().then(|| outdated(app))}
    }
}

fn offline(app: App) -> Option<impl IntoView> {
    let l = app.l();
    let Connection::Offline { since } = app.connection.get() else { return None };
    let (at, data) = (app.clock_time(Timestamp::from_ms(since)), app.clock_time(app.board.as_of.get()));
    let words =
        if app.board.counts.with(Option::is_some) { t::offline_banner(l, &at, &data) } else { t::never_reached(l) };
    Some(view! {
        <div class="banner striped" role="alert">
            <p>{words}</p>
            <button type="button" class="btn small" on:click=|_| driver::feed(Input::Hurry)>{t::try_now(l)}</button>
        </div>
    })
}

fn outdated(app: App) -> impl IntoView {
    let l = app.l();
    view! {
        <div class="banner" role="alert">
            <p>{t::outdated(l)}</p>
            <button type="button" class="btn small" on:click=|_| dom::reload()>{t::reload(l)}</button>
        </div>
    }
}
