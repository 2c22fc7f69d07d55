//! Storms that were, and the one that lasts: what came, what became of it, and that nothing is missing.

use crate::{
    components::states::loaded,
    state::{App, Remote},
    text::status as t,
};
use leptos::prelude::*;
use shared::{Storm, api::List, text::span};

pub(super) fn card(app: App) -> impl IntoView {
    let l = app.l();
    let storms = Remote::<List<Storm>>::new("/api/v1/storms");
    let body = loaded(t::storms(l), storms, 2, move |list| {
        if list.items.is_empty() {
            return view! { <p class="muted">{t::no_storms(l)}</p> }.into_any();
        }
        list.items.iter().map(|storm| report(app, storm)).collect_view().into_any()
    });
    view! { <section class="card" data-testid="storms"><h2>{t::storms(l)}</h2>{body}</section> }
}

fn report(app: App, storm: &Storm) -> impl IntoView + use<> {
    let l = app.l();
    let (outcomes, pages) = (storm.outcomes, storm.deliveries);
    let lasts = match storm.ended_at {
        Some(end) => t::storm_lasted(l, &span(l, end.ms_since(storm.since))),
        None => t::storm_lasts(l),
    };
    let facts = [
        (t::storm_incidents(l), t::storm_of_which(l, storm.incidents, storm.p0, storm.quiet)),
        (
            t::storm_received(l),
            t::storm_opened(l, storm.received, outcomes.opened, outcomes.refreshed, outcomes.closed)
                + &t::storm_others(l, outcomes.suppressed, outcomes.unchanged, outcomes.rejected),
        ),
        (t::storm_pages(l), t::storm_sent(l, pages.carried + pages.due, pages.sent, pages.cancelled, pages.waiting)),
        (t::storm_messages(l), t::storm_shared(l, storm.messages, pages.bundled, pages.delayed)),
        (t::storm_dropped(l), storm.dropped.to_string()),
    ];
    let facts = facts.map(|(name, value)| view! { <div><dt>{name}</dt><dd>{value}</dd></div> }).collect_view();
    view! {
        <h3>{app.clock_time(storm.since)} " · " {lasts}</h3>
        <dl class="facts-grid">{facts}</dl>
    }
}
