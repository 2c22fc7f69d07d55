//! The board of hosts: what its address asks for, and which hosts that shows in which order and groups.

use crate::{api::query, browser, order::sorted};
use shared::{
    Severity,
    api::{HostBoard, HostRow},
    host::{HostState, SeriesName, Vitals},
};
use std::{cmp::Ordering, collections::BTreeMap};

/// More hosts than this are a honeycomb unless something else is asked for.
pub(crate) const COMB_FROM: usize = 300;

/// How hosts are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum View {
    Tiles,
    Comb,
    Table,
    /// A small chart of one metric for each.
    Multiples,
}

impl View {
    pub(crate) const ALL: [Self; 4] = [Self::Tiles, Self::Comb, Self::Table, Self::Multiples];

    pub(crate) const fn has_groups(self) -> bool {
        matches!(self, Self::Tiles | Self::Comb)
    }

    /// Whether its order can be chosen.
    pub(crate) const fn has_order(self) -> bool {
        matches!(self, Self::Tiles | Self::Table)
    }

    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Tiles => "tiles",
            Self::Comb => "comb",
            Self::Table => "table",
            Self::Multiples => "charts",
        }
    }
}

/// By what hosts stand together.
pub(crate) const GROUPINGS: [&str; 4] = ["", "group", "cluster", "hypervisor"];
/// What is wrong, before what is merely busy.
pub(crate) const WORST: &str = "worst";
pub(crate) const NAME: &str = "name";
/// What can be sorted by, besides the name and how bad it is.
pub(crate) const COLUMNS: [&str; 11] =
    ["cpu", "iowait", "load", "mem", "swap", "disk", "util", "in", "out", "tcp", "pids"];

/// The value of a column.
pub(crate) fn vital(vitals: &Vitals, column: &str) -> Option<f32> {
    match column {
        "cpu" => vitals.cpu_busy,
        "iowait" => vitals.cpu_iowait,
        "load" => vitals.load1,
        "mem" => vitals.mem_used,
        "swap" => vitals.swap_used,
        "disk" => vitals.disk_used,
        "util" => vitals.disk_util,
        "in" => vitals.net_in_bits,
        "out" => vitals.net_out_bits,
        "tcp" => vitals.tcp_established,
        "pids" => vitals.pids_used,
        _ => None,
    }
}

/// What the address asks for; empty where it does not say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ask {
    pub(crate) view: String,
    pub(crate) sort: String,
    pub(crate) group: String,
    /// `trouble`, `silent`, or all.
    pub(crate) only: String,
    pub(crate) text: String,
    /// Of the small charts.
    pub(crate) metric: String,
}

impl Ask {
    pub(crate) fn read(get: impl Fn(&str) -> Option<String>) -> Self {
        let word = |name: &str| get(name).unwrap_or_default();
        Self {
            view: word("view"),
            sort: word("sort"),
            group: word("group"),
            only: word("only"),
            text: word("q"),
            metric: word("metric"),
        }
    }

    pub(crate) fn address(&self) -> String {
        let parts = [
            ("view", &*self.view),
            ("sort", &self.sort),
            ("group", &self.group),
            ("only", &self.only),
            ("q", &self.text),
            ("metric", &self.metric),
        ];
        format!("/hosts{}", query::build(&parts))
    }

    pub(crate) fn view(&self, hosts: usize) -> View {
        let usual = if hosts > COMB_FROM { View::Comb } else { View::Tiles };
        View::ALL.into_iter().find(|view| view.word() == self.view).unwrap_or(usual)
    }

    /// As a view understands it: a honeycomb is by name, so that a cell stays where it is, and only where hosts stand in
    /// groups are there some.
    pub(crate) fn as_seen(&self, view: View) -> Self {
        let mut seen = self.clone();
        if view == View::Comb {
            NAME.clone_into(&mut seen.sort);
        }
        if !view.has_groups() {
            seen.group.clear();
        }
        seen
    }

