//! Measures the machine that this server runs on, as an agent would: the pager is watched by its own rules too.

use super::{Batch, Hosts};
use crate::{agent::Meter, clock, runtime::Runtime};
use shared::{Delay, agent::EVERY_MIN_MS, host::Feed};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::time::sleep;

/// Facts are told again this often; a machine may be given memory while it runs.
const FACTS_EVERY: u32 = 360;
/// While the configuration says that it is not to be measured, it is asked this often whether it still says so.
const IDLE: Duration = Duration::from_secs(5);

/// Measures for as long as the server runs and the configuration says so.
pub async fn keep(hosts: Arc<Hosts>, runtime: Runtime) {
    let meter = Arc::new(Mutex::new(Meter::here()));
    let mut told: u32 = 0;
    loop {
        let config = runtime.config();
        if !config.document.hosts.own {
            sleep(IDLE).await;
            continue;
        }
        let usual = config.document.hosts.every;
        let (taking, meter, with_facts) = (Arc::clone(&hosts), Arc::clone(&meter), told.is_multiple_of(FACTS_EVERY));
        let measured = actix_web::web::block(move || measure(&taking, &meter, with_facts, usual)).await;
        let every_ms = measured.unwrap_or_else(|error| {
            tracing::error!(%error, "this machine could not be measured in this turn");
            usual.0.unsigned_abs()
        });
        told = told.wrapping_add(1);
        sleep(Duration::from_millis(every_ms.max(EVERY_MIN_MS))).await;
    }
}

/// Takes one sample; gives how long to wait for the next, in milliseconds.
fn measure(hosts: &Hosts, meter: &Mutex<Meter>, with_facts: bool, usual: Delay) -> u64 {
    let usual_ms = usual.0.unsigned_abs();
    let mut meter = meter.lock().unwrap_or_else(PoisonError::into_inner);
    let now = clock::now();
    let measured = meter.measure(now, None);
    let facts = meter.facts();
    drop(meter);
    let batch = Batch {
        host: facts.hostname.clone(),
        feed: Feed::Own,
        every_ms: usual_ms,
        facts: with_facts.then_some(facts),
        series: measured.series,
        samples: vec![measured.sample],
        tables: Some(measured.tables),
        clock_ahead_ms: None,
        lost: 0,
    };
    match hosts.take(batch, now) {
        Ok(taken) => taken.every_ms,
        Err(error) => {
            tracing::warn!(%error, "what was measured of this machine cannot be kept");
            usual_ms
        }
    }
}
