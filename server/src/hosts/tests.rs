//! What was measured is given back: from memory, from the store, after a restart, whatever the order it came in.

use super::*;
use crate::db::{DatabaseUrl, Store};
use memory::SLOT_MS;
use proptest::prelude::*;
use shared::{
    api::{SeriesAnswer, SeriesQuery},
    host::HostState,
    live::{LiveMessage, LookAt},
};
use tempfile::TempDir;

/// The beginning of a slot, an hour, and half a day.
const BEGIN: i64 = 1_800_000_000_000 - 1_800_000_000_000 % (12 * 3_600_000);

fn at(ms: i64) -> Timestamp {
    Timestamp::from_ms(BEGIN + ms)
}

fn batch(feed: Feed, series: &[&str], samples: &[(i64, &[f64])]) -> Batch {
    let sample =
        |(ms, values): &(i64, &[f64])| Sample { at: at(*ms), values: values.iter().copied().map(Some).collect() };
    Batch {
        host: "web-01".to_owned(),
        feed,
        every_ms: 10_000,
        facts: None,
        series: series.iter().map(|it| (*it).to_owned()).collect(),
        samples: samples.iter().map(sample).collect(),
        tables: None,
        clock_ahead_ms: None,
        lost: 0,
    }
}

fn store() -> (TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(&DatabaseUrl::Sqlite(folder.path().join("t.db"))).unwrap();
    store.migrate().unwrap();
    (folder, store)
}

fn ask(hosts: &Hosts, store: &mut Store, series: &str, span: (i64, i64), points: u32, now: i64) -> SeriesAnswer {
    let (from, until) = (at(span.0), at(span.1));
    let query = SeriesQuery { hosts: Vec::new(), series: vec![series.to_owned()], from, until, points };
    hosts.series(&query, store, at(now)).unwrap()
}

fn recent(hosts: &Hosts, series: &str, since: i64) -> Vec<Points> {
    hosts.recent("web-01", &SeriesName::plain(series), 1, &|_| at(since).ms())
}

fn values(points: &[Points]) -> Vec<Vec<f32>> {
    points.iter().map(|it| it.points.iter().map(|(_, value)| *value).collect()).collect()
}

#[test]
fn what_came_is_there_at_once_and_what_comes_again_is_passed_over() {
    let hosts = Hosts::default();
    let one =
        batch(Feed::Agent, &["cpu.idle", "disk.io.util/device=sda"], &[(0, &[90.0, 1.0]), (10_000, &[91.0, 2.0])]);
    let taken = hosts.take(one.clone(), at(10_500)).unwrap();
    assert_eq!((taken.every_ms, taken.passed_over, taken.facts, taken.again), (10_000, 0, true, false));
    assert_eq!(taken.stored_until, Some(at(-1)));
    assert_eq!(hosts.touched(), ["web-01"]);
    assert!(hosts.touched().is_empty());
    assert_eq!(hosts.take(one, at(10_600)).unwrap().passed_over, 4);
    let found = recent(&hosts, "disk.io.util", 0);
    assert_eq!(values(&found), [[1.0, 2.0]]);
    assert_eq!(values(&recent(&hosts, "agent.alive", 5_000)), [[1.0]]);
    let known = hosts.known();
    assert_eq!((known[0].heard_at, known[0].every_ms), (at(10_500), 10_000));
    // From before: it counts, and the newest stays the newest.
    hosts.take(batch(Feed::Agent, &["cpu.idle"], &[(5_000, &[50.0])]), at(11_000)).unwrap();
    assert_eq!(values(&recent(&hosts, "cpu.idle", 0)), [[90.0, 50.0, 91.0]]);
    assert_eq!(hosts.known()[0].heard_at, at(10_500));
}

