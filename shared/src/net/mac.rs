//! Hardware addresses in every notation that switches, hypervisors and operating systems print.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::{fmt, net::Ipv6Addr, str::FromStr};

/// The address of one network interface (EUI-48). Shown in lower case with colons.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mac(pub [u8; 6]);

/// Why something that looks like a hardware address is none that a machine can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MacFault {
    /// More than one kind of separator.
    Mixed,
    /// So many hexadecimal digits, where an address has twelve.
    Digits(usize),
    /// Groups that no notation has.
    Groups,
    /// Something that is neither a digit nor a separator.
    NotHex,
    /// All zeros: an interface without an address.
    Zero,
    /// All ones: every machine on a segment.
    Broadcast,
    /// The lowest bit of the first byte is set: a group of machines.
    Multicast,
}

impl fmt::Display for MacFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mixed => f.write_str("mixes separators; use one kind, as in 52:54:00:12:34:56"),
            Self::Digits(n) => write!(f, "has {n} hexadecimal digits where a hardware address has 12"),
            Self::Groups => {
                f.write_str("is not grouped as any notation of a hardware address is, such as 52:54:00:12:34:56")
            }
            Self::NotHex => f.write_str("has characters that are no hexadecimal digits"),
            Self::Zero => f.write_str("is all zeros, which no machine has"),
            Self::Broadcast => f.write_str("is the broadcast address: every machine on the segment"),
            Self::Multicast => f.write_str("is a multicast address: a group, not a machine"),
        }
    }
}

impl std::error::Error for MacFault {}

/// The beginning or end of hardware addresses, in whole hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MacPart {
    /// Four to eleven lower-case digits.
    pub digits: String,
}

impl Mac {
    /// The address as a number below 2^48, in the order of its bytes.
    #[must_use]
    pub const fn number(self) -> u64 {
        let [a, b, c, d, e, f] = self.0;
        u64::from_be_bytes([0, 0, a, b, c, d, e, f])
    }

    /// The address of a number; what is above 2^48 does not count.
    #[must_use]
    pub const fn of_number(number: u64) -> Self {
        let [_, _, a, b, c, d, e, f] = number.to_be_bytes();
        Self([a, b, c, d, e, f])
    }

    /// Whether software chose it: a hypervisor, a container engine, or a system that hides its own.
    #[must_use]
    pub const fn is_local(self) -> bool {
        self.0[0] & 0x02 != 0
    }

    /// The address that an IPv6 address was made from, if it was (RFC 4291, appendix A).
    #[must_use]
    pub fn of_ipv6(address: Ipv6Addr) -> Option<Self> {
        match address.octets() {
            [_, _, _, _, _, _, _, _, a, b, c, 0xff, 0xfe, d, e, f] => Self::checked([a ^ 0x02, b, c, d, e, f]).ok(),
            _ => None,
        }
    }

    /// Refuses what no interface of a machine can have.
    ///
    /// # Errors
    /// For zeros, broadcast and multicast.
    pub const fn checked(bytes: [u8; 6]) -> Result<Self, MacFault> {
        match bytes {
            [0, 0, 0, 0, 0, 0] => Err(MacFault::Zero),
            [0xff, 0xff, 0xff, 0xff, 0xff, 0xff] => Err(MacFault::Broadcast),
            [first, ..] if first & 1 == 1 => Err(MacFault::Multicast),
            _ => Ok(Self(bytes)),
        }
    }
}

/// Colon, full-width colon, hyphen and dot; what separates the groups of an address.
pub(super) const fn separator(c: char) -> Option<char> {
    match c {
        ':' | '：' => Some(':'),
        '-' | '－' => Some('-'),
        '.' | '．' => Some('.'),
        _ => None,
    }
}

/// The groups of a written address and what separates them.
pub(super) struct Groups {
    pub(super) separator: Option<char>,
    /// Their lower-case digits.
    pub(super) groups: Vec<String>,
}

impl Groups {
    pub(super) fn of(text: &str) -> Result<Self, MacFault> {
        let mut found = Self { separator: None, groups: vec![String::new()] };
        for c in text.trim().chars() {
            match (separator(c), found.groups.last_mut()) {
                (None, Some(group)) if c.is_ascii_hexdigit() => group.push(c.to_ascii_lowercase()),
                (Some(kind), _) if found.separator.is_none_or(|known| known == kind) => {
                    found.separator = Some(kind);
                    found.groups.push(String::new());
                }
                (Some(_), _) => return Err(MacFault::Mixed),
                _ => return Err(MacFault::NotHex),
            }
        }
        Ok(found)
    }

    pub(super) fn digits(&self) -> usize {
        self.groups.iter().map(String::len).sum()
    }

    fn sizes(&self) -> Vec<usize> {
        self.groups.iter().map(String::len).collect()
    }
}

impl FromStr for Mac {
    type Err = MacFault;

