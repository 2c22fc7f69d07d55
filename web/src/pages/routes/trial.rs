//! A message that is tried: how it is read, which routes are asked and why each takes it or not, and whom that pages.

use super::draft::Draft;
use crate::{
    api::{self, ApiError},
    browser::zone,
    components::{
        field::{choice, segments},
        icon::{Icon, icon},
    },
    format::civil::Civil,
    pages::{
        incident::{route_step, severity_reason},
        integrations::preview,
        policy_editor::gantt,
        rehearsal::{self, Arrival, Ask, Told},
        sections::{self, Named},
    },
    state::{App, Remote},
    text::{policies, routes as t, senders, words},
};
use leptos::{prelude::*, task::spawn_local};
use shared::{
    Action, Delay, IntegrationId, PersonId, Timestamp,
    api::{List, Moment, Rehearsal, RehearsalRequest, RehearsedMember},
    config::Finding,
    text::{Names, Voice, span},
};
use std::collections::BTreeMap;

/// How long nobody answers.
const LENGTH: Delay = Delay::mins(180);
const SAMPLE: &str = "[P0][PROBLEM][db-07][10.8.3.21][host is down]";
/// A sender without settings.
const OTHER: &str = "trial";
/// As on the wall of somebody who was just woken.
const NIGHT: (u32, u32) = (3, 12);
const DAY_MS: i64 = 86_400_000;

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

    fn integration(self) -> IntegrationId {
        IntegrationId::from(self.sender.get().as_str())
    }

    /// When it arrives: now, or at night on the clock of a zone.
    fn moment(self, app: App, zone_name: &str) -> Timestamp {
        let now = app.now.get_untracked();
        if self.when.get_untracked() != "night" {
            return now;
        }
        let (hour, minute) = NIGHT;
        let tonight = Civil { hour, minute, second: 0, ..zone::civil(zone_name, now.ms()) };
        let nights = [0, 1].map(|days| zone::instant(zone_name, Civil::from_ms(tonight.to_ms() + days * DAY_MS)));
        Timestamp::from_ms(nights.into_iter().find(|at| *at > now.ms()).unwrap_or(now.ms()))
    }
}

/// For administrators: by their draft or what is in force, asked of the engine in the browser.
pub(super) fn card(app: App, draft: Draft, arrival: RwSignal<Arrival>, typed: Typed) -> impl IntoView {
    let l = app.l();
    let clock_zone = move || draft.zone().unwrap_or_else(zone::own);
    let try_it = move || typed.tried.set(Some((typed.body.get_untracked(), typed.moment(app, &clock_zone()))));
    let senders = draft.known(|known| sender_options(app, &known.integrations));
    let result = move || {
        let (body, at) = typed.tried.get()?;
        // The draft that is tried is the one the engine has looked at.
        draft.reviews.track();
        let routes = if typed.routes.get() == "draft" { draft.routes() } else { draft.stored() };
        let integration = typed.integration();
        let ask = Ask::Message { document: draft.document(), routes, integration, body, at, length: LENGTH };
        Some(match rehearsal::ask(ask)? {
            Told::Tried(tried) => told(app, &draft.names(), &tried, &clock_zone()),
            Told::Refused(findings) => refused(app, findings),
            Told::Sent(_) | Told::Reviewed(_) | Told::At(_) => ().into_any(),
        })
    };
    let by_which = segments(
        t::by_which(l),
        vec![("draft", t::by_draft(l)), ("stored", t::by_stored(l))],
        move || typed.routes.get(),
        move |it| typed.routes.set(it),
    );
    let waits = Signal::derive(move || arrival.get() != Arrival::Here);
    form(app, typed, sender(app, typed, senders), Some(by_which), waits, try_it, result)
}

