//! While a storm lasts: that pages are collected, with how many; until somebody has read it.

use crate::{
    browser::storage,
    components::icon::{Icon, icon},
    state::App,
    text::{board as t, frame},
};
use leptos::prelude::*;
use shared::Timestamp;

/// Which storm was read in this browser, by when it began.
const READ: &str = "tocsin.storm";

/// Numbers change all the time, so only the heading is read out.
pub(super) fn banner(app: App) -> impl IntoView {
    let l = app.l();
    let storm = move || app.board.counts.with(|counts| counts.as_ref().and_then(|counts| counts.storm.clone()));
    let read = RwSignal::new(storage::read(READ));
    // Another storm is news again.
    let since = Memo::new(move |_| storm().map(|storm| storm.since).filter(|since| read.get() != Some(name(*since))));
    let dismiss = move |since: Timestamp| {
        storage::write(READ, &name(since));
        read.set(Some(name(since)));
    };
    let numbers = move || storm().map(|it| t::storm_numbers(l, it.incidents, it.messages, it.waiting));
    move || {
        since.get().map(|since| {
            view! {
                <div class="notice warn storm" data-testid="storm">
                    {icon(Icon::Warning)}
                    <div>
                        <strong role="status">{t::storm(l, &app.clock_time(since))}</strong>
                        <p>{numbers}</p>
                    </div>
                    <a class="btn small" href="/status">{t::storm_report(l)}</a>
                    <button type="button" class="btn small square" aria-label=frame::close(l) on:click=move |_| dismiss(since)>
                        {icon(Icon::Cross)}
                    </button>
                </div>
            }
        })
    }
}

fn name(since: Timestamp) -> String {
    since.ms().to_string()
}
