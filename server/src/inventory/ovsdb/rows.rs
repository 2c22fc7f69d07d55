//! The rows of a switch's database that are looked at, and the ports they make.

use super::value::{members, references, text, texts, vlan};
use crate::inventory::uuid;
use serde_json::{Map, Value};
use shared::{inventory::Port, net::Mac};
use std::collections::BTreeMap;

/// More is no switch of one machine.
const ROWS_MAX: usize = 100_000;
/// Under which keys of an interface's `external_ids` the address behind it stands: libvirt and Nova write the first,
/// OVN-Kubernetes the second. `mac_in_use` is the hypervisor's side and never the machine's.
pub(crate) const MAC_KEYS: [&str; 2] = ["attached-mac", "attached_mac"];
/// Under which keys the machine's UUID stands: Nova's, libvirt's, XenServer's.
pub(crate) const VM_KEYS: [&str; 3] = ["vm-uuid", "vm-id", "xs-vm-uuid"];

/// A table and the columns of it that are looked at.
struct Table {
    name: &'static str,
    /// Without these nothing can be said.
    needed: &'static [&'static str],
    /// Asked for where the schema has them.
    welcome: &'static [&'static str],
}

const TABLES: [Table; 4] = [
    Table { name: "Open_vSwitch", needed: &["bridges"], welcome: &["external_ids"] },
    Table { name: "Bridge", needed: &["name", "ports"], welcome: &[] },
    Table { name: "Port", needed: &["interfaces"], welcome: &["tag"] },
    Table { name: "Interface", needed: &["name"], welcome: &["external_ids", "link_state"] },
];

/// What a monitor is to be asked for with this schema, or the first column that it lacks.
pub(super) fn monitored(schema: &Value) -> Result<Value, String> {
    let mut tables = Map::new();
    for table in TABLES {
        let known = &schema["tables"][table.name]["columns"];
        if let Some(missing) = table.needed.iter().find(|column| known.get(**column).is_none()) {
            return Err(format!("{}.{missing}", table.name));
        }
        let welcome = table.welcome.iter().filter(|column| known.get(**column).is_some());
        let columns: Vec<&str> = table.needed.iter().chain(welcome).copied().collect();
        tables.insert(table.name.to_owned(), serde_json::json!([{ "columns": columns }]));
    }
    Ok(Value::Object(tables))
}

/// There are more rows than any switch has.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("there are more than {ROWS_MAX} rows")]
pub(super) struct TooMany;

/// The rows as they stand, by their UUIDs.
#[derive(Debug, Default)]
pub(super) struct Rows {
    systems: BTreeMap<String, System>,
    bridges: BTreeMap<String, Bridge>,
    ports: BTreeMap<String, SwitchPort>,
    interfaces: BTreeMap<String, Interface>,
}

#[derive(Debug)]
struct System {
    bridges: Vec<String>,
    external_ids: BTreeMap<String, String>,
}

#[derive(Debug)]
struct Bridge {
    name: String,
    ports: Vec<String>,
}

/// Several interfaces where it is a bond.
#[derive(Debug)]
struct SwitchPort {
    interfaces: Vec<String>,
    vlan: Option<u16>,
}

#[derive(Debug)]
struct Interface {
    name: String,
    external_ids: BTreeMap<String, String>,
    link: Option<bool>,
}

impl Rows {
    /// Takes table updates in (RFC 7047, 4.1.6): a row comes whole in `new`, and is gone without it. What is not of
    /// the schema is passed over.
    pub(super) fn apply(&mut self, updates: &Value) -> Result<(), TooMany> {
        let each = |table: &str| updates[table].as_object().into_iter().flatten();
        for (id, update) in each("Open_vSwitch") {
            let row = |new: &Value| System {
                bridges: references(&new["bridges"]),
                external_ids: texts(&new["external_ids"]),
            };
            change(&mut self.systems, id, update, row);
        }
        for (id, update) in each("Bridge") {
            let row = |new: &Value| Bridge { name: text(&new["name"]), ports: references(&new["ports"]) };
            change(&mut self.bridges, id, update, row);
        }
        for (id, update) in each("Port") {
            let row = |new: &Value| SwitchPort { interfaces: references(&new["interfaces"]), vlan: vlan(&new["tag"]) };
            change(&mut self.ports, id, update, row);
        }
        for (id, update) in each("Interface") {
            let row = |new: &Value| Interface {
                name: text(&new["name"]),
                external_ids: texts(&new["external_ids"]),
                link: link(&new["link_state"]),
            };
            change(&mut self.interfaces, id, update, row);
        }
        let rows = self.systems.len() + self.bridges.len() + self.ports.len() + self.interfaces.len();
        if rows > ROWS_MAX { Err(TooMany) } else { Ok(()) }
    }

