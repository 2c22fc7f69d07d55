//! The replay bar: the draft against what came in lately, with its progress and what it would have changed.

use super::{draft::Draft, told};
use crate::{
    api::{self, ApiError},
    components::field::segments,
    format,
    pages::settings,
    state::App,
    text::routes as t,
};
use leptos::{prelude::*, task::spawn_local};
use serde::Deserialize;
use shared::{
    Delay, Timestamp,
    api::{Answers, ConfigDraft, ReplayDiff, ReplayRequest},
};
use std::time::Duration;

const PATH: &str = "/api/v1/config/replay";
/// Between two looks at how far it has come.
const LOOK: Duration = Duration::from_millis(400);
const DAYS: [u32; 3] = [1, 7, 30];

/// A replay, as much of it as is shown.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(super) struct State {
    id: u64,
    running: bool,
    messages: u64,
    from: Timestamp,
    until: Timestamp,
    at: Timestamp,
    pub(super) result: Option<Replayed>,
    failure: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(super) struct Replayed {
    pub(super) running: Totals,
    pub(super) draft: Option<Totals>,
    pub(super) diff: Option<ReplayDiff>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(super) struct Totals {
    pub(super) messages: u64,
    pub(super) pages: u64,
    pub(super) night: u64,
    pub(super) cut: bool,
}

/// How the replay asked for here stands.
#[derive(Clone, Copy)]
struct Run {
    state: RwSignal<Option<State>>,
    refusal: RwSignal<Option<ApiError>>,
    /// The edit that is replayed.
    edit: RwSignal<u32>,
}

pub(super) fn card(app: App, draft: Draft) -> impl IntoView {
    let l = app.l();
    let days = RwSignal::new("7");
    let run = Run { state: RwSignal::new(None), refusal: RwSignal::new(None), edit: RwSignal::new(0) };
    let changed = Memo::new(move |_| draft.is_changed());
    let is_running = Memo::new(move |_| run.state.with(|state| state.as_ref().is_some_and(|state| state.running)));
    let begin = move |_| {
        let until = app.now.get_untracked();
        let length = Delay(days.get_untracked().parse::<i64>().unwrap_or(7) * 86_400_000);
        let sections = ConfigDraft { routes: Some(draft.routes()), ..ConfigDraft::default() };
        let body =
            ReplayRequest { draft: Some(sections), from: until.plus_ms(-length.0), until, answers: Answers::Nobody };
        run.edit.set(draft.edits.get_untracked());
        run.refusal.set(None);
        spawn_local(async move {
            let answer = api::post::<State>(PATH, &body).await;
            settle(draft, run, answer);
        });
    };
    let cancel = move |_| spawn_local(async move { drop(api::delete(PATH).await) });
    let options = DAYS.map(|n| (word(n), t::days(l, n))).to_vec();
    let result = move || {
        let state = run.state.get()?;
        if state.running {
            return Some(progress(app, &state));
        }
        let old = move || {
            (run.edit.get() != draft.edits.get()).then(|| view! { <p class="notice warn">{t::of_before(l)}</p> })
        };
        let body = match (&state.result, &state.failure) {
            (Some(result), _) => told::told(app, &draft.names(), result),
            (None, failure) => view! { <p class="notice bad" role="alert">{failure.clone()}</p> }.into_any(),
        };
        Some(view! { {old}{body} }.into_any())
    };
    view! {
        <section class="card stack" data-testid="routes-replay">
            <h2>{t::replay(l)}</h2>
            <p class="hint">{t::replay_lead(l)}</p>
            <div class="replay-bar">
                <span aria-hidden="true">{t::last_days(l)}</span>
                {segments(t::last_days(l), options, move || days.get(), move |it| days.set(it))}
                <button type="button" class="btn primary" disabled=move || is_running.get() || !changed.get() on:click=begin>{t::run(l)}</button>
                {move || is_running.get().then(|| view! { <button type="button" class="btn" on:click=cancel>{t::cancel(l)}</button> })}
            </div>
            {move || (!changed.get() && run.state.with(Option::is_none)).then(|| view! { <p class="muted">{t::needs_draft(l)}</p> })}
            <div class="stack" aria-live="polite" data-testid="replay-result">
                {move || run.refusal.get().map(|error| settings::problem(app, &error))}
                {result}
            </div>
        </section>
    }
}

const fn word(days: u32) -> &'static str {
    match days {
        1 => "1",
        30 => "30",
        _ => "7",
    }
}

fn progress(app: App, state: &State) -> AnyView {
    let percent = state.at.ms_since(state.from) * 100 / state.until.ms_since(state.from).max(1);
    let words = t::progress(app.l(), percent, &format::grouped(state.messages));
    view! {
        <div class="replay-progress">
            <progress max="100" value=percent.to_string() aria-label=t::replay(app.l())></progress>
            <small class="muted">{words}</small>
        </div>
    }
    .into_any()
}

/// Takes an answer, and looks again while the replay runs.
fn settle(draft: Draft, run: Run, answer: Result<State, ApiError>) {
    match answer {
        Ok(state) => {
            let (running, id) = (state.running, state.id);
            if state.result.is_some() {
                draft.replayed.try_set(run.edit.try_get_untracked());
            }
            // The page was left.
            if run.state.try_set(Some(state)).is_some() {
                return;
            }
            if running {
                set_timeout(move || look(draft, run, id), LOOK);
            }
        }
        Err(error) => {
            drop(run.state.try_set(None));
            drop(run.refusal.try_set(Some(error)));
        }
    }
}

fn look(draft: Draft, run: Run, id: u64) {
    spawn_local(async move {
        let answer = api::get::<State>(PATH).await;
        // Somebody else's replay has taken its place.
        if answer.as_ref().is_ok_and(|state| state.id != id) {
            drop(run.state.try_set(None));
            return;
        }
        settle(draft, run, answer);
    });
}