/// For everybody else: by what is in force, asked of the server.
pub(super) fn for_readers(app: App) -> impl IntoView {
    let typed = Typed::new(app);
    let senders = Remote::<List<Named>>::new("/api/v1/integrations");
    let people = Remote::<List<Named>>::new("/api/v1/people");
    let answer = RwSignal::new(None::<Result<Rehearsal, ApiError>>);
    let asking = RwSignal::new(false);
    let try_it = move || {
        let request = RehearsalRequest {
            message: Some(typed.body.get_untracked()),
            integration: Some(untrack(|| typed.integration())),
            at: Some(Moment::At(typed.moment(app, ""))),
            length: Some(LENGTH),
            ..RehearsalRequest::default()
        };
        asking.set(true);
        spawn_local(async move {
            let told = api::post::<Rehearsal>("/api/v1/rehearsal", &request).await;
            asking.try_set(false);
            answer.try_set(Some(told));
        });
    };
    let options = move || {
        let known = senders.with(|list| sender_options(app, &list.items));
        sender(app, typed, known.unwrap_or_else(|| sender_options(app, &[])))
    };
    let result = move || {
        let names = people.with(|list| sections::names(&list.items)).unwrap_or_default();
        answer.with(|answer| {
            Some(match answer.as_ref()? {
                Ok(tried) => told(app, &names, tried, &zone::own()),
                Err(error) => view! { <p class="notice bad" role="alert">{error.sentence(app.l())}</p> }.into_any(),
            })
        })
    };
    form(app, typed, options.into_any(), None, asking.into(), try_it, result)
}

fn sender_options(app: App, known: &[Named]) -> Vec<(String, String)> {
    let name = |it: &Named| if it.name.is_empty() { it.id.clone() } else { it.name.clone() };
    let other = (OTHER.to_owned(), t::sender_other(app.l()));
    std::iter::once(other).chain(known.iter().map(|it| (it.id.clone(), name(it)))).collect()
}

fn sender(app: App, typed: Typed, options: Vec<(String, String)>) -> AnyView {
    let set = move |id| typed.sender.set(id);
    choice("trial-sender".to_owned(), t::sender(app.l()), options, move || typed.sender.get(), set).into_any()
}

fn form(
    app: App,
    typed: Typed,
    sender: AnyView,
    by_which: Option<AnyView>,
    waits: Signal<bool>,
    try_it: impl Fn() + 'static,
    result: impl Fn() -> Option<AnyView> + Send + 'static,
) -> AnyView {
    let l = app.l();
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        try_it();
    };
    view! {
        <section class="card stack" data-testid="routes-trial">
            <h2>{t::trial(l)}</h2>
            <p class="hint">{t::trial_lead(l)}</p>
            <form class="stack" on:submit=submit>
                <div class="field">
                    <label for="trial-body">{t::trial_body(l)}</label>
                    <textarea id="trial-body" class="code" rows="3" spellcheck="false" autocapitalize="off"
                        prop:value=move || typed.body.get() on:input=move |event| typed.body.set(event_target_value(&event))></textarea>
                </div>
                {sender}
                <div class="row-fields">
                    {by_which}
                    {segments(t::at_when(l), vec![("now", t::at_now(l)), ("night", t::at_night(l))], move || typed.when.get(), move |it| typed.when.set(it))}
                </div>
                <div class="form-end"><button class="btn primary" disabled=move || waits.get()>{t::try_it(l)}</button></div>
            </form>
            <div class="stack" aria-live="polite" data-testid="trial-result">{result}</div>
        </section>
    }
    .into_any()
}

fn told(app: App, names: &BTreeMap<PersonId, String>, tried: &Rehearsal, zone_name: &str) -> AnyView {
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
        let then = zone::civil(zone_name, tried.at.ms());
        let starting = policies::starting(l, &format!("{} {}", then.date(l), then.short_time()), zone_name);
        let picture = if tried.sent.is_empty() {
            view! { <p class="notice bad" role="alert">{policies::nobody(l)}</p> }.into_any()
        } else {
            gantt::picture(app, names, tried.at, zone_name, &tried.sent)
        };
        view! { <h3>{t::pages(l)}</h3><p class="muted">{starting}</p>{picture} }
    });
    view! { {members.collect_view()}{rejected.collect_view()}{pages} }.into_any()
}

/// The routes in the order in which they are asked, and what comes of it.
fn way(app: App, routed: &RehearsedMember) -> AnyView {
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
        (t::team(l), routed.team.as_ref().map(|team| team.to_string())),
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
