//! One heartbeat: how it stands, until when it is waited for, its newest beats, and what can be done.

use super::{Desk, strip::strip};
use crate::{
    api::{self, query},
    text::heartbeats as t,
};
use leptos::{prelude::*, task::spawn_local};
use shared::{
    CountedBecause, DownBecause, HeartbeatState, Timestamp,
    api::{HeartbeatAddress, HeartbeatRow},
    config::Language,
    text::span,
};

/// The name of a state, and the class it is drawn with.
fn state(l: Language, state: HeartbeatState) -> (String, &'static str) {
    match state {
        HeartbeatState::Waiting => (t::waiting(l), "waiting"),
        HeartbeatState::Up => (t::up(l), "up"),
        HeartbeatState::Late => (t::late(l), "late"),
        HeartbeatState::Down => (t::down(l), "down"),
        HeartbeatState::Paused => (t::paused(l), "paused"),
    }
}

/// Until when it is waited for, or since when it is down.
fn when(l: Language, row: &HeartbeatRow, now: Timestamp) -> String {
    let pulse = &row.pulse;
    match (pulse.state(now, row.heartbeat.grace, row.heartbeat.paused), pulse.down, pulse.due) {
        (HeartbeatState::Paused, ..) => t::paused_why(l),
        (_, Some(down), _) => {
            let since = span(l, now.ms_since(down.since));
            match down.because {
                DownBecause::Missed => t::missed_for(l, &since),
                DownBecause::Failed => t::failed_for(l, &since),
            }
        }
        (HeartbeatState::Late, _, Some(due)) => t::missed_in(l, &span(l, due.ms_since(now))),
        (_, _, Some(due)) => t::expected_in(l, &span(l, due.plus_ms(-row.heartbeat.grace.0).ms_since(now))),
        (_, _, None) => t::never_pages(l),
    }
}

/// What else is known of it.
fn notes(l: Language, row: &HeartbeatRow, now: Timestamp) -> Vec<String> {
    let (heartbeat, pulse) = (&row.heartbeat, &row.pulse);
    let mut notes = vec![t::every(l, &span(l, heartbeat.interval.0), &span(l, heartbeat.grace.0))];
    notes.extend(pulse.last_at.map(|at| t::last(l, &span(l, now.ms_since(at)))));
    notes.extend(pulse.started_at.map(|at| t::started(l, &span(l, now.ms_since(at)))));
    notes.extend(pulse.due.and(pulse.counted).and_then(|counted| match counted.because {
        CountedBecause::Beat => None,
        CountedBecause::Restart => Some(t::counted_restart(l)),
        CountedBecause::Configured => Some(t::counted_configured(l)),
    }));
    notes.extend(heartbeat.integration.as_ref().map(|sender| t::from_sender(l, sender.as_str())));
    notes.push(match row.tokens.as_slice() {
        [] if heartbeat.integration.is_some() => String::new(),
        [] => t::no_address(l),
        hints => t::addresses(l, &hints.iter().map(|hint| format!("{hint}…")).collect::<Vec<_>>().join(", ")),
    });
    notes.retain(|note| !note.is_empty());
    notes
}

pub(super) fn item(desk: Desk, id: String) -> AnyView {
    let app = desk.app;
    let l = app.l();
    let Some(first) = untrack(|| desk.row(&id)) else { return ().into_any() };
    let (name, known) = (first.heartbeat.title().to_owned(), !first.tokens.is_empty());
    let own = id.clone();
    let row = Memo::new(move |before: Option<&HeartbeatRow>| {
        desk.row(&own).or_else(|| before.cloned()).unwrap_or_else(|| first.clone())
    });
    let stands = Memo::new(move |_| {
        let now = app.now.get();
        row.with(|row| state(l, row.pulse.state(now, row.heartbeat.grace, row.heartbeat.paused)))
    });
    let when = Memo::new(move |_| row.with(|row| when(l, row, app.now.get())));
    let notes = Memo::new(move |_| row.with(|row| notes(l, row, app.now.get()).join(" · ")));
    let said = Memo::new(move |_| row.with(|row| row.pulse.note.clone()));
    let incident = Memo::new(move |_| row.with(|row| row.incident));
    let picture = move || row.with(|row| strip(l, &row.pulse.marks, app.now.get_untracked()));
    let link = move || {
        incident.get().map(|id| view! { <a class="btn small" href=format!("/incidents/{id}")>{format!("#{id}")}</a> })
    };
    let note = move || {
        let said = said.get();
        (!said.is_empty()).then(|| view! { <p class="beat-note">{t::said(l, &said)}</p> })
    };
    let actions = desk.may_change().then(|| buttons(desk, &id, &name, known));
    view! {
        <article class=move || format!("heartbeat {}", stands.get().1) data-testid=format!("heartbeat-{id}")>
            <h2>{name.clone()} " " <span class="beat-state" role="status">{move || stands.get().0}</span></h2>
            <p class="beat-when">{when}</p>
            {picture}
            <p class="beat-notes">{notes}</p>
            {note}
            <div class="beat-actions">{link}{actions}</div>
        </article>
    }
    .into_any()
}

fn buttons(desk: Desk, id: &str, name: &str, known: bool) -> AnyView {
    let app = desk.app;
    let l = app.l();
    let path = StoredValue::new(format!("/api/v1/heartbeats/{}/token", query::encoded(id)));
    let title = StoredValue::new(name.to_owned());
    let make = move |_| {
        spawn_local(async move {
            match api::post::<HeartbeatAddress>(&path.get_value(), &()).await {
                Ok(address) => {
                    desk.made.set(Some(address));
                    desk.rows.reload();
                }
                Err(error) => app.toasts.bad(error.sentence(l)),
            }
        });
    };
    let sure = RwSignal::new(false);
    let revoke = move |_| {
        if !sure.get_untracked() {
            return sure.set(true);
        }
        spawn_local(async move {
            match api::delete(&path.get_value()).await {
                Ok(()) => {
                    app.toasts.good(t::revoked(l, &title.get_value()), None);
                    desk.rows.reload();
                }
                Err(error) => app.toasts.bad(error.sentence(l)),
            }
        });
    };
    let revoke = known.then(|| {
        view! {
            <button type="button" class="btn small" class:danger=move || sure.get() aria-label=move || (!sure.get()).then(|| t::revoke_of(l, &title.get_value())) on:click=revoke on:blur=move |_| sure.set(false)>
                {move || if sure.get() { t::revoke_sure(l) } else { t::revoke(l) }}
            </button>
        }
    });
    view! {
        <button type="button" class="btn small" aria-label=t::new_address(l, name) on:click=make>{t::address(l)}</button>
        {revoke}
    }
    .into_any()
}
