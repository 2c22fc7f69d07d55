//! The tree as it is drawn: each route with what it asks, what it does, what it took, and what is wrong with it.

use super::{
    draft::{Draft, Taken},
    effects, form,
    place::{self, Place},
};
use crate::{
    browser::dom,
    components::{
        icon::{Icon, icon},
        states::empty,
    },
    format,
    pages::{first_run, policies::target_name, rehearsal::Arrival},
    state::App,
    text::{oncall, policies, routes as t},
};
use leptos::prelude::*;
use shared::config::{Finding, Route};

/// For whoever may only look.
pub(super) fn shown(app: App, routes: &[Route], taken: Memo<Option<Taken>>) -> AnyView {
    let l = app.l();
    let nodes = routes.iter().map(|route| looked_at(app, route, true, taken)).collect_view();
    view! {
        <section class="card">
            <ol class="tree">{nodes}{rest(t::rest_unknown(l), ().into_any())}</ol>
        </section>
    }
    .into_any()
}

/// A route of a version that is over, and what hangs below it.
pub(in crate::pages) fn once(app: App, route: &Route) -> AnyView {
    looked_at(app, route, false, Memo::new(|_| None))
}

fn looked_at(app: App, route: &Route, top: bool, taken: Memo<Option<Taken>>) -> AnyView {
    let below = route.routes.iter().map(|child| looked_at(app, child, false, taken)).collect_view();
    view! {
        <li>
            <div class="tree-node">{words(app, route, top)}{count(app, route, taken)}</div>
            {(!route.routes.is_empty()).then(|| view! { <ol>{below}</ol> })}
        </li>
    }
    .into_any()
}

/// For whoever may change it.
pub(super) fn editor(app: App, draft: Draft, taken: Memo<Option<Taken>>, arrival: RwSignal<Arrival>) -> impl IntoView {
    let l = app.l();
    let add = move |_| {
        let added = draft.reshape(|routes| place::add_after(routes, &[]));
        draft.open.set(added);
        request_animation_frame(|| dom::focus("#route-id"));
    };
    let whole = move || {
        draft.shape.track();
        let routes = draft.routes();
        if routes.is_empty() && draft.stored().is_empty() {
            return empty(oncall::no_routes(l), first_run::below(app));
        }
        let nodes = nodes(app, draft, &routes, &Place::new(), taken);
        view! { <ol class="tree">{nodes}{rest(fallback(app, draft), unmatched(draft))}</ol> }.into_any()
    };
    view! {
        <section class="card stack" data-testid="routes-tree">
            <div class="card-head">
                <button type="button" class="btn small" aria-label=t::add_first(l) on:click=add>{icon(Icon::Plus)}{t::add(l)}</button>
            </div>
            {move || absent(app, arrival)}
            {whole}
            {move || elsewhere(app, draft)}
        </section>
    }
}

/// What is said while there is nobody to check it.
fn absent(app: App, arrival: RwSignal<Arrival>) -> AnyView {
    let l = app.l();
    match arrival.get() {
        Arrival::Here => ().into_any(),
        Arrival::Awaited => view! { <p class="hint" role="status">{t::checking(l)}</p> }.into_any(),
        Arrival::Missing => view! {
            <p class="notice warn" role="alert">{icon(Icon::Warning)}<span>{t::unchecked(l)}</span>
                <button type="button" class="btn small" on:click=move |_| crate::pages::rehearsal::fetch(arrival)>{t::again(l)}</button>
            </p>
        }
        .into_any(),
    }
}

fn nodes(app: App, draft: Draft, routes: &[Route], above: &[usize], taken: Memo<Option<Taken>>) -> AnyView {
    let count = routes.len();
    let each = routes.iter().enumerate().map(|(number, route)| {
        let mut here = above.to_vec();
        here.push(number);
        node(app, draft, route, here, count, taken)
    });
    each.collect_view().into_any()
}

fn node(app: App, draft: Draft, route: &Route, here: Place, siblings: usize, taken: Memo<Option<Taken>>) -> AnyView {
    let below = (!route.routes.is_empty()).then(|| {
        let nodes = nodes(app, draft, &route.routes, &here, taken);
        view! { <ol>{nodes}</ol> }
    });
    let top = here.len() == 1;
    let place = StoredValue::new(here.clone());
    let at = move || place.get_value();
    let said = Memo::new(move |_| {
        draft.edits.track();
        draft.route(&at())
    });
    let found = Memo::new(move |_| {
        said.track();
        draft.found_at(&at())
    });
    let is_open = Memo::new(move |_| draft.open.with(|open| open.as_ref() == Some(&at())));
    let row = move || {
        said.get()
            .map(|route| view! { <div class="tree-words">{words(app, &route, top)}{count(app, &route, taken)}</div> })
    };
    let lints = move || {
        let open = is_open.get();
        let found = found.get().into_iter();
        // The fields of an open form say themselves what is wrong with them.
        found.filter(|(field, _)| !open || !form::says(field)).map(|(field, it)| lint(&field, it)).collect_view()
    };
    let form = move || is_open.get().then(|| form::form(app, draft, at(), found));
    view! {
        <li>
            <div class="tree-node" class:open=is_open data-testid=format!("route-{}", route.id)>
                {row}
                {buttons(app, draft, here, siblings, said, is_open)}
                <div class="tree-lints">{lints}</div>
                {form}
            </div>
            {below}
        </li>
    }
    .into_any()
}

