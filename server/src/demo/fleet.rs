//! Machines of the demo that measure themselves: days with their ups and downs, and trouble where the senders tell of it.
//!
//! Nothing is stored for them in advance: what they measured is computed from the clock, a day of it at the start, and
//! taken as any agent's.

mod machine;

use crate::{
    clock,
    hosts::{Batch, Hosts},
    http::App,
};
use actix_web::web;
use machine::Machine;
use shared::{
    Timestamp,
    host::{Feed, Sample},
};
use std::{collections::BTreeSet, time::Duration};

const EVERY_MS: i64 = 10_000;
/// A look at who has to measure.
const BEAT: Duration = Duration::from_millis(500);
/// What is told of the past at the start, and how far apart its samples are.
const PAST_MS: i64 = 24 * 3_600_000;
const PAST_STEP_MS: i64 = 120_000;
const PAST_AT_ONCE: i64 = 240;

pub(super) async fn run(app: web::Data<App>) {
    let known: BTreeSet<String> = app.hosts.known().into_iter().map(|it| it.name).collect();
    let machines = machine::all();
    for machine in machines.iter().filter(|it| !known.contains(it.name)) {
        let now = clock::now();
        let from = now.plus_ms(-PAST_MS);
        for chunk in 0..PAST_MS / PAST_STEP_MS / PAST_AT_ONCE {
            let at = |n: i64| from.plus_ms((chunk * PAST_AT_ONCE + n) * PAST_STEP_MS);
            let times: Vec<Timestamp> = (0..PAST_AT_ONCE).map(at).filter(|at| !machine.is_silent(*at, now)).collect();
            take(&app.hosts, machine, &times, PAST_STEP_MS, now);
            // Whoever opens the page meanwhile is answered between two of these.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    let began = clock::now();
    let mut due: Vec<Timestamp> = vec![began; machines.len()];
    loop {
        let now = clock::now();
        for (machine, due) in machines.iter().zip(&mut due) {
            if *due <= now && !machine.is_silent(now, began) {
                let every_ms = take(&app.hosts, machine, &[now], EVERY_MS, now);
                *due = now.plus_ms(every_ms);
            }
        }
        tokio::time::sleep(BEAT).await;
    }
}

/// Hands over what a machine measured at these times; gives how long to wait for the next.
fn take(hosts: &Hosts, machine: &Machine, times: &[Timestamp], every_ms: i64, now: Timestamp) -> i64 {
    let (Some(first), Some(last)) = (times.first(), times.last()) else { return every_ms };
    let series = machine.measured(*first).into_iter().map(|(name, _)| name).collect();
    let sample = |at: &Timestamp| Sample {
        at: *at,
        values: machine.measured(*at).into_iter().map(|(_, value)| Some(value)).collect(),
    };
    let is_now = *last == now;
    let batch = Batch {
        host: machine.name.to_owned(),
        feed: Feed::Agent,
        every_ms: every_ms.unsigned_abs(),
        facts: Some(machine.facts(now)),
        series,
        samples: times.iter().map(sample).collect(),
        tables: is_now.then(|| machine.tables(now)),
        clock_ahead_ms: Some(machine.clock_ahead_ms()),
        lost: 0,
    };
    match hosts.take(batch, now) {
        Ok(taken) => i64::try_from(taken.every_ms).unwrap_or(every_ms).max(1_000),
        Err(error) => {
            tracing::debug!(%error, machine = machine.name, "a demo machine was not taken");
            every_ms
        }
    }
}
