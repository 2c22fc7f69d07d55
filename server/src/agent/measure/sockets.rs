//! Sockets: TCP connections by state, with the meaning of `ss`, what they cost, and connection tracking.

use super::{
    SLOW_EVERY, diag,
    fields::{in_line, in_table},
    peers::Peers,
    roots::Roots,
    values::{Values, percent, rate_of},
};
use procfs_core::{ExplicitSystemInfo, FromReadSI as _, net::TcpNetEntries};
use shared::host::PeerUse;
use std::{net::SocketAddr, time::Duration};

/// More connections in TIME_WAIT than these are counted by the kernel's own sum, and looked at one by one now and then.
const TIME_WAIT_FEW: u64 = 5_000;

/// States of TCP as the kernel numbers them (`include/net/tcp_states.h`), and the series of each. SYN_RECV has two.
const STATES: [(u8, &str); 10] = [
    (1, "ss.estab"),
    (2, "ss.synsent"),
    (3, "ss.synrecv"),
    (4, "ss.finwait1"),
    (5, "ss.finwait2"),
    (TIME_WAIT, "ss.timewait"),
    (8, "ss.closewait"),
    (9, "ss.lastack"),
    (11, "ss.closing"),
    (LISTEN, "ss.listen"),
];
pub(super) const ESTABLISHED: u8 = 1;
pub(super) const TIME_WAIT: u8 = 6;
const CLOSED: u8 = 7;
pub(super) const CLOSE_WAIT: u8 = 8;
pub(super) const LISTEN: u8 = 10;
const NEW_SYN_RECV: u8 = 12;

/// One end of a connection, or who waits for some.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Socket {
    pub(super) state: u8,
    pub(super) port: u16,
    pub(super) remote: SocketAddr,
}

#[derive(Debug, Default)]
pub(super) struct Sockets {
    before: Option<(Duration, Counters)>,
    peers: Vec<PeerUse>,
    looked_at: Option<Duration>,
}

/// What happened since the machine started.
#[derive(Clone, Copy, Debug, Default)]
struct Counters {
    sent_again: Option<u64>,
    overflows: Option<u64>,
    drops: Option<u64>,
}

impl Sockets {
    pub(super) fn measure(&mut self, roots: &Roots, out: &mut Values) -> Vec<PeerUse> {
        let text = roots.text("proc/net/sockstat").unwrap_or_default();
        let text6 = roots.text("proc/net/sockstat6").unwrap_or_default();
        let of = |protocol: &str, name: &str| in_line(&text, protocol, name);
        let both = |protocol: &str| {
            let six = in_line(&text6, &format!("{protocol}6"), "inuse");
            of(protocol, "inuse").map(|four| four.saturating_add(six.unwrap_or_default()) as f64)
        };
        self.states(roots, of("TCP", "tw"), out);
        out.put("ss.orphaned", of("TCP", "orphan").map(|it| it as f64));
        out.put("sockets.used", of("sockets", "used").map(|it| it as f64));
        out.put("sockets.tcp.inuse", both("TCP"));
        out.put("sockets.tcp.mem", of("TCP", "mem").map(|pages| pages as f64 * roots.page_bytes as f64));
        out.put("sockets.udp.inuse", both("UDP"));
        self.events(roots, out);
        let (count, most) = ("proc/sys/net/netfilter/nf_conntrack_count", "proc/sys/net/netfilter/nf_conntrack_max");
        let (count, most) = (roots.number(count), roots.number(most));
        if count.is_none() {
            out.lacks("conntrack", "this machine does not track connections (nf_conntrack is not loaded)");
        }
        out.put("conntrack.count", count.map(|it| it as f64));
        out.put("conntrack.max", most.map(|it| it as f64));
        out.put("conntrack.used.percent", count.zip(most).and_then(|(part, whole)| percent(part, whole)));
        self.peers.clone()
    }

