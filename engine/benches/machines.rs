//! Row 14 of goals.md: the whole way from a hardware address to the hypervisor among a million interfaces, in the index;
//! beside a hash map and a sorted array of the addresses alone, which only say that an address is there.

#![expect(clippy::disallowed_types, clippy::disallowed_methods, reason = "a benchmark measures time, and a hash map")]

use engine::placement::Index;
use shared::{
    SourceId, Timestamp,
    inventory::{Hypervisor, Nic, Observation, Vm},
    net::{Mac, What},
};
use std::{collections::HashMap, hint::black_box, time::Instant};

const NOW: Timestamp = Timestamp::from_ms(1_795_392_000_000);
const NICS: u64 = 1_000_000;
/// VMs of a hypervisor.
const TENANTS: u64 = 100;
const LOOKUPS: u64 = 200_000;
const FIRST: u64 = 0x5254_0000_0000;

fn main() {
    let (hash, sorted, index) = (hash_us(), sorted_us(), index_us());
    println!(
        "a MAC among {NICS}: hash map {hash:.2} us; sorted array {sorted:.2} us; whole way in the index {index:.2} us, \
         {:.0} x the hash map",
        index / hash
    );
}

fn mac(n: u64) -> Mac {
    Mac::of_number(FIRST + n)
}

/// In no order, and each once: the factor shares nothing with a million.
const fn scattered(n: u64) -> u64 {
    n * 618_033 % NICS
}

/// Microseconds of one of the scattered calls.
fn each_us(mut call: impl FnMut(u64)) -> f64 {
    let begun = Instant::now();
    (0..LOOKUPS).for_each(|n| call(scattered(n)));
    begun.elapsed().as_secs_f64() * 1e6 / LOOKUPS as f64
}

fn index_us() -> f64 {
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
    assert!(found.len() == 1 && found.iter().all(|it| it.hypervisor.is_some()), "{found:?}");
    each_us(|n| {
        black_box(index.find(&What::Mac(mac(n)), NOW, 10));
    })
}

fn hash_us() -> f64 {
    let map: HashMap<Mac, u64> = (0..NICS).map(|n| (mac(n), n)).collect();
    each_us(|n| {
        black_box(map.get(&mac(n)));
    })
}

fn sorted_us() -> f64 {
    let all: Vec<Mac> = (0..NICS).map(mac).collect();
    each_us(|n| {
        black_box(all.binary_search(&mac(n)).is_ok());
    })
}
