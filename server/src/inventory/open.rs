//! What is open of a machine: incidents name machines by a name or an address, sources by keys of their own.

use shared::{
    Incident, IncidentState,
    api::OpenIncident,
    inventory::{Nic, Vm},
    placement::Placement,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

/// By what alerts name a machine.
#[derive(Clone, Debug, Default)]
pub struct Machine {
    names: BTreeSet<String>,
    ips: BTreeSet<IpAddr>,
}

impl Machine {
    /// What was found: the VM, or else the hypervisor or the address alone.
    #[must_use]
    pub fn of(placement: &Placement) -> Self {
        if let Some(vm) = &placement.vm {
            return Self::named(&vm.name, vm.hostname.as_deref(), &vm.nics);
        }
        let mut machine = Self::default();
        machine.name(placement.hypervisor.as_ref().map(|it| it.name.as_str()));
        machine.ips.extend(placement.ip);
        machine
    }

    /// A VM as its source says it.
    #[must_use]
    pub fn of_vm(vm: &Vm) -> Self {
        Self::named(&vm.name, vm.hostname.as_deref(), &vm.nics)
    }

    /// What goes by these names and addresses.
    pub fn called<'a>(names: impl Iterator<Item = &'a str>, ips: impl Iterator<Item = IpAddr>) -> Self {
        let mut machine = Self { ips: ips.collect(), ..Self::default() };
        names.for_each(|name| machine.name(Some(name)));
        machine
    }

    fn named(name: &str, hostname: Option<&str>, nics: &[Nic]) -> Self {
        let mut machine = Self::default();
        machine.name(Some(name));
        machine.name(hostname);
        machine.ips.extend(nics.iter().flat_map(|nic| &nic.ips).map(|it| it.ip));
        machine
    }

    fn name(&mut self, name: Option<&str>) {
        self.names.extend(name.filter(|name| !name.is_empty()).map(str::to_lowercase));
    }
}

/// What is open of each machine, the most severe first.
pub fn open_of_each<'a>(incidents: impl Iterator<Item = &'a Incident>, machines: &[Machine]) -> Vec<Vec<OpenIncident>> {
    let mut by_name: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    let mut by_ip: BTreeMap<IpAddr, Vec<usize>> = BTreeMap::new();
    for (number, machine) in machines.iter().enumerate() {
        machine.names.iter().for_each(|name| by_name.entry(name).or_default().push(number));
        machine.ips.iter().for_each(|ip| by_ip.entry(*ip).or_default().push(number));
    }
    let mut found = vec![BTreeMap::new(); machines.len()];
    if by_name.is_empty() && by_ip.is_empty() {
        return vec![Vec::new(); machines.len()];
    }
    for incident in incidents.filter(|it| it.state != IncidentState::Resolved) {
        let host = incident.host.as_deref().map(str::to_lowercase);
        let of_host = host.as_deref().and_then(|host| by_name.get(host)).into_iter().flatten();
        let ip = incident.ip.as_deref().and_then(|ip| ip.parse().ok());
        let of_ip = ip.and_then(|ip: IpAddr| by_ip.get(&ip)).into_iter().flatten();
        for number in of_host.chain(of_ip) {
            if let Some(found) = found.get_mut(*number) {
                found.insert((incident.severity, incident.id), short(incident));
            }
        }
    }
    found.into_iter().map(|found| found.into_values().collect()).collect()
}

fn short(incident: &Incident) -> OpenIncident {
    let Incident { id, severity, title, opened_at, .. } = incident;
    OpenIncident { id: *id, severity: *severity, title: title.to_string(), opened_at: *opened_at }
}
