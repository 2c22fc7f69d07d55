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
        {move || unreached(app)}
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

/// Whoever looks at a screen may be the only one who can know.
fn unreached(app: App) -> Option<impl IntoView> {
    let l = app.l();
    let count = app.board.counts.with(|counts| counts.as_ref().map_or(0, |counts| counts.unreached));
    (count > 0).then(|| {
        view! {
            <div class="banner bad" role="alert" data-testid="unreached">
                <p>{t::unreached_banner(l, i64::from(count))}</p>
                <a class="btn small" href="/deliveries?state=failed">{t::unreached_why(l)}</a>
            </div>
        }
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
