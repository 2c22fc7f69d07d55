//! One incident: is it real, why me, who else was reached, what was tried before, and what to do now.

mod actions;
mod alerts;
mod before;
pub(crate) mod further;
mod header;
mod lanes;
mod place;
mod proof;
mod quiet;
mod raw;
mod timeline;
mod traffic;
mod why;

pub(crate) use before::incidents;
pub(crate) use proof::route_step;
pub(crate) use raw::message;
pub(crate) use why::severity as severity_reason;

use super::{
    ask::{self, Asker},
    later,
    silences::{self, Maker},
};
use crate::{
    api::ApiError,
    components::{page::name_page, states::loaded},
    incident::head::Known,
    state::{App, Remote, board::Cell, remote::Something},
    text::incident as t,
};
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use shared::IncidentId;
use std::{sync::Arc, time::Duration};

/// Several deltas in a row fetch the page once.
const SETTLE: Duration = Duration::from_millis(250);

pub(crate) fn page() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| {
        let id = params.with(|params| params.get("id").and_then(|id| id.trim_start_matches('#').parse().ok()));
        IncidentId(id.unwrap_or(0))
    });
    // Another incident is another page: nothing of the last one stays.
    move || incident(id.get())
}

fn incident(id: IncidentId) -> impl IntoView {
    let app = App::here();
    name_page(&t::title(app.l(), id.0));
    let known = Remote::<Known>::read_by(path(id), known);
    known.reload();
    follow(app, id, known);
    let asker = Asker::new(None);
    let maker = Maker::new(app, None);
    actions::listen(app, id, asker, maker);
    let body = loaded(t::title(app.l(), id.0), known, 10, move |_| ().into_any());
    let there = Memo::new(move |_| known.with(|_| ()).is_some());
    view! {
        <div class="page incident">
            // The skeleton and the failure; what is there is drawn part by part below, so that no part blinks.
            {move || (!there.get()).then(|| view! { <h1>{t::title(app.l(), id.0)}</h1> })}
            {body}
            {move || there.get().then(|| parts(app, id, known, asker, maker))}
        </div>
        {move || there.get().then(|| actions::phone_bar(app, id, known, asker, maker))}
        {ask::dialog(app, asker)}
        {silences::dialog(maker)}
    }
}

/// Where the server tells of it.
fn path(id: IncidentId) -> String {
    format!("/api/v1/incidents/{id}")
}

fn known(answer: Result<String, ApiError>) -> Result<Something, ApiError> {
    match Known::read(answer?) {
        Ok(known) => Ok(Arc::new(known)),
        Err(error) => Err(ApiError::Unreadable(error.to_string())),
    }
}

fn parts(app: App, id: IncidentId, known: Remote<Known>, asker: Asker, maker: Maker) -> impl IntoView {
    view! {
        {header::header(app, id, known, asker, maker)}
        {quiet::band(app, known)}
        {later::part(further::Part::Below(id, StoredValue::new(known), asker))}
    }
}

/// Fetches the page again when a delta (or an own action) touched this incident.
fn follow(app: App, id: IncidentId, known: Remote<Known>) {
    let due = StoredValue::new(false);
    Effect::new(move |before: Option<u32>| {
        let (number, mine) = app.pulse.with(|pulse| (pulse.number, pulse.incidents.contains(&id)));
        if before.is_some() && mine && !due.get_value() {
            due.set_value(true);
            let later = move || {
                if due.try_get_value().is_some() {
                    due.set_value(false);
                    known.reload();
                }
            };
            set_timeout(later, SETTLE);
        }
        number
    });
    Effect::new(move || {
        if let (Some(cell), Some(row)) = (cell(app, known), known.with(|known| known.head.row.clone()))
            && cell.row.with_untracked(|shown| shown.version < row.version)
        {
            cell.row.set(row);
        }
    });
}

/// The signals of the incident's row. Made of what was fetched, not looked for on the board: whoever comes by a link
/// has no board yet, and nothing would tell when it is there.
fn cell(app: App, known: Remote<Known>) -> Option<Cell> {
    known.with(|known| app.board.cell_of(&known.head.row))
}

/// What the row says, as the board and this page know it; redraws only when it changed.
fn of_row<T: PartialEq + Send + Sync + 'static>(
    app: App,
    known: Remote<Known>,
    read: impl Fn(&Cell) -> T + Send + Sync + 'static,
) -> Memo<Option<T>> {
    Memo::new(move |_| cell(app, known).map(|cell| read(&cell)))
}

/// A part of what is known that redraws only when it changed.
fn part<Whole: Clone + Send + Sync + 'static, T: Clone + PartialEq + Send + Sync + 'static>(
    whole: Remote<Whole>,
    read: impl Fn(&Whole) -> T + Send + Sync + 'static,
) -> Memo<Option<T>> {
    Memo::new(move |_| whole.with(&read))
}
