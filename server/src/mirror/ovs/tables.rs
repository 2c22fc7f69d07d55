//! The rows of a switch's database that mirrors are made of, as they were in one transaction.

use crate::inventory::ovsdb::value::{counts, members, references, text, texts, vlan, vlans};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// A table and the columns of it that are looked at.
struct Columns {
    table: &'static str,
    /// Without these nothing can be said.
    needed: &'static [&'static str],
    /// Asked for where the schema has them.
    welcome: &'static [&'static str],
}

/// In the order in which they are asked for.
const TABLES: [Columns; 5] = [
    Columns {
        table: "Open_vSwitch",
        needed: &["_uuid", "bridges", "cur_cfg", "next_cfg", "external_ids"],
        welcome: &["ovs_version", "iface_types"],
    },
    Columns { table: "Bridge", needed: &["_uuid", "name", "ports", "mirrors", "flood_vlans"], welcome: &[] },
    Columns { table: "Port", needed: &["_uuid", "name", "interfaces", "tag", "external_ids"], welcome: &[] },
    Columns {
        table: "Interface",
        needed: &["_uuid", "name", "type", "options", "external_ids", "statistics"],
        welcome: &["status", "error", "ofport", "link_speed", "mtu"],
    },
    Columns {
        table: "Mirror",
        needed: &[
            "_uuid",
            "name",
            "select_all",
            "select_src_port",
            "select_dst_port",
            "output_port",
            "external_ids",
            "statistics",
        ],
        welcome: &["select_vlan", "output_vlan", "snaplen"],
    },
];

/// What a version of the database has.
#[derive(Debug)]
pub(super) struct Schema {
    /// One select a table.
    pub(super) selects: Vec<Value>,
    has: BTreeSet<(&'static str, &'static str)>,
}

impl Schema {
    /// What `get_schema` answered, or the first column that is missing.
    pub(super) fn read(schema: &Value) -> Result<Self, String> {
        let (mut selects, mut has) = (Vec::new(), BTreeSet::new());
        for Columns { table, needed, welcome } in TABLES {
            let known = &schema["tables"][table]["columns"];
            // Every row has an id, and no schema says so.
            let is_known = |column: &&&str| **column == "_uuid" || known.get(**column).is_some();
            if let Some(missing) = needed.iter().find(|column| !is_known(column)) {
                return Err(format!("{table}.{missing}"));
            }
            let columns: Vec<&str> = needed.iter().chain(welcome.iter().filter(is_known)).copied().collect();
            selects.push(json!({"op": "select", "table": table, "where": [], "columns": columns}));
            has.extend(columns.into_iter().map(|column| (table, column)));
        }
        Ok(Self { selects, has })
    }

    pub(super) fn has(&self, table: &'static str, column: &'static str) -> bool {
        self.has.contains(&(table, column))
    }
}

/// Everything of a switch's host.
#[derive(Debug, Default)]
pub(super) struct Tables {
    /// Of the switch's program.
    pub(super) version: String,
    /// What it can plug in.
    pub(super) interface_types: Vec<String>,
    /// The last change that the switch's program has carried out, and the last that was asked for.
    pub(super) current: i64,
    pub(super) asked: i64,
    pub(super) hypervisor: Option<String>,
    pub(super) bridges: Vec<Bridge>,
}

#[derive(Debug, Default)]
pub(super) struct Bridge {
    pub(super) id: String,
    pub(super) name: String,
    /// As inventories name it: `system/bridge`.
    pub(super) switch: String,
    /// In which it learns no addresses.
    pub(super) flood_vlans: BTreeSet<u16>,
    pub(super) ports: Vec<Port>,
    pub(super) mirrors: Vec<Mirror>,
}

/// Several interfaces where it is a bond.
#[derive(Debug, Default)]
pub(super) struct Port {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) vlan: Option<u16>,
    pub(super) ids: BTreeMap<String, String>,
    pub(super) interfaces: Vec<Interface>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Interface {
    pub(super) id: String,
    pub(super) name: String,
    /// Empty for one of the operating system's.
    pub(super) kind: String,
    pub(super) options: BTreeMap<String, String>,
    pub(super) ids: BTreeMap<String, String>,
    pub(super) status: BTreeMap<String, String>,
    pub(super) statistics: BTreeMap<String, u64>,
    pub(super) error: String,
    /// -1 when it could not be plugged in.
    pub(super) ofport: Option<i64>,
    pub(super) speed_bps: Option<u64>,
    pub(super) mtu: Option<u32>,
}