    /// What is sorted by, and whether the other way round.
    pub(crate) fn order(&self) -> (&str, bool) {
        match self.sort.strip_prefix('-') {
            Some(column) => (column, true),
            None if self.sort.is_empty() => (WORST, false),
            None => (&self.sort, false),
        }
    }

    /// The address' word for sorting by a column: the other way round when it is the one already.
    pub(crate) fn sorted_by(&self, column: &str) -> Self {
        let (own, reversed) = self.order();
        let sort = match (own == column, reversed, column) {
            (false, _, WORST) | (true, true, WORST) => String::new(),
            (false, ..) | (true, true, _) => column.to_owned(),
            (true, false, _) => format!("-{column}"),
        };
        Self { sort, ..self.clone() }
    }
}

/// A board of now that is in the order of before: what its hosts are sorted by is as it was, until it is sorted again.
pub(crate) fn put_off(shown: &[HostRow], mut board: HostBoard) -> HostBoard {
    for row in &mut board.hosts {
        if let Some(before) = shown.iter().find(|it| it.name == row.name) {
            *row = before.clone();
        }
    }
    board
}

/// Whether a series of an interface is counted once: neither the loopback nor one that rides on others.
pub(crate) fn is_carried(series: &str) -> bool {
    let name = series.parse::<SeriesName>();
    name.is_ok_and(|name| name.tag("kind").is_none() && name.tag("iface") != Some("lo"))
}

/// The hosts of a metric by its values, the worst first; those that say nothing any more come last.
pub(crate) fn worst_first(known: Vec<(String, f64, bool)>, is_low_bad: bool) -> Vec<String> {
    let order = sorted(known, |(_, a, a_live), (_, b, b_live)| {
        b_live.cmp(a_live).then_with(|| if is_low_bad { a.total_cmp(b) } else { b.total_cmp(a) })
    });
    order.into_iter().map(|(name, ..)| name).collect()
}

