//! The routing tree, drawn as a tree.

use crate::{
    components::{
        badge::badge,
        icon::{Icon, icon},
        page::page_head,
        states::{empty, loaded},
    },
    pages::first_run,
    state::{App, Remote},
    text::{frame, oncall as t},
};
use leptos::prelude::*;
use shared::{
    api::{List, Role},
    config::Route,
};

pub(crate) fn page() -> impl IntoView {
    let app = App::here();
    let l = app.l();
    let routes = Remote::<List<Route>>::new("/api/v1/routes");
    let body = loaded(frame::routes(l), routes, 8, move |list| {
        if list.items.is_empty() {
            return empty(t::no_routes(l), first_run::below(app));
        }
        view! { <section class="card"><ul class="tree">{list.items.iter().map(|route| node(app, route)).collect_view()}</ul></section> }.into_any()
    });
    view! {
        <div class="page">
            {page_head(frame::routes(l), t::routes_lead(l), where_to_change(app))}
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

/// A route and what hangs below it.
pub(super) fn node(app: App, route: &Route) -> AnyView {
    let l = app.l();
    let conditions = if route.matches.is_empty() {
        view! { <span class="muted">{t::everything(l)}</span> }.into_any()
    } else {
        route
            .matches
            .iter()
            .map(|condition| view! { <code class="label-pair mono">{condition.clone()}</code> })
            .collect_view()
            .into_any()
    };
    let policy = match &route.policy {
        Some(policy) => view! { <a href="/policies">{policy.0.clone()}</a> }.into_any(),
        None => view! { <span class="muted">{t::inherits(l)}</span> }.into_any(),
    };
    let severity =
        route.severity.map(|severity| view! { <span class="tree-sets">{t::sets_level(l)} {badge(l, severity)}</span> });
    let goes_on = route.continues.then(|| view! { <span class="chip">{t::continues(l)}</span> });
    let children = route.routes.iter().map(|child| node(app, child)).collect_view();
    view! {
        <li>
            <div class="tree-node">
                <strong class="mono">{route.id.0.clone()}</strong>
                <span class="label-pairs">{conditions}</span>
                <span class="tree-to">{icon(Icon::Arrow)}{policy}{route.team.as_ref().map(|team| view! { <span class="muted">{t::team_is(l, team.as_str())}</span> })}</span>
                {severity}
                {goes_on}
            </div>
            {(!route.routes.is_empty()).then(|| view! { <ul>{children}</ul> })}
        </li>
    }
    .into_any()
}
