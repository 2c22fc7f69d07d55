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
    IncidentId, Timestamp,
    api::{HostRow, List},
};

const BEFORE_MS: i64 = 60 * 60_000;
const AFTER_MS: i64 = 15 * 60_000;

/// Nothing where no host of the incident is measured.
pub(super) fn card(app: App, id: IncidentId, from: Timestamp, until: Option<Timestamp>) -> AnyView {
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
    let picker = move || {
        let names = names.get();
        (names.len() > 1).then(|| {
            let options = names.into_iter().map(|name| view! { <option value=name.clone()>{name.clone()}</option> }).collect_view();
            view! {
                <select aria-label=t::around_host(l) on:change=move |event| chosen.set(Some(event_target_value(&event)))>{options}</select>
            }
        })
    };
    let body = move |name: String| {
        let open = href(&name);
        view! {
            <section class="card" data-testid="around">
                <div class="card-head">
                    <h2>{t::around(l)} " " <span class="mono">{name.clone()}</span></h2>
                    {picker}
                    <label class="check"><input type="checkbox" prop:checked=move || live.get() on:change=move |event| live.set(event_target_checked(&event))/> <span>{t::around_live(l)}</span></label>
                    <a href=open>{icon(Icon::Hosts)} {t::around_open(l)}</a>
                </div>
                {move || charts(app, name.clone(), (from, until), live.get())}
            </section>
        }
    };
    view! {
        {move || failed.get().map(|error| view! { <section class="card">{failure(&t::around(l), &error, move || hosts.reload())}</section> })}
        {move || current.get().map(body)}
    }
    .into_any()
}

fn charts(app: App, name: String, (from, until): (Timestamp, Option<Timestamp>), live: bool) -> AnyView {
    let l = app.l();
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
    let desk = Desk::new(app, name, (look, Memo::new(|_| Vec::new())), zoom, false);
    let one = |id: &'static str| {
        let plan = plans::plan(id)?;
        let there = Memo::new(move |_| desk.detail.with(|detail| plans::is_measured(plan, detail)).unwrap_or(false));
        let (shown, _) = desk.shown(plan);
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
