//! Where in a JSON value something stands: JSON Pointers (RFC 6901), and words with such pointers in braces.
//!
//! Total: a pointer or a text that is badly written finds nothing. [`pieces`] says what is wrong with it.

use super::{
    bounds,
    json::{Node, Value},
    object::{filled, place},
};
use shared::config::Texts;
use std::borrow::Cow;

/// Begins a pointer that counts from the whole value, and not from the member that is read.
const WHOLE: char = '$';

/// The value a pointer names; of duplicate names the last.
pub(super) fn at<'n, 'a>(root: &'n Node<'a>, pointer: &str) -> Option<&'n Node<'a>> {
    let mut steps = pointer.split('/');
    // Before the first slash there is nothing.
    steps.next().filter(|start| start.is_empty())?;
    steps.try_fold(root, step)
}

/// The members around the value a pointer names.
pub(super) fn around<'n, 'a>(root: &'n Node<'a>, pointer: &str) -> Option<&'n Node<'a>> {
    at(root, pointer.rsplit_once('/')?.0)
}

fn step<'n, 'a>(node: &'n Node<'a>, name: &str) -> Option<&'n Node<'a>> {
    match &node.value {
        Value::Object(members) => {
            let name = unescaped(name)?;
            members.iter().rev().find(|(known, _)| *known == name).map(|(_, node)| node)
        }
        Value::Array(items) => {
            let plain = name == "0" || (!name.starts_with('0') && name.bytes().all(|b| b.is_ascii_digit()));
            items.get(name.parse::<usize>().ok().filter(|_| plain)?)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => None,
    }
}

/// `~1` is a slash and `~0` a tilde; nothing else may follow one.
fn unescaped(name: &str) -> Option<Cow<'_, str>> {
    if !name.contains('~') {
        return Some(Cow::Borrowed(name));
    }
    let good = name.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
    good.then(|| Cow::Owned(name.replace("~1", "/").replace("~0", "~")))
}

/// The pointer to the innermost value that holds a part of the text it was read from.
pub(super) fn to(root: &Node<'_>, part: &str) -> Option<String> {
    let mut pointer = String::new();
    let mut node = Some(root).filter(|root| holds(root.raw, part))?;
    loop {
        let (name, inner) = match &node.value {
            Value::Object(members) => match members.iter().find(|(_, inner)| holds(inner.raw, part)) {
                Some((name, inner)) => (name.replace('~', "~0").replace('/', "~1"), inner),
                None => return Some(pointer),
            },
            Value::Array(items) => match items.iter().enumerate().find(|(_, inner)| holds(inner.raw, part)) {
                Some((index, inner)) => (index.to_string(), inner),
                None => return Some(pointer),
            },
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => return Some(pointer),
        };
        pointer.push('/');
        pointer.push_str(&name);
        node = inner;
    }
}

fn holds(raw: &str, part: &str) -> bool {
    raw.as_bytes().as_ptr_range().start <= part.as_bytes().as_ptr_range().start
        && part.as_bytes().as_ptr_range().end <= raw.as_bytes().as_ptr_range().end
}

/// What is wrong with a pointer, in words.
pub(super) fn fault(pointer: &str) -> Option<String> {
    let own = pointer.strip_prefix(WHOLE).unwrap_or(pointer);
    if !own.is_empty() && !own.starts_with('/') {
        return Some(format!("`{pointer}` is not a pointer; write it as `/labels/host`, or `$/env` from the whole"));
    }
    let bad = own.split('/').any(|name| unescaped(name).is_none());
    bad.then(|| format!("`{pointer}` has a `~` that is neither `~0`, a tilde, nor `~1`, a slash in a name"))
}

/// A part of a text with gaps.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'t> {
    Words(&'t str),
    /// Filled with what the pointer names.
    Gap(&'t str),
}

/// Takes a text apart: a pointer is one gap; otherwise gaps stand in braces, and a doubled brace is a brace.
pub(super) fn pieces(text: &str) -> Result<Vec<Piece<'_>>, String> {
    if is_pointer(text) {
        return fault(text).map_or_else(|| Ok(vec![Piece::Gap(text)]), Err);
    }
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(brace) = rest.find(['{', '}']) {
        let (before, after) = (rest.get(..brace).unwrap_or_default(), rest.get(brace..).unwrap_or_default());
        if after.starts_with("{{") || after.starts_with("}}") {
            pieces.push(Piece::Words(rest.get(..=brace).unwrap_or_default()));
            rest = after.get(2..).unwrap_or_default();
            continue;
        }
        pieces.push(Piece::Words(before));
        let Some((pointer, behind)) = after.strip_prefix('{').and_then(|inside| inside.split_once('}')) else {
            return Err(format!("`{text}` has a brace without its other; double it if it is meant as it stands"));
        };
        if !is_pointer(pointer) {
            return Err(format!("`{{{pointer}}}` is not a pointer in braces; write it as `{{/labels/host}}`"));
        }
        if let Some(fault) = fault(pointer) {
            return Err(fault);
        }
        pieces.push(Piece::Gap(pointer));
        rest = behind;
    }
    pieces.push(Piece::Words(rest));
    pieces.retain(|piece| *piece != Piece::Words(""));
    Ok(pieces)
}

