//! A honeycomb: a cell for each of many hosts, so that the shape of a trouble is seen at a glance.

use super::{
    board::{Desk, Groups, heading, standing},
    href, meter,
};
use crate::{
    browser::dom,
    components::keyed::keyed,
    host::{board::severity, comb::Comb},
    text::hosts as t,
};
use leptos::{ev, prelude::*};
use shared::{Severity, host::Unit};
use std::collections::BTreeMap;

/// How many times as wide as high.
const WIDE: f64 = 3.0;
const NARROW: f64 = 0.8;

pub(super) fn comb(desk: Desk, groups: Groups) -> AnyView {
    let l = desk.app.l();
    let names =
        Memo::new(move |_| groups.with(|groups| groups.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>()));
    // What tells the cells of one group from those of another.
    let numbers = StoredValue::new(0_usize);
    let group = move |name: String| {
        let own = name.clone();
        let hosts = Memo::new(move |_| {
            groups
                .with(|groups| groups.iter().find(|(it, _)| *it == own).map(|(_, hosts)| hosts.clone()))
                .unwrap_or_default()
        });
        let title = move || heading(desk, &name, hosts.with(Vec::len), names.with(Vec::len));
        let drawn = move || {
            let number = numbers.try_update_value(|n| std::mem::replace(n, *n + 1)).unwrap_or_default();
            cells(desk, number, hosts.get())
        };
        view! { <section class="tile-group">{title} {drawn}</section> }.into_any()
    };
    let keys = (!dom::is_narrow()).then(|| format!(" {}", t::comb_keys(l)));
    view! {
        <div class="card comb-box stack" data-testid="host-comb">
            <p class="muted">{t::comb_hint(l)}{keys}</p>
            {legend(desk)}
            {keyed(move || names.get(), Clone::clone, group)}
        </div>
    }
    .into_any()
}

/// The colours in words, with how many hosts have each.
fn legend(desk: Desk) -> AnyView {
    let counted = Memo::new(move |_| {
        let mut counts: BTreeMap<(&'static str, String), usize> = BTreeMap::new();
        desk.each_row(|row| *counts.entry(standing(desk.app, row)).or_default() += 1);
        counts.into_iter().collect::<Vec<_>>()
    });
    let item = |((class, word), count): ((&'static str, String), usize)| {
        view! {
            <li>
                <svg viewBox="0 0 24 24" aria-hidden="true"><g class=format!("cell {class}")><path d=Comb::new(1, 1.0).outline(0)></path></g></svg>
                {word} " " <b>{count}</b>
            </li>
        }
    };
    view! { <ul class="comb-legend" data-testid="comb-legend">{move || counted.get().into_iter().map(item).collect_view()}</ul> }
        .into_any()
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
        move || {
            row.with(|row| {
                let old = if desk.is_old(row) { " old" } else { "" };
                format!("cell {}{old}", standing(app, row).0)
            })
        }
    };
    // What is worst is told by a sign too.
    let sign = {
        let row = row.clone();
        Memo::new(move |_| row.with(severity).filter(|it| *it <= Severity::P1))
    };
    let (x, y) = comb.middle(n);
    let sign = move || {
        sign.get()
            .map(|it| view! { <text x=format!("{x:.1}") y=format!("{y:.1}") aria-hidden="true">{it.as_str()}</text> })
    };
    let own = name.clone();
    let said = move || {
        row.with(|row| {
            let cpu = meter::number(l, Unit::Percent, row.vitals.cpu_busy.map(f32::round));
            let state = desk.silence(row).unwrap_or_else(|| standing(app, row).1);
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
                {sign}
            </a>
        </g>
    }
    .into_any()
}
