//! One metric of all hosts, as a small chart each on the same axis, the worst first.

use super::{
    board::{Desk, Groups},
    href,
};
use crate::{
    api::{self, ApiError},
    chart::{
        axis,
        line::Line,
        model::{Chart, Shape},
        stack, view,
    },
    components::{
        keyed::keyed,
        states::{failure, skeleton},
    },
    host::board::{Ask, worst_first},
    text::hosts as t,
};
use leptos::{prelude::*, task::spawn_local};
use shared::{
    api::{SeriesAnswer, SeriesQuery},
    config::Language,
    host::{HostState, METRICS, Unit, Worse, metric},
};
use std::{collections::BTreeMap, sync::Arc};

const USUAL: &str = "cpu.busy";
/// What can be chosen without writing.
const OFFERED: [&str; 12] = [
    "cpu.busy",
    "cpu.iowait",
    "cpu.steal",
    "load.1min",
    "mem.memused.percent",
    "df.bytes.used.percent",
    "disk.io.util",
    "disk.io.await",
    "net.if.in.bits",
    "net.if.out.bits",
    "ss.timewait",
    "pids.used.percent",
];
const BACK_MS: i64 = 3_600_000;
const POINTS: u32 = 120;
const AGAIN_MS: i64 = 30_000;
/// Drawn at first; more when asked for.
const DRAWN: usize = 120;

#[derive(Clone, PartialEq)]
struct Found {
    of: String,
    from: i64,
    until: i64,
    unit: Unit,
    lines: BTreeMap<String, Vec<Line>>,
    left_out: u32,
}

impl Found {
    fn of(answer: &SeriesAnswer, of: String, until: i64) -> Self {
        let mut lines: BTreeMap<String, Vec<Line>> = BTreeMap::new();
        for line in &answer.lines {
            lines.entry(line.host.clone()).or_default().push(Line::of(answer, line));
        }
        let unit = answer.lines.first().map_or(Unit::Plain, |line| line.unit);
        Self { of, from: answer.from.ms(), until, unit, lines, left_out: answer.left_out }
    }

    /// The newest of a host: its highest, or its lowest where low is what is bad.
    fn now(&self, host: &str) -> Option<f64> {
        let values = self.lines.get(host)?.iter().filter_map(|line| line.last()).map(|(_, value)| value.mean);
        if is_low_bad(&self.of) { values.reduce(f64::min) } else { values.reduce(f64::max) }
    }

    fn most(&self) -> f64 {
        self.lines.values().flatten().map(Line::greatest).fold(0.0, f64::max)
    }
}

fn is_low_bad(name: &str) -> bool {
    let of = name.split('/').next().unwrap_or(name);
    metric(of).is_some_and(|it| it.worse == Worse::Low)
}

fn called(l: Language, name: &str) -> String {
    let of = name.split('/').next().unwrap_or(name);
    metric(of).map_or_else(|| name.to_owned(), |it| if l == Language::Zh { it.chinese } else { it.english }.to_owned())
}

pub(super) fn multiples(desk: Desk, groups: Groups) -> AnyView {
    let l = desk.app.l();
    let of = Memo::new(move |_| {
        desk.ask.with(|ask| if ask.metric.is_empty() { USUAL.to_owned() } else { ask.metric.clone() })
    });
    // What was found last stays when it cannot be had again.
    let (found, error) = (RwSignal::new(None::<Arc<Found>>), RwSignal::new(None::<ApiError>));
    let (round, more) = (RwSignal::new(0_u32), RwSignal::new(DRAWN));
    Effect::new(move || {
        let (metric, asked) = (of.get(), round.get());
        let now = desk.app.clock();
        let ask = SeriesQuery {
            hosts: Vec::new(),
            series: vec![metric.clone()],
            from: now.plus_ms(-BACK_MS),
            until: now,
            points: POINTS,
        };
        spawn_local(async move {
            let answer = api::post::<SeriesAnswer>("/api/v1/hosts/series", &ask).await;
            // Another metric was chosen meanwhile, or the page was left.
            if of.try_get_untracked().as_ref() == Some(&metric) && round.try_get_untracked() == Some(asked) {
                match answer {
                    Ok(answer) => {
                        error.set(None);
                        found.set(Some(Arc::new(Found::of(&answer, metric, now.ms()))));
                    }
                    Err(why) => error.set(Some(why)),
                }
            }
        });
    });
    Effect::new(move |before: Option<i64>| {
        let now = desk.app.now.get().ms();
        let before = before.unwrap_or(now);
        if now - before >= AGAIN_MS && !crate::browser::dom::is_hidden() {
            round.update(|round| *round += 1);
            return now;
        }
        before
    });
    let failed = move || {
        let again = move || round.update(|round| *round += 1);
        error.get().map(|error| failure(&called(l, &of.get()), &error, again))
    };
    let there = Memo::new(move |_| found.with(Option::is_some));
    let awaited = Memo::new(move |_| error.with(Option::is_none));
    let body = move || match (there.get(), awaited.get()) {
        (true, _) => charts(desk, groups, found, more),
        (false, true) => skeleton(6),
        (false, false) => ().into_any(),
    };
    view! { <div class="stack" data-testid="host-multiples">{chooser(desk, of)} {failed} {body}</div> }.into_any()
}

