//! What is asked of integrations that speak syslog or the forward protocol, and of the port for mail: ports with addresses of
//! their own.

use super::Check;
use crate::matcher::{Matcher, network};
use shared::config::{Document, Integration, SyslogRule};
use std::net::{IpAddr, SocketAddr};

/// An address that is taken: by what transport, and by whom.
type TakenAddress<'d> = (&'static str, SocketAddr, &'d str);

impl Check {
    /// All ports of a document, of which no two may be one.
    pub(super) fn ports(&mut self, document: &Document) {
        let mut taken = Vec::new();
        self.syslog(&document.integrations, &mut taken);
        for integration in &document.integrations {
            self.forward(integration, &mut taken);
        }
        let Some(mail) = &document.mail else { return };
        self.port("mail.listen".to_owned(), "tcp", Some(&mail.listen), "mail", &mut taken);
        self.networks("mail", &mail.from);
        for domain in mail.domains.iter().filter(|it| it.trim().is_empty() || it.contains(['@', ' '])) {
            let message =
                format!("`{domain}` is not a domain; write what stands behind the @, such as alerts.example.com");
            self.fault("mail.domains", message);
        }
    }

    fn forward<'d>(&mut self, integration: &'d Integration, taken: &mut Vec<TakenAddress<'d>>) {
        let Some(forward) = &integration.forward else { return };
        let path = format!("integrations[{}].forward", integration.id);
        self.port(format!("{path}.listen"), "tcp", forward.listen.as_deref(), integration.id.as_str(), taken);
        let listens = forward.listen.is_some();
        if listens && integration.signature.is_some() {
            let message = "the forward protocol knows no signatures, so that whoever reaches the port would need none; \
                           let what is forwarded be an integration of its own, with a `shared_key`";
            self.fault(&path, message);
        }
        if listens && integration.rate_limit.is_some() {
            let message = "a sender that is not acknowledged sends everything again, so that a limit would hold up all of it; \
                           leave it out, and let `from`, `shared_key` and `events` say what is taken";
            self.fault(format!("integrations[{}].rate_limit", integration.id), message);
        }
        let key = forward.shared_key.as_deref();
        if key.is_some_and(|key| key.trim().is_empty()) {
            self.fault(format!("{path}.shared_key"), "an empty key keeps nobody out; leave it out or write one");
        }
        if listens && forward.from.is_empty() && key.is_none() {
            let message =
                "anybody could send to it; name the networks of its senders, such as \"10.0.0.0/8\", or a `shared_key`";
            self.fault(format!("{path}.from"), message);
        }
        self.networks(&path, &forward.from);
        self.rules(&path, &forward.events);
    }

    fn port<'d>(
        &mut self,
        path: String,
        transport: &'static str,
        text: Option<&str>,
        by: &'d str,
        taken: &mut Vec<TakenAddress<'d>>,
    ) {
        let Some(text) = text else { return };
        let Some(address) = text.trim().parse::<SocketAddr>().ok().filter(|it| it.port() != 0) else {
            let message = format!("`{text}` is not an address with a port; write 0.0.0.0:5514 or [::]:5514");
            return self.fault(path, message);
        };
        let clash = taken.iter().find(|(kind, other, _)| *kind == transport && clash(*other, address));
        if let Some((_, _, other)) = clash {
            self.fault(path, format!("`{other}` listens there already, and the address says who sends; take another"));
        }
        taken.push((transport, address, by));
    }

    fn networks(&mut self, path: &str, from: &[String]) {
        for text in from.iter().filter(|text| network(text).is_none()) {
            let message = format!("`{text}` is not a network; write 10.0.0.0/8, 2001:db8::/32 or an address");
            self.fault(format!("{path}.from"), message);
        }
    }

    fn rules(&mut self, path: &str, rules: &[SyslogRule]) {
        for (at, rule) in rules.iter().enumerate() {
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

    fn syslog<'d>(&mut self, integrations: &'d [Integration], taken: &mut Vec<TakenAddress<'d>>) {
        for integration in integrations {
            let Some(syslog) = &integration.syslog else { continue };
            let path = format!("integrations[{}].syslog", integration.id);
            for (transport, address) in [("udp", &syslog.udp), ("tcp", &syslog.tcp)] {
                let by = integration.id.as_str();
                self.port(format!("{path}.{transport}"), transport, address.as_deref(), by, taken);
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
            self.networks(&path, &syslog.from);
            self.rules(&path, &syslog.events);
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

    #[test]
    fn who_forwards_says_where_and_who_may_and_shares_no_port() {
        let faults = |text: &str| {
            let compiled = Snapshot::compile(1, toml::from_str(text).unwrap());
            compiled.err().into_iter().flatten().map(|it| (it.path, it.message)).collect::<Vec<_>>()
        };
        let forward = |text: &str| format!("[[integrations]]\nid = \"a\"\n[integrations.forward]\n{text}");
        let listen = "listen = \"127.0.0.1:24224\"\n";
        for good in
            ["shared_key = \"k\"", "from = [\"::1\"]", "from = [\"::1\"]\nevents = [{ match = [\"service=app\"] }]"]
        {
            assert_eq!(faults(&forward(&format!("{listen}{good}"))), [], "{good}");
        }
        for (bad, field, told) in [
            (listen, "from", "anybody could send"),
            ("listen = \"24224\"\nshared_key = \"k\"", "listen", "not an address"),
            ("listen = \"127.0.0.1:24224\"\nshared_key = \"\"", "shared_key", "empty key"),
            ("events = [{ match = [] }]", "events[0].match", "everything"),
        ] {
            let found = faults(&forward(bad));
            let [(path, message)] = found.as_slice() else { panic!("{bad}: {found:?}") };
            assert!(path == &format!("integrations[a].forward.{field}") && message.contains(told), "{found:?}");
        }
        let mail = "[mail]\nlisten = \"0.0.0.0:24224\"\n";
        assert_eq!(faults(mail), []);
        let found = faults(&format!("{mail}domains = [\"a@b\"]\n{}", forward(&format!("{listen}shared_key = \"k\""))));
        let paths: Vec<&str> = found.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(paths, ["mail.listen", "mail.domains"], "{found:?}");
        assert!(found[0].1.contains("`a` listens there already"));
    }
}
