//! Folding of a text into the part that stays the same while a problem comes, changes and goes.
//!
//! `cpu 93% busy` and `cpu 95% busy` are one alert, and so are `host is down` and `host is up`.

use super::bounds;
use std::net::Ipv4Addr;

/// How much of a text takes part in its identity.
const FOLDED_BYTES: usize = 4 * 1024;

/// The shape of a date and a time: digits, separators, and a blank or a T.
const INSTANT: &[u8] = b"0000-00-00 00:00:00";

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

/// Appends the folded text to `out`: lower case, numbers as `#`, state words as `~`, single blanks.
///
/// Digits behind a letter stay (`eth1` is not `eth2`, nor `db-07` `db-08`), and so do addresses and numbers that name
/// something (`3号`); all others are a measurement.
pub(super) fn fold(text: &str, out: &mut String) {
    let mut rest = bounds::prefix(text.trim(), FOLDED_BYTES);
    let mut in_name = false;
    while let Some(c) = rest.chars().next() {
        let mut taken = c.len_utf8();
        if c.is_ascii_alphabetic() {
            taken = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
            let word = rest.get(..taken).unwrap_or_default();
            // `up2date` and `node_down2` are names.
            let alone = !in_name && !rest.as_bytes().get(taken).is_some_and(|b| b.is_ascii_digit() || *b == b'_');
            if alone && STATES.iter().any(|state| state.eq_ignore_ascii_case(word)) {
                push_once(out, '~');
            } else {
                out.extend(word.bytes().map(|b| char::from(b.to_ascii_lowercase())));
            }
        } else if c.is_ascii_digit() && in_name {
            out.push(c);
        } else if c.is_ascii_digit() {
            taken = number(rest);
            let (digits, after) = rest.split_at_checked(taken).unwrap_or((rest, ""));
            if digits.parse::<Ipv4Addr>().is_ok() || after.starts_with('号') {
                out.push_str(digits);
            } else {
                push_once(out, '#');
            }
        } else if c.is_whitespace() {
            push_once(out, ' ');
        } else if let Some(word) = chinese_state(c, rest) {
            taken = word.len();
            push_once(out, '~');
        } else {
            out.extend(c.to_lowercase());
        }
        let is_joined = || matches!(c, '-' | '.') && rest.as_bytes().get(1).is_some_and(u8::is_ascii_digit);
        in_name = c.is_ascii_alphabetic() || c == '_' || (in_name && (c.is_ascii_digit() || is_joined()));
        rest = rest.get(taken..).unwrap_or_default();
    }
}

/// The length of a number with its decimal points and thousands separators, or of an instant as computers write it.
fn number(text: &str) -> usize {
    let bytes = text.as_bytes();
    let is_instant = bytes.len() >= 19
        && INSTANT.iter().zip(bytes).all(|(known, byte)| match known {
            b'0' => byte.is_ascii_digit(),
            b' ' => matches!(byte, b' ' | b'T'),
            other => byte == other,
        });
    if is_instant {
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
        assert_eq!(fold("took 1,200ms."), "took #ms.");
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
        ] {
            assert_eq!(fold(one), fold(other), "{one}");
        }
    }
}