    /// Every port of every bridge by its key, but the bridges' own.
    pub(super) fn ports(&self) -> BTreeMap<String, Port> {
        let mut found = BTreeMap::new();
        for (id, system) in &self.systems {
            let system_id = system.external_ids.get("system-id").unwrap_or(id);
            let hypervisor = system.external_ids.get("hostname").filter(|name| !name.is_empty());
            for bridge in system.bridges.iter().filter_map(|id| self.bridges.get(id)) {
                let switch = format!("{system_id}/{}", bridge.name);
                for port in bridge.ports.iter().filter_map(|id| self.ports.get(id)) {
                    let interfaces = port.interfaces.iter().filter_map(|id| self.interfaces.get(id));
                    // The bridge's own interface is the hypervisor's door to it, and no machine is behind it.
                    for interface in interfaces.filter(|interface| interface.name != bridge.name) {
                        let port = Port {
                            key: format!("{switch}/{}", interface.name),
                            switch: switch.clone(),
                            switch_name: bridge.name.clone(),
                            vlan: port.vlan,
                            hypervisor: hypervisor.cloned(),
                            ..interface.as_port()
                        };
                        found.insert(port.key.clone(), port);
                    }
                }
            }
        }
        found
    }
}

impl Interface {
    /// What the interface itself says of its port.
    fn as_port(&self) -> Port {
        let id = |key: &str| self.external_ids.get(key).map(String::as_str);
        Port {
            port: self.name.clone(),
            mac: MAC_KEYS.iter().filter_map(|key| id(key)).find_map(|text| text.parse::<Mac>().ok()),
            iface_id: id("iface-id").filter(|id| !id.is_empty()).map(str::to_owned),
            vm_uuid: VM_KEYS.iter().filter_map(|key| id(key)).find_map(uuid::usual),
            connected: self.link,
            ..Port::default()
        }
    }
}

fn change<T>(rows: &mut BTreeMap<String, T>, id: &str, update: &Value, row: impl Fn(&Value) -> T) {
    match &update["new"] {
        Value::Null => rows.remove(id),
        new => rows.insert(id.to_owned(), row(new)),
    };
}

