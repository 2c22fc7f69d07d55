//! Where we may connect to: the public internet, and what the operator allowed besides.

use super::permanent;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use reqwest::{
    Url,
    dns::{Addrs, Name, Resolve, Resolving},
};
use shared::{Failure, config::WebhookChannel};
use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, ToSocketAddrs as _},
    sync::Arc,
};
use url::Host;

/// Where we may connect to.
#[derive(Debug)]
pub(super) struct Reach {
    networks: Vec<IpNet>,
    own_hosts: BTreeSet<String>,
    allow_http: bool,
}

impl Reach {
    pub(super) fn new(limits: &WebhookChannel, own_hosts: &[String]) -> Result<Self, String> {
        let network = |text: &String| {
            let address = text.parse::<IpAddr>().map(IpNet::from);
            address
                .or_else(|_| text.parse::<IpNet>())
                .map_err(|_| format!("`{text}` is not a network; write 10.20.0.0/16"))
        };
        Ok(Self {
            networks: limits.allow_networks.iter().map(network).collect::<Result<_, _>>()?,
            own_hosts: own_hosts.iter().map(|host| canonical(host)).collect(),
            allow_http: limits.allow_http,
        })
    }

    /// Everything that can be said before the name is looked up. Literal addresses are judged here because the
    /// resolver is not asked for them; `Url` has made plain ones of the octal and decimal forms.
    pub(super) fn check(&self, text: &str) -> Result<Url, Failure> {
        let url = Url::parse(text).map_err(|_| permanent("the address is not a URL"))?;
        let host = url.host().ok_or_else(|| permanent("the address has no host"))?;
        let own = self.is_own(&host.to_string());
        let address = match &host {
            Host::Ipv4(v4) => Some(IpAddr::V4(*v4)),
            Host::Ipv6(v6) => Some(IpAddr::V6(*v6)),
            Host::Domain(_) => None,
        };
        if address.is_some_and(|address| !own && !self.permits(address)) {
            return Err(permanent(Blocked.to_string()));
        }
        let here = address.or_else(|| (host == Host::Domain("localhost")).then_some(Ipv4Addr::LOCALHOST.into()));
        let loopback = here.is_some_and(|address| address.is_loopback() && self.permits(address));
        match url.scheme() {
            "https" => Ok(url),
            "http" if own || loopback || self.allow_http => Ok(url),
            "http" => Err(permanent("http:// is refused; use https, or set allow_http")),
            _ => Err(permanent("the address is neither https:// nor http://")),
        }
    }

    fn is_own(&self, host: &str) -> bool {
        self.own_hosts.contains(&canonical(host))
    }

    fn permits(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        if self.networks.iter().any(|network| network.contains(&address)) {
            return true;
        }
        match address {
            IpAddr::V4(v4) => !NOT_PUBLIC_V4.iter().any(|network| network.contains(&v4)),
            IpAddr::V6(v6) => match embedded(v6) {
                Some(v4) => self.permits(IpAddr::V4(v4)),
                None => GLOBAL_V6.contains(&v6) && !NOT_PUBLIC_V6.iter().any(|network| network.contains(&v6)),
            },
        }
    }
}

fn canonical(host: &str) -> String {
    host.trim_end_matches('.').to_ascii_lowercase()
}

/// The IPv4 address a gateway would send this to: NAT64 (64:ff9b::/96) and 6to4 (2002::/16).
fn embedded(v6: Ipv6Addr) -> Option<Ipv4Addr> {
    match v6.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => {
            Some(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)))
        }
        _ => None,
    }
}

const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6(a: u16, b: u16, prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, 0, 0, 0, 0, 0, 0), prefix)
}

/// The special-purpose registry of IANA, and the one public address that is a cloud's own (Azure's wire server).
const NOT_PUBLIC_V4: [Ipv4Net; 16] = [
    v4(0, 0, 0, 0, 8),
    v4(10, 0, 0, 0, 8),
    v4(100, 64, 0, 0, 10),
    v4(127, 0, 0, 0, 8),
    v4(168, 63, 129, 16, 32),
    v4(169, 254, 0, 0, 16),
    v4(172, 16, 0, 0, 12),
    v4(192, 0, 0, 0, 24),
    v4(192, 0, 2, 0, 24),
    v4(192, 88, 99, 0, 24),
    v4(192, 168, 0, 0, 16),
    v4(198, 18, 0, 0, 15),
    v4(198, 51, 100, 0, 24),
    v4(203, 0, 113, 0, 24),
    v4(224, 0, 0, 0, 4),
    v4(240, 0, 0, 0, 4),
];
/// What is handed out to the public internet; all else (loopback, fc00::/7, fe80::/10, ff00::/8) is not.
const GLOBAL_V6: Ipv6Net = v6(0x2000, 0, 3);
/// Of that: protocol assignments with Teredo, and documentation.
const NOT_PUBLIC_V6: [Ipv6Net; 3] = [v6(0x2001, 0, 23), v6(0x2001, 0xdb8, 32), v6(0x3fff, 0, 20)];

