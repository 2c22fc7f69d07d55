//! How a host is this second, on one strip: what it is, what its processors do, its memory, its pressure, its clock.

use super::{
    desk::Desk,
    meter::{meter, parts},
};
use crate::{
    chart::axis,
    host::{
        devices::{self, Device},
        plans::MODES,
    },
    text::hosts as t,
};
use leptos::prelude::*;
use shared::{
    Timestamp,
    api::{HostDetail, SeriesRow},
    config::Language,
    host::{CoreUse, HostFacts, Unit},
    text::span,
};

/// The class of each part of a processor's time, as in its chart.
const CLASSES: [&str; 7] = ["s1", "s2", "s3", "s4", "s5", "s6", "rest"];
/// A clock further off than this is said to be.
const CLOCK_OFF_MS: f64 = 500.0;
/// Bars of single cores that are drawn.
const CORES_MAX: usize = 256;

pub(super) fn strip(desk: Desk) -> AnyView {
    let old = move || desk.is_old();
    let facts = Memo::new(move |_| desk.detail.with(|detail| detail.facts.clone()).flatten());
    view! {
        <section class="card host-strip" class:old=old data-testid="host-strip">
            {move || about(desk, facts.get())}
            {move || cpu(desk)}
            {cores(desk)}
            {move || memory(desk)}
            {move || pressure(desk)}
            {disks(desk)}
            {interfaces(desk)}
        </section>
    }
    .into_any()
}

fn say(l: Language, unit: Unit, value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |it| axis::value(l, unit, it))
}

fn fact(name: String, value: String, more: Option<String>) -> AnyView {
    view! { <div><dt>{name}</dt> <dd>{value} {more.map(|more| view! { " " <small>{more}</small> })}</dd></div> }
        .into_any()
}

fn about(desk: Desk, facts: Option<HostFacts>) -> AnyView {
    let l = desk.app.l();
    let mut all = Vec::new();
    if let Some(facts) = &facts {
        all.push(fact(t::system(l), facts.os.clone(), None));
        all.push(fact(t::kernel(l), facts.kernel.clone(), Some(facts.arch.clone()).filter(|it| !it.is_empty())));
    }
    let now = desk.standing.get().map_or_else(|| desk.app.now.get_untracked(), |it| it.seen_at);
    let booted = facts.as_ref().and_then(|it| it.boot_at).map(|at: Timestamp| now.ms_since(at));
    let up = booted.or_else(|| desk.value("kernel.uptime").map(|seconds| (seconds * 1_000.0) as i64));
    all.extend(up.map(|ms| fact(t::uptime(l), span(l, ms), None)));
    let loads =
        ["load.1min", "load.5min", "load.15min"].map(|name| desk.value(name).map(|it| axis::value(l, Unit::Plain, it)));
    let loads: Vec<String> = loads.into_iter().flatten().collect();
    let cpus = desk.detail.with(|detail: &HostDetail| detail.row.cpus).unwrap_or(0);
    all.push(fact(
        t::load(l),
        if loads.is_empty() { "–".to_owned() } else { loads.join("  ") },
        (cpus > 0).then(|| t::load_of(l, cpus)),
    ));
    if let Some(current) = desk.value("pids.current") {
        let most = desk.value("pids.max").map(|max| axis::value(l, Unit::Count, max));
        let current = axis::value(l, Unit::Count, current);
        all.push(fact(t::tasks(l), most.map_or_else(|| current.clone(), |most| t::of_total(l, &current, &most)), None));
    }
    all.push(clock(desk, l));
    view! { <dl class="strip-facts">{all}</dl> }.into_any()
}

/// What its clock says against NTP and against ours.
fn clock(desk: Desk, l: Language) -> AnyView {
    let off = |ms: f64| axis::value(l, Unit::Milliseconds, ms);
    let ahead = desk.detail.with(|detail| detail.clock_ahead_ms).flatten().map(|ms| ms as f64);
    let words = match (desk.value("sys.ntp.offset"), ahead) {
        (_, Some(ahead)) if ahead.abs() >= CLOCK_OFF_MS => t::clock_server(l, &off(ahead)),
        (Some(ntp), _) => t::clock_ntp(l, &off(ntp)),
        (None, Some(_)) => t::clock_fine(l),
        (None, None) => "–".to_owned(),
    };
    fact(t::clock(l), words, None)
}

