//! What is asked of integrations that speak syslog.

use super::Check;
use crate::matcher::{Matcher, network};
use shared::config::Integration;
use std::net::{IpAddr, SocketAddr};

impl Check {
    pub(super) fn syslog(&mut self, integrations: &[Integration]) {
        let mut taken: Vec<(&str, SocketAddr, _)> = Vec::new();
        for integration in integrations {
            let Some(syslog) = &integration.syslog else { continue };
            let path = format!("integrations[{}].syslog", integration.id);
            for (transport, address) in [("udp", &syslog.udp), ("tcp", &syslog.tcp)] {
                let Some(text) = address else { continue };
                let Some(address) = text.trim().parse::<SocketAddr>().ok().filter(|it| it.port() != 0) else {
                    let message = format!("`{text}` is not an address with a port; write 0.0.0.0:5514 or [::]:5514");
                    self.fault(format!("{path}.{transport}"), message);
                    continue;
                };
                let clash = taken.iter().find(|(by, other, _)| *by == transport && clash(*other, address));
                if let Some((_, _, other)) = clash {
                    let message =
                        format!("`{other}` listens there already, and the address says who sends; take another");
                    self.fault(format!("{path}.{transport}"), message);
                }
                taken.push((transport, address, &integration.id));
            }
            let listens = syslog.udp.is_some() || syslog.tcp.is_some();
            if listens && integration.signature.is_some() {
                let message = "syslog knows no signatures, so that whoever reaches the port would need none; \
                               let what comes by syslog be an integration of its own";
                self.fault(&path, message);
            }
            if listens && integration.rate_limit.is_some() {
                let message = "syslog cannot be told to send later, so that a limit would lose what is over it; \
                               leave it out, and let `from` and `events` say what is taken";
                self.fault(format!("integrations[{}].rate_limit", integration.id), message);
            }
            if listens && syslog.from.is_empty() {
                let message = "nobody may send to it; name the networks of its senders, such as \"10.0.0.0/8\"";
                self.fault(format!("{path}.from"), message);
            }
            for text in syslog.from.iter().filter(|text| network(text).is_none()) {
                let message = format!("`{text}` is not a network; write 10.0.0.0/8, 2001:db8::/32 or an address");
                self.fault(format!("{path}.from"), message);
            }
            for (at, rule) in syslog.events.iter().enumerate() {
                let path = format!("{path}.events[{at}].match");
                if rule.matches.is_empty() {
                    let message = "without a condition everything that is logged would be an event; name one";
                    self.fault(&path, message);
                }
                for (at, text) in rule.matches.iter().enumerate() {
                    if let Err(message) = Matcher::parse(text) {
                        self.fault(format!("{path}[{at}]"), message);
                    }
                }
            }
        }
    }
}

/// Whether only one of two addresses can be listened on: `[::]` is all of both families.
fn clash(one: SocketAddr, other: SocketAddr) -> bool {
    let covers = |all: IpAddr, part: IpAddr| all.is_unspecified() && (all.is_ipv6() || part.is_ipv4());
    let (a, b) = (one.ip().to_canonical(), other.ip().to_canonical());
    one.port() == other.port() && (a == b || covers(a, b) || covers(b, a))
}

#[cfg(test)]
mod tests {
    use crate::Snapshot;

    fn faults(syslog: &str) -> Vec<(String, String)> {
        let text = format!("[[integrations]]\nid = \"a\"\n[integrations.syslog]\n{syslog}");
        let compiled = Snapshot::compile(1, toml::from_str(&text).unwrap());
        compiled.err().into_iter().flatten().map(|it| (it.path, it.message)).collect()
    }

    #[test]
    fn who_speaks_syslog_says_where_from_whom_and_what_is_an_event() {
        let from = "from = [\"10.0.0.0/8\", \"::1\"]\n";
        for good in [
            "udp = \"0.0.0.0:5514\"\ntcp = \"0.0.0.0:5514\"\n",
            "tcp = \"[::]:5514\"\nevents = [{ match = [\"severity_word=~emerg|alert\", \"ip in 10.0.0.0/8\"] }]\n",
            "",
        ] {
            assert_eq!(faults(&format!("{good}{from}")), [], "{good}");
        }
        assert_eq!(faults("events = [{ match = [\"service=kernel\"] }]"), []);
        for (bad, field, told) in [
            ("udp = \"5514\"\nfrom = [\"::1\"]", "udp", "not an address"),
            ("tcp = \"127.0.0.1:0\"\nfrom = [\"::1\"]", "tcp", "not an address"),
            ("udp = \"127.0.0.1:5514\"", "from", "nobody may send"),
            ("udp = \"127.0.0.1:5514\"\nfrom = [\"here\"]", "from", "`here` is not a network"),
            ("events = [{ match = [] }]", "events[0].match", "everything"),
            ("events = [{ match = [\"host=~(\"] }]", "events[0].match[0]", "not a regular expression"),
            ("events = [{ match = [\"time in night\"] }]", "events[0].match[0]", "no time window"),
        ] {
            let found = faults(bad);
            let [(path, message)] = found.as_slice() else { panic!("{bad}: {found:?}") };
            assert!(path == &format!("integrations[a].syslog.{field}") && message.contains(told), "{found:?}");
        }
        let signed = "udp = \"127.0.0.1:5514\"\nfrom = [\"::1\"]\n\
                      [integrations.signature]\nkind = \"github\"\nsecret = \"s\"";
        let found = faults(signed);
        assert!(found.len() == 1 && found[0].1.contains("no signatures"), "{found:?}");
    }

    #[test]
    fn two_that_cannot_both_be_listened_on_are_refused() {
        let both = |one: &str, other: &str| {
            faults(&format!(
                "{one}\nfrom = [\"::1\"]\n[[integrations]]\nid = \"b\"\n[integrations.syslog]\n{other}\nfrom = [\"::1\"]\n"
            ))
        };
        for (one, other) in [
            ("127.0.0.1:5514", "127.0.0.1:5514"),
            ("0.0.0.0:5514", "10.0.0.1:5514"),
            ("[::]:5514", "0.0.0.0:5514"),
            ("10.0.0.1:5514", "[::]:5514"),
            ("[::ffff:10.0.0.1]:5514", "10.0.0.1:5514"),
        ] {
            for transport in ["udp", "tcp"] {
                let found = both(&format!("{transport} = \"{one}\""), &format!("{transport} = \"{other}\""));
                assert!(found[0].1.contains("`a` listens there already"), "{one} {other}: {found:?}");
            }
            assert_eq!(both(&format!("udp = \"{one}\""), &format!("tcp = \"{other}\"")), []);
        }
        for (one, other) in
            [("0.0.0.0:5514", "0.0.0.0:5515"), ("127.0.0.1:5514", "10.0.0.1:5514"), ("0.0.0.0:5514", "[fd00::1]:5514")]
        {
            assert_eq!(both(&format!("udp = \"{one}\""), &format!("udp = \"{other}\"")), [], "{one} {other}");
        }
    }
}
