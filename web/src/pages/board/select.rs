//! The bar at the foot: the selection and what can be done with it, or the keys.

use super::Page;
use crate::{
    board::arrange::Item,
    components::key::key,
    state::actions::{self, ACK, ESCALATE, MERGE, NOTE, RESOLVE, SNOOZE},
    text::board as t,
};
use leptos::prelude::*;
use std::collections::BTreeSet;

pub(super) fn bar(page: Page) -> impl IntoView {
    let any = Memo::new(move |_| page.selected.with(|selected| !selected.is_empty()));
    move || if any.get() { selection(page).into_any() } else { keys(page).into_any() }
}

fn selection(page: Page) -> impl IntoView {
    let l = page.app.l();
    let count = move || page.selected.with(BTreeSet::len);
    let several = Memo::new(move |_| count() > 1);
    let all = move || page.shown.with(|shown| shown.iter().filter(|item| item.id().is_some()).count());
    let select_all =
        move |_| page.selected.set(page.shown.with_untracked(|shown| shown.iter().filter_map(Item::id).collect()));
    let button = move |verb: &'static str| {
        view! {
            <button type="button" class="btn" on:click=move |_| page.asker.ask(verb, page.aimed_at())>
                {actions::verb_name(l, verb)}
            </button>
        }
    };
    view! {
        <div class="select-bar" role="region" aria-label=t::col_select(l)>
            <strong role="status">{move || t::selected(l, count())}</strong>
            <button type="button" class="btn ghost" on:click=select_all>{move || t::select_all(l, all())}</button>
            <button type="button" class="btn ghost" on:click=move |_| page.selected.set(BTreeSet::new())>{t::clear_selection(l)}</button>
            <span class="grow"></span>
            <span class="select-verbs">{[ACK, RESOLVE, SNOOZE].map(button).collect_view()}{move || several.get().then(|| button(MERGE))}</span>
        </div>
    }
}

fn keys(page: Page) -> impl IntoView {
    let l = page.app.l();
    let shown = move || page.shown.with(|shown| shown.iter().filter(|item| item.id().is_some()).count());
    let total = move || {
        page.app.board.counts.with(|counts| {
            counts.as_ref().map_or(0, |counts| counts.triggered.iter().chain(&counts.acked).sum::<u32>())
        })
    };
    let legend = [
        ("a", actions::verb_name(l, ACK)),
        ("r", actions::verb_name(l, RESOLVE)),
        ("s", actions::verb_name(l, SNOOZE)),
        ("e", actions::verb_name(l, ESCALATE)),
        ("n", actions::verb_name(l, NOTE)),
        ("/", t::key_filter(l)),
        ("?", t::key_help(l)),
    ];
    let legend = legend.map(|(cap, what)| view! { <span>{key(cap)} {what}</span> }).collect_view();
    view! {
        <div class="keys-bar">
            <span>{key("j")}{key("k")} {t::key_move(l)}</span>
            {legend}
            <span class="grow"></span>
            <span>{move || t::shown_of(l, shown(), total())}</span>
        </div>
    }
}
