//! The header of a syslog message: RFC 5424, RFC 3164, whatever of it there is, or none.
//!
//! Nothing is refused. What does not fit where it stands is the text of the message, because senders are sloppy and the text
//! is what pages.

use super::super::{bounds, bracket};
use std::borrow::Cow;

/// Of a message without a priority: user, notice.
const NO_PRIORITY: usize = 13;
const FACILITIES: [&str; 24] = [
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "ntp",
    "audit", "alert", "clock", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
];
const SEVERITIES: [&str; 8] = ["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
/// The longest name of a program, in bytes.
const TAG_BYTES: usize = 64;
const HOST_BYTES: usize = 255;
/// As many as an event has labels.
const PARAMS: usize = 128;

/// A message taken apart; everything in it is a part of the frame.
#[derive(Debug, Default)]
pub(super) struct Message<'t> {
    pub(super) facility: &'static str,
    /// In syslog's words.
    pub(super) severity: &'static str,
    /// When it was sent, in the sender's own spelling.
    pub(super) sent: Option<&'t str>,
    pub(super) host: Option<&'t str>,
    pub(super) app: Option<&'t str>,
    pub(super) pid: Option<&'t str>,
    pub(super) id: Option<&'t str>,
    /// What structured data say, whatever element it stands in.
    pub(super) params: Vec<(&'t str, Cow<'t, str>)>,
    pub(super) text: &'t str,
}

impl<'t> Message<'t> {
    /// Takes a frame apart.
    pub(super) fn read(frame: &'t str) -> Self {
        let frame = frame.trim_start_matches('\u{feff}').trim();
        let (priority, rest) = priority(frame).unwrap_or((NO_PRIORITY, frame));
        let mut message = rest.strip_prefix("1 ").and_then(new_header).unwrap_or_else(|| old_header(rest));
        message.facility = FACILITIES.get(priority / 8).copied().unwrap_or("user");
        message.severity = SEVERITIES.get(priority % 8).copied().unwrap_or("notice");
        // Some relays leave a blank more than there should be, and a byte order mark may stand before the text.
        message.text = message.text.trim_start().trim_start_matches('\u{feff}').trim();
        message
    }

    /// What a parameter of the structured data says.
    pub(super) fn param(&self, names: &[&str]) -> Option<&str> {
        let found = self.params.iter().find(|(name, value)| !value.is_empty() && names.contains(name));
        found.map(|(_, value)| value.as_ref())
    }
}

/// `<0>` to `<191>`.
fn priority(text: &str) -> Option<(usize, &str)> {
    let (number, rest) = text.strip_prefix('<')?.split_once('>')?;
    let is_number = (1..=3).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
    let number: usize = number.parse().ok().filter(|_| is_number)?;
    (number < 8 * FACILITIES.len()).then_some((number, rest))
}

/// A word and what follows it.
fn word(text: &str) -> (&str, &str) {
    let text = text.trim_start_matches(' ');
    text.split_once(' ').unwrap_or((text, ""))
}

/// `-` says nothing.
fn said(word: &str) -> Option<&str> {
    Some(word).filter(|word| !matches!(*word, "" | "-"))
}

/// `1985-04-12T23:20:50.52Z`, also with an offset.
fn is_instant(word: &str) -> bool {
    let shape = word.len() <= 40 && word.as_bytes().get(10) == Some(&b'T');
    shape && word.parse::<jiff::Timestamp>().is_ok()
}

/// RFC 5424 behind its version: time, host, program, process, kind of message, structured data, text.
fn new_header(text: &str) -> Option<Message<'_>> {
    let (sent, text) = word(text);
    if sent != "-" && !is_instant(sent) {
        return None;
    }
    let (host, text) = word(text);
    let (app, text) = word(text);
    let (pid, text) = word(text);
    let (id, text) = word(text);
    let mut message = Message { sent: said(sent), ..Message::default() };
    (message.host, message.app) = (said(host), said(app));
    (message.pid, message.id) = (said(pid), said(id));
    message.text = structured(text.trim_start_matches(' '), &mut message.params);
    Some(message)
}

/// Reads structured data and gives what follows them. Where they should stand, some senders write `[P0][PROBLEM]…` at once,
/// which are names of elements by the grammar: an element that says nothing is text.
fn structured<'t>(text: &'t str, params: &mut Vec<(&'t str, Cow<'t, str>)>) -> &'t str {
    if let Some(rest) = text.strip_prefix('-').filter(|rest| rest.is_empty() || rest.starts_with(' ')) {
        return rest;
    }
    let mut rest = text;
    while let Some((found, after)) = element(rest) {
        params.extend(found.into_iter().take(PARAMS.saturating_sub(params.len())));
        rest = after;
    }
    rest
}

type Params<'t> = Vec<(&'t str, Cow<'t, str>)>;

