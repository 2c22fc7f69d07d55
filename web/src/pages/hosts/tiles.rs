//! A tile for each host: its colour is what is worst of it, its line what goes over the network.

use super::{
    board::{Desk, Groups, heading, standing},
    href, meter,
};
use crate::{
    components::{badge::badge, keyed::keyed},
    host::board as arrange,
    state::App,
    text::hosts as t,
};
use leptos::prelude::*;
use shared::{api::HostRow, host::Unit};
use std::fmt::Write as _;

/// Drawn at first.
const DRAWN: usize = 200;

pub(super) fn tiles(desk: Desk, groups: Groups) -> AnyView {
    let l = desk.app.l();
    let names =
        Memo::new(move |_| groups.with(|groups| groups.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>()));
    // More are drawn when they are asked for: of hundreds a browser would be slow for seconds.
    let most = RwSignal::new(DRAWN);
    let all = move || groups.with(|groups| groups.iter().map(|(_, hosts)| hosts.len()).sum::<usize>());
    let group = move |name: String| {
        let own = name.clone();
        let hosts = Memo::new(move |_| groups.with(|groups| first(groups, &own, most.get())));
        let title = move || {
            let count = groups.with(|groups| groups.iter().find(|(it, _)| *it == name).map_or(0, |(_, all)| all.len()));
            heading(desk, &name, count, names.with(Vec::len))
        };
        view! {
            <section class="tile-group">
                {title}
                <ul class="tiles">{keyed(move || hosts.get(), Clone::clone, move |name| tile(desk, name))}</ul>
            </section>
        }
        .into_any()
    };
    let shown = move || {
        let names = names.get();
        names.into_iter().filter(|name| groups.with(|groups| !first(groups, name, most.get()).is_empty())).collect()
    };
    let rest = move || {
        let left = all().saturating_sub(most.get());
        (left > 0).then(|| view! { <button type="button" class="btn more" on:click=move |_| most.update(|most| *most += DRAWN)>{t::tiles_more(l, left)}</button> })
    };
    view! { <div data-testid="host-tiles" class="stack">{keyed(shown, Clone::clone, group)} {rest}</div> }.into_any()
}

fn tile(desk: Desk, name: String) -> AnyView {
    let app = desk.app;
    let l = app.l();
    let Some(row) = desk.row(&name) else { return ().into_any() };
    // Each part of the tile is drawn anew when the host says something; the tile itself stays.
    let part = |draw: fn(App, &HostRow) -> AnyView| {
        let row = row.clone();
        move || row.with(|row| draw(app, row))
    };
    let class = {
        let row = row.clone();
        move || {
            row.with(|row| {
                let old = if desk.is_old(row) { " old" } else { "" };
                format!("tile {}{old}", standing(app, row).0)
            })
        }
    };
    let worst = part(|app, row| arrange::severity(row).map(|severity| badge(app.l(), severity)).into_any());
    let cpu = part(|app, row| meter::percent(app.l(), row.vitals.cpu_busy));
    let load = part(|app, row| meter::number(app.l(), Unit::Plain, row.vitals.load1).into_any());
    let memory = part(|app, row| meter::number(app.l(), Unit::Percent, row.vitals.mem_used.map(f32::round)).into_any());
    let said = {
        let row = row.clone();
        move || row.with(|row| desk.silence(row)).map(|said| view! { <small class="tile-said">{said}</small> })
    };
    let own = name.clone();
    let line = move || desk.sparks.with(|sparks| sparks.get(&own).map(|values| spark(values)));
    view! {
        <li>
            <a class=class href=href(&name)>
                <span class="tile-head"><strong>{name.clone()}</strong> {worst}</span>
                <span class="tile-cpu"><small>{t::column_cpu(l)}</small> {cpu}</span>
                <span class="tile-line"><small>{t::column_load(l)} " " <b>{load}</b></small> <small>{t::column_mem(l)} " " <b>{memory}</b></small></span>
                <svg class="tile-spark" viewBox="0 0 100 20" preserveAspectRatio="none" aria-hidden="true"><path d=line></path></svg>
                {said}
            </a>
        </li>
    }
    .into_any()
}

/// The first of the groups' hosts, at most so many of all.
fn first(groups: &[(String, Vec<String>)], group: &str, most: usize) -> Vec<String> {
    let mut left = most;
    for (name, hosts) in groups {
        let own = hosts.len().min(left);
        if name == group {
            return hosts[..own].to_vec();
        }
        left -= own;
    }
    Vec::new()
}

/// A line across a box of 100 by 20, the highest at the top; gaps are gaps.
fn spark(values: &[Option<f32>]) -> String {
    let most = values.iter().flatten().copied().fold(1.0_f32, f32::max);
    let last = values.len().saturating_sub(1).max(1) as f32;
    let mut line = String::new();
    let mut joined = false;
    for (n, value) in values.iter().enumerate() {
        let Some(value) = value.filter(|it| it.is_finite()) else {
            joined = false;
            continue;
        };
        let (x, y) = (n as f32 * 100.0 / last, 19.0 - value.max(0.0) / most * 18.0);
        let written = write!(line, "{}{x:.1} {y:.1}", if joined { 'L' } else { 'M' });
        debug_assert!(written.is_ok());
        joined = true;
    }
    line
}

#[cfg(test)]
mod tests {
    use super::{first, spark};

    #[test]
    fn so_many_of_all_groups_are_drawn_at_first() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let groups = [("a".to_owned(), words("1 2 3")), ("b".to_owned(), words("4 5 6"))];
        assert_eq!((first(&groups, "a", 4), first(&groups, "b", 4)), (words("1 2 3"), words("4")));
        assert_eq!(first(&groups, "b", 3), Vec::<String>::new());
    }

    #[test]
    fn a_line_has_gaps_where_nothing_was_measured() {
        assert_eq!(spark(&[Some(0.0), Some(10.0), None, Some(5.0)]), "M0.0 19.0L33.3 1.0M100.0 10.0");
        assert_eq!((spark(&[]), spark(&[None, None])), (String::new(), String::new()));
    }
}