    /// Reads `52:54:00:12:34:56`, `52-54-00-12-34-56`, `5254.0012.3456` (Cisco), `5254-0012-3456` (H3C, Huawei),
    /// `525400-123456` (HP), `525400123456`, and `52:54:0:12:34:56` (BSD, Solaris: zeros left out).
    fn from_str(text: &str) -> Result<Self, MacFault> {
        let written = Groups::of(text)?;
        let digits = match (written.separator, written.sizes().as_slice()) {
            (None, [12]) | (Some(_), [2, 2, 2, 2, 2, 2] | [4, 4, 4]) | (Some('-'), [6, 6]) => written.groups.concat(),
            (Some(':'), [a, b, c, d, e, f]) if [a, b, c, d, e, f].iter().all(|size| (1..=2).contains(*size)) => {
                written.groups.iter().map(|group| format!("{group:0>2}")).collect()
            }
            _ if written.digits() != 12 => return Err(MacFault::Digits(written.digits())),
            _ => return Err(MacFault::Groups),
        };
        let number = u64::from_str_radix(&digits, 16).map_err(|_| MacFault::NotHex)?;
        let [_, _, a, b, c, d, e, f] = number.to_be_bytes();
        Self::checked([a, b, c, d, e, f])
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, f] = self.0;
        write!(out, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{f:02x}")
    }
}

impl fmt::Debug for Mac {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

impl Serialize for Mac {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Mac {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Mac".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^([0-9a-f]{2}:){5}[0-9a-f]{2}$" })
    }
}

impl<'de> Deserialize<'de> for Mac {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(|fault| D::Error::custom(format_args!("`{text}` {fault}")))
    }
}

impl MacPart {
    /// Part of an address: whole groups of one notation, or bare digits, at least four and fewer than twelve.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let written = Groups::of(text).ok()?;
        let mut groups = written.groups.as_slice();
        // A separator at the end says that more follows.
        if let [first @ .., last] = groups
            && last.is_empty()
        {
            groups = first;
        }
        let (last, whole) = groups.split_last()?;
        let size = whole.first().map_or(last.len(), String::len);
        let regular = match written.separator {
            None => true,
            Some('.') => size == 4,
            Some(_) => matches!(size, 2 | 4 | 6),
        };
        let digits = groups.concat();
        let fits = whole.iter().all(|group| group.len() == size) && (1..=size).contains(&last.len());
        (regular && fits && (4..12).contains(&digits.len())).then_some(Self { digits })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAC: Mac = Mac([0x00, 0x50, 0x56, 0xab, 0xcd, 0x0f]);

    #[test]
    fn every_notation_is_the_same_address() {
        for text in [
            "00:50:56:ab:cd:0f",
            "00-50-56-AB-CD-0F",
            "0050.56ab.cd0f",
            "0050-56ab-cd0f",
            "0050:56ab:cd0f",
            "005056-abcd0f",
            "005056ABCD0F",
            "0:50:56:ab:cd:f",
            " 00：50：56：ab：cd：0f ",
        ] {
            assert_eq!(text.parse(), Ok(MAC), "{text}");
        }
        assert_eq!(MAC.to_string(), "00:50:56:ab:cd:0f");
        assert_eq!(serde_json::from_str::<Mac>("\"0050.56ab.cd0f\"").unwrap(), MAC);
        assert_eq!(serde_json::to_string(&MAC).unwrap(), "\"00:50:56:ab:cd:0f\"");
    }

    #[test]
    fn what_is_none_says_why() {
        for (text, fault) in [
            ("00:50-56:ab:cd:0f", MacFault::Mixed),
            ("00:50:56:ab:cd", MacFault::Digits(10)),
            ("00:50:56:ab:cd:0f:11", MacFault::Digits(14)),
            ("005:056:abc:d0f", MacFault::Groups),
            ("0:50-56", MacFault::Mixed),
            ("00:50:56:ab:cd:0g", MacFault::NotHex),
            ("00:00:00:00:00:00", MacFault::Zero),
            ("ff-ff-ff-ff-ff-ff", MacFault::Broadcast),
            ("01:00:5e:00:00:fb", MacFault::Multicast),
            ("3333.0000.0001", MacFault::Multicast),
            ("", MacFault::Digits(0)),
        ] {
            assert_eq!(text.parse::<Mac>(), Err(fault), "{text}");
        }
        let refused = serde_json::from_str::<Mac>("\"01:00:5e:00:00:fb\"").unwrap_err().to_string();
        assert!(refused.contains("`01:00:5e:00:00:fb` is a multicast address"), "{refused}");
    }

    #[test]
    fn parts_are_whole_groups_or_bare_digits() {
        for (text, digits) in [
            ("00:50:56", "005056"),
            ("00:50:56:", "005056"),
            ("0050.56", "005056"),
            ("0050.56ab.", "005056ab"),
            ("00-50-5", "00505"),
            ("cafe", "cafe"),
        ] {
            assert_eq!(MacPart::parse(text).map(|part| part.digits), Some(digits.to_owned()), "{text}");
        }
        for text in ["1.2.3", "10.1.2.3", "0:5", "abc", "00:50-56", "005056abcd0f", "web-01", ":", "::", "1:50:56"] {
            assert_eq!(MacPart::parse(text), None, "{text}");
        }
    }

    #[test]
    fn an_address_of_an_ipv6_address_is_found() {
        let address = "fe80::250:56ff:feab:cd0f".parse().unwrap();
        assert_eq!(Mac::of_ipv6(address), Some(MAC));
        assert_eq!(Mac::of_ipv6("2001:db8::1".parse().unwrap()), None);
        assert!(!MAC.is_local() && Mac([0x52, 0x54, 0, 1, 2, 3]).is_local());
    }
}
