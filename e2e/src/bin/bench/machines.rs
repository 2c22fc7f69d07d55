//! Row 14 of goals.md: finding a machine by its hardware address among a million interfaces, in the index and over HTTP.

use crate::{
    controls,
    table::{self, Row, Stands},
};
use anyhow::{Result, ensure};
use e2e::{load::closed_loop, tocsin::Tocsin, wait};
use engine::placement::Index;
use serde_json::Value;
use shared::{
    SourceId, Timestamp,
    api::Role,
    inventory::{Hypervisor, Nic, Observation, Vm},
    net::{Mac, What},
};
use std::{collections::HashMap, fmt::Write as _, fs, hint::black_box, time::Duration};

const NOW: Timestamp = Timestamp::from_ms(1_795_392_000_000);
const NICS: u64 = 1_000_000;
/// VMs of a hypervisor.
const TENANTS: u64 = 100;
const LOOKUPS: u64 = 200_000;
const REQUESTS: u64 = 5_000;
const FIRST: u64 = 0x5254_0000_0000;

fn mac(n: u64) -> Mac {
    Mac::of_number(FIRST + n)
}

/// In no order, and each once: the factor shares nothing with a million.
const fn scattered(n: u64) -> u64 {
    n * 618_033 % NICS
}

pub(crate) fn machines() -> Result<()> {
    let (index, hash, sorted) = (index_us()?, hash_us(), sorted_us());
    println!("in the index {index:.2} us; a hash map {hash:.2} us; a sorted array {sorted:.2} us");
    let (p50, p99, empty_mb, full_mb) = over_http()?;
    table::print(&[
        Row {
            number: "14",
            metric: "a MAC among 1 M interfaces: whole way, in the index",
            measured: format!("{index:.2} us"),
            against: format!("{:.0} x hash map; {:.0} x sorted array", index / hash, index / sorted),
            must: "-".to_owned(),
            moonshot: "1 us".to_owned(),
            stands: Stands::hoped(index, 1.0),
        },
        Row {
            number: "14",
            metric: "the same over HTTP, p50",
            measured: format!("{p50:.2} ms, p99 {p99:.2} ms"),
            against: String::new(),
            must: "5 ms".to_owned(),
            moonshot: "0.2 ms".to_owned(),
            stands: Stands::falling(p50, 5.0, 0.2),
        },
        Row {
            number: "14",
            metric: "resident memory of the server with all of them",
            measured: format!("{full_mb:.0} MB; {empty_mb:.0} MB without"),
            against: format!("{:.0} bytes an interface", (full_mb - empty_mb) * 1e6 / NICS as f64),
            must: "-".to_owned(),
            moonshot: "64 MB".to_owned(),
            stands: Stands::hoped(full_mb - empty_mb, 64.0),
        },
    ]);
    Ok(())
}

/// Microseconds of one of the scattered calls.
fn each_us(mut call: impl FnMut(u64)) -> f64 {
    let begun = wait::instant();
    (0..LOOKUPS).for_each(|n| call(scattered(n)));
    begun.elapsed().as_secs_f64() * 1e6 / LOOKUPS as f64
}

fn index_us() -> Result<f64> {
    let hypervisors = (0..NICS / TENANTS).map(|n| Hypervisor {
        key: format!("host-{n}"),
        name: format!("kvm-{n}"),
        ..Hypervisor::default()
    });
    let vm = |n: u64| Vm {
        key: format!("vm-{n}"),
        name: format!("web{n}"),
        hypervisor: Some(format!("host-{}", n / TENANTS)),
        nics: vec![Nic { mac: Some(mac(n)), label: "net0".to_owned(), ..Nic::default() }],
        ..Vm::default()
    };
    let whole = Observation {
        whole: true,
        hypervisors: hypervisors.collect(),
        vms: (0..NICS).map(vm).collect(),
        ..Observation::default()
    };
    let mut index = Index::default();
    index.observe(&SourceId::from("bench"), whole, NOW);
    let found = index.find(&What::Mac(mac(7)), NOW, 10).placements;
    ensure!(found.len() == 1 && found[0].hypervisor.is_some(), "{found:?}");
    Ok(each_us(|n| drop(black_box(index.find(&What::Mac(mac(n)), NOW, 10)))))
}

fn hash_us() -> f64 {
    let map: HashMap<Mac, u64> = (0..NICS).map(|n| (mac(n), n)).collect();
    each_us(|n| drop(black_box(map.get(&mac(n)))))
}

fn sorted_us() -> f64 {
    let all: Vec<Mac> = (0..NICS).map(mac).collect();
    each_us(|n| drop(black_box(all.binary_search(&mac(n)))))
}

/// Milliseconds in the middle and of the slowest hundredth, and what the server takes without and with the machines.
fn over_http() -> Result<(f64, f64, f64, f64)> {
    let mut server = Tocsin::fresh()?;
    let list = server.folder().join("machines.csv");
    let mut rows = "name,mac,hypervisor\n".to_owned();
    for n in 0..NICS {
        writeln!(rows, "web{n},{},kvm-{}", mac(n), n / TENANTS)?;
    }
    fs::write(&list, rows)?;
    server.start_with(&["--log", "warn"])?;
    let empty = controls::rested_mb(server.pid())?;
    let address = list.display();
    let source = format!("[[sources]]\nid = \"list\"\nkind = \"file\"\naddress = \"{address}\"\nevery = \"1d\"\n");
    let begun = wait::instant();
    server.apply(&source)?;
    let token = server.api_token(Role::Viewer)?;
    let viewer = server.anybody().bearer(&token);
    wait::attempt("a million interfaces to be read", Duration::from_secs(300), || {
        let sources: Value = viewer.read("/api/v1/sources")?;
        Ok((sources["items"][0]["nics"].as_u64() == Some(NICS)).then_some(()))
    })?;
    println!("a list of {NICS} interfaces was read after {:.1} s", begun.elapsed().as_secs_f64());
    let ask = |n: u64| {
        let mac = mac(scattered(n));
        format!("GET /api/v1/vms?q={mac} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {token}\r\n\r\n").into_bytes()
    };
    let found = closed_loop(server.address(), 1, REQUESTS, ask)?;
    ensure!(found.refused == 0, "{} lookups were refused", found.refused);
    Ok((found.within_ms(500), found.within_ms(990), empty, controls::rested_mb(server.pid())?))
}
