//! A JSON reader that keeps where things are.
//!
//! Unlike `serde_json` values it keeps positions, duplicate keys and numbers as written, refuses deep
//! nesting while reading, and reads one value after another. It is a little more tolerant: control
//! characters other than line breaks and lone surrogates inside strings are replaced, not refused.

use super::bounds;
use std::borrow::Cow;

/// Deepest nesting that is read.
pub(super) const DEPTH: u32 = 32;

/// A value and the text it was read from.
#[derive(Debug)]
pub(super) struct Node<'a> {
    pub(super) value: Value<'a>,
    pub(super) raw: &'a str,
}

/// Members of an object, in the order written, duplicates included.
pub(super) type Members<'a> = Vec<(Cow<'a, str>, Node<'a>)>;

#[derive(Debug)]
pub(super) enum Value<'a> {
    Null,
    Bool(bool),
    /// As written.
    Number(&'a str),
    Text(Cow<'a, str>),
    Array(Vec<Node<'a>>),
    Object(Members<'a>),
}

impl<'a> Node<'a> {
    /// A text, number or truth value as text.
    pub(super) fn scalar(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            Value::Number(number) => Some(number),
            Value::Bool(true) => Some("true"),
            Value::Bool(false) => Some("false"),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    }

    pub(super) fn members(&self) -> Option<&Members<'a>> {
        match &self.value {
            Value::Object(members) => Some(members),
            _ => None,
        }
    }

    /// What it is, in words for a reject reason.
    pub(super) fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "null",
            Value::Bool(_) => "a truth value",
            Value::Number(_) => "a number",
            Value::Text(_) => "a text",
            Value::Array(_) => "an array",
            Value::Object(_) => "an object",
        }
    }
}

/// Why a value could not be read; the reader stands where it gave up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Bad(&'static str),
    TooDeep,
}

