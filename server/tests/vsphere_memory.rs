//! Ten thousand VMs: what is held is bounded by what is kept of them, not by what the vCenter answers. Alone in its process,
//! whose memory it reads.

#![expect(clippy::unwrap_used, reason = "a test that cannot set its stage has failed")]

use e2e::vcenter::Vcenter;
use server::inventory::{
    Collector as _,
    https::Trust,
    vsphere::{Settings, Vsphere},
};
use shared::inventory::Power;

const MACHINES: usize = 10_000;

/// A line of this process's status, in KiB.
fn status_kib(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim_start_matches(':').trim().trim_end_matches(" kB").parse().unwrap()
}

#[tokio::test]
async fn ten_thousand_vms_are_held_in_little_memory() {
    let vcenter = Vcenter::start(&["-machines", &MACHINES.to_string()]).unwrap();
    let listens = &vcenter.listens;
    let settings = Settings::new(&listens.plain, &listens.username, &listens.password, Trust::System);
    let mut vsphere = Vsphere::new(settings).unwrap();
    let before = status_kib("VmRSS");
    let whole = vsphere.next().await.unwrap();
    let most = status_kib("VmHWM");
    assert_eq!((whole.vms.len(), whole.whole), (MACHINES, true));
    assert!(whole.ports.iter().filter(|port| port.mac.is_some()).count() == MACHINES);
    let answered = vcenter.calls().unwrap()["bytes"] / 1024;
    let grown = most - before;
    println!(
        "{MACHINES} VMs: {answered} KiB answered, {grown} KiB more memory at most, of them the observation itself"
    );
    assert!(grown < 64 * 1024, "{grown} KiB for {MACHINES} VMs");
    assert!(answered > 2 * grown, "{answered} KiB answered are too few to tell anything by {grown} KiB");

    // A change among so many comes as itself.
    vcenter.command("/power?vm=grown-05000&state=poweredOff").unwrap();
    let told = vsphere.next().await.unwrap();
    assert_eq!((told.whole, told.vms.len(), told.vms[0].power), (false, 1, Power::Off));
}