fn cpu(desk: Desk) -> AnyView {
    let l = desk.app.l();
    let modes: Vec<(&str, &'static str, f64)> = MODES
        .into_iter()
        .zip(CLASSES)
        .filter_map(|(series, class)| Some((series, class, desk.value(series)?)))
        .collect();
    if modes.is_empty() {
        return ().into_any();
    }
    let busy = desk.value("cpu.busy").or_else(|| desk.value("cpu.idle").map(|idle| 100.0 - idle));
    let item = |(series, class, value): &(&str, &'static str, f64)| {
        let name = series.trim_start_matches("cpu.").to_owned();
        view! { <li class=*class><i></i> {name} " " <b>{axis::value(l, Unit::Percent, *value)}</b></li> }
    };
    let idle = desk.value("cpu.idle").map(
        |idle| view! { <li class="idle"><i></i> {t::idle(l)} " " <b>{axis::value(l, Unit::Percent, idle)}</b></li> },
    );
    let guest = desk.value("cpu.guest").filter(|it| *it > 0.0);
    let guest = guest.map(|it| view! { <li class="idle">"guest " <b>{axis::value(l, Unit::Percent, it)}</b></li> });
    view! {
        <div class="strip-part">
            <h2>{t::cpu(l)} " " <b>{say(l, Unit::Percent, busy)}</b></h2>
            {parts(modes.iter().map(|(_, class, value)| (*class, *value)).collect())}
            <ul class="strip-legend">{modes.iter().map(item).collect_view()} {idle} {guest}</ul>
        </div>
    }
    .into_any()
}

/// A bar for each core.
fn cores(desk: Desk) -> AnyView {
    let l = desk.app.l();
    let cores =
        Memo::new(move |_| desk.tables.with(|tables| tables.as_ref().map(|it| it.cores.clone())).unwrap_or_default());
    let one = move |core: &CoreUse| {
        let busy = f64::from(100.0 - core.idle - core.iowait).clamp(0.0, 100.0);
        let title = format!("{} {}", t::core_n(l, core.core), axis::value(l, Unit::Percent, busy.round()));
        let iowait = f64::from(core.iowait).clamp(0.0, 100.0);
        view! { <li title=title><i class="s1" style:height=format!("{busy:.0}%")></i><i class="s3" style:height=format!("{iowait:.0}%")></i></li> }
    };
    (move || {
        let cores = cores.get();
        (!cores.is_empty()).then(|| {
            view! {
                <div class="strip-part">
                    <h2>{t::cores(l)} " " <b>{cores.len()}</b></h2>
                    <ul class="core-bars" aria-hidden="true">{cores.iter().take(CORES_MAX).map(one).collect_view()}</ul>
                </div>
            }
        })
    })
    .into_any()
}

fn memory(desk: Desk) -> AnyView {
    let l = desk.app.l();
    let (Some(total), Some(used)) = (desk.value("mem.memtotal"), desk.value("mem.memused")) else {
        return ().into_any();
    };
    let of = |bytes: f64| bytes * 100.0 / total.max(1.0);
    let say = |bytes: f64| axis::value(l, Unit::Bytes, bytes);
    let free = desk.value("mem.memfree").unwrap_or(0.0);
    let cache = (total - used - free).max(0.0);
    let legend = [(t::mem_used(l), "s1", used), (t::mem_cache(l), "s3", cache), (t::mem_free(l), "idle", free)];
    let item = |(name, class, value): &(String, &'static str, f64)| {
        view! { <li class=*class><i></i> {name.clone()} " " <b>{say(*value)}</b></li> }
    };
    let more = [("buffers", "mem.buffers"), ("cached", "mem.cached"), ("slab", "mem.slab")];
    let more = more.into_iter().filter_map(|(name, series)| {
        Some(view! { <li class="idle">{name} " " <b>{say(desk.value(series)?)}</b></li> })
    });
    let swap = desk.value("mem.swaptotal").map(|whole| {
        let part = desk.value("mem.swapused").unwrap_or(0.0);
        let words = if whole > 0.0 { t::of_total(l, &say(part), &say(whole)) } else { t::swap_none(l) };
        let percent = if whole > 0.0 { part * 100.0 / whole } else { 0.0 };
        view! { <h2>{t::swap(l)}</h2> {meter(Some(percent), words)} }
    });
    view! {
        <div class="strip-part">
            <h2>{t::memory(l)} " " <b>{t::of_total(l, &say(used), &say(total))}</b></h2>
            {parts(vec![("s1", of(used)), ("s3", of(cache))])}
            <ul class="strip-legend">{legend.iter().map(item).collect_view()} {more.collect_view()}</ul>
            {swap}
        </div>
    }
    .into_any()
}

fn pressure(desk: Desk) -> AnyView {
    let l = desk.app.l();
    let kinds = [(t::psi_cpu(l), "psi.cpu.some"), (t::psi_memory(l), "psi.memory.some"), (t::psi_io(l), "psi.io.some")];
    let item = |(name, series): (String, &str)| {
        let value = desk.value(series)?;
        Some(view! { <li><span>{name}</span> {meter(Some(value), axis::value(l, Unit::Percent, value))}</li> })
    };
    let items: Vec<_> = kinds.into_iter().filter_map(item).collect();
    if items.is_empty() {
        return ().into_any();
    }
    view! { <div class="strip-part"><h2>{t::pressure(l)}</h2> <ul class="strip-meters">{items}</ul></div> }.into_any()
}

/// A line for each of several devices; which there are changes seldom, what they do does not.
fn lines(
    desk: Desk,
    title: String,
    of: fn(&[SeriesRow]) -> (Vec<Device>, usize),
    line: fn(Desk, &Device) -> AnyView,
) -> AnyView {
    let l = desk.app.l();
    let found = Memo::new(move |_| desk.detail.with(|detail| of(&detail.series)).unwrap_or_default());
    (move || {
        let (devices, count) = found.get();
        let more = count.saturating_sub(devices.len());
        (count > 0).then(|| {
            let items = devices.into_iter().map(|device| view! { <li><span title=device.name.clone()>{device.name.clone()}</span> {move || line(desk, &device)}</li> });
            view! {
                <div class="strip-part">
                    <h2>{title.clone()}</h2>
                    <ul class="strip-meters strip-devices">{items.collect_view()}</ul>
                    {(more > 0).then(|| view! { <small class="muted">{t::devices_more(l, more)}</small> })}
                </div>
            }
        })
    })
    .into_any()
}

/// How busy each disk is, and how long a request waits and is served.
fn disks(desk: Desk) -> AnyView {
    lines(desk, t::disks(desk.app.l()), devices::disks, |desk, disk| {
        let l = desk.app.l();
        let of = |metric: &str| desk.value(&disk.series(metric));
        let ms = |metric: &str| of(metric).map(|it| axis::value(l, Unit::Milliseconds, it));
        let util = of("disk.io.util");
        let times =
            [ms("disk.io.await").map(|it| format!("await {it}")), ms("disk.io.svctm").map(|it| format!("svctm {it}"))];
        let times = times.into_iter().flatten().collect::<Vec<_>>().join(", ");
        view! { {meter(util, say(l, Unit::Percent, util))} <small>{times}</small> }.into_any()
    })
}

/// What each interface carries, and what it loses.
fn interfaces(desk: Desk) -> AnyView {
    lines(desk, t::interfaces(desk.app.l()), devices::interfaces, |desk, card| {
        let l = desk.app.l();
        let of = |metric: &str| desk.value(&card.series(metric));
        let pair = |unit: Unit, one: &str, other: &str| {
            let (one, other) = (of(one), of(other));
            (one.is_some() || other.is_some()).then(|| format!("↓ {} ↑ {}", say(l, unit, one), say(l, unit, other)))
        };
        let bits = pair(Unit::BitsPerSecond, "net.if.in.bits", "net.if.out.bits");
        let packets = pair(Unit::PerSecond, "net.if.in.packets", "net.if.out.packets");
        let packets = packets.map(|it| t::packets(l, &it));
        let sum = |one: &str, other: &str| of(one).unwrap_or(0.0) + of(other).unwrap_or(0.0);
        let rate = |value: f64| axis::value(l, Unit::PerSecond, value);
        let dropped = sum("net.if.in.dropped", "net.if.out.dropped");
        let errors = sum("net.if.in.errors", "net.if.out.errors");
        let lost = (dropped > 0.0 || errors > 0.0)
            .then(|| view! { <strong class="bad">{t::lost(l, &rate(dropped), &rate(errors))}</strong> });
        view! { <b>{bits}</b> <small>{packets} " " {lost}</small> }.into_any()
    })
}
