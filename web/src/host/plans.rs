//! The charts of a host: which there are, of which metrics, and what their lines are called.

use super::board::natural;
use crate::{
    chart::{
        line::{Line, Point, Value},
        model::{Band, Chart, Limit, Mark, Shape},
        stack,
    },
    order::sorted,
    text::{charts, hosts as t},
};
use shared::{
    api::{HostDetail, HostIncident, RuleStanding},
    config::Language,
    host::{HostState, SeriesName, Unit, metric},
};
use std::collections::BTreeMap;

/// Limits drawn in one chart.
const LIMITS_MAX: usize = 3;
/// How many strips a heat chart has at most.
const STRIPS_MAX: usize = 64;

/// A chart there is of every host that measures any of its metrics.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) id: &'static str,
    pub(crate) title: fn(Language) -> String,
    pub(crate) shape: Shape,
    pub(crate) metrics: &'static [&'static str],
    /// Made of the metrics rather than them themselves.
    made: Option<fn(Language, &Lines) -> Vec<Line>>,
    /// What all of a stack is together.
    over: Option<&'static str>,
    /// Metrics that are not drawn, and whose rules have their limits here all the same.
    also: &'static [(&'static str, Means)],
}

impl Plan {
    /// The metrics that are asked for.
    pub(crate) fn asks(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.metrics.iter().copied().chain(self.over.filter(|over| !self.metrics.contains(over)))
    }
}

