//! A real Open vSwitch with two machines that ping each other, and destinations that write down what comes.

use super::{
    contract::Case,
    frames::{Copy, copies},
};
use e2e::{
    lab::{Lab, Network},
    wait,
};
use server::mirror::ovs::Ovs;
use shared::{
    config::Backend,
    mirror::{BackendKind, Encapsulation, MirrorSpec, SwitchView, Transport},
    net::Mac,
};
use std::{
    cell::Cell,
    fs,
    net::Ipv4Addr,
    path::{Path, PathBuf},
};

/// The bridge of the machines.
pub(crate) const SWITCH: &str = "sys-1/brc";
/// The machine that is looked at, and the one it pings.
pub(crate) const A: Ipv4Addr = Ipv4Addr::new(10, 77, 1, 1);
pub(crate) const B: Ipv4Addr = Ipv4Addr::new(10, 77, 1, 2);
/// Where tunnels end, reached over another bridge.
pub(crate) const COLLECTOR: &str = "10.77.9.2";
/// Into which copies go by RSPAN.
pub(crate) const VLAN: u16 = 999;
/// Requests after which a copy on its way has arrived.
const PINGS: usize = 8;

/// `c` is plugged in for SPAN, `u` sees every VLAN, `p` is where tunnels end.
const NAMESPACES: [(&str, &str); 5] = [("a", "brc"), ("b", "brc"), ("c", "brc"), ("u", "brc"), ("p", "brp")];

/// Without IPv6 no machine speaks of itself: every address that the switch learns makes it look again at what runs, and a
/// mirror that came or went would be noticed by chance.
const QUIETLY: &str = "echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6";

pub(crate) struct Stage {
    pub(crate) lab: Lab,
    pub(crate) driver: Ovs,
    captures: Cell<u32>,
}

pub(crate) fn mac(machine: u8) -> Mac {
    format!("52:54:00:aa:00:0{machine}").parse().unwrap()
}

impl Stage {
    pub(crate) fn new() -> Self {
        let mut lab = Lab::new(Network::Own).unwrap();
        lab.start_switch().unwrap();
        lab.run("ovs-vsctl add-br brp -- set bridge brp datapath_type=netdev").unwrap();
        lab.run(QUIETLY).unwrap();
        for (name, bridge) in NAMESPACES {
            let plug = format!(
                "ip netns add {name} && ip netns exec {name} sh -c '{QUIETLY}' && ip link add v{name} type veth peer name eth0 netns {name} && ip link set v{name} up \
                 && ip -n {name} link set lo up && ip -n {name} link set eth0 up && ovs-vsctl add-port {bridge} v{name}"
            );
            lab.run(&plug).unwrap();
        }
        for (name, number) in [("a", 1), ("b", 2)] {
            let mac = mac(number);
            lab.run(&format!(
                "ip -n {name} link set eth0 address {mac} && ip -n {name} addr add 10.77.1.{number}/24 dev eth0 && ovs-vsctl set \
                 interface v{name} external_ids:attached-mac={mac} external_ids:iface-id=port-{name}"
            ))
            .unwrap();
        }
        lab.run(&format!(
            "ip addr add 10.77.9.1/24 dev brp && ip link set brp up && ip -n p addr add {COLLECTOR}/24 dev eth0"
        ))
        .unwrap();
        let driver = Ovs::new(&Self::backend(&lab)).unwrap();
        Self { lab, driver, captures: Cell::new(0) }
    }

    pub(crate) fn backend(lab: &Lab) -> Backend {
        Backend {
            id: "switch".into(),
            name: String::new(),
            kind: BackendKind::Openvswitch,
            source: None,
            address: format!("unix:{}", lab.database().display()),
            username: None,
            password: None,
            ca: None,
            fingerprint: None,
            certificate: None,
            key: None,
            control: Some(lab.run_path("openvswitch/switch.ctl").display().to_string()),
            sessions: None,
            paused: false,
        }
    }

    /// Lets the first machine ping the second for as long as the stage stands, and waits for the first answers: the flow
    /// runs, as one that is looked at does.
    pub(crate) fn ping(&mut self) {
        self.lab.run(&format!("ip netns exec a ping -i 0.05 {B} > ping.log 2>&1 &")).unwrap();
        self.pass_pings(PINGS);
    }

    fn pings(&self) -> usize {
        fs::read_to_string(self.lab.file("ping.log")).unwrap_or_default().matches("bytes from").count()
    }

    /// Waits for so many more answers.
    pub(crate) fn pass_pings(&self, more: usize) {
        let until = self.pings() + more;
        wait::until("answers to pings", wait::PATIENCE, || (self.pings() >= until).then_some(())).unwrap();
    }

    /// Begins to write down what comes to a namespace; gives the file.
    pub(crate) fn listen(&mut self, namespace: &str) -> PathBuf {
        self.captures.set(self.captures.get() + 1);
        let name = format!("{namespace}.{}.pcap", self.captures.get());
        // As root: there may be no other user. At once: otherwise copies lie in the kernel for up to a second.
        let capture = format!(
            "ip netns exec {namespace} tcpdump -Z root --immediate-mode -U -n -i eth0 -w {name} 2> {name}.log &"
        );
        self.lab.run(&capture).unwrap();
        let (file, log) = (self.lab.file(&name), self.lab.file(&format!("{name}.log")));
        // It says that it listens when it does.
        let listens = || fs::read_to_string(&log).is_ok_and(|said| said.contains("listening on"));
        wait::until("tcpdump", wait::PATIENCE, || listens().then_some(())).unwrap();
        file
    }

    /// Waits until at least so many copies came, and gives all.
    pub(crate) fn copied(&self, file: &Path, least: usize) -> Vec<Copy> {
        self.copied_of(file, 0, least, |_| true)
    }

    /// The same of those that count among what came after the first `seen`.
    pub(crate) fn copied_of(
        &self,
        file: &Path,
        seen: usize,
        least: usize,
        counts: impl Fn(&Copy) -> bool,
    ) -> Vec<Copy> {
        let counted = || copies(file).into_iter().skip(seen).filter(&counts).collect::<Vec<_>>();
        wait::until("copies", wait::PATIENCE, || Some(counted()).filter(|copies| copies.len() >= least)).unwrap()
    }

    /// Waits until pings go on and nothing is copied of them. What was on its way when the mirror ended may still come.
    pub(crate) fn silence(&self, file: &Path) -> Result<(), String> {
        let begun = self.pings();
        let (mut seen, mut since) = (copies(file).len(), begun);
        wait::until("answers to pings", wait::PATIENCE, || {
            let (copies, pings) = (copies(file).len(), self.pings());
            if copies > seen {
                (seen, since) = (copies, pings);
            }
            if pings >= since + PINGS {
                return Some(Ok(()));
            }
            (pings >= begun + 4 * PINGS).then(|| Err(format!("copies go on after {} more pings", pings - begun)))
        })
        .unwrap()
    }

    pub(crate) async fn view(&self) -> SwitchView {
        super::contract::view(&self.driver, SWITCH).await
    }

    pub(crate) async fn case(&self, number: i64, spec: MirrorSpec) -> Case {
        Case::of(&self.view().await, number, spec)
    }
}

pub(crate) fn erspan(version: Encapsulation, session: u32) -> Transport {
    let remote = COLLECTOR.parse().unwrap();
    Transport::Erspan { version, remote, session, cos: None, nanoseconds: false, netstack: None }
}
