//! The virtual list: a grid for screen readers, of which only the visible lines exist.

use super::{Page, empty, row};
use crate::{
    board::{arrange::Item, window},
    browser::dom,
    components::keyed::keyed,
    text::board as t,
};
use leptos::{ev, html, prelude::*};
use shared::{IncidentId, config::Language};

pub(super) const SCROLLER: &str = "board-list";
const COLUMNS: usize = 11;

pub(super) fn list(page: Page) -> impl IntoView {
    let l = page.app.l();
    let scroller = NodeRef::<html::Div>::new();
    let measure = move || {
        if let Some(element) = scroller.try_get_untracked().flatten() {
            page.scroll_top.set(element.scroll_top());
            page.height.set(element.client_height());
        }
        page.narrow.set(dom::is_narrow());
    };
    let resized = window_event_listener(ev::resize, move |_| measure());
    on_cleanup(move || resized.remove());
    Effect::new(move || {
        if scroller.get().is_some() {
            request_animation_frame(measure);
        }
    });
    let moved = move |_| {
        let now = page.app.clock();
        // Signals only for what matters: a moving pointer renews its hold every few seconds.
        if page.pointer_at.get_untracked().is_none_or(|at| now.ms_since(at) > 5_000) {
            page.pointer_at.set(Some(now));
        }
    };
    view! {
        <div class="list-box">
            <div
                id=SCROLLER class="list" class:picking=move || page.picking.get() role="grid" node_ref=scroller
                aria-label=t::incidents(l) aria-colcount=COLUMNS.to_string() aria-multiselectable="true"
                aria-rowcount=move || (page.shown.with(|shown| shown.len()) + 1).to_string()
                on:scroll=move |_| measure()
                on:pointermove=moved
                on:pointerleave=move |_| page.pointer_left()
            >
                {heading(l)}
                {lines(page)}
            </div>
            {empty::place(page)}
        </div>
    }
}

fn heading(l: Language) -> impl IntoView {
    let names = [
        ("", t::col_level(l)),
        ("", t::col_state(l)),
        ("", t::col_what(l)),
        ("", t::col_host(l)),
        ("c-source", t::col_source(l)),
        ("c-count num", t::col_count(l)),
        ("num", t::col_age(l)),
        ("c-next", t::col_next(l)),
        ("c-proof", t::col_proof(l)),
    ];
    let cells = names.map(|(class, name)| view! { <span role="columnheader" class=class>{name}</span> });
    view! {
        <div class="line head" role="row" aria-rowindex="1">
            <span role="columnheader"><span class="sr">{t::col_select(l)}</span></span>
            {cells.collect_view()}
            <span role="columnheader"><span class="sr">{t::col_action(l)}</span></span>
        </div>
    }
}

fn lines(page: Page) -> impl IntoView {
    let window = Memo::new(move |_| {
        let count = page.shown.with(|shown| shown.len());
        window::window(count, page.line_px(), page.scroll_top.get(), page.height.get())
    });
    let visible = move || {
        let window = window.get();
        page.shown.with(|shown| {
            let items = shown.get(window.first..window.last).unwrap_or_default();
            items.iter().cloned().enumerate().map(|(n, item)| (window.first + n, item)).collect::<Vec<_>>()
        })
    };
    let key = |(index, item): &(usize, Item)| match item {
        Item::Row(id) => id.to_string(),
        Item::Group(group) => format!("{index} {} {} {}", group.name, group.count, group.unanswered),
    };
    let draw = move |(_, item): (usize, Item)| match item {
        Item::Row(id) => row::row(page, id).into_any(),
        Item::Group(group) => row::group(page, group).into_any(),
    };
    view! {
        <div role="rowgroup" class="lines" style:height=move || format!("{}px", window.get().total_px)>
            <div role="none" class="slice" style:transform=move || format!("translateY({}px)", window.get().offset_px)>
                {keyed(visible, key, draw)}
            </div>
        </div>
    }
}

pub(super) fn scroll_to(top: i32) {
    if let Some(element) = document().get_element_by_id(SCROLLER) {
        element.set_scroll_top(top);
    }
}

/// Moves the cursor to a line, makes it visible and gives it the focus.
pub(super) fn go_to(page: Page, index: usize) {
    let Some(id) = page.shown.with_untracked(|shown| shown.get(index).and_then(Item::id)) else { return };
    page.cursor.set(Some(id));
    let line_px = untrack(|| page.line_px());
    // The heading stands above the lines and keeps standing there.
    let (top, height) = (page.scroll_top.get_untracked(), page.height.get_untracked() - 36);
    if let Some(top) = window::reveal(index, line_px, top, height) {
        scroll_to(top);
    }
    request_animation_frame(move || request_animation_frame(move || focus(id)));
}

pub(super) fn focus(id: IncidentId) {
    dom::focus(&format!("#row-{id}"));
}
