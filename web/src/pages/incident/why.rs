//! "Why was I paged": one sentence of connected reasons, and the proof behind it.

use super::{part, proof};
use crate::{
    components::nouns::say,
    format,
    incident::chain::{self, Chain, Paged},
    state::{App, Remote},
    text::{incident as t, words},
};
use leptos::prelude::*;
use shared::{
    IncidentId, NounKind, OnCall, PageVia, Recipient,
    api::IncidentDetail,
    config::Language,
    text::{Names, Voice},
    timeline::SeverityReason,
};

pub(super) fn why(app: App, id: IncidentId, detail: Remote<IncidentDetail>) -> impl IntoView {
    let l = app.l();
    let me = app.me();
    let found = {
        let me = me.clone();
        part(detail, move |detail| {
            let chain = chain::chain(&detail.timeline, me.as_ref());
            (chain, detail.names.clone(), detail.row.integration.to_string())
        })
    };
    let sentence = move || {
        let (chain, names, sender) = found.get()?;
        let mine = chain.ends_with(me.as_ref());
        let title = if mine { t::why_you(l) } else { t::why(l) };
        let links = links(app, &chain, &names, &sender, mine);
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

/// Label and words of each link of the chain; what they name leads to the version that was used.
fn links(app: App, chain: &Chain, names: &Names, sender: &str, mine: bool) -> Vec<(AnyView, AnyView)> {
    let l = app.l();
    let mut links = Vec::new();
    let (asked_at, asked) = chain.asked;
    if let Some(reason) = &chain.severity {
        links.push((
            t::by_level(l).into_any(),
            say(app, names, asked_at, &|voice| severity(l, voice, reason, sender, asked)),
        ));
    }
    match chain.deciding_route() {
        Some(step) => {
            let route = say(app, names, asked_at, &|voice| voice.route(&step.route, asked));
            links.push((t::route(l).into_any(), route));
        }
        None if !chain.routed => links.push((t::route(l).into_any(), t::no_route(l).into_any())),
        None => {}
    }
    let Some(page) = &chain.page else { return links };
    let tell = |sentence: &dyn Fn(&Voice<'_>) -> String| say(app, names, page.at, sentence);
    links.push((t::policy(l).into_any(), tell(&|voice| t::policy_level(l, &policy(voice, page), page.level + 1))));
    links.push((t::via(l).into_any(), tell(&|voice| via(app, voice, page))));
    links.push((
        t::who(l).into_any(),
        tell(&|voice| match &page.recipient {
            Recipient::Person(id) if mine => voice.noun(NounKind::Person, id.as_str(), page.in_force, None, &t::you(l)),
            to => voice.recipient(to, page.in_force),
        }),
    ));
    let rule = tell(&|voice| match (&page.recipient, page.rule) {
        (Recipient::Person(id), Some(rule)) => {
            let (rule, shown) = (Some(rule + 1), t::rule_number(l, rule + 1));
            voice.noun(NounKind::Person, id.as_str(), page.in_force, rule, &shown)
        }
        _ => t::rule(l),
    });
    links.push((rule, tell(&|voice| plan(l, voice, page))));
    if let Some(waits) = &page.waits {
        let words = t::waits_until(l, &app.clock_time(waits.until), &shared::text::waits(l, waits));
        links.push((t::waiting(l).into_any(), words.into_any()));
    }
    links
}

/// A policy with the version that was used, where that is known.
fn policy(voice: &Voice<'_>, page: &Paged) -> String {
    let id = page.policy.as_str();
    let shown = page.config.map_or_else(|| id.to_owned(), |version| format!("{id} v{version}"));
    voice.noun(NounKind::Policy, id, page.config, Some(page.level + 1), &shown)
}

/// Which severity, and who said so.
pub(crate) fn severity(
    l: Language,
    voice: &Voice<'_>,
    reason: &SeverityReason,
    sender: &str,
    version: Option<i64>,
) -> String {
    match reason {
        SeverityReason::Stated { severity } => t::stated(l, severity.as_str()),
        SeverityReason::Default { severity } => t::defaulted(l, severity.as_str()),
        SeverityReason::Word { severity, word } => t::by_word(l, severity.as_str(), word),
        SeverityReason::Class { severity, class, was } => {
            let rule = voice.noun(NounKind::Integration, sender, version, None, class.as_str());
            t::by_class(l, severity.as_str(), &rule, was.as_str())
        }
        SeverityReason::Route { severity, was, .. } => t::by_route(l, severity.as_str(), was.as_str()),
    }
}

fn via(app: App, voice: &Voice<'_>, page: &Paged) -> String {
    let (l, version) = (app.l(), page.in_force);
    match &page.via {
        PageVia::Direct => t::via_direct(l),
        PageVia::Schedule(on_call) => {
            let OnCall { schedule, until, over, replaces, reason } = &**on_call;
            let schedule = voice.named(NounKind::Schedule, schedule.as_str(), version);
            let words = match replaces {
                Some(person) if *over => t::via_cover_for(l, &voice.person(person, version), &schedule),
                _ if *over => t::via_cover(l, &schedule),
                _ => t::via_schedule(l, &schedule),
            };
            let why = reason.as_ref().map(|reason| shared::text::duty(l, reason)).unwrap_or_default();
            let until = until.map(|until| t::via_until(l, &app.clock_time(until))).unwrap_or_default();
            words + &why + &until
        }
        PageVia::Team { team } => t::via_team(l, &voice.named(NounKind::Team, team.as_str(), version)),
        PageVia::Fallback => t::via_fallback(l),
        PageVia::Added => t::via_added(l),
        PageVia::Stale => t::via_stale(l),
        PageVia::StandIn { person } => t::via_stand_in(l, &voice.person(person, version)),
    }
}

fn plan(l: Language, voice: &Voice<'_>, page: &Paged) -> String {
    if page.plan.is_empty() {
        return t::rule_builtin(l);
    }
    let step = |step: &shared::timeline::PlannedAttempt| {
        let contact = voice.contact(&page.recipient, &step.contact, page.in_force, step.contact.as_str());
        let contact = format!("{contact} ({})", words::channel(l, step.channel));
        if step.after_ms == 0 {
            t::step_now(l, &contact)
        } else {
            t::step_after(l, &contact, &format::delay(l, step.after_ms))
        }
    };
    page.plan.iter().map(step).collect::<Vec<_>>().join(if l == Language::Zh { "，" } else { ", " })
}
