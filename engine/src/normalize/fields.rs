//! What the product lives on: which machine, at which address, a message is about.

use super::{Source, bounds, fold};
use shared::{AlertEvent, Flag, Severity, SharedStr, alert::FieldSpan};
use std::{
    borrow::Cow,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

/// How much of a content is searched for addresses.
const SCANNED_BYTES: usize = 4 * 1024;

/// Collects where fields were found; knows the text they are offsets into.
pub(super) struct Spans<'t> {
    text: &'t str,
    pub(super) list: Vec<FieldSpan>,
}

impl<'t> Spans<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, list: Vec::with_capacity(8) }
    }

    /// Notes a field. A slice of anything but the text (an unescaped copy, say) is not a place in it.
    pub(super) fn add(&mut self, field: &str, part: &str) {
        self.note(field, part, false);
    }

    /// Notes a field that a mapping gives.
    pub(super) fn map(&mut self, field: &str, part: &str) {
        self.note(field, part, true);
    }

    fn note(&mut self, field: &str, part: &str, mapped: bool) {
        let Some(start) = (part.as_ptr() as usize).checked_sub(self.text.as_ptr() as usize) else { return };
        let end = start.saturating_add(part.len());
        if part.is_empty() || end > self.text.len() {
            return;
        }
        if let (Ok(start), Ok(end)) = (u32::try_from(start), u32::try_from(end)) {
            self.list.push(FieldSpan { field: field.to_owned(), start, end, mapped });
        }
    }
}

/// Takes the stated severity, or the integration's default and a flag that says so.
pub(super) fn set_severity(event: &mut AlertEvent, stated: Option<(Severity, bool)>, source: &Source<'_>) {
    match stated {
        Some((severity, clamped)) => {
            event.severity = severity;
            if clamped {
                bounds::flag(event, Flag::LevelOutOfRange);
            }
        }
        None => {
            event.severity = source.integration.default_severity;
            bounds::flag(event, Flag::DefaultSeverity);
        }
    }
}

/// Fills address fields that were not stated: from the host, then from the text.
pub(super) fn find_addresses(event: &mut AlertEvent) {
    if event.ip.is_none() {
        let from_host = event.host.as_deref().and_then(host_address);
        event.ip = from_host.or_else(|| ip_in(&event.summary)).or_else(|| ip_in(&event.content)).map(SharedStr::from);
    }
    if event.mac.is_none() {
        event.mac = mac_in(&event.summary).or_else(|| mac_in(&event.content)).map(SharedStr::from);
    }
}

/// `kind:host|folded text`: the identity of a message that names none.
pub(super) fn folded_key(event: &AlertEvent, kind: &str, middle: &str, text: &str) -> String {
    let host = event.host.as_deref().or(event.ip.as_deref()).unwrap_or_default();
    let mut key = String::with_capacity(64 + text.len().min(256));
    key.push_str(kind);
    push_lower(&mut key, host);
    key.push('|');
    if !middle.is_empty() {
        push_lower(&mut key, middle);
        key.push('|');
    }
    fold::fold(text, &mut key);
    key
}

/// A key of which what stands before the words is compared by itself (`dedup`): of one that is too long only the words are digested.
pub(super) fn kept_kin(key: String) -> String {
    match key.rsplit_once('|') {
        Some((kin, words)) if key.len() > bounds::KEY_BYTES => format!("{kin}|{}", bounds::digest(words)),
        _ => key,
    }
}

/// Host names do not differ by case.
pub(super) fn push_lower(out: &mut String, text: &str) {
    out.extend(text.chars().flat_map(char::to_lowercase));
}

/// An address as written in a field: bracketed, with a zone, with a port.
pub(super) fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    if text.len() > 64 {
        return None;
    }
    if let Ok(v4) = text.parse::<Ipv4Addr>() {
        return Some(IpAddr::V4(v4));
    }
    if let Some((v4, port)) = text.split_once(':')
        && is_port(port)
        && let Ok(v4) = v4.parse::<Ipv4Addr>()
    {
        return Some(IpAddr::V4(v4));
    }
    let inner = match text.strip_prefix('[') {
        Some(rest) => {
            let (inner, tail) = rest.split_once(']')?;
            (tail.is_empty() || tail.strip_prefix(':').is_some_and(is_port)).then_some(inner)?
        }
        None => text,
    };
    let inner = inner.split_once('%').map_or(inner, |(address, _)| address).trim();
    inner.parse::<Ipv6Addr>().ok().map(IpAddr::V6)
}

/// A host field that is an address, also in the `10_10_10_51` spelling seen in the wild.
fn host_address(host: &str) -> Option<String> {
    let found = address(host).or_else(|| {
        let plausible = host.len() <= 15 && host.bytes().all(|b| b.is_ascii_digit() || b == b'_');
        plausible.then(|| host.replace('_', ".").parse::<Ipv4Addr>().ok().map(IpAddr::V4)).flatten()
    })?;
    Some(found.to_string())
}

