//! A message that is tried: how it is read, which routes are asked and why each takes it or not, and whom that pages.

use super::draft::Draft;
use crate::{
    browser::zone,
    components::{
        field::{choice, segments},
        icon::{Icon, icon},
    },
    pages::{
        incident::{route_step, severity_reason},
        integrations::preview,
        policy_editor::gantt,
        rehearsal::{self, Arrival, Ask, Routed, Told, Tried},
    },
    state::App,
    text::{policies, routes as t, senders, words},
};
use leptos::prelude::*;
use shared::{
    Action, Delay, IntegrationId, Timestamp,
    config::Finding,
    text::{Names, Voice, span},
};

/// How long nobody answers.
const LENGTH: Delay = Delay::mins(180);
const SAMPLE: &str = "[P0][PROBLEM][db-07][10.8.3.21][host is down]";
/// A sender without settings.
const OTHER: &str = "trial";
/// As on the wall of somebody who was just woken.
const NIGHT: (i8, i8) = (3, 12);

/// What was typed; it stays while the tree is loaded anew.
#[derive(Clone, Copy)]
pub(super) struct Typed {
    body: RwSignal<String>,
    sender: RwSignal<String>,
    /// `draft` or `stored`.
    routes: RwSignal<&'static str>,
    /// `now` or `night`.
    when: RwSignal<&'static str>,
    /// The message that is tried, once one is.
    tried: RwSignal<Option<(String, Timestamp)>>,
}

impl Typed {
    pub(super) fn new(_: App) -> Self {
        Self {
            body: RwSignal::new(SAMPLE.to_owned()),
            sender: RwSignal::new(OTHER.to_owned()),
            routes: RwSignal::new("draft"),
            when: RwSignal::new("now"),
            tried: RwSignal::new(None),
        }
    }
}

pub(super) fn card(app: App, draft: Draft, arrival: RwSignal<Arrival>, typed: Typed) -> impl IntoView {
    let l = app.l();
    let clock_zone = move || draft.zone().unwrap_or_else(zone::own);
    let try_it = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let now = app.now.get_untracked();
        let (hour, minute) = NIGHT;
        let night = Ask::Clock { zone: clock_zone(), after: now, weekday: None, hour, minute };
        let at = match (typed.when.get_untracked(), rehearsal::ask(night)) {
            ("night", Some(Told::At(Some(at)))) => at,
            _ => now,
        };
        typed.tried.set(Some((typed.body.get_untracked(), at)));
    };
    let mut options = vec![(OTHER.to_owned(), t::sender_other(l))];
    options.extend(draft.known(|known| {
        let name =
            |it: &crate::pages::sections::Named| if it.name.is_empty() { it.id.clone() } else { it.name.clone() };
        known.integrations.iter().map(|it| (it.id.clone(), name(it))).collect::<Vec<_>>()
    }));
    let result = move || {
        let (body, at) = typed.tried.get()?;
        // The draft that is tried is the one the engine has looked at.
        draft.reviews.track();
        let routes = if typed.routes.get() == "draft" { draft.routes() } else { draft.stored() };
        let integration = IntegrationId::from(typed.sender.get().as_str());
        let ask = Ask::Message { document: draft.document(), routes, integration, body, at, length: LENGTH };
        Some(match rehearsal::ask(ask)? {
            Told::Tried(tried) => told(app, draft, &tried, at, &clock_zone()),
            Told::Refused(findings) => refused(app, findings),
            Told::Sent(_) | Told::Reviewed(_) | Told::At(_) => ().into_any(),
        })
    };
    let waits = move || arrival.get() != Arrival::Here;
    view! {
        <section class="card stack" data-testid="routes-trial">
            <h2>{t::trial(l)}</h2>
            <p class="hint">{t::trial_lead(l)}</p>
            <form class="stack" on:submit=try_it>
                <div class="field">
                    <label for="trial-body">{t::trial_body(l)}</label>
                    <textarea id="trial-body" class="code" rows="3" spellcheck="false" autocapitalize="off"
                        prop:value=move || typed.body.get() on:input=move |event| typed.body.set(event_target_value(&event))></textarea>
                </div>
                {choice("trial-sender".to_owned(), t::sender(l), options, move || typed.sender.get(), move |id| typed.sender.set(id))}
                <div class="row-fields">
                    {segments(t::by_which(l), vec![("draft", t::by_draft(l)), ("stored", t::by_stored(l))], move || typed.routes.get(), move |it| typed.routes.set(it))}
                    {segments(t::at_when(l), vec![("now", t::at_now(l)), ("night", t::at_night(l))], move || typed.when.get(), move |it| typed.when.set(it))}
                </div>
                <div class="form-end"><button class="btn primary" disabled=waits>{t::try_it(l)}</button></div>
            </form>
            <div class="stack" aria-live="polite" data-testid="trial-result">{result}</div>
        </section>
    }
}

