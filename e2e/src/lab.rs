//! A hypervisor of our own: real Open vSwitch, libvirt and QEMU in namespaces that end with the test.
//!
//! Everything runs under one shell that is the first process of its own process namespace, so when it ends, because the
//! test dropped it or is gone in whatever way, the kernel ends all the others and takes their network and mounts along.
//! It has a copy of the machine's /etc and an empty /var, of which nothing is kept; /run is a folder of the lab.

use crate::{environment, wait};
use anyhow::{Context as _, Result, bail, ensure};
use std::{
    fs,
    io::Write as _,
    os::unix::{fs::MetadataExt as _, process::CommandExt as _},
    path::PathBuf,
    process::{Child, Command, Stdio},
};
use tempfile::TempDir;

/// Sets the namespaces up, then runs each line of its input and leaves what came of it in files. `$0` is the lab's
/// folder, `$1` where the daemons are unpacked, or nothing.
const KEEPER: &str = r#"
set -e
lab=$0 programs=$1
mkdir "$lab/run" "$lab/private"
mount -t tmpfs tmpfs "$lab/private"
mkdir "$lab/private/etc" "$lab/private/var"
# What only root may read is not for us where we are somebody else.
cp -a /etc/. "$lab/private/etc" 2>/dev/null || :
if [ -n "$programs" ]; then mount -t overlay overlay -o "lowerdir=$programs/usr:/usr" /usr; fi
mount --bind "$lab/private/etc" /etc
mount --bind "$lab/private/var" /var
mount --bind "$lab/run" /run
ln -s /run /var/run
rm -rf /etc/libvirt /etc/openvswitch
mkdir -p /run/openvswitch /etc/libvirt /var/lib/libvirt /var/log/libvirt /var/cache/libvirt
grep -q ^libvirt-qemu: /etc/passwd || echo "libvirt-qemu:x:64055:64055::/:/usr/sbin/nologin" >> /etc/passwd
grep -q ^libvirt-qemu: /etc/group || echo "libvirt-qemu:x:64055:" >> /etc/group
export PATH=/usr/lib/openvswitch-switch:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C
cd "$lab"
exec 3<&0 </dev/null
: > ready
while read -r number command <&3; do
  code=0
  sh -c "$command" > "out.$number" 2> "err.$number" 3<&- || code=$?
  echo "$code" > code.part
  mv code.part "code.$number"
done
cd /
umount -l "$lab/private"
rm -rf "$lab"
"#;

/// What may be the reason where we are not root.
const NOT_ROOT: &str = "run these tests as root: without, libvirt starts no machine, and /dev/net/tun may be closed";

/// Which network the lab sees.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Network {
    /// One of its own, with nothing but itself.
    Own,
    /// The test's, for what the test must reach by TCP on 127.0.0.1. Nothing that makes interfaces may run there.
    Ours,
}

/// A lab that runs. Dropping it ends everything in it.
pub struct Lab {
    folder: TempDir,
    keeper: Child,
    is_root: bool,
    commands: u32,
}

impl Lab {
    /// Makes the namespaces; no daemon runs there yet.
    ///
    /// # Errors
    /// When the programs are missing or this machine allows no namespaces; the error says what to do.
    pub fn new(network: Network) -> Result<Self> {
        let programs = environment::lab();
        if programs.is_none() {
            let missing = ["ovs-vsctl", "virsh", "qemu-system-x86_64"]
                .into_iter()
                .find(|name| environment::program(name).is_none());
            let hint = "`cargo xtask test` unpacks Open vSwitch, libvirt and QEMU for the tests";
            ensure!(missing.is_none(), "{} is missing; {hint}", missing.unwrap_or_default());
        }
        Self::with(network, programs)
    }

    /// The same with a network of its own and no daemons, for what needs cables and machines only.
    ///
    /// # Errors
    /// When this machine allows no namespaces; the error says what to do.
    pub fn bare() -> Result<Self> {
        Self::with(Network::Own, None)
    }

