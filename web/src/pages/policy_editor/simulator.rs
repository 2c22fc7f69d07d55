//! Whom the policy would page at a moment: asked of the engine in the browser with every change.

use super::{draft::Draft, gantt};
use crate::{
    browser::zone,
    components::field::choice,
    pages::rehearsal::{self, Arrival, Ask, Told},
    state::App,
    text::policies as t,
};
use leptos::prelude::*;
use shared::{Delay, Severity, Timestamp, config::Finding};

/// How long nobody answers.
const LENGTH: Delay = Delay::mins(180);
/// As on the wall of somebody who was just woken.
const NIGHT: (i8, i8) = (3, 12);
/// 1 is Monday.
const SUNDAY: i8 = 7;

pub(super) fn card(app: App, draft: Draft) -> impl IntoView {
    let l = app.l();
    let arrival = RwSignal::new(Arrival::Awaited);
    rehearsal::fetch(arrival);
    let severity = RwSignal::new(Severity::P1);
    let at = RwSignal::new(app.now.get_untracked());
    let said = RwSignal::new(String::new());
    let clock_zone = move || draft.zone().unwrap_or_else(zone::own);
    let go_to = move |ask: Ask, otherwise: String| match rehearsal::ask(ask) {
        Some(Told::At(Some(then))) => {
            said.set(String::new());
            at.set(then);
        }
        _ => said.set(otherwise),
    };
    let clock = move |weekday: Option<i8>| {
        let (hour, minute) = NIGHT;
        let after = app.now.get_untracked();
        go_to(Ask::Clock { zone: clock_zone(), after, weekday, hour, minute }, String::new());
    };
    let change = move |_| {
        let (zone, after) = (clock_zone(), app.now.get_untracked());
        let otherwise = t::no_change(l, &zone);
        // A quarter of an hour before, so that the change falls into the first levels.
        go_to(Ask::ClockChange { zone, after }, otherwise);
        if said.with_untracked(String::is_empty) {
            at.update(|at| *at = at.plus_ms(-Delay::mins(15).0));
        }
    };
    let severities = Severity::ALL.map(|it| (it.as_str().to_owned(), it.as_str().to_owned())).to_vec();
    let set_severity = move |word: String| {
        if let Some(found) = Severity::ALL.into_iter().find(|it| it.as_str() == word) {
            severity.set(found);
        }
    };
    let waits = move || arrival.get() != Arrival::Here;
    view! {
        <section class="card stack" data-testid="simulator">
            <h2>{t::simulator(l)}</h2>
            <p class="hint">{t::simulator_lead(l)}</p>
            {choice("simulated-severity".to_owned(), t::severity(l), severities, move || severity.get().as_str().to_owned(), set_severity)}
            <div class="moments">
                <button type="button" class="btn small" on:click=move |_| at.set(app.now.get_untracked())>{t::now(l)}</button>
                <button type="button" class="btn small" disabled=waits on:click=move |_| clock(None)>{t::tonight(l)}</button>
                <button type="button" class="btn small" disabled=waits on:click=move |_| clock(Some(SUNDAY))>{t::sunday(l)}</button>
                <button type="button" class="btn small" disabled=waits on:click=change>{t::clock_change(l)}</button>
            </div>
            <p class="muted" role="status">{move || said.get()}</p>
            {move || match arrival.get() {
                Arrival::Awaited => view! { <p role="status">{t::loading(l)}</p> }.into_any(),
                Arrival::Missing => view! {
                    <p class="bad" role="alert">{t::missing(l)}</p>
                    <button type="button" class="btn" on:click=move |_| rehearsal::fetch(arrival)>{t::again(l)}</button>
                }.into_any(),
                Arrival::Here => {
                    draft.edits.track();
                    told(app, draft, severity.get(), at.get(), &clock_zone())
                }
            }}
        </section>
    }
}

fn told(app: App, draft: Draft, severity: Severity, at: Timestamp, zone_name: &str) -> AnyView {
    let l = app.l();
    let policy = draft.get().id;
    let ask = Ask::Policy {
        document: draft.document(),
        policies: draft.policies(Some(&policy)),
        policy,
        severity,
        at,
        length: LENGTH,
    };
    let then = zone::civil(zone_name, at.ms());
    let starting = t::starting(l, &format!("{} {}", then.date(l), then.short_time()), zone_name);
    let picture = match rehearsal::ask(ask) {
        Some(Told::Sent(sent)) if sent.is_empty() => {
            view! { <p class="notice bad" role="alert">{t::nobody(l)}</p> }.into_any()
        }
        Some(Told::Sent(sent)) => gantt::picture(app, &draft.names(), at, zone_name, &sent),
        Some(Told::Refused(findings)) => refused(app, findings),
        Some(Told::At(_) | Told::Reviewed(_) | Told::Tried(_)) | None => ().into_any(),
    };
    view! { <p><strong>{starting}</strong></p>{picture} }.into_any()
}

fn refused(app: App, findings: Vec<Finding>) -> AnyView {
    let rows = findings.into_iter().map(|it| view! { <li><code class="mono">{it.path}</code> " " {it.message}</li> });
    view! {
        <div class="notice bad" role="alert"><div><strong>{t::refused(app.l())}</strong><ul>{rows.collect_view()}</ul></div></div>
    }
    .into_any()
}
