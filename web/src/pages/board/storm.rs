//! While a storm lasts: that pages are collected, with how many.

use crate::{
    components::icon::{Icon, icon},
    state::App,
    text::board as t,
};
use leptos::prelude::*;

/// Numbers change all the time, so only the heading is read out.
pub(super) fn banner(app: App) -> impl IntoView {
    let l = app.l();
    let storm = move || app.board.counts.with(|counts| counts.as_ref().and_then(|counts| counts.storm.clone()));
    let since = Memo::new(move |_| storm().map(|storm| storm.since));
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
                </div>
            }
        })
    }
}
