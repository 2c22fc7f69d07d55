//! What others push, brought together by machine and instant, and handed to the hosts.
//!
//! What a sender is told to be taken waits here for two seconds, and then in memory until the host's slot is stored. None of
//! these senders sends again: what is lost with the process is a gap of up to a quarter of an hour.

use super::{
    Batch, Hosts,
    falcon::{Endpoint, Metric, Point},
    gather::{Full, Gather, ITEMS_MAX},
    prometheus::{Instance, Reading, Written},
};
use crate::{clock, telemetry};
use shared::Timestamp;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// How often it is looked whether an instant is whole.
const SETTLE_EVERY: Duration = Duration::from_millis(500);
/// Machines that are remembered of each kind of sender; what comes of others is passed over.
const MACHINES_MAX: usize = 10_000;

/// The door for what others push.
#[derive(Debug)]
pub struct Intake {
    hosts: Arc<Hosts>,
    falcon: Mutex<Desk<Point, Endpoint>>,
    prometheus: Mutex<Desk<Reading, Instance>>,
}

/// What one kind of sender has said and what is remembered of its machines.
#[derive(Debug)]
struct Desk<T, M> {
    gather: Gather<T>,
    machines: BTreeMap<String, Known<M>>,
}

#[derive(Debug, Default)]
struct Known<M> {
    heard_at: Timestamp,
    /// Its batches are refused; that is told once.
    refused: bool,
    machine: M,
}

/// What is remembered of a machine.
pub(super) trait Machine: Default {
    /// One that says nothing for so long is forgotten: its counters give no rate by then.
    fn kept_ms(&self) -> i64;
}

impl<T, M: Machine> Desk<T, M> {
    fn new() -> Self {
        Self { gather: Gather::new(ITEMS_MAX), machines: BTreeMap::new() }
    }

    /// What is whole by now, as batches in the order of their instants.
    fn settle(
        &mut self,
        feed: &'static str,
        now: Timestamp,
        batch: impl Fn(&mut M, &str, Timestamp, Vec<T>) -> (Option<Batch>, u64),
    ) -> Vec<(String, Batch)> {
        let mut batches = Vec::new();
        for gathered in self.gather.due(now) {
            let items = gathered.items.len();
            if self.machines.len() >= MACHINES_MAX && !self.machines.contains_key(&gathered.machine) {
                telemetry::left_out(feed, "machines", items as u64);
                continue;
            }
            let known = self.machines.entry(gathered.machine.clone()).or_default();
            known.heard_at = now;
            let (batch, left_out) = batch(&mut known.machine, &gathered.machine, gathered.at, gathered.items);
            telemetry::left_out(feed, "series", left_out);
            batches.extend(batch.map(|batch| (gathered.machine, batch)));
        }
        self.machines.retain(|_, known| now.ms_since(known.heard_at) < known.machine.kept_ms());
        batches
    }
}

impl Intake {
    /// A door to these hosts.
    #[must_use]
    pub fn new(hosts: Arc<Hosts>) -> Self {
        Self { hosts, falcon: Mutex::new(Desk::new()), prometheus: Mutex::new(Desk::new()) }
    }

    /// Takes what an agent of Open-Falcon measured, and gives how many values there were and how many of them are not valid.
    ///
    /// # Errors
    /// When too much waits already. Nothing of it is taken then.
    pub fn falcon(&self, metrics: &[Option<Metric>], now: Timestamp) -> Result<(usize, usize), Full> {
        let points: Vec<Point> = metrics.iter().flatten().filter_map(|metric| metric.valid(now)).collect();
        let invalid = metrics.len() - points.len();
        let mut desk = locked(&self.falcon);
        desk.gather.room_for(points.len())?;
        for point in points {
            desk.gather.put(&point.endpoint.clone(), point.at, point, now);
        }
        telemetry::left_out("falcon", "invalid", invalid as u64);
        Ok((metrics.len(), invalid))
    }

    /// Takes what a Prometheus writes.
    ///
    /// # Errors
    /// When too much waits already. Nothing of it is taken then.
    pub fn write(&self, written: Written, now: Timestamp) -> Result<(), Full> {
        let mut desk = locked(&self.prometheus);
        desk.gather.room_for(written.readings.len())?;
        for (instance, at, reading) in written.readings {
            desk.gather.put(&instance, at, reading, now);
        }
        telemetry::left_out("remote_write", "no_instance", written.left_out);
        telemetry::left_out("remote_write", "ahead", written.ahead);
        Ok(())
    }

    /// Hands what is whole to the hosts.
    pub fn settle(&self, now: Timestamp) {
        let batches = locked(&self.falcon).settle("falcon", now, |endpoint, name, at, points| {
            let (batch, left_out) = endpoint.batch(name.to_owned(), at, points);
            (Some(batch), left_out)
        });
        self.hand_over(batches, &self.falcon, now);
        let batches = locked(&self.prometheus).settle("remote_write", now, Instance::batch);
        self.hand_over(batches, &self.prometheus, now);
    }

    fn hand_over<T, M>(&self, batches: Vec<(String, Batch)>, desk: &Mutex<Desk<T, M>>, now: Timestamp) {
        for (machine, batch) in batches {
            let host = batch.host.clone();
            let taken = self.hosts.take(batch, now);
            let mut desk = locked(desk);
            let Some(known) = desk.machines.get_mut(&machine) else { continue };
            match taken {
                Ok(_) => known.refused = false,
                Err(fault) if !known.refused => {
                    known.refused = true;
                    tracing::warn!(host, %fault, "what was pushed of a host is not taken; that is told once");
                }
                Err(_) => {}
            }
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Hands over what was pushed, for ever.
pub async fn settle(intake: Arc<Intake>) {
    loop {
        tokio::time::sleep(SETTLE_EVERY).await;
        let settling = Arc::clone(&intake);
        // Some thousand machines take a while.
        if actix_web::web::block(move || settling.settle(clock::now())).await.is_err() {
            tracing::warn!("what was pushed of hosts could not be taken in; it is tried again");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_a_clock_that_is_ahead_says_is_stored() {
        let hosts = Arc::new(Hosts::default());
        let intake = Intake::new(Arc::clone(&hosts));
        let now = Timestamp::from_ms(1_795_000_000_000);
        let said = json!({
            "metric": "cpu.idle", "endpoint": "web-01", "value": 93.5, "step": 60, "counterType": "GAUGE",
            "timestamp": now.ms() / 1_000 + 120,
        });
        let metrics = super::super::falcon::read(said.to_string().as_bytes()).unwrap();
        intake.falcon(&metrics, now).unwrap();
        intake.settle(now.plus_ms(3_000));
        assert_eq!(hosts.known().first().map(|it| it.seen_at), Some(now));
    }
}
