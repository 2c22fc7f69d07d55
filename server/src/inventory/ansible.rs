//! All machines as a dynamic inventory of Ansible: groups by source, hypervisor, cluster, tag and what is open.
//!
//! The form is that of `ansible-inventory --list` (docs.ansible.com, "Developing dynamic inventory"): groups with their
//! hosts, and every host's variables under `_meta`, so that no host is asked for by itself.

use engine::placement::Index;
use serde_json::{Map, Value, json};
use shared::{api::OpenIncident, inventory::Vm};
use std::collections::{BTreeMap, BTreeSet};

/// Everything the index knows; `open` is what is open of each VM, in the index's order.
#[must_use]
pub fn inventory(index: &Index, open: &[Vec<OpenIncident>]) -> Value {
    let mut groups: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut vars: BTreeMap<String, Value> = BTreeMap::new();
    for (number, (source, seen_at, vm)) in index.vms().enumerate() {
        // A name stands for one machine there; the second of a name bears what tells it apart.
        let mut name = vm.name.clone();
        if vars.contains_key(&name) {
            name = format!("{}_{source}_{}", vm.name, vm.key);
        }
        let hypervisor = vm.hypervisor.as_deref().and_then(|key| index.hypervisor(source, key));
        let hypervisor_name = hypervisor.map(|it| it.name.clone()).or_else(|| vm.hypervisor.clone());
        let incidents = open.get(number).map_or(&[][..], Vec::as_slice);
        let mut join = |kind: &str, of: &str| {
            groups.entry(group(kind, of)).or_default().insert(name.clone());
        };
        join("source", source.as_str());
        hypervisor_name.iter().for_each(|it| join("hypervisor", it));
        hypervisor.and_then(|it| it.cluster.as_ref()).into_iter().for_each(|it| join("cluster", it));
        vm.tags.iter().for_each(|it| join("tag", it));
        match incidents.first() {
            Some(worst) => {
                join("alerting", "");
                join("alerting", worst.severity.as_str());
            }
            None => join("quiet", ""),
        }
        let mut of = variables(vm);
        of.insert("tocsin_source".to_owned(), source.as_str().into());
        of.insert("tocsin_seen_at".to_owned(), seen_at.ms().into());
        of.insert("tocsin_hypervisor".to_owned(), hypervisor_name.into());
        of.insert("tocsin_cluster".to_owned(), hypervisor.and_then(|it| it.cluster.clone()).into());
        let incidents: Vec<Value> =
            incidents.iter().map(|it| json!({ "id": it.id, "severity": it.severity, "title": it.title })).collect();
        of.insert("tocsin_incidents".to_owned(), incidents.into());
        vars.insert(name, Value::Object(of));
    }
    let names: Vec<&String> = groups.keys().collect();
    let mut whole = Map::new();
    whole.insert("all".to_owned(), json!({ "children": names }));
    whole.insert("_meta".to_owned(), json!({ "hostvars": vars }));
    whole.extend(groups.iter().map(|(name, hosts)| (name.clone(), json!({ "hosts": hosts }))));
    Value::Object(whole)
}

fn variables(vm: &Vm) -> Map<String, Value> {
    let ips: Vec<String> = vm.nics.iter().flat_map(|nic| &nic.ips).map(|it| it.ip.to_string()).collect();
    let macs: Vec<String> = vm.nics.iter().filter_map(|nic| nic.mac).map(|mac| mac.to_string()).collect();
    let mut vars = Map::new();
    // Where nothing is known of an address, Ansible takes the name.
    if let Some(ip) = ips.first() {
        vars.insert("ansible_host".to_owned(), ip.as_str().into());
    }
    vars.insert("tocsin_key".to_owned(), vm.key.as_str().into());
    vars.insert("tocsin_uuid".to_owned(), vm.uuid.clone().into());
    vars.insert("tocsin_hostname".to_owned(), vm.hostname.clone().into());
    vars.insert("tocsin_power".to_owned(), json!(vm.power));
    vars.insert("tocsin_ips".to_owned(), ips.into());
    vars.insert("tocsin_macs".to_owned(), macs.into());
    vars.insert("tocsin_tags".to_owned(), vm.tags.clone().into());
    vars
}

/// Ansible takes letters, digits and underscores, and no digit first; the kind stands before it anyway.
fn group(kind: &str, of: &str) -> String {
    let of: String = of.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect();
    if of.is_empty() { kind.to_owned() } else { format!("{kind}_{of}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_groups_are_ones_that_ansible_takes() {
        assert_eq!(group("hypervisor", "ESX-07.example.org"), "hypervisor_esx_07_example_org");
        assert_eq!(group("tag", "角色=web"), "tag____web");
        assert_eq!(group("alerting", ""), "alerting");
    }
}
