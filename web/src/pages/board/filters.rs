//! The chips, the text filter, the grouping and the pill of waiting rows.

use super::Page;
use crate::{
    board::{arrange::Grouping, filter::View},
    browser::dom,
    components::{
        icon::{Icon, icon},
        key,
    },
    text::{board as t, silences},
};
use leptos::prelude::*;
use shared::config::Language;
use std::collections::BTreeSet;

fn name(l: Language, view: View) -> String {
    match view {
        View::Unacked => t::unacked(l),
        View::Acked => t::acked(l),
        View::Urgent => t::urgent(l),
        View::Quiet => silences::quiet(l),
        View::Open => t::all_open(l),
        View::Resolved => t::resolved(l),
        View::Missed => t::missed(l),
    }
}

pub(super) fn filters(page: Page) -> impl IntoView {
    let l = page.app.l();
    let app = page.app;
    // So that they never vanish without a trace.
    let quiet = Memo::new(move |_| {
        app.board.order.track();
        app.board.with_rows(|rows| rows.values().filter(|row| !row.suppressed.is_empty()).count())
    });
    let name = move |view: View| match quiet.get() {
        n if view == View::Quiet && n > 0 => silences::quiet_count(l, n),
        _ => name(l, view),
    };
    let chips = View::ALL.map(|view| {
        view! {
            <button type="button" class="chip" aria-pressed=move || (page.view.get() == view).to_string()
                on:click=move |_| page.set_view(view)>{move || name(view)}</button>
        }
    });
    // On a phone the chosen chip may stand outside the row.
    Effect::new(move || {
        page.view.track();
        request_animation_frame(|| dom::reveal(".chips [aria-pressed='true']"));
    });
    view! {
        <div class="filters">
            <div class="chips" role="group" aria-label=t::views(l)>{chips.collect_view()}</div>
            <label class="text-filter">
                {icon(Icon::Search)}
                <input
                    id="board-filter" type="search" autocomplete="off" spellcheck="false" maxlength="200"
                    aria-label=t::filter_label(l) placeholder=t::filter_hint(l)
                    prop:value=move || page.text.get()
                    on:input=move |event| page.text.set(event_target_value(&event))
                />
                {key::hint("/")}
            </label>
            {pick(page)}
            {pill(page)}
            {grouping(page)}
        </div>
    }
}

/// Only on a phone, where there is no column of boxes.
fn pick(page: Page) -> impl IntoView {
    let l = page.app.l();
    let on_click = move |_| {
        page.picking.update(|picking| *picking = !*picking);
        page.selected.update(BTreeSet::clear);
    };
    view! {
        <button type="button" class="chip pick" aria-pressed=move || page.picking.get().to_string() on:click=on_click>
            {t::col_select(l)}
        </button>
    }
}

fn grouping(page: Page) -> impl IntoView {
    let l = page.app.l();
    let option = |grouping: Grouping, name: String| {
        view! { <option value=grouping.word() selected=move || page.grouping.get() == grouping>{name}</option> }
    };
    view! {
        <label class="group-by">
            <span>{t::group_by(l)}</span>
            <select on:change=move |event| page.set_grouping(Grouping::from_word(&event_target_value(&event)))>
                {option(Grouping::None, t::by_none(l))}
                {option(Grouping::Host, t::by_host(l))}
                {option(Grouping::Source, t::by_source(l))}
            </select>
        </label>
    }
}

/// Always in the same place and of the same size, so that nothing moves when it appears.
fn pill(page: Page) -> impl IntoView {
    let l = page.app.l();
    let waiting = move || page.waiting.with(Vec::len);
    view! {
        <button type="button" class="chip new" class:hidden=move || waiting() == 0 disabled=move || waiting() == 0
            on:click=move |_| page.let_in()>{move || t::new_rows(l, waiting())}</button>
    }
}
