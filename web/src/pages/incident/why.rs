//! "Why was I paged": one sentence of connected reasons, and the proof behind it.

use super::{part, proof};
use crate::{
    format,
    incident::chain::{self, Chain, Paged},
    state::{App, Remote},
    text::{incident as t, words},
};
use leptos::prelude::*;
use shared::{IncidentId, PageVia, PersonId, api::IncidentDetail, config::Language, timeline::SeverityReason};
use std::collections::BTreeMap;

type Names = BTreeMap<PersonId, String>;

pub(super) fn why(app: App, id: IncidentId, detail: Remote<IncidentDetail>) -> impl IntoView {
    let l = app.l();
    let me = app.me();
    let found = {
        let me = me.clone();
        part(detail, move |detail| (chain::chain(&detail.timeline, me.as_ref()), detail.names.clone()))
    };
    let sentence = move || {
        let (chain, names) = found.get()?;
        let mine = chain.ends_with(me.as_ref());
        let title = if mine { t::why_you(l) } else { t::why(l) };
        let links = links(app, &chain, &names, mine);
        let links = links.into_iter().map(|(label, words)| {
            view! { <li><small>{label}</small><span>{words}</span></li> }
        });
        Some(view! { <h2>{title}</h2><ol class="chain">{links.collect_view()}</ol> })
    };
    view! {
        <section class="why" data-testid="why">
            {sentence}
            {proof::details(app, id, found)}
        </section>
    }
}

/// Label and words of each link of the chain.
fn links(app: App, chain: &Chain, names: &Names, mine: bool) -> Vec<(String, String)> {
    let l = app.l();
    let mut links = Vec::new();
    if let Some(reason) = &chain.severity {
        links.push((t::by_level(l), severity(l, reason)));
    }
    match chain.deciding_route() {
        Some(step) => links.push((t::route(l), step.route.0.clone())),
        None if !chain.routed => links.push((t::route(l), t::no_route(l))),
        None => {}
    }
    let Some(page) = &chain.page else { return links };
    links.push((t::policy(l), t::policy_level(l, page.policy.as_str(), page.level + 1)));
    links.push((t::via(l), via(app, names, &page.via)));
    let who = if mine { t::you(l) } else { words::recipient(names, &page.recipient) };
    links.push((t::who(l), who));
    links.push((rule_label(l, page), plan(l, page)));
    if let Some(waits) = &page.waits {
        links.push((t::waiting(l), t::waits_until(l, &app.clock_time(waits.until), &shared::text::waits(l, waits))));
    }
    links
}

/// Which severity, and who said so.
pub(crate) fn severity(l: Language, reason: &SeverityReason) -> String {
    match reason {
        SeverityReason::Stated { severity } => t::stated(l, severity.as_str()),
        SeverityReason::Default { severity } => t::defaulted(l, severity.as_str()),
        SeverityReason::Word { severity, word } => t::by_word(l, severity.as_str(), word),
        SeverityReason::Class { severity, class, was } => {
            t::by_class(l, severity.as_str(), class.as_str(), was.as_str())
        }
        SeverityReason::Route { severity, was, .. } => t::by_route(l, severity.as_str(), was.as_str()),
    }
}

fn via(app: App, names: &Names, via: &PageVia) -> String {
    let l = app.l();
    match via {
        PageVia::Direct => t::via_direct(l),
        PageVia::Schedule { schedule, over: true, replaces: Some(person), .. } => {
            let name = names.get(person).map_or(person.as_str(), String::as_str);
            t::via_cover_for(l, name, schedule.as_str())
        }
        PageVia::Schedule { schedule, over: true, .. } => t::via_cover(l, schedule.as_str()),
        PageVia::Schedule { schedule, until: Some(until), .. } => {
            t::via_schedule_until(l, schedule.as_str(), &app.clock_time(*until))
        }
        PageVia::Schedule { schedule, .. } => t::via_schedule(l, schedule.as_str()),
        PageVia::Team { team } => t::via_team(l, team.as_str()),
        PageVia::Fallback => t::via_fallback(l),
        PageVia::Added => t::via_added(l),
        PageVia::Stale => t::via_stale(l),
        PageVia::StandIn { person } => t::via_stand_in(l, names.get(person).map_or(person.as_str(), String::as_str)),
    }
}

fn rule_label(l: Language, page: &Paged) -> String {
    page.rule.map_or_else(|| t::rule(l), |rule| t::rule_number(l, rule + 1))
}

fn plan(l: Language, page: &Paged) -> String {
    if page.plan.is_empty() {
        return t::rule_builtin(l);
    }
    let step = |step: &shared::timeline::PlannedAttempt| {
        let contact = format!("{} ({})", step.contact, words::channel(l, step.channel));
        if step.after_ms == 0 {
            t::step_now(l, &contact)
        } else {
            t::step_after(l, &contact, &format::delay(l, step.after_ms))
        }
    };
    page.plan.iter().map(step).collect::<Vec<_>>().join(if l == Language::Zh { "，" } else { ", " })
}