/// The host has no address we may connect to.
#[derive(Debug, thiserror::Error)]
#[error("the address is private or reserved; allow its network in allow_networks to reach it")]
pub(super) struct Blocked;

/// Looks a name up and keeps only the addresses we may connect to.
pub(super) struct FilteringResolver(pub(super) Arc<Reach>);

impl Resolve for FilteringResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let reach = Arc::clone(&self.0);
        Box::pin(async move {
            let host = name.as_str().to_owned();
            let own = reach.is_own(&host);
            let lookup = move || (host.as_str(), 0).to_socket_addrs().map(Iterator::collect::<Vec<_>>);
            let found = tokio::task::spawn_blocking(lookup).await??;
            let any = !found.is_empty();
            let kept: Vec<_> = found.into_iter().filter(|at| own || reach.permits(at.ip())).collect();
            if any && kept.is_empty() {
                return Err(Blocked.into());
            }
            Ok(Box::new(kept.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reach(networks: &[&str], allow_http: bool, own: &[&str]) -> Reach {
        let strings = |texts: &[&str]| texts.iter().map(ToString::to_string).collect::<Vec<_>>();
        Reach::new(&WebhookChannel { allow_networks: strings(networks), allow_http }, &strings(own)).unwrap()
    }

    #[test]
    fn literal_addresses_are_judged_in_every_spelling() {
        let none = reach(&[], true, &[]);
        for host in [
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f.1",
            "0177.0.0.1",
            "0x7f000001",
            "[::1]",
            "[::]",
            "0.0.0.0",
            "0",
            "[::ffff:127.0.0.1]",
            "[::ffff:a00:1]",
            "[::127.0.0.1]",
            "169.254.169.254",
            "[::ffff:169.254.169.254]",
            "[fd00:ec2::254]",
            "100.100.100.200",
            "10.0.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "100.64.0.1",
            "[64:ff9b::7f00:1]",
            "[64:ff9b:1::a00:1]",
            "[2002:7f00:1::]",
            "[2002:a00:1::5]",
            "[2001::1]",
            "[fe80::1]",
            "[fec0::1]",
            "[fc00::1]",
            "[ff02::1]",
            "224.0.0.1",
            "255.255.255.255",
            "168.63.129.16",
            "１２７.0.0.1",
            "[2001:db8::1]",
            "198.18.0.1",
        ] {
            let refused = none.check(&format!("http://{host}/")).unwrap_err();
            assert!(refused.permanent && refused.detail.contains("private or reserved"), "{host}: {refused:?}");
        }
        for host in
            ["8.8.8.8", "1.1.1.1", "[2606:4700::1111]", "[64:ff9b::808:808]", "[2002:808:808::1]", "example.org"]
        {
            assert!(none.check(&format!("https://{host}/x")).is_ok(), "{host}");
        }
    }

    #[test]
    fn an_allowed_network_opens_exactly_itself() {
        let some = reach(&["10.20.0.0/16", "fd12::/16", "127.0.0.1"], false, &[]);
        for (host, open) in [
            ("10.20.3.4", true),
            ("[::ffff:10.20.3.4]", true),
            ("[64:ff9b::a14:304]", true),
            ("[fd12::9]", true),
            ("10.21.0.1", false),
            ("[fd13::9]", false),
            ("127.0.0.2", false),
            ("127.0.0.1", true),
        ] {
            assert_eq!(some.check(&format!("https://{host}/")).is_ok(), open, "{host}");
        }
        assert!(Reach::new(&WebhookChannel { allow_networks: vec!["ten".into()], allow_http: false }, &[]).is_err());
    }

    #[test]
    fn http_needs_permission_a_loopback_that_is_allowed_or_an_own_host() {
        for (reach, url, open) in [
            (reach(&[], false, &[]), "http://example.org/", false),
            (reach(&[], true, &[]), "http://example.org/", true),
            (reach(&["127.0.0.0/8"], false, &[]), "http://127.0.0.1:80/", true),
            (reach(&["127.0.0.0/8"], false, &[]), "http://localhost/", true),
            (reach(&["10.0.0.0/8"], false, &[]), "http://10.0.0.1/", false),
            (reach(&[], false, &["NTFY.lan"]), "http://ntfy.lan./", true),
            (reach(&[], false, &["10.9.9.9"]), "http://10.9.9.9/", true),
            (reach(&[], true, &[]), "ftp://example.org/", false),
            (reach(&[], true, &[]), "not a url", false),
        ] {
            assert_eq!(reach.check(url).is_ok(), open, "{url}");
        }
    }
}
