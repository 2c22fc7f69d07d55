//! One host that is looked at: its series are asked for as charts come into sight, and heard as they are measured.

use crate::{
    api::{self, ApiError},
    browser::{self, dom},
    chart::{
        line::Line,
        model::Chart,
        plot,
        view::{Shown, Together},
    },
    host::{
        heard::{self, Sampled},
        plans::{self, Lines, Plan},
        range::Look,
    },
    live::{look, machine::Connection},
    state::{App, Remote},
};
use leptos::{prelude::*, task::spawn_local};
use shared::{
    Timestamp,
    api::{HostDetail, SeriesAnswer, SeriesQuery},
    host::{HostState, HostTables},
    live::{BrowserMessage, LookAt},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// Series that the strip at the top of a host's page shows.
pub(super) const STRIP: [&str; 30] = [
    "cpu.busy",
    "cpu.user",
    "cpu.nice",
    "cpu.system",
    "cpu.iowait",
    "cpu.irq",
    "cpu.softirq",
    "cpu.steal",
    "cpu.guest",
    "cpu.idle",
    "load.1min",
    "load.5min",
    "load.15min",
    "mem.memtotal",
    "mem.memused",
    "mem.memfree",
    "mem.buffers",
    "mem.cached",
    "mem.slab",
    "mem.swaptotal",
    "mem.swapused",
    "psi.cpu.some",
    "psi.memory.some",
    "psi.memory.full",
    "psi.io.some",
    "psi.io.full",
    "pids.current",
    "pids.max",
    "kernel.uptime",
    "sys.ntp.offset",
];
/// A chart is about so wide at most.
const WIDE_PX: f64 = 620.0;
/// After what is looked at changed into as many other series, an answer on its way may be about those before.
const IN_FLIGHT_MS: i64 = 1_000;
const DETAIL_AGAIN_MS: i64 = 15_000;

/// How a host stands, by what it said last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) state: HostState,
    pub(super) seen_at: Timestamp,
    pub(super) every_ms: u64,
}

#[derive(Clone, Copy)]
pub(super) struct Desk {
    pub(super) app: App,
    pub(super) name: StoredValue<String>,
    pub(super) detail: Remote<HostDetail>,
    pub(super) look: Memo<Look>,
    pub(super) window: RwSignal<(i64, i64)>,
    data: RwSignal<Lines>,
    /// The charts in sight.
    seen: RwSignal<BTreeSet<String>>,
    /// Series that are drawn besides.
    pub(super) picked: Memo<Vec<String>>,
    pub(super) latest: RwSignal<BTreeMap<String, f64>>,
    pub(super) standing: RwSignal<Option<Standing>>,
    pub(super) tables: RwSignal<Option<HostTables>>,
    pub(super) together: Together,
    /// Why series could not be had.
    pub(super) error: RwSignal<Option<ApiError>>,
    /// The whole page, with its strip and its tables.
    whole: bool,
    asked: StoredValue<Asked>,
    told: StoredValue<Told>,
}

/// What was asked of series.
#[derive(Clone, Debug, Default)]
struct Asked {
    round: u32,
    of: BTreeSet<String>,
    at: i64,
    /// When all of the host was asked for.
    detail_at: i64,
}

/// What the server was told is on screen.
#[derive(Clone, Debug, Default)]
struct Told {
    series: Vec<String>,
    /// Answers of as many values count from then on.
    trusted_from: i64,
}

impl Desk {
    pub(super) fn new(
        app: App,
        name: String,
        (look, picked): (Memo<Look>, Memo<Vec<String>>),
        zoom: Callback<Option<(i64, i64)>>,
        whole: bool,
    ) -> Self {
        let path = format!("/api/v1/hosts/one{}", api::query::build(&[("name", &name)]));
        let desk = Self {
            app,
            name: StoredValue::new(name),
            detail: Remote::new(path),
            look,
            window: RwSignal::new(look.get_untracked().window(app.clock().ms())),
            data: RwSignal::new(Lines::new()),
            seen: RwSignal::new(BTreeSet::new()),
            picked,
            latest: RwSignal::new(BTreeMap::new()),
            standing: RwSignal::new(None),
            tables: RwSignal::new(None),
            together: Together::new(app, zoom),
            error: RwSignal::new(None),
            whole,
            asked: StoredValue::new(Asked::default()),
            told: StoredValue::new(Told::default()),
        };
        desk.follow();
        desk
    }

