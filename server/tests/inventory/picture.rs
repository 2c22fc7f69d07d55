//! What a collector has said so far, put together as whoever listens to it does.

use server::inventory::{Collector, Fault};
use shared::inventory::{Observation, Port, Vm};
use std::{collections::BTreeMap, time::Duration};
use tokio::time::timeout;

/// A database that hangs is noticed after fifteen seconds; what takes longer than a minute is broken.
const PATIENCE: Duration = Duration::from_secs(60);

/// Everything of a source, by key.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Picture {
    pub(crate) ports: BTreeMap<String, Port>,
    pub(crate) vms: BTreeMap<String, Vm>,
    /// How many observations were no whole.
    pub(crate) deltas: u32,
}

impl Picture {
    pub(crate) fn take(&mut self, seen: Observation) {
        if seen.whole {
            *self = Self::default();
        } else {
            self.deltas += 1;
        }
        self.ports.retain(|key, _| !seen.gone.contains(key));
        self.vms.retain(|key, _| !seen.gone.contains(key));
        self.ports.extend(seen.ports.into_iter().map(|port| (port.key.clone(), port)));
        self.vms.extend(seen.vms.into_iter().map(|vm| (vm.key.clone(), vm)));
    }

    /// Listens until it is so; fails with the picture when it never is.
    pub(crate) async fn until(&mut self, source: &mut impl Collector, what: &str, is_so: impl Fn(&Self) -> bool) {
        let listening = async {
            while !is_so(self) {
                let seen = source.next().await.unwrap();
                self.take(seen);
            }
        };
        let in_time = timeout(PATIENCE, listening).await.is_ok();
        assert!(in_time, "waited in vain for {what}: {self:#?}");
    }

    /// The port of a name.
    pub(crate) fn port(&self, name: &str) -> Option<&Port> {
        self.ports.values().find(|port| port.port == name)
    }
}

/// The first observation, which must be the whole.
pub(crate) async fn whole(source: &mut impl Collector) -> Picture {
    let seen = timeout(PATIENCE, source.next()).await.unwrap().unwrap();
    assert!(seen.whole);
    let mut picture = Picture::default();
    picture.take(seen);
    picture
}

/// Listens until there is a fault.
pub(crate) async fn fault(source: &mut impl Collector) -> Fault {
    let listening = async {
        loop {
            if let Err(fault) = source.next().await {
                return fault;
            }
        }
    };
    timeout(PATIENCE, listening).await.unwrap()
}
