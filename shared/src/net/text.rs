//! What a pasted text names: addresses out of lines of any program, or names of machines, one or hundreds at once.

use super::{
    Mac, MacFault, MacPart,
    mac::{Groups, separator},
};
use serde::{Deserialize, Serialize};
use std::{
    collections::HashSet,
    fmt,
    net::{IpAddr, Ipv4Addr},
    ops::Range,
};

/// Something a text names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum What {
    Mac(Mac),
    /// The beginning or end of hardware addresses.
    MacPart(MacPart),
    Ip(IpAddr),
    Network(Network),
    /// In the usual form, lower case.
    Uuid(String),
    /// Of a VM or a machine.
    Name(String),
    /// Written like a hardware address, and none.
    NoMac(MacFault),
    /// Nothing that can be looked up.
    Unknown,
}

/// A range of IP addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Network {
    /// The first of them.
    pub first: IpAddr,
    /// How many bits they have in common.
    pub bits: u8,
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.bits)
    }
}

impl Network {
    /// Whether an address is one of them.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.first, address) {
            (IpAddr::V4(first), IpAddr::V4(address)) => {
                shared_bits(first.to_bits().into(), address.to_bits().into(), 32, self.bits)
            }
            (IpAddr::V6(first), IpAddr::V6(address)) => shared_bits(first.to_bits(), address.to_bits(), 128, self.bits),
            _ => false,
        }
    }

    /// None when the address is not the first of such a range, as in what `ip address` prints of an interface.
    fn of(first: IpAddr, bits: u8) -> Option<Self> {
        let (number, width) = match first {
            IpAddr::V4(address) => (u128::from(address.to_bits()), 32_u32),
            IpAddr::V6(address) => (address.to_bits(), 128),
        };
        let rest = width.checked_sub(bits.into())?;
        (rest > 0 && number.trailing_zeros() >= rest).then_some(Self { first, bits })
    }
}

fn shared_bits(a: u128, b: u128, width: u8, bits: u8) -> bool {
    (a ^ b).checked_shr(u32::from(width.saturating_sub(bits))).unwrap_or(0) == 0
}

/// Something a text names, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// In bytes of the text.
    pub at: Range<usize>,
    pub what: What,
}

/// Words of a line that may still be one name; more are prose.
const NAME_WORDS: usize = 4;
/// The longest name of a machine (DNS) or of a VM.
const NAME_BYTES: usize = 255;

/// Everything that a text names, in its order, each thing once. In a line with an address the other words are what some
/// program printed around it; a line without one is a name, or several with commas between.
#[must_use]
pub fn understand(text: &str) -> Vec<Term> {
    let mut terms = Vec::new();
    for line in text.split(['\n', '\r']) {
        let start = offset(text, line);
        let alone = line.split_whitespace().nth(1).is_none();
        let found = terms.len();
        for (at, word) in words(line) {
            if let Some(what) = address(word, alone) {
                terms.push(Term { at: start + at..start + at + word.len(), what });
            }
        }
        if terms.len() == found {
            terms.extend(names(line).map(|(at, name, what)| Term { at: start + at..start + at + name.len(), what }));
        }
    }
    let mut seen = HashSet::new();
    terms.retain(|term| term.what == What::Unknown || seen.insert(term.what.clone()));
    terms
}

/// Where a part of a text begins in it.
fn offset(text: &str, part: &str) -> usize {
    part.as_ptr() as usize - text.as_ptr() as usize
}

/// The words of a line without what programs put around them.
fn words(line: &str) -> impl Iterator<Item = (usize, &str)> {
    line.split(|c: char| c.is_whitespace() || ",;|=\"'`()<>[]{}，；。、".contains(c))
        .map(|word| word.trim_matches(['.', ':', '-', '/']))
        .filter(|word| !word.is_empty())
        .map(move |word| (offset(line, word), word))
}

fn names(line: &str) -> impl Iterator<Item = (usize, &str, What)> {
    line.split([',', ';', '，', '；', '\t']).map(str::trim).filter(|name| !name.is_empty()).map(move |name| {
        let what = match MacPart::parse(name).filter(|_| name.contains(|c| separator(c).is_some())) {
            Some(part) => What::MacPart(part),
            None if name.len() <= NAME_BYTES && name.split_whitespace().count() <= NAME_WORDS => {
                What::Name(name.to_owned())
            }
            None => What::Unknown,
        };
        (offset(line, name), name, what)
    })
}

