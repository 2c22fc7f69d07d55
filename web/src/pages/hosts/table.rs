//! A table of hosts with meters; of many only the rows in sight are there.

use super::{
    board::{Desk, Groups, standing},
    filters::column,
    href, meter,
};
use crate::{
    board::window,
    components::{badge::badge, keyed::keyed},
    host::board::{self as arrange, COLUMNS, NAME, WORST},
    state::App,
    text::hosts as t,
};
use leptos::{ev, html, prelude::*};
use shared::{api::HostRow, host::Unit};
use std::collections::BTreeMap;

/// More rows than this are not all drawn.
const VIRTUAL_FROM: usize = 200;
const ROW_PX: u32 = 40;
/// What fits on a phone beside the name.
const NARROW: [&str; 3] = ["cpu", "load", "mem"];

pub(super) fn table(desk: Desk, groups: Groups) -> AnyView {
    let l = desk.app.l();
    let names = Memo::new(move |_| {
        let mut seen = std::collections::BTreeSet::new();
        let all = groups.with(|groups| groups.iter().flat_map(|(_, names)| names.clone()).collect::<Vec<_>>());
        all.into_iter().filter(|name| seen.insert(name.clone())).collect::<Vec<_>>()
    });
    let places = Memo::new(move |_| {
        names.with(|names| names.iter().cloned().enumerate().map(|(n, name)| (name, n)).collect::<BTreeMap<_, _>>())
    });
    let (scroller, place) = (NodeRef::<html::Div>::new(), RwSignal::new((0, 800)));
    let measure = move || {
        if let Some(element) = scroller.try_get_untracked().flatten() {
            place.set((element.scroll_top(), element.client_height()));
        }
    };
    let resized = window_event_listener(ev::resize, move |_| measure());
    on_cleanup(move || resized.remove());
    Effect::new(move || {
        if scroller.get().is_some() {
            request_animation_frame(measure);
        }
    });
    let stretch = Memo::new(move |_| {
        let count = names.with(Vec::len);
        if count <= VIRTUAL_FROM {
            return window::Window { first: 0, last: count, offset_px: 0, total_px: 0 };
        }
        let (top, height) = place.get();
        window::window(count, ROW_PX, top, height)
    });
    let visible = move || {
        let window = stretch.get();
        names.with(|names| {
            let rows = names.get(window.first..window.last.min(names.len())).unwrap_or_default();
            rows.to_vec()
        })
    };
    let rows = keyed(visible, Clone::clone, move |name| row(desk, places, &name));
    let above = move || stretch.with(|it| it.offset_px);
    let below = move || {
        let (last, count) = stretch.with(|it| (it.last, names.with(Vec::len)));
        count.saturating_sub(last) as u32 * ROW_PX
    };
    let space = |px: u32| view! { <tr class="space" aria-hidden="true"><td style:height=format!("{px}px")></td></tr> };
    let head = [WORST, NAME].into_iter().chain(COLUMNS).map(|name| heading(desk, name)).collect_view();
    view! {
        <div
            class="card scrolls host-table" tabindex="0" role="region" aria-label=t::title(l) data-testid="host-table"
            node_ref=scroller on:scroll=move |_| measure()
        >
            <table aria-rowcount=move || (names.with(Vec::len) + 1).to_string()>
                <thead><tr aria-rowindex="1">{head}</tr></thead>
                <tbody>
                    {move || (above() > 0).then(|| space(above()))}
                    {rows}
                    {move || (below() > 0).then(|| space(below()))}
                </tbody>
            </table>
        </div>
    }
    .into_any()
}

fn narrow(column: &str) -> &'static str {
    if NARROW.contains(&column) || column == NAME || column == WORST { "" } else { "wide-only" }
}

fn heading(desk: Desk, name: &'static str) -> AnyView {
    let l = desk.app.l();
    // Names begin with the first; what is worst and numbers begin with the highest.
    let sort = move || {
        desk.ask.with(|ask| {
            let (own, reversed) = ask.order();
            let is_rising = (name == NAME) != reversed;
            (own == name).then_some(if is_rising { "ascending" } else { "descending" })
        })
    };
    let press = move |_| desk.go.run(desk.ask.get_untracked().sorted_by(name));
    let words = if name == WORST { "!".to_owned() } else { column(l, name) };
    let label = (name == WORST).then(|| column(l, name));
    view! {
        <th scope="col" class=narrow(name) aria-sort=sort>
            <button type="button" aria-label=label on:click=press>{words}</button>
        </th>
    }
    .into_any()
}

fn row(desk: Desk, places: Memo<BTreeMap<String, usize>>, name: &str) -> AnyView {
    let app = desk.app;
    let Some(row) = desk.row(name) else { return ().into_any() };
    let class = {
        let row = row.clone();
        move || row.with(|row| if desk.is_old(row) { "old" } else { "" })
    };
    let own = name.to_owned();
    // The row stays where others move around it.
    let index = move || places.with(|places| places.get(&own).map(|n| (n + 2).to_string()));
    let part = |draw: fn(App, &HostRow) -> AnyView| {
        let row = row.clone();
        move || row.with(|row| draw(app, row))
    };
    let worst = part(|app, row| match arrange::severity(row) {
        Some(severity) => badge(app.l(), severity).into_any(),
        None => view! { <span class="sr">{standing(app, row).1}</span> }.into_any(),
    });
    let said = {
        let row = row.clone();
        move || row.with(|row| desk.silence(row)).map(|said| view! { <small class="tile-said">{said}</small> })
    };
    let cell = |column: &'static str| {
        let row = row.clone();
        let draw = move || row.with(|row| value(app, row, column));
        view! { <td class=narrow(column)>{draw}</td> }
    };
    let cells = COLUMNS.map(cell).collect_view();
    view! {
        <tr class=class aria-rowindex=index>
            <td>{worst}</td>
            <th scope="row"><a href=href(name)>{name.to_owned()}</a> {said}</th>
            {cells}
        </tr>
    }
    .into_any()
}

fn value(app: App, row: &HostRow, column: &str) -> AnyView {
    let l = app.l();
    let value = arrange::vital(&row.vitals, column);
    match column {
        "load" => {
            // As much load as there are cores is all that can be done at once.
            let part = value.map(|load| f64::from(load) * 100.0 / f64::from(row.cpus.max(1)));
            meter::meter(part, meter::number(l, Unit::Plain, value))
        }
        "in" | "out" => {
            view! { <span class="num">{meter::number(l, Unit::BitsPerSecond, value.map(f32::round))}</span> }.into_any()
        }
        "tcp" => view! { <span class="num">{meter::number(l, Unit::Count, value)}</span> }.into_any(),
        _ => meter::percent(l, value),
    }
}
