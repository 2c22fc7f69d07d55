//! The Open-Falcon expression, `note func metric tags left` `op` `right`, read from its right end.
//!
//! Only the right end is regular: notes hold blanks, brackets and even other expressions, and empty
//! tags leave two blanks behind.

use shared::Metric;
use std::collections::BTreeMap;

/// The parts of an expression, as slices of the message.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Expression<'a> {
    pub(super) note: &'a str,
    pub(super) func: &'a str,
    pub(super) metric: &'a str,
    pub(super) tags: &'a str,
    pub(super) left: &'a str,
    pub(super) op: &'a str,
    pub(super) right: &'a str,
}

const OPERATORS: [&str; 7] = ["=", "==", "!=", "<", "<=", ">", ">="];
/// More tags than this are no tags.
const TAGS: usize = 128;

/// Reads an expression, or says that this is none.
pub(super) fn expression(text: &str) -> Option<Expression<'_>> {
    let (rest, right) = split_while(text.trim_end(), is_number_byte)?;
    let (rest, op) = split_while(rest, |b| matches!(b, b'<' | b'>' | b'=' | b'!'))?;
    let (rest, left) = split_while(rest, is_number_byte)?;
    if !OPERATORS.contains(&op) || !is_number(left) || !is_number(right) {
        return None;
    }
    let rest = rest.strip_suffix(' ')?;
    let (rest, tags) = match last_word(rest) {
        // Two blanks before the number: no tags.
        (_, "") => (rest, ""),
        (before, word) if word.contains('=') => (before, word),
        // A gateway collapsed the blanks.
        _ => (rest, ""),
    };
    let (rest, metric) = last_word(rest.trim_end());
    let (note, func) = last_word(rest.trim_end());
    (is_func(func) && !metric.is_empty()).then(|| Expression { note: note.trim(), func, metric, tags, left, op, right })
}

impl Expression<'_> {
    /// The measured value and its threshold as they are stored.
    pub(super) fn to_metric(&self, step: Option<u32>) -> Metric {
        Metric {
            name: self.metric.to_owned(),
            func: self.func.to_owned(),
            left: self.left.to_owned(),
            op: self.op.to_owned(),
            right: self.right.to_owned(),
            tags: tags(self.tags),
            step,
        }
    }
}

/// `k=v,k=v` as a map; a piece without `=` belongs to the value before it.
fn tags(text: &str) -> BTreeMap<String, String> {
    let mut map = BTreeMap::new();
    let mut last: Option<(String, String)> = None;
    for piece in text.split(',').take(TAGS) {
        match (piece.split_once('='), &mut last) {
            (Some((key, value)), _) => {
                map.extend(last.replace((key.to_owned(), value.to_owned())));
            }
            (None, Some((_, value))) => {
                value.push(',');
                value.push_str(piece);
            }
            (None, None) => {}
        }
    }
    map.extend(last);
    map
}

/// Splits off the longest non-empty suffix of such bytes.
fn split_while(text: &str, keep: impl Fn(u8) -> bool) -> Option<(&str, &str)> {
    let count = text.bytes().rev().take_while(|b| keep(*b)).count();
    (count > 0).then(|| text.split_at_checked(text.len() - count))?
}

/// The text before the last blank, and the word behind it.
fn last_word(text: &str) -> (&str, &str) {
    text.rsplit_once([' ', '\t', '\n', '\r']).unwrap_or(("", text))
}

fn is_number_byte(b: u8) -> bool {
    b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+' | b'e' | b'E')
}

fn is_number(text: &str) -> bool {
    text.len() <= 64 && text.bytes().any(|b| b.is_ascii_digit()) && text.parse::<f64>().is_ok()
}

/// `all(#3)`, `lookup(#2,3)`.
fn is_func(word: &str) -> bool {
    let Some((name, arguments)) = word.split_once("(#") else { return false };
    let Some(arguments) = arguments.strip_suffix(')') else { return false };
    !name.is_empty()
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && !arguments.is_empty()
        && arguments.bytes().all(|b| b.is_ascii_digit() || b == b',')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_note_may_hold_anything() {
        let read = expression("see ][ all(#1) x 1>2 all(#3) mysql.lag port=3306,a=b 412>=-120.5").unwrap();
        assert_eq!(read.note, "see ][ all(#1) x 1>2");
        assert_eq!((read.func, read.metric, read.tags), ("all(#3)", "mysql.lag", "port=3306,a=b"));
        assert_eq!((read.left, read.op, read.right), ("412", ">=", "-120.5"));
    }

    #[test]
    fn empty_note_and_empty_tags() {
        let read = expression(" all(#3) cpu.idle  4.5<10").unwrap();
        assert_eq!((read.note, read.metric, read.tags, read.left), ("", "cpu.idle", "", "4.5"));
        assert_eq!(expression("all(#3) cpu.idle 4.5<10").unwrap().metric, "cpu.idle");
    }

    #[test]
    fn what_is_no_expression() {
        for text in
            ["", "host is down", "1>2", "a 1>2", "x y 1>2", "all(#3) m  1=>2", "all(#3) m  1&gt;=2", "all(#3)  1>2"]
        {
            assert_eq!(expression(text), None, "{text}");
        }
    }
}