/// The address a word is; `alone` when nothing else stands in its line.
fn address(word: &str, alone: bool) -> Option<What> {
    let plain: String = word.chars().map(half_width).collect();
    let read = |word: &str| ip(word).or_else(|| uuid(word)).or_else(|| mac(word, alone));
    read(&plain).or_else(|| {
        // As in `MAC:52:54:00:12:34:56`.
        let (label, rest) = plain.split_once(':')?;
        label.contains(|c: char| !c.is_ascii_hexdigit()).then(|| read(rest))?
    })
}

/// Full-width forms, as Chinese input methods write them.
fn half_width(c: char) -> char {
    match u32::from(c) {
        code @ 0xff01..=0xff5e => char::from_u32(code - 0xfee0).unwrap_or(c),
        _ => c,
    }
}

fn ip(word: &str) -> Option<What> {
    let (address, bits) = match word.split_once('/') {
        Some((address, bits)) => (address, Some(bits.parse::<u8>().ok()?)),
        None => (word, None),
    };
    let (address, _zone) = address.split_once('%').unwrap_or((address, ""));
    let address = address.parse().ok().or_else(|| {
        let (address, port) = address.rsplit_once(':')?;
        port.parse::<u16>().ok()?;
        address.parse::<Ipv4Addr>().ok().map(IpAddr::V4)
    })?;
    // Eight bytes with colons are an address of InfiniBand, or one with two groups too many.
    if matches!(address, IpAddr::V6(_)) && word.split(':').all(|group| group.len() == 2) {
        return None;
    }
    let address = address.to_canonical();
    Some(bits.and_then(|bits| Network::of(address, bits)).map_or(What::Ip(address), What::Network))
}

fn uuid(word: &str) -> Option<What> {
    let word = word.strip_prefix("urn:uuid:").unwrap_or(word);
    let digits: String = word.chars().filter(|c| *c != '-').map(|c| c.to_ascii_lowercase()).collect();
    let hyphens: Vec<usize> = word.match_indices('-').map(|(at, _)| at).collect();
    let regular = matches!(hyphens.as_slice(), [] | [8, 13, 18, 23]);
    if !regular || digits.len() != 32 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let parts = [0..8, 8..12, 12..16, 16..20, 20..32].map(|range| digits.get(range).unwrap_or_default());
    Some(What::Uuid(parts.join("-")))
}

