//! Open vSwitch: its ports, out of its database (OVSDB, RFC 7047), as they are and as they change.
//!
//! The switch says at once what changed, so nothing is polled. Which address is behind a port stands there only where
//! whoever plugged it in wrote it down, as libvirt, Nova and OVN-Kubernetes do.

mod connection;
mod rows;
pub(crate) mod value;

pub use connection::{Client, Updates};
pub(crate) use rows::{MAC_KEYS, VM_KEYS};

use super::{Collector, Endpoint, Fault, FaultKind};
use crate::outbound::quote;
use rows::Rows;
use serde_json::{Value, json};
use shared::inventory::{Observation, Port};
use std::{collections::BTreeMap, fmt, time::Duration};
use tokio::time::timeout;

/// OVSDB's port by TCP and TLS.
pub const USUAL_PORT: u16 = 6640;
/// The switch's database; OVN's have other names.
pub(crate) const DATABASE: &str = "Open_vSwitch";

/// After so long without a change it is said that there is none, so that nobody thinks that we stopped looking.
const QUIET: Duration = Duration::from_secs(30);

/// Observes the ports of one Open vSwitch.
pub struct Ovsdb {
    endpoint: Endpoint,
    watch: Option<Watch>,
}

/// A switch that is being watched.
struct Watch {
    updates: Updates,
    rows: Rows,
    /// What was said last, by key.
    said: BTreeMap<String, Port>,
}

impl Ovsdb {
    /// Connects when it is asked first.
    #[must_use]
    pub const fn new(endpoint: Endpoint) -> Self {
        Self { endpoint, watch: None }
    }
}

impl fmt::Debug for Ovsdb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ovsdb").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

impl Collector for Ovsdb {
    async fn next(&mut self) -> Result<Observation, Fault> {
        let Some(watch) = &mut self.watch else {
            let watch = self.watch.insert(Watch::begin(&self.endpoint).await?);
            let ports = watch.said.values().cloned().collect();
            return Ok(Observation { whole: true, ports, ..Observation::default() });
        };
        // The connection proves by its echoes that the switch is still there.
        let changed =
            timeout(QUIET, watch.changed(&self.endpoint)).await.unwrap_or_else(|_| Ok(Observation::default()));
        if changed.is_err() {
            self.watch = None;
        }
        changed
    }
}

impl Watch {
    async fn begin(endpoint: &Endpoint) -> Result<Self, Fault> {
        let client = Client::connect(endpoint).await?;
        let databases = client.call("list_dbs", json!([])).await?;
        if databases.as_array().is_none_or(|names| names.iter().all(|name| name != DATABASE)) {
            let there = quote(&databases.to_string(), &[]);
            return Err(unreadable(endpoint, &format!("has no database {DATABASE} but {there}; is it OVN's?")));
        }
        let schema = client.call("get_schema", json!([DATABASE])).await?;
        let tables = rows::monitored(&schema).map_err(|missing| {
            let version = quote(&schema["version"].to_string(), &[]);
            unreadable(endpoint, &format!("has a schema, version {version}, without {missing}"))
        })?;
        let (initial, updates) = client.monitor(DATABASE, tables).await?;
        let mut watch = Self { updates, rows: Rows::default(), said: BTreeMap::new() };
        watch.take(&initial, endpoint)?;
        watch.said = watch.rows.ports();
        Ok(watch)
    }

    fn take(&mut self, update: &Value, endpoint: &Endpoint) -> Result<(), Fault> {
        self.rows.apply(update).map_err(|error| unreadable(endpoint, &error.to_string()))
    }

    /// Waits until a port is different, new or gone.
    async fn changed(&mut self, endpoint: &Endpoint) -> Result<Observation, Fault> {
        loop {
            // From here on nothing waits, so nothing is lost when the caller gives up.
            let update = self.updates.next().await?;
            self.take(&update, endpoint)?;
            while let Some(update) = self.updates.waiting() {
                self.take(&update, endpoint)?;
            }
            let ports = self.rows.ports();
            let gone: Vec<String> = self.said.keys().filter(|key| !ports.contains_key(*key)).cloned().collect();
            let new = ports.iter().filter(|(key, port)| self.said.get(*key) != Some(*port));
            let new: Vec<Port> = new.map(|(_, port)| port.clone()).collect();
            self.said = ports;
            if !gone.is_empty() || !new.is_empty() {
                return Ok(Observation { ports: new, gone, ..Observation::default() });
            }
        }
    }
}

fn unreadable(endpoint: &Endpoint, what: &str) -> Fault {
    Fault::new(FaultKind::Unreadable, format!("{endpoint} {what}"))
}
