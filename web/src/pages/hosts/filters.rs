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
    let groupings = [t::group_none(l), t::group_group(l), t::group_cluster(l), t::group_hypervisor(l)];
    let group = choice(
        "hosts-group".to_owned(),
        t::group_by(l),
        GROUPINGS.into_iter().map(str::to_owned).zip(groupings).collect(),
        move || ask.with(|ask| ask.group.clone()),
        move |group| go.run(Ask { group, ..ask.get_untracked() }),
    );
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
    let columns = [WORST, NAME].into_iter().chain(COLUMNS);
    let sort = choice(
        "hosts-sort".to_owned(),
        t::sort_by(l),
        columns.map(|word| (word.to_owned(), column(l, word))).collect(),
        move || ask.with(|ask| ask.order().0.to_owned()),
        move |column| {
            let sort = if column == WORST { String::new() } else { column };
            go.run(Ask { sort, ..ask.get_untracked() });
        },
    );
    let counts = move || {
        desk.sorted.with(|board| {
            let trouble = board.hosts.iter().filter(|row| severity(row).is_some()).count();
            let silent = board.hosts.iter().filter(|row| row.state != HostState::Live).count();
            t::counts(l, board.hosts.len(), trouble, silent)
        })
    };
    let text = ask.with_untracked(|ask| ask.text.clone());
    view! {
        <div class="host-filters" role="search" aria-label=t::title(l)>
            {view}
            <div class="field">
                <label for="hosts-text">{t::search(l)}</label>
                <input id="hosts-text" type="search" autocomplete="off" spellcheck="false" prop:value=text
                    on:input=move |event| go.run(Ask { text: event_target_value(&event), ..ask.get_untracked() })/>
            </div>
            {only} {sort} {group}
            <p class="muted" role="status" data-testid="hosts-counts">{counts}</p>
        </div>
    }
    .into_any()
}