    fn follow(self) {
        let app = self.app;
        Effect::new(move || {
            if let Some(detail) = self.detail.ready() {
                untrack(|| self.take(detail));
            }
        });
        // Another range, or a connection that was away: everything is asked for anew.
        let is_connected = Memo::new(move |_| app.connection.get() == Connection::Live);
        Effect::new(move || {
            let look = self.look.get();
            is_connected.track();
            self.asked.update_value(|asked| {
                *asked = Asked { round: asked.round + 1, detail_at: asked.detail_at, ..Asked::default() }
            });
            self.window.set(look.window(app.clock().ms()));
            untrack(|| self.ask_what_is_missing());
        });
        Effect::new(move || {
            self.seen.track();
            self.picked.track();
            untrack(|| self.ask_what_is_missing());
        });
        Effect::new(move || {
            let now = app.now.get().ms();
            untrack(|| self.tick(now));
        });
        let page = look::begin(move |text| {
            if let Some(sampled) = heard::sampled(text) {
                self.hear(sampled);
            }
        });
        on_cleanup(move || look::end(page));
        Effect::new(move || look::at(page, self.on_screen()));
    }

    fn take(self, detail: HostDetail) {
        self.latest.update(|latest| {
            for row in &detail.series {
                if let Some(value) = row.last {
                    latest.insert(row.name.clone(), f64::from(value));
                }
            }
        });
        let row = &detail.row;
        self.standing.set(Some(Standing { state: row.state, seen_at: row.seen_at, every_ms: row.every_ms }));
        self.tables.set(detail.tables);
    }

    fn tick(self, now: i64) {
        let look = self.look.get_untracked();
        if look.is_live() {
            self.window.set(look.window(now));
        }
        let (asked_at, detail_at) = self.asked.with_value(|asked| (asked.at, asked.detail_at));
        if dom::is_hidden() {
            return;
        }
        if look.is_due(asked_at, now) {
            self.asked.update_value(|asked| asked.at = now);
            self.ask(self.wanted());
        }
        // What is wrong of it and how its rules stand is not told.
        if self.whole && now - detail_at >= DETAIL_AGAIN_MS {
            self.asked.update_value(|asked| asked.detail_at = now);
            if detail_at > 0 {
                self.detail.reload();
            }
        }
    }

    /// The series of the charts in sight, by metric; of what is picked by their whole names.
    fn wanted(self) -> BTreeSet<String> {
        let plans = plans::PLANS.iter().filter(|plan| self.seen.with_untracked(|seen| seen.contains(plan.id)));
        let metrics = plans.flat_map(|plan| plan.metrics).map(|metric| (*metric).to_owned());
        metrics.chain(self.picked.get_untracked()).collect()
    }

    fn ask_what_is_missing(self) {
        let known = self.asked.with_value(|asked| asked.of.clone());
        self.ask(self.wanted().difference(&known).cloned().collect());
    }

    fn ask(self, of: BTreeSet<String>) {
        if of.is_empty() {
            return;
        }
        let now = self.app.clock().ms();
        let (from, until) = self.look.get_untracked().window(now);
        let round = self.asked.with_value(|asked| asked.round);
        self.asked.update_value(|asked| {
            asked.of.extend(of.iter().cloned());
            asked.at = now;
        });
        let width = window().inner_width().ok().and_then(|it| it.as_f64()).unwrap_or(WIDE_PX);
        let query = SeriesQuery {
            hosts: vec![self.name.get_value()],
            series: of.iter().cloned().collect(),
            from: Timestamp::from_ms(from),
            until: Timestamp::from_ms(until),
            points: plot::points_for(width.min(WIDE_PX)),
        };
        spawn_local(async move {
            let answer = api::post::<SeriesAnswer>("/api/v1/hosts/series", &query).await;
            if self.asked.try_with_value(|asked| asked.round) != Some(round) {
                return;
            }
            match answer {
                Ok(answer) => {
                    self.error.set(None);
                    self.data.update(|data| {
                        for name in of {
                            let is_own = |series: &str| plans::is_of(series, &name) || series == name;
                            let own = answer.lines.iter().filter(|line| is_own(&line.series));
                            let own = own.map(|line| Line::of(&answer, line)).collect();
                            data.insert(name, own);
                        }
                    });
                    if self.look.get_untracked().follows() && !self.look.get_untracked().is_live() {
                        self.window.set((from, until));
                    }
                }
                Err(error) => {
                    self.app.noticed(&error);
                    // Asked again when something else comes into sight, or it is time.
                    self.asked.update_value(|asked| asked.of.clear());
                    self.error.set(Some(error));
                }
            }
        });
    }

