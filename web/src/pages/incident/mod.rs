//! One incident: is it real, why me, who else was reached, what was tried before, and what to do now.

mod actions;
mod alerts;
mod before;
mod header;
mod lanes;
mod proof;
mod quiet;
mod raw;
mod timeline;
mod why;

pub(crate) use before::incidents;
pub(crate) use proof::route_step;
pub(crate) use raw::message;
pub(crate) use why::severity as severity_reason;

use super::{
    ask::{self, Asker},
    silences::{self, Maker},
};
use crate::{
    components::{page::name_page, states::loaded},
    state::{App, Remote, board::Cell},
    text::incident as t,
};
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use shared::{IncidentId, api::IncidentDetail};
use std::time::Duration;

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
    let detail = Remote::<IncidentDetail>::new(format!("/api/v1/incidents/{id}"));
    follow(app, id, detail);
    let asker = Asker::new(None);
    let maker = Maker::new(app, None);
    actions::listen(app, id, asker, maker);
    let body = loaded(t::title(app.l(), id.0), detail, 10, move |_| ().into_any());
    let there = Memo::new(move |_| detail.with(|_| ()).is_some());
    view! {
        <div class="page incident">
            // The skeleton and the failure; what is there is drawn part by part below, so that no part blinks.
            {move || (!there.get()).then(|| view! { <h1>{t::title(app.l(), id.0)}</h1> })}
            {body}
            {move || there.get().then(|| parts(app, id, detail, asker, maker))}
        </div>
        {move || there.get().then(|| actions::phone_bar(app, id, detail, asker, maker))}
        {ask::dialog(app, asker)}
        {silences::dialog(maker)}
    }
}

fn parts(app: App, id: IncidentId, detail: Remote<IncidentDetail>, asker: Asker, maker: Maker) -> impl IntoView {
    view! {
        {header::header(app, id, detail, asker, maker)}
        {quiet::band(app, detail)}
        {why::why(app, id, detail)}
        <div class="grid-wide">
            <div>
                {lanes::card(app, detail)}
                {raw::card(app, detail)}
                {alerts::card(app, id, detail, asker)}
            </div>
            <div>
                {timeline::card(app, id, detail)}
                {before::card(app, detail)}
            </div>
        </div>
    }
}

/// Fetches the page again when a delta (or an own action) touched this incident.
fn follow(app: App, id: IncidentId, detail: Remote<IncidentDetail>) {
    let due = StoredValue::new(false);
    Effect::new(move |before: Option<u32>| {
        let (number, mine) = app.pulse.with(|pulse| (pulse.number, pulse.incidents.contains(&id)));
        if before.is_some() && mine && !due.get_value() {
            due.set_value(true);
            let later = move || {
                if due.try_get_value().is_some() {
                    due.set_value(false);
                    detail.reload();
                }
            };
            set_timeout(later, SETTLE);
        }
        number
    });
    Effect::new(move || {
        if let (Some(cell), Some(detail)) = (cell(app, detail), detail.ready())
            && cell.row.with_untracked(|known| known.version < detail.row.version)
        {
            cell.row.set(detail.row);
        }
    });
}

/// The signals of the incident's row. Made of what was fetched, not looked for on the board: whoever comes by a link
/// has no board yet, and nothing would tell when it is there.
fn cell(app: App, detail: Remote<IncidentDetail>) -> Option<Cell> {
    detail.with(|detail| app.board.cell_of(&detail.row))
}

/// What the row says, as the board and this page know it; redraws only when it changed.
fn of_row<T: PartialEq + Send + Sync + 'static>(
    app: App,
    detail: Remote<IncidentDetail>,
    read: impl Fn(&Cell) -> T + Send + Sync + 'static,
) -> Memo<Option<T>> {
    Memo::new(move |_| cell(app, detail).map(|cell| read(&cell)))
}

/// A part of the detail that redraws only when it changed.
fn part<T: Clone + PartialEq + Send + Sync + 'static>(
    detail: Remote<IncidentDetail>,
    read: impl Fn(&IncidentDetail) -> T + Send + Sync + 'static,
) -> Memo<Option<T>> {
    Memo::new(move |_| detail.with(&read))
}
