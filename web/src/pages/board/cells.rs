//! The cells of an incident's line; each redraws alone.

use super::row::ack_button;
use crate::{
    components::{badge::badge, state_word::state_word, time::exact},
    format,
    state::{App, actions, board::Pending},
    text::{board as t, silences as quiet, words},
};
use leptos::prelude::*;
use shared::{
    IncidentState, SuppressedBy,
    api::IncidentRow,
    config::Language,
    text::{span, suppressed_by},
};

pub(super) fn cells(app: App, row: ArcRwSignal<IncidentRow>, pending: ArcRwSignal<Option<Pending>>) -> impl IntoView {
    let l = app.l();
    let opened_at = row.with_untracked(|row| row.opened_at);
    let shared_row = move || row.clone();
    let (level, what, host) = (shared_row(), shared_row(), shared_row());
    let (source, count, age) = (shared_row(), shared_row(), shared_row());
    let (next, proof, state, answer) = (shared_row(), shared_row(), shared_row(), shared_row());
    let busy = pending.clone();
    view! {
        <span role="gridcell" class="c-level">{move || level.with(|row| badge(l, row.severity).into_any())}</span>
        <span role="gridcell" class="c-state">{move || shown_state(l, &state, &pending)}</span>
        <span role="gridcell" class="c-what">{move || what.with(|row| what_cell(l, row))}</span>
        <span role="gridcell" class="c-host mono">{move || host.with(host_cell)}</span>
        <span role="gridcell" class="c-source muted">{move || source.with(|row| row.integration.to_string())}</span>
        <span role="gridcell" class="c-count num">{move || count.with(|row| format!("×{}", row.count))}</span>
        <span role="gridcell" class="c-age num" title=exact(app, opened_at)>{move || age.with(|row| age_words(app, row))}</span>
        <span role="gridcell" class="c-next">{move || next.with(|row| next_words(app, row))}</span>
        <span role="gridcell" class="c-proof">{move || proof.with(|row| proof_cell(l, row))}</span>
        <span role="gridcell" class="c-answer">
            {move || {
                let open = answer.with(|row| (row.state == IncidentState::Triggered).then_some(row.id));
                open.filter(|_| busy.with(Option::is_none)).map(|id| ack_button(app, id))
            }}
        </span>
    }
}

/// The state an action leads to while it is on its way, marked as such.
fn shown_state(l: Language, row: &ArcRwSignal<IncidentRow>, pending: &ArcRwSignal<Option<Pending>>) -> AnyView {
    let (state, by) = row.with(|row| (row.state, row.suppressed.first().cloned()));
    let verb = pending.with(|pending| pending.as_ref().map(|pending| pending.verb));
    match (verb, by) {
        (Some(verb), _) => state_word(l, actions::state_after(verb, state), true).into_any(),
        (None, Some(by)) => quiet_word(l, state, &by),
        (None, None) => state_word(l, state, false).into_any(),
    }
}

/// In the place of "open", which it is too; an answer is still said.
fn quiet_word(l: Language, state: IncidentState, by: &SuppressedBy) -> AnyView {
    let answered = (state != IncidentState::Triggered).then(|| format!(" · {}", words::state(l, state)));
    view! { <span class="state quiet" title=suppressed_by(l, by)><i aria-hidden="true"></i>{quiet::quiet(l)}{answered}</span> }
        .into_any()
}

fn what_cell(l: Language, row: &IncidentRow) -> AnyView {
    let team = row.team.as_ref();
    let several = (row.alerts > 1 && !row.flapping).then(|| t::several(l, row.firing, row.alerts) + " · ");
    // Said on a phone too, where the rest of the line has no room.
    let marked = row.flapping || row.stale || several.is_some();
    let flapping = row.flapping.then(|| view! { <span class="flapping">{t::flapping(l)}</span> " · " });
    let stale = row.stale.then(|| {
        let words = if row.state == IncidentState::Resolved { t::closed_stale(l) } else { t::stale(l) };
        view! { <span class="stale">{words}</span> " · " }
    });
    view! {
        <a href=format!("/incidents/{}", row.id) tabindex="-1" title=row.title.clone()>{row.title.clone()}</a>
        <small class:several-mark=marked>{flapping}{stale}{several}{row.team.as_ref().map(|team| team.to_string())}<span class="in-line-source">{team.map(|_| " · ")}{row.integration.to_string()}</span></small>
    }
    .into_any()
}

