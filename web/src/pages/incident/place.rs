//! Which machine it is, as it was known when its alert came; and which others are quiet because of this incident.

use super::part;
use crate::{
    components::{badge::badge, time::wall},
    pages::machines::{chain, doubts, hypervisor_href, vm_href},
    state::{App, Remote},
    text::incident as t,
};
use leptos::prelude::*;
use shared::{
    IncidentId, SuppressedBy,
    api::{AlertPlace, IncidentDetail, IncidentRow},
};
use std::collections::BTreeSet;

/// Machines that are drawn; of more, the newest.
const DRAWN_MAX: usize = 3;

/// Nothing when no source knew the machine.
pub(super) fn card(app: App, detail: Remote<IncidentDetail>) -> AnyView {
    let l = app.l();
    let places = part(detail, |detail| detail.places.clone());
    let body = move || {
        let places = distinct(places.get()?);
        let more = places.len().saturating_sub(DRAWN_MAX);
        let machines = places.iter().take(DRAWN_MAX).map(|place| machine(app, place)).collect_view();
        (!places.is_empty()).then(|| {
            view! {
                <section class="card" data-testid="place">
                    <div class="card-head"><h2>{t::machine(l)}</h2></div>
                    <div class="stack">
                        {machines}
                        {(more > 0).then(|| view! { <p class="muted">{t::machines_more(l, more)}</p> })}
                    </div>
                </section>
            }
        })
    };
    body.into_any()
}

/// The newest of each machine.
fn distinct(places: Vec<AlertPlace>) -> Vec<AlertPlace> {
    let mut seen = BTreeSet::new();
    let vm = |place: &AlertPlace| place.placement.vm.as_ref().map(|vm| (vm.source.to_string(), vm.key.clone()));
    places.into_iter().rev().filter(|place| seen.insert(vm(place))).collect()
}

fn machine(app: App, place: &AlertPlace) -> AnyView {
    let l = app.l();
    let placement = &place.placement;
    let vm = placement.vm.as_ref().map(|vm| view! { <a href=vm_href(vm)>{vm.name.clone()}</a> }.into_any());
    let on = placement.hypervisor.as_ref();
    let on = on.map(|it| view! { " → " <a href=hypervisor_href(it)>{it.name.clone()}</a> }.into_any());
    view! {
        <div class="placed">
            <p><strong>{vm}{on}</strong> " " <span class="muted">{t::known_at(l)} " " {wall(place.at)}</span></p>
            {chain(app, placement)}
            {doubts(l, &placement.doubts)}
        </div>
    }
    .into_any()
}

/// The open incidents that page nobody because of this one.
pub(super) fn followers(app: App, id: IncidentId) -> AnyView {
    let l = app.l();
    let rows = Memo::new(move |_| {
        app.board.order.track();
        let because =
            |row: &&IncidentRow| row.suppressed.iter().filter_map(SuppressedBy::source).any(|source| source == id);
        app.board.with_rows(|rows| {
            rows.values()
                .filter(because)
                .map(|row| (row.id, row.severity, row.host.clone(), row.title.clone()))
                .collect::<Vec<_>>()
        })
    });
    let body = move || {
        let rows = rows.get();
        let one = |(id, severity, host, title): &(IncidentId, shared::Severity, Option<String>, String)| {
            let words = host.clone().unwrap_or_default();
            let href = format!("/incidents/{id}");
            view! { <li>{badge(l, *severity)} <a href=href>{format!("#{id} {words} {title}")}</a></li> }
        };
        (!rows.is_empty()).then(|| {
            view! {
                <section class="card" data-testid="followers">
                    <div class="card-head"><h2>{t::followers(l, rows.len())}</h2></div>
                    <ul class="machine-incidents">{rows.iter().map(one).collect_view()}</ul>
                </section>
            }
        })
    };
    body.into_any()
}
