//! The pages nobody needs in the first second: a module of their own, fetched once the first page is shown or as soon
//! as one of them is opened.

use super::{
    analytics, calendar, first_run, heartbeats, integrations, messages, more, oncall, policies, routes, settings,
    setup,
    silences::{self, Maker},
    status, versions, why_not,
};
use crate::{
    browser::dom,
    components::{
        icon::{Icon, icon},
        page::page_head,
        states::skeleton,
    },
    state::{App, app::Rest},
    text::frame as t,
};
use leptos::{
    prelude::*,
    task::spawn_local,
    wasm_split::{SplitLoaderError, wasm_split},
};
use std::{
    pin::pin,
    task::{Context, Poll, Waker},
};

/// What the later module draws.
#[derive(Clone, Copy)]
pub(crate) enum Part {
    Analytics,
    Calendar,
    /// The steps of an empty server; with them all done, what is given.
    FirstRun(fn(App) -> AnyView),
    Heartbeats,
    Integrations,
    Messages,
    More,
    Noun,
    OnCall,
    Policies,
    Routes,
    Settings,
    Setup,
    Silence,
    SilenceForm(StoredValue<Maker>),
    Silences,
    Status,
    Versions,
    WhyNot,
}

/// The only way into the later module: what is reached through here alone is not in the first one.
#[wasm_split(pages, wasm_split_path = leptos::wasm_split, fallible, preload(fetch_module))]
fn draw(part: Part) -> Result<AnyView, SplitLoaderError> {
    Ok(match part {
        Part::Analytics => analytics::page().into_any(),
        Part::Calendar => calendar::page().into_any(),
        Part::FirstRun(well) => first_run::or(App::here(), well),
        Part::Heartbeats => heartbeats::page().into_any(),
        Part::Integrations => integrations::page().into_any(),
        Part::Messages => messages::page().into_any(),
        Part::More => more::page().into_any(),
        Part::Noun => versions::noun().into_any(),
        Part::OnCall => oncall::page().into_any(),
        Part::Policies => policies::page().into_any(),
        Part::Routes => routes::page().into_any(),
        Part::Settings => settings::page().into_any(),
        Part::Setup => setup::page().into_any(),
        Part::Silence => silences::one().into_any(),
        Part::SilenceForm(maker) => silences::form(maker.get_value()),
        Part::Silences => silences::page().into_any(),
        Part::Status => status::page().into_any(),
        Part::Versions => versions::page().into_any(),
        Part::WhyNot => why_not::page().into_any(),
    })
}

/// Fetches the later module, unless it is here; one that did not arrive is asked for again.
pub(crate) async fn fetch(app: App) {
    if app.rest.get_untracked() == Rest::Here {
        return;
    }
    app.rest.set(Rest::Awaited);
    let arrived = fetch_module().await.is_ok();
    app.rest.set(if arrived { Rest::Here } else { Rest::Missing });
}

/// A whole page; one that did not arrive is still a page, with a heading.
pub(crate) fn page(part: Part) -> AnyView {
    let app = App::here();
    drawn(app, part, move || {
        let head = page_head(t::part_missing(app.l()), String::new(), ().into_any());
        view! { <div class="page">{head}{missing(app)}</div> }.into_any()
    })
}

/// A part of a page that is here.
pub(crate) fn part(part: Part) -> AnyView {
    let app = App::here();
    drawn(app, part, move || missing(app))
}

/// A part that can be done without.
pub(crate) fn part_or(part: Part, otherwise: fn(App) -> AnyView) -> AnyView {
    let app = App::here();
    drawn(app, part, move || otherwise(app))
}

fn drawn(app: App, part: Part, missing: impl Fn() -> AnyView + Send + Sync + 'static) -> AnyView {
    spawn_local(fetch(app));
    (move || match app.rest.get() {
        Rest::Awaited => skeleton(6),
        // What a page reads while it is drawn must not draw it again.
        Rest::Here => untrack(|| at_once(draw(part))).and_then(Result::ok).unwrap_or_else(&missing),
        Rest::Missing => missing(),
    })
    .into_any()
}

/// The value of a future that has nothing to wait for, such as a call into a module that is here.
pub(super) fn at_once<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}

/// Without a connection, or when a newer server no longer has the files of this page.
fn missing(app: App) -> AnyView {
    let l = app.l();
    view! {
        <div class="notice bad" role="alert" data-testid="part-missing">
            {icon(Icon::Warning)}
            <div><p>{t::part_missing_why(l)}</p></div>
            <button type="button" class="btn" on:click=move |_| spawn_local(fetch(app))>{t::retry(l)}</button>
            <button type="button" class="btn" on:click=|_| dom::reload()>{t::reload(l)}</button>
        </div>
    }
    .into_any()
}