#[test]
fn a_series_is_of_who_measured_it_first_until_that_one_is_silent() {
    let hosts = Hosts::default();
    hosts.take(batch(Feed::Agent, &["cpu.idle"], &[(0, &[90.0])]), at(0)).unwrap();
    let other = |ms| batch(Feed::Falcon, &["cpu.idle", "nginx.alive"], &[(ms, &[10.0, 1.0])]);
    assert_eq!(hosts.take(other(20_000), at(30_000)).unwrap().passed_over, 1);
    assert_eq!(hosts.take(other(30_001), at(30_001)).unwrap().passed_over, 0);
    assert_eq!(values(&recent(&hosts, "cpu.idle", 0)), [[90.0, 10.0]]);
    let back = hosts.take(batch(Feed::Agent, &["cpu.idle"], &[(40_000, &[90.0])]), at(40_000)).unwrap();
    assert_eq!(back.passed_over, 1, "it is the other's now");
}

#[test]
fn what_cannot_be_is_refused_with_its_reason_and_nothing_of_it_is_kept() {
    let hosts = Hosts::default();
    let refused = |batch: Batch| hosts.take(batch, at(0)).unwrap_err().to_string();
    let good = batch(Feed::Agent, &["cpu.idle"], &[(0, &[1.0])]);
    for name in ["", " a", "a\n", &"x".repeat(256)] {
        assert!(
            refused(Batch { host: name.to_owned(), ..good.clone() }).contains("is not the name of a host"),
            "{name}"
        );
    }
    assert!(refused(Batch { series: vec!["cpu idle".into()], ..good.clone() }).contains("cpu idle"));
    assert!(refused(Batch { series: vec![], ..good.clone() }).contains("1 values, and 0 series"));
    let samples = (0..361).map(|ms| Sample { at: at(ms), values: vec![] }).collect();
    assert!(refused(Batch { series: vec![], samples, ..good.clone() }).contains("361 samples"));
    let known = hosts.known();
    assert!(known.iter().all(|it| it.name == "web-01"), "{known:?}");
    let many = |from: usize, n: usize| Batch {
        series: (from..from + n).map(|n| format!("m{n}")).collect(),
        samples: vec![Sample { at: at(0), values: vec![Some(1.0); n] }],
        ..good.clone()
    };
    hosts.take(many(0, 1_997), at(0)).unwrap();
    assert_eq!(hosts.take(many(5_000, 3), at(0)).unwrap().passed_over, 2, "there is room for one");
    assert!(refused(many(0, 2_001)).contains("2001 series of this host; 2000 are taken"));
    // What nobody measures any more makes room, but not before it is stored; one of ours never had a value.
    assert_eq!(hosts.take(many(6_000, 3), at(2 * 3_600_000)).unwrap().passed_over, 2);
    let (_folder, mut store) = store();
    let later = SLOT_MS + 2 * 3_600_000;
    hosts.store_host("web-01", &mut store, at(later), false).unwrap();
    hosts
        .take(
            Batch { samples: vec![Sample { at: at(later), values: vec![Some(1.0); 3] }], ..many(5_000, 3) },
            at(later),
        )
        .map(|taken| assert_eq!(taken.passed_over, 0))
        .unwrap();
    // Too far ahead, too old, and no number.
    let odd = batch(
        Feed::Agent,
        &["cpu.idle"],
        &[(later + 61_000, &[1.0]), (later - 15 * 86_400_000, &[1.0]), (later, &[f64::NAN])],
    );
    assert_eq!(hosts.take(odd, at(later)).unwrap().passed_over, 3);
}

