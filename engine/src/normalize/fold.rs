//! Folding of a text into the part that stays the same while a problem comes, changes and goes.
//!
//! `cpu 93% busy` and `cpu 95% busy` are one alert, and so are `host is down` and `host is up`.

use super::{bounds, fields};
use std::net::Ipv4Addr;

/// How much of a text takes part in its identity.
const FOLDED_BYTES: usize = 4 * 1024;

/// The shape of a date and a time: digits, separators, and a blank or a T.
const INSTANT: &[u8] = b"0000-00-00 00:00:00";
/// How much of it is the date.
const DATE_BYTES: usize = 10;
/// No address is longer.
const ADDRESS_BYTES: usize = 64;
/// Measurements are shorter.
const NUMBER_BYTES: usize = 32;
/// Units of time.
const UNITS: [&str; 8] = ["w", "d", "h", "m", "s", "ms", "us", "ns"];

/// Words that tell a state and not what is in that state.
const STATES: [&str; 36] = [
    "up",
    "down",
    "ok",
    "okay",
    "problem",
    "alert",
    "alarm",
    "firing",
    "fail",
    "fails",
    "failed",
    "failing",
    "failure",
    "recover",
    "recovers",
    "recovered",
    "recovery",
    "recovering",
    "resolve",
    "resolved",
    "normal",
    "abnormal",
    "clear",
    "cleared",
    "alive",
    "dead",
    "online",
    "offline",
    "reachable",
    "unreachable",
    "healthy",
    "unhealthy",
    "available",
    "unavailable",
    "responding",
    "unresponsive",
];

/// The same in Chinese; longer words first, because the first match is taken.
const CHINESE_STATES: [&str; 18] = [
    "恢复正常",
    "已经恢复",
    "已恢复",
    "不可用",
    "不可达",
    "无响应",
    "恢复",
    "正常",
    "异常",
    "故障",
    "告警",
    "报警",
    "宕机",
    "掉线",
    "离线",
    "在线",
    "失败",
    "可达",
];

/// What is folded out of a text.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Words of people: measurements, times and states.
    Words,
    /// Names and labels of an alert, which may be `Down` or `101`: percentages and instants.
    Labels,
}

/// Appends the folded text to `out`: lower case, numbers as `#`, state words as `~`, single blanks.
///
/// Digits behind a letter stay (`eth1` is not `eth2`, nor `db-07` `db-08`), and so do addresses and numbers that name
/// something (`3号`); all others are a measurement.
pub(super) fn fold(text: &str, out: &mut String) {
    append(Kind::Words, text, out);
}

/// What stands behind a state: `disk failed` and `disk is ok` are one there.
pub(super) fn named(text: &str, out: &mut String) {
    let mut folded = String::new();
    append(Kind::Words, text, &mut folded);
    out.push_str(&folded.replace(" is ~", " ~"));
}

/// The same of a title that has names and labels behind its state.
pub(super) fn labels(text: &str, out: &mut String) {
    append(Kind::Labels, text, out);
}

fn append(kind: Kind, text: &str, out: &mut String) {
    let mut rest = bounds::prefix(text.trim(), FOLDED_BYTES);
    let (mut in_name, mut in_word) = (false, false);
    while let Some(c) = rest.chars().next() {
        let mut taken = c.len_utf8();
        let address = if in_word { None } else { address(rest) };
        if let Some(address) = address {
            taken = address.len();
            out.extend(address.chars().map(|c| c.to_ascii_lowercase()));
        } else if c.is_ascii_alphabetic() {
            taken = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
            let word = rest.get(..taken).unwrap_or_default();
            // `up2date` and `node_down2` are names.
            let alone = !in_name && !rest.as_bytes().get(taken).is_some_and(|b| b.is_ascii_digit() || *b == b'_');
            if kind == Kind::Words && alone && STATES.iter().any(|state| state.eq_ignore_ascii_case(word)) {
                push_once(out, '~');
            } else {
                out.extend(word.bytes().map(|b| char::from(b.to_ascii_lowercase())));
            }
        } else if c.is_ascii_digit() && in_name {
            out.push(c);
        } else if c.is_ascii_digit() {
            taken = digits(kind, rest, out);
        } else if c.is_whitespace() {
            push_once(out, ' ');
        } else if let Some(word) = chinese_state(c, rest).filter(|_| kind == Kind::Words) {
            taken = word.len();
            push_once(out, '~');
        } else {
            out.extend(c.to_lowercase());
        }
        let is_joined = || matches!(c, '-' | '.') && rest.get(1..).is_some_and(is_of_name);
        let in_address = address.is_some();
        in_name =
            !in_address && (c.is_ascii_alphabetic() || c == '_' || (in_name && (c.is_ascii_digit() || is_joined())));
        in_word = in_address || c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        rest = rest.get(taken..).unwrap_or_default();
    }
}

