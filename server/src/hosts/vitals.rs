//! The few values of a host that lists show, made of its series.
//!
//! `cpu_busy` is `cpu.busy`, or what `cpu.idle` leaves; `cpu_iowait` `cpu.iowait`; `load1` `load.1min`; `mem_used`
//! `mem.memused.percent`; `swap_used` `mem.swapused.percent`; `disk_used` the largest `df.bytes.used.percent`; `disk_util`
//! the largest `disk.io.util`; `net_in_bits` and `net_out_bits` the sums of `net.if.in.bits` and `net.if.out.bits` without
//! the loopback and those that ride on others (by the tag `kind`, or where a sender knows none by their names); `tcp_established` `ss.estab`; `tcp_time_wait` `ss.timewait`;
//! `pids_used` `pids.used.percent`.

use super::{given, names::Series};
use shared::host::Vitals;

/// Makes them of the newest values.
pub(super) fn of<'a>(newest: impl Iterator<Item = (&'a Series, f32)>) -> Vitals {
    let mut vitals = Vitals::default();
    let mut idle = None;
    for (series, value) in newest {
        let largest = |vital: &mut Option<f32>| *vital = Some(vital.map_or(value, |it| it.max(value)));
        let sum = |vital: &mut Option<f32>| {
            let rides = |iface| iface == "lo" || given::interface_kind(iface).is_some();
            if series.name.tag("kind").is_none() && !series.name.tag("iface").is_some_and(rides) {
                *vital = Some(vital.unwrap_or_default() + value);
            }
        };
        match series.name.metric.as_str() {
            "cpu.busy" => vitals.cpu_busy = Some(value),
            "cpu.idle" => idle = Some(value),
            "cpu.iowait" => vitals.cpu_iowait = Some(value),
            "load.1min" => vitals.load1 = Some(value),
            "mem.memused.percent" => vitals.mem_used = Some(value),
            "mem.swapused.percent" => vitals.swap_used = Some(value),
            "df.bytes.used.percent" => largest(&mut vitals.disk_used),
            "disk.io.util" => largest(&mut vitals.disk_util),
            "net.if.in.bits" => sum(&mut vitals.net_in_bits),
            "net.if.out.bits" => sum(&mut vitals.net_out_bits),
            "ss.estab" => vitals.tcp_established = Some(value),
            "ss.timewait" => vitals.tcp_time_wait = Some(value),
            "pids.used.percent" => vitals.pids_used = Some(value),
            _ => {}
        }
    }
    vitals.cpu_busy = vitals.cpu_busy.or_else(|| idle.map(|idle| 100.0 - idle));
    vitals
}

#[cfg(test)]
mod tests {
    use super::{super::names::Names, *};

    #[test]
    fn the_fullest_the_busiest_and_what_comes_from_outside() {
        let names = Names::default();
        let newest = [
            ("cpu.idle", 88.0),
            ("df.bytes.used.percent/fstype=ext4,mount=/", 40.0),
            ("df.bytes.used.percent/fstype=ext4,mount=/data", 91.0),
            ("net.if.in.bits/iface=eth0", 5.0),
            ("net.if.in.bits/iface=eth1", 6.0),
            ("net.if.in.bits/iface=lo", 1000.0),
            ("net.if.in.bits/iface=bond0,kind=bond", 5.0),
            ("net.if.in.bits/iface=bond1", 6.0),
            ("ss.timewait", 7.0),
        ]
        .map(|(name, value)| (names.of(name.parse().unwrap()), value));
        let vitals = of(newest.iter().map(|(series, value)| (&**series, *value)));
        let expected = Vitals {
            cpu_busy: Some(12.0),
            disk_used: Some(91.0),
            net_in_bits: Some(11.0),
            tcp_time_wait: Some(7.0),
            ..Vitals::default()
        };
        assert_eq!(vitals, expected);
    }
}
