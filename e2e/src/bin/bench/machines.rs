//! Row 14 of goals.md: finding a machine by its hardware address among a million interfaces, over HTTP, and what the server
//! takes to hold them. The index alone is measured by `cargo bench -p engine --bench machines`.

use crate::{
    controls,
    table::{self, Row, Stands},
};
use anyhow::{Result, ensure};
use e2e::{load::closed_loop, tocsin::Tocsin, wait};
use serde_json::Value;
use shared::{api::Role, net::Mac};
use std::{fmt::Write as _, fs, time::Duration};

const NICS: u64 = 1_000_000;
/// VMs of a hypervisor.
const TENANTS: u64 = 100;
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
    let (p50, p99, empty_mb, full_mb) = over_http()?;
    table::print(&[
        Row {
            number: "14",
            metric: "a MAC among 1 M interfaces, over HTTP, p50",
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
