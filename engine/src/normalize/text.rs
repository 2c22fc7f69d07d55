//! Plain text, and the question whether something unreadable is a P0.

use super::{Out, Parsed, Source, bounds, bracket, fields};
use shared::{AlertEvent, Flag, Format, Severity, timeline::RejectReason};

/// How much of a text is searched for a level.
const SEARCHED_BYTES: usize = 4 * 1024;
/// How much of a body is searched for a P0.
const P0_BYTES: usize = 64 * 1024;

/// Splits a text into messages of the bracketed family; without any it is one text event.
pub(super) fn lines(source: &Source<'_>, text: &str, whole: &str, out: &mut Out) {
    let (before, messages) = bracket::split(text);
    if messages.is_empty() {
        out.events.push(event(source, text, whole));
        return;
    }
    let found = messages.len();
    for (index, message) in messages.into_iter().enumerate() {
        if index >= bounds::MEMBERS {
            out.overflow(found, message);
        } else if let Some(mut parsed) = bracket::parse(source, message, fields::Spans::new(whole)) {
            if index == 0 && !before.trim().is_empty() {
                bounds::label(&mut parsed.event, "preamble", before.trim());
            }
            out.events.push(parsed);
        }
    }
}

/// Anything at all as an event.
pub(super) fn event(source: &Source<'_>, text: &str, whole: &str) -> Parsed {
    let mut event = AlertEvent::blank(Format::Text, source.integration.default_severity);
    let mut spans = fields::Spans::new(whole);
    let text = text.trim();
    bounds::set_text(&mut event, text);
    spans.add("content", text);
    let broken_json = text.starts_with(['{', '[']) && looks_like_p0(text.as_bytes());
    let stated = level_anywhere(text).or_else(|| {
        broken_json.then(|| {
            bounds::flag(&mut event, Flag::Poison);
            (Severity::P0, false)
        })
    });
    fields::set_severity(&mut event, stated, source);
    fields::find_addresses(&mut event);
    let key = fields::folded_key(&event, "text:", "", text);
    bounds::set_key(&mut event, key);
    Parsed { event, spans: spans.list }
}

/// A rejected body that looks like a P0 pages all the same.
pub(super) fn poison(text: &str) -> Parsed {
    let mut event = AlertEvent::blank(Format::Text, Severity::P0);
    bounds::set_text(&mut event, text);
    bounds::flag(&mut event, Flag::Poison);
    fields::find_addresses(&mut event);
    let key = fields::folded_key(&event, "text:", "", text);
    bounds::set_key(&mut event, key);
    Parsed { event, spans: Vec::new() }
}

/// The first level token anywhere near the start: `URGENT [P0] db-07 down`.
pub(super) fn level_anywhere(text: &str) -> Option<(Severity, bool)> {
    levels(text).next()
}

/// The worst of them, in a text that may tell of several things.
pub(super) fn worst_level(text: &str) -> Option<(Severity, bool)> {
    levels(text).min_by_key(|(level, _)| *level)
}

fn levels(text: &str) -> impl Iterator<Item = (Severity, bool)> {
    let text = bounds::prefix(text, SEARCHED_BYTES);
    let starts = text.match_indices(['[', '【', '［']).filter_map(move |(at, _)| text.get(at..));
    starts.filter_map(|rest| bracket::level_token(rest).map(|head| head.stated))
}

impl Out {
    /// One member more than a request may have.
    pub(super) fn overflow(&mut self, found: usize, member: &str) {
        let reason = RejectReason::TooMany {
            limit: u32::try_from(bounds::MEMBERS).unwrap_or(u32::MAX),
            found: u64::try_from(found).unwrap_or(u64::MAX),
        };
        match self.rejected.iter_mut().find(|reason| matches!(reason, RejectReason::TooMany { .. })) {
            Some(known) => *known = reason,
            None => self.rejected.push(reason),
        }
        self.suspect(member);
    }

    /// Rejects a part of the body, and remembers it when it looks like a P0.
    pub(super) fn reject(&mut self, reason: RejectReason, part: &str) {
        if self.rejected.len() < bounds::MEMBERS {
            self.rejected.push(reason);
        }
        self.suspect(part);
    }

    pub(super) fn suspect(&mut self, part: &str) {
        if self.poison.is_none() && looks_like_p0(part.as_bytes()) {
            self.poison = Some(bounds::prefix(part, P0_BYTES).to_owned());
        }
    }
}

