//! Escalation policies, each drawn as the flow it is.

use crate::{
    components::{
        icon::{Icon, icon},
        page::page_head,
        states::{empty, loaded},
    },
    pages::{
        first_run,
        policy_editor::{self, Edited},
    },
    state::{App, Remote},
    text::{frame, oncall as t, policies as words},
};
use leptos::prelude::*;
use shared::{
    PersonId,
    api::{List, Role},
    config::{Level, Policy, Target},
};
use std::collections::BTreeMap;

pub(crate) fn page() -> impl IntoView {
    let app = App::here();
    let l = app.l();
    let policies = Remote::<List<Policy>>::new("/api/v1/policies");
    let edited = RwSignal::new(None::<Edited>);
    let close = Callback::new(move |applied: bool| {
        edited.set(None);
        if applied {
            policies.reload();
        }
    });
    let make = (app.role() == Role::Admin).then(|| {
        let new = move |_| edited.set(Some(Edited::New));
        view! { <button type="button" class="btn" on:click=new>{icon(Icon::Plus)}{words::new(l)}</button> }
    });
    let body = loaded(frame::policies(l), policies, 8, move |list| {
        if list.items.is_empty() {
            return empty(t::no_policies(l), first_run::below(app));
        }
        let names = app.names();
        view! { <div class="flows">{list.items.iter().map(|policy| flow(app, &names, policy, Some(edited))).collect_view()}</div> }
            .into_any()
    });
    view! {
        <div class="page">
            {page_head(frame::policies(l), t::policies_lead(l), view! { {make}{super::routes::where_to_change(app)} }.into_any())}
            {move || match edited.get() {
                Some(edited) => policy_editor::editor(app, edited, close),
                None => ().into_any(),
            }}
            <div hidden=move || edited.get().is_some()>{body}</div>
        </div>
    }
}

/// A target in words, with a person's name where it is known.
pub(crate) fn target_name(names: &BTreeMap<PersonId, String>, target: &Target) -> String {
    let name = if let Target::Person(id) = target { names.get(id).map(String::as_str) } else { None };
    t::target(App::here().l(), target, name)
}

/// A policy as the flow it is, with a way to change it where there is one.
pub(super) fn flow(
    app: App,
    names: &BTreeMap<PersonId, String>,
    policy: &Policy,
    edited: Option<RwSignal<Option<Edited>>>,
) -> AnyView {
    let l = app.l();
    let name = if policy.name.is_empty() { policy.id.to_string() } else { policy.name.clone() };
    let mut waited = 0;
    let last = policy.levels.len();
    let levels = policy.levels.iter().enumerate().map(|(index, level)| {
        let start = waited;
        waited += level.delay.0;
        step(app, names, index, level, start, index + 1 < last || policy.repeat > 0)
    });
    let levels = levels.collect_view();
    let end = match policy.repeat {
        0 => t::ends(l),
        1 => t::repeat_once(l),
        n => t::repeat(l, n),
    };
    let id = policy.id.clone();
    let edit = edited.filter(|_| app.role() == Role::Admin).map(|edited| {
        let open = move |_| edited.set(Some(Edited::Known(id.clone())));
        view! { <button type="button" class="btn small" on:click=open>{words::edit(l)}</button> }
    });
    view! {
        <section class="card flow">
            <div class="card-head"><h2>{name}</h2><span class="mono muted">{policy.id.to_string()}</span>{edit}</div>
            <ol>{levels}</ol>
            <p class="flow-end">{icon(if policy.repeat > 0 { Icon::Undo } else { Icon::Bell })}{end}</p>
        </section>
    }
    .into_any()
}

fn step(
    app: App,
    names: &BTreeMap<PersonId, String>,
    index: usize,
    level: &Level,
    start_ms: i64,
    goes_on: bool,
) -> impl IntoView + use<> {
    let l = app.l();
    let when = if start_ms == 0 { t::at_once(l) } else { format!("+{}", shared::text::span(l, start_ms)) };
    let targets = level.notify.iter().map(|target| {
        let sign = match target {
            Target::Person(_) | Target::Team(_) => Icon::Hand,
            Target::Schedule(_) => Icon::OnCall,
            Target::Webhook(_) => Icon::Plug,
        };
        view! { <li>{icon(sign)}{target_name(names, target)}</li> }
    });
    let notes = t::level_notes(l, level);
    let wait = goes_on.then(
        || view! { <p class="flow-wait">{icon(Icon::Clock)}{t::wait(l, &shared::text::span(l, level.delay.0))}</p> },
    );
    view! {
        <li>
            <div class="flow-level">
                <p><strong>{t::level(l, index + 1)}</strong><small class="muted">{when}</small></p>
                {(!notes.is_empty()).then(|| view! { <p class="muted"><small>{notes.join(" · ")}</small></p> })}
                <ul>{targets.collect_view()}</ul>
            </div>
            {wait}
        </li>
    }
}
