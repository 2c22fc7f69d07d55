//! The pager looking at itself, once every few seconds.

use crate::{
    components::{
        icon::{Icon, icon},
        page::page_head,
        states::loaded,
    },
    state::{App, Remote},
    text::{frame, status as t},
};
use leptos::prelude::*;
use shared::{api::PagerStatus, config::Language};
use std::time::Duration;

const EVERY: Duration = Duration::from_secs(5);
/// A decision later than this is worth a colour.
const LATE_MS: i64 = 2_000;
/// An engine that stood still for this long is ill.
const STALL_MS: i64 = 10_000;

pub(crate) fn page() -> impl IntoView {
    let app = App::here();
    let l = app.l();
    let status = Remote::<PagerStatus>::new("/api/v1/status");
    if let Ok(timer) = set_interval_with_handle(move || status.reload(), EVERY) {
        on_cleanup(move || timer.clear());
    }
    let body = loaded(frame::status(l), status, 6, move |status| draw(app, &status));
    view! { <div class="page">{page_head(frame::status(l), t::lead(l), ().into_any())}{body}{super::storms::card(app)}</div> }
}

fn draw(app: App, status: &PagerStatus) -> AnyView {
    let l = app.l();
    let well = status.warnings.is_empty() && status.lateness_ms < LATE_MS;
    let (class, sign, words) =
        if well { ("notice good", Icon::Check, t::well(l)) } else { ("notice warn", Icon::Warning, t::not_well(l)) };
    let warnings = status.warnings.iter().map(|warning| view! { <li>{warning.clone()}</li> }).collect_view();
    let facts = [
        (t::open(l), view! { <a href="/">{status.open_incidents}</a> }.into_any()),
        (t::config(l), format!("v{}", status.config).into_any()),
        (t::store(l), status.store.clone().into_any()),
        (t::version(l), status.version.clone().into_any()),
        (t::audited(l), status.audited_at.map_or_else(|| t::not_audited(l), |at| app.clock_time(at)).into_any()),
        (t::heartbeat(l), status.heartbeat_at.map_or_else(|| t::no_heartbeat(l), |at| app.clock_time(at)).into_any()),
    ];
    let facts = facts.map(|(name, value)| view! { <div><dt>{name}</dt><dd>{value}</dd></div> });
    view! {
        <div class=class role="status">
            {icon(sign)}
            <div><strong>{words}</strong><ul>{warnings}</ul></div>
            <small class="muted">{t::as_of(l, &app.civil(status.now).time())}</small>
        </div>
        <section class="card"><h2>{t::pipeline(l)}</h2>{pipeline(l, status)}</section>
        <section class="card"><dl class="facts-grid">{facts.collect_view()}</dl></section>
    }
    .into_any()
}

/// The way of a message through the pager, with what waits at each station.
fn pipeline(l: Language, status: &PagerStatus) -> impl IntoView + use<> {
    let late = status.lateness_ms >= LATE_MS;
    let station = |sign: Icon, name: String, value: String, what: String, bad: bool| {
        view! {
            <li class:late=bad>
                <p class="station">{icon(sign)}{name}</p>
                <p class="reading"><strong>{value}</strong><small>{what}</small></p>
            </li>
        }
    };
    view! {
        <ol class="pipeline">
            {station(Icon::Messages, t::at_store(l), status.queue.to_string(), t::queue(l), false)}
            {station(Icon::Status, t::at_engine(l), shared::text::span(l, status.last_tick_ms), t::last_tick(l), status.last_tick_ms >= STALL_MS)}
            {station(Icon::Clock, t::at_timers(l), status.due.to_string(), t::due(l), false)}
            {station(Icon::Bell, t::at_decisions(l), shared::text::span(l, status.lateness_ms), t::lateness(l), late)}
            {station(Icon::Arrow, t::at_deliveries(l), status.in_flight.to_string(), t::in_flight(l), false)}
            {station(Icon::Board, t::at_browsers(l), status.browsers.to_string(), t::browsers(l), false)}
        </ol>
    }
}
