//! The incident's card: how its machine was from an hour before the alert to a quarter after, and how it is now.

use super::{desk::Desk, href};
use crate::{
    chart::view,
    components::{
        icon::{Icon, icon},
        states::failure,
    },
    host::{
        plans::{self, AROUND},
        range::{LIVE, Look},
    },
    state::{App, Load, Remote},
    text::hosts as t,
};
use leptos::prelude::*;
use shared::{
    IncidentId, Severity, Timestamp,
    api::{HostIncident, HostRow, List},
};

const BEFORE_MS: i64 = 60 * 60_000;
const AFTER_MS: i64 = 15 * 60_000;

/// Nothing where no host of the incident is measured.
pub(super) fn card(
    app: App,
    id: IncidentId,
    severity: Severity,
    (from, until): (Timestamp, Option<Timestamp>),
) -> AnyView {
    let l = app.l();
    let hosts = Remote::<List<HostRow>>::new(format!("/api/v1/incidents/{id}/hosts"));
    let names = Memo::new(move |_| {
        hosts.with(|hosts| hosts.items.iter().map(|row| row.name.clone()).collect::<Vec<_>>()).unwrap_or_default()
    });
    let chosen = RwSignal::new(None::<String>);
    let current = Memo::new(move |_| {
        let chosen = chosen.get();
        names.with(|names| chosen.filter(|it| names.contains(it)).or_else(|| names.first().cloned()))
    });
    let failed = Memo::new(move |_| if let Load::Failed(error) = hosts.get() { Some(error) } else { None });
    let live = RwSignal::new(false);
    // Drawn once: what is chosen in it changes the charts, not the menu.
    let picker = move || {
        let names = names.get();
        let option = |name: String| {
            let own = name.clone();
            let is = move || current.with(|current| current.as_ref() == Some(&own));
            view! { <option value=name.clone() selected=is>{name.clone()}</option> }
        };
        (names.len() > 1).then(|| {
            let options = names.into_iter().map(option).collect_view();
            view! {
                <select aria-label=t::around_host(l) on:change=move |event| chosen.set(Some(event_target_value(&event)))>{options}</select>
            }
        })
    };
    let name = move || current.get().unwrap_or_default();
    let own = HostIncident { id, title: String::new(), severity, from, until, acked_at: None };
    let drawn = move || {
        let own = own.clone();
        current.get().map(|name| charts(app, name, own, live.get()))
    };
    let body = move || {
        let drawn = drawn.clone();
        view! {
            <section class="card" data-testid="around">
                <div class="card-head">
                    <h2>{t::around(l)} " " <span class="mono">{name}</span></h2>
                    {picker}
                    <label class="check"><input type="checkbox" prop:checked=move || live.get() on:change=move |event| live.set(event_target_checked(&event))/> <span>{t::around_live(l)}</span></label>
                    <a href=move || href(&name())>{icon(Icon::Hosts)} {t::around_open(l)}</a>
                </div>
                {drawn}
            </section>
        }
    };
    let there = Memo::new(move |_| current.with(Option::is_some));
    view! {
        {move || failed.get().map(|error| view! { <section class="card">{failure(&t::around(l), &error, move || hosts.reload())}</section> })}
        {move || there.get().then(&body)}
    }
    .into_any()
}

fn charts(app: App, name: String, own: HostIncident, live: bool) -> AnyView {
    let l = app.l();
    let (from, until) = (own.from, own.until);
    let end = from.ms() + AFTER_MS;
    // What lasts is shown to where it is over, if that is not too long.
    let end = until.map_or(end, |until| end.max(until.ms().min(from.ms() + BEFORE_MS) + AFTER_MS / 3));
    let whole = if live {
        Look::read(Some(LIVE), None, None)
    } else {
        Look { zoom: Some((from.ms() - BEFORE_MS, end)), ..Look::read(None, None, None) }
    };
    let zoomed = RwSignal::new(None::<(i64, i64)>);
    let look = Memo::new(move |_| Look { zoom: zoomed.get().or(whole.zoom), ..whole });
    let zoom = Callback::new(move |stretch| zoomed.set(stretch));
    let desk = Desk::new(app, name, (look, Memo::new(|_| Vec::new())), zoom, Some(own));
    let one = |id: &'static str| {
        let plan = plans::plan(id)?;
        let there = Memo::new(move |_| desk.detail.with(|detail| plans::is_measured(plan, detail)).unwrap_or(false));
        let shown = desk.shown(plan);
        let draw = move || {
            there
                .get()
                .then(|| view::chart(desk.together, plan.id.to_owned(), (plan.title)(l), shown, desk.sees(plan.id)))
        };
        Some(draw)
    };
    view! {
        {move || desk.error.get().map(|error| failure(&t::around(l), &error, move || desk.retry()))}
        <div class="charts around">{AROUND.into_iter().filter_map(one).collect_view()}</div>
    }
    .into_any()
}
