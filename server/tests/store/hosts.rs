//! Hosts: what was measured of them is kept in parts, comes back after a restart, and goes when it is old.

use crate::world::{DAY, HOUR, NOW, Place};
use server::{
    db::{HostPart, Store},
    hosts::{Batch, Hosts},
};
use shared::{
    Timestamp,
    api::{SeriesAnswer, SeriesQuery},
    config::{HostGroup, HostMode},
    host::{Feed, HostFacts, HostState, Sample},
};

crate::promises! {
    parts_are_kept_in_order_and_replaced_and_dropped
    what_was_measured_comes_back_after_a_restart_at_every_level
    what_is_older_than_it_is_kept_goes_and_a_forgotten_host_leaves_nothing
}

fn part(step: i64, at: Timestamp, body: &[u8]) -> HostPart {
    HostPart { step, at, feed: "agent".to_owned(), body: body.to_vec() }
}

fn parts_are_kept_in_order_and_replaced_and_dropped(place: &Place) {
    let mut store = place.store();
    let id = store.host_put("数据库-01", NOW, "{}").unwrap();
    assert_eq!(store.host_put("数据库-01", NOW.plus_ms(1), "{\"lost\":1}").unwrap(), id);
    let other = store.host_put("web-01", NOW, "{}").unwrap();
    let hosts = store.hosts().unwrap();
    let told: Vec<_> = hosts.iter().map(|it| (it.id, &*it.name, it.seen_at, &*it.doc)).collect();
    assert_eq!(told, [(other, "web-01", NOW, "{}"), (id, "数据库-01", NOW.plus_ms(1), "{\"lost\":1}")]);
    let all: Vec<HostPart> = (0..5).map(|n| part(0, NOW.plus_ms(n * 600_000), &[0, n as u8, 255])).collect();
    store.host_parts_put(id, &all).unwrap();
    store.host_parts_put(other, &all[..1]).unwrap();
    store.host_parts_put(id, &[part(60, NOW, b"minutes"), part(0, NOW, b"again")]).unwrap();
    let span = |from: i64, until: i64| NOW.plus_ms(from)..NOW.plus_ms(until);
    let found = store.host_parts(id, 0, span(0, 1_200_000)).unwrap();
    assert_eq!(found, [part(0, NOW, b"again"), all[1].clone()]);
    assert_eq!(store.host_parts(id, 60, span(0, 1)).unwrap(), [part(60, NOW, b"minutes")]);
    assert_eq!(store.host_parts_drop(id, 0, NOW.plus_ms(1_800_000), 2).unwrap(), 2);
    assert_eq!(store.host_parts_drop(id, 0, NOW.plus_ms(1_800_000), 2).unwrap(), 1);
    assert_eq!(store.host_parts_drop(id, 0, NOW.plus_ms(1_800_000), 2).unwrap(), 0);
    assert_eq!(store.host_parts(id, 0, span(0, DAY)).unwrap(), all[3..]);
    assert_eq!(store.host_parts(other, 0, span(0, DAY)).unwrap().len(), 1);
}

fn batch(host: &str, at: Timestamp, values: [f64; 2]) -> Batch {
    Batch {
        host: host.to_owned(),
        feed: Feed::Agent,
        every_ms: 10_000,
        facts: Some(HostFacts { hostname: "web-01.example.org".to_owned(), cpus: 4, ..HostFacts::default() }),
        series: vec!["cpu.busy".to_owned(), "net.if.in.bits/iface=eth0".to_owned()],
        samples: vec![Sample { at, values: values.map(Some).to_vec() }],
        tables: None,
        clock_ahead_ms: Some(3),
        lost: 7,
    }
}

fn measure(hosts: &Hosts, store: &mut Store, host: &str, hours: i64) {
    for n in 0..hours * 360 {
        let at = NOW.plus_ms(n * 10_000);
        hosts.take(batch(host, at, [(n % 100) as f64, 1e9 + n as f64]), at).unwrap();
        if n % 60 == 59 {
            hosts.store_host(host, store, at, false).unwrap();
        }
    }
}

