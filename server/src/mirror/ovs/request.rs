//! Transactions of a bridge's mirrors: as a plan shows them, as they are sent, and those that take them back.

use super::{
    tables::{Bridge, Mirror},
    tag::{self, FLOODED, PLAN_MARK},
    wanted::{NAME_BYTES, Output, OwnPort, Wanted},
};
use crate::{
    inventory::ovsdb::{
        DATABASE,
        value::{map, set, uuids},
    },
    mirror::Order,
};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use shared::mirror::{MIRROR_MARK, MirrorTag, Plan, PlanStep, REVISION_MARK, SwitchView};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

/// Stands in a plan for `yes` or `no`: whether the bridge learned in the VLAN before.
const FLOODED_MARK: &str = "{flooded}";
/// What of a bridge must be as it was read at the moment of sending.
const GUARDED: [&str; 3] = ["mirrors", "ports", "flood_vlans"];
/// Of the digest of a bridge's mirrors.
const REVISION_BYTES: usize = 8;

/// Changes when a mirror of the bridge does, but not with its tags and counts.
pub(super) fn revision(bridge: &Bridge) -> String {
    let mut mirrors: Vec<&Mirror> = bridge.mirrors.iter().collect();
    mirrors.sort_by(|a, b| a.id.cmp(&b.id));
    let mut text = format!("{} {:?}", bridge.id, bridge.flood_vlans);
    for Mirror { id, name, all, from, to, vlans, output_port, output_vlan, snap, .. } in mirrors {
        let row = (id, name, all, from, to, vlans, output_port, output_vlan, snap);
        // Writing into a text cannot fail.
        write!(text, "\n{row:?}").ok();
    }
    Sha256::digest(text).iter().take(REVISION_BYTES).fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

/// One transaction for all of it: a tunnel's port without its mirror would be a port like any other, and carry away what
/// the bridge sends to all.
pub(super) fn plan(order: &Order<'_>, view: &SwitchView, wanted: &Wanted) -> Plan {
    let operations = operations(order, &view.name, wanted);
    // What was just made of values is text.
    let sent = serde_json::to_string_pretty(&operations).unwrap_or_default();
    let undo = match &wanted.own {
        Some(own) => format!("remove the Mirror {} and the Port {} in one transaction", wanted.name, own.name),
        None => format!("remove the Mirror {}", wanted.name),
    };
    let step = PlanStep { call: "transact".to_owned(), sent, changes: changes(&view.name, wanted), undo };
    Plan {
        backend: view.backend.clone(),
        switch: view.switch.clone(),
        revision: view.revision.clone(),
        sources: order.sources.to_vec(),
        steps: vec![step],
        hash: String::new(),
    }
}

fn operations(order: &Order<'_>, bridge: &str, wanted: &Wanted) -> Value {
    let mut ids = tag::planned(order.tag);
    let is_bridge = json!([["name", "==", bridge]]);
    // Nothing is waited for: it is as it was read, or nothing of this is done.
    let mut operations = vec![
        json!(DATABASE),
        json!({"op": "wait", "timeout": 0, "table": "Bridge", "where": is_bridge, "columns": GUARDED, "until": "==",
            "rows": [REVISION_MARK]}),
    ];
    let mut mutations = vec![json!(["mirrors", "insert", set([json!(["named-uuid", "mirror"])])])];
    if let Some(own) = &wanted.own {
        operations.extend(port_rows(own, &ids));
        mutations.push(json!(["ports", "insert", set([json!(["named-uuid", "port"])])]));
    }
    let named = |names: &BTreeSet<String>| set(names.iter().map(|name| json!(["uuid", port_mark(name)])));
    let mut row = Map::from_iter([
        ("name".to_owned(), json!(wanted.name)),
        ("select_all".to_owned(), json!(false)),
        ("select_src_port".to_owned(), named(&wanted.from)),
        ("select_dst_port".to_owned(), named(&wanted.to)),
    ]);
    match &wanted.output {
        Output::Port(port) => row.insert("output_port".to_owned(), json!(["uuid", port_mark(port)])),
        Output::Tunnel => row.insert("output_port".to_owned(), json!(["named-uuid", "port"])),
        Output::Vlan(vlan) => {
            // Copies have addresses of others; learned there, they would lead the others' traffic astray.
            mutations.push(json!(["flood_vlans", "insert", vlan]));
            ids.insert(FLOODED.to_owned(), FLOODED_MARK.to_owned());
            row.insert("output_vlan".to_owned(), json!(vlan))
        }
    };
    if !wanted.vlans.is_empty() {
        row.insert("select_vlan".to_owned(), set(wanted.vlans.iter().map(|vlan| json!(vlan))));
    }
    if let Some(bytes) = wanted.snap {
        row.insert("snaplen".to_owned(), json!(bytes));
    }
    row.insert("external_ids".to_owned(), map(&ids));
    operations.push(json!({"op": "insert", "table": "Mirror", "uuid-name": "mirror", "row": row}));
    operations.push(json!({"op": "mutate", "table": "Bridge", "where": is_bridge, "mutations": mutations}));
    operations.extend(closing(&format!("{}: a port mirror for {}", wanted.name, order.tag.owner)));
    Value::Array(operations)
}

/// What every transaction ends with: a line for the switch's own journal, and the number by which it is known when the
/// switch's program has carried it out.
pub(super) fn closing(comment: &str) -> [Value; 3] {
    [
        json!({"op": "comment", "comment": comment}),
        json!({"op": "mutate", "table": "Open_vSwitch", "where": [], "mutations": [["next_cfg", "+=", 1]]}),
        json!({"op": "select", "table": "Open_vSwitch", "where": [], "columns": ["next_cfg"]}),
    ]
}

fn changes(bridge: &str, wanted: &Wanted) -> Vec<String> {
    let mut lines = Vec::new();
    let list = |names: &BTreeSet<String>| names.iter().map(String::as_str).collect::<Vec<_>>().join(",");
    let mut added = vec![format!("mirrors += {}", wanted.name)];
    if let Some(own) = &wanted.own {
        let options = own.options.iter().map(|(key, value)| format!(" {key}={value}"));
        lines.push(format!("+ Interface {} type={}{}", own.name, own.kind, options.collect::<String>()));
        lines.push(format!("+ Port {}", own.name));
        added.push(format!("ports += {}", own.name));
    }
    let mut row = format!("+ Mirror {}", wanted.name);
    let mut says = |column: &str, value: String| {
        if !value.is_empty() {
            row += &format!(" {column}={value}");
        }
    };
    says("select_src_port", list(&wanted.from));
    says("select_dst_port", list(&wanted.to));
    says("select_vlan", wanted.vlans.iter().map(u16::to_string).collect::<Vec<_>>().join(","));
    match (&wanted.output, &wanted.own) {
        (Output::Port(port), _) => says("output_port", port.clone()),
        (Output::Tunnel, own) => says("output_port", own.as_ref().map(|own| own.name.clone()).unwrap_or_default()),
        (Output::Vlan(vlan), _) => {
            says("output_vlan", format!("{vlan} (in place of the VLAN a packet had)"));
            added.push(format!("flood_vlans += {vlan}"));
        }
    }
    says("snaplen", wanted.snap.map(|bytes| bytes.to_string()).unwrap_or_default());
    lines.push(row);
    lines.extend(added.iter().map(|added| format!("~ Bridge {bridge} {added}")));
    if let Output::Port(port) = &wanted.output {
        lines.push(format!("~ Port {port} carries nothing but copies"));
    }
    lines
}

fn port_mark(name: &str) -> String {
    format!("{{port {name}}}")
}

/// A plan as it is sent to the bridge as it is: marks become what they stand for.
pub(super) fn filled(plan: &Plan, tag: &MirrorTag, bridge: &Bridge) -> Result<Value, String> {
    let [PlanStep { sent, .. }] = plan.steps.as_slice() else {
        return Err("the plan is not one of this switch's".to_owned());
    };
    let sent: Value = serde_json::from_str(sent).map_err(|error| format!("the plan cannot be read ({error})"))?;
    let filled = fill(&sent, tag, bridge)?;
    let own = filled
        .as_array()
        .into_iter()
        .flatten()
        .filter(|it| it["table"] == "Port")
        .find_map(|it| it["row"]["name"].as_str());
    match own {
        Some(name) if name.len() > NAME_BYTES => Err(format!("{name} is too long for the name of a port")),
        _ => Ok(filled),
    }
}

fn fill(value: &Value, tag: &MirrorTag, bridge: &Bridge) -> Result<Value, String> {
    Ok(match value {
        Value::Array(values) => {
            let filled = values.iter().map(|value| fill(value, tag, bridge));
            Value::Array(filled.collect::<Result<_, _>>()?)
        }
        Value::Object(fields) => {
            let filled = fields.iter().map(|(key, value)| Ok((key.clone(), fill(value, tag, bridge)?)));
            Value::Object(filled.collect::<Result<_, String>>()?)
        }
        Value::String(text) if text == REVISION_MARK => guard(bridge),
        Value::String(text) => Value::String(fill_text(text, tag, bridge)?),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    })
}

fn fill_text(text: &str, tag: &MirrorTag, bridge: &Bridge) -> Result<String, String> {
    if let Some(name) = text.strip_prefix("{port ").and_then(|rest| rest.strip_suffix('}')) {
        let port =
            bridge.port(name).ok_or_else(|| format!("the bridge {} has no port {name} any more", bridge.name))?;
        return Ok(port.id.clone());
    }
    Ok(text.replace(MIRROR_MARK, &tag.mirror.to_string()).replace(PLAN_MARK, &tag.plan))
}

fn guard(bridge: &Bridge) -> Value {
    json!({
        "mirrors": uuids(bridge.mirrors.iter().map(|mirror| &mirror.id)),
        "ports": uuids(bridge.ports.iter().map(|port| &port.id)),
        "flood_vlans": set(bridge.flood_vlans.iter().map(|vlan| json!(vlan))),
    })
}

/// Writes into a filled plan whether learning is switched off for this mirror, or was off before: then it stays off. What
/// is off for another mirror of ours counts for this one too, as the last of them switches it on.
pub(super) fn mark_flooded(operations: &mut Value, bridge: &Bridge) {
    let rows = operations.as_array_mut().into_iter().flatten().filter(|it| it["table"] == "Mirror");
    for row in rows {
        let row = &mut row["row"];
        let vlan = row["output_vlan"].as_u64();
        let is_of = |mirror: &&Mirror| mirror.output_vlan.map(u64::from) == vlan && is_flooded_for(mirror);
        let was_flooded = bridge.flood_vlans.iter().any(|flooded| Some(u64::from(*flooded)) == vlan);
        let answer = if !was_flooded || bridge.mirrors.iter().any(|it| is_of(&it)) { "yes" } else { "no" };
        if let Some(ids) = row.pointer_mut("/external_ids/1").and_then(Value::as_array_mut) {
            for pair in ids.iter_mut().filter(|pair| pair[1] == FLOODED_MARK) {
                pair[1] = json!(answer);
            }
        }
    }
}

fn is_flooded_for(mirror: &Mirror) -> bool {
    mirror.ids.get(FLOODED).is_some_and(|answer| answer == "yes")
}

/// What of a bridge is to go, by ids.
#[derive(Debug, Default)]
pub(super) struct Going {
    pub(super) mirrors: BTreeSet<String>,
    pub(super) ports: BTreeSet<String>,
}

impl Going {
    pub(super) fn is_empty(&self) -> bool {
        self.mirrors.is_empty() && self.ports.is_empty()
    }
}

/// One transaction that takes mirrors away with what was made for them. What is gone already is passed over.
pub(super) fn removal(bridge: &Bridge, going: &Going, comment: &str) -> Vec<Value> {
    let (gone, left): (Vec<&Mirror>, Vec<&Mirror>) =
        bridge.mirrors.iter().partition(|it| going.mirrors.contains(&it.id));
    let mut mutations =
        vec![json!(["mirrors", "delete", uuids(&going.mirrors)]), json!(["ports", "delete", uuids(&going.ports)])];
    let is_used = |vlan: u16| left.iter().any(|mirror| mirror.output_vlan == Some(vlan));
    let vlans = gone.iter().filter(|mirror| is_flooded_for(mirror)).filter_map(|mirror| mirror.output_vlan);
    let vlans: BTreeSet<u16> = vlans.filter(|vlan| !is_used(*vlan)).collect();
    if !vlans.is_empty() {
        mutations.push(json!(["flood_vlans", "delete", set(vlans.iter().map(|vlan| json!(vlan)))]));
    }
    let is_bridge = json!([["_uuid", "==", ["uuid", bridge.id]]]);
    let mut operations =
        vec![json!(DATABASE), json!({"op": "mutate", "table": "Bridge", "where": is_bridge, "mutations": mutations})];
    operations.extend(closing(comment));
    operations
}

/// Adds a port to a removal that has none to take away, so that there is one the next time.
pub(super) fn add_blind_port(operations: &mut Vec<Value>, bridge: &Bridge, own: &OwnPort, tag: &MirrorTag) {
    let ids = tag::written(tag);
    let [interface, port] = port_rows(own, &ids);
    let is_bridge = json!([["_uuid", "==", ["uuid", bridge.id]]]);
    let mutations = json!([["ports", "insert", set([json!(["named-uuid", "port"])])]]);
    let added = json!({"op": "mutate", "table": "Bridge", "where": is_bridge, "mutations": mutations});
    // Behind the name of the database.
    operations.splice(1..1, [interface, port, added]);
}

fn port_rows(own: &OwnPort, ids: &BTreeMap<String, String>) -> [Value; 2] {
    [
        json!({"op": "insert", "table": "Interface", "uuid-name": "interface", "row": {
            "name": own.name, "type": own.kind, "options": map(&own.options), "external_ids": map(ids)}}),
        json!({"op": "insert", "table": "Port", "uuid-name": "port", "row": {
            "name": own.name, "interfaces": ["named-uuid", "interface"], "external_ids": map(ids)}}),
    ]
}

/// Writes a tag anew on rows of a table, and leaves what else stands there.
pub(super) fn tagging(table: &str, id: &str, tag: &MirrorTag) -> Value {
    let keys = set(tag::KEYS.iter().map(|key| json!(key)));
    json!({"op": "mutate", "table": table, "where": [["_uuid", "==", ["uuid", id]]], "mutations": [
        ["external_ids", "delete", keys],
        ["external_ids", "insert", map(&tag::written(tag))],
    ]})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mirror::ovs::{tables::Port, wanted::blind_port_of};
    use proptest::prelude::*;
    use shared::{MirrorId, Timestamp};

    fn tag() -> MirrorTag {
        let expires_at = Timestamp::from_ms(9);
        MirrorTag { mirror: MirrorId(7), instance: "ab12".into(), owner: "ada".into(), expires_at, plan: "0f".into() }
    }

    fn bridge() -> Bridge {
        let port = |name: &str| Port { id: format!("id-{name}"), name: name.to_owned(), ..Port::default() };
        Bridge { id: "b".into(), name: "br0".into(), ports: vec![port("vnet1"), port("vnet11")], ..Bridge::default() }
    }

    fn rspan(id: &str, vlan: u16, flooded: &str) -> Mirror {
        let ids = BTreeMap::from([(FLOODED.to_owned(), flooded.to_owned())]);
        Mirror { id: id.to_owned(), output_vlan: Some(vlan), ids, ..Mirror::default() }
    }

    fn planned(sent: &Value) -> Plan {
        let step = PlanStep { call: String::new(), sent: sent.to_string(), changes: Vec::new(), undo: String::new() };
        Plan { steps: vec![step], ..Plan::default() }
    }

    #[test]
    fn marks_become_what_they_stand_for() {
        let sent = json!([["uuid", "{port vnet1}"], "tocsin-ab12-{mirror}", "{plan}", 7, REVISION_MARK]);
        let filled = filled(&planned(&sent), &tag(), &bridge()).unwrap();
        let guard = json!({"mirrors": ["set", []], "flood_vlans": ["set", []],
            "ports": ["set", [["uuid", "id-vnet1"], ["uuid", "id-vnet11"]]]});
        assert_eq!(filled, json!([["uuid", "id-vnet1"], "tocsin-ab12-7", "0f", 7, guard]));
        let gone = json!(["{port vnet}"]);
        assert!(super::filled(&planned(&gone), &tag(), &bridge()).unwrap_err().contains("no port vnet "));
        assert!(super::filled(&Plan::default(), &tag(), &bridge()).is_err());
    }

    /// The answer that is written for a mirror into VLAN 999.
    fn flooded(bridge: &Bridge) -> Value {
        let ids = BTreeMap::from([(FLOODED.to_owned(), FLOODED_MARK.to_owned())]);
        let row = json!({"output_vlan": 999, "external_ids": map(&ids)});
        let mut operations = json!(["Open_vSwitch", {"op": "insert", "table": "Mirror", "row": row}]);
        mark_flooded(&mut operations, bridge);
        operations[1]["row"]["external_ids"][1][0][1].clone()
    }

    #[test]
    fn learning_comes_back_with_the_last_mirror_if_it_was_on_before() {
        let mut bridge = bridge();
        assert_eq!(flooded(&bridge), "yes");
        bridge.flood_vlans = BTreeSet::from([999]);
        assert_eq!(flooded(&bridge), "no");
        bridge.mirrors = vec![rspan("m1", 999, "yes"), rspan("m2", 999, "yes")];
        assert_eq!(flooded(&bridge), "yes");
        let sent = |ids: &[&str]| {
            let mirrors = ids.iter().map(|id| (*id).to_owned()).collect();
            Value::Array(removal(&bridge, &Going { mirrors, ports: BTreeSet::new() }, "")).to_string()
        };
        assert!(!sent(&["m1"]).contains("flood_vlans"));
        assert!(sent(&["m1", "m2"]).contains(r#"["flood_vlans","delete",["set",[999]]]"#));
        bridge.mirrors = vec![rspan("m1", 999, "no")];
        let going = Going { mirrors: BTreeSet::from(["m1".to_owned()]), ports: BTreeSet::new() };
        assert!(!Value::Array(removal(&bridge, &going, "")).to_string().contains("flood_vlans"));
    }

    #[test]
    fn a_port_that_is_added_to_a_removal_stands_before_it() {
        let bridge = bridge();
        let mut operations = removal(&bridge, &Going::default(), "");
        let own = blind_port_of(&tag());
        assert_eq!((own.name.as_str(), own.kind), ("tab12-7", "patch"));
        add_blind_port(&mut operations, &bridge, &own, &tag());
        let tables: Vec<&str> = operations.iter().filter_map(|it| it["table"].as_str()).collect();
        assert_eq!(tables[..4], ["Interface", "Port", "Bridge", "Bridge"]);
        assert_eq!(
            tag::read(&crate::inventory::ovsdb::value::texts(&operations[2]["row"]["external_ids"])),
            Some(tag())
        );
    }

    #[test]
    fn the_revision_changes_with_mirrors_and_not_with_tags() {
        let mut bridge = bridge();
        let none = revision(&bridge);
        bridge.mirrors.push(rspan("m1", 999, "yes"));
        let one = revision(&bridge);
        assert_ne!(none, one);
        bridge.mirrors[0].ids.insert("tocsin-expires".to_owned(), "9".to_owned());
        assert_eq!(revision(&bridge), one);
        bridge.mirrors[0].all = true;
        assert_ne!(revision(&bridge), one);
    }

    proptest! {
        #[test]
        fn any_plan_is_filled_or_refused(text in "[\\[\\]{}\":,a-z0-9 ]{0,60}") {
            let mut plan = planned(&json!(text));
            filled(&plan, &tag(), &bridge()).ok();
            plan.steps[0].sent = text;
            if let Ok(mut operations) = filled(&plan, &tag(), &bridge()) {
                mark_flooded(&mut operations, &bridge());
            }
        }
    }
}
