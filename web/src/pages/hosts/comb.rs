//! A honeycomb: a cell for each of many hosts, so that the shape of a trouble is seen at a glance.

use super::{
    board::{Desk, Groups, heading, silence, standing},
    href, meter,
};
use crate::{browser::dom, components::keyed::keyed, host::comb::Comb, text::hosts as t};
use leptos::{ev, prelude::*};
use shared::host::Unit;

/// How many times as wide as high.
const WIDE: f64 = 3.0;
const NARROW: f64 = 0.8;

pub(super) fn comb(desk: Desk, groups: Groups) -> AnyView {
    let l = desk.app.l();
    let drawn = move || {
        let groups = groups.get();
        let count = groups.len();
        let draw = |(nth, (name, hosts)): (usize, (String, Vec<String>))| {
            let title = heading(desk, &name, hosts.len(), count);
            view! { <section class="tile-group">{title} {cells(desk, nth, hosts)}</section> }
        };
        groups.into_iter().enumerate().map(draw).collect_view()
    };
    view! { <div class="card comb-box stack" data-testid="host-comb"><p class="muted">{t::comb_hint(l)}</p> {drawn}</div> }.into_any()
}

fn cells(desk: Desk, nth: usize, hosts: Vec<String>) -> AnyView {
    let comb = Comb::new(hosts.len(), if dom::is_narrow() { NARROW } else { WIDE });
    let (width, height) = comb.size();
    // One of them is reached with the tab key, the others with arrows.
    let current = RwSignal::new(0_usize);
    let on_key = move |event: ev::KeyboardEvent| {
        if let Some(to) = comb.step(current.get_untracked(), &event.key()) {
            event.prevent_default();
            current.set(to);
            dom::focus(&format!("#cell-{nth}-{to}"));
        }
    };
    let each = move || hosts.iter().cloned().enumerate().collect::<Vec<_>>();
    let list = keyed(each, |(_, name)| name.clone(), move |(n, name)| cell(desk, comb, (nth, n), name, current));
    // A few cells are not blown up to the width of the page.
    let most = format!("{}px", (width * 2.2).round());
    view! { <svg class="comb" role="list" viewBox=format!("0 0 {width:.1} {height:.1}") style:max-width=most on:keydown=on_key>{list}</svg> }
        .into_any()
}

fn cell(desk: Desk, comb: Comb, (nth, n): (usize, usize), name: String, current: RwSignal<usize>) -> AnyView {
    let app = desk.app;
    let l = app.l();
    let Some(row) = desk.row(&name) else { return ().into_any() };
    let class = {
        let row = row.clone();
        move || row.with(|row| format!("cell {}", standing(app, row).0))
    };
    let own = name.clone();
    let said = move || {
        row.with(|row| {
            let cpu = meter::number(l, Unit::Percent, row.vitals.cpu_busy.map(f32::round));
            let state = silence(app, row).unwrap_or_else(|| standing(app, row).1);
            t::said(l, &own, &state, &cpu)
        })
    };
    let label = Memo::new(move |_| said());
    view! {
        <g role="listitem">
            <a
                id=format!("cell-{nth}-{n}") href=href(&name) class=class aria-label=move || label.get()
                tabindex=move || if current.get() == n { "0" } else { "-1" } on:focus=move |_| current.set(n)
            >
                <title>{move || label.get()}</title>
                <path d=comb.outline(n)></path>
            </a>
        </g>
    }
    .into_any()
}
