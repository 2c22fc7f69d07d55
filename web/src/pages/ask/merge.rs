//! What belongs together: into which incident the others go, and whether an alert is to be one of its own.

use super::{Ask, Asker, bulk};
use crate::{
    components::badge::badge,
    order::sorted,
    state::{
        App,
        actions::{self, DETACH, MERGE},
    },
    text::{frame, incident as t},
};
use leptos::prelude::*;
use shared::{
    IncidentId,
    api::{ActionRequest, IncidentRow},
};

/// Incidents one may choose from at once.
const CHOICES_MAX: usize = 50;

pub(super) fn merge(app: App, asker: Asker, ask: Ask) -> AnyView {
    let l = app.l();
    let text = RwSignal::new(String::new());
    let progress = RwSignal::new(None::<(usize, usize)>);
    let one = ask.ids.first().copied().filter(|_| ask.ids.len() == 1);
    let machine = one.and_then(|id| app.board.row(id)).and_then(|row| row.host);
    // As they stood when somebody looked: the server refuses what changed since.
    let versions: Vec<(IncidentId, Option<u32>)> =
        ask.ids.iter().map(|id| (*id, app.board.row(*id).map(|row| row.version))).collect();
    let candidates: Vec<IncidentRow> = match one {
        None => ask.ids.iter().filter_map(|id| app.board.row(*id)).collect(),
        Some(own) => {
            let others = app.board.with_rows(|rows| rows.values().filter(|row| row.id != own).cloned().collect());
            let near = |row: &IncidentRow| machine.is_none() || row.host != machine;
            sorted(others, |a: &IncidentRow, b: &IncidentRow| (near(a), b.opened_at).cmp(&(near(b), a.opened_at)))
        }
    };
    let go = move |into: IncidentId| {
        let body = |version| ActionRequest { into: Some(into), version, ..ActionRequest::default() };
        let others = versions.iter().filter(|(id, _)| *id != into);
        bulk::run(app, asker, MERGE, others.map(|(id, version)| (*id, body(*version))).collect(), progress);
    };
    let list = move || {
        let words = text.get().to_lowercase();
        let fits = |row: &&IncidentRow| {
            let all = format!("#{} {} {}", row.id, row.title, row.host.as_deref().unwrap_or_default());
            all.to_lowercase().contains(words.trim())
        };
        let found = candidates.iter().filter(fits).take(CHOICES_MAX);
        let buttons = found.map(|row| choice(app, row, go.clone(), progress)).collect::<Vec<_>>();
        if buttons.is_empty() {
            view! { <p class="muted">{t::merge_none(l)}</p> }.into_any()
        } else {
            buttons.into_any()
        }
    };
    view! {
        <div class="stack">
            <p class="muted">{t::merge_lead(l)}</p>
            {one.map(|_| view! {
                <input type="search" autofocus autocomplete="off" aria-label=t::merge_find(l) placeholder=t::merge_find(l)
                    prop:value=move || text.get() on:input=move |event| text.set(event_target_value(&event))/>
            })}
            <div class="people">{list}</div>
            <p role="status">{move || progress.get().map(|(done, all)| crate::text::board::bulk_progress(l, done, all))}</p>
            <div class="form-end">
                <button type="button" class="btn" on:click=move |_| asker.open.set(false)>{frame::cancel(l)}</button>
            </div>
        </div>
    }
    .into_any()
}

fn choice(
    app: App,
    row: &IncidentRow,
    go: impl Fn(IncidentId) + 'static,
    progress: RwSignal<Option<(usize, usize)>>,
) -> AnyView {
    let id = row.id;
    let place = row.host.clone().or_else(|| row.ip.clone()).unwrap_or_default();
    view! {
        <button type="button" class="btn person" disabled=move || progress.get().is_some() on:click=move |_| go(id)>
            {badge(app.l(), row.severity)}
            <span class="grow">{row.title.clone()}<small>{format!("#{id} · {place}")}</small></span>
        </button>
    }
    .into_any()
}

pub(super) fn detach(app: App, asker: Asker, ask: Ask) -> AnyView {
    let l = app.l();
    let Some((alert, words)) = ask.alert.clone() else { return ().into_any() };
    let version = ask.ids.first().and_then(|id| app.board.row(*id)).map(|row| row.version);
    let go = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let body = ActionRequest { alert: Some(alert), version, ..ActionRequest::default() };
        asker.carry_out(app, &ask, &body);
    };
    view! {
        <form class="stack" on:submit=go>
            <p><strong>{words}</strong></p>
            <p class="muted">{t::detach_lead(l)}</p>
            <div class="form-end">
                <button type="button" class="btn" on:click=move |_| asker.open.set(false)>{frame::cancel(l)}</button>
                <button class="btn primary" autofocus>{actions::verb_name(l, DETACH)}</button>
            </div>
        </form>
    }
    .into_any()
}