fn ask(hosts: &Hosts, store: &mut Store, from: i64, until: i64, points: u32, now: Timestamp) -> SeriesAnswer {
    let (from, until) = (NOW.plus_ms(from), NOW.plus_ms(until));
    let query = SeriesQuery { hosts: vec!["web-01".into()], series: vec!["cpu.busy".into()], from, until, points };
    hosts.series(&query, store, now).unwrap()
}

fn what_was_measured_comes_back_after_a_restart_at_every_level(place: &Place) {
    let mut store = place.store();
    let hosts = Hosts::default();
    measure(&hosts, &mut store, "web-01", 14);
    let end = NOW.plus_ms(14 * HOUR);
    let before: Vec<SeriesAnswer> = [(2_000, HOUR), (400, 14 * HOUR), (80, 14 * HOUR)]
        .map(|(points, span)| ask(&hosts, &mut store, 14 * HOUR - span, 14 * HOUR, points, end))
        .into();
    assert_eq!(before.iter().map(|it| it.step_ms).collect::<Vec<_>>(), [10_000, 180_000, 1_200_000]);
    for answer in &before {
        let line = &answer.lines[0];
        assert!(line.mean.iter().all(Option::is_some), "{line:?}");
        let most = if line.greatest.is_empty() { &line.mean } else { &line.greatest };
        assert_eq!(most.iter().flatten().copied().fold(0.0, f32::max), 99.0);
    }
    hosts.store_all(&mut store, end, || false).unwrap();
    drop(hosts);
    let (hosts, mut other) = (Hosts::default(), place.store());
    hosts.restore(&mut other, end).unwrap();
    for (asked, answer) in [(2_000, HOUR), (400, 14 * HOUR), (80, 14 * HOUR)].into_iter().zip(before) {
        let again = ask(&hosts, &mut other, 14 * HOUR - asked.1, 14 * HOUR, asked.0, end);
        assert_eq!(again, answer);
    }
    let groups = [HostGroup { id: "web".into(), hosts: vec!["web-*".into()], ..HostGroup::default() }];
    let shown = hosts.shown(&groups, end.plus_ms(DAY)).remove(0);
    assert_eq!((shown.row.cpus, shown.row.state, shown.row.groups.len()), (4, HostState::Silent, 1));
    assert_eq!(shown.row.vitals.cpu_busy, Some(39.0), "what it said last");
    assert_eq!(shown.names, ["web-01", "web-01.example.org"]);
}

fn what_is_older_than_it_is_kept_goes_and_a_forgotten_host_leaves_nothing(place: &Place) {
    let mut store = place.store();
    let hosts = Hosts::default();
    measure(&hosts, &mut store, "web-01", 2);
    measure(&hosts, &mut store, "web-02", 1);
    let id = store.hosts().unwrap()[0].id;
    let all = NOW.plus_ms(-DAY)..NOW.plus_ms(DAY);
    let count = |store: &mut Store, step| store.host_parts(id, step, all.clone()).unwrap().len();
    assert_eq!((count(&mut store, 0), count(&mut store, 60), count(&mut store, 600)), (11, 2, 1));
    let keep = shared::Delay(HOUR);
    hosts.configure(&HostMode { keep_samples: keep, ..HostMode::default() });
    while hosts.store_host("web-01", &mut store, NOW.plus_ms(3 * HOUR), false).unwrap() {}
    assert_eq!((count(&mut store, 0), count(&mut store, 60), count(&mut store, 600)), (1, 2, 1));
    assert!(hosts.forget("web-01", &mut store).unwrap());
    assert!(!hosts.forget("web-01", &mut store).unwrap());
    assert_eq!((count(&mut store, 0), count(&mut store, 60), count(&mut store, 600)), (0, 0, 0));
    assert_eq!(store.hosts().unwrap().iter().map(|it| &*it.name).collect::<Vec<_>>(), ["web-02"]);
    assert_eq!(hosts.known().len(), 1);
}
