//! One host that is looked at: its series are asked for as charts come into sight, and heard as they are measured.

use crate::{
    api::{self, ApiError},
    browser::dom,
    chart::{
        line::Line,
        model::{Chart, Known},
        plot,
        view::{Shown, Together},
    },
    host::{
        asked::{Asked, Told},
        devices,
        heard::{self, Sampled},
        plans::{self, Lines, Plan},
        range::{self, Look},
    },
    live::{look, machine::Connection},
    state::{App, Remote},
};
use leptos::{prelude::*, task::spawn_local};
use shared::{
    Timestamp,
    api::{HostDetail, HostIncident, SeriesAnswer, SeriesQuery},
    host::{HostState, HostTables},
    live::{BrowserMessage, LookAt},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// Series that the strip at the top of a host's page shows, besides those of disks and interfaces.
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
/// How often all of the host is asked for: its incidents, how its rules stand, and on an incident's card how it is.
const DETAIL_AGAIN_MS: i64 = 15_000;
const CARD_AGAIN_MS: i64 = 30_000;

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
    /// When all of the host was asked for.
    detail_at: StoredValue<i64>,
    /// What the page is about, whether or not the server finds it among the host's incidents.
    own: StoredValue<Option<HostIncident>>,
    pub(super) look: Memo<Look>,
    pub(super) window: RwSignal<(i64, i64)>,
    data: RwSignal<Lines>,
    /// The charts in sight: plans, and series that were picked.
    seen: RwSignal<BTreeSet<String>>,
    /// Series that are drawn besides.
    pub(super) picked: Memo<Vec<String>>,
    pub(super) latest: RwSignal<BTreeMap<String, f64>>,
    pub(super) standing: RwSignal<Option<Standing>>,
    pub(super) tables: RwSignal<Option<HostTables>>,
    pub(super) together: Together,
    /// Why series could not be had.
    pub(super) error: RwSignal<Option<ApiError>>,
    /// The server cannot be reached: what is shown grows old.
    pub(super) is_cut: Memo<bool>,
    /// The tab is not looked at.
    hidden: RwSignal<bool>,
    /// The whole page, with its strip and its tables.
    whole: bool,
    asked: StoredValue<Asked>,
    told: StoredValue<Told>,
}

