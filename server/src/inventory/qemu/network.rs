//! What QEMU says of a machine's interfaces: the text of `info network`, and what their filters let through.

use serde_json::Value;
use shared::inventory::Nic;

/// More is no machine.
const NICS_MAX: usize = 1_024;

/// Reads the answer to `info network`:
///
/// ```text
/// net0: index=0,type=nic,model=virtio-net-pci,macaddr=52:54:00:12:34:56
///  \ hostnet0: index=0,type=tap,ifname=tap3,script=no,downscript=no
/// ```
///
/// What hangs on an interface follows it, after a backslash. Everything else (hubs, filters) is passed over.
pub(super) fn nics(text: &str) -> Vec<Nic> {
    let mut nics: Vec<Nic> = Vec::new();
    // Of the interface above; several queues of it come as several lines of one name.
    let mut at_nic = false;
    for line in text.lines() {
        let behind = line.trim_start().strip_prefix('\\');
        let Some((name, facts)) = behind.unwrap_or(line).split_once(": ") else { continue };
        let fact = |key: &str| facts.split(',').find_map(|fact| fact.trim().strip_prefix(key)?.strip_prefix('='));
        if behind.is_some() {
            let port = fact("ifname").filter(|_| at_nic).map(str::to_owned);
            if let (Some(port), Some(nic)) = (port, nics.last_mut()) {
                nic.port.get_or_insert(port);
            }
            continue;
        }
        at_nic = fact("type") == Some("nic");
        if at_nic && nics.last().is_none_or(|nic| nic.label != name) && nics.len() < NICS_MAX {
            let mac = fact("macaddr").and_then(|mac| mac.parse().ok());
            nics.push(Nic { label: name.to_owned(), mac, ..Nic::default() });
        }
    }
    nics
}

/// Takes in the answer to `query-rx-filter`: the system inside may have given an interface another address than QEMU
/// did, and that is the one on the wire.
pub(super) fn take_filters(nics: &mut Vec<Nic>, filters: &Value) {
    for filter in filters.as_array().into_iter().flatten() {
        let mac = filter["main-mac"].as_str().and_then(|mac| mac.parse().ok());
        let (Some(name), Some(mac)) = (filter["name"].as_str(), mac) else { continue };
        if let Some(nic) = nics.iter_mut().find(|nic| nic.label == name) {
            nic.mac = Some(mac);
        } else if nics.len() < NICS_MAX {
            nics.push(Nic { label: name.to_owned(), mac: Some(mac), ..Nic::default() });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn nic(label: &str, mac: &str, port: Option<&str>) -> Nic {
        Nic { label: label.into(), mac: mac.parse().ok(), port: port.map(str::to_owned), ..Nic::default() }
    }

    #[test]
    fn interfaces_are_read_with_what_hangs_on_them() {
        let text = "hub 0\r\n \\ hub0port0: #net1: index=0,type=user,net=192.0.2.0\r\n\
                    net0: index=0,type=nic,model=virtio-net-pci,macaddr=52:54:00:12:34:56\r\n\
                    \x20\\ t0: index=0,type=tap,ifname=tap3,script=no,downscript=no\r\n\
                    net0: index=1,type=nic,model=virtio-net-pci,macaddr=52:54:00:12:34:56\r\n\
                    \x20\\ t0: index=1,type=tap,ifname=tap3,script=no,downscript=no\r\n\
                    net1: index=0,type=nic,model=e1000,macaddr=52:54:00:12:34:57\r\n\
                    \x20\\ t1: index=0,type=tap,fd=25\r\n\
                    t2: index=0,type=tap,ifname=tap9\r\n";
        let expected = [nic("net0", "52:54:00:12:34:56", Some("tap3")), nic("net1", "52:54:00:12:34:57", None)];
        assert_eq!(nics(text), expected);
    }

    #[test]
    fn the_address_on_the_wire_counts() {
        let mut found = vec![nic("net0", "52:54:00:12:34:56", Some("tap3"))];
        let filters = json!([
            {"name": "net0", "main-mac": "02:00:00:00:00:01"},
            {"name": "net1", "main-mac": "02:00:00:00:00:02"},
            {"name": "net2", "main-mac": "00:00:00:00:00:00"},
            7,
        ]);
        take_filters(&mut found, &filters);
        assert_eq!(found, [nic("net0", "02:00:00:00:00:01", Some("tap3")), nic("net1", "02:00:00:00:00:02", None)]);
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "[a-z0-9=:, \\\\\r\n]{0,200}", any in ".{0,60}") {
            let mut found = nics(&text);
            found.extend(nics(&any));
            take_filters(&mut found, &json!([{"name": any, "main-mac": text}, {"name": "net0"}]));
            prop_assert!(found.len() <= text.lines().count() + any.lines().count() + 1);
        }
    }
}