fn link(value: &Value) -> Option<bool> {
    match members(value).first()?.as_str()? {
        "up" => Some(true),
        "down" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    const VM: &str = "6fa459ea-ee8a-3ca4-894e-db77e160355e";

    /// A switch `br0` with the interfaces given, each on a port of its own.
    fn switch(interfaces: &[Value]) -> Value {
        let uuids = |kind: &str| -> Vec<Value> {
            (0..interfaces.len()).map(|n| json!(["uuid", format!("{kind}{n}")])).collect()
        };
        let new = |row: Value| json!({ "new": row });
        let mut ports = Map::new();
        let mut rows = Map::new();
        for (n, interface) in interfaces.iter().enumerate() {
            ports.insert(format!("p{n}"), new(json!({"interfaces": ["uuid", format!("i{n}")], "tag": ["set", []]})));
            rows.insert(format!("i{n}"), new(interface.clone()));
        }
        json!({
            "Open_vSwitch": {"s": new(json!({
                "bridges": ["uuid", "b"],
                "external_ids": ["map", [["system-id", "sys"], ["hostname", "hv1"]]],
            }))},
            "Bridge": {"b": new(json!({"name": "br0", "ports": ["set", uuids("p")]}))},
            "Port": ports,
            "Interface": rows,
        })
    }

    fn ports(updates: &[Value]) -> Vec<Port> {
        let mut rows = Rows::default();
        for update in updates {
            rows.apply(update).unwrap();
        }
        rows.ports().into_values().collect()
    }

    #[test]
    fn an_interface_becomes_a_port_with_all_that_is_known_of_it() {
        let interface = json!({
            "name": "vnet1",
            "link_state": "up",
            "mac_in_use": "fe:54:00:12:34:56",
            "external_ids": ["map", [["attached-mac", "52:54:00:12:34:56"], ["iface-id", "if1"], ["vm-id", VM]]],
        });
        let tagged = json!({"Port": {"p0": {"new": {"interfaces": ["set", [["uuid", "i0"]]], "tag": 42}}}});
        let expected = Port {
            key: "sys/br0/vnet1".into(),
            switch: "sys/br0".into(),
            switch_name: "br0".into(),
            port: "vnet1".into(),
            mac: "52:54:00:12:34:56".parse().ok(),
            group: None,
            vlan: Some(42),
            iface_id: Some("if1".into()),
            vm_uuid: Some(VM.into()),
            hypervisor: Some("hv1".into()),
            connected: Some(true),
        };
        assert_eq!(ports(&[switch(&[interface]), tagged]), [expected]);
    }

    #[test]
    fn what_is_not_known_is_not_made_up() {
        let bare = json!({"name": "eth1", "link_state": ["set", []], "external_ids": ["map", []], "mac_in_use": "x"});
        let wrong = json!({
            "name": "vnet2",
            "link_state": "down",
            "external_ids": ["map", [["attached-mac", "00:00:00:00:00:00"], ["vm-id", "web-01"], ["iface-id", ""]]],
        });
        let own = json!({"name": "br0"});
        let found = ports(&[switch(&[bare, wrong, own])]);
        let names: Vec<&str> = found.iter().map(|port| port.port.as_str()).collect();
        assert_eq!(names, ["eth1", "vnet2"]);
        assert!(found.iter().all(|port| port.mac.is_none() && port.vm_uuid.is_none() && port.iface_id.is_none()));
        assert_eq!([found[0].connected, found[1].connected], [None, Some(false)]);
        assert!(found.iter().all(|port| port.vlan.is_none()));
    }

    #[test]
    fn rows_change_and_go() {
        let start = switch(&[json!({"name": "a"}), json!({"name": "b"})]);
        let gone = json!({"Port": {"p0": {"old": {}}}, "Interface": {"i0": {"old": {"name": "a"}}}});
        let renamed = json!({"Interface": {"i1": {"old": {"name": "b"}, "new": {"name": "c"}}}});
        let found = ports(&[start, gone, renamed]);
        assert_eq!(found.iter().map(|port| port.port.as_str()).collect::<Vec<_>>(), ["c"]);
    }

    #[test]
    fn only_columns_that_exist_are_asked_for() {
        let table = |columns: &[&str]| {
            let columns: Map<String, Value> = columns.iter().map(|name| ((*name).to_owned(), json!({}))).collect();
            json!({ "columns": columns })
        };
        let mut schema = json!({"tables": {
            "Open_vSwitch": table(&["bridges", "external_ids", "next_cfg"]),
            "Bridge": table(&["name", "ports"]),
            "Port": table(&["interfaces"]),
            "Interface": table(&["name", "link_state"]),
        }});
        let asked = monitored(&schema).unwrap();
        assert_eq!(asked["Open_vSwitch"], json!([{"columns": ["bridges", "external_ids"]}]));
        assert_eq!(asked["Port"], json!([{"columns": ["interfaces"]}]));
        assert_eq!(asked["Interface"], json!([{"columns": ["name", "link_state"]}]));
        schema["tables"]["Bridge"] = table(&["name"]);
        assert_eq!(monitored(&schema), Err("Bridge.ports".into()));
    }

    #[test]
    fn more_rows_than_a_switch_has_are_refused() {
        let many: Map<String, Value> = (0..=ROWS_MAX).map(|n| (n.to_string(), json!({"new": {"name": "a"}}))).collect();
        assert_eq!(Rows::default().apply(&json!({ "Interface": many })), Err(TooMany));
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let word = "(set|map|uuid|new|name|ports|interfaces|tag|external_ids|b|p0|i0|4095|)";
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<i64>().prop_map(Value::from),
            word.prop_map(Value::from),
            any::<bool>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 4, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(word, inner, 0..4).prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_update_is_taken(value in any_json(), row in any_json()) {
            let mut rows = Rows::default();
            rows.apply(&value).unwrap();
            for table in ["Open_vSwitch", "Bridge", "Port", "Interface"] {
                rows.apply(&json!({table: value, "Bridge": {"b": row}, "Interface": {"i0": {"new": row}}})).unwrap();
            }
            rows.ports();
        }
    }
}
