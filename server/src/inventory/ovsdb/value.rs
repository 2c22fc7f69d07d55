//! Values of OVSDB as JSON writes them (RFC 7047, 5.1).

use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The members of a set; a set of one may be written as its member alone.
pub(crate) fn members(value: &Value) -> &[Value] {
    match (value[0].as_str(), &value[1]) {
        (Some("set"), Value::Array(members)) => members,
        _ => std::slice::from_ref(value),
    }
}

/// The UUIDs of a set of references.
pub(crate) fn references(value: &Value) -> Vec<String> {
    let id = |member: &Value| (member[0] == "uuid").then(|| member[1].as_str().map(str::to_owned)).flatten();
    members(value).iter().filter_map(id).collect()
}

/// A map of texts.
pub(crate) fn texts(value: &Value) -> BTreeMap<String, String> {
    let pair = |pair: &Value| Some((pair[0].as_str()?.to_owned(), pair[1].as_str()?.to_owned()));
    pairs(value).iter().filter_map(pair).collect()
}

/// A map of counts; one that cannot be counted is -1 there and left out here.
pub(crate) fn counts(value: &Value) -> BTreeMap<String, u64> {
    let pair = |pair: &Value| Some((pair[0].as_str()?.to_owned(), pair[1].as_u64()?));
    pairs(value).iter().filter_map(pair).collect()
}

fn pairs(value: &Value) -> &[Value] {
    let pairs = if value[0] == "map" { value[1].as_array() } else { None };
    pairs.map_or(&[], Vec::as_slice)
}

/// A text, or nothing.
pub(crate) fn text(value: &Value) -> String {
    members(value).first().and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// The numbers of VLANs. Zero is a priority without a VLAN.
pub(crate) fn vlans(value: &Value) -> Vec<u16> {
    let vlan = |member: &Value| u16::try_from(member.as_u64()?).ok().filter(|vlan| (1..=4_094).contains(vlan));
    members(value).iter().filter_map(vlan).collect()
}

/// The first of [`vlans`].
pub(crate) fn vlan(value: &Value) -> Option<u16> {
    vlans(value).first().copied()
}

/// A set as it is sent.
pub(crate) fn set(members: impl IntoIterator<Item = Value>) -> Value {
    json!(["set", members.into_iter().collect::<Vec<_>>()])
}

/// A map as it is sent.
pub(crate) fn map<'a>(pairs: impl IntoIterator<Item = (&'a String, &'a String)>) -> Value {
    json!(["map", pairs.into_iter().map(|(key, value)| json!([key, value])).collect::<Vec<_>>()])
}

/// References as they are sent.
pub(crate) fn uuids<'a>(ids: impl IntoIterator<Item = &'a String>) -> Value {
    set(ids.into_iter().map(|id| json!(["uuid", id])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_of_one_and_of_none_are_sets() {
        assert_eq!(references(&json!(["uuid", "a"])), ["a"]);
        assert_eq!(references(&json!(["set", [["uuid", "a"], ["uuid", "b"]]])), ["a", "b"]);
        assert_eq!(references(&json!(["set", []])), Vec::<String>::new());
        assert_eq!((vlan(&json!(7)), vlan(&json!(0)), vlan(&json!(4_095))), (Some(7), None, None));
        assert_eq!(vlans(&json!(["set", [7, 8]])), [7, 8]);
        assert_eq!((text(&json!("a")), text(&json!(["set", []]))), ("a".into(), String::new()));
    }

    #[test]
    fn what_is_sent_is_read_back() {
        let given = BTreeMap::from([("a".to_owned(), "b".to_owned())]);
        assert_eq!(texts(&map(&given)), given);
        let ids = ["a".to_owned(), "b".to_owned()];
        assert_eq!(references(&uuids(&ids)), ids);
        let counted = json!(["map", [["rx_packets", 7], ["rx_errors", -1]]]);
        assert_eq!(counts(&counted), BTreeMap::from([("rx_packets".to_owned(), 7)]));
    }
}