    /// Asks again what could not be had.
    pub(super) fn retry(self) {
        self.error.set(None);
        self.ask_what_is_missing();
    }

    /// What the server is to tell of as it is measured.
    fn on_screen(self) -> BrowserMessage {
        let look = self.look.get();
        let mut wanted = self.detail.with(|detail| {
            let of = |metric: &str| {
                let own = detail.series.iter().filter(|row| plans::is_of(&row.name, metric));
                own.map(|row| row.name.clone()).collect::<Vec<_>>()
            };
            let strip: Vec<String> =
                if self.whole { STRIP.iter().flat_map(|metric| of(metric)).collect() } else { Vec::new() };
            let in_sight = |plan: &&Plan| look.is_live() && self.seen.with(|seen| seen.contains(plan.id));
            let charts =
                plans::PLANS.iter().filter(in_sight).flat_map(|plan| plan.metrics).flat_map(|metric| of(metric));
            strip.into_iter().chain(charts).collect::<Vec<_>>()
        });
        let wanted = wanted.get_or_insert_default();
        if look.is_live() {
            wanted.extend(self.picked.get());
        }
        let now = browser::now_ms();
        let series = self.told.try_update_value(|told| told.turn_to(wanted, now)).unwrap_or_default();
        let host = LookAt { name: self.name.get_value(), series, fast: look.is_live(), tables: self.whole };
        BrowserMessage::Look { hosts: false, host: Some(host) }
    }

    fn hear(self, sampled: Sampled) {
        if self.name.try_get_value().as_ref() != Some(&sampled.name) {
            return;
        }
        let series = self.told.with_value(|told| told.of(&sampled.values, browser::now_ms()));
        let Sampled { state, every_ms, at, values, tables, .. } = sampled;
        self.standing.set(Some(Standing { state, seen_at: at, every_ms }));
        if let Some(tables) = tables {
            self.tables.set(Some(*tables));
        }
        let measured: Vec<(String, Option<f64>)> = series.into_iter().zip(values).collect();
        self.latest.update(|latest| {
            for (name, value) in &measured {
                if let Some(value) = value {
                    latest.insert(name.clone(), *value);
                }
            }
        });
        if !self.look.get_untracked().is_live() {
            return;
        }
        let since = self.window.get_untracked().0 - 10_000;
        let step = i64::try_from(every_ms).unwrap_or(i64::MAX);
        self.data.update(|data| {
            for (name, value) in measured {
                let own = data.iter_mut().filter(|(metric, _)| plans::is_of(&name, metric) || **metric == name);
                for (_, lines) in own {
                    match lines.iter_mut().find(|line| line.series == name) {
                        Some(line) => line.push(at.ms(), value, step, since),
                        None => {
                            let mut line = Line { series: name.clone(), name: name.clone(), ..Line::default() };
                            line.push(at.ms(), value, step, since);
                            lines.push(line);
                        }
                    }
                }
            }
        });
    }

