//! `application/x-www-form-urlencoded`: percent-decoded to bytes first, because Chinese senders put GBK there.

use super::{
    Charset, Out, Source, apprise, bounds, decode, documents,
    json::{Members, Node, Value},
    nagios, object, text,
};
use shared::{Flag, Format, timeline::RejectReason};
use std::{borrow::Cow, ops::Range};

/// Fields that carry the message.
const MESSAGE: [&str; 7] = ["content", "subject", "message", "text", "payload", "data", "msg"];
/// The senders of forms that are known by their fields.
const SHAPES: &[documents::Shape] = &[nagios::read, apprise::read];
/// More fields than this are not read.
const PAIRS: usize = 1000;

/// A decoded form, printed as one `name=value` a line.
pub(super) struct Form {
    pub(super) text: String,
    pub(super) charset: Charset,
    pub(super) flags: Vec<Flag>,
    pub(super) cut: bool,
    /// Name and value, as ranges of the text.
    pairs: Vec<(Range<usize>, Range<usize>)>,
}

/// Whether a body sent with the form content type really is a form.
///
/// `curl --data 'disk=95% on db'` sends text under this type. A real form has no blanks or raw
/// characters in it; a hand-written one at least starts with a name we know.
pub(super) fn is_form(body: &[u8]) -> bool {
    let name_of = |pair: &[u8]| pair.iter().position(|b| *b == b'=').and_then(|at| pair.get(..at).map(<[u8]>::to_vec));
    let is_name = |name: &[u8]| {
        (1..=64).contains(&name.len())
            && name
                .iter()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'%' | b'+' | b'[' | b']'))
    };
    let body = body.trim_ascii();
    let mut names = body.split(|b| *b == b'&').map(name_of);
    let Some(Some(first)) = names.next() else { return false };
    if !is_name(&first) {
        return false;
    }
    let known = |name: &[u8]| MESSAGE.iter().any(|field| field.as_bytes().eq_ignore_ascii_case(name));
    let encoded = body.iter().all(u8::is_ascii_graphic);
    encoded || known(&first) || names.flatten().any(|name| known(&name))
}

/// Splits and decodes a form.
pub(super) fn read(body: &[u8], charset: Option<&str>) -> Form {
    let mut form =
        Form { text: String::new(), charset: Charset::Utf8, flags: Vec::new(), cut: false, pairs: Vec::new() };
    for pair in body.trim_ascii().split(|b| *b == b'&').filter(|pair| !pair.is_empty()).take(PAIRS) {
        let at = pair.iter().position(|b| *b == b'=').unwrap_or(pair.len());
        let name = form.push(pair.get(..at).unwrap_or_default(), charset);
        form.text.push('=');
        let value = form.push(pair.get(at + 1..).unwrap_or_default(), charset);
        form.text.push('\n');
        form.pairs.push((name, value));
    }
    form
}

impl Form {
    /// Appends a decoded piece; every piece has its own charset and may be cut.
    fn push(&mut self, raw: &[u8], charset: Option<&str>) -> Range<usize> {
        let decoded = decode::decode(&percent_decode(raw), charset);
        let start = self.text.len();
        self.text.push_str(&decoded.text);
        self.charset = self.charset.max(decoded.charset);
        self.cut |= decoded.cut;
        for flag in decoded.flags {
            if !self.flags.contains(&flag) {
                self.flags.push(flag);
            }
        }
        start..self.text.len()
    }

    fn part(&self, range: &Range<usize>) -> &str {
        self.text.get(range.clone()).unwrap_or_default()
    }

    pub(super) fn named(&self) -> Vec<(String, String)> {
        let pairs = self.pairs.iter();
        pairs.map(|(name, value)| (self.part(name).to_owned(), self.part(value).to_owned())).collect()
    }

    /// The message fields as events; the others as their attributes.
    pub(super) fn events(&self, source: &Source<'_>, out: &mut Out) {
        let part = |range: &Range<usize>| self.part(range);
        let members: Members<'_> = self
            .pairs
            .iter()
            .map(|(name, value)| {
                let (name, value) = (part(name), part(value));
                (Cow::Borrowed(name), Node { value: Value::Text(Cow::Borrowed(value)), raw: value })
            })
            .collect();
        match SHAPES.iter().find_map(|read| read(source, &members, &self.text)) {
            Some(Ok(mut events)) => return out.events.append(&mut events),
            Some(Err(faults)) => return out.reject(RejectReason::BadEvent { faults }, &self.text),
            None => {}
        }
        let messages: Vec<&str> = MESSAGE
            .iter()
            .filter_map(|name| object::member(&members, name).map(|node| node.raw))
            .filter(|text| !text.trim().is_empty())
            .collect();
        for message in &messages {
            let json =
                message.trim_start().starts_with(['{', '[']) && super::bracket::head(message.trim_start()).is_none();
            if json && documents::read(source, message, &self.text, false, out) {
                return;
            }
        }
        if messages.is_empty() && !has_any_field(&members) {
            let names: Vec<&str> = members.iter().take(8).map(|(name, _)| bounds::prefix(name, 64)).collect();
            let detail = format!("none of {} among: {}", MESSAGE.join(", "), names.join(", "));
            return out.reject(RejectReason::NoContent { detail }, &self.text);
        }
        // Several messages in one field: each is an event of its own.
        if let Some(many) = messages.iter().find(|message| super::bracket::split(message).1.len() > 1) {
            return text::lines(source, many, &self.text, out);
        }
        out.events.push(object::event(source, &members, None, Format::Text, &self.text));
    }
}

/// A form without a message may still say which host has what state.
fn has_any_field(members: &Members<'_>) -> bool {
    ["summary", "title", "description", "name", "alertname", "host", "hostname", "severity", "priority", "status"]
        .iter()
        .any(|name| object::member(members, name).is_some_and(|node| !node.raw.trim().is_empty()))
}

/// `%41` and `+`; anything malformed stays as it is.
fn percent_decode(raw: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(raw.len());
    let mut rest = raw;
    let hex = |b: u8| char::from(b).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        match (first, tail) {
            (b'+', _) => out.push(b' '),
            (b'%', [high, low, after @ ..]) => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => {
                    out.push(high << 4 | low);
                    rest = after;
                }
                _ => out.push(b'%'),
            },
            _ => out.push(*first),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decoding_leaves_malformed_escapes() {
        assert_eq!(percent_decode(b"a+b%20c%2Bd%zz%4"), b"a b c+d%zz%4");
    }

    #[test]
    fn text_under_the_form_type_is_no_form() {
        for body in ["tos=a,&content=x", "content=[P0][PROBLEM][h][][down 95%]", "a=1", "tos=1 2&msg=x y"] {
            assert!(is_form(body.as_bytes()), "{body}");
        }
        for body in ["db down", "disk usage=95% on db", "load=5 on db", "=x", ""] {
            assert!(!is_form(body.as_bytes()), "{body}");
        }
    }
}