fn host_cell(row: &IncidentRow) -> AnyView {
    let (first, second) = match (&row.host, &row.ip) {
        (Some(host), ip) => (host.clone(), ip.clone().filter(|ip| ip != host)),
        (None, ip) => (ip.clone().unwrap_or_else(|| "–".to_owned()), None),
    };
    view! { <span>{first}</span>{second.map(|ip| view! { <small>{ip}</small> })} }.into_any()
}

fn age_words(app: App, row: &IncidentRow) -> String {
    let until = row.resolved_at.unwrap_or_else(|| app.now.get());
    format::age(app.l(), until.ms_since(row.opened_at))
}

pub(crate) fn next_words(app: App, row: &IncidentRow) -> String {
    let l = app.l();
    let left = |at: shared::Timestamp| at.ms_since(app.now.get());
    if let Some(by) = row.suppressed.first() {
        return quiet_words(app, by);
    }
    match (row.state, &row.next) {
        (IncidentState::Resolved, _) => {
            row.resolved_at.map_or_else(String::new, |at| t::resolved_ago(l, &span(l, -left(at))))
        }
        (IncidentState::Snoozed, _) => {
            row.snoozed_until.map_or_else(String::new, |at| t::wakes_in(l, &format::countdown(left(at))))
        }
        (IncidentState::Acked, _) => {
            let who = row.acked_by.clone().unwrap_or_default();
            match row.ack_until {
                Some(at) => t::acked_left(l, &who, &format::countdown(left(at))),
                None => t::acked_by(l, &who),
            }
        }
        (IncidentState::Triggered, Some(next)) if left(next.at) > 0 => match next.level {
            Some(level) => t::next_level(l, level, &format::countdown(left(next.at))),
            None => t::used_up_in(l, &format::countdown(left(next.at))),
        },
        (IncidentState::Triggered, Some(next)) => {
            next.level.map_or_else(|| t::exhausted(l), |it| t::next_level_now(l, it))
        }
        (IncidentState::Triggered, None) if row.exhausted => t::exhausted(l),
        (IncidentState::Triggered, None) => t::no_next(l),
    }
}

fn quiet_words(app: App, by: &SuppressedBy) -> String {
    let l = app.l();
    match by {
        SuppressedBy::Silence { until: Some(at), .. } | SuppressedBy::Maintenance { until: Some(at), .. } => {
            quiet::quiet_until_short(l, &app.clock_time(*at))
        }
        SuppressedBy::Inhibition { source, .. } | SuppressedBy::Suspect { source, .. } => {
            quiet::quiet_follows(l, source.0)
        }
        _ => quiet::quiet_open(l),
    }
}

fn proof_cell(l: Language, row: &IncidentRow) -> AnyView {
    let proof = &row.proof;
    let words = match (proof.best, proof.delay_ms) {
        (None, _) => t::proof_none(l),
        (Some(best), Some(ms)) => t::proof_after(l, &words::attempt(l, best), &format::delay(l, ms)),
        (Some(best), None) => words::attempt(l, best),
    };
    let failed = (proof.failed > 0).then(|| view! { <small class="bad">{t::proof_failed(l, proof.failed)}</small> });
    let names = proof.recipients.join(", ");
    let second =
        if failed.is_some() || names.is_empty() { None } else { Some(view! { <small>{names.clone()}</small> }) };
    view! { <span title=names>{words}</span>{failed}{second} }.into_any()
}
