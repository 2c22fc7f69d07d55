//! What must be seen above the list without moving it: new P0 that wait, a pause, remembered data.

use super::Page;
use crate::{board::filter::is_alarm, components::badge::badge, state::board::Freshness, text::board as t};
use leptos::prelude::*;
use shared::{IncidentId, Severity};

/// Laid over the list's heading, which has the same height.
pub(super) fn banner(page: Page) -> impl IntoView {
    let l = page.app.l();
    let app = page.app;
    let content = move || {
        let p0 = waiting_p0(page);
        if let Some(newest) = p0.first() {
            let row = app.board.row(*newest);
            let words =
                row.map(|row| format!("{} · {}", row.host.clone().unwrap_or_default(), row.title)).unwrap_or_default();
            return Some(
                view! {
                    <div class="strip alarm" role="alert">
                        {badge(l, Severity::P0)}
                        <strong>{t::new_p0(l, p0.len())}</strong>
                        <span class="grow">{words}</span>
                        <button type="button" class="btn small" on:click=move |_| page.let_in()>{t::show(l)}</button>
                    </div>
                }
                .into_any(),
            );
        }
        if let Some(at) = page.paused.get() {
            let resume = move |_| page.paused.set(None);
            return Some(
                view! {
                    <div class="strip paused" role="status">
                        <strong class="grow">{t::paused(l, &app.clock_time(at))}</strong>
                        <button type="button" class="btn small" on:click=resume>{t::resume(l)}</button>
                    </div>
                }
                .into_any(),
            );
        }
        (app.board.freshness.get() == Freshness::Cached).then(|| {
            view! { <div class="strip" role="status">{t::cached(l, &app.clock_time(app.board.as_of.get()))}</div> }
                .into_any()
        })
    };
    view! { <div class="strip-place">{content}</div> }
}

fn waiting_p0(page: Page) -> Vec<IncidentId> {
    let unanswered =
        |id: &IncidentId| page.app.board.row(*id).is_some_and(|row| row.severity == Severity::P0 && is_alarm(&row));
    page.waiting.with(|waiting| waiting.iter().copied().filter(unanswered).collect())
}
