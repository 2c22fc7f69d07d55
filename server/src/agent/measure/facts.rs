//! What the machine is: its name, its system, its parts, and the addresses by which it is joined to its VM.

use super::{fields::after, interfaces::is_made, roots::Roots};
use crate::agent::table::Table;
use shared::{Timestamp, host::HostFacts};
use std::net::IpAddr;

/// Addresses of each kind that are told.
const ADDRESSES_MAX: usize = 64;
/// A text of the machine's about itself; longer ones are cut.
const CHARS_MAX: usize = 128;

pub(super) fn read(roots: &Roots) -> HostFacts {
    let line = |file: &str| roots.text(file).map(|text| short(&text)).unwrap_or_default();
    let memory = roots.text("proc/meminfo").unwrap_or_default();
    let bytes = |name: &str| after(&memory, name).unwrap_or_default().saturating_mul(1_024);
    let stat = roots.text("proc/stat").unwrap_or_default();
    let is_core =
        |line: &&str| line.strip_prefix("cpu").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    let boot_s = after(&stat, "btime").and_then(|it| i64::try_from(it).ok());
    let (ips, macs) = if roots.is_here { addresses() } else { Default::default() };
    HostFacts {
        hostname: line("proc/sys/kernel/hostname"),
        os: system(roots),
        kernel: line("proc/sys/kernel/osrelease"),
        arch: std::env::consts::ARCH.to_owned(),
        cpu_model: processor(&roots.text("proc/cpuinfo").unwrap_or_default()),
        cpus: u32::try_from(stat.lines().filter(is_core).count()).unwrap_or_default(),
        memory_bytes: bytes("MemTotal"),
        swap_bytes: bytes("SwapTotal"),
        boot_at: boot_s.map(|it| Timestamp::from_ms(it.saturating_mul(1_000))),
        ips,
        macs,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        missing: Vec::new(),
    }
}

/// The name of the distribution (os-release(5)).
fn system(roots: &Roots) -> String {
    let text = ["etc/os-release", "usr/lib/os-release"].iter().find_map(|file| roots.text(file)).unwrap_or_default();
    let name = text.lines().find_map(|line| line.strip_prefix("PRETTY_NAME=")).unwrap_or("Linux");
    short(name.trim().trim_matches(['"', '\'']))
}

/// The model, as the kind of processor has it: Arm and others write no `model name`.
fn processor(text: &str) -> String {
    let of = |name: &str| {
        let pairs = text.lines().filter_map(|line| line.split_once(':'));
        pairs.filter(|(key, _)| key.trim() == name).map(|(_, value)| value.trim()).find(|value| !value.is_empty())
    };
    short(["model name", "Model", "cpu", "Processor", "Hardware"].into_iter().find_map(of).unwrap_or_default())
}

/// Its own addresses, without those that every machine has alike: the loopback's, the link's, and a container bridge's.
fn addresses() -> (Vec<IpAddr>, Vec<shared::net::Mac>) {
    let table = Table::read(&[]).unwrap_or_default();
    let (mut ips, mut macs) = (Vec::new(), Vec::new());
    for interface in table.interfaces().filter(|it| !is_made(&it.name)) {
        ips.extend(interface.nets.iter().map(ipnet::IpNet::addr));
        macs.extend(interface.mac);
    }
    ips.retain(|ip| match ip {
        IpAddr::V4(v4) => !v4.is_loopback() && !v4.is_link_local(),
        IpAddr::V6(v6) => !v6.is_loopback() && !v6.is_unicast_link_local(),
    });
    ips.sort_unstable();
    ips.dedup();
    macs.sort_unstable();
    macs.dedup();
    ips.truncate(ADDRESSES_MAX);
    macs.truncate(ADDRESSES_MAX);
    (ips, macs)
}

fn short(text: &str) -> String {
    text.trim().chars().filter(|c| !c.is_control()).take(CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_processor_is_named_by_whatever_its_kind_writes() {
        assert_eq!(processor("processor\t: 0\nmodel name\t: Intel(R) Xeon(R)\n"), "Intel(R) Xeon(R)");
        assert_eq!(processor("processor\t: 0\ncpu\t\t: POWER9, altivec supported\n"), "POWER9, altivec supported");
        assert_eq!(processor("CPU part\t: 0xd0c\n"), "");
    }
}
