//! How bad, what, where, for how long, and what happens next unless somebody answers.

use super::{actions, of_row, part};
use crate::{
    api::query,
    components::{badge::badge, nouns::say, state_word::state_word, time::wall},
    format,
    incident::head::{Head, Known},
    pages::{ask::Asker, silences::Maker},
    state::{App, Remote, actions as verbs},
    text::{board, incident as t},
};
use leptos::prelude::*;
use shared::{
    IncidentId, IncidentState, PersonId, Timestamp,
    api::{ActionRequest, IncidentRow, PolicyStand},
    config::Language,
    text::Names,
};

pub(super) fn header(app: App, id: IncidentId, known: Remote<Known>, asker: Asker, maker: Maker) -> impl IntoView {
    let l = app.l();
    let row = of_row(app, known, |cell| cell.row.get());
    let again = part(known, |known| known.head.incident.again);
    let stands = part(known, |known| (known.head.policies.clone(), known.head.row.version, known.head.row.state));
    let awaited = part(known, move |known| answers(l, &known.head));
    let line = move || row.get().map(|row| facts(app, &row));
    let standing = actions::standing(app, known);
    let state = move || {
        let (state, pending) = standing.get()?;
        let verb = pending.as_ref().map(|pending| pending.verb);
        let shown = verb.map_or(state, |verb| crate::state::actions::state_after(verb, state));
        Some(state_word(l, shown, pending.is_some()))
    };
    view! {
        <header class="incident-head">
            <div class="incident-title">
                {move || row.get().map(|row| view! {
                    {badge(l, row.severity)}
                    <h1>{row.title}</h1>
                })}
                <span data-testid="state">{state}</span>
            </div>
            <p class="incident-facts">{line}
                {move || again.get().flatten().map(|again| view! {
                    <span class="again">{t::again(l, again.times)} " · " <a href=format!("/incidents/{}", again.previous)>{t::previous(l)}</a></span>
                })}
            </p>
            <p class="incident-next" role="status">{move || row.get().map(|row| next(app, &row))}</p>
            <p class="incident-next" role="status" data-testid="everyone">{move || awaited.get().flatten()}</p>
            <p class="incident-next" data-testid="policies">{move || stands.get().map(|stands| policies(app, id, stands))}</p>
            <div class="incident-actions">{actions::buttons(app, id, known, asker, maker, true)}</div>
        </header>
    }
}

/// The version of each policy it runs by, and a way to take up a newer one.
fn policies(app: App, id: IncidentId, (stands, version, state): (Vec<PolicyStand>, u32, IncidentState)) -> AnyView {
    let l = app.l();
    let words = say(app, &Names::new(), Timestamp::from_ms(0), &|voice| {
        let one = |stand: &PolicyStand| {
            let words = t::policy_version(l, &voice.policy(&stand.policy, Some(stand.config), None), stand.config);
            stand.newer.map_or_else(|| words.clone(), |newer| format!("{words} ({})", t::policy_newer(l, newer)))
        };
        stands.iter().map(one).collect::<Vec<_>>().join(" · ")
    });
    let is_newer = stands.iter().any(|stand| stand.newer.is_some()) && state != IncidentState::Resolved;
    let apply = is_newer.then(|| {
        let body = ActionRequest { version: Some(version), ..ActionRequest::default() };
        let go = move |_| verbs::act(app, id, verbs::APPLY_POLICY, body.clone());
        view! { " " <button type="button" class="btn small" data-testid="apply-policy" on:click=go>{board::apply_policy(l)}</button> }
    });
    view! { <small>{words}</small>{apply} }.into_any()
}

/// Who answered and who is missing, where everybody must answer.
fn answers(l: Language, head: &Head) -> Option<String> {
    let everyone = head.incident.everyone.as_ref()?;
    let names = |ids: &[PersonId]| {
        let names: Vec<&str> = ids.iter().map(|id| head.names.get(id).map_or(id.as_str(), String::as_str)).collect();
        names.join(", ")
    };
    let missing = names(&everyone.missing);
    let words = match everyone.answered.as_slice() {
        [] => t::everyone_must_answer(l, &missing),
        answered => t::answers_missing(l, &names(answered), &missing),
    };
    Some(words)
}

fn facts(app: App, row: &IncidentRow) -> impl IntoView + use<> {
    let l = app.l();
    let (opened, resolved) = (row.opened_at, row.resolved_at);
    let age = move || match resolved {
        Some(at) => t::lasted(l, &format::age(l, at.ms_since(opened))),
        None => t::open_for(l, &format::age(l, app.now.get().ms_since(opened))),
    };
    let place: Vec<String> =
        [row.host.clone(), row.ip.clone().filter(|ip| row.host.as_ref() != Some(ip))].into_iter().flatten().collect();
    // The second question after "is it real": which machine is it.
    let asked = row.ip.as_deref().or(row.host.as_deref());
    let href = asked.map(|asked| format!("/machines{}", query::build(&[("q", asked)])));
    view! {
        <a class="mono place" href=href title=t::which_machine(l)>{place.join(" · ")}</a>
        <span>{age}</span>
        <span>{t::first_at(l)} " " {wall(opened)}</span>
        <span>{format!("×{}", row.count)}</span>
        <span>{row.integration.to_string()}{row.team.as_ref().map(|team| format!(" → {team}"))}</span>
        <span class="muted">{format!("#{}", row.id)}</span>
    }
}

fn next(app: App, row: &IncidentRow) -> AnyView {
    let l = app.l();
    let left = move |at: Timestamp| at.ms_since(app.now.get());
    let by = row.acked_by.clone().unwrap_or_default();
    match (row.state, row.next.clone()) {
        (IncidentState::Resolved, _) if row.stale => {
            row.resolved_at.map(|at| t::closed_stale_at(l, &app.clock_time(at))).into_any()
        }
        (IncidentState::Resolved, _) => row.resolved_at.map(|at| t::resolved_at(l, &app.clock_time(at))).into_any(),
        (IncidentState::Snoozed, _) => row.snoozed_until.map(|at| t::snoozed_until(l, &app.clock_time(at))).into_any(),
        (IncidentState::Acked, _) => match row.ack_until {
            Some(at) => (move || t::acked_by(l, &by, &format::countdown(left(at)))).into_any(),
            None => t::acked_by_plain(l, &by).into_any(),
        },
        (IncidentState::Triggered, Some(next)) => (move || {
            let left = left(next.at);
            let policy = next.policy.as_str();
            match (next.level, left > 0) {
                (Some(level), true) => t::next_level(l, policy, level, &format::countdown(left)),
                (Some(level), false) => t::next_level_now(l, policy, level),
                (None, true) => t::used_up_in(l, policy, &format::countdown(left)),
                (None, false) => t::used_up(l),
            }
        })
        .into_any(),
        (IncidentState::Triggered, None) if row.exhausted => t::used_up(l).into_any(),
        (IncidentState::Triggered, None) => ().into_any(),
    }
}