    /// A chart as it is now; what is out of sight stays as it was. And how many lines had no place in it.
    pub(super) fn shown(self, plan: &'static Plan) -> (Shown, RwSignal<usize>) {
        let l = self.app.l();
        let more = RwSignal::new(0);
        let shown = Memo::new(move |before: Option<&Option<Arc<Chart>>>| {
            let known = self.seen.with(|seen| seen.contains(plan.id))
                && self.data.with(|data| plan.metrics.iter().all(|metric| data.contains_key(*metric)));
            if !known {
                return before.cloned().flatten();
            }
            let (chart, left) = self.data.with(|data| plans::chart(l, plan, data, self.window.get()));
            if more.get_untracked() != left {
                more.set(left);
            }
            Some(Arc::new(self.marked(chart, plan.metrics)))
        });
        (shown, more)
    }

    /// The chart of a series that was picked.
    pub(super) fn picked_chart(self, series: String) -> Shown {
        let l = self.app.l();
        Memo::new(move |before: Option<&Option<Arc<Chart>>>| {
            if !self.data.with(|data| data.contains_key(&series)) {
                return before.cloned().flatten();
            }
            let unit =
                self.detail.with(|detail| detail.series.iter().find(|row| row.name == series).map(|row| row.unit));
            let unit = unit.flatten().unwrap_or(shared::host::Unit::Plain);
            let chart = self.data.with(|data| plans::picked(l, &series, unit, data, self.window.get()));
            let metric = series.split('/').next().unwrap_or(&series);
            Some(Arc::new(self.marked(chart, &[metric])))
        })
    }

    /// With what was wrong meanwhile, what rules say, and where nothing is known.
    fn marked(self, mut chart: Chart, metrics: &[&str]) -> Chart {
        let now = self.app.now.get_untracked().ms();
        self.detail.with(|detail| {
            (chart.bands, chart.marks) = plans::bands(&detail.incidents, now);
            chart.limits = plans::limits(&detail.rules, metrics);
        });
        chart.stale_from = self.standing.get().and_then(|it| plans::stale_from(it.state, it.seen_at.ms()));
        chart
    }

    /// A chart came into sight, or left it.
    pub(super) fn sees(self, id: &'static str) -> Callback<bool> {
        Callback::new(move |is: bool| {
            let changed = self.seen.try_with_untracked(|seen| seen.contains(id) != is).unwrap_or(false);
            if changed {
                self.seen.update(|seen| {
                    if is {
                        seen.insert(id.to_owned());
                    } else {
                        seen.remove(id);
                    }
                });
            }
        })
    }

    /// The newest value of a series.
    pub(super) fn value(self, series: &str) -> Option<f64> {
        self.latest.with(|latest| latest.get(series).copied())
    }
}

impl Told {
    /// What is told now. Values come without names: series that are added come after those there were, so that an answer
    /// on its way is still understood.
    fn turn_to(&mut self, wanted: &[String], now: i64) -> Vec<String> {
        let (old, wants): (BTreeSet<&String>, BTreeSet<&String>) =
            (self.series.iter().collect(), wanted.iter().collect());
        let mut series: Vec<String> = self.series.iter().filter(|name| wants.contains(name)).cloned().collect();
        let kept_all = series.len() == self.series.len();
        let mut added = BTreeSet::new();
        series.extend(wanted.iter().filter(|name| !old.contains(name) && added.insert((*name).clone())).cloned());
        if !kept_all {
            self.trusted_from = now + IN_FLIGHT_MS;
        }
        self.series.clone_from(&series);
        series
    }

    /// The series that values are of; none where that cannot be said.
    fn of(&self, values: &[Option<f64>], now: i64) -> Vec<String> {
        if now < self.trusted_from {
            return Vec::new();
        }
        self.series.iter().take(values.len()).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_on_its_way_is_never_taken_for_another_series() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let mut told = Told::default();
        assert_eq!(told.turn_to(&words("a b"), 0), words("a b"));
        assert_eq!(told.turn_to(&words("b c a d c"), 0), words("a b c d"), "what is added comes last, once");
        assert_eq!(told.of(&[None, None], 0), words("a b"), "of before, and still right");
        assert_eq!(told.turn_to(&words("d e"), 5_000), words("d e"));
        assert!(told.of(&[None, None], 5_500).is_empty());
        assert_eq!(told.of(&[None, None], 6_000), words("d e"));
    }
}
