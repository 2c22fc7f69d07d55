//! What somebody types at the collector to see the copies of a tunnel: for tcpdump, Wireshark and Linux.

use shared::mirror::{Encapsulation, MirrorSpec, Transport};
use std::net::IpAddr;

/// A line to copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) what: What,
    pub(crate) text: String,
}

/// What a line is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// tcpdump, the tunnel's packets as they arrive.
    Tcpdump,
    /// Wireshark's display filter.
    Wireshark,
    /// Linux's own end of the tunnel: the copies without what stands around them.
    Receiver,
    /// tcpdump at that end.
    Inside,
}

/// Nothing for what comes in no tunnel.
pub(crate) fn lines(spec: &MirrorSpec) -> Vec<Line> {
    let Transport::Erspan { version, remote, session, .. } = spec.transport else { return Vec::new() };
    // The protocol that GRE says it carries: two bytes after its flags.
    let kind = match version {
        Encapsulation::Gre => "0x6558",
        Encapsulation::Erspan2 => "0x88be",
        Encapsulation::Erspan3 => "0x22eb",
    };
    // Behind IPv6's header tcpdump cannot index; the kind is left to Wireshark there.
    let filter = match remote {
        IpAddr::V4(_) => format!("ip proto 47 and dst host {remote} and ip[22:2] = {kind}"),
        IpAddr::V6(_) => format!("ip6 proto 47 and dst host {remote}"),
    };
    let shown = match version {
        Encapsulation::Gre => format!("gre.proto == {kind} && gre.key == {session}"),
        Encapsulation::Erspan2 | Encapsulation::Erspan3 => format!("erspan.spanid == {session}"),
    };
    let link = match (version, remote) {
        (Encapsulation::Gre, IpAddr::V4(_)) => format!("gretap local {remote} key {session}"),
        (Encapsulation::Gre, IpAddr::V6(_)) => format!("ip6gretap local {remote} key {session}"),
        (Encapsulation::Erspan2, _) => erspan(remote, session, 1),
        (Encapsulation::Erspan3, _) => erspan(remote, session, 2),
    };
    let line = |what, text: String| Line { what, text };
    vec![
        line(What::Tcpdump, format!("tcpdump -ni any '{filter}'")),
        line(What::Wireshark, shown),
        line(What::Receiver, format!("ip link add copies type {link} && ip link set copies up")),
        line(What::Inside, "tcpdump -ni copies".to_owned()),
    ]
}

/// Linux calls ERSPAN's type II version 1 and type III version 2, and insists on sequence numbers. Without the sender's
/// address it hears whichever switch sends.
fn erspan(remote: IpAddr, session: u32, version: u8) -> String {
    let kind = if remote.is_ipv4() { "erspan" } else { "ip6erspan" };
    format!("{kind} seq key {session} local {remote} erspan_ver {version}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(version: Encapsulation, remote: &str, session: u32) -> Vec<String> {
        let transport = Transport::Erspan {
            version,
            remote: remote.parse().unwrap(),
            session,
            cos: None,
            nanoseconds: false,
            netstack: None,
        };
        lines(&MirrorSpec { transport, ..MirrorSpec::default() }).into_iter().map(|line| line.text).collect()
    }

    #[test]
    fn each_tunnel_has_its_own_lines() {
        assert_eq!(
            said(Encapsulation::Erspan2, "10.77.0.9", 7),
            [
                "tcpdump -ni any 'ip proto 47 and dst host 10.77.0.9 and ip[22:2] = 0x88be'",
                "erspan.spanid == 7",
                "ip link add copies type erspan seq key 7 local 10.77.0.9 erspan_ver 1 && ip link set copies up",
                "tcpdump -ni copies",
            ]
        );
        assert!(said(Encapsulation::Erspan3, "10.77.0.9", 7)[0].ends_with("ip[22:2] = 0x22eb'"));
        assert!(said(Encapsulation::Erspan3, "10.77.0.9", 7)[2].contains("erspan_ver 2"));
        assert!(said(Encapsulation::Gre, "10.77.0.9", 7)[2].contains("gretap local 10.77.0.9 key 7"));
        assert!(said(Encapsulation::Erspan2, "fd00::9", 7)[2].contains("ip6erspan"));
    }

    #[test]
    fn what_comes_in_no_tunnel_needs_none() {
        let transport = Transport::Span { port: "tap9".into() };
        assert_eq!(lines(&MirrorSpec { transport, ..MirrorSpec::default() }), []);
    }
}