fn is_pointer(text: &str) -> bool {
    text.strip_prefix(WHOLE).unwrap_or(text).starts_with('/')
}

/// The member that is read, and the value it is in.
#[derive(Clone, Copy)]
pub(super) struct Place<'n, 'a> {
    pub(super) member: &'n Node<'a>,
    pub(super) whole: &'n Node<'a>,
}

/// A text and where it stands.
pub(super) struct Found<'n, 'a> {
    pub(super) text: Cow<'n, str>,
    pub(super) parts: Vec<&'a str>,
}

impl<'n, 'a> Place<'n, 'a> {
    pub(super) fn node(self, pointer: &str) -> Option<&'n Node<'a>> {
        match pointer.strip_prefix(WHOLE) {
            Some(pointer) => at(self.whole, pointer),
            None => at(self.member, pointer),
        }
    }

    /// The first text that gives something.
    pub(super) fn find(self, texts: &Texts) -> Option<Found<'n, 'a>> {
        texts.0.iter().find_map(|text| self.text(text))
    }

    fn text(self, text: &str) -> Option<Found<'n, 'a>> {
        let pieces = pieces(text).ok()?;
        if let [Piece::Gap(pointer)] = pieces.as_slice() {
            let node = self.node(pointer)?;
            return Some(Found { text: Cow::Borrowed(filled(node)?), parts: vec![place(node)] });
        }
        // Every gap is looked for before anything is copied.
        let mut parts = Vec::new();
        let mut texts = Vec::new();
        for piece in pieces {
            texts.push(match piece {
                Piece::Words(words) => words,
                Piece::Gap(pointer) => {
                    let node = self.node(pointer)?;
                    parts.push(place(node));
                    filled(node)?
                }
            });
        }
        let mut whole = String::new();
        for text in texts {
            whole.push_str(bounds::prefix(text, bounds::CONTENT_BYTES.saturating_sub(whole.len())));
        }
        // Words of a configuration may hold anything, too.
        let (whole, _) = bounds::clean(whole.into());
        (!whole.trim().is_empty()).then_some(Found { text: Cow::Owned(whole), parts })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::normalize::json::Reader;

    /// The examples of RFC 6901, section 5.
    #[test]
    fn pointers_find_what_the_standard_says() {
        let text = r#"{"foo":["bar","baz"],"":0,"a/b":1,"c%d":2,"m~n":8,"k\"l":6," ":7,"foo2":1,"foo2":2}"#;
        let root = Reader::new(text).value().unwrap();
        for (pointer, raw) in [
            ("", Some(text)),
            ("/foo/0", Some("\"bar\"")),
            ("/", Some("0")),
            ("/a~1b", Some("1")),
            ("/c%d", Some("2")),
            ("/k\"l", Some("6")),
            ("/ ", Some("7")),
            ("/m~0n", Some("8")),
            ("/foo2", Some("2")),
            ("/foo/00", None),
            ("/foo/2", None),
            ("/foo/-", None),
            ("/foo/+1", None),
            ("/foo/0/x", None),
            ("/m~n", None),
            ("foo", None),
        ] {
            assert_eq!(at(&root, pointer).map(|node| node.raw), raw, "{pointer}");
        }
    }

    #[test]
    fn a_place_in_the_text_has_a_pointer() {
        let text = r#"{"a":{"b/c":["x",{"d":12}]}}"#;
        let root = Reader::new(text).value().unwrap();
        for pointer in ["/a/b~1c/0", "/a/b~1c/1/d", "/a"] {
            assert_eq!(to(&root, place(at(&root, pointer).unwrap())).as_deref(), Some(pointer));
        }
        assert_eq!(to(&root, "elsewhere"), None);
    }

    #[test]
    fn braces_hold_pointers_and_say_what_is_wrong() {
        use Piece::{Gap, Words};
        assert_eq!(pieces("/a/b").unwrap(), [Gap("/a/b")]);
        assert_eq!(pieces("$/a").unwrap(), [Gap("$/a")]);
        assert_eq!(pieces("{/a} on {$/b}!").unwrap(), [Gap("/a"), Words(" on "), Gap("$/b"), Words("!")]);
        assert_eq!(pieces("a {{b}}").unwrap(), [Words("a {"), Words("b}")]);
        assert_eq!(pieces("plain").unwrap(), [Words("plain")]);
        for (text, wrong) in [
            ("{/a", "brace"),
            ("a } b", "brace"),
            ("{host}", "pointer in braces"),
            ("{/a~2}", "neither"),
            ("/a~", "neither"),
        ] {
            assert!(pieces(text).unwrap_err().contains(wrong), "{text}");
        }
    }
}