    fn with(network: Network, programs: Option<PathBuf>) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("tocsin-lab-").tempdir()?;
        // What we just made is ours.
        let is_root = fs::metadata(folder.path())?.uid() == 0;
        let mut keeper = Command::new("unshare");
        if !is_root {
            keeper.args(["--user", "--map-root-user"]);
        }
        if network == Network::Own {
            keeper.arg("--net");
        }
        keeper.args(["--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", KEEPER]);
        keeper.arg(folder.path()).arg(programs.unwrap_or_default());
        let log = fs::File::create(folder.path().join("log"))?;
        // A group of its own: an interrupt of the test at the terminal reaches it by the closed input only.
        keeper.process_group(0).stdin(Stdio::piped()).stdout(log.try_clone()?).stderr(log);
        let keeper = keeper.spawn().context("unshare (util-linux) cannot be run")?;
        let mut lab = Self { folder, keeper, is_root, commands: 0 };
        let ready = lab.file("ready");
        wait::attempt("the lab's namespaces", wait::PATIENCE, || {
            if let Some(code) = lab.keeper.try_wait()? {
                let log = fs::read_to_string(lab.file("log")).unwrap_or_default();
                bail!(
                    "namespaces cannot be made here ({code}); run the tests as root, or allow user namespaces:\n{log}"
                );
            }
            Ok(ready.exists().then_some(()))
        })?;
        if network == Network::Own {
            lab.run("ip link set lo up")?;
        }
        Ok(lab)
    }

    /// Whether the test runs as root; inside, everybody is.
    #[must_use]
    pub const fn is_root(&self) -> bool {
        self.is_root
    }

    /// A file of the lab's folder, which has the same path inside.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Where a socket of the lab's /run is seen from outside.
    #[must_use]
    pub fn run_path(&self, name: &str) -> PathBuf {
        self.file("run").join(name)
    }

    /// Runs a line of shell inside, in the lab's folder, and gives what it prints.
    ///
    /// # Errors
    /// With what the command wrote, when it fails.
    pub fn run(&mut self, command: &str) -> Result<String> {
        ensure!(!command.contains('\n'), "a command of the lab is one line");
        self.commands += 1;
        let number = self.commands;
        let input = self.keeper.stdin.as_mut().context("the lab has ended")?;
        writeln!(input, "{number} {command}")?;
        let code = self.file(&format!("code.{number}"));
        let code = wait::until(command, wait::PATIENCE, || fs::read_to_string(&code).ok())?;
        let read = |kind: &str| fs::read(self.file(&format!("{kind}.{number}")));
        let out = String::from_utf8_lossy(&read("out")?).into_owned();
        let hint = if self.is_root { "" } else { NOT_ROOT };
        ensure!(code.trim() == "0", "{command}: {}{out}{hint}", String::from_utf8_lossy(&read("err")?));
        Ok(out)
    }

    /// Starts Open vSwitch with a bridge in user space, which needs no kernel module.
    ///
    /// # Errors
    /// With what the daemon wrote, when it does not start.
    pub fn start_switch(&mut self) -> Result<()> {
        self.run("ovsdb-tool create conf.db /usr/share/openvswitch/vswitch.ovsschema")?;
        self.start_database()?;
        self.start_vswitchd()?;
        self.run("ovs-vsctl --timeout=20 add-br brc -- set bridge brc datapath_type=netdev")?;
        // As Debian's script does that starts it as a service.
        self.run("ovs-vsctl set open_vswitch . ovs_version=$(ovs-vswitchd --version | sed -n 's/^.*vSwitch) //p')")?;
        self.run("ovs-vsctl set open_vswitch . external_ids:system-id=sys-1 external_ids:hostname=hv-1")?;
        Ok(())
    }

    /// Starts the program that carries out what the switch's database says, or starts it again.
    ///
    /// # Errors
    /// With what the daemon wrote, when it does not start.
    pub fn start_vswitchd(&mut self) -> Result<()> {
        let socket = "/run/openvswitch";
        self.run(&format!(
            "ovs-vswitchd unix:{socket}/db.sock --unixctl={socket}/switch.ctl --pidfile={socket}/switch.pid --detach"
        ))?;
        Ok(())
    }

    /// Starts the switch's database, or starts it again.
    ///
    /// # Errors
    /// With what the daemon wrote, when it does not start.
    pub fn start_database(&mut self) -> Result<()> {
        let socket = "/run/openvswitch";
        self.run(&format!(
            "ovsdb-server conf.db --remote=punix:{socket}/db.sock --unixctl={socket}/db.ctl \
             --pidfile={socket}/db.pid --detach"
        ))?;
        Ok(())
    }

    /// Where the switch's database answers.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.run_path("openvswitch/db.sock")
    }

    /// Starts libvirt with its QEMU driver, or starts it again.
    ///
    /// # Errors
    /// With what the daemon wrote, when it does not start.
    pub fn start_libvirt(&mut self) -> Result<()> {
        fs::write(
            self.file("qemu.conf"),
            "user = \"root\"\ngroup = \"root\"\nsecurity_driver = \"none\"\ncgroup_controllers = []\nnamespaces = []\n\
             stdio_handler = \"file\"\n",
        )?;
        fs::write(
            self.file("libvirtd.conf"),
            "unix_sock_dir = \"/run/libvirt\"\nauth_unix_ro = \"none\"\nauth_unix_rw = \"none\"\n\
             host_uuid = \"11111111-2222-4333-8444-555555555555\"\n",
        )?;
        self.run("cp qemu.conf /etc/libvirt/ && libvirtd -d -f libvirtd.conf -p /run/libvirtd.pid")?;
        self.run("virsh -c qemu:///system uri")?;
        Ok(())
    }

    /// The daemon's read-only socket.
    #[must_use]
    pub fn libvirt(&self) -> PathBuf {
        self.run_path("libvirt/libvirt-sock-ro")
    }

    /// Defines a machine of libvirt's with one interface on the switch, and starts it.
    ///
    /// # Errors
    /// With what libvirt says, when it does not start.
    pub fn start_domain(&mut self, domain: &Domain<'_>) -> Result<()> {
        let Domain { name, uuid, mac, vlan } = domain;
        let xml = format!(
            "<domain type='qemu'><name>{name}</name><uuid>{uuid}</uuid><memory unit='MiB'>16</memory><vcpu>1</vcpu>\
             <os><type arch='x86_64' machine='pc'>hvm</type></os><devices>\
             <emulator>/usr/bin/qemu-system-x86_64</emulator><interface type='bridge'><mac address='{mac}'/>\
             <source bridge='brc'/><virtualport type='openvswitch'/><vlan><tag id='{vlan}'/></vlan>\
             <model type='virtio'/><rom enabled='no'/></interface><memballoon model='none'/></devices></domain>"
        );
        fs::write(self.file("domain.xml"), xml)?;
        self.run(&format!("virsh -c qemu:///system define domain.xml && virsh -c qemu:///system start {name}"))?;
        Ok(())
    }

    /// Kills a daemon without any warning and waits until it is gone. The id is one of the lab's own process namespace.
    ///
    /// # Errors
    /// When there is no such daemon.
    pub fn kill(&mut self, pid_file: &str) -> Result<()> {
        let wait = "while kill -0 $id 2>/dev/null && ! grep -q '^State:.Z' /proc/$id/status; do sleep 0.01; done";
        self.run(&format!("id=$(cat {pid_file}); kill -9 $id; {wait}"))?;
        Ok(())
    }
}

/// A machine of libvirt's.
pub struct Domain<'a> {
    /// Without anything that XML or a shell would read.
    pub name: &'a str,
    pub uuid: &'a str,
    pub mac: &'a str,
    pub vlan: u16,
}

impl Drop for Lab {
    fn drop(&mut self) {
        // The end of its input is the end of the keeper, and with it of all others.
        drop(self.keeper.stdin.take());
        let ended = wait::attempt("the end of the lab", wait::PATIENCE, || Ok(self.keeper.try_wait()?));
        if let Err(error) = ended {
            eprintln!("{error:#}");
            self.keeper.kill().ok();
            self.keeper.wait().ok();
        }
    }
}
