//! What stands in the list's place: loading, failed, nothing firing, nothing matching.

use super::Page;
use crate::{
    board::filter::View,
    components::{
        icon::{Icon, icon},
        states::{failure, skeleton},
        time::ago,
    },
    live::{driver, machine::Input},
    pages::later::{self, Part},
    state::{App, Load, Remote, board::Freshness},
    text::{board as t, frame},
};
use leptos::prelude::*;
use serde::Deserialize;
use shared::{Timestamp, api::List};

/// As much of a sender as is said here: the rest of it is not read by the first module.
#[derive(Clone, Deserialize)]
struct Sender {
    name: String,
    last_event_at: Option<Timestamp>,
}

pub(super) fn place(page: Page) -> impl IntoView {
    let app = page.app;
    let l = app.l();
    move || {
        if !page.shown.with(|shown| shown.is_empty()) {
            return None;
        }
        let what = frame::board(l);
        let view = match (page.resolved_list(), app.board.freshness.get()) {
            (Some(Load::Loading), _) | (None, Freshness::Nothing) => skeleton(8),
            (Some(Load::Failed(error)), _) => failure(&what, &error, move || page.resolved.reload()),
            (None, Freshness::Failed(error)) => failure(&what, &error, || driver::feed(Input::Hurry)),
            _ if page.waiting.with(|waiting| !waiting.is_empty()) => skeleton(1),
            (None, _) if app.board.with_rows(|rows| rows.is_empty()) => later::part_or(Part::FirstRun(well), well),
            _ if page.view.get() == View::Missed && page.text.with(String::is_empty) => {
                view! { <div class="calm"><h2>{t::missed_none(l)}</h2></div> }.into_any()
            }
            _ => filtered(page).into_any(),
        };
        Some(view! { <div class="list-empty" tabindex="0">{view}</div> })
    }
}

/// An empty board must prove that the pipe works.
fn well(app: App) -> AnyView {
    let l = app.l();
    let senders = Remote::<List<Sender>>::new("/api/v1/integrations");
    let proof = move || {
        let list = senders.ready()?;
        let newest =
            list.items.iter().filter_map(|row| Some((row.last_event_at?, row.name.clone()))).max_by_key(|(at, _)| *at);
        let words = match newest {
            Some((at, name)) => {
                // The time ticks, so the sentence is cut around it.
                let sentence = t::empty_heard(l, &name, "\u{1}");
                let (before, after) = sentence.split_once('\u{1}').unwrap_or((&sentence, ""));
                view! { <p>{before.to_owned()}{ago(at)}{after.to_owned()}</p> }.into_any()
            }
            None => view! { <p>{t::empty_unheard(l)}</p> }.into_any(),
        };
        Some(
            view! { {words} <p class="muted">{match list.items.len() { 1 => t::empty_sender(l), n => t::empty_senders(l, n) }}</p> },
        )
    };
    view! {
        <div class="calm">
            {icon(Icon::Check)}
            <h2>{t::empty_title(l)}</h2>
            {proof}
            <a class="btn" href="/integrations#try">{t::empty_test(l)}</a>
        </div>
    }
    .into_any()
}

fn filtered(page: Page) -> impl IntoView {
    let l = page.app.l();
    let hidden = page.app.board.with_rows(|rows| rows.len());
    let clear = move |_| {
        page.text.set(String::new());
        page.set_view(View::Open);
    };
    view! {
        <div class="calm quiet">
            <h2>{t::empty_filtered(l)}</h2>
            <p>{t::empty_filtered_hint(l, hidden)}</p>
            <button type="button" class="btn" on:click=clear>{t::clear_filter(l)}</button>
        </div>
    }
}
