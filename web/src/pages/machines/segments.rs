//! Asking the agents of a segment who has an address that is unknown or known of old, and what came of it.

use super::Desk;
use crate::{
    components::icon::{Icon, icon},
    text::machines as t,
};
use leptos::prelude::*;
use shared::{
    SourceId,
    api::{Asked, AskedOutcome, Lookup, LookupTerm, Role},
    config::Language,
    text::span,
};

pub(super) fn segments(desk: Desk, lookup: &Lookup) -> AnyView {
    let l = desk.app.l();
    let outcomes = lookup.terms.iter().flat_map(|term| term.asked.iter().map(move |asked| (term, asked)));
    let outcomes = outcomes.map(|(term, asked)| outcome(desk, term, asked)).collect_view();
    let outcomes = view! { <div role="status" data-testid="asked"><ul class="asked">{outcomes}</ul></div> };
    let is_answered =
        |term: &&LookupTerm| term.asked.iter().any(|it| matches!(it.outcome, AskedOutcome::Answered { .. }));
    let open = lookup.terms.iter().filter(|term| !is_answered(term));
    let askable: Vec<&str> = open.flat_map(|it| &it.askable).map(SourceId::as_str).collect();
    let Some(first) = askable.first().filter(|_| desk.app.role() >= Role::Responder) else {
        return outcomes.into_any();
    };
    let words = if askable.iter().all(|it| it == first) { t::ask_segment(l, first) } else { t::ask_segments(l) };
    view! {
        {outcomes}
        <p class="machine-line">
            <button
                type="button"
                class="btn"
                data-testid="ask-segment"
                disabled=move || desk.waits.get()
                on:click=move |_| desk.look_up(true)
            >
                {icon(Icon::Search)}
                <span>{move || if desk.waits.get() { t::asking(l) } else { words.clone() }}</span>
            </button>
            <span class="muted">{t::ask_hint(l)}</span>
        </p>
    }
    .into_any()
}

/// Who was asked, when, and what came of it.
fn outcome(desk: Desk, term: &LookupTerm, asked: &Asked) -> AnyView {
    let l = desk.app.l();
    let class = match asked.outcome {
        AskedOutcome::Answered { .. } => "asked-answered",
        AskedOutcome::Nobody | AskedOutcome::Router { .. } | AskedOutcome::Confirming => "asked-open",
        _ => "asked-failed",
    };
    let (at, source) = (asked.at, asked.source.to_string());
    let who = asked.agent.as_ref().map_or_else(|| source.clone(), |agent| format!("{source} / {agent}"));
    let by = move || t::by(l, &who, &span(l, desk.app.now.get().ms_since(at)));
    view! { <li class=class><strong>{term.value.clone()}</strong> " " {said(l, asked.outcome)} " " <small>{by}</small></li> }
        .into_any()
}

fn said(l: Language, outcome: AskedOutcome) -> String {
    match outcome {
        AskedOutcome::Answered { mac } => t::asked_answered(l, &mac.to_string()),
        AskedOutcome::Router { mac } => t::asked_router(l, &mac.to_string()),
        AskedOutcome::Nobody => t::asked_nobody(l),
        AskedOutcome::Confirming => t::asked_confirming(l),
        AskedOutcome::NoReport => t::asked_no_report(l),
        AskedOutcome::Refused => t::asked_refused(l),
        AskedOutcome::NotSent => t::asked_not_sent(l),
        AskedOutcome::Busy => t::asked_busy(l),
        AskedOutcome::NoAgent => t::asked_no_agent(l),
    }
}