impl Desk {
    pub(super) fn new(
        app: App,
        name: String,
        (look, picked): (Memo<Look>, Memo<Vec<String>>),
        zoom: Callback<Option<(i64, i64)>>,
        own: Option<HostIncident>,
    ) -> Self {
        let now = app.clock().ms();
        // A stretch that is zoomed to does not lie in the future.
        let zoom = Callback::new(move |stretch: Option<(i64, i64)>| {
            zoom.run(stretch.map(|stretch| range::past(stretch, app.clock().ms())));
        });
        let is_cut = move || matches!(app.connection.get(), Connection::Stale { .. } | Connection::Offline { .. });
        let desk = Self {
            app,
            detail: Remote::new(detail_path(&name, look.get_untracked(), now)),
            detail_at: StoredValue::new(now),
            name: StoredValue::new(name),
            whole: own.is_none(),
            own: StoredValue::new(own),
            look,
            window: RwSignal::new(look.get_untracked().window(now)),
            data: RwSignal::new(Lines::new()),
            seen: RwSignal::new(BTreeSet::new()),
            picked,
            latest: RwSignal::new(BTreeMap::new()),
            standing: RwSignal::new(None),
            tables: RwSignal::new(None),
            together: Together::new(app, zoom),
            error: RwSignal::new(None),
            is_cut: Memo::new(move |_| is_cut()),
            hidden: RwSignal::new(dom::is_hidden()),
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
        let turned = window_event_listener_untyped("visibilitychange", move |_| self.hidden.set(dom::is_hidden()));
        on_cleanup(move || turned.remove());
        // Another range, or a connection or a reader that was away: everything is asked for anew.
        let is_connected = Memo::new(move |_| app.connection.get() == Connection::Live);
        Effect::new(move |before: Option<Look>| {
            let (look, is_hidden) = (self.look.get(), self.hidden.get());
            is_connected.get();
            untrack(|| {
                if before.is_some_and(|before| before != look) {
                    self.look_elsewhere(before.is_some_and(|before| before.range != look.range));
                }
                if !is_hidden {
                    self.asked.update_value(Asked::begin_anew);
                    self.window.set(look.window(app.clock().ms()));
                    self.ask_what_is_missing();
                }
            });
            look
        });
        // In what moves on, what was pointed at is left behind.
        Effect::new(move || {
            let from = self.window.with(|window| window.0);
            if self.together.cursor.get_untracked().is_some_and(|at| at < from) {
                self.together.cursor.set(None);
            }
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

    /// What a detail says; an answer that was under way while newer samples came takes nothing of them back.
    fn take(self, detail: HostDetail) {
        let row = &detail.row;
        let is_newest = self.standing.get_untracked().is_none_or(|it| it.seen_at <= row.seen_at);
        self.latest.update(|latest| {
            for row in &detail.series {
                if let Some(value) = row.last
                    && (is_newest || !latest.contains_key(&row.name))
                {
                    latest.insert(row.name.clone(), f64::from(value));
                }
            }
        });
        if is_newest {
            self.standing.set(Some(Standing { state: row.state, seen_at: row.seen_at, every_ms: row.every_ms }));
            self.tables.set(detail.tables);
        }
    }

    /// Another stretch has other incidents, and what was pointed at may not be in it.
    fn look_elsewhere(self, is_other_range: bool) {
        let (from, until) = self.look.get_untracked().window(self.app.clock().ms());
        let is_out = |at: i64| is_other_range || !(from..=until).contains(&at);
        if self.together.cursor.get_untracked().is_some_and(is_out) {
            self.together.cursor.set(None);
        }
        self.reload_detail();
    }

    fn reload_detail(self) {
        let now = self.app.clock().ms();
        self.detail_at.set_value(now);
        let path = self.name.with_value(|name| detail_path(name, self.look.get_untracked(), now));
        self.detail.turn(path);
    }

    fn tick(self, now: i64) {
        let look = self.look.get_untracked();
        if look.is_live() {
            self.window.set(look.window(now));
        }
        if self.hidden.get_untracked() {
            return;
        }
        if look.is_due(self.asked.with_value(|asked| asked.at), now) {
            self.asked.update_value(|asked| asked.at = now);
            self.ask(self.wanted());
        }
        // What is wrong of it and how its rules stand is not told; nor, to a card, that it fell silent.
        let again = if self.whole { DETAIL_AGAIN_MS } else { CARD_AGAIN_MS };
        if now - self.detail_at.get_value() >= again {
            self.reload_detail();
        }
    }

    fn sees_now(self, id: &str) -> bool {
        self.seen.with(|seen| seen.contains(id))
    }

    /// The series of the charts in sight, by metric; of what is picked by their whole names.
    fn wanted(self) -> BTreeSet<String> {
        untrack(|| {
            let plans = plans::PLANS.iter().filter(|plan| self.sees_now(plan.id));
            let metrics = plans.flat_map(Plan::asks).map(str::to_owned);
            metrics.chain(self.picked.get().into_iter().filter(|name| self.sees_now(name))).collect()
        })
    }

    fn ask_what_is_missing(self) {
        let wanted = self.wanted();
        let missing = self.asked.try_update_value(|asked| {
            asked.keep(&wanted);
            asked.missing(&wanted)
        });
        self.ask(missing.unwrap_or_default());
    }

    fn ask(self, of: BTreeSet<String>) {
        if of.is_empty() {
            return;
        }
        let now = self.app.clock().ms();
        let stretch = self.look.get_untracked().window(now);
        let Some(ticket) = self.asked.try_update_value(|asked| asked.ask(&of, now)) else { return };
        let width = window().inner_width().ok().and_then(|it| it.as_f64()).unwrap_or(WIDE_PX);
        let query = SeriesQuery {
            hosts: vec![self.name.get_value()],
            series: of.iter().cloned().collect(),
            from: Timestamp::from_ms(stretch.0),
            until: Timestamp::from_ms(stretch.1),
            points: plot::points_for(width.min(WIDE_PX)),
        };
        spawn_local(async move {
            let answer = api::post::<SeriesAnswer>("/api/v1/hosts/series", &query).await;
            if self.asked.try_with_value(|asked| asked.counts(ticket)) != Some(true) {
                return;
            }
            match answer {
                Ok(answer) => {
                    let of = self.asked.try_update_value(|asked| asked.take(ticket, of)).unwrap_or_default();
                    self.take_series(&answer, of, stretch);
                }
                Err(error) => {
                    self.app.noticed(&error);
                    // Asked again when something else comes into sight, or it is time.
                    self.asked.update_value(Asked::forget);
                    self.error.set(Some(error));
                }
            }
        });
    }

    fn take_series(self, answer: &SeriesAnswer, of: Vec<String>, stretch: (i64, i64)) {
        let look = self.look.get_untracked();
        self.error.set(None);
        self.data.update(|data| {
            for name in of {
                let before = data.remove(&name).unwrap_or_default();
                let line = |it| {
                    let mut line = Line::of(answer, it);
                    // What was told while the answer was on its way is newer than the answer.
                    if let Some(before) = before.iter().find(|it| look.is_live() && it.series == line.series) {
                        line.follow(before);
                    }
                    line
                };
                let own = answer.lines.iter().filter(|it| plans::is_of(&it.series, &name) || it.series == name);
                let own = own.map(line).collect();
                data.insert(name, own);
            }
        });
        if look.follows() && !look.is_live() {
            self.window.set(stretch);
        }
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
            let mut strip: Vec<String> = Vec::new();
            if self.whole {
                strip = STRIP.iter().flat_map(|metric| of(metric)).collect();
                strip.extend(devices::watched(&detail.series));
            }
            let in_sight = |plan: &&Plan| look.is_live() && self.sees_now(plan.id);
            let charts = plans::PLANS.iter().filter(in_sight).flat_map(Plan::asks).flat_map(of);
            strip.into_iter().chain(charts).collect::<Vec<_>>()
        });
        let wanted = wanted.get_or_insert_default();
        if look.is_live() {
            wanted.extend(self.picked.get().into_iter().filter(|name| self.sees_now(name)));
        }
        let (turn, series) = self.told.try_update_value(|told| told.turn_to(wanted)).unwrap_or_default();
        // Once a second is for who looks: neither for a tab behind others, nor for charts that are scrolled away.
        let fast = look.is_live() && !self.hidden.get() && self.seen.with(|seen| !seen.is_empty());
        let host = LookAt { name: self.name.get_value(), series, fast, tables: self.whole, turn };
        BrowserMessage::Look { hosts: false, host: Some(host) }
    }

    fn hear(self, sampled: Sampled) {
        if self.name.try_get_value().as_ref() != Some(&sampled.name) {
            return;
        }
        let series = self.told.with_value(|told| told.of(sampled.turn));
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

    /// A chart as it is now; what is out of sight stays as it was.
    pub(super) fn shown(self, plan: &'static Plan) -> Shown {
        let l = self.app.l();
        Memo::new(move |before: Option<&Option<Arc<Chart>>>| {
            let is_known = self.data.with(|data| plan.asks().all(|metric| data.contains_key(metric)));
            if let Some(kept) = kept(before, is_known && self.sees_now(plan.id)) {
                return Some(kept);
            }
            if !is_known {
                return Some(Arc::new(self.awaited(plans::blank(plan, self.window.get()))));
            }
            let chart = self.data.with(|data| plans::chart(l, plan, data, self.window.get()));
            let limits = self.detail.with(|detail| {
                plans::limits(&detail.rules, plan, |name| self.latest.with_untracked(|it| it.get(name).copied()))
            });
            Some(Arc::new(self.marked(Chart { limits: limits.unwrap_or_default(), ..chart })))
        })
    }

    /// The chart of a series that was picked.
    pub(super) fn picked_chart(self, series: String) -> Shown {
        let l = self.app.l();
        Memo::new(move |before: Option<&Option<Arc<Chart>>>| {
            let is_known = self.data.with(|data| data.contains_key(&series));
            if let Some(kept) = kept(before, is_known && self.sees_now(&series)) {
                return Some(kept);
            }
            let unit =
                self.detail.with(|detail| detail.series.iter().find(|row| row.name == series).map(|row| row.unit));
            let unit = unit.flatten().unwrap_or(shared::host::Unit::Plain);
            let chart = self.data.with(|data| plans::picked(l, &series, unit, data, self.window.get()));
            if !is_known {
                return Some(Arc::new(self.awaited(chart)));
            }
            let metric = series.split('/').next().unwrap_or(&series);
            let limits = self.detail.with(|detail| plans::limits_of(&detail.rules, metric)).unwrap_or_default();
            Some(Arc::new(self.marked(Chart { limits, ..chart })))
        })
    }

    /// A chart that nothing is known of: it is awaited, or could not be had.
    fn awaited(self, chart: Chart) -> Chart {
        let known = if self.error.with(Option::is_some) { Known::Failed } else { Known::Loading };
        Chart { known, ..chart }
    }

    /// With what was wrong meanwhile, and where nothing is known.
    fn marked(self, mut chart: Chart) -> Chart {
        let now = self.app.now.get_untracked().ms();
        let mut incidents = self.detail.with(|detail| detail.incidents.clone()).unwrap_or_default();
        let own = self.own.get_value().filter(|own| incidents.iter().all(|it| it.id != own.id));
        incidents.extend(own);
        (chart.bands, chart.marks) = plans::bands(&incidents, now);
        let is_cut = self.is_cut.get();
        chart.stale_from = self.standing.get().and_then(|it| plans::stale_from(it.state, it.seen_at.ms(), is_cut));
        chart
    }

    /// Whether what is shown is the last that was said, and no more.
    pub(super) fn is_old(self) -> bool {
        self.is_cut.get() || self.standing.get().is_some_and(|it| it.state != HostState::Live)
    }

    /// A chart comes into sight, or leaves it.
    pub(super) fn sees(self, id: impl Into<String>) -> Callback<bool> {
        let id = StoredValue::new(id.into());
        let set = move |is: bool| {
            let Some(id) = id.try_get_value() else { return };
            if self.seen.try_with_untracked(|seen| seen.contains(&id) != is).unwrap_or(false) {
                self.seen.update(|seen| {
                    _ = if is { seen.insert(id) } else { seen.remove(&id) };
                });
            }
        };
        on_cleanup(move || set(false));
        Callback::new(set)
    }

    /// The newest value of a series.
    pub(super) fn value(self, series: &str) -> Option<f64> {
        self.latest.with(|latest| latest.get(series).copied())
    }
}

/// What was drawn before, where nothing newer is known of it or nobody sees it.
fn kept(before: Option<&Option<Arc<Chart>>>, is_new: bool) -> Option<Arc<Chart>> {
    before?.clone().filter(|chart| !is_new && chart.known == Known::Yes)
}

/// All of a host, with what was wrong of it in the stretch that is looked at.
fn detail_path(name: &str, look: Look, now: i64) -> String {
    let from = look.wrong_since(now).to_string();
    let until = look.zoom.map(|(_, until)| until.to_string()).unwrap_or_default();
    format!("/api/v1/hosts/one{}", api::query::build(&[("name", name), ("from", &from), ("until", &until)]))
}