#[test]
fn a_gap_stays_a_gap_and_the_least_and_the_greatest_are_kept() {
    let (_folder, mut store) = store();
    let hosts = Hosts::default();
    let samples: Vec<(i64, [f64; 1])> = (0..360)
        .filter(|n| !(100..120).contains(n))
        .map(|n| (n * 10_000, [if n == 50 { 100.0 } else { 1.0 }]))
        .collect();
    for (ms, value) in &samples {
        hosts.take(batch(Feed::Agent, &["load.1min"], &[(*ms + 37, value)]), at(*ms + 100)).unwrap();
    }
    let answer = ask(&hosts, &mut store, "load.1min", (0, 3_600_000), 1_000, 3_600_000);
    let line = &answer.lines[0];
    assert_eq!((answer.step_ms, answer.points, line.mean.len()), (10_000, 360, 360));
    assert!(line.least.is_empty(), "each is one sample");
    let gaps: Vec<usize> = line.mean.iter().enumerate().filter(|(_, it)| it.is_none()).map(|(n, _)| n).collect();
    assert_eq!(gaps, (100..120).collect::<Vec<_>>());
    let coarse = ask(&hosts, &mut store, "load.1min", (0, 3_600_000), 36, 3_600_000);
    let line = &coarse.lines[0];
    assert_eq!((coarse.step_ms, line.greatest[4], line.least[4]), (120_000, Some(100.0), Some(1.0)));
    assert_eq!(line.mean[4], Some(9.25));
    assert_eq!((line.mean[8], line.mean[9], line.mean[10]), (Some(1.0), None, Some(1.0)));
    // Finer than it was measured: nothing is missing between two samples, and nothing is made up in the gap.
    hosts
        .take(Batch { every_ms: 1_000, ..batch(Feed::Agent, &["load.1min"], &[(3_600_100, &[1.0])]) }, at(3_600_100))
        .unwrap();
    let fine = ask(&hosts, &mut store, "load.1min", (900_000, 1_300_000), 400, 3_600_200);
    let gaps = fine.lines[0].mean.iter().filter(|it| it.is_none()).count();
    assert_eq!((fine.step_ms, gaps), (1_000, 209), "between 990.037 s and 1200.037 s");
}

#[test]
fn questions_that_ask_for_too_much_say_so() {
    let (_folder, mut judged) = store();
    let (_folder, mut store) = store();
    let hosts = Hosts::default();
    let mut refused = |query: SeriesQuery| hosts.series(&query, &mut store, at(0)).unwrap_err().to_string();
    let good = SeriesQuery { hosts: vec![], series: vec!["cpu.idle".into()], from: at(0), until: at(1), points: 10 };
    assert!(refused(SeriesQuery { series: vec![], ..good.clone() }).contains("at least one series"));
    assert!(refused(SeriesQuery { until: at(0), ..good.clone() }).contains("after it begins"));
    assert!(refused(SeriesQuery { from: at(-401 * 86_400_000), ..good.clone() }).contains("400 days"));
    for (from, until) in [(i64::MIN, i64::MIN + 100), (i64::MAX - 100, i64::MAX), (-5, 100)] {
        let (from, until) = (Timestamp::from_ms(from), Timestamp::from_ms(until));
        assert!(refused(SeriesQuery { from, until, ..good.clone() }).contains("no time"), "{from:?}");
        let past = hosts.past("web-01", &SeriesName::plain("cpu.idle"), from, until, &mut judged, at(0));
        assert!(past.unwrap_err().to_string().contains("no time"), "{from:?}");
    }
    assert!(refused(SeriesQuery { points: 2_001, ..good.clone() }).contains("2000 points"));
    assert!(refused(SeriesQuery { series: vec!["cpu idle".into()], ..good }).contains("control characters"));
}