/// A row of the table of mirrors. Ports are named by their ids.
#[derive(Debug, Default)]
pub(super) struct Mirror {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) all: bool,
    pub(super) from: BTreeSet<String>,
    pub(super) to: BTreeSet<String>,
    pub(super) vlans: BTreeSet<u16>,
    pub(super) output_port: Option<String>,
    pub(super) output_vlan: Option<u16>,
    pub(super) snap: Option<u32>,
    pub(super) ids: BTreeMap<String, String>,
    pub(super) statistics: BTreeMap<String, u64>,
}

impl Tables {
    /// What the selects of [`Schema`] answered, or what could not be read of it. What is not of the schema is passed over.
    pub(super) fn read(results: &Value) -> Result<Self, String> {
        let rows = |table: usize| results[table]["rows"].as_array().map(Vec::as_slice);
        let each = |table: usize| rows(table).ok_or_else(|| format!("no rows of {}", TABLES[table].table));
        let (systems, bridges) = (each(0)?, each(1)?);
        let interfaces = by_id(each(3)?, interface);
        let ports = by_id(each(2)?, |row| port(row, &interfaces));
        let mut mirrors = by_id(each(4)?, mirror);
        // The table has one row, by the schema.
        let row = systems.first().unwrap_or(&Value::Null);
        let ids = texts(&row["external_ids"]);
        let system = ids.get("system-id").cloned().unwrap_or_else(|| id(row));
        let mut ports = ports;
        let bridge = |row: &Value| {
            let name = text(&row["name"]);
            Bridge {
                id: id(row),
                switch: format!("{system}/{name}"),
                name,
                flood_vlans: vlans(&row["flood_vlans"]).into_iter().collect(),
                ports: references(&row["ports"]).iter().filter_map(|id| ports.remove(id)).collect(),
                mirrors: references(&row["mirrors"]).iter().filter_map(|id| mirrors.remove(id)).collect(),
            }
        };
        Ok(Self {
            version: text(&row["ovs_version"]),
            interface_types: members(&row["iface_types"]).iter().map(text).collect(),
            current: row["cur_cfg"].as_i64().unwrap_or_default(),
            asked: row["next_cfg"].as_i64().unwrap_or_default(),
            hypervisor: ids.get("hostname").filter(|name| !name.is_empty()).cloned(),
            bridges: bridges.iter().map(bridge).collect(),
        })
    }

    pub(super) fn bridge(&self, switch: &str) -> Option<&Bridge> {
        self.bridges.iter().find(|bridge| bridge.switch == switch)
    }
}

impl Bridge {
    /// The port of this name, whole: `vnet1` is not `vnet11`.
    pub(super) fn port(&self, name: &str) -> Option<&Port> {
        self.ports.iter().find(|port| port.name == name)
    }

    pub(super) fn port_of_id(&self, id: &str) -> Option<&Port> {
        self.ports.iter().find(|port| port.id == id)
    }

    /// The names of ports by their ids; one that is on no bridge any more keeps its id.
    pub(super) fn names<'a>(&'a self, ids: &'a BTreeSet<String>) -> BTreeSet<&'a str> {
        ids.iter().map(|id| self.port_of_id(id).map_or(id.as_str(), |port| port.name.as_str())).collect()
    }
}

impl Port {
    /// The count of this name over its interfaces.
    pub(super) fn count(&self, name: &str) -> Option<u64> {
        let counts = self.interfaces.iter().map(|interface| interface.statistics.get(name));
        counts.fold(None, |sum, count| match count {
            Some(count) => Some(sum.unwrap_or(0_u64).saturating_add(*count)),
            None => sum,
        })
    }
}

fn by_id<T>(rows: &[Value], read: impl Fn(&Value) -> T) -> BTreeMap<String, T> {
    rows.iter().map(|row| (id(row), read(row))).collect()
}

fn id(row: &Value) -> String {
    references(&row["_uuid"]).pop().unwrap_or_default()
}

fn interface(row: &Value) -> Interface {
    let number = |column: &str| members(&row[column]).first().and_then(Value::as_u64);
    Interface {
        id: id(row),
        name: text(&row["name"]),
        // The schema knows two words for one of the operating system's.
        kind: Some(text(&row["type"])).filter(|kind| kind != "system").unwrap_or_default(),
        options: texts(&row["options"]),
        ids: texts(&row["external_ids"]),
        status: texts(&row["status"]),
        statistics: counts(&row["statistics"]),
        error: text(&row["error"]),
        ofport: members(&row["ofport"]).first().and_then(Value::as_i64),
        speed_bps: number("link_speed"),
        mtu: number("mtu").and_then(|mtu| u32::try_from(mtu).ok()),
    }
}

