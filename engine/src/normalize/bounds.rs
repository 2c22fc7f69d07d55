//! Limits on everything that is kept, and the characters that may not be.

use sha2::{Digest, Sha256};
use shared::{AlertEvent, Flag, SharedStr};
use std::borrow::Cow;

/// Longest summary, in characters.
pub(super) const SUMMARY_CHARS: usize = 1024;
/// Longest content, in bytes.
pub(super) const CONTENT_BYTES: usize = 16 * 1024;
/// Longest decoded text kept for display, in bytes.
pub(super) const TEXT_BYTES: usize = 64 * 1024;
/// Most events of one request.
pub(super) const MEMBERS: usize = 1000;
const LABELS: usize = 128;
const NAME_BYTES: usize = 256;
const VALUE_BYTES: usize = 4 * 1024;
/// Longest identity, in bytes.
pub(super) const KEY_BYTES: usize = 255;
const LINKS: usize = 16;
const LINK_BYTES: usize = 2048;

/// Whether a character could corrupt a terminal, a database or the reading order of a line.
fn is_harmful(c: char) -> bool {
    match c {
        '\t' | '\n' | '\r' => false,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
        _ => c.is_control(),
    }
}

/// Whether the text might hold a harmful character, judged by lead bytes alone.
fn is_suspect(text: &str) -> bool {
    text.bytes().any(|b| matches!(b, 0..=8 | 11 | 12 | 14..=31 | 0x7f | 0xc2 | 0xd8 | 0xe2))
}

/// Replaces control characters and direction overrides; the flag says whether there were any.
pub(super) fn clean(text: Cow<'_, str>) -> (String, bool) {
    if !is_suspect(&text) || !text.contains(is_harmful) {
        return (text.into_owned(), false);
    }
    (text.chars().map(|c| if is_harmful(c) { char::REPLACEMENT_CHARACTER } else { c }).collect(), true)
}

/// The longest prefix of at most `max` bytes that ends on a character boundary.
pub(super) fn prefix(text: &str, max: usize) -> &str {
    text.get(..text.floor_char_boundary(max)).unwrap_or(text)
}

/// The first line that says something, on one line, at most [`SUMMARY_CHARS`] long.
pub(super) fn one_line(text: &str) -> String {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let end = line.char_indices().nth(SUMMARY_CHARS).map_or(line.len(), |(at, _)| at);
    let line = line.get(..end).unwrap_or(line).trim_end();
    if line.contains(['\t', '\r']) { line.replace(['\t', '\r'], " ") } else { line.to_owned() }
}

/// Puts a text into summary and, when it is longer than that, into content as well.
pub(super) fn set_text(event: &mut AlertEvent, text: &str) {
    let text = text.trim();
    event.summary = one_line(text).into();
    if event.summary == text {
        event.content = SharedStr::default();
    } else {
        set_content(event, text);
    }
}

/// Keeps a content, cut to its limit.
pub(super) fn set_content(event: &mut AlertEvent, text: &str) {
    let kept = prefix(text, CONTENT_BYTES);
    if kept.len() < text.len() {
        flag(event, Flag::Truncated);
    }
    event.content = kept.into();
}

/// A short field such as a host name, cut to a name's limit.
pub(super) fn name(event: &mut AlertEvent, text: &str) -> Option<SharedStr> {
    let text = text.trim();
    let kept = prefix(text, NAME_BYTES);
    if kept.len() < text.len() {
        flag(event, Flag::Truncated);
    }
    let kept = if kept.contains(['\n', '\r', '\t']) {
        kept.replace(['\n', '\r', '\t'], " ").into()
    } else {
        SharedStr::from(kept)
    };
    (!kept.is_empty()).then_some(kept)
}

/// Adds a label within the limits on number, name and value; the first value of a name stays.
pub(super) fn label(event: &mut AlertEvent, name: &str, value: &str) {
    let (short_name, short_value) = (prefix(name.trim(), NAME_BYTES), prefix(value, VALUE_BYTES));
    if short_name.is_empty() || event.labels.contains_key(short_name) {
        return;
    }
    let full = event.labels.len() >= LABELS;
    if full || short_name.len() < name.trim().len() || short_value.len() < value.len() {
        flag(event, Flag::LabelsCut);
    }
    if !full {
        event.labels.insert(short_name.to_owned(), short_value.to_owned());
    }
}

/// Sets a label that somebody asked for: it takes the place of one of its name, and where there are too many, of another one.
pub(super) fn own_label(event: &mut AlertEvent, name: &str, value: &str) {
    event.labels.remove(name.trim());
    if event.labels.len() >= LABELS
        && let Some(last) = event.labels.keys().next_back().cloned()
    {
        event.labels.remove(last.as_str());
        flag(event, Flag::LabelsCut);
    }
    label(event, name, value);
}

/// Adds an annotation within the same limits.
pub(super) fn annotation(event: &mut AlertEvent, name: &str, value: &str) {
    let labels = std::mem::replace(&mut event.labels, std::mem::take(&mut event.annotations));
    label(event, name, value);
    event.annotations = std::mem::replace(&mut event.labels, labels);
}

/// Adds a web address; anything that is not plainly http or https is left out.
pub(super) fn link(event: &mut AlertEvent, url: &str) {
    let url = url.trim();
    let scheme_ok = ["http://", "https://"].iter().any(|scheme| {
        url.get(..scheme.len()).is_some_and(|head| head.eq_ignore_ascii_case(scheme)) && url.len() > scheme.len()
    });
    let bad_char = |c: char| c.is_whitespace() || matches!(c, '"' | '<' | '>' | '\\' | '\u{fffd}');
    if scheme_ok && url.len() <= LINK_BYTES && event.links.len() < LINKS && !url.contains(bad_char) {
        let url = url.to_owned();
        if !event.links.contains(&url) {
            event.links.push(url);
        }
    }
}

/// Sets a flag once.
pub(super) fn flag(event: &mut AlertEvent, flag: Flag) {
    if !event.flags.contains(&flag) {
        event.flags.push(flag);
    }
}

/// Keeps a dedup key, hashed when it is longer than an index entry may be.
pub(super) fn set_key(event: &mut AlertEvent, key: String) {
    if key.len() > KEY_BYTES {
        flag(event, Flag::KeyHashed);
    }
    event.dedup_key = short(key).into();
}

/// A key as it stands, or its hash when it is longer than an index entry may be.
pub(super) fn short(key: String) -> String {
    if key.len() <= KEY_BYTES { key } else { digest(&key) }
}

/// What stands for a text that is too long.
pub(super) fn digest(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

/// Bytes in hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        for nibble in [byte >> 4, byte & 15] {
            text.push(char::from(HEX.get(usize::from(nibble)).copied().unwrap_or(b'0')));
        }
    }
    text
}