fn told(app: App, draft: Draft, tried: &Tried, at: Timestamp, zone_name: &str) -> AnyView {
    let l = app.l();
    let members = tried.read.events.iter().zip(&tried.members).map(|(event, routed)| {
        let way = if event.action == Action::Resolve {
            view! { <p class="notice">{t::recovery(l)}</p> }.into_any()
        } else {
            way(app, routed)
        };
        view! { {preview::one(app, &tried.read.text, event)}{way} }
    });
    let rejected = tried.read.rejected.iter().map(|reason| {
        view! { <p class="notice bad">{icon(Icon::Warning)}<span><strong>{senders::would_be_refused(l)}</strong> " " {words::reject(l, reason)}</span></p> }
    });
    let fires = tried.read.events.iter().any(|event| event.action == Action::Trigger);
    let pages = fires.then(|| {
        let then = zone::civil(zone_name, at.0);
        let starting = policies::starting(l, &format!("{} {}", then.date(l), then.short_time()), zone_name);
        let picture = if tried.sent.is_empty() {
            view! { <p class="notice bad" role="alert">{policies::nobody(l)}</p> }.into_any()
        } else {
            gantt::picture(app, &draft.names(), at, zone_name, &tried.sent)
        };
        view! { <h3>{t::pages(l)}</h3><p class="muted">{starting}</p>{picture} }
    });
    view! { {members.collect_view()}{rejected.collect_view()}{pages} }.into_any()
}

/// The routes in the order in which they are asked, and what comes of it.
fn way(app: App, routed: &Routed) -> AnyView {
    let l = app.l();
    let trace = routed.trace.iter().map(|step| {
        let policy = step.policy.as_ref().map(|policy| format!(" → {policy}")).unwrap_or_default();
        route_step(l, format!("{}{policy}", step.route).into_any(), step)
    });
    let trace = trace.collect_view();
    // It is the draft that speaks, of which no version is kept.
    let names = Names::new();
    let severity = severity_reason(l, &Voice::plainly(l, &names), &routed.severity, "", None);
    let urgent = routed.severity.severity().is_urgent();
    let policies = match routed.policies.as_slice() {
        [] if urgent => t::to_fallback(l),
        [] => t::to_nobody(l),
        list => list.iter().map(|it| it.as_str()).collect::<Vec<_>>().join(", "),
    };
    let holds = routed.holds.iter().map(|(policy, hold)| t::waits_hold(l, policy.as_str(), &span(l, hold.0)));
    let muted = routed.muted.iter().map(|(policy, until)| t::waits_until(l, policy.as_str(), &app.clock_time(*until)));
    let waits: Vec<String> = holds.chain(muted).collect();
    let notes: Vec<String> = routed.annotations.iter().map(|(name, text)| format!("{name}: {text}")).collect();
    let list = |items: Vec<String>| (!items.is_empty()).then(|| items.join(" · "));
    let facts = [
        (t::severity(l), Some(severity)),
        (t::to_policies(l), Some(policies)),
        (t::team(l), routed.team.as_ref().map(|team| team.0.clone())),
        (t::joins(l), Some(routed.group.clone().unwrap_or_else(|| t::alone(l)))),
        (t::waits(l), list(waits)),
        (
            t::stale_after(l),
            routed.stale_after.as_ref().map(|(route, after)| t::stale_by(l, &span(l, after.0), route.as_str())),
        ),
        (t::annotations(l), list(notes)),
    ];
    let facts =
        facts.into_iter().filter_map(|(name, value)| Some(view! { <div><dt>{name}</dt><dd>{value?}</dd></div> }));
    view! {
        <div><h3>{t::routes_tried(l)}</h3><ul class="trace" data-testid="trial-trace">{trace}</ul></div>
        <div><h3>{t::becomes(l)}</h3><dl class="facts-grid small" data-testid="trial-facts">{facts.collect_view()}</dl></div>
    }
    .into_any()
}

fn refused(app: App, findings: Vec<Finding>) -> AnyView {
    let rows = findings.into_iter().map(|it| view! { <li><code class="mono">{it.path}</code> " " {it.message}</li> });
    view! {
        <div class="notice bad" role="alert"><div><strong>{policies::refused(app.l())}</strong><ul>{rows.collect_view()}</ul></div></div>
    }
    .into_any()
}
