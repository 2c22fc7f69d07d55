//! The proof: every rule that was asked, every target of every level, and who was left out.

use crate::{
    components::{
        icon::{Icon, icon},
        nouns::{said, say},
        time::wall,
    },
    incident::chain::{Chain, LevelRun},
    state::{App, Load, Remote},
    text::{frame, incident as t},
};
use leptos::prelude::*;
use shared::{
    IncidentId, Timestamp,
    api::Why,
    config::Language,
    text::Names,
    timeline::{RouteStep, TargetResult},
};

pub(super) fn details(app: App, id: IncidentId, found: Memo<Option<(Chain, Names, String)>>) -> impl IntoView {
    let l = app.l();
    let asked = Remote::<Why>::idle(format!("/api/v1/incidents/{id}/why"));
    let open = RwSignal::new(false);
    let toggled = move |_| {
        if !open.get_untracked() {
            asked.reload();
        }
        open.update(|open| *open = !*open);
    };
    let content = move || {
        let (chain, names, _) = found.get()?;
        open.get().then(|| {
            view! {
                <div class="proof">
                    <div><h3>{t::routes_asked(l)}</h3><ul class="trace">{chain.trace.iter().map(|step| route(app, chain.asked, step)).collect_view()}</ul></div>
                    <div><h3>{t::targets(l)}</h3>{chain.levels.iter().map(|run| level(app, &names, run)).collect_view()}</div>
                    <div><h3>{t::not_paged(l)}</h3>{move || not_paged(l, asked)}</div>
                    <div>
                        <h3>{t::proof_file(l)}</h3>
                        <p class="hint">{t::proof_file_is(l)}</p>
                        <a class="btn small" data-testid="proof-file" href=format!("/api/v1/proof?incident={id}") download=format!("tocsin-proof-{id}.ndjson")>
                            {t::proof_file_get(l)}
                        </a>
                    </div>
                </div>
            }
        })
    };
    view! {
        <button type="button" class="btn ghost small" aria-expanded=move || open.get().to_string() on:click=toggled>
            {t::proof(l)}
        </button>
        {content}
    }
}

/// What one rule of the tree said, and which version of it.
fn route(app: App, (at, version): (Timestamp, Option<i64>), step: &RouteStep) -> impl IntoView + use<> {
    let names = Names::new();
    let named = say(app, &names, at, &|voice| {
        let policy = step.policy.as_ref().map(|policy| format!(" → {}", voice.policy(policy, version, None)));
        voice.route(&step.route, version) + &policy.unwrap_or_default()
    });
    route_step(app.l(), named, step)
}

/// What one rule of the tree said, under the name it is shown by.
pub(crate) fn route_step(l: Language, named: AnyView, step: &RouteStep) -> impl IntoView + use<> {
    let failed = step.failed.as_ref().map(|failed| match &failed.value {
        Some(value) => t::failed_on(l, &failed.condition, value),
        None => t::failed_absent(l, &failed.condition),
    });
    let muted = step.muted.as_ref().map(|muted| match muted.until {
        Some(until) => view! { "· " {t::waits(l)} " → " {wall(until)} " " }.into_any(),
        None => view! { "· " {t::waits_for_ever(l)} " " }.into_any(),
    });
    let goes_on = (step.matched && step.continues).then(|| t::goes_on(l));
    let words = if step.matched { t::matched(l) } else { t::not_matched(l) };
    view! {
        <li class:yes=step.matched style:--depth=step.depth.to_string()>
            {icon(if step.matched { Icon::Check } else { Icon::Cross })}
            <span class="mono">{named}</span>
            <small>{words} {failed.map(|failed| format!(": {failed}"))} " " {muted} {goes_on}</small>
        </li>
    }
}

fn level(app: App, names: &Names, run: &LevelRun) -> impl IntoView + use<> {
    let l = app.l();
    let targets = run.targets.iter().map(|result| target(app, names, run, result)).collect_view();
    let policy = say(app, names, run.at, &|voice| {
        t::policy_level(l, &voice.policy(&run.policy, Some(run.config), Some(run.level)), run.level + 1)
    });
    let unmet = run.unmet.as_ref().map(|why| {
        let words = say(app, names, run.at, &|voice| t::passed_over(l, &shared::text::unmet(voice, why)));
        view! { <li>{icon(Icon::Cross)}<small>{words}</small></li> }
    });
    view! {
        <div class="level-run">
            <p><strong>{policy}</strong> " " {wall(run.at)}</p>
            <ul class="trace">{targets}{unmet}</ul>
        </div>
    }
}

fn target(app: App, names: &Names, run: &LevelRun, result: &TargetResult) -> impl IntoView + use<> {
    let (l, version) = (app.l(), run.in_force);
    let reached = !result.recipients.is_empty();
    let target = say(app, names, run.at, &|voice| voice.target(&result.target, version));
    let who = say(app, names, run.at, &|voice| {
        let who: Vec<String> = result.recipients.iter().map(|to| voice.recipient(to, version)).collect();
        if reached { who.join(", ") } else { t::nobody(l) }
    });
    let skips = say(app, names, run.at, &|voice| {
        let skips = result.skipped.iter().map(|skip| shared::text::skipped(voice, skip, version));
        skips.collect::<Vec<_>>().join("; ")
    });
    view! {
        <li class:yes=reached>
            {icon(if reached { Icon::Check } else { Icon::Cross })}
            <span><span class="mono">{target}</span> " → " {who}</span>
            <small>{skips}</small>
        </li>
    }
}

fn not_paged(l: Language, asked: Remote<Why>) -> AnyView {
    match asked.get() {
        Load::Loading => view! { <p class="muted">{frame::loading(l)}</p> }.into_any(),
        Load::Failed(error) => view! { <p class="bad">{error.sentence(l)}</p> }.into_any(),
        Load::Ready(why) if why.not_paged.is_empty() => {
            view! { <p class="muted">{t::everybody_paged(l)}</p> }.into_any()
        }
        Load::Ready(why) => {
            let people = why.not_paged.into_iter().map(|person| {
                view! { <li><span>{person.name}</span><small>{said(person.pieces)}</small></li> }
            });
            view! { <ul class="trace plain">{people.collect_view()}</ul> }.into_any()
        }
    }
}
