//! What is shown of the hosts and how: every choice is in the page's address.

use super::board::Desk;
use crate::{
    components::field::{choice, segments},
    host::board::{Ask, COLUMNS, GROUPINGS, NAME, View, WORST, severity},
    text::hosts as t,
};
use leptos::prelude::*;
use shared::{config::Language, host::HostState};

/// The heading of a column.
pub(super) fn column(l: Language, column: &str) -> String {
    match column {
        "cpu" => t::column_cpu(l),
        "iowait" => t::column_iowait(l),
        "load" => t::column_load(l),
        "mem" => t::column_mem(l),
        "swap" => t::column_swap(l),
        "disk" => t::column_disk(l),
        "util" => t::column_util(l),
        "in" => t::column_in(l),
        "out" => t::column_out(l),
        "tcp" => t::column_tcp(l),
        "pids" => t::column_pids(l),
        WORST => t::sort_worst(l),
        _ => t::column_host(l),
    }
}

pub(super) fn filters(desk: Desk) -> AnyView {
    let l = desk.app.l();
    let (ask, go) = (desk.ask, desk.go);
    let views = View::ALL.map(|view| {
        let name = match view {
            View::Tiles => t::view_tiles(l),
            View::Comb => t::view_comb(l),
            View::Table => t::view_table(l),
            View::Multiples => t::view_charts(l),
        };
        (view.word(), name)
    });
    let count = Memo::new(move |_| desk.sorted.with(|board| board.hosts.len()));
    let view = segments(
        t::view(l),
        views.to_vec(),
        move || ask.with(|ask| ask.view(count.get()).word()),
        move |word| go.run(Ask { view: word.to_owned(), ..ask.get_untracked() }),
    );
    let current = Memo::new(move |_| ask.with(|ask| ask.view(count.get())));
    // What a view does not do is not offered in it.
    let group = move || current.get().has_groups().then(|| grouping(desk));
    let sort = move || current.get().has_order().then(|| sorting(desk));
    let only = choice(
        "hosts-only".to_owned(),
        t::only(l),
        ["", "trouble", "silent"]
            .map(str::to_owned)
            .into_iter()
            .zip([t::only_all(l), t::only_trouble(l), t::only_silent(l)])
            .collect(),
        move || ask.with(|ask| ask.only.clone()),
        move |only| go.run(Ask { only, ..ask.get_untracked() }),
    );
    // As it is now, even while the order is held.
    let counts = Memo::new(move |_| {
        let (mut all, mut trouble, mut silent) = (0, 0, 0);
        desk.each_row(|row| {
            all += 1;
            trouble += usize::from(severity(row).is_some());
            silent += usize::from(row.state != HostState::Live);
        });
        t::counts(l, &t::hosts_n(l, all), trouble, silent)
    });
    view! {
        <div class="host-filters" role="search" aria-label=t::title(l)>
            {view}
            <div class="field">
                <label for="hosts-text">{t::search(l)}</label>
                <input id="hosts-text" type="search" autocomplete="off" spellcheck="false" prop:value=move || ask.with(|ask| ask.text.clone())
                    on:input=move |event| go.run(Ask { text: event_target_value(&event), ..ask.get_untracked() })/>
            </div>
            {only} {sort} {group}
            <p class="muted" role="status" data-testid="hosts-counts">{move || counts.get()}</p>
        </div>
    }
    .into_any()
}

fn grouping(desk: Desk) -> AnyView {
    let l = desk.app.l();
    let (ask, go) = (desk.ask, desk.go);
    let groupings = [t::group_none(l), t::group_group(l), t::group_cluster(l), t::group_hypervisor(l)];
    choice(
        "hosts-group".to_owned(),
        t::group_by(l),
        GROUPINGS.into_iter().map(str::to_owned).zip(groupings).collect(),
        move || ask.with(|ask| ask.group.clone()),
        move |group| go.run(Ask { group, ..ask.get_untracked() }),
    )
}

fn sorting(desk: Desk) -> AnyView {
    let l = desk.app.l();
    let (ask, go) = (desk.ask, desk.go);
    let columns = [WORST, NAME].into_iter().chain(COLUMNS);
    choice(
        "hosts-sort".to_owned(),
        t::sort_by(l),
        columns.map(|word| (word.to_owned(), column(l, word))).collect(),
        move || ask.with(|ask| ask.order().0.to_owned()),
        move |column| {
            let sort = if column == WORST { String::new() } else { column };
            go.run(Ask { sort, ..ask.get_untracked() });
        },
    )
}
