//! The board's keys; a key press that belongs to a field or a dialog is left alone.

use super::{Page, list, row};
use crate::{
    board::arrange::Item,
    browser::dom,
    state::actions::{self, ACK, ESCALATE, MERGE, NOTE, REASSIGN, RESOLVE, SNOOZE},
};
use leptos::{ev, prelude::*};
use leptos_router::{NavigateOptions, hooks::use_navigate};
use shared::api::ActionRequest;
use wasm_bindgen::JsCast;

pub(super) fn listen(page: Page) {
    let navigate = use_navigate();
    let handle = window_event_listener(ev::keydown, move |event| {
        if event.alt_key() && event.code() == "Space" {
            event.prevent_default();
            let now = page.app.clock();
            page.paused.update(|paused| *paused = if paused.is_some() { None } else { Some(now) });
            return;
        }
        if event.key() == "Escape" && !dom::dialog_is_open() {
            return escape(page);
        }
        if dom::is_typing(&event) || event.ctrl_key() || event.meta_key() || event.alt_key() {
            return;
        }
        if event.key() == "Enter" {
            let on_row = focused_row();
            if let Some(id) = page.cursor.get_untracked().filter(|_| on_row) {
                navigate(&format!("/incidents/{id}"), NavigateOptions::default());
            }
            return;
        }
        if press(page, &event.key(), event.shift_key()) {
            event.prevent_default();
        }
    });
    on_cleanup(move || handle.remove());
}

/// Whether the key meant something.
fn press(page: Page, key: &str, shift: bool) -> bool {
    match key {
        "j" | "J" | "ArrowDown" => step(page, 1, shift),
        "k" | "K" | "ArrowUp" => step(page, -1, shift),
        "Home" => list::go_to(page, 0),
        "x" => {
            if let Some(id) = page.cursor.get_untracked() {
                row::toggle(page, id);
            }
        }
        "/" => dom::focus("#board-filter"),
        "a" => answer(page, ACK),
        "r" => page.asker.ask(RESOLVE, page.aimed_at()),
        "e" => page.asker.ask(ESCALATE, page.aimed_at()),
        "s" => page.asker.ask(SNOOZE, page.aimed_at()),
        "t" => page.asker.ask(REASSIGN, page.aimed_at()),
        "n" => page.asker.ask(NOTE, page.aimed_at()),
        "m" => page.asker.ask(MERGE, page.aimed_at()),
        _ => return false,
    }
    true
}

/// One incident is acknowledged at once; many are asked about.
fn answer(page: Page, verb: &'static str) {
    match page.aimed_at().as_slice() {
        [id] => actions::act(page.app, *id, verb, ActionRequest::default()),
        ids => page.asker.ask(verb, ids.to_vec()),
    }
}

fn step(page: Page, by: isize, extend: bool) {
    let count = page.shown.with_untracked(|shown| shown.len());
    if count == 0 {
        return;
    }
    let from = page.cursor.get_untracked().and_then(|id| page.position(id));
    if extend && let Some(id) = page.cursor.get_untracked() {
        page.selected.update(|selected| {
            selected.insert(id);
        });
    }
    let mut to = match from {
        Some(from) => from.saturating_add_signed(by).min(count - 1),
        None => 0,
    };
    // Headings of groups are stepped over.
    let is_group = |index: usize| page.shown.with_untracked(|shown| matches!(shown.get(index), Some(Item::Group(_))));
    if is_group(to) {
        to = if by < 0 && to == 0 { from.unwrap_or(1) } else { to.saturating_add_signed(by).min(count - 1) };
    }
    list::go_to(page, to);
    if extend && let Some(id) = page.cursor.get_untracked() {
        page.selected.update(|selected| {
            selected.insert(id);
        });
    }
}

fn escape(page: Page) {
    if page.selected.with_untracked(|selected| !selected.is_empty()) {
        page.selected.update(std::collections::BTreeSet::clear);
    } else if let Some(id) = page.cursor.get_untracked() {
        list::focus(id);
    }
    let field = document().active_element().filter(|element| element.id() == "board-filter");
    if let Some(field) = field.and_then(|element| element.dyn_into::<web_sys::HtmlElement>().ok()) {
        drop(field.blur());
    }
}

fn focused_row() -> bool {
    document().active_element().is_some_and(|element| element.id().starts_with("row-"))
}