/// What the value of another metric is in a chart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Means {
    Itself,
    /// What it leaves of a hundred.
    Rest,
    /// So many percent of this metric's value.
    Of(&'static str),
    /// What that leaves of this metric's value.
    RestOf(&'static str),
    /// What it leaves of this metric's value.
    Without(&'static str),
}

impl Means {
    fn value(self, limit: f64, newest: impl Fn(&str) -> Option<f64>) -> Option<f64> {
        match self {
            Self::Itself => Some(limit),
            Self::Rest => Some(100.0 - limit),
            Self::Of(whole) => Some(newest(whole)? * limit / 100.0),
            Self::RestOf(whole) => Some(newest(whole)? * (100.0 - limit) / 100.0),
            Self::Without(whole) => Some(newest(whole)? - limit),
        }
    }
}

/// Lines by metric, each with all of its series.
pub(crate) type Lines = BTreeMap<String, Vec<Line>>;

const fn p(id: &'static str, title: fn(Language) -> String, shape: Shape, metrics: &'static [&'static str]) -> Plan {
    Plan { id, title, shape, metrics, made: None, over: None, also: &[] }
}

use Shape::{Heat, Lines as Curves, Stacked};

/// Of what a processor's time is made, in the order of their colours. `cpu.guest` is in `cpu.user` already.
pub(crate) const MODES: [&str; 7] =
    ["cpu.user", "cpu.system", "cpu.iowait", "cpu.steal", "cpu.softirq", "cpu.irq", "cpu.nice"];

/// In the order of the page.
pub(crate) const PLANS: [Plan; 19] = [
    Plan {
        over: Some("cpu.busy"),
        also: &[("cpu.busy", Means::Itself), ("cpu.idle", Means::Rest)],
        ..p("cpu", t::chart_cpu, Stacked, &MODES)
    },
    p("load", t::chart_load, Curves, &["load.1min", "load.5min", "load.15min"]),
    Plan {
        made: Some(memory),
        over: Some("mem.memused"),
        also: &[
            ("mem.memused.percent", Means::Of("mem.memtotal")),
            ("mem.memfree.percent", Means::RestOf("mem.memtotal")),
            ("mem.memavailable", Means::Without("mem.memtotal")),
        ],
        ..p("memory", t::chart_memory, Stacked, &["mem.memused", "mem.memfree", "mem.memtotal"])
    },
    p("swap", t::chart_swap, Curves, &["mem.swap.in", "mem.swap.out"]),
    p(
        "psi",
        t::chart_psi,
        Curves,
        &["psi.cpu.some", "psi.memory.some", "psi.memory.full", "psi.io.some", "psi.io.full"],
    ),
    p("cores", t::chart_cores, Heat, &["cpu.core.busy"]),
    p("util", t::chart_util, Curves, &["disk.io.util"]),
    p("await", t::chart_await, Curves, &["disk.io.await"]),
    p("svctm", t::chart_svctm, Curves, &["disk.io.svctm"]),
    p("disk", t::chart_disk, Curves, &["disk.io.read_bytes", "disk.io.write_bytes"]),
    Plan {
        also: &[("df.bytes.free.percent", Means::Rest)],
        ..p("df", t::chart_df, Curves, &["df.bytes.used.percent"])
    },
    p("net", t::chart_net, Curves, &["net.if.in.bits", "net.if.out.bits"]),
    p("packets", t::chart_packets, Curves, &["net.if.in.packets", "net.if.out.packets"]),
    p(
        "drops",
        t::chart_drops,
        Curves,
        &["net.if.in.errors", "net.if.out.errors", "net.if.in.dropped", "net.if.out.dropped"],
    ),
    p(
        "tcp",
        t::chart_tcp,
        Stacked,
        &[
            "ss.estab",
            "ss.timewait",
            "ss.closewait",
            "ss.synrecv",
            "ss.finwait2",
            "ss.synsent",
            "ss.finwait1",
            "ss.lastack",
            "ss.closing",
        ],
    ),
    p("retrans", t::chart_retrans, Curves, &["tcp.retrans", "tcp.listen.overflows", "tcp.listen.drops"]),
    p("conntrack", t::chart_conntrack, Curves, &["conntrack.count", "conntrack.max"]),
    p("pids", t::chart_pids, Curves, &["pids.current", "proc.running", "proc.blocked"]),
    p("cgroups", t::chart_cgroups, Curves, &["cgroup.pids.current"]),
];

/// The charts around an alert.
pub(crate) const AROUND: [&str; 5] = ["cpu", "memory", "util", "net", "load"];

pub(crate) fn plan(id: &str) -> Option<&'static Plan> {
    PLANS.iter().find(|plan| plan.id == id)
}

/// Whether a series is of a metric.
pub(crate) fn is_of(series: &str, metric: &str) -> bool {
    series.strip_prefix(metric).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether a host measures anything of it.
pub(crate) fn is_measured(plan: &Plan, detail: &HostDetail) -> bool {
    let own = if plan.made.is_some() { &plan.metrics[..1] } else { plan.metrics };
    detail.series.iter().any(|row| own.iter().any(|metric| is_of(&row.name, metric)))
}

/// What is used, what could be given back, and what is free: together all of it.
fn memory(l: Language, lines: &Lines) -> Vec<Line> {
    let one = |name: &str| lines.get(name).and_then(|lines| lines.first()).cloned();
    let (Some(used), Some(free), Some(total)) = (one("mem.memused"), one("mem.memfree"), one("mem.memtotal")) else {
        return one("mem.memused").map(|line| Line { name: t::mem_used(l), ..line }).into_iter().collect();
    };
    let cache = |point: &Point| {
        let value = point.value.and_then(|used| {
            let (free, total) = (free.at(point.at)?, total.at(point.at)?);
            Some(Value::one((total.mean - used.mean - free.mean).max(0.0)))
        });
        Point { value, ..*point }
    };
    let points = used.points.iter().map(cache).collect();
    let cache = Line { series: String::new(), name: t::mem_cache(l), points };
    vec![Line { name: t::mem_used(l), ..used }, cache, Line { name: t::mem_free(l), ..free }]
}

/// What a line is called in a chart of such metrics.
fn named(l: Language, series: &str, of_several: bool) -> String {
    let Ok(name) = series.parse::<SeriesName>() else { return series.to_owned() };
    let own = match metric(&name.metric) {
        // Names of the kernel's are the same in every language.
        Some(it) if it.name.starts_with("cpu.") => it.name.trim_start_matches("cpu.").to_owned(),
        Some(it) => if l == Language::Zh { it.chinese } else { it.english }.to_owned(),
        None => name.metric.clone(),
    };
    // The kind of a file system tells nobody which one it is.
    let tags = name.tags.iter().filter(|(tag, _)| tag != "fstype").map(|(_, value)| value.as_str());
    let tags: Vec<&str> = tags.collect();
    match (tags.is_empty(), of_several) {
        (true, _) => own,
        (false, true) => format!("{} {own}", tags.join(" ")),
        (false, false) => tags.join(" "),
    }
}

/// A chart as it is to be drawn, without what is marked in it.
pub(crate) fn chart(l: Language, plan: &Plan, lines: &Lines, (from, until): (i64, i64)) -> Chart {
    let mut chart = blank(plan, (from, until));
    let all = match plan.made {
        Some(made) => made(l, lines),
        None => {
            let of = plan.metrics.iter().filter_map(|name| lines.get(*name)).flatten();
            let of_several = plan.metrics.len() > 1;
            of.map(|line| Line { name: named(l, &line.series, of_several), ..line.clone() }).collect()
        }
    };
    let all: Vec<Line> = all.into_iter().map(|line| within(line, from, until)).collect();
    (chart.lines, chart.has_rest, chart.also) = match plan.shape {
        Shape::Stacked => stack::six_and_rest(all, charts::others(l)),
        Shape::Heat => {
            let mut all = sorted(all, |a, b| natural(&a.series, &b.series));
            let more = all.split_off(all.len().min(STRIPS_MAX));
            (all, false, more)
        }
        Shape::Lines | Shape::Area => stack::six_highest(all),
    };
    let over = plan.over.and_then(|name| lines.get(name)?.first().cloned());
    chart.over = over.map(|line| within(Line { name: named(l, &line.series, true), ..line }, from, until));
    if plan.shape == Shape::Lines && chart.lines.len() == 1 {
        chart.shape = Shape::Area;
    }
    chart
}

/// The axes of a chart that nothing is known of yet.
pub(crate) fn blank(plan: &Plan, (from, until): (i64, i64)) -> Chart {
    let unit = plan.metrics.first().and_then(|name| metric(name)).map_or(Unit::Plain, |it| it.unit);
    Chart::new(plan.shape, unit, from, until)
}

/// The chart of a series that no other chart shows.
pub(crate) fn picked(l: Language, series: &str, unit: Unit, lines: &Lines, (from, until): (i64, i64)) -> Chart {
    let mut chart = Chart::new(Shape::Area, unit, from, until);
    let own = lines.values().flatten().find(|line| line.series == series).cloned();
    chart.lines.extend(own.map(|line| within(Line { name: named(l, series, true), ..line }, from, until)));
    chart
}

/// Without what lies beyond the chart.
fn within(mut line: Line, from: i64, until: i64) -> Line {
    line.points.retain(|point| point.at + point.step_ms >= from && point.at - point.step_ms <= until);
    line
}

/// What was wrong of a host, as bands; an open one lasts until now.
pub(crate) fn bands(incidents: &[HostIncident], now: i64) -> (Vec<Band>, Vec<Mark>) {
    let band = |it: &HostIncident| Band {
        from: it.from.ms(),
        until: it.until.map_or(now, |until| until.ms()),
        severity: it.severity,
        name: format!("#{} {}", it.id, it.title).trim_end().to_owned(),
    };
    let mark = |it: &HostIncident| Some(Mark { at: it.acked_at?.ms(), name: format!("#{}", it.id) });
    (incidents.iter().map(band).collect(), incidents.iter().filter_map(mark).collect())
}

/// The values from which on a rule of what a chart shows holds. In a stack only what lies at its bottom has its own height.
pub(crate) fn limits(rules: &[RuleStanding], plan: &Plan, newest: impl Fn(&str) -> Option<f64>) -> Vec<Limit> {
    let own = if plan.shape == Shape::Stacked { &plan.metrics[..1] } else { plan.metrics };
    let own = own.iter().map(|metric| (*metric, Means::Itself)).chain(plan.also.iter().copied());
    let own: Vec<(&str, Means)> = own.collect();
    let limit = |rule: &RuleStanding| {
        let (_, means) = own.iter().find(|(metric, _)| is_of(&rule.series, metric))?;
        let value = means.value(f64::from(rule.threshold?), &newest)?;
        Some(Limit { value, severity: rule.severity, name: rule.title.clone() })
    };
    few(rules.iter().filter_map(limit))
}

/// The same for the chart of one metric.
pub(crate) fn limits_of(rules: &[RuleStanding], metric: &str) -> Vec<Limit> {
    let own = rules.iter().filter(|rule| is_of(&rule.series, metric));
    few(own.filter_map(|rule| {
        let value = f64::from(rule.threshold?);
        Some(Limit { value, severity: rule.severity, name: rule.title.clone() })
    }))
}

/// Each once, and not too many.
fn few(all: impl Iterator<Item = Limit>) -> Vec<Limit> {
    let mut limits: Vec<Limit> = Vec::new();
    for limit in all {
        let is_same = |it: &Limit| (it.value - limit.value).abs() < f64::EPSILON && it.severity == limit.severity;
        if !limits.iter().any(is_same) && limits.len() < LIMITS_MAX {
            limits.push(limit);
        }
    }
    limits
}

/// Since when nothing is heard, if something should be: of the host, or of the server.
pub(crate) fn stale_from(state: HostState, seen_at: i64, is_cut: bool) -> Option<i64> {
    (state != HostState::Live || is_cut).then_some(seen_at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::{Severity, Timestamp};

    fn line(series: &str, values: &[f64]) -> Line {
        let point =
            |(n, value): (usize, &f64)| Point { at: n as i64 * 1_000, value: Some(Value::one(*value)), step_ms: 1_000 };
        let points = values.iter().enumerate().map(point).collect();
        Line { series: series.into(), name: series.into(), points }
    }

    fn lines(of: &[(&str, Vec<Line>)]) -> Lines {
        of.iter().map(|(metric, lines)| ((*metric).to_owned(), lines.clone())).collect()
    }

    #[test]
    fn every_metric_of_a_chart_is_known_and_each_chart_has_one_unit() {
        for plan in &PLANS {
            let units: Vec<Unit> =
                plan.metrics.iter().map(|name| metric(name).unwrap_or_else(|| panic!("{name}")).unit).collect();
            assert!(units.iter().all(|unit| *unit == units[0]), "{}: {units:?}", plan.id);
            assert!(plan.also.iter().all(|(name, _)| metric(name).is_some()), "{}", plan.id);
            assert!(plan.asks().all(|name| metric(name).is_some_and(|it| it.unit == units[0])), "{}", plan.id);
        }
        assert!(AROUND.iter().all(|id| plan(id).is_some()));
    }

    #[test]
    fn lines_are_called_by_what_tells_them_apart() {
        let say = |series, several| named(Language::En, series, several);
        assert_eq!(say("cpu.iowait", true), "iowait");
        assert_eq!(say("load.5min", true), "load, 5 min");
        assert_eq!(say("disk.io.util/device=sda", false), "sda");
        assert_eq!(say("disk.io.read_bytes/device=sda", true), "sda read");
        assert_eq!(say("df.bytes.used.percent/fstype=ext4,mount=/data", false), "/data");
        assert_eq!(say("nginx.active/port=80", true), "80 nginx.active");
        assert!(is_of("disk.io.util/device=sda", "disk.io.util") && !is_of("disk.io.utilisation", "disk.io.util"));
    }

    #[test]
    fn memory_adds_up_to_all_of_it() {
        let all = lines(&[
            ("mem.memused", vec![line("mem.memused", &[30.0, 40.0])]),
            ("mem.memfree", vec![line("mem.memfree", &[20.0, 20.0])]),
            ("mem.memtotal", vec![line("mem.memtotal", &[100.0, 100.0])]),
        ]);
        let chart = chart(Language::En, plan("memory").unwrap(), &all, (0, 10_000));
        let last: Vec<f64> = chart.lines.iter().filter_map(|line| line.last()).map(|(_, value)| value.mean).collect();
        assert_eq!((last, chart.more()), (vec![40.0, 40.0, 20.0], 0));
        assert_eq!(chart.over.and_then(|line| line.last()).map(|(_, value)| value.mean), Some(40.0));
    }

    #[test]
    fn of_many_devices_the_busiest_are_drawn_and_the_rest_counted() {
        let many: Vec<Line> = (0..9).map(|n| line(&format!("disk.io.util/device=sd{n}"), &[f64::from(n)])).collect();
        let drawn = chart(Language::En, plan("util").unwrap(), &lines(&[("disk.io.util", many)]), (0, 10_000));
        assert_eq!((drawn.lines.len(), drawn.lines[0].name.as_str(), drawn.more()), (6, "sd3", 3));
        let one = lines(&[("disk.io.util", vec![line("disk.io.util/device=sda", &[1.0, 2.0, 3.0])])]);
        let drawn = chart(Language::En, plan("util").unwrap(), &one, (1_500, 1_600));
        assert_eq!((drawn.shape, drawn.lines[0].points.len()), (Shape::Area, 2), "what lies far beyond is not drawn");
    }

    #[test]
    fn cores_are_in_the_order_of_their_numbers_and_those_beyond_are_counted() {
        let mut names: Vec<String> = (0..70).map(|n| format!("cpu.core.busy/core={n}")).collect();
        names.sort();
        let cores = names.iter().map(|name| line(name, &[1.0])).collect();
        let drawn = chart(Language::En, plan("cores").unwrap(), &lines(&[("cpu.core.busy", cores)]), (0, 10_000));
        let names: Vec<&str> = drawn.lines.iter().map(|line| line.name.as_str()).collect();
        assert_eq!((&names[..3], names.len(), drawn.more()), (&["0", "1", "2"][..], STRIPS_MAX, 6));
    }

    #[test]
    fn what_was_wrong_is_marked_and_a_rule_is_a_limit_once() {
        let incident = HostIncident {
            id: shared::IncidentId(7),
            title: "full".into(),
            severity: Severity::P1,
            from: Timestamp::from_ms(5),
            until: None,
            acked_at: Some(Timestamp::from_ms(8)),
        };
        let (bands, marks) = bands(&[incident], 50);
        assert_eq!((bands[0].until, bands[0].name.as_str(), marks[0].at), (50, "#7 full", 8));
        let util =
            [rule("disk.io.util/device=sda", 90.0), rule("disk.io.util/device=sdb", 90.0), rule("load.1min", 8.0)];
        assert_eq!(limits(&util, plan("util").unwrap(), |_| None).len(), 1);
        assert_eq!(limits_of(&util, "load.1min").len(), 1);
        assert_eq!(stale_from(HostState::Live, 3, false), None);
        assert_eq!((stale_from(HostState::Late, 3, false), stale_from(HostState::Live, 3, true)), (Some(3), Some(3)));
    }

    fn rule(series: &str, threshold: f32) -> RuleStanding {
        RuleStanding {
            host: "a".into(),
            template: "t".into(),
            rule: "r".into(),
            title: "disk full".into(),
            when: String::new(),
            severity: Severity::P2,
            series: series.into(),
            state: shared::api::RuleState::Fine,
            since: Timestamp::from_ms(0),
            value: None,
            threshold: Some(threshold),
        }
    }

    #[test]
    fn rules_of_what_is_another_side_of_a_chart_have_their_limits_in_it() {
        let of = |id: &str, rules: &[RuleStanding]| {
            let newest = |name: &str| (name == "mem.memtotal").then_some(200.0);
            let all = limits(rules, plan(id).unwrap(), newest);
            all.into_iter().map(|limit| limit.value).collect::<Vec<_>>()
        };
        assert_eq!(of("cpu", &[rule("cpu.busy", 90.0), rule("cpu.idle", 5.0), rule("cpu.iowait", 30.0)]), [90.0, 95.0]);
        assert_eq!(
            of("memory", &[rule("mem.memused.percent", 90.0), rule("mem.memfree.percent", 20.0)]),
            [180.0, 160.0]
        );
        assert_eq!(of("memory", &[rule("mem.memavailable", 50.0)]), [150.0]);
        assert_eq!(of("df", &[rule("df.bytes.free.percent/mount=/", 10.0)]), [90.0]);
    }
}