fn port(row: &Value, interfaces: &BTreeMap<String, Interface>) -> Port {
    Port {
        id: id(row),
        name: text(&row["name"]),
        vlan: vlan(&row["tag"]),
        ids: texts(&row["external_ids"]),
        interfaces: references(&row["interfaces"]).iter().filter_map(|id| interfaces.get(id)).cloned().collect(),
    }
}

fn mirror(row: &Value) -> Mirror {
    let number = |column: &str| members(&row[column]).first().and_then(Value::as_u64);
    Mirror {
        id: id(row),
        name: text(&row["name"]),
        all: row["select_all"] == true,
        from: references(&row["select_src_port"]).into_iter().collect(),
        to: references(&row["select_dst_port"]).into_iter().collect(),
        vlans: vlans(&row["select_vlan"]).into_iter().collect(),
        output_port: references(&row["output_port"]).pop(),
        output_vlan: vlan(&row["output_vlan"]),
        snap: number("snaplen").and_then(|bytes| u32::try_from(bytes).ok()),
        ids: texts(&row["external_ids"]),
        statistics: counts(&row["statistics"]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_columns_that_exist_are_asked_for() {
        let mut schema = json!({"tables": {}});
        for Columns { table, needed, .. } in TABLES {
            for column in needed {
                schema["tables"][table]["columns"][column] = json!({});
            }
        }
        let read = Schema::read(&schema).unwrap();
        assert!(read.has("Mirror", "output_port") && !read.has("Mirror", "snaplen"));
        schema["tables"]["Mirror"]["columns"]["snaplen"] = json!({});
        assert!(Schema::read(&schema).unwrap().has("Mirror", "snaplen"));
        schema["tables"]["Bridge"]["columns"] = json!({"name": {}, "ports": {}});
        assert_eq!(Schema::read(&schema).unwrap_err(), "Bridge.mirrors");
    }

    #[test]
    fn rows_find_what_they_are_part_of() {
        let results = json!([
            {"rows": [{"_uuid": ["uuid", "s"], "bridges": ["uuid", "b"], "cur_cfg": 3, "next_cfg": 4, "ovs_version": "3.1.0",
                "external_ids": ["map", [["system-id", "sys"], ["hostname", "hv"]]]}]},
            {"rows": [{"_uuid": ["uuid", "b"], "name": "br0", "ports": ["set", [["uuid", "p"], ["uuid", "gone"]]],
                "mirrors": ["uuid", "m"], "flood_vlans": 9}]},
            {"rows": [{"_uuid": ["uuid", "p"], "name": "bond0", "interfaces": ["set", [["uuid", "i"], ["uuid", "j"]]], "tag": 7}]},
            {"rows": [
                {"_uuid": ["uuid", "i"], "name": "t1", "type": "system", "statistics": ["map", [["rx_packets", 2]]]},
                {"_uuid": ["uuid", "j"], "name": "t2", "type": "", "statistics": ["map", [["rx_packets", 3]]]},
            ]},
            {"rows": [{"_uuid": ["uuid", "m"], "name": "mine", "select_all": false, "select_src_port": ["uuid", "p"],
                "select_dst_port": ["set", []], "output_port": ["uuid", "p"], "output_vlan": ["set", []], "snaplen": 64}]},
        ]);
        let tables = Tables::read(&results).unwrap();
        assert_eq!((tables.current, tables.asked, tables.hypervisor.as_deref()), (3, 4, Some("hv")));
        let bridge = tables.bridge("sys/br0").unwrap();
        assert_eq!(bridge.flood_vlans, BTreeSet::from([9]));
        let port = bridge.port("bond0").unwrap();
        assert_eq!((port.count("rx_packets"), port.count("tx_packets"), port.vlan), (Some(5), None, Some(7)));
        assert!(port.interfaces.iter().all(|interface| interface.kind.is_empty()));
        let mirror = &bridge.mirrors[0];
        assert_eq!(bridge.names(&mirror.from), BTreeSet::from(["bond0"]));
        assert_eq!((mirror.output_port.as_deref(), mirror.output_vlan, mirror.snap), (Some("p"), None, Some(64)));
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let word = "(set|map|uuid|rows|_uuid|name|ports|interfaces|mirrors|tag|external_ids|b|p|i|)";
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<i64>().prop_map(Value::from),
            word.prop_map(Value::from),
            any::<bool>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 4, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::btree_map(word, inner, 0..4).prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_answer_is_read_or_refused(value in any_json(), row in any_json()) {
            Tables::read(&value).ok();
            Schema::read(&value).ok();
            let rows = json!({"rows": [row, value]});
            prop_assert!(Tables::read(&json!([rows, rows, rows, rows, rows])).is_ok());
        }
    }
}
