//! The pages nobody needs in the first second: a module of their own, fetched once the first page is shown or as soon
//! as one of them is opened.

use super::{calendar, integrations, messages, more, oncall, policies, routes, settings, setup, silences, status};
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
pub(crate) enum Page {
    Calendar,
    Integrations,
    Messages,
    More,
    OnCall,
    Policies,
    Routes,
    Settings,
    Setup,
    Silence,
    Silences,
    Status,
}

/// The only way into the later module: what is reached through here alone is not in the first one.
#[wasm_split(pages, wasm_split_path = leptos::wasm_split, fallible, preload(fetch_module))]
fn draw(page: Page) -> Result<AnyView, SplitLoaderError> {
    Ok(match page {
        Page::Calendar => calendar::page().into_any(),
        Page::Integrations => integrations::page().into_any(),
        Page::Messages => messages::page().into_any(),
        Page::More => more::page().into_any(),
        Page::OnCall => oncall::page().into_any(),
        Page::Policies => policies::page().into_any(),
        Page::Routes => routes::page().into_any(),
        Page::Settings => settings::page().into_any(),
        Page::Setup => setup::page().into_any(),
        Page::Silence => silences::one().into_any(),
        Page::Silences => silences::page().into_any(),
        Page::Status => status::page().into_any(),
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

/// One of the later pages, or what there is to say until it is here.
pub(crate) fn page(page: Page) -> AnyView {
    let app = App::here();
    let again = move || spawn_local(fetch(app));
    again();
    (move || match app.rest.get() {
        Rest::Awaited => skeleton(6),
        Rest::Here => at_once(draw(page)).and_then(Result::ok).unwrap_or_else(|| missing(app, again)),
        Rest::Missing => missing(app, again),
    })
    .into_any()
}

/// The value of a future that has nothing to wait for, such as a call into a module that is here.
fn at_once<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}

/// Without a connection, or when a newer server no longer has the files of this page.
fn missing(app: App, again: impl Fn() + 'static) -> AnyView {
    let l = app.l();
    view! {
        <div class="page">
            {page_head(t::part_missing(l), String::new(), ().into_any())}
            <div class="notice bad" role="alert" data-testid="part-missing">
                {icon(Icon::Warning)}
                <div><p>{t::part_missing_why(l)}</p></div>
                <button type="button" class="btn" on:click=move |_| again()>{t::retry(l)}</button>
                <button type="button" class="btn" on:click=|_| dom::reload()>{t::reload(l)}</button>
            </div>
        </div>
    }
    .into_any()
}
