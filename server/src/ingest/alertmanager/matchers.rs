//! Alertmanager's matchers, `name="value"` with `=`, `!=`, `=~` or `!~`, and as conditions of ours.
//!
//! Its grammar (`pkg/labels/parse.go`) is a line long and no crate has it.

use regex::Regex;
use serde::{Deserialize, Serialize};
use shared::config::{Condition, Operator};

/// The largest compiled regular expression.
const REGEX_SIZE_BYTES: usize = 256 * 1024;

/// A matcher as silences have it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Matcher {
    pub(super) name: String,
    pub(super) value: String,
    pub(super) is_regex: bool,
    pub(super) is_equal: bool,
}

impl Matcher {
    /// Reads one of a query.
    ///
    /// # Errors
    /// What is wrong, in Alertmanager's words.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let bad = || format!("bad matcher format: {text}");
        let trimmed = text.trim();
        let at = trimmed.find(['=', '!']).ok_or_else(bad)?;
        let (name, rest) = trimmed.split_at(at);
        let signs = [("=~", true, true), ("!~", true, false), ("!=", false, false), ("=", false, true)];
        let (value, is_regex, is_equal) = signs
            .into_iter()
            .find_map(|(sign, is_regex, is_equal)| Some((rest.strip_prefix(sign)?, is_regex, is_equal)))
            .ok_or_else(bad)?;
        let name = name.trim();
        if name.is_empty() || name.contains(['{', '}', '(', ')', '"', ',']) {
            return Err(bad());
        }
        let matcher = Self { name: name.to_owned(), value: unquoted(value.trim())?, is_regex, is_equal };
        matcher.compile()?;
        Ok(matcher)
    }

    /// Makes it ready to compare.
    ///
    /// # Errors
    /// What is wrong with its regular expression.
    pub(super) fn compile(&self) -> Result<Compiled<'_>, String> {
        let regex = |value: &str| {
            regex::RegexBuilder::new(&format!(r"\A(?:{value})\z")).size_limit(REGEX_SIZE_BYTES).build().map_err(
                |error| format!("invalid regular expression \"{value}\": {}", error.to_string().replace('\n', " ")),
            )
        };
        Ok(Compiled { matcher: self, regex: self.is_regex.then(|| regex(&self.value)).transpose()? })
    }

    /// The same as a condition of ours.
    pub(super) fn condition(&self) -> String {
        let operator = match (self.is_regex, self.is_equal) {
            (true, true) => Operator::Like,
            (true, false) => Operator::NotLike,
            (false, true) => Operator::Equal,
            (false, false) => Operator::NotEqual,
        };
        // A name with an operator in it is quoted there, and is a label without saying so.
        let plain = !Operator::ALL.into_iter().any(|it| self.name.contains(it.sign()));
        let field = if plain { format!("labels.{}", self.name) } else { self.name.clone() };
        Condition { field: &field, operator, value: &self.value }.to_string()
    }

    /// What a condition of ours says, as near as a matcher comes to it.
    pub(super) fn of(condition: &str) -> Option<Self> {
        let Condition { field, operator, value } = Condition::split(condition).ok()?;
        let name = field.strip_prefix("labels.").unwrap_or(field).to_owned();
        let is_regex = matches!(operator, Operator::Like | Operator::NotLike);
        Some(Self { name, value: value.to_owned(), is_regex, is_equal: !operator.is_negated() })
    }
}

/// A value may stand in quotes, where a backslash escapes.
fn unquoted(value: &str) -> Result<String, String> {
    let unescaped = || format!("matcher value contains unescaped double quote: {value}");
    let inner = match value.strip_prefix('"') {
        Some(rest) => rest.strip_suffix('"').ok_or_else(unescaped)?,
        None => value,
    };
    let mut text = String::with_capacity(inner.len());
    let mut letters = inner.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => return Err(unescaped()),
            '\\' => match letters.next() {
                Some('n') => text.push('\n'),
                Some(escaped @ ('"' | '\\')) => text.push(escaped),
                Some(other) => text.extend(['\\', other]),
                None => text.push('\\'),
            },
            letter => text.push(letter),
        }
    }
    Ok(text)
}

/// A matcher that is ready.
pub(super) struct Compiled<'a> {
    matcher: &'a Matcher,
    regex: Option<Regex>,
}

impl Compiled<'_> {
    pub(super) fn name(&self) -> &str {
        &self.matcher.name
    }

    /// Whether a value matches; an absent label is empty.
    pub(super) fn matches(&self, value: &str) -> bool {
        let equal = self.regex.as_ref().map_or_else(|| self.matcher.value == value, |regex| regex.is_match(value));
        equal == self.matcher.is_equal
    }
}

/// What must hold for any text (`ingest::fuzz`): a matcher that is read is a condition of ours that says the same.
pub(in crate::ingest) fn try_it(text: &str) {
    let Ok(matcher) = Matcher::parse(text) else { return };
    let condition = matcher.condition();
    let back = Matcher::of(&condition);
    assert_eq!(back.as_ref(), Some(&matcher), "{condition}");
    let ours = engine::matcher::Matcher::parse(&condition);
    assert!(ours.is_ok(), "a condition that is none: {condition}");
    for value in ["", "a", text] {
        let (one, two) = (matcher.compile(), back.as_ref().map(Matcher::compile));
        let (Ok(one), Some(Ok(two))) = (one, two) else { continue };
        assert_eq!(one.matches(value), two.matches(value), "{condition} and {value}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matcher(name: &str, value: &str, is_regex: bool, is_equal: bool) -> Matcher {
        Matcher { name: name.to_owned(), value: value.to_owned(), is_regex, is_equal }
    }

    #[test]
    fn matchers_are_read_as_alertmanager_reads_them() {
        for (text, name, value, is_regex, is_equal) in [
            ("a=b", "a", "b", false, true),
            (" a = b ", "a", "b", false, true),
            ("a=\"b c\"", "a", "b c", false, true),
            ("a!=b", "a", "b", false, false),
            ("a=~\"b|c\"", "a", "b|c", true, true),
            ("a!~^b$", "a", "^b$", true, false),
            ("a=\"say \\\"x\\\"\\n\"", "a", "say \"x\"\n", false, true),
            ("a=", "a", "", false, true),
            ("a=b=c", "a", "b=c", false, true),
        ] {
            assert_eq!(Matcher::parse(text), Ok(matcher(name, value, is_regex, is_equal)), "{text}");
        }
        for (text, said) in [
            ("((", "bad matcher format"),
            ("=b", "bad matcher format"),
            ("a!b", "bad matcher format"),
            ("a=\"b", "unescaped double quote"),
            ("a=~(", "invalid regular expression"),
        ] {
            assert!(Matcher::parse(text).unwrap_err().contains(said), "{text}");
        }
    }

    #[test]
    fn a_condition_of_ours_says_the_same() {
        for it in [
            matcher("alertname", "Down", false, true),
            matcher("severity", "none", false, false),
            matcher("instance", "db-.*:9100", true, true),
            matcher("instance", " padded ", true, false),
            matcher("a=b", "c", false, true),
        ] {
            let condition = it.condition();
            assert!(engine::matcher::Matcher::parse(&condition).is_ok(), "{condition}");
            assert_eq!(Matcher::of(&condition), Some(it), "{condition}");
        }
    }
}
