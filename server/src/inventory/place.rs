//! Where the machines of alerts run: looked up as the alerts come, and again whenever sources say something new.
//!
//! An alert waits for nothing here. What cannot be answered at once is answered to the engine later.

use super::Inventory;
use crate::{
    clock::{self, Stopwatch},
    runtime::Runtime,
};
use engine::placement::Index;
use shared::{AlertEvent, Timestamp, net::Mac, placement::Placement};
use std::{sync::Arc, time::Duration};
use tokio::time;

/// Alerts that are looked up again at once; the newest.
const MOST: usize = 20_000;
/// What sources say is looked at this often, and stale answers are found out.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Without anything new the answers grow old, which is looked at this often.
const OLD_EVERY_MS: i64 = 60_000;

impl Inventory {
    /// Where the machines of a message's members run, as far as that is known at once; nothing without sources.
    pub fn places<'a>(
        &self,
        events: impl Iterator<Item = &'a AlertEvent>,
        now: Timestamp,
    ) -> Vec<Option<Arc<Placement>>> {
        let Some(index) = self.index_at_once().filter(|index| index.sources().next().is_some()) else {
            return Vec::new();
        };
        let of = |event: &AlertEvent| {
            locate(&index, event.mac.as_deref(), event.ip.as_deref(), event.host.as_deref(), now).map(Arc::new)
        };
        events.map(of).collect()
    }
}

fn locate(index: &Index, mac: Option<&str>, ip: Option<&str>, host: Option<&str>, now: Timestamp) -> Option<Placement> {
    let mac: Option<Mac> = mac.and_then(|mac| mac.parse().ok());
    // Some senders write the address where the name belongs.
    let ip = ip.into_iter().chain(host).find_map(|ip| ip.parse().ok());
    index.locate(mac, ip, host, now)
}

/// Tells the engine where machines run that were not known when their alerts came, and which have moved; for ever.
pub async fn follow(inventory: Arc<Inventory>, runtime: Runtime) {
    let mut looked = (0, Stopwatch::start());
    loop {
        time::sleep(LOOK_EVERY).await;
        let changes = inventory.changes();
        if changes == 0 || (changes == looked.0 && looked.1.elapsed_ms() < OLD_EVERY_MS) {
            continue;
        }
        let Ok(sought) = runtime.ask(|engine| engine.sought(MOST, clock::now())).await else { continue };
        looked = (changes, Stopwatch::start());
        let inventory = Arc::clone(&inventory);
        let found = move || {
            let (index, now) = (inventory.index(), clock::now());
            let found = sought.into_iter().filter_map(|it| {
                let placed = locate(&index, it.mac.as_deref(), it.ip.as_deref(), it.host.as_deref(), now)?;
                Some((it.alert, Arc::new(placed)))
            });
            found.collect::<Vec<_>>()
        };
        // Thousands of them take a while.
        match actix_web::web::block(found).await {
            Ok(found) if !found.is_empty() => runtime.placed(found),
            Ok(_) => {}
            Err(error) => tracing::debug!(%error, "machines were not looked up, as the server is stopping"),
        }
    }
}
