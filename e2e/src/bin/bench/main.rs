//! `cargo xtask bench ingest`: how fast alerts are taken, beside controls measured in the same call; `… page`: how soon
//! a slow phone shows something; `… lateness`: how late a page comes;
//! `… fleet HOSTS SERIES SECONDS`: what a fleet of hosts costs;
//! `… urgent`: how soon a P0 leaves beside a thousand other alerts a second;
//! `… machines`: how soon a machine is found among a million; `… simulate`: how fast simulated time passes.
//!
//! Absolute figures move with the neighbours' load, so each stands beside what the same machine does in the same
//! minute: a raw flush loop, a trivial HTTP handler, and Alertmanager where Debian's package is installed. No figure
//! ever makes this fail.

mod controls;
mod fleet;
mod lateness;
mod machines;
mod page;
mod rows;
mod simulated;
mod table;
mod urgent;

use anyhow::{Result, bail};
use e2e::environment;
use rows::Scale;

fn main() -> Result<()> {
    let arguments = environment::arguments();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["ingest"] => rows::ingest(&Scale::FULL),
        ["ingest", "--quick"] => rows::ingest(&Scale::QUICK),
        ["fleet", size @ ..] => fleet::fleet(&fleet::Fleet::of(size)?),
        ["lateness"] => lateness::lateness(),
        ["machines"] => machines::machines(),
        ["page"] => page::page(),
        ["urgent"] => urgent::urgent(),
        ["simulate"] => simulated::simulated(365),
        ["simulate", "--quick"] => simulated::simulated(10),
        // A process of its own, as the servers it is compared with.
        ["trivial-handler"] => controls::serve_trivially(),
        _ => bail!(
            "benchmarks: fleet HOSTS SERIES SECONDS, ingest [--quick], lateness, machines, page, simulate [--quick], urgent"
        ),
    }
}
