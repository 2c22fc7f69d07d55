//! What a route asks for and what it does, in words.

use crate::{
    components::{
        badge::badge,
        icon::{Icon, icon},
    },
    format,
    state::App,
    text::{oncall, routes as t},
};
use leptos::prelude::*;
use shared::{
    WindowId,
    config::{Condition, Group, Language, Operator, Route, StaleAction},
    text::span,
};

/// A comparison in words.
pub(super) fn operator(l: Language, operator: Operator) -> String {
    match operator {
        Operator::Equal => t::is(l),
        Operator::NotEqual => t::is_not(l),
        Operator::Like => t::like(l),
        Operator::NotLike => t::not_like(l),
        Operator::In => t::within(l),
        Operator::NotIn => t::not_within(l),
    }
}

/// What must hold for a route to take an alert.
pub(super) fn conditions(l: Language, route: &Route) -> AnyView {
    if route.matches.is_empty() {
        return view! { <span class="muted">{oncall::everything(l)}</span> }.into_any();
    }
    route.matches.iter().map(|text| condition(l, text)).collect_view().into_any()
}

fn condition(l: Language, text: &str) -> AnyView {
    let Ok(Condition { field, operator: comparison, value }) = Condition::split(text) else {
        return view! { <code class="label-pair mono">{text.to_owned()}</code> }.into_any();
    };
    let value = if value.is_empty() { t::absent(l) } else { value.to_owned() };
    view! {
        <span class="label-pair condition-words" title=text.to_owned()>
            <span class="mono">{field.to_owned()}</span> " " <em>{operator(l, comparison)}</em> " " <strong class="mono">{value}</strong>
        </span>
    }
    .into_any()
}

/// Where it sends what it takes.
pub(super) fn destination(l: Language, route: &Route, top: bool) -> impl IntoView + use<> {
    let policy = match &route.policy {
        Some(policy) => view! { <a href="/policies">{policy.to_string()}</a> }.into_any(),
        None if top => view! { <span class="muted">{t::no_policy(l)}</span> }.into_any(),
        None => view! { <span class="muted">{oncall::inherits(l)}</span> }.into_any(),
    };
    let team = route.team.as_ref().map(|team| view! { <span class="muted">{oncall::team_is(l, team.as_str())}</span> });
    view! { <span class="tree-to">{icon(Icon::Arrow)}{policy}{team}</span> }
}

/// Everything else it does.
pub(super) fn effects(app: App, route: &Route) -> AnyView {
    let l = app.l();
    let severity = route
        .severity
        .map(|severity| view! { <span class="tree-sets">{oncall::sets_level(l)} {badge(l, severity)}</span> });
    let notes = notes(l, route).into_iter().map(|note| view! { <span class="chip">{note}</span> }).collect_view();
    let annotations = route.annotations.iter().map(|(name, text)| {
        if format::is_web_link(text) {
            view! { <a class="chip" href=text.clone() rel="noreferrer">{name.clone()}</a> }.into_any()
        } else {
            view! { <span class="chip" title=text.clone()>{name.clone()}</span> }.into_any()
        }
    });
    let goes_on = route.continues.then(|| view! { <span class="chip new">{oncall::continues(l)}</span> });
    view! { {severity}{notes}{annotations.collect_view()}{goes_on} }.into_any()
}

fn notes(l: Language, route: &Route) -> Vec<String> {
    let windows = |ids: &[WindowId]| ids.iter().map(WindowId::as_str).collect::<Vec<_>>().join(", ");
    let mut notes: Vec<String> = route.group.iter().map(|group| grouped(l, group)).collect();
    notes.extend(route.hold.map(|hold| t::holds(l, &span(l, hold.0))));
    notes.extend(route.hold_p0.map(|hold| t::holds_p0(l, &span(l, hold.0))));
    notes.extend(route.active.as_deref().map(|ids| match ids {
        [] => t::always_active(l),
        ids => t::active_in(l, &windows(ids)),
    }));
    notes.extend(route.mute.as_deref().map(|ids| match ids {
        [] => t::never_muted(l),
        ids => t::muted_in(l, &windows(ids)),
    }));
    notes.extend(route.stale_after.map(|after| match after.0 {
        0 => t::never_stale(l),
        ms => t::stale_in(l, &span(l, ms)),
    }));
    notes.extend(route.stale.map(|action| match action {
        StaleAction::Mark => t::stale_marks(l),
        StaleAction::Resolve => t::stale_closes(l),
    }));
    notes
}

fn grouped(l: Language, group: &Group) -> String {
    let window = span(l, group.window.0);
    if group.by.is_empty() { t::grouped_all(l, &window) } else { t::grouped(l, &group.by.join(", "), &window) }
}