fn chooser(desk: Desk, of: Memo<String>) -> AnyView {
    let l = desk.app.l();
    let set = move |metric: String| desk.go.run(Ask { metric, ..desk.ask.get_untracked() });
    let options = move || {
        let own = of.get();
        let mut offered: Vec<(String, String)> = OFFERED.iter().map(|it| ((*it).to_owned(), called(l, it))).collect();
        if !OFFERED.contains(&own.as_str()) {
            offered.push((own.clone(), own.clone()));
        }
        offered
            .into_iter()
            .map(|(word, name)| {
                let is = word == own;
                view! { <option value=word selected=is>{name}</option> }
            })
            .collect_view()
    };
    let known = METRICS.iter().map(|it| view! { <option value=it.name>{called(l, it.name)}</option> }).collect_view();
    view! {
        <div class="host-filters">
            <div class="field">
                <label for="multiples-metric">{t::metric(l)}</label>
                <select id="multiples-metric" on:change=move |event| set(event_target_value(&event))>{options}</select>
            </div>
            <div class="field">
                <label for="multiples-other">{t::metric_other(l)}</label>
                <input id="multiples-other" list="known-metrics" autocomplete="off" spellcheck="false" aria-describedby="multiples-hint"
                    on:change=move |event| { let text = event_target_value(&event).trim().to_owned(); if !text.is_empty() { set(text) } }/>
                <datalist id="known-metrics">{known}</datalist>
                <p class="hint" id="multiples-hint">{t::metric_hint(l)}</p>
            </div>
        </div>
    }
    .into_any()
}

type Answer = RwSignal<Option<Arc<Found>>>;

fn charts(desk: Desk, groups: Groups, found: Answer, more: RwSignal<usize>) -> AnyView {
    let l = desk.app.l();
    let current = Memo::new(move |_| found.get());
    // They hear of the theme and the screen together.
    let together = view::Together::new(desk.app, Callback::new(|_| ()));
    // The order is that of the values; a chosen sorting of the board is for its own columns.
    let names = Memo::new(move |_| {
        let Some(found) = current.get() else { return Vec::new() };
        let all = groups.with(|groups| {
            groups.iter().flat_map(|(_, names)| names.clone()).collect::<std::collections::BTreeSet<_>>()
        });
        let is_live =
            |name: &str| desk.row(name).is_some_and(|row| row.with_untracked(|row| row.state == HostState::Live));
        let known = all.into_iter().filter_map(|name| {
            let (now, is_live) = (found.now(&name)?, is_live(&name));
            Some((name, now, is_live))
        });
        worst_first(known.collect(), is_low_bad(&found.of))
    });
    let shown = move || names.with(|names| names.iter().take(more.get()).cloned().collect::<Vec<_>>());
    let about = move || {
        current.with(|found| {
            let found = found.as_ref()?;
            let left = (found.left_out > 0).then(|| format!(" {}", t::multiples_left(l, found.left_out)));
            Some(format!(
                "{}{}",
                t::multiples_axis(l, &axis::value(l, found.unit, top(found))),
                left.unwrap_or_default()
            ))
        })
    };
    let rest = move || {
        let left = names.with(Vec::len).saturating_sub(more.get());
        (left > 0).then(|| view! { <button type="button" class="btn more" on:click=move |_| more.update(|more| *more += DRAWN)>{t::multiples_more(l, left)}</button> })
    };
    let one = move |name: String| multiple(desk, together, current, name);
    view! {
        <p class="muted">{about}</p>
        <ul class="multiples">{keyed(shown, Clone::clone, one)}</ul>
        {rest}
    }
    .into_any()
}

fn top(found: &Found) -> f64 {
    if found.unit == Unit::Percent { 100.0 } else { axis::Axis::new(found.unit, 0.0, found.most(), None, 2).high }
}

fn multiple(desk: Desk, together: view::Together, current: Memo<Option<Arc<Found>>>, name: String) -> AnyView {
    let l = desk.app.l();
    let seen = RwSignal::new(false);
    let Some(row) = desk.row(&name) else { return ().into_any() };
    let own = row.clone();
    let stale = Memo::new(move |_| own.with(|row| desk.is_old(row).then_some(row.seen_at.ms())));
    let own = name.clone();
    let shown = Memo::new(move |_| {
        if !seen.get() {
            return None;
        }
        let found = current.get()?;
        let mut chart = Chart::new(Shape::Lines, found.unit, found.from, found.until);
        let (lines, ..) = stack::six_highest(found.lines.get(&own).cloned().unwrap_or_default());
        if lines.len() == 1 {
            chart.shape = Shape::Area;
        }
        (chart.lines, chart.small, chart.top) = (lines, true, Some(top(&found)));
        chart.stale_from = stale.get();
        Some(Arc::new(chart))
    });
    let own = name.clone();
    let now = move || {
        current.with(|found| {
            let found = found.as_ref()?;
            found.now(&own).map(|value| axis::value(l, found.unit, value))
        })
    };
    // What it was long ago is not how it is now.
    let silence = Memo::new(move |_| row.with(|row| desk.silence(row)));
    let (of, label_of) = (now.clone(), now);
    let said = move || silence.get().unwrap_or_else(|| t::now_value(l, &label_of().unwrap_or_default()));
    let old = move || silence.with(Option::is_some);
    let since = move || silence.get().map(|said| view! { <small class="tile-said">{said}</small> });
    let label = name.clone();
    view! {
        <li>
            <a href=href(&name) class:old=old aria-label=move || format!("{label}: {}", said())>
                <span class="multiple-head"><strong>{name.clone()}</strong> <b>{of}</b></span>
                {view::small(together, shown, Callback::new(move |is| seen.set(is)))}
                {since}
            </a>
        </li>
    }
    .into_any()
}
