//! Machines of the demo that measure themselves: days with their ups and downs, and trouble where the senders tell of it.
//!
//! Nothing is stored for them in advance: what they measured is computed from the clock, a day of it at the start, and
//! taken as any agent's.

mod machine;

use crate::{
    clock,
    hosts::{Batch, Hosts, Taken},
    http::App,
};
use actix_web::web;
use machine::Machine;
use shared::{
    Timestamp,
    host::{Feed, Sample},
};
use std::{collections::BTreeSet, time::Duration};
use tokio::time::sleep;

const EVERY_MS: i64 = 10_000;
/// A look at who has to measure.
const BEAT: Duration = Duration::from_millis(500);
/// What is told of the past at the start, and how far apart its samples are.
const PAST_HOURS: i64 = 24;
const HOUR_MS: i64 = 3_600_000;
const PAST_STEP_MS: i64 = 120_000;
/// What may be told before it is stored: far less than would be given up.
const AHEAD_MS: i64 = 4 * HOUR_MS;
/// How long one hour of one machine is tried.
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) async fn run(app: web::Data<App>) {
    let known: BTreeSet<String> = app.hosts.known().into_iter().map(|it| it.name).collect();
    let machines = machine::all();
    let new: Vec<&Machine> = machines.iter().filter(|it| !known.contains(it.name)).collect();
    // As an agent does: what is measured now comes first, and what was kept follows as it can be stored.
    tokio::join!(measure(&app.hosts, &machines), tell_the_past(&app.hosts, &new));
}

async fn measure(hosts: &Hosts, machines: &[Machine]) {
    let began = clock::now();
    let mut due: Vec<Timestamp> = vec![began; machines.len()];
    loop {
        let now = clock::now();
        for (machine, due) in machines.iter().zip(&mut due) {
            if *due <= now && !machine.is_silent(now, began) {
                let taken = take(hosts, machine, &[now], EVERY_MS, now);
                let every_ms = taken.and_then(|it| i64::try_from(it.every_ms).ok()).unwrap_or(EVERY_MS);
                *due = now.plus_ms(every_ms.max(1_000));
            }
        }
        sleep(BEAT).await;
    }
}

async fn tell_the_past(hosts: &Hosts, machines: &[&Machine]) {
    let began = clock::now();
    for hour in 0..PAST_HOURS {
        let from = began.plus_ms((hour - PAST_HOURS) * HOUR_MS);
        for machine in machines {
            let at = |n: i64| from.plus_ms(n * PAST_STEP_MS);
            let times = (0..HOUR_MS / PAST_STEP_MS).map(at).filter(|at| !machine.is_silent(*at, began));
            let times: Vec<Timestamp> = times.collect();
            let is_told = || {
                let taken = take(hosts, machine, &times, PAST_STEP_MS, clock::now());
                let stored = |it: Taken| it.stored_until.unwrap_or(began.plus_ms(-PAST_HOURS * HOUR_MS));
                taken.is_some_and(|it| stored(it).plus_ms(AHEAD_MS) >= from)
            };
            let mut left = PATIENCE;
            while !times.is_empty() && !is_told() && !left.is_zero() {
                sleep(BEAT).await;
                left = left.saturating_sub(BEAT);
            }
            // Whoever opens the page meanwhile is answered between two of these.
            sleep(Duration::from_millis(1)).await;
        }
    }
}

/// Hands over what a machine measured at these times; none when it was not taken.
fn take(hosts: &Hosts, machine: &Machine, times: &[Timestamp], every_ms: i64, now: Timestamp) -> Option<Taken> {
    let (first, last) = (times.first()?, times.last()?);
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
        Ok(taken) => Some(taken),
        Err(error) => {
            tracing::debug!(%error, machine = machine.name, "a demo machine was not taken");
            None
        }
    }
}
