//! Open vSwitch, libvirt, QEMU, and servers of SSH, of names and of syslog for the tests, unpacked into the target folder
//! and never installed.
//!
//! Installed, they would run as services of this machine and change its network, and they would push out what others
//! have put there in other versions. The tests lay the unpacked files over /usr in namespaces of their own, so nobody
//! else sees them, and no root is needed to fetch them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};

use crate::cargo::Project;
use crate::setup;
use crate::steps::{call, output, retry};

/// Programs that the tests start, and Debian's packages that bring them.
const PROGRAMS: &[(&str, &str)] = &[
    ("ovs-vswitchd", "openvswitch-switch"),
    ("libvirtd", "libvirt-daemon"),
    ("libvirtd", "libvirt-daemon-driver-qemu"),
    ("virsh", "libvirt-clients"),
    ("qemu-system-x86_64", "qemu-system-x86"),
    ("ip", "iproute2"),
    ("openssl", "openssl"),
    ("sshd", "openssh-server"),
    ("nc", "netcat-openbsd"),
    ("tcpdump", "tcpdump"),
    ("ping", "iputils-ping"),
    ("dnsmasq", "dnsmasq-base"),
    // With the media types that Zabbix comes with.
    ("zabbix_js", "zabbix-server-pgsql"),
    ("nagios4", "nagios4-core"),
    ("alarm-notify.sh", "netdata-plugins-bash"),
    ("logger", "bsdutils"),
    ("rsyslogd", "rsyslog"),
    ("syslog-ng", "syslog-ng-core"),
    ("syslog-ng", "syslog-ng-mod-http"),
];

/// The root of the unpacked files.
pub(crate) fn root(project: &Project) -> PathBuf {
    project.target_dir.join("lab/root")
}

/// Fetches and unpacks them unless that was done before.
pub(crate) fn programs(project: &Project) -> anyhow::Result<()> {
    let lacking = PROGRAMS.iter().filter(|(program, _)| !setup::on_path(program));
    let lacking: Vec<&str> = lacking.map(|(_, package)| *package).collect();
    let root = root(project);
    let stamp = project.target_dir.join("lab/packages");
    let is_unpacked = || root.is_dir() && fs::read_to_string(&stamp).is_ok_and(|names| names == lacking.join("\n"));
    if lacking.is_empty() || is_unpacked() {
        return Ok(());
    }
    if !setup::on_path("apt-get") {
        bail!("the tests of inventories need these packages (Debian's names): {}", lacking.join(" "));
    }
    // Lists that are missing or old are the usual reason to fail.
    if unpack(&lacking, &root).is_err() {
        retry("apt-get update", || setup::apt_get(&["update"]))?;
        retry("fetching the tests' daemons", || unpack(&lacking, &root))?;
    }
    fs::write(&stamp, lacking.join("\n")).context("marking the lab's programs as complete")
}

/// Makes the folder whole or not at all.
fn unpack(packages: &[&str], root: &Path) -> anyhow::Result<()> {
    let part = root.with_extension("part");
    let archives = root.with_extension("archives");
    for folder in [root, &part, &archives] {
        if folder.exists() {
            fs::remove_dir_all(folder).with_context(|| format!("removing {}", folder.display()))?;
        }
    }
    fs::create_dir_all(&part)?;
    fs::create_dir_all(&archives)?;
    call(Command::new("apt-get").args(["-q", "download"]).args(with_dependencies(packages)?).current_dir(&archives))?;
    for archive in fs::read_dir(&archives)? {
        call(Command::new("dpkg-deb").arg("--extract").arg(archive?.path()).arg(&part))?;
    }
    // On the machines of today /bin, /sbin and /lib lead into /usr.
    for folder in ["bin", "sbin", "lib"] {
        if part.join(folder).is_dir() {
            call(Command::new("cp").arg("-a").arg(part.join(folder).join(".")).arg(part.join("usr").join(folder)))?;
        }
    }
    fs::remove_dir_all(&archives)?;
    fs::rename(&part, root).context("moving the lab's programs to their place")
}

/// What installing packages would bring, by what apt says it would do. Each is asked for alone: unpacked beside each other
/// lie also those that must not be installed together, as two servers of syslog.
fn with_dependencies(packages: &[&str]) -> anyhow::Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for package in packages {
        let mut simulate = Command::new("apt-get");
        simulate.args(["-q", "install", "--simulate", "--no-install-recommends", package]).env("LC_ALL", "C");
        names.extend(named(&output(&mut simulate)?));
    }
    if names.is_empty() {
        bail!("these are installed, and yet their programs are not on the PATH: {}", packages.join(" "));
    }
    Ok(names)
}

fn named(plan: &str) -> Vec<String> {
    let name = |line: &str| line.strip_prefix("Inst ")?.split_whitespace().next().map(str::to_owned);
    plan.lines().filter_map(name).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_plan_of_apt_names_what_it_would_install() {
        let plan = "Reading package lists...\nRemv qemu-utils [1:10.0]\nInst kmod (30 Debian:12.15 [amd64])\n\
                    Inst libudev1 [252.38] (252.39 Debian:12.15 [amd64])\nConf kmod (30 Debian:12.15 [amd64])\n";
        assert_eq!(super::named(plan), ["kmod", "libudev1"]);
    }
}