fn is_port(text: &str) -> bool {
    (1..=5).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

/// A host without its port, IPv6 brackets and zone.
pub(super) fn bare_host(text: &str) -> Cow<'_, str> {
    let text = text.trim();
    if text.contains(':') || text.starts_with('[') {
        if let Some(address) = address(text) {
            return Cow::Owned(address.to_string());
        }
        if let Some((host, port)) = text.rsplit_once(':')
            && is_port(port)
            && !host.contains(':')
        {
            return Cow::Borrowed(host);
        }
    }
    Cow::Borrowed(text)
}

/// The first address in running text; version numbers, times and MACs are none.
fn ip_in(text: &str) -> Option<String> {
    let text = bounds::prefix(text, SCANNED_BYTES);
    if !text.bytes().any(|b| matches!(b, b'.' | b':')) {
        return None;
    }
    tokens(text, |b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b':' | b'_' | b'-')).find_map(|token| {
        let token = token.trim_end_matches(['.', ':', '-']);
        let found = match token.as_bytes().first()? {
            b'0'..=b'9' | b':' | b'a'..=b'f' | b'A'..=b'F' => address(token)?,
            _ => return None,
        };
        (!found.is_unspecified() && !found.is_loopback()).then(|| found.to_string())
    })
}

/// The first MAC in running text. Twelve bare digits would as well be a container's id.
fn mac_in(text: &str) -> Option<String> {
    let text = bounds::prefix(text, SCANNED_BYTES);
    tokens(text, |b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b':' | b'_' | b'-'))
        .map(|token| token.trim_end_matches(['.', ':', '-']))
        .find_map(|token| if token.len() == 12 { None } else { mac(token) })
}

fn tokens(text: &str, keep: impl Fn(u8) -> bool + Copy) -> impl Iterator<Item = &str> {
    text.split(move |c: char| !u8::try_from(c).is_ok_and(|b| b.is_ascii() && keep(b))).filter(|token| !token.is_empty())
}

/// A MAC in any spelling (`00:11…`, `00-11…`, `0011.2233.4455`, bare) as lower-case colon form.
pub(super) fn mac(text: &str) -> Option<String> {
    let text = text.trim();
    let group = match (text.len(), text.as_bytes().get(2)) {
        (17, Some(b':' | b'-')) => 2,
        (14, _) => 4,
        (12, _) => 12,
        _ => return None,
    };
    let separator = text.as_bytes().get(group).copied();
    if group == 4 && separator != Some(b'.') {
        return None;
    }
    let mut out = String::with_capacity(17);
    let mut digits = 0;
    for (at, byte) in text.bytes().enumerate() {
        if at % (group + 1) == group {
            if Some(byte) != separator {
                return None;
            }
            continue;
        }
        if !byte.is_ascii_hexdigit() {
            return None;
        }
        if digits > 0 && digits % 2 == 0 {
            out.push(':');
        }
        out.push(char::from(byte.to_ascii_lowercase()));
        digits += 1;
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_in_every_spelling() {
        for (text, want) in [
            ("10.8.3.21", "10.8.3.21"),
            ("10.8.3.21:9100", "10.8.3.21"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:DB8::1]:9100", "2001:db8::1"),
            ("fe80::1%eth0", "fe80::1"),
        ] {
            assert_eq!(address(text).unwrap().to_string(), want, "{text}");
        }
        for text in ["", "10.8.3", "10.8.3.21.4", "256.1.1.1", "host", "[::1", "12:30:45", "::x"] {
            assert!(address(text).is_none(), "{text}");
        }
        assert_eq!(host_address("10_10_10_51").as_deref(), Some("10.10.10.51"));
    }

    #[test]
    fn addresses_in_running_text() {
        assert_eq!(ip_in("at 12:30:45 v1.2.3.4 1.2.3.4.5, then 10.0.0.7: down").as_deref(), Some("10.0.0.7"));
        assert_eq!(ip_in("端口10.0.0.7不通").as_deref(), Some("10.0.0.7"));
        assert_eq!(ip_in("lost fe80::2 now").as_deref(), Some("fe80::2"));
        assert_eq!(mac_in("port 52-54-00-AB-cd-01 flaps").as_deref(), Some("52:54:00:ab:cd:01"));
        assert_eq!(mac_in("a 5254.00ab.cd01.").as_deref(), Some("52:54:00:ab:cd:01"));
        assert_eq!(mac_in("container 525400abcd01"), None);
        assert_eq!(mac("525400ABCD01").as_deref(), Some("52:54:00:ab:cd:01"));
        assert_eq!(mac("52:54:00-ab:cd:01"), None);
    }

    #[test]
    fn hosts_lose_their_port() {
        assert_eq!(bare_host("db-1:9100"), "db-1");
        assert_eq!(bare_host("[fe80::1%eth0]:22"), "fe80::1");
        assert_eq!(bare_host("a:b:1"), "a:b:1");
    }
}