/// `[id name="value" …]`
fn element(text: &str) -> Option<(Params<'_>, &str)> {
    let inside = text.strip_prefix('[')?;
    let end = inside.find([' ', ']', '"', '=', '['])?;
    let mut rest = inside.get(end..).filter(|rest| end > 0 && rest.starts_with(' '))?;
    let mut params = Vec::new();
    loop {
        rest = rest.trim_start_matches(' ');
        if let Some(after) = rest.strip_prefix(']') {
            return (!params.is_empty()).then_some((params, after));
        }
        let end = rest.find([' ', ']', '"', '='])?;
        let (name, value) = rest.split_at_checked(end)?;
        let (value, after) = quoted(value.strip_prefix("=\"")?)?;
        if params.len() < PARAMS {
            params.push((name, value));
        }
        rest = after;
    }
}

/// A value up to its quote; quotes, brackets and backslashes inside are escaped.
fn quoted(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let mut escaped = false;
    let end = text.bytes().position(|byte| {
        let is_end = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        is_end
    })?;
    let value = text.get(..end)?;
    let plain = if value.contains('\\') {
        Cow::Owned(value.replace("\\\"", "\"").replace("\\]", "]").replace("\\\\", "\\"))
    } else {
        Cow::Borrowed(value)
    };
    Some((plain, text.get(end + 1..)?))
}

/// RFC 3164, as far as it is there: time, host, `program[process]:`, text. A host stands behind a time only.
fn old_header(text: &str) -> Message<'_> {
    let mut message = Message::default();
    let mut rest = text.trim_start_matches(' ');
    if let Some((host, sent, after)) = counted(rest) {
        (message.host, message.sent, rest) = (host, Some(sent), after);
    } else if let Some((sent, after)) = wall(rest) {
        (message.sent, rest) = (Some(sent), after);
    } else if let Some((sent, after)) = Some(word(rest)).filter(|(word, _)| is_instant(word)) {
        (message.sent, rest) = (Some(sent), after);
    }
    if message.sent.is_some() && message.host.is_none() {
        rest = rest.trim_start_matches([' ', ':']);
        let (host, after) = word(rest);
        if is_host(host) && !after.trim().is_empty() {
            (message.host, rest) = (said(host), after);
        }
    }
    rest = rest.trim_start_matches([' ', ':']);
    if let Some((app, pid, after)) = tag(rest) {
        (message.app, message.pid, rest) = (Some(app), pid, after);
    }
    message.text = rest;
    message
}

/// What switches of Cisco put before the time: the number of the message, maybe another, and maybe their name.
fn counted(text: &str) -> Option<(Option<&str>, &str, &str)> {
    let (mut host, mut rest) = (None, text);
    for place in 0..3 {
        let (before, after) = word(rest);
        let before = before.strip_suffix(':')?;
        if !is_digits(before) {
            host = Some(before).filter(|it| place > 0 && is_host(it));
            host?;
        }
        if let Some((sent, after)) = wall(after.trim_start_matches(' ')) {
            return Some((host, sent, after));
        }
        rest = after;
    }
    None
}

/// `Nov 21 01:49:31`, also with a year, parts of a second, an offset, or the name of a zone before the `%` of Cisco.
fn wall(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start_matches(['*', '.']);
    let (month, rest) = word(text);
    let (day, rest) = word(rest);
    let (time, rest) = match word(rest) {
        (year, rest) if year.len() == 4 && is_digits(year) => word(rest),
        time => time,
    };
    let (clock, more) = time.split_at_checked("01:49:31".len())?;
    let is_clock = clock.split(':').count() == 3 && clock.split(':').all(|part| part.len() == 2 && is_digits(part));
    let is_more = |c: char| c.is_ascii_digit() || matches!(c, '.' | ',' | '+' | '-' | ':' | 'Z');
    let fits = MONTHS.contains(&month) && is_clock && (1..=2).contains(&day.len()) && is_digits(day);
    if !fits || !more.chars().all(is_more) || more.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let zone = rest.split_once(": %").map_or("", |(zone, _)| zone);
    let is_zone = (1..=8).contains(&zone.len()) && zone.starts_with(char::is_alphabetic) && !zone.contains(' ');
    let rest = if is_zone { rest.get(zone.len()..)? } else { rest };
    Some((text.get(..text.len() - rest.len())?.trim_end_matches([' ', ':']), rest))
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_host(word: &str) -> bool {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '%' | '/' | '@');
    (1..=HOST_BYTES).contains(&word.len()) && word.chars().all(plain) && !word.ends_with(':')
}

/// `sshd[812]: …` or `kernel: …`.
fn tag(text: &str) -> Option<(&str, Option<&str>, &str)> {
    let near = bounds::prefix(text, 2 * TAG_BYTES);
    let (name, rest) = near.split_at_checked(near.find([' ', ':', '['])?)?;
    // A number is the count of a switch's messages, or a part of an address.
    if name.len() > TAG_BYTES || !name.contains(char::is_alphabetic) || bracket::head(text).is_some() {
        return None;
    }
    let (pid, rest) = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((pid, rest)) => (said(pid), rest),
        None => (None, rest),
    };
    let after = rest.strip_prefix(':')?;
    let after = text.get(near.len() - after.len()..)?;
    // `db-1:3306` and `http://…` are text.
    let ends = pid.is_some() || after.is_empty() || after.starts_with([' ', '[', '【', '［', '\u{feff}']);
    ends.then_some((name, pid, after))
}