fn mac(word: &str, alone: bool) -> Option<What> {
    let fault = match word.parse::<Mac>() {
        // Twelve digits between other words are more likely a time or a number.
        Ok(_) if !alone && word.bytes().all(|b| b.is_ascii_digit()) => return None,
        Ok(mac) => return Some(What::Mac(mac)),
        Err(MacFault::NotHex) => return None,
        Err(fault) => fault,
    };
    let sizes: Vec<usize> = word.split(|c| separator(c).is_some()).map(str::len).collect();
    let bytes = sizes.len() >= 5 && sizes.iter().all(|size| (1..=2).contains(size));
    let likely = match fault {
        MacFault::Digits(_) => bytes,
        MacFault::Mixed => bytes || sizes == [4, 4, 4],
        MacFault::Groups => bytes,
        _ => sizes.len() > 1 || alone,
    };
    // An hour and a date, `21.11.26 03:12:44`, have fewer.
    (likely && Groups::of(word).map_or(true, |groups| groups.digits() > 4)).then_some(What::NoMac(fault))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<String> {
        understand(text)
            .into_iter()
            .map(|term| match term.what {
                What::Mac(mac) => format!("mac {mac}"),
                What::MacPart(part) => format!("part {}", part.digits),
                What::Ip(ip) => format!("ip {ip}"),
                What::Network(network) => format!("net {network}"),
                What::Uuid(uuid) => format!("uuid {uuid}"),
                What::Name(name) => format!("name {name}"),
                What::NoMac(fault) => format!("{} {fault:?}", &text[term.at]),
                What::Unknown => format!("? {}", &text[term.at]),
            })
            .collect()
    }

    #[test]
    fn lines_of_programs_give_their_addresses() {
        for (line, found) in [
            ("10.77.1.9 dev eth0 lladdr 52:54:00:12:34:56 REACHABLE", vec!["ip 10.77.1.9", "mac 52:54:00:12:34:56"]),
            (
                "fe80::5054:ff:fe12:3456%br0 lladdr 52-54-00-12-34-56 router STALE",
                vec!["ip fe80::5054:ff:fe12:3456", "mac 52:54:00:12:34:56"],
            ),
            ("? (10.1.2.3) at 0:50:56:ab:cd:f on en0 ifscope [ethernet]", vec!["ip 10.1.2.3", "mac 00:50:56:ab:cd:0f"]),
            ("Internet  10.1.2.3  12   0050.56ab.cd0f  ARPA   Vlan10", vec!["ip 10.1.2.3", "mac 00:50:56:ab:cd:0f"]),
            ("<mac address='52:54:00:12:34:56'/>", vec!["mac 52:54:00:12:34:56"]),
            ("    inet 10.1.2.3/24 brd 10.1.2.255 scope global eth0", vec!["ip 10.1.2.3", "ip 10.1.2.255"]),
            ("[P0][PROBLEM][db-07][10.1.2.3][host is down]", vec!["ip 10.1.2.3"]),
            ("2026-11-21 03:12:44 10.1.2.3:8080 GET /x 202611210312", vec!["ip 10.1.2.3"]),
            (
                "HWADDR=00:50:56:ab:cd:0f UUID=564D1F2E-0000-4a3b-8c9d-0123456789AB",
                vec!["mac 00:50:56:ab:cd:0f", "uuid 564d1f2e-0000-4a3b-8c9d-0123456789ab"],
            ),
            ("connect to [2001:db8::7]:443 failed", vec!["ip 2001:db8::7"]),
            ("ＭＡＣ：５２：５４：００：１２：３４：５６", vec!["mac 52:54:00:12:34:56"]),
            ("mac:52:54:00:12:34:56 ip:10.1.2.3", vec!["mac 52:54:00:12:34:56", "ip 10.1.2.3"]),
            ("地址 ５２：５４：００：１２：３４：５６，离线", vec!["mac 52:54:00:12:34:56"]),
        ] {
            assert_eq!(shown(line), found, "{line}");
        }
    }

    #[test]
    fn a_line_without_an_address_is_a_name() {
        assert_eq!(shown("web-01, web-02\n\nweb server 03\r\n"), ["name web-01", "name web-02", "name web server 03"]);
        assert_eq!(shown("db-07.example.com"), ["name db-07.example.com"]);
        assert_eq!(shown("0050.56"), ["part 005056"]);
        assert_eq!(shown("00:50:56:"), ["part 005056"]);
        assert_eq!(shown("cafe"), ["name cafe"]);
        assert_eq!(shown("the host did not answer for five minutes"), ["? the host did not answer for five minutes"]);
        assert_eq!(shown("005056abcd0f"), ["mac 00:50:56:ab:cd:0f"]);
        assert_eq!(shown("123456789012"), ["mac 12:34:56:78:90:12"]);
    }

    #[test]
    fn ranges_and_what_is_no_address() {
        assert_eq!(shown("10.1.2.0/24"), ["net 10.1.2.0/24"]);
        assert_eq!(shown("::ffff:10.1.2.3 10.1.2.3/32"), ["ip 10.1.2.3"]);
        assert_eq!(shown("lladdr ff:ff:ff:ff:ff:ff"), ["ff:ff:ff:ff:ff:ff Broadcast"]);
        assert_eq!(shown("01-00-5e-00-00-fb"), ["01-00-5e-00-00-fb Multicast"]);
        assert_eq!(shown("00:50-56:ab:cd:0f"), ["00:50-56:ab:cd:0f Mixed"]);
        assert_eq!(shown("00:50:56:ab:cd"), ["00:50:56:ab:cd Digits(10)"]);
        assert_eq!(shown("80:00:00:48:fe:80:00:01"), ["80:00:00:48:fe:80:00:01 Digits(16)"]);
        let network = Network { first: "10.1.2.0".parse().unwrap(), bits: 24 };
        assert!(network.contains("10.1.2.255".parse().unwrap()) && !network.contains("10.1.3.0".parse().unwrap()));
        assert!(!network.contains("::ffff:10.1.2.3".parse().unwrap()));
        let all = Network { first: "::".parse().unwrap(), bits: 0 };
        assert!(all.contains("2001:db8::1".parse().unwrap()));
    }

    #[test]
    fn hundreds_of_lines_are_each_thing_once() {
        let text: String =
            (0..600).map(|n| format!("10.1.{}.{} lladdr 02:00:00:00:00:01\n", n / 200, n % 200)).collect();
        let terms = understand(&text);
        assert_eq!(terms.len(), 601);
        assert!(terms.iter().all(|term| text.get(term.at.clone()).is_some()));
    }
}