/// Samples of two series, in an order of their own, with the moments at which the server stores and restarts.
#[derive(Clone, Debug)]
enum Step {
    /// Samples with these instants, in seconds before now.
    Take(Vec<i64>),
    Store,
    StoreAll,
    Restart,
    Later(i64),
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => prop::collection::vec(0_i64..5_400, 1..20).prop_map(Step::Take),
        2 => Just(Step::Store),
        1 => Just(Step::StoreAll),
        1 => Just(Step::Restart),
        3 => (1_i64..1_200).prop_map(Step::Later),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    #[test]
    fn whatever_the_order_and_the_restarts_every_level_says_what_was_measured(
        steps in prop::collection::vec(any_step(), 1..24)
    ) {
        let (_folder, mut store) = store();
        let mut hosts = Hosts::default();
        let mut now = 7_200_000_i64;
        let (mut measured, mut unsafe_ones): (BTreeMap<i64, f32>, BTreeMap<i64, f32>) = Default::default();
        for step in steps {
            match step {
                Step::Take(ages) => {
                    for age in ages {
                        let ms = now - age * 1_000;
                        // The value follows from the instant: what comes again says the same.
                        let value = ((ms / 1_000) % 977) as f32 / 8.0;
                        hosts.take(batch(Feed::Agent, &["load.1min"], &[(ms, &[f64::from(value)])]), at(now)).unwrap();
                        unsafe_ones.insert(ms, value);
                    }
                }
                Step::Store => {
                    while hosts.store_host("web-01", &mut store, at(now), false).unwrap() {}
                }
                Step::StoreAll => {
                    hosts.store_all(&mut store, at(now), || false).unwrap();
                    measured.append(&mut unsafe_ones);
                }
                Step::Restart => {
                    hosts.store_all(&mut store, at(now), || false).unwrap();
                    measured.append(&mut unsafe_ones);
                    hosts = Hosts::default();
                    hosts.restore(&mut store, at(now)).unwrap();
                }
                Step::Later(seconds) => now += seconds * 1_000,
            }
        }
        measured.append(&mut unsafe_ones);
        for (points, step_ms) in [(2_000, 0), (150, 60_000), (20, 600_000)] {
            let span = 10_800_000;
            let begin = now - span;
            let answer = ask(&hosts, &mut store, "load.1min", (begin, now + 1), points, now);
            prop_assert!(answer.step_ms >= step_ms, "{}", answer.step_ms);
            let from = answer.from.ms() - BEGIN;
            let mut naive: BTreeMap<i64, Vec<f32>> = BTreeMap::new();
            for (ms, value) in measured.range(from..=now) {
                naive.entry((ms - from).div_euclid(answer.step_ms)).or_default().push(*value);
            }
            let Some(line) = answer.lines.first() else {
                prop_assert!(naive.is_empty(), "{naive:?}");
                continue;
            };
            let least = if line.least.is_empty() { &line.mean } else { &line.least };
            let greatest = if line.greatest.is_empty() { &line.mean } else { &line.greatest };
            for (n, values) in naive {
                let n = usize::try_from(n).unwrap();
                let mean = values.iter().map(|it| f64::from(*it)).sum::<f64>() / values.len() as f64;
                prop_assert_eq!(least[n], values.iter().copied().reduce(f32::min), "least {} of {}", n, step_ms);
                prop_assert_eq!(greatest[n], values.iter().copied().reduce(f32::max), "greatest {} of {}", n, step_ms);
                prop_assert!((f64::from(line.mean[n].unwrap()) - mean).abs() < 0.01, "{:?} {mean}", line.mean[n]);
            }
        }
    }
}

#[test]
fn a_server_that_was_killed_says_what_to_send_again_until_it_is_sent() {
    let (_folder, mut store) = store();
    let hosts = Hosts::default();
    let sample = |ms: i64| batch(Feed::Agent, &["load.1min"], &[(ms, &[1.0])]);
    for n in 0..90 {
        hosts.take(sample(n * 10_000), at(n * 10_000)).unwrap();
    }
    hosts.store_host("web-01", &mut store, at(900_000), false).unwrap();
    let taken = hosts.take(sample(900_000), at(900_000)).unwrap();
    assert_eq!((taken.stored_until, taken.again), (Some(at(599_999)), false));
    drop(hosts);
    let hosts = Hosts::default();
    hosts.restore(&mut store, at(950_000)).unwrap();
    let taken = hosts.take(sample(950_000), at(950_000)).unwrap();
    assert_eq!((taken.stored_until, taken.again), (Some(at(599_999)), true));
    for n in 60..=90 {
        hosts.take(sample(n * 10_000), at(951_000)).unwrap();
    }
    let taken = hosts.take(sample(960_000), at(960_000)).unwrap();
    assert!(!taken.again);
    let answer = ask(&hosts, &mut store, "load.1min", (0, 900_000), 90, 960_000);
    assert!(answer.lines[0].mean.iter().all(|it| *it == Some(1.0)), "{answer:?}");
}

