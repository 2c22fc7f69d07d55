//! What is looked at as a table: processes, cores, control groups, and TCP connections by port.

use super::{desk::Desk, meter::meter};
use crate::{chart::axis, text::hosts as t};
use leptos::prelude::*;
use shared::{
    config::Language,
    host::{CgroupUse, CoreUse, Feed, HostTables, PeerUse, ProcessUse, Unit},
};

/// So many TIME_WAITs towards one port are worth a word.
const TIME_WAIT_MANY: u32 = 10_000;

/// Who measures.
pub(super) fn feed(l: Language, feed: Feed) -> String {
    match feed {
        Feed::Agent => t::feed_agent(l),
        Feed::Own => t::feed_own(l),
        Feed::Falcon => t::feed_falcon(l),
        Feed::RemoteWrite => t::feed_remote_write(l),
        Feed::Scrape => t::feed_scrape(l),
    }
}

pub(super) fn tables(desk: Desk) -> AnyView {
    let l = desk.app.l();
    let part = move |is: fn(&HostTables) -> bool, draw: fn(Language, &HostTables) -> AnyView| {
        let there = Memo::new(move |_| desk.tables.with(|tables| tables.as_ref().is_some_and(is)));
        move || {
            there.get().then(|| (move || desk.tables.with(|tables| tables.as_ref().map(|it| draw(l, it)))).into_any())
        }
    };
    view! {
        {part(|it| !it.processes.is_empty(), processes)}
        <div class="grid-2 host-tables">
            {part(|it| !it.peers.is_empty(), peers)}
            {part(|it| !it.cgroups.is_empty(), cgroups)}
        </div>
        {part(|it| !it.cores.is_empty(), cores)}
    }
    .into_any()
}

fn card(title: String, id: &'static str, head: Vec<String>, rows: AnyView, below: AnyView) -> AnyView {
    let cells = head.into_iter().map(|name| view! { <th scope="col">{name}</th> }).collect_view();
    view! {
        <section class="card" data-testid=id>
            <h2>{title.clone()}</h2>
            <div class="scrolls" tabindex="0" role="region" aria-label=title>
                <table class="use-table"><thead><tr>{cells}</tr></thead><tbody>{rows}</tbody></table>
            </div>
            {below}
        </section>
    }
    .into_any()
}

fn processes(l: Language, of: &HostTables) -> AnyView {
    let rate = |value: Option<f32>| {
        value.map_or_else(|| "–".to_owned(), |it| axis::value(l, Unit::BytesPerSecond, f64::from(it)))
    };
    let row = |it: &ProcessUse| {
        view! {
            <tr>
                <td class="num">{it.pid}</td>
                <th scope="row" title=it.command.clone()>{it.name.clone()}</th>
                <td>{it.user.clone()}</td>
                <td>{it.state.clone()}</td>
                <td>{meter(Some(f64::from(it.cpu_percent)), axis::value(l, Unit::Percent, f64::from(it.cpu_percent)))}</td>
                <td class="num">{axis::value(l, Unit::Bytes, it.rss_bytes as f64)}</td>
                <td class="num">{it.threads}</td>
                <td class="num">{rate(it.read_bytes_s)}</td>
                <td class="num">{rate(it.write_bytes_s)}</td>
            </tr>
        }
    };
    let head = vec![
        "PID".to_owned(),
        t::process(l),
        t::user(l),
        t::state(l),
        t::cpu(l),
        t::resident(l),
        t::threads(l),
        t::reads(l),
        t::writes(l),
    ];
    card(t::processes(l), "host-processes", head, of.processes.iter().map(row).collect_view().into_any(), ().into_any())
}

fn cores(l: Language, of: &HostTables) -> AnyView {
    let row = |it: &CoreUse| {
        let parts = [it.user, it.system, it.iowait, it.steal, it.softirq, it.irq, it.nice, it.guest, it.idle];
        let cells =
            parts.map(|value| view! { <td class="num">{axis::value(l, Unit::Percent, f64::from(value.round()))}</td> });
        let busy = f64::from(100.0 - it.idle - it.iowait).clamp(0.0, 100.0);
        view! { <tr><th scope="row" class="num">{it.core}</th><td>{meter(Some(busy), axis::value(l, Unit::Percent, busy.round()))}</td>{cells.collect_view()}</tr> }
    };
    let names = ["user", "system", "iowait", "steal", "softirq", "irq", "nice", "guest", "idle"].map(str::to_owned);
    let head = [t::core(l), t::cpu(l)].into_iter().chain(names).collect();
    card(t::cores(l), "host-cores", head, of.cores.iter().map(row).collect_view().into_any(), ().into_any())
}

fn cgroups(l: Language, of: &HostTables) -> AnyView {
    let row = |it: &CgroupUse| {
        let pids = match it.pids_max {
            Some(max) => meter(Some(it.pids as f64 * 100.0 / max.max(1) as f64), t::pids_of(l, it.pids, max)),
            None => t::pids_unlimited(l, it.pids).into_any(),
        };
        let bytes = |value: u64| axis::value(l, Unit::Bytes, value as f64);
        let memory = match (it.memory_bytes, it.memory_max_bytes) {
            (Some(own), Some(max)) => {
                meter(Some(own as f64 * 100.0 / max.max(1) as f64), t::of_total(l, &bytes(own), &bytes(max)))
            }
            (Some(own), None) => bytes(own).into_any(),
            (None, _) => "–".into_any(),
        };
        let cpu = it.cpu_percent.map_or_else(|| "–".to_owned(), |it| axis::value(l, Unit::Percent, f64::from(it)));
        view! { <tr><th scope="row">{it.path.clone()}</th><td>{pids}</td><td>{memory}</td><td class="num">{cpu}</td></tr> }
    };
    let head = vec![t::cgroup(l), t::tasks(l), t::memory(l), t::cpu(l)];
    card(t::cgroups(l), "host-cgroups", head, of.cgroups.iter().map(row).collect_view().into_any(), ().into_any())
}

fn peers(l: Language, of: &HostTables) -> AnyView {
    let row = |it: &PeerUse| {
        let port = if it.ours { t::port_ours(l, it.port) } else { t::port_theirs(l, it.port) };
        let busiest = it.busiest.map(|(ip, n)| format!("{ip} ({n})"));
        let time_wait = if it.time_wait >= TIME_WAIT_MANY { "num bad" } else { "num" };
        view! {
            <tr>
                <th scope="row">{port}</th>
                <td class="num">{it.established}</td>
                <td class=time_wait>{it.time_wait}</td>
                <td class="num">{it.close_wait}</td>
                <td class="num">{it.other}</td>
                <td>{busiest}</td>
            </tr>
        }
    };
    let head = vec![
        t::port(l),
        t::established(l),
        "TIME_WAIT".to_owned(),
        "CLOSE_WAIT".to_owned(),
        t::other_states(l),
        t::busiest(l),
    ];
    let what = view! {
        <details class="time-wait">
            <summary>{t::time_wait_what(l)}</summary>
            <p>{t::time_wait_is(l)}</p>
            <p>{t::time_wait_matters(l)}</p>
            <p>{t::time_wait_do(l)}</p>
        </details>
    };
    card(t::peers(l), "host-peers", head, of.peers.iter().map(row).collect_view().into_any(), what.into_any())
}