/// How bad a host is: the worst of its incidents and its rules.
pub(crate) fn severity(row: &HostRow) -> Option<Severity> {
    match (row.severity, row.worst) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

fn shows(ask: &Ask, needle: &str, row: &HostRow) -> bool {
    let is_meant = match ask.only.as_str() {
        "trouble" => severity(row).is_some() || row.state == HostState::Silent,
        "silent" => row.state != HostState::Live,
        _ => true,
    };
    let names = || {
        let groups = row.groups.iter().map(|it| it.as_str().to_owned());
        let own =
            [Some(row.name.clone()), row.ip.map(|ip| ip.to_string()), row.cluster.clone(), row.hypervisor.clone()];
        own.into_iter().flatten().chain(groups).map(browser::lower).collect::<Vec<_>>()
    };
    is_meant && (needle.is_empty() || names().iter().any(|name| name.contains(needle)))
}

fn compare(column: &str, one: &HostRow, other: &HostRow) -> Ordering {
    let by_name = || natural(&one.name, &other.name);
    let worst = |row: &HostRow| (severity(row).map_or(u8::MAX, Severity::rank), row.state == HostState::Live);
    match column {
        NAME => by_name(),
        WORST => worst(one)
            .cmp(&worst(other))
            .then_with(|| highest_first(one.vitals.cpu_busy, other.vitals.cpu_busy))
            .then_with(by_name),
        column => highest_first(vital(&one.vitals, column), vital(&other.vitals, column)).then_with(by_name),
    }
}

/// What is not known comes last.
fn highest_first(one: Option<f32>, other: Option<f32>) -> Ordering {
    match (one, other) {
        (Some(one), Some(other)) => other.total_cmp(&one),
        (one, other) => other.is_some().cmp(&one.is_some()),
    }
}

/// `web-2` before `web-10`.
pub(crate) fn natural(one: &str, other: &str) -> Ordering {
    let parts = |text: &str| -> Vec<(String, u64)> {
        let mut parts = vec![(String::new(), 0_u64)];
        for sign in text.chars() {
            match sign.to_digit(10) {
                Some(digit) => {
                    if let Some((_, number)) = parts.last_mut() {
                        *number = number.saturating_mul(10).saturating_add(u64::from(digit) + 1);
                    }
                }
                None => match parts.last_mut() {
                    Some((word, 0)) => word.push(sign),
                    _ => parts.push((sign.to_string(), 0)),
                },
            }
        }
        parts
    };
    parts(one).cmp(&parts(other)).then_with(|| one.cmp(other))
}

/// The hosts that are shown, in order: their places on the board.
pub(crate) fn shown(ask: &Ask, hosts: &[HostRow]) -> Vec<usize> {
    let needle = browser::lower(ask.text.trim().to_owned());
    let places: Vec<usize> = (0..hosts.len()).filter(|n| shows(ask, &needle, &hosts[*n])).collect();
    let (column, reversed) = ask.order();
    sorted(places, |one, other| {
        let order = compare(column, &hosts[*one], &hosts[*other]);
        if reversed { order.reverse() } else { order }
    })
}

/// Hosts that stand together, under a name; without a grouping all of them without one. Those that belong nowhere come
/// last, under an empty name.
pub(crate) fn grouped(ask: &Ask, board: &HostBoard, places: Vec<usize>) -> Vec<(String, Vec<usize>)> {
    if ask.group.is_empty() || !GROUPINGS.contains(&ask.group.as_str()) {
        return vec![(String::new(), places)];
    }
    let titles: BTreeMap<&str, &str> = board.groups.iter().map(|it| (it.id.as_str(), it.name.as_str())).collect();
    let mut groups: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for place in places {
        let row = &board.hosts[place];
        let names: Vec<String> = match ask.group.as_str() {
            "group" => row
                .groups
                .iter()
                .map(|id| titles.get(id.as_str()).filter(|title| !title.is_empty()).unwrap_or(&id.as_str()).to_string())
                .collect(),
            "cluster" => row.cluster.iter().cloned().collect(),
            _ => row.hypervisor.iter().cloned().collect(),
        };
        let names = if names.is_empty() { vec![String::new()] } else { names };
        for name in names {
            groups.entry(name).or_default().push(place);
        }
    }
    let nowhere = groups.remove("");
    groups.into_iter().chain(nowhere.map(|places| (String::new(), places))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::sample::{bad, host};
    use proptest::prelude::*;
    use shared::Timestamp;

    fn board() -> HostBoard {
        let mut hosts = vec![host("web-10", 30.0), host("web-2", 90.0), bad("db-1", Severity::P2), host("db-2", 5.0)];
        hosts[3].state = HostState::Silent;
        hosts[0].worst = Some(Severity::P0);
        hosts[0].groups = vec!["web".into(), "all".into()];
        hosts[1].groups = vec!["web".into()];
        let group = shared::api::HostGroupRow { id: "web".into(), name: "Web servers".into(), hosts: 2 };
        HostBoard { now: Timestamp::from_ms(0), hosts, groups: vec![group] }
    }

    fn names(ask: &Ask) -> Vec<String> {
        let board = board();
        shown(ask, &board.hosts).into_iter().map(|n| board.hosts[n].name.clone()).collect()
    }

    #[test]
    fn what_is_wrong_comes_first_and_any_column_sorts() {
        assert_eq!(names(&Ask::default()), ["web-10", "db-1", "db-2", "web-2"]);
        assert_eq!(names(&Ask { sort: "name".into(), ..Ask::default() }), ["db-1", "db-2", "web-2", "web-10"]);
        assert_eq!(names(&Ask { sort: "cpu".into(), ..Ask::default() })[0], "web-2");
        assert_eq!(names(&Ask { sort: "-cpu".into(), ..Ask::default() })[0], "db-2");
        let ask = Ask::default();
        assert_eq!(ask.sorted_by("cpu").sort, "cpu");
        assert_eq!(ask.sorted_by("cpu").sorted_by("cpu").sort, "-cpu");
        assert_eq!(ask.sorted_by("cpu").sorted_by("cpu").sorted_by("cpu").sort, "cpu");
        assert_eq!(ask.sorted_by(WORST).sort, "-worst");
    }

    #[test]
    fn a_honeycomb_is_by_name_and_only_some_views_have_groups() {
        let ask = Ask { sort: "-cpu".into(), group: "group".into(), ..Ask::default() };
        assert_eq!(names(&ask.as_seen(View::Comb)), ["db-1", "db-2", "web-2", "web-10"]);
        assert_eq!(ask.as_seen(View::Table), Ask { group: String::new(), ..ask.clone() });
        assert_eq!(ask.as_seen(View::Tiles), ask);
    }

    #[test]
    fn an_order_is_held_while_somebody_points_at_it() {
        let before = vec![host("a", 90.0), host("b", 10.0)];
        let now = HostBoard { hosts: vec![host("a", 1.0), host("b", 99.0), host("c", 50.0)], ..board() };
        let held = put_off(&before, now);
        let order = shown(&Ask { sort: "cpu".into(), ..Ask::default() }, &held.hosts);
        assert_eq!(order, [0, 2, 1], "a is before b as it was");
    }

    #[test]
    fn of_small_charts_those_without_news_are_last() {
        let known = vec![("old".to_owned(), 99.0, false), ("a".to_owned(), 5.0, true), ("b".to_owned(), 7.0, true)];
        assert_eq!(worst_first(known.clone(), false), ["b", "a", "old"]);
        assert_eq!(worst_first(known, true), ["a", "b", "old"]);
    }

    #[test]
    fn what_rides_on_others_is_not_counted_twice() {
        let counted = ["eth0", "lo", "bond0,kind=bond", "lo,kind=vlan"]
            .map(|it| is_carried(&format!("net.if.in.bits/iface={it}")));
        assert_eq!(counted, [true, false, false, false]);
    }

    #[test]
    fn the_filter_and_the_search_narrow_it() {
        assert_eq!(names(&Ask { only: "trouble".into(), ..Ask::default() }), ["web-10", "db-1", "db-2"]);
        assert_eq!(names(&Ask { only: "silent".into(), ..Ask::default() }), ["db-2"]);
        assert_eq!(names(&Ask { text: " WEB ".into(), ..Ask::default() }), ["web-10", "web-2"]);
        assert_eq!(names(&Ask { text: "10.0.0.7".into(), ..Ask::default() }).len(), 4);
    }

    #[test]
    fn groups_have_titles_and_a_host_may_be_in_several() {
        let (ask, board) = (Ask { group: "group".into(), ..Ask::default() }, board());
        let groups = grouped(&ask, &board, shown(&ask, &board.hosts));
        let sizes: Vec<(&str, usize)> = groups.iter().map(|(name, places)| (name.as_str(), places.len())).collect();
        assert_eq!(sizes, [("Web servers", 2), ("all", 1), ("", 2)]);
    }

    #[test]
    fn the_address_holds_all_of_it() {
        let ask = Ask {
            view: "table".into(),
            sort: "-mem".into(),
            group: "cluster".into(),
            text: "db 1".into(),
            ..Ask::default()
        };
        assert_eq!(ask.address(), "/hosts?view=table&sort=-mem&group=cluster&q=db%201");
        assert_eq!(
            (ask.view(10), Ask::default().view(10), Ask::default().view(301)),
            (View::Table, View::Tiles, View::Comb)
        );
    }

    proptest! {
        #[test]
        fn any_sort_is_an_order(sort in "-?(worst|name|cpu|load|x)", cpus in proptest::collection::vec(any::<f32>(), 0..30)) {
            let hosts: Vec<HostRow> = cpus.iter().enumerate().map(|(n, cpu)| host(&format!("h{n}"), *cpu)).collect();
            let mut places = shown(&Ask { sort, ..Ask::default() }, &hosts);
            places.sort_unstable();
            prop_assert_eq!(places, (0..hosts.len()).collect::<Vec<_>>());
        }
    }
}