#[test]
fn what_a_new_host_said_before_a_kill_is_asked_for_again() {
    let (_folder, mut store) = store();
    let hosts = Hosts::default();
    let sample = |ms: i64| batch(Feed::Agent, &["load.1min"], &[(ms, &[1.0])]);
    hosts.take(sample(0), at(0)).unwrap();
    assert_eq!(hosts.due(at(1)), ["web-01"], "who measures it is stored at once");
    hosts.store_host("web-01", &mut store, at(1), false).unwrap();
    assert!(hosts.due(at(2)).is_empty());
    hosts.take(sample(10_000), at(10_000)).unwrap();
    let hosts = Hosts::default();
    hosts.restore(&mut store, at(20_000)).unwrap();
    let taken = hosts.take(sample(20_000), at(20_000)).unwrap();
    assert_eq!((taken.stored_until, taken.again), (Some(at(-1)), true));
}

#[test]
fn rules_look_back_over_a_restart() {
    let (_folder, mut store) = store();
    let hosts = Hosts::default();
    let sample = |ms: i64| batch(Feed::Agent, &["load.1min"], &[(ms, &[(ms / 10_000) as f64])]);
    for n in 0..100 {
        hosts.take(sample(n * 10_000), at(n * 10_000)).unwrap();
    }
    hosts.store_all(&mut store, at(1_000_000), || false).unwrap();
    let hosts = Hosts::default();
    hosts.restore(&mut store, at(1_000_000)).unwrap();
    hosts.take(sample(1_000_000), at(1_000_000)).unwrap();
    assert_eq!(hosts.due(at(1_000_001)), ["web-01"]);
    hosts.store_host("web-01", &mut store, at(1_000_001), false).unwrap();
    let found = recent(&hosts, "load.1min", 0);
    assert_eq!(values(&found), [(0..=100).map(|n| n as f32).collect::<Vec<_>>()]);
    // And what is shown has each point once.
    let answer = ask(&hosts, &mut store, "load.1min", (0, 1_010_000), 101, 1_010_000);
    assert_eq!(answer.lines[0].mean, (0..=100).map(|n| Some(n as f32)).collect::<Vec<_>>());
}

#[test]
fn a_store_that_is_away_for_long_costs_bounded_memory_and_what_is_given_up_is_asked_for_once_it_is_back() {
    let (_folder, mut store) = store();
    let hosts = Hosts::default();
    let sample = |ms: i64| batch(Feed::Agent, &["load.1min"], &[(ms, &[1.0])]);
    for n in 0..360 {
        hosts.take(sample(n * 10_000), at(n * 10_000)).unwrap();
    }
    let before = hosts.load().unsaved_values;
    hosts.shed(before / 2);
    assert!(hosts.load().unsaved_values <= before / 2);
    let taken = hosts.take(sample(3_600_000), at(3_600_000)).unwrap();
    assert_eq!((taken.stored_until, taken.again), (Some(at(-1)), false), "it would be given up again");
    hosts.store_host("web-01", &mut store, at(3_600_000), false).unwrap();
    let taken = hosts.take(sample(3_610_000), at(3_610_000)).unwrap();
    assert_eq!((taken.stored_until, taken.again), (Some(at(-1)), true));
}

