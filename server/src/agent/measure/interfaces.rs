//! Network interfaces, with the meaning of `ip -s link` (proc(5): net/dev; sysfs: class/net).
//!
//! What is sent over a bond leaves by one of its members, and what a bridge carries arrives at its port: added up, it would
//! count twice. So an interface that rides on another carries the tag `kind`, and a sum is over those without it. What is
//! made for each container or machine is left out.

use super::{
    roots::Roots,
    values::{Values, rate},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// Interfaces that are measured; by name, the first of more.
const INTERFACES_MAX: usize = 40;
/// Beginnings of names that programs give by themselves: to the ends of containers and machines, and to what holds those
/// together.
const MADE: [&str; 29] = [
    "br-",
    "cali",
    "cilium_",
    "cni",
    "docker",
    "dummy",
    "flannel",
    "fwbr",
    "fwln",
    "fwpr",
    "genev_sys",
    "ifb",
    "kube-",
    "lxc",
    "lxdbr",
    "nodelocaldns",
    "ovs-system",
    "podman",
    "qbr",
    "qvb",
    "qvo",
    "tap",
    "tunl",
    "veth",
    "virbr",
    "vnet",
    "vxlan_sys",
    "weave",
    "gre0",
];

#[derive(Debug, Default)]
pub(super) struct Interfaces {
    before: BTreeMap<String, Counters>,
    before_at: Duration,
}

/// What passed since the machine started, in and out: bytes, packets, errors, dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counters {
    received: [u64; 4],
    sent: [u64; 4],
}

/// Every interface of `net/dev`. Dropped are those that found no buffer in time, too, which `ip` shows as missed.
fn counters(text: &str) -> BTreeMap<String, Counters> {
    let line = |line: &str| {
        let (name, rest) = line.split_once(':')?;
        let numbers: Vec<u64> = super::fields::numbers(rest).collect();
        let (received, sent) = (numbers.first_chunk()?, numbers.get(8..)?.first_chunk()?);
        Some((name.trim().to_owned(), Counters { received: *received, sent: *sent }))
    };
    text.lines().filter_map(line).collect()
}

/// Whether a program made an interface for one of its containers or machines. A bridge that a person named is none:
/// Docker's have twelve letters of an id.
pub(crate) fn is_made(name: &str) -> bool {
    let is_made = |start: &&str| match name.strip_prefix(*start) {
        Some(id) if **start == *"br-" => id.len() == 12 && id.bytes().all(|b| b.is_ascii_hexdigit()),
        found => found.is_some(),
    };
    MADE.iter().any(is_made)
}

/// What an interface is, if it rides on another.
fn kind(name: &str, roots: &Roots, devices: &BTreeSet<String>) -> Option<String> {
    if name == "lo" {
        return None;
    }
    let folder = format!("sys/class/net/{name}");
    let parts = roots.names(&folder);
    if devices.contains(name) {
        // A function of a card that a paravirtual one has taken in is counted there.
        let master = roots.path(&folder).join("master").read_link().ok();
        let master = master.as_deref().and_then(|it| it.file_name()?.to_str());
        return master.filter(|master| devices.contains(*master)).map(|_| "member".to_owned());
    }
    let told = roots.text(&format!("{folder}/uevent")).unwrap_or_default();
    let told = told.lines().find_map(|line| line.strip_prefix("DEVTYPE=")).map(str::to_owned);
    let has = |part: &str| parts.iter().any(|it| it == part);
    let rides = parts.iter().any(|it| it.starts_with("lower_"));
    let by_folder =
        || [("bonding", "bond"), ("bridge", "bridge"), ("tun_flags", "tun")].into_iter().find(|(it, _)| has(it));
    match told.or_else(|| by_folder().map(|(_, kind)| kind.to_owned())) {
        Some(kind) => Some(kind),
        // Without any device, as in a container, what rides on nothing is all there is.
        None if rides || !devices.is_empty() => Some("virtual".to_owned()),
        None => None,
    }
}

impl Interfaces {
    pub(super) fn measure(&mut self, roots: &Roots, out: &mut Values) {
        let at = roots.now();
        let mut now = counters(&roots.text("proc/net/dev").unwrap_or_default());
        if now.is_empty() {
            out.lacks("net.if", "/proc/net/dev cannot be read");
        }
        // One that is not plugged in says nothing for ever.
        now.retain(|name, it| !is_made(name) && (it.received[0] > 0 || it.sent[0] > 0 || is_up(name, roots)));
        if now.len() > INTERFACES_MAX {
            out.lacks("net.if", format!("the first {INTERFACES_MAX} of {} interfaces are measured", now.len()));
        }
        while now.len() > INTERFACES_MAX {
            now.pop_last();
        }
        let is_device = |name: &&String| roots.path(&format!("sys/class/net/{name}/device")).exists();
        let devices: BTreeSet<String> = now.keys().filter(is_device).cloned().collect();
        let seconds = at.saturating_sub(self.before_at).as_secs_f64();
        for (name, now) in &now {
            let kind = kind(name, roots, &devices);
            let mut tags = vec![("iface", name.as_str())];
            tags.extend(kind.as_deref().map(|kind| ("kind", kind)));
            let before = self.before.get(name);
            for (way, now, before) in
                [("in", now.received, before.map(|it| it.received)), ("out", now.sent, before.map(|it| it.sent))]
            {
                for (n, what) in ["bits", "packets", "errors", "dropped"].iter().enumerate() {
                    let grown = before.and_then(|before| rate(*before.get(n)?, *now.get(n)?, seconds));
                    let each = if n == 0 { 8.0 } else { 1.0 };
                    out.put_of(&format!("net.if.{way}.{what}"), &tags, grown.map(|it| it * each));
                }
            }
            // Megabits; less than one where nothing is plugged in.
            let speed =
                roots.number(&format!("sys/class/net/{name}/speed")).filter(|it| (1..u64::from(u32::MAX)).contains(it));
            if name != "lo" {
                out.put_of("net.if.speed.bits", &tags, speed.map(|it| it as f64 * 1_000_000.0));
            }
        }
        (self.before, self.before_at) = (now, at);
    }
}

fn is_up(name: &str, roots: &Roots) -> bool {
    roots.text(&format!("sys/class/net/{name}/operstate")).is_none_or(|state| state.trim() != "down")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn bytes_packets_errors_and_drops_are_at_their_places() {
        let text = "Inter-|   Receive  |  Transmit\n face |bytes    packets errs drop fifo frame compressed multicast|bytes\n\
                    \u{20}   lo:     1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n eth0:1 2\n";
        let expected = Counters { received: [1, 2, 3, 4], sent: [9, 10, 11, 12] };
        assert_eq!(counters(text), BTreeMap::from([("lo".to_owned(), expected)]));
    }

    #[test]
    fn what_programs_make_for_themselves_is_left_out_and_what_people_name_is_not() {
        for made in ["veth12ab", "docker0", "br-0123456789ab", "vnet3", "cali0", "tunl0", "virbr0"] {
            assert!(is_made(made), "{made}");
        }
        for named in ["eth0", "br-int", "br0", "bond0", "eno1", "wg0", "lo", "br-storage-net"] {
            assert!(!is_made(named), "{named}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "(?s)([a-z]{0,4}:[0-9 ]{0,60}\n|.{0,20}\n){0,5}") {
            counters(&text);
        }
    }
}
