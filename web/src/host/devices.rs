//! The disks and interfaces of a host, as the strip at the top of its page shows them.

use super::board::natural;
use crate::order::sorted;
use shared::{api::SeriesRow, host::SeriesName};

/// So many of each have a line; charts show the others.
pub(crate) const SHOWN: usize = 8;

/// What is measured of a disk.
pub(crate) const DISK: [&str; 3] = ["disk.io.util", "disk.io.await", "disk.io.svctm"];
/// What is measured of an interface.
pub(crate) const INTERFACE: [&str; 8] = [
    "net.if.in.bits",
    "net.if.out.bits",
    "net.if.in.packets",
    "net.if.out.packets",
    "net.if.in.dropped",
    "net.if.out.dropped",
    "net.if.in.errors",
    "net.if.out.errors",
];

/// A disk or an interface: its name, and the tags of its series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Device {
    pub(crate) name: String,
    tags: String,
}

impl Device {
    /// Its series of a metric.
    pub(crate) fn series(&self, metric: &str) -> String {
        format!("{metric}/{}", self.tags)
    }
}

/// The first of them by name, without the loopback, and how many there are.
fn of(series: &[SeriesRow], metric: &str, tag: &str) -> (Vec<Device>, usize) {
    let device = |row: &SeriesRow| {
        let tags = row.name.strip_prefix(metric)?.strip_prefix('/')?.to_owned();
        let name = row.name.parse::<SeriesName>().ok()?.tag(tag)?.to_owned();
        (name != "lo").then_some(Device { name, tags })
    };
    let mut all = sorted(series.iter().filter_map(device).collect(), |a, b| natural(&a.name, &b.name));
    let count = all.len();
    all.truncate(SHOWN);
    (all, count)
}

pub(crate) fn disks(series: &[SeriesRow]) -> (Vec<Device>, usize) {
    of(series, DISK[0], "device")
}

pub(crate) fn interfaces(series: &[SeriesRow]) -> (Vec<Device>, usize) {
    of(series, INTERFACE[0], "iface")
}

/// The series of all that the strip shows of them.
pub(crate) fn watched(series: &[SeriesRow]) -> Vec<String> {
    let of = |devices: Vec<Device>, metrics: &[&str]| {
        devices.iter().flat_map(|device| metrics.iter().map(|metric| device.series(metric))).collect::<Vec<_>>()
    };
    let all = [of(disks(series).0, &DISK), of(interfaces(series).0, &INTERFACE)].concat();
    all.into_iter().filter(|name| series.iter().any(|row| row.name == *name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::{
        Timestamp,
        host::{Feed, Unit},
    };

    fn row(name: &str) -> SeriesRow {
        SeriesRow { name: name.into(), unit: Unit::Plain, last: None, at: Timestamp::from_ms(0), feed: Feed::Agent }
    }

    #[test]
    fn each_disk_and_interface_has_its_series() {
        let mut series: Vec<SeriesRow> = (0..12).map(|n| row(&format!("net.if.in.bits/iface=eth{n}"))).collect();
        for name in [
            "net.if.in.bits/iface=lo",
            "net.if.in.bits/iface=bond0,kind=bond",
            "disk.io.util/device=sda",
            "disk.io.await/device=sda",
            "cpu.busy",
        ] {
            series.push(row(name));
        }
        let (cards, count) = interfaces(&series);
        let names: Vec<&str> = cards.iter().map(|it| it.name.as_str()).collect();
        assert_eq!((&names[..4], cards.len(), count), (&["bond0", "eth0", "eth1", "eth2"][..], SHOWN, 13));
        assert_eq!(cards[0].series("net.if.out.bits"), "net.if.out.bits/iface=bond0,kind=bond");
        let watched = watched(&series);
        assert_eq!(&watched[..2], ["disk.io.util/device=sda", "disk.io.await/device=sda"]);
        assert_eq!(watched.len(), 2 + SHOWN, "only what there is");
    }
}
