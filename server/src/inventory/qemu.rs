//! QEMU without libvirt: the machines of one hypervisor, each at the socket of its own monitor (QMP).
//!
//! A socket that does not answer must not hide the other machines. So what is seen is told without it, its machine kept
//! as it was with its power unknown, and the fault that names the socket follows at the next call. Only when no socket
//! answers there is nothing but the fault.

mod monitor;
mod network;

use super::{Collector, Endpoint, Fault, pace::Pace, uuid};
use futures_util::{StreamExt as _, stream};
use monitor::Monitor;
use serde_json::{Value, json};
use shared::inventory::{Hypervisor, Observation, Power, Vm};
use std::{collections::BTreeMap, path::PathBuf, time::Duration};

/// Sockets asked at a time.
const AT_ONCE: usize = 8;

/// Observes the machines behind a list of monitors.
#[derive(Debug)]
pub struct Qemu {
    /// The key of a machine is the path of its socket: unique, and known even when nobody answers there.
    sockets: Vec<(String, Endpoint)>,
    hypervisor: String,
    pace: Pace,
    /// As each machine was seen last.
    known: BTreeMap<String, Vm>,
    /// What the last look lacked, to be told yet.
    owed: Option<Fault>,
}

impl Qemu {
    /// `sockets` are those given to `-qmp unix:…`, for this server alone: a monitor speaks with one client at a time.
    #[must_use]
    pub fn new(sockets: Vec<PathBuf>, hypervisor: impl Into<String>, every: Duration) -> Self {
        let named = |socket: PathBuf| (socket.display().to_string(), Endpoint::unix(socket));
        let sockets = sockets.into_iter().map(named).collect();
        let (known, owed) = (BTreeMap::new(), None);
        Self { sockets, hypervisor: hypervisor.into(), pace: Pace::new(every), known, owed }
    }

    /// Takes in what a look saw; gives what the sockets that did not answer said.
    fn take(&mut self, seen: Vec<(String, Result<Vm, Fault>)>) -> Vec<Fault> {
        let mut faults = Vec::new();
        for (key, vm) in seen {
            match vm {
                Ok(vm) => {
                    let hypervisor = Some(self.hypervisor.clone());
                    // QEMU need not be given a name.
                    let name = if vm.name.is_empty() { key.clone() } else { vm.name };
                    self.known.insert(key.clone(), Vm { key, name, hypervisor, ..vm });
                }
                Err(fault) => {
                    if let Some(vm) = self.known.get_mut(&key) {
                        vm.power = Power::Unknown;
                    }
                    faults.push(fault);
                }
            }
        }
        faults
    }
}

impl Collector for Qemu {
    async fn next(&mut self) -> Result<Observation, Fault> {
        if let Some(fault) = self.owed.take() {
            return Err(fault);
        }
        self.pace.wait().await;
        let looks = stream::iter(self.sockets.clone());
        let looks = looks.map(|(key, endpoint)| async move { (key, look(&endpoint).await) });
        let seen = looks.buffered(AT_ONCE).collect().await;
        let faults = self.take(seen);
        let nobody_answered = faults.len() == self.sockets.len();
        let fault = Fault::one_of(faults);
        if let Some(fault) = fault {
            if nobody_answered {
                self.pace.begin_anew();
                return Err(fault);
            }
            self.owed = Some(fault);
        }
        let hypervisor =
            Hypervisor { key: self.hypervisor.clone(), name: self.hypervisor.clone(), ..Hypervisor::default() };
        let vms = self.known.values().cloned().collect();
        Ok(Observation { whole: true, hypervisors: vec![hypervisor], vms, ..Observation::default() })
    }
}

/// Asks one monitor for its machine, and leaves.
async fn look(endpoint: &Endpoint) -> Result<Vm, Fault> {
    let mut monitor = Monitor::connect(endpoint).await?;
    let name = monitor.ask("query-name", json!({})).await?;
    let uuid = monitor.ask("query-uuid", json!({})).await?;
    let status = monitor.ask("query-status", json!({})).await?;
    // Not every build has this one, and not every interface answers the other.
    let network = monitor.try_to_ask("human-monitor-command", json!({"command-line": "info network"})).await?;
    let filters = monitor.try_to_ask("query-rx-filter", json!({})).await?;
    let mut nics = network::nics(network.ok().as_ref().and_then(Value::as_str).unwrap_or_default());
    network::take_filters(&mut nics, &filters.unwrap_or_default());
    Ok(Vm {
        name: name["name"].as_str().unwrap_or_default().to_owned(),
        uuid: uuid["UUID"].as_str().and_then(uuid::usual),
        power: power(status["status"].as_str().unwrap_or_default()),
        nics,
        ..Vm::default()
    })
}

/// `RunState`.
fn power(status: &str) -> Power {
    match status {
        "running" => Power::On,
        // The system inside has shut down, and QEMU was told to stay.
        "shutdown" => Power::Off,
        "paused" | "prelaunch" | "suspended" | "debug" | "inmigrate" | "postmigrate" | "finish-migrate" | "save-vm"
        | "restore-vm" | "io-error" | "watchdog" | "guest-panicked" | "colo" => Power::Paused,
        _ => Power::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::FaultKind;

    fn vm(key: &str) -> Vm {
        Vm { key: key.into(), power: Power::On, ..Vm::default() }
    }

    fn fault(text: &str) -> Fault {
        Fault::new(FaultKind::Unreachable, text)
    }

    #[test]
    fn a_machine_whose_socket_is_dead_is_kept_with_its_power_unknown() {
        let mut qemu = Qemu::new(vec!["/a".into(), "/b".into()], "hv1", Duration::from_secs(1));
        assert_eq!(qemu.take(vec![("/a".into(), Ok(vm("/a"))), ("/b".into(), Ok(vm("/b")))]).len(), 0);
        assert_eq!(qemu.take(vec![("/a".into(), Ok(vm("/a"))), ("/b".into(), Err(fault("b")))]).len(), 1);
        let powers: Vec<Power> = qemu.known.values().map(|vm| vm.power).collect();
        assert_eq!(powers, [Power::On, Power::Unknown]);
        qemu.take(vec![("/b".into(), Ok(vm("/b")))]);
        assert!(qemu.known.values().all(|vm| vm.power == Power::On && vm.name == vm.key));
    }

    #[tokio::test]
    async fn with_nobody_there_is_only_a_fault() {
        let mut qemu = Qemu::new(vec!["/nowhere/tocsin-qmp".into()], "hv1", Duration::from_secs(1));
        let fault = qemu.next().await.unwrap_err();
        assert!(fault.message.contains("/nowhere/tocsin-qmp"), "{fault}");
    }
}