/// Appends what is left of a number at the start; gives how long it was.
fn digits(kind: Kind, rest: &str, out: &mut String) -> usize {
    let taken = number(rest);
    let (digits, after) = rest.split_at_checked(taken).unwrap_or((rest, ""));
    // `10.0.0.7,95%` are an address and a measurement.
    let quad = digits.split(',').next().filter(|it| it.parse::<Ipv4Addr>().is_ok());
    if let Some(quad) = quad {
        out.push_str(quad);
        return quad.len();
    }
    let is_labels = kind == Kind::Labels && !after.starts_with('%') && !is_instant(rest);
    if after.starts_with('号') || is_labels {
        out.push_str(digits);
        return taken;
    }
    push_once(out, '#');
    duration(rest).unwrap_or(taken)
}

/// An address at the start, with its port, in any spelling that is read elsewhere.
fn address(text: &str) -> Option<&str> {
    let first = text.as_bytes().first()?;
    if !first.is_ascii_hexdigit() && !matches!(first, b':' | b'[') {
        return None;
    }
    let is_part = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b':' | b'-' | b'_');
    let inside = usize::from(*first == b'[');
    let bytes = text.as_bytes().get(inside..)?;
    let mut end = inside + bytes.iter().take(ADDRESS_BYTES + 1).take_while(|b| is_part(b)).count();
    if inside == 1 {
        let tail = text.get(end..)?.strip_prefix(']')?;
        let port = tail.strip_prefix(':').map_or(0, |port| 1 + port.bytes().take_while(u8::is_ascii_digit).count());
        end += 1 + port;
    }
    let token = text.get(..end).filter(|token| token.len() <= ADDRESS_BYTES)?;
    // `::` alone stands between names, and twelve bare digits are a number.
    let is_written = |token: &str| token.contains(|c: char| c.is_ascii_hexdigit()) && token.contains(['.', ':', '-']);
    let is_address =
        |token: &&str| is_written(token) && (fields::address(token).is_some() || fields::mac(token).is_some());
    // With what ends a sentence, which may belong to it: `2001:db8::`.
    let token = [token, token.trim_end_matches(['.', ':', '-'])].into_iter().find(is_address)?;
    // `10.0.0.7:95%` has no port.
    let is_measured = token.contains('.') && text.get(token.len()..).is_some_and(|rest| rest.starts_with('%'));
    (!is_measured).then_some(token)
}

/// Whether these digits go on with a name: a percentage does not, nor does a date.
fn is_of_name(text: &str) -> bool {
    let text = bounds::prefix(text, NUMBER_BYTES);
    let is_date = text.len() >= DATE_BYTES && is_like(INSTANT.get(..DATE_BYTES).unwrap_or_default(), text.as_bytes());
    text.starts_with(|c: char| c.is_ascii_digit())
        && !is_date
        && !text.get(number(text)..).is_some_and(|after| after.starts_with('%'))
}

fn is_like(shape: &[u8], bytes: &[u8]) -> bool {
    shape.iter().zip(bytes).all(|(known, byte)| match known {
        b'0' => byte.is_ascii_digit(),
        b' ' => matches!(byte, b' ' | b'T'),
        other => byte == other,
    })
}

fn is_instant(text: &str) -> bool {
    text.len() >= INSTANT.len() && is_like(INSTANT, text.as_bytes())
}

/// The length of `1m30s`: of several numbers with units, which are one measurement.
fn duration(text: &str) -> Option<usize> {
    let (mut end, mut parts) = (0, 0);
    loop {
        let rest = text.get(end..)?;
        if !rest.starts_with(|c: char| c.is_ascii_digit()) {
            break;
        }
        let digits = number(rest);
        let unit = rest.get(digits..)?.bytes().take_while(u8::is_ascii_alphabetic).count();
        if !UNITS.contains(&rest.get(digits..digits + unit)?) {
            return None;
        }
        end += digits + unit;
        parts += 1;
    }
    let is_end = !text.get(end..)?.starts_with(|c: char| c.is_alphanumeric() || c == '_');
    (parts > 0 && is_end).then_some(end)
}

/// The length of a number with its decimal points and thousands separators, or of an instant as computers write it.
fn number(text: &str) -> usize {
    let bytes = text.as_bytes();
    if is_instant(text) {
        let zone = |at: &usize| matches!(bytes.get(*at), Some(b'0'..=b'9' | b'.' | b':' | b'+' | b'-' | b'Z'));
        return (INSTANT.len()..bytes.len()).find(|at| !zone(at)).unwrap_or(bytes.len());
    }
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let mut end = 0;
    while digit(end) || (matches!(bytes.get(end), Some(b'.' | b',')) && digit(end + 1)) {
        end += 1;
    }
    end.max(1)
}