fn words(app: App, route: &Route, top: bool) -> AnyView {
    let l = app.l();
    view! {
        <strong class="mono">{route.id.to_string()}</strong>
        <span class="label-pairs">{effects::conditions(l, route)}</span>
        {effects::destination(l, route, top)}
        <span class="tree-effects">{effects::effects(app, route)}</span>
    }
    .into_any()
}

/// What it took lately. A route without a policy that leads nowhere is not counted by anybody.
fn count(app: App, route: &Route, taken: Memo<Option<Taken>>) -> impl IntoView + use<> {
    let l = app.l();
    let (id, leads) = (route.id.to_string(), route.policy.is_some() && route.routes.is_empty());
    move || {
        let found = taken.with(|taken| taken.as_ref().map(|taken| taken.get(&id).copied()))?;
        let words = match found {
            Some((incidents, pages)) => {
                t::took(l, &format::grouped(u64::from(incidents)), &format::grouped(u64::from(pages)))
            }
            None if leads => t::took_none(l),
            None => return None,
        };
        Some(view! { <small class="muted tree-count">{words}</small> })
    }
}

fn lint(field: &str, finding: Finding) -> impl IntoView + use<> {
    let class = if finding.fatal { "tree-lint bad" } else { "tree-lint warn-text" };
    let field = (!field.is_empty()).then(|| view! { <code class="mono">{field.to_owned()}</code> " " });
    view! { <p class=class>{icon(Icon::Warning)}<span>{field}{finding.message}</span></p> }
}

fn buttons(
    app: App,
    draft: Draft,
    here: Place,
    siblings: usize,
    said: Memo<Option<Route>>,
    is_open: Memo<bool>,
) -> impl IntoView {
    let l = app.l();
    let number = here.last().copied().unwrap_or_default();
    let key = here.iter().map(ToString::to_string).collect::<Vec<_>>().join("-");
    let here = StoredValue::new(here);
    let name = move || said.get().map(|route| route.id.0).unwrap_or_default();
    let (first, last) = (number == 0, number + 1 == siblings);
    let moved = move |change: fn(&mut Vec<Route>, &[usize]) -> Option<Place>, button: &'static str| {
        if (button == "up" && first) || (button == "down" && last) {
            return;
        }
        let now = draft.reshape(|routes| change(routes, &here.get_value()));
        // Whoever moves it by keyboard goes on with the same route.
        if let Some(now) = now {
            let key = now.iter().map(ToString::to_string).collect::<Vec<_>>().join("-");
            request_animation_frame(move || dom::focus(&format!("#move-{button}-{key}")));
        }
    };
    let toggle = move |_| {
        let place = here.get_value();
        draft.open.update(|open| *open = if open.as_ref() == Some(&place) { None } else { Some(place) });
    };
    view! {
        <span class="tree-buttons">
            <button type="button" class="btn small ghost" id=format!("move-up-{key}") aria-label=move || t::up(l, &name())
                aria-disabled=first.to_string() on:click=move |_| moved(place::up, "up")>"↑"</button>
            <button type="button" class="btn small ghost" id=format!("move-down-{key}") aria-label=move || t::down(l, &name())
                aria-disabled=last.to_string() on:click=move |_| moved(place::down, "down")>"↓"</button>
            <button type="button" class="btn small" aria-label=move || t::edit(l, &name())
                aria-expanded=move || is_open.get().to_string() on:click=toggle>
                {move || if is_open.get() { t::done(l) } else { policies::edit(l) }}
            </button>
        </span>
    }
}

/// Where whatever no route takes ends.
fn rest(words: String, findings: AnyView) -> impl IntoView {
    let l = App::here().l();
    view! {
        <li>
            <div class="tree-node tree-rest" data-testid="route-rest">
                <strong>{t::rest(l)}</strong><span>{words}</span><div class="tree-lints">{findings}</div>
            </div>
        </li>
    }
}

fn fallback(app: App, draft: Draft) -> String {
    let l = app.l();
    let names = draft.names();
    let targets = draft.known(|known| known.fallback.clone());
    let who: Vec<String> = targets.iter().map(|target| target_name(&names, target)).collect();
    if who.is_empty() { t::rest_nobody(l) } else { t::rest_fallback(l, &who.join(", ")) }
}

/// What the check says of alerts that no route takes.
fn unmatched(draft: Draft) -> AnyView {
    (move || draft.found_elsewhere().0.into_iter().map(|it| lint("", it)).collect_view()).into_any()
}

/// What the draft brings about outside of the routes.
fn elsewhere(app: App, draft: Draft) -> Option<AnyView> {
    let found = draft.found_elsewhere().1;
    if found.is_empty() {
        return None;
    }
    let rows = found.into_iter().map(|it| lint(&it.path.clone(), it)).collect_view();
    Some(
        view! { <div class="tree-lints" role="status"><strong>{t::elsewhere(app.l())}</strong>{rows}</div> }.into_any(),
    )
}
