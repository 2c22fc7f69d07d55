//! What the monitors' collector says is what QEMU says at another monitor of the same machine.

use super::picture::{Picture, fault, whole};
use e2e::lab::{Lab, Network};
use serde_json::{Value, json};
use server::inventory::{Collector as _, FaultKind, qemu::Qemu};
use shared::inventory::{Power, Vm};
use std::{
    io::{BufRead as _, BufReader, Write as _},
    os::unix::net::UnixStream,
    path::PathBuf,
    time::Duration,
};

const UUIDS: [&str; 2] = ["6fa459ea-ee8a-4ca4-894e-db77e160355e", "16fd2706-8baf-433b-82eb-8c7fada847da"];

/// A lab with two machines on the switch; each has a monitor for the collector and one for the test.
fn lab() -> Lab {
    let mut lab = Lab::new(Network::Own).unwrap();
    lab.start_switch().unwrap();
    for (n, uuid) in UUIDS.iter().enumerate() {
        lab.run(&format!("ip tuntap add tap{n} mode tap && ovs-vsctl add-port brc tap{n}")).unwrap();
        let machine = format!("-name vm-{n} -uuid {uuid} -machine pc,accel=tcg -m 16 -nodefaults -display none -S");
        let tap = format!("-netdev tap,id=host{n},ifname=tap{n},script=no,downscript=no");
        let first = format!("-device virtio-net-pci,id=net0,netdev=host{n},mac=52:54:00:aa:02:0{n},romfile=");
        // One that leads nowhere, of a kind that tells less.
        let second = format!("-device e1000,id=net1,mac=52:54:00:aa:03:0{n},romfile=");
        let monitor = |kind: &str| format!("-qmp unix:/run/{kind}{n}.sock,server=on,wait=off");
        let monitors = format!("{} {}", monitor("ours"), monitor("theirs"));
        let run = format!("{machine} {tap} {first} {second} {monitors} -daemonize -pidfile /run/vm{n}.pid");
        lab.run(&format!("qemu-system-x86_64 {run}")).unwrap();
    }
    lab
}

fn socket(lab: &Lab, n: usize) -> PathBuf {
    lab.run_path(&format!("ours{n}.sock"))
}

fn source(lab: &Lab) -> Qemu {
    Qemu::new(vec![socket(lab, 0), socket(lab, 1)], "hv-1", Duration::from_millis(200))
}

fn vm<'a>(lab: &Lab, picture: &'a Picture, n: usize) -> &'a Vm {
    &picture.vms[&socket(lab, n).display().to_string()]
}

/// Asks a machine at the monitor that is the test's.
fn told(lab: &Lab, n: usize, command: &str) -> Value {
    let mut monitor = UnixStream::connect(lab.run_path(&format!("theirs{n}.sock"))).unwrap();
    let mut lines = BufReader::new(monitor.try_clone().unwrap()).lines();
    lines.next().unwrap().unwrap();
    for command in ["qmp_capabilities", command] {
        writeln!(monitor, "{}", json!({ "execute": command })).unwrap();
    }
    let answers = lines.map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap());
    answers.filter_map(|answer| answer.get("return").cloned()).nth(1).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn machines_are_those_that_qemu_describes() {
    let mut lab = lab();
    let mut source = source(&lab);
    let mut picture = whole(&mut source).await;
    assert_eq!(picture.vms.len(), 2);
    let ports = lab.run("ovs-vsctl list-ifaces brc").unwrap();
    for n in [0, 1] {
        let vm = vm(&lab, &picture, n);
        assert_eq!(told(&lab, n, "query-name")["name"], vm.name);
        assert_eq!(told(&lab, n, "query-uuid")["UUID"], vm.uuid.clone().unwrap());
        assert_eq!(told(&lab, n, "query-status")["status"], "prelaunch");
        assert_eq!((vm.power, vm.hypervisor.as_deref()), (Power::Paused, Some("hv-1")));
        let [first, second] = vm.nics.as_slice() else { panic!("{vm:?}") };
        let filter = &told(&lab, n, "query-rx-filter")[0];
        assert_eq!((&filter["name"], &filter["main-mac"]), (&json!(first.label), &json!(first.mac)));
        assert!(ports.lines().any(|port| first.port.as_deref() == Some(port)), "{first:?} {ports}");
        assert_eq!((second.mac.unwrap().to_string(), &second.port), (format!("52:54:00:aa:03:0{n}"), &None));
    }
    told(&lab, 0, "cont");
    picture.until(&mut source, "that it runs", |picture| vm(&lab, picture, 0).power == Power::On).await;
    assert_eq!(vm(&lab, &picture, 1).power, Power::Paused);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_monitor_that_is_taken_or_dead_hides_nobody_else() {
    let mut lab = lab();
    let mut source = source(&lab);
    let mut picture = whole(&mut source).await;
    let powers = |picture: &Picture| [0, 1].map(|n| vm(&lab, picture, n).power);
    assert_eq!(powers(&picture), [Power::Paused, Power::Paused]);

    let taken = UnixStream::connect(socket(&lab, 1)).unwrap();
    BufReader::new(&taken).read_line(&mut String::new()).unwrap();
    picture.until(&mut source, "what is known without it", |picture| powers(picture)[1] == Power::Unknown).await;
    assert_eq!(powers(&picture), [Power::Paused, Power::Unknown]);
    let busy = source.next().await.unwrap_err();
    assert_eq!(busy.kind, FaultKind::Unreachable);
    assert!(busy.message.contains("ours1.sock is taken") && !busy.message.contains("ours0"), "{busy}");
    drop(taken);
    let seen = source.next().await.unwrap();
    assert!(seen.whole, "after a fault comes the whole");
    picture.take(seen);
    picture.until(&mut source, "that it is free", |picture| powers(picture) == [Power::Paused; 2]).await;

    lab.kill("/run/vm1.pid").unwrap();
    let dead = fault(&mut source).await;
    assert!(dead.message.contains("ours1.sock") && dead.message.contains("nobody listens"), "{dead}");
    lab.kill("/run/vm0.pid").unwrap();
    let both = fault(&mut source).await;
    let both = if both.message.contains("ours0") { both } else { fault(&mut source).await };
    assert!(both.message.contains("ours0.sock") && both.message.contains("ours1.sock"), "{both}");
    let nobody = source.next().await.unwrap_err();
    assert!(nobody.message.contains("ours0.sock"), "with nobody there is only the fault: {nobody}");
}