/// Reads values from a text.
pub(super) struct Reader<'a> {
    text: &'a str,
    at: usize,
    /// An escape stood for a control character, which was replaced.
    pub(super) dirty: bool,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0, dirty: false }
    }

    /// Where the reader stands, in bytes.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// Goes on elsewhere.
    pub(super) fn seek(&mut self, at: usize) {
        self.at = at.min(self.text.len());
    }

    /// What has not been read yet.
    pub(super) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Skips blanks; whether anything is left.
    pub(super) fn more(&mut self) -> bool {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
        self.at < self.text.len()
    }

    /// Where the reader stands, in words.
    pub(super) fn place(&self) -> String {
        let before = self.text.get(..self.text.floor_char_boundary(self.at)).unwrap_or_default();
        let line = before.bytes().filter(|b| *b == b'\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        format!("line {line} column {column}")
    }

    /// Reads the next value.
    pub(super) fn value(&mut self) -> Result<Node<'a>, Fault> {
        self.nested(0)
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.more() && self.peek() == Some(byte);
        if found {
            self.at += 1;
        }
        found
    }

    /// Recursion is bounded by [`DEPTH`].
    fn nested(&mut self, depth: u32) -> Result<Node<'a>, Fault> {
        self.more();
        let start = self.at;
        let value = match self.peek() {
            Some(b'{' | b'[') if depth >= DEPTH => return Err(Fault::TooDeep),
            Some(b'{') => self.object(depth)?,
            Some(b'[') => self.array(depth)?,
            Some(b'"') => Value::Text(self.string()?),
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(b't') => self.word("true", Value::Bool(true))?,
            Some(b'f') => self.word("false", Value::Bool(false))?,
            Some(b'n') => self.word("null", Value::Null)?,
            Some(_) => return Err(Fault::Bad("a value was expected")),
            None => return Err(Fault::Bad("the text ends where a value was expected")),
        };
        Ok(Node { value, raw: self.text.get(start..self.at).unwrap_or_default() })
    }

    fn object(&mut self, depth: u32) -> Result<Value<'a>, Fault> {
        self.at += 1;
        let mut members = Vec::new();
        if self.eat(b'}') {
            return Ok(Value::Object(members));
        }
        loop {
            if !self.more() || self.peek() != Some(b'"') {
                return Err(Fault::Bad("a name in double quotes was expected"));
            }
            let name = self.string()?;
            if !self.eat(b':') {
                return Err(Fault::Bad("a colon was expected"));
            }
            members.push((name, self.nested(depth + 1)?));
            if self.eat(b'}') {
                return Ok(Value::Object(members));
            }
            if !self.eat(b',') {
                return Err(Fault::Bad("a comma or } was expected"));
            }
        }
    }

    fn array(&mut self, depth: u32) -> Result<Value<'a>, Fault> {
        self.at += 1;
        let mut items = Vec::new();
        if self.eat(b']') {
            return Ok(Value::Array(items));
        }
        loop {
            items.push(self.nested(depth + 1)?);
            if self.eat(b']') {
                return Ok(Value::Array(items));
            }
            if !self.eat(b',') {
                return Err(Fault::Bad("a comma or ] was expected"));
            }
        }
    }

    fn word(&mut self, word: &str, value: Value<'a>) -> Result<Value<'a>, Fault> {
        if self.rest().starts_with(word) {
            self.at += word.len();
            Ok(value)
        } else {
            Err(Fault::Bad("a value was expected"))
        }
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        self.at - start
    }

    fn number(&mut self) -> Result<Value<'a>, Fault> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        let leading_zero = self.peek() == Some(b'0');
        let whole = self.digits();
        let mut good = whole == 1 || (whole > 1 && !leading_zero);
        if self.peek() == Some(b'.') {
            self.at += 1;
            good &= self.digits() > 0;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            good &= self.digits() > 0;
        }
        match self.text.get(start..self.at) {
            Some(number) if good => Ok(Value::Number(number)),
            _ => Err(Fault::Bad("this is not a number")),
        }
    }

    fn string(&mut self) -> Result<Cow<'a, str>, Fault> {
        self.at += 1;
        let mut owned: Option<String> = None;
        let mut from = self.at;
        loop {
            match self.peek() {
                None => return Err(Fault::Bad("the text ends inside a string")),
                Some(b'\n') => return Err(Fault::Bad("a line break inside a string")),
                Some(b'"') => {
                    let piece = self.text.get(from..self.at).unwrap_or_default();
                    self.at += 1;
                    let Some(mut text) = owned else { return Ok(Cow::Borrowed(piece)) };
                    text.push_str(piece);
                    let (text, dirty) = bounds::clean(Cow::Owned(text));
                    self.dirty |= dirty;
                    return Ok(Cow::Owned(text));
                }
                Some(b'\\') => {
                    let text = owned.get_or_insert_default();
                    text.push_str(self.text.get(from..self.at).unwrap_or_default());
                    self.at += 1;
                    let c = self.escape()?;
                    owned.get_or_insert_default().push(c);
                    from = self.at;
                }
                Some(_) => self.at += 1,
            }
        }
    }

    fn escape(&mut self) -> Result<char, Fault> {
        let c = match self.peek() {
            Some(c @ (b'"' | b'\\' | b'/')) => char::from(c),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.at += 1;
                return self.unicode();
            }
            _ => return Err(Fault::Bad("an unknown escape in a string")),
        };
        self.at += 1;
        Ok(c)
    }

    fn hex4(&mut self) -> Option<u32> {
        let digits = self.text.get(self.at..self.at + 4)?;
        if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        let code = u32::from_str_radix(digits, 16).ok()?;
        self.at += 4;
        Some(code)
    }

    fn unicode(&mut self) -> Result<char, Fault> {
        let high = self.hex4().ok_or(Fault::Bad("four hexadecimal digits were expected"))?;
        if let 0xd800..=0xdbff = high
            && self.rest().starts_with("\\u")
        {
            let back = self.at;
            self.at += 2;
            match self.hex4() {
                Some(low @ 0xdc00..=0xdfff) => {
                    let code = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
                    return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
                }
                _ => self.at = back,
            }
        }
        Ok(char::from_u32(high).unwrap_or(char::REPLACEMENT_CHARACTER))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The last of duplicate keys, as the rest of the world reads it.
    fn to_serde(node: &Node<'_>) -> serde_json::Value {
        match &node.value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(value) => (*value).into(),
            Value::Number(number) => serde_json::from_str(number).unwrap(),
            Value::Text(text) => text.as_ref().into(),
            Value::Array(items) => items.iter().map(to_serde).collect(),
            Value::Object(members) => members.iter().map(|(name, node)| (name.to_string(), to_serde(node))).collect(),
        }
    }

    proptest! {
        /// Everything `serde_json` reads is read the same way here.
        #[test]
        fn agrees_with_serde_json(text in r#"[\[\]{}:, "a\\u0041n\-1.e0]{0,40}"#) {
            if let Ok(theirs) = serde_json::from_str::<serde_json::Value>(&text) {
                let mut reader = Reader::new(&text);
                prop_assert_eq!(to_serde(&reader.value().unwrap()), theirs);
                prop_assert!(!reader.more());
            }
        }

        /// What is made as JSON comes back the same.
        #[test]
        fn reads_generated_values(name in "[^\u{0}-\u{1f}\u{7f}-\u{9f}\u{61c}\u{200e}\u{200f}\u{2028}-\u{202e}\u{2066}-\u{2069}]*", number: i64, float in -1e300..1e300) {
            let value = serde_json::json!({ &name: [number, float, name, null, true, {"a": {"b": []}}] });
            for text in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
                prop_assert_eq!(to_serde(&Reader::new(&text).value().unwrap()), serde_json::from_str::<serde_json::Value>(&text).unwrap());
            }
        }
    }

    #[test]
    fn depth_is_refused_without_reading_on() {
        let deep = "[".repeat(100_000);
        assert_eq!(Reader::new(&deep).value().unwrap_err(), Fault::TooDeep);
        let fine = format!("{}{}", "[".repeat(32), "]".repeat(32));
        assert!(Reader::new(&fine).value().is_ok());
    }

    #[test]
    fn faults_have_a_place() {
        let mut reader = Reader::new("{\n \"a\": nul}");
        assert!(reader.value().is_err());
        assert_eq!(reader.place(), "line 2 column 7");
    }
}
