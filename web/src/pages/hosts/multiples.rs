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
    host::{board::Ask, plans},
    order::sorted,
    text::hosts as t,
};
use leptos::{prelude::*, task::spawn_local};
use shared::{
    api::{SeriesAnswer, SeriesQuery},
    config::Language,
    host::{METRICS, Unit, Worse, metric},
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
    let found = RwSignal::new(None::<Result<Arc<Found>, ApiError>>);
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
                found.set(Some(answer.map(|answer| Arc::new(Found::of(&answer, metric, now.ms())))));
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
    let state = Memo::new(move |_| found.with(|found| found.as_ref().map(|it| it.as_ref().err().cloned())));
    let body = move || match state.get() {
        None => skeleton(6),
        Some(Some(error)) => failure(&called(l, &of.get()), &error, move || round.update(|round| *round += 1)),
        Some(None) => charts(desk, groups, found, more),
    };
    view! { <div class="stack" data-testid="host-multiples">{chooser(desk, of)} {body}</div> }.into_any()
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

type Answer = RwSignal<Option<Result<Arc<Found>, ApiError>>>;

fn charts(desk: Desk, groups: Groups, found: Answer, more: RwSignal<usize>) -> AnyView {
    let l = desk.app.l();
    let current = Memo::new(move |_| found.with(|found| found.as_ref().and_then(|it| it.as_ref().ok().cloned())));
    // The order is that of the values; a chosen sorting of the board is for its own columns.
    let names = Memo::new(move |_| {
        let Some(found) = current.get() else { return Vec::new() };
        let all = groups.with(|groups| {
            groups.iter().flat_map(|(_, names)| names.clone()).collect::<std::collections::BTreeSet<_>>()
        });
        let known: Vec<(String, f64)> =
            all.into_iter().filter_map(|name| found.now(&name).map(|now| (name, now))).collect();
        let is_low = is_low_bad(&found.of);
        let order = sorted(known, |(_, a), (_, b)| if is_low { a.total_cmp(b) } else { b.total_cmp(a) });
        order.into_iter().map(|(name, _)| name).collect::<Vec<_>>()
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
    let one = move |name: String| multiple(desk, current, name);
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

fn multiple(desk: Desk, current: Memo<Option<Arc<Found>>>, name: String) -> AnyView {
    let app = desk.app;
    let l = app.l();
    let seen = RwSignal::new(false);
    let own = name.clone();
    let shown = Memo::new(move |_| {
        if !seen.get() {
            return None;
        }
        let found = current.get()?;
        let mut chart = Chart::new(Shape::Lines, found.unit, found.from, found.until);
        let (lines, _) = stack::six_highest(found.lines.get(&own).cloned().unwrap_or_default());
        if lines.len() == 1 {
            chart.shape = Shape::Area;
        }
        (chart.lines, chart.small, chart.top) = (lines, true, Some(top(&found)));
        let row = desk.row(&own);
        chart.stale_from = row.and_then(|row| row.with_untracked(|row| plans::stale_from(row.state, row.seen_at.ms())));
        Some(Arc::new(chart))
    });
    let own = name.clone();
    let now = move || {
        current.with(|found| {
            let found = found.as_ref()?;
            found.now(&own).map(|value| axis::value(l, found.unit, value))
        })
    };
    let said = now.clone();
    let label = name.clone();
    view! {
        <li>
            <a href=href(&name) aria-label=move || format!("{label}: {}", t::now_value(l, &said().unwrap_or_default()))>
                <span class="multiple-head"><strong>{name.clone()}</strong> <b>{now}</b></span>
                {view::small(app, shown, Callback::new(move |is| seen.set(is)))}
            </a>
        </li>
    }
    .into_any()
}