    /// Counts connections by state. With very many in TIME_WAIT these are left out where the kernel's own sum will do: they
    /// are most of the work, and change slowly. That sum has those in it that wait in FIN_WAIT_2 without a socket.
    fn states(&mut self, roots: &Roots, time_wait: Option<u64>, out: &mut Values) {
        let at = roots.now();
        let is_due = self.looked_at.is_none_or(|last| at.saturating_sub(last) + SLOW_EVERY / 20 >= SLOW_EVERY);
        let is_whole = is_due || time_wait.is_none_or(|it| it <= TIME_WAIT_FEW);
        let mut counts = [0_u64; 16];
        let mut peers = Peers::default();
        let mut tell = |socket: Socket| {
            let state = if socket.state == NEW_SYN_RECV { 3 } else { socket.state };
            if let Some(count) = counts.get_mut(usize::from(state)) {
                *count += 1;
            }
            if is_whole {
                peers.add(socket);
            }
        };
        let left_out = if is_whole { 1 << CLOSED } else { 1 << CLOSED | 1 << TIME_WAIT };
        let told = if roots.is_here { diag::each(0xffff & !left_out, &mut tell) } else { Err(None) };
        let counted = match told {
            Ok(()) => true,
            // An answer that broke off would be counted twice, so it is taken as it is.
            Err(Some(broken)) => {
                out.lacks("ss", format!("the kernel broke off as it told of its connections ({broken})"));
                false
            }
            Err(None) => listed(roots, &mut tell),
        };
        if !counted {
            out.missing
                .entry("ss")
                .or_insert_with(|| "neither the kernel nor /proc/net/tcp tells of connections".to_owned());
        } else if is_whole {
            self.peers = peers.told();
            self.looked_at = Some(at);
        }
        for (state, series) in STATES {
            let count = counts.get(usize::from(state)).copied();
            let count = if state == TIME_WAIT && !is_whole && roots.is_here { time_wait } else { count };
            out.put(series, count.filter(|_| counted).map(|it| it as f64));
        }
    }

    fn events(&mut self, roots: &Roots, out: &mut Values) {
        let at = roots.now();
        let (snmp, netstat) =
            (roots.text("proc/net/snmp").unwrap_or_default(), roots.text("proc/net/netstat").unwrap_or_default());
        let now = Counters {
            sent_again: in_table(&snmp, "Tcp", "RetransSegs"),
            overflows: in_table(&netstat, "TcpExt", "ListenOverflows"),
            drops: in_table(&netstat, "TcpExt", "ListenDrops"),
        };
        let (before_at, before) = self.before.replace((at, now)).unwrap_or((at, Counters::default()));
        let seconds = at.saturating_sub(before_at).as_secs_f64();
        out.put("tcp.retrans", rate_of(before.sent_again, now.sent_again, seconds));
        out.put("tcp.listen.overflows", rate_of(before.overflows, now.overflows, seconds));
        out.put("tcp.listen.drops", rate_of(before.drops, now.drops, seconds));
    }
}

/// The same from the files, which the kernel writes more slowly; gives whether there are any.
fn listed(roots: &Roots, tell: &mut impl FnMut(Socket)) -> bool {
    let kernel = ExplicitSystemInfo {
        boot_time_secs: 0,
        ticks_per_second: roots.ticks_a_second,
        page_size: roots.page_bytes,
        is_little_endian: cfg!(target_endian = "little"),
    };
    let mut found = false;
    for file in ["proc/net/tcp", "proc/net/tcp6"] {
        let entries = roots.text(file).and_then(|text| TcpNetEntries::from_read(text.as_bytes(), &kernel).ok());
        for entry in entries.iter().flat_map(|it| &it.0) {
            let (port, remote) = (entry.local_address.port(), entry.remote_address);
            tell(Socket { state: entry.state.to_u8(), port, remote });
        }
        found |= entries.is_some();
    }
    found
}
