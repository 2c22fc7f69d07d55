//! One line of the list: an incident, or the heading of a group.

use super::{Page, cells};
use crate::{
    board::{arrange::Group, filter::is_alarm},
    components::{
        badge::{self, badge},
        state_word,
    },
    format,
    state::{
        actions::{self, ACK},
        board::Cell,
    },
    text::board as t,
};
use leptos::prelude::*;
use leptos_router::{NavigateOptions, hooks::use_navigate};
use shared::{IncidentId, Severity, api::ActionRequest};
use wasm_bindgen::JsCast;

pub(super) fn row(page: Page, id: IncidentId) -> impl IntoView {
    let Cell { row, pending } = page.app.board.cell(id)?;
    let class = {
        let row = row.clone();
        move || {
            row.with(|row| {
                let alarm = row.severity == Severity::P0 && is_alarm(row);
                let quiet = if row.suppressed.is_empty() { "" } else { " quiet" };
                let state = state_word::class(row.state);
                format!("line row {} {state}{}{quiet}", badge::class(row.severity), if alarm { " alarm" } else { "" })
            })
        }
    };
    let is_selected = move || page.selected.with(|selected| selected.contains(&id));
    let is_cursor = move || page.cursor.get() == Some(id);
    let index = move || page.shown.with(|shown| shown.iter().position(|item| item.id() == Some(id)).unwrap_or(0) + 2);
    // The first line can be reached with Tab while no line has the cursor.
    let tab = move || {
        let reachable = is_cursor() || (page.cursor.get().is_none() && index() == 2);
        if reachable { "0" } else { "-1" }
    };
    let navigate = use_navigate();
    let open = move |event: web_sys::MouseEvent| {
        let target = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
        let is_on = |what: &str| target.as_ref().is_some_and(|target| target.closest(what).ok().flatten().is_some());
        if is_on("button, input, label") {
            return;
        }
        if page.picking.get_untracked() {
            // The title is a link, but a finger that picks does not want to leave.
            event.prevent_default();
            toggle(page, id);
        } else if !is_on("a") {
            navigate(&format!("/incidents/{id}"), NavigateOptions::default());
        }
    };
    // A long press on a touch screen.
    let pick = move |event: web_sys::MouseEvent| {
        if page.narrow.get_untracked() && !page.picking.get_untracked() {
            event.prevent_default();
            page.picking.set(true);
            toggle(page, id);
        }
    };
    let view = view! {
        <div
            id=format!("row-{id}") data-testid=format!("row-{id}") role="row" class=class
            class:cursor=is_cursor aria-rowindex=move || index().to_string()
            aria-selected=move || is_selected().to_string() tabindex=tab
            on:focus=move |_| page.cursor.set(Some(id)) on:click=open on:contextmenu=pick
        >
            {select_cell(page, id)}
            {cells::cells(page.app, row, pending)}
        </div>
    };
    Some(view)
}

fn select_cell(page: Page, id: IncidentId) -> impl IntoView {
    let is_selected = move || page.selected.with(|selected| selected.contains(&id));
    let toggle = move |_| toggle(page, id);
    view! {
        <span role="gridcell" class="c-select">
            <label class="tick">
                <input type="checkbox" tabindex="-1" aria-label=t::select_row(page.app.l(), id.0) prop:checked=is_selected on:change=toggle/>
            </label>
        </span>
    }
}

pub(super) fn toggle(page: Page, id: IncidentId) {
    page.selected.update(|selected| {
        if !selected.remove(&id) {
            selected.insert(id);
        }
    });
}

/// The button at the end of a line nobody has answered.
pub(super) fn ack_button(app: crate::state::App, id: IncidentId) -> impl IntoView {
    view! {
        <button type="button" class="btn small ack" tabindex="-1" on:click=move |_| actions::act(app, id, ACK, ActionRequest::default())>
            {t::ack(app.l())}<span class="sr">{format!("#{id}")}</span>
        </button>
    }
}

pub(super) fn group(page: Page, group: Group) -> impl IntoView {
    let app = page.app;
    let l = app.l();
    let name = if group.name.is_empty() { t::no_host(l) } else { group.name };
    let oldest = group.oldest;
    view! {
        <div role="row" class="line group">
            <span role="gridcell" aria-colspan="11">
                {badge(l, group.worst)}
                <strong class="mono">{name}</strong>
                <span class="muted">{t::group_count(l, group.count, group.unanswered)}</span>
                <span class="muted num">{move || format::age(l, app.now.get().ms_since(oldest))}</span>
            </span>
        </div>
    }
}
