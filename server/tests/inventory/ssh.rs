//! Sources behind SSH: a real server of OpenSSH carries the bytes of libvirt's and the switch's sockets, or says why not.

use super::picture::{Picture, whole};
use e2e::{
    lab::{Lab, Network},
    wait,
};
use server::inventory::{
    Collector as _, Endpoint, FaultKind, Ssh, Usual,
    libvirt::{Libvirt, Settings, USUAL_URI},
    ovsdb::Ovsdb,
};
use std::{fs, net::TcpListener, path::PathBuf, time::Duration};

const UUID: &str = "6fa459ea-ee8a-4ca4-894e-db77e160355e";
const DOMAIN: &str = "<domain type='qemu'><name>web-01</name><uuid>6fa459ea-ee8a-4ca4-894e-db77e160355e</uuid>\
    <memory unit='MiB'>16</memory><os><type arch='x86_64' machine='pc'>hvm</type></os></domain>";

/// A machine with libvirt and a switch's database that lets in whoever has `ours`, on a port of 127.0.0.1.
struct Machine {
    lab: Lab,
    port: u16,
}

impl Machine {
    fn new() -> Self {
        let mut lab = Lab::new(Network::Ours).unwrap();
        lab.start_libvirt().unwrap();
        fs::write(lab.file("web.xml"), DOMAIN).unwrap();
        lab.run("virsh -c qemu:///system define web.xml").unwrap();
        lab.run("ovsdb-tool create conf.db /usr/share/openvswitch/vswitch.ovsschema").unwrap();
        lab.start_database().unwrap();
        lab.run("ovs-vsctl --no-wait add-br brc -- add-port brc p0").unwrap();
        for key in ["host_key", "ours", "theirs"] {
            lab.run(&format!("ssh-keygen -q -t ed25519 -N '' -f {key}")).unwrap();
        }
        lab.run("cp ours.pub authorized; grep -q ^sshd: /etc/passwd || echo sshd:x:64056:65534::/run/sshd:/bin/false >> /etc/passwd")
            .unwrap();
        // Unpacked and not installed, this program lacks its usual name.
        lab.run("mkdir -p /run/sshd /run/bin; test ! -e /usr/bin/nc.openbsd -a ! -e /bin/nc.openbsd || ln -s $(ls /usr/bin/nc.openbsd /bin/nc.openbsd 2>/dev/null | head -1) /run/bin/nc")
            .unwrap();
        let port = free_port();
        let folder = lab.file("").display().to_string();
        let settings = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host_key\nAuthorizedKeysFile {folder}/authorized\n\
             PasswordAuthentication no\nKbdInteractiveAuthentication no\nUsePAM no\nStrictModes no\nPermitRootLogin yes\n\
             PidFile /run/sshd.pid\nSetEnv PATH=/run/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"
        );
        fs::write(lab.file("sshd.conf"), settings).unwrap();
        lab.run("$(command -v sshd) -f $PWD/sshd.conf -E $PWD/sshd.log").unwrap();
        let known = fs::read_to_string(lab.file("host_key.pub")).unwrap();
        fs::write(lab.file("known"), format!("[127.0.0.1]:{port} {known}")).unwrap();
        let strange = fs::read_to_string(lab.file("theirs.pub")).unwrap();
        fs::write(lab.file("strange"), format!("[127.0.0.1]:{port} {strange}")).unwrap();
        Self { lab, port }
    }

    fn endpoint(&self, usual: Usual, socket: &str, key: &str, known: &str) -> Endpoint {
        let user = if self.lab.is_root() { "root@" } else { "" };
        let (key, known): (PathBuf, PathBuf) = (self.lab.file(key), self.lab.file(known));
        let place = format!("{user}127.0.0.1:{}{socket}", self.port);
        Endpoint::ssh(Ssh::parse(&place, usual, Some(&key), Some(&known)).unwrap())
    }

    fn libvirt(&self, socket: &str, key: &str, known: &str) -> Libvirt {
        let endpoint = self.endpoint(Usual::Libvirt, socket, key, known);
        Libvirt::new(Settings { endpoint, uri: USUAL_URI.into(), every: Duration::from_millis(200), ask_guests: false })
    }
}

fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

#[tokio::test(flavor = "multi_thread")]
async fn machines_and_ports_are_seen_through_ssh() {
    let mut machine = Machine::new();
    let seen = |picture: &Picture| picture.vms.keys().cloned().collect::<Vec<_>>();
    // By libvirt's own helper where there is one, and by the socket's path.
    let usual = whole(&mut machine.libvirt("", "ours", "known")).await;
    assert_eq!(seen(&usual), [UUID]);
    let mut by_path = machine.libvirt("/run/libvirt/libvirt-sock-ro", "ours", "known");
    assert_eq!(whole(&mut by_path).await, usual);
    let mut picture = whole(&mut by_path).await;
    machine.lab.run("virsh -c qemu:///system undefine web-01").unwrap();
    picture.until(&mut by_path, "the end of the machine", |picture| picture.vms.is_empty()).await;

    let mut switch = Ovsdb::new(machine.endpoint(Usual::Openvswitch, "", "ours", "known"));
    let mut ports = whole(&mut switch).await;
    assert!(ports.port("p0").is_some(), "{ports:?}");
    machine.lab.run("ovs-vsctl --no-wait add-port brc p1").unwrap();
    ports.until(&mut switch, "the new port", |picture| picture.port("p1").is_some()).await;

    // Who is no longer wanted leaves nothing running there.
    drop((by_path, switch));
    let gone = wait::attempt("the end of what ssh had started", wait::PATIENCE, || {
        let running = machine.lab.run("cat /proc/[0-9]*/comm 2>/dev/null; true")?;
        let left = running.lines().any(|name| name.starts_with("nc") || name.starts_with("virt-ssh"));
        Ok((!left).then_some(()))
    });
    gone.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_and_refusals_are_told_with_the_mend() {
    let machine = Machine::new();
    for (socket, key, known, kind, word) in [
        ("", "ours", "strange", FaultKind::Untrusted, "known hosts"),
        ("", "ours", "nobody", FaultKind::Untrusted, "known hosts"),
        ("", "theirs", "known", FaultKind::Refused, "authorized_keys"),
        ("/run/nowhere.sock", "ours", "known", FaultKind::Unreachable, "netcat-openbsd"),
    ] {
        let fault = machine.libvirt(socket, key, known).next().await.unwrap_err();
        assert!(fault.kind == kind && fault.message.contains(word), "{socket} {key} {known}: {:?} {fault}", fault.kind);
        assert!(fault.message.contains(&machine.port.to_string()), "{fault}");
    }
    let port = free_port();
    let nobody = Ssh::parse(&format!("127.0.0.1:{port}"), Usual::Libvirt, None, None).unwrap();
    let settings =
        Settings { endpoint: Endpoint::ssh(nobody), uri: USUAL_URI.into(), every: Duration::ZERO, ask_guests: false };
    let fault = Libvirt::new(settings).next().await.unwrap_err();
    assert!(fault.kind == FaultKind::Unreachable && fault.message.contains("refused"), "{fault}");
}
