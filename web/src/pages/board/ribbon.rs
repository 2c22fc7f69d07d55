//! The heading: how many of which level, how long the oldest waits, how the last hour went.

use super::Page;
use crate::{board::history, format, text::board as t};
use leptos::prelude::*;
use shared::api::Counts;

pub(super) fn ribbon(page: Page) -> impl IntoView {
    let app = page.app;
    let l = app.l();
    let counted = move |read: fn(&Counts) -> u32| app.board.counts.with(|counts| counts.as_ref().map(read));
    let number =
        move |read: fn(&Counts) -> u32| move || counted(read).map_or_else(|| "–".to_owned(), |n| n.to_string());
    let has_p0 = move || counted(|counts| counts.triggered[0]).is_some_and(|n| n > 0);
    let acked = move || counted(|counts| counts.acked.iter().sum()).filter(|n| *n > 0);
    let oldest = move || app.board.counts.with(|counts| counts.as_ref().and_then(|counts| counts.oldest_triggered));
    let paged = move || counted(|counts| counts.people_paged).filter(|n| *n > 0);
    view! {
        <section class="ribbon" aria-label=t::incidents(l)>
            <p class:alarm=has_p0><b>{number(|counts| counts.triggered[0])}</b> {t::p0_open(l)}</p>
            <p><b>{number(|counts| counts.triggered[1])}</b> {t::p1_open(l)}</p>
            <p><b>{number(|counts| counts.triggered[2..].iter().sum())}</b> {t::lower(l)}</p>
            <div class="facts">
                {move || acked().map(|n| view! { <span>{t::acked_count(l, n)}</span> })}
                {move || oldest().map(|at| view! {
                    <span>{t::oldest(l)} " " <strong>{move || format::age(l, app.now.get().ms_since(at))}</strong></span>
                })}
                {move || paged().map(|n| view! { <span>{if n == 1 { t::paged_one(l) } else { t::paged(l, n) }}</span> })}
            </div>
            {spark(page)}
        </section>
    }
}

fn spark(page: Page) -> impl IntoView {
    let app = page.app;
    let l = app.l();
    let minutes = Memo::new(move |_| {
        app.board.order.track();
        // Once a minute is enough for a curve of minutes.
        let now = shared::Timestamp::from_ms(app.now.get().ms() / 60_000 * 60_000);
        app.board.with_rows(|rows| history::openings(rows.values().map(|row| row.opened_at), now))
    });
    let label = move || t::last_hour_long(l, minutes.with(|minutes| minutes.iter().sum()));
    view! {
        <div class="spark">
            <svg viewBox="0 0 160 28" preserveAspectRatio="none" role="img" aria-label=label>
                <path d=move || format!("{}V28H0Z", minutes.with(history::curve)) class="area"></path>
                <path d=move || minutes.with(history::curve)></path>
            </svg>
            <span aria-hidden="true">{t::last_hour(l)}</span>
        </div>
    }
}