#[tokio::test]
async fn who_looks_at_a_host_gets_each_sample_of_the_series_on_screen_and_nothing_after() {
    let hosts: Arc<Hosts> = Arc::default();
    let now = crate::clock::now();
    let sample = |ms: i64, value: f64| Batch {
        samples: vec![Sample { at: now.plus_ms(ms), values: vec![Some(value), Some(1.0)] }],
        ..batch(Feed::Agent, &["cpu.busy", "load.1min"], &[])
    };
    hosts.take(sample(-10_000, 1.0), now).unwrap();
    let series = vec!["cpu.busy".into(), "gone".into()];
    let look = LookAt { name: "web-01".into(), series, fast: true, tables: false, turn: 7 };
    let mut looking = hosts.look(true, Some(look.clone()));
    assert_eq!((hosts.every_ms("web-01", 10_000, now), hosts.every_ms("web-02", 10_000, now)), (1_000, 10_000));
    assert_eq!(hosts.take(sample(0, 42.0), now).unwrap().every_ms, 1_000);
    // What is late is no news.
    hosts.take(sample(-5_000, 7.0), now).unwrap();
    hosts.take(sample(1, 43.0), now).unwrap();
    for expected in [42.0, 43.0] {
        let Seen::Host(message) = looking.next().await else { panic!("not of the host") };
        let LiveMessage::Host { name, values, state, turn, .. } = *message else { panic!("{message:?}") };
        assert_eq!((&*name, values, state, turn), ("web-01", vec![Some(expected), None], HostState::Live, 7));
    }
    hosts.pulse(now);
    let Seen::Board(text) = looking.next().await else { panic!("not of the board") };
    assert!(text.contains("\"cpu_busy\":43.0"), "{text}");
    // Who does not fetch them loses frames, and nobody waits.
    for n in 0..100 {
        hosts.take(sample(n + 2, 1.0), now).unwrap();
    }
    drop(looking);
    let until = now.plus_ms(60_000);
    assert_eq!(hosts.every_ms("web-01", 10_000, until), 10_000);
    let memory = hosts.host("web-01").unwrap();
    assert!(lock(&memory).watchers.is_empty());
}

#[test]
fn hosts_are_stored_before_their_turn_when_much_of_the_past_waits() {
    let (_folder, mut store) = store();
    let hosts = Hosts::default();
    // Their turn comes five minutes later.
    let new = Memory::new("web-01".to_owned(), at(0));
    let now = new.due_at - 300_000 - BEGIN;
    hosts.take(batch(Feed::Agent, &["load.1min"], &[(now, &[1.0])]), at(now)).unwrap();
    hosts.store_host("web-01", &mut store, at(now), false).unwrap();
    let past = |ms: i64| batch(Feed::Agent, &["load.1min"], &[(now - 3_000_000 + ms, &[1.0])]);
    hosts.take(past(0), at(now)).unwrap();
    assert!(hosts.due(at(now)).is_empty());
    hosts.late.store(LATE_MUCH + 1, Ordering::Relaxed);
    assert_eq!(hosts.due(at(now)), ["web-01"]);
    hosts.store_host("web-01", &mut store, at(now), false).unwrap();
    hosts.late.store(LATE_MAX + 1, Ordering::Relaxed);
    assert_eq!(hosts.take(past(10_000), at(now)), Err(HostFault::Behind));
    hosts.take(batch(Feed::Agent, &["load.1min"], &[(now + 1_000, &[1.0])]), at(now + 1_000)).unwrap();
    assert!(hosts.due(at(now)).is_empty(), "nothing of the past waits any more");
    hosts.take(past(10_000), at(now)).unwrap();
}

#[test]
fn at_the_end_what_nobody_sends_again_is_stored_first_and_one_host_holds_up_no_other() {
    let (_folder, mut store) = store();
    let hosts = Hosts::default();
    let of = |host: &str, feed| Batch { host: host.to_owned(), ..batch(feed, &["load.1min"], &[(0, &[1.0])]) };
    for (host, feed) in [("a", Feed::Agent), ("b", Feed::Falcon), ("c", Feed::Scrape), ("d", Feed::Agent)] {
        hosts.take(of(host, feed), at(0)).unwrap();
    }
    store.refuse_host("b", true);
    let turns = std::cell::Cell::new(0);
    let over = || turns.replace(turns.get() + 1) == 2;
    hosts.store_all(&mut store, at(0), over).unwrap_err();
    let waits = |host: &str| !lock(&hosts.host(host).unwrap()).open.is_empty();
    assert_eq!(["a", "b", "c", "d"].map(waits), [true, true, false, true]);
    store.refuse_host("b", false);
    hosts.store_all(&mut store, at(0), || false).unwrap();
    assert!(!["a", "b", "c", "d"].into_iter().any(waits));
}