/// Opening brackets in UTF-8, GBK and percent-encoded.
const OPEN: [&[u8]; 6] = [b"[", "【".as_bytes(), "［".as_bytes(), b"\xa1\xbe", b"\xa3\xdb", b"%5b"];
/// The closing ones.
const CLOSE: [&[u8]; 6] = [b"]", "】".as_bytes(), "］".as_bytes(), b"\xa1\xbf", b"\xa3\xdd", b"%5d"];
/// Blanks that may stand between a bracket and the level.
const BLANK: [&[u8]; 6] = [b" ", b"\t", "\u{3000}".as_bytes(), "\u{a0}".as_bytes(), b"\xa1\xa1", b"%20"];
/// Names of JSON fields that state a level.
const NAMES: [&[u8]; 3] = [b"severity", b"priority", b"level"];

/// Whether a body nobody can parse seems to state the highest level.
///
/// True for `[P0]` (also with blanks, full-width, in GBK) and for a JSON field such as
/// `"severity": "P0"`, in any case, anywhere in the first 64 KiB.
#[must_use]
pub fn looks_like_p0(body: &[u8]) -> bool {
    let body = body.get(..P0_BYTES.min(body.len())).unwrap_or_default();
    body.iter().enumerate().any(|(at, byte)| {
        let back = body.get(..at).unwrap_or_default();
        let next = body.get(at + 1..).unwrap_or_default();
        let ahead = match byte {
            b'p' | b'P' => next,
            // A full-width P, whose last byte this is.
            0xb0 if back.ends_with(b"\xef\xbc") => next,
            _ => return false,
        };
        let back = if *byte == 0xb0 { back.get(..at.saturating_sub(2)).unwrap_or_default() } else { back };
        let Some(ahead) = strip_any(ahead, &[b"00", b"0", "０".as_bytes()], false) else { return false };
        bracketed(back, ahead) || json_field(back, ahead)
    })
}

/// `[ … ]` around the level; the blanks are bounded so that no body makes this slow.
fn bracketed(back: &[u8], ahead: &[u8]) -> bool {
    let closed = strip_any(skip(ahead, false), &CLOSE, false).is_some();
    closed && strip_any(skip(back, true), &OPEN, true).is_some()
}

/// `"severity" : "P0"`, with either kind of quote, escaped or not.
fn json_field(back: &[u8], ahead: &[u8]) -> bool {
    let quote = |text, end| strip_any(text, &[b"\"", b"'", b"\\\""], end);
    let escaped = |text| strip_any(text, &[b"\\"], true).unwrap_or(text);
    if quote(skip(ahead, false), false).is_none() {
        return false;
    }
    let name = quote(skip(back, true), true)
        .map(escaped)
        .and_then(|rest| strip_any(skip(rest, true), &[b":"], true))
        .and_then(|rest| quote(skip(rest, true), true))
        .map(escaped);
    name.and_then(|name| strip_any(name, &NAMES, true)).is_some()
}

/// Skips at most 64 blanks from the front or the end.
fn skip(mut text: &[u8], end: bool) -> &[u8] {
    for _ in 0..64 {
        match strip_any(text, &BLANK, end).or_else(|| strip_any(text, &[b"\n", b"\r"], end)) {
            Some(rest) => text = rest,
            None => break,
        }
    }
    text
}

/// Removes the first of these that the text starts (or ends) with, in any case.
fn strip_any<'a>(text: &'a [u8], any: &[&[u8]], end: bool) -> Option<&'a [u8]> {
    any.iter().find_map(|part| {
        let rest = text.len().checked_sub(part.len())?;
        let (found, rest) =
            if end { (text.get(rest..)?, text.get(..rest)?) } else { text.split_at_checked(part.len())? };
        found.eq_ignore_ascii_case(part).then_some(rest)
    })
}

#[cfg(test)]
mod tests {
    use super::looks_like_p0;

    #[test]
    fn a_p0_is_seen_in_every_spelling() {
        for text in [
            "[P0]",
            "x [ p0 ] y",
            "【P0】",
            "［P0］",
            "【　Ｐ０　】",
            "[p00]",
            "{\"severity\": \"P0\"",
            "{'priority':'p0'",
            "\"Level\"\n:\"P0\"",
            "%5BP0%5D",
            r#"{\"level\":\"P0\"}"#,
        ] {
            assert!(looks_like_p0(text.as_bytes()), "{text}");
        }
        assert!(looks_like_p0(&encoding_rs::GB18030.encode("【P0】主机宕机").0));
        for text in ["", "P0", "[P1]", "[P01]", "(P0)", "\"note\":\"P0\"", "[P0", "\"severity\":\"P01\"", "[0]"] {
            assert!(!looks_like_p0(text.as_bytes()), "{text}");
        }
    }
}