fn chinese_state(c: char, rest: &str) -> Option<&'static str> {
    if c < '\u{4e00}' {
        return None;
    }
    CHINESE_STATES.into_iter().find(|word| rest.starts_with(word))
}

fn push_once(out: &mut String, c: char) {
    if !out.ends_with(c) {
        out.push(c);
    }
}

#[cfg(test)]
mod tests {
    fn fold(text: &str) -> String {
        let mut out = String::new();
        super::fold(text, &mut out);
        out
    }

    #[test]
    fn states_and_measurements_fold_names_do_not() {
        assert_eq!(fold("Host is  DOWN"), fold("host is up"));
        assert_eq!(fold("loss 99.5% on eth1"), fold("loss 100% on eth1"));
        assert_ne!(fold("eth1 down"), fold("eth2 down"));
        assert_eq!(fold("主机宕机"), fold("主机已恢复"));
        assert_eq!(fold("took 1,200ms."), "took #.");
        assert_eq!(fold("down for 45s"), fold("down for 1h1m30.5s"));
        assert_eq!(fold("12345678901234567890 x1m5s 5mb"), "# x1m5s #mb");
    }

    #[test]
    fn names_and_labels_keep_what_may_be_a_name() {
        let labels = |text: &str| {
            let mut out = String::new();
            super::labels(text, &mut out);
            out
        };
        assert_eq!(labels("disk on db-07 is 97% full"), labels("Disk on db-07 is 40.5% full"));
        assert_eq!(labels("stuck since 2026-11-21 03:10:00"), labels("stuck since 2026-11-22 04:00:07"));
        for (one, other) in
            [("HTTP (101 critical)", "HTTP (102 critical)"), ("Down (a)", "Up (a)"), ("Rate 5m", "Rate 10m")]
        {
            assert_ne!(labels(one), labels(other), "{one}");
        }
    }

    #[test]
    fn machines_are_told_apart_and_measurements_are_not() {
        for (one, other) in [
            ("db-07: down", "db-08: down"),
            ("esx-bj-07 is down", "esx-bj-08 is down"),
            ("10.0.0.7 down", "10.0.0.8 down"),
            ("disk full host=db-07", "disk full host=db-08"),
            ("disk full ip=10.0.0.7", "disk full ip=10.0.0.8"),
            ("主机db-07宕机", "主机db-08宕机"),
            ("3号机房断电", "4号机房断电"),
            ("2001:db8::1 is unreachable", "2001:db8::2 is unreachable"),
            ("from [2001:db8::1]:22", "from [2001:db8::1]:23"),
            ("2001:db8:1::/64 down", "2001:db8:2::/64 down"),
            ("2001:db8::1: down", "2001:db8::2: down"),
            ("fe80::1%eth0 down", "fe80::2%eth0 down"),
            ("52:54:00:12:34:01 flaps", "52:54:00:12:34:02 flaps"),
            ("52-54-00-12-34-01 flaps", "52-54-00-12-34-02 flaps"),
            ("5254.0012.3401 flaps", "5254.0012.3402 flaps"),
            ("10.0.0.7,95% full", "10.0.0.8,95% full"),
            ("10.0.0.7:3306 refused", "10.0.0.7:6379 refused"),
            ("host:10.0.0.7:95% full", "host:10.0.0.8:95% full"),
        ] {
            assert_ne!(fold(one), fold(other), "{one}");
        }
        for (one, other) in [
            ("Disk on db-07 is 95% full", "disk on db-07  is 40% full"),
            ("db-07 is down, load=5", "db-07 is up, load=7"),
            ("usage:95%", "usage:97%"),
            ("CPU(95%) of web-3", "CPU(5.5%) of web-3"),
            ("web-3-down", "web-3-up"),
            ("last seen 2026-11-21T03:10:00.5+08:00 by db-07", "last seen 2026-12-01 14:11:09Z by db-07"),
            ("磁盘使用率95%", "磁盘使用率7%"),
            ("10.0.0.7,95% full", "10.0.0.7,40% full"),
            ("10.0.0.7:95% full", "10.0.0.7:40% full"),
            ("db-07 cpu-95%", "db-07 cpu-40.5%"),
            ("backup-2026-11-21 failed", "backup-2026-12-01 failed"),
            ("at 12:30:45 it took 123456789012", "at 12:31:02 it took 123456789013"),
        ] {
            assert_eq!(fold(one), fold(other), "{one}");
        }
    }
}
