//! The routing tree: drawn as a tree for everybody, and edited by administrators beside what the draft would do.

mod conditions;
mod draft;
mod effects;
mod fields;
mod form;
mod place;
mod replay;
mod review;
mod save;
mod told;
mod tree;
mod trial;

use crate::{
    components::{
        page::page_head,
        states::{empty, loaded},
    },
    pages::first_run,
    state::{App, Remote},
    text::{frame, oncall as t, routes},
};
use draft::{Draft, Outline, Taken};
use leptos::prelude::*;
use serde::Deserialize;
use shared::{
    Delay,
    api::{List, Role},
    config::Route,
};

pub(super) use tree::once;

/// How far back is counted what each route took.
const LATELY: Delay = Delay(7 * 86_400_000);

pub(crate) fn page() -> impl IntoView {
    let app = App::here();
    let l = app.l();
    let (actions, body) = if app.role() == Role::Admin {
        let text = view! { <a class="btn" href="/settings?tab=config">{routes::whole_text(l)}</a> };
        (text.into_any(), edited(app))
    } else {
        (where_to_change(app), looked_at(app))
    };
    view! {
        <div class="page">
            {page_head(frame::routes(l), t::routes_lead(l), actions)}
            {body}
        </div>
    }
}

/// Administrators get a link, the others a word.
pub(super) fn where_to_change(app: App) -> AnyView {
    let l = app.l();
    if app.role() == Role::Admin {
        view! { <a class="btn" href="/settings?tab=config">{t::read_only(l)}</a> }.into_any()
    } else {
        view! { <span class="muted">{t::read_only(l)}</span> }.into_any()
    }
}

fn looked_at(app: App) -> AnyView {
    let l = app.l();
    let taken = taken(app);
    let routes = Remote::<List<Route>>::new("/api/v1/routes");
    loaded(frame::routes(l), routes, 8, move |list| {
        if list.items.is_empty() {
            return empty(t::no_routes(l), first_run::below(app));
        }
        view! {
            <div class="editor routes-editor">
                {tree::shown(app, &list.items, taken)}
                <div class="stack">{trial::for_readers(app)}</div>
            </div>
        }
        .into_any()
    })
}

fn edited(app: App) -> AnyView {
    let taken = taken(app);
    let typed = trial::Typed::new(app);
    let remote = Remote::<Outline>::new("/api/v1/config/document");
    loaded(frame::routes(app.l()), remote, 8, move |outline| {
        let draft = Draft::new(outline);
        let arrival = review::follow(app, draft);
        view! {
            <div class="editor routes-editor" data-testid="routes-editor">
                <div class="stack">
                    {tree::editor(app, draft, taken, arrival)}
                    {save::bar(app, draft, remote)}
                </div>
                <div class="stack">
                    {trial::card(app, draft, arrival, typed)}
                    {replay::card(app, draft)}
                </div>
            </div>
        }
        .into_any()
    })
}

/// As much of the figures as is needed here.
#[derive(Clone, Debug, Deserialize)]
struct Figures {
    routes: Vec<Count>,
}

#[derive(Clone, Debug, Deserialize)]
struct Count {
    id: String,
    incidents: u32,
    pages: u32,
}

/// What each route took lately; none until that is known.
fn taken(app: App) -> Memo<Option<Taken>> {
    let now = app.now.get_untracked();
    let from = now.plus_ms(-LATELY.0);
    let figures = Remote::<Figures>::new(format!("/api/v1/analytics?from={}&until={}", from.ms(), now.ms()));
    Memo::new(move |_| {
        let each = |it: &Count| (it.id.clone(), (it.incidents, it.pages));
        figures.with(|figures| figures.routes.iter().map(each).collect())
    })
}
