//! Alertmanager's matchers, read as Alertmanager reads them and written as our conditions.

use super::Differences;
use engine::matcher::Matcher;
use std::collections::BTreeMap;

/// One matcher as Alertmanager understands it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Match {
    name: String,
    operator: &'static str,
    value: String,
}

/// The three ways of writing matchers, together: all must hold.
///
/// # Errors
/// The text that is no matcher.
pub(super) fn all(
    equal: &BTreeMap<String, String>,
    like: &BTreeMap<String, String>,
    matchers: &[String],
) -> Result<Vec<Match>, String> {
    let old = |operator: &'static str| {
        move |(name, value): (&String, &String)| Match { name: name.clone(), operator, value: value.clone() }
    };
    let mut found: Vec<Match> = equal.iter().map(old("=")).chain(like.iter().map(old("=~"))).collect();
    for line in matchers {
        found.extend(parse(line)?);
    }
    Ok(found)
}

/// A line of matchers: `{a="b", c=~d}`, with or without braces.
fn parse(line: &str) -> Result<Vec<Match>, String> {
    let inner = line.strip_prefix('{').unwrap_or(line);
    let inner = inner.strip_suffix('}').unwrap_or(inner);
    let (mut quoted, mut escaped) = (false, false);
    let mut parts = vec![String::new()];
    for c in inner.chars() {
        match c {
            ',' if !quoted => {
                parts.push(String::new());
                continue;
            }
            '"' if !escaped => quoted = !quoted,
            _ => {}
        }
        escaped = c == '\\' && !escaped;
        if let Some(part) = parts.last_mut() {
            part.push(c);
        }
    }
    // A comma at the end is allowed.
    if parts.last().is_some_and(|last| last.trim().is_empty()) {
        parts.pop();
    }
    parts.iter().map(|part| one(part)).collect()
}

fn one(text: &str) -> Result<Match, String> {
    let bad = || format!("`{text}` is not a matcher; Alertmanager would not start with it");
    let text = text.trim();
    // Newer versions take any name in quotes.
    let (name, rest) = match text.strip_prefix('"') {
        Some(quoted) => {
            let end = end_of_quotes(quoted).ok_or_else(bad)?;
            let (name, rest) = quoted.split_at(end);
            (unescape(name).ok_or_else(bad)?, rest.get(1..).unwrap_or_default())
        }
        None => {
            let end = text.find(['=', '!', ' ', '\t']).ok_or_else(bad)?;
            let (name, rest) = text.split_at(end);
            (name.to_owned(), rest)
        }
    };
    let rest = rest.trim_start();
    let operator = ["=~", "!~", "!=", "="].into_iter().find(|sign| rest.starts_with(sign)).ok_or_else(bad)?;
    let value = rest.get(operator.len()..).unwrap_or_default().trim();
    let value = match value.strip_prefix('"') {
        Some(quoted) => quoted.strip_suffix('"').ok_or_else(bad)?,
        None => value,
    };
    if name.is_empty() {
        return Err(bad());
    }
    Ok(Match { name, operator, value: unescape(value).ok_or_else(bad)? })
}

fn end_of_quotes(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.char_indices().find_map(|(at, c)| {
        let ends = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        ends.then_some(at)
    })
}

/// `\"`, `\\` and `\n`; another backslash stands for itself, and a bare quote is a mistake.
fn unescape(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, chars.peek()) {
            ('"', _) => return None,
            ('\\', Some('n')) => out.push('\n'),
            ('\\', Some(next @ ('"' | '\\'))) => out.push(*next),
            _ => {
                out.push(c);
                continue;
            }
        }
        chars.next();
    }
    Some(out)
}

impl Match {
    /// Our condition. What cannot be carried over is written all the same: `tocsin check` refuses it and names the place,
    /// where leaving it out would send alerts elsewhere.
    pub(super) fn condition(&self, place: &str, differences: &mut Differences) -> String {
        let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | ':' | '.' | '-' | '/');
        let name = if self.name.chars().all(plain) { self.name.clone() } else { format!("\"{}\"", self.name) };
        let value = if self.operator.ends_with('~') { regex(&self.value) } else { self.value.clone() };
        let condition = format!("labels.{name}{}\"{value}\"", self.operator);
        if let Err(error) = Matcher::parse(&condition) {
            differences.add(place, format!("to be mended by hand, since it cannot be written here: {error}"));
        }
        condition
    }

    /// The value as a word for a name.
    pub(super) fn word(&self) -> &str {
        &self.value
    }
}

/// Go's regular expression with the same meaning here: `\d`, `\w`, `\s` and `\b` are about ASCII there, and a bracket
/// within brackets stands for itself.
fn regex(go: &str) -> String {
    let mut out = String::with_capacity(go.len());
    let mut in_class = false;
    let mut chars = go.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('d') => out.push_str("[0-9]"),
                Some('D') => out.push_str("[^0-9]"),
                Some('w') => out.push_str("[0-9A-Za-z_]"),
                Some('W') => out.push_str("[^0-9A-Za-z_]"),
                Some('s') => out.push_str(r"[\t\n\f\r ]"),
                Some('S') => out.push_str(r"[^\t\n\f\r ]"),
                Some('b') if !in_class => out.push_str(r"(?-u:\b)"),
                Some(next) => out.extend(['\\', next]),
                None => out.push('\\'),
            },
            '[' if !in_class => {
                in_class = true;
                out.push('[');
                // A bracket right at the beginning is one of the characters.
                for first in ['^', ']'] {
                    if chars.next_if_eq(&first).is_some() {
                        out.push_str(if first == ']' { r"\]" } else { "^" });
                    }
                }
            }
            '[' if chars.peek() != Some(&':') => out.push_str(r"\["),
            '[' => {
                // A named class such as [:alpha:] up to its own end.
                out.push('[');
                while let Some(next) = chars.next() {
                    out.push(next);
                    if next == ':' && chars.next_if_eq(&']').is_some() {
                        out.push(']');
                        break;
                    }
                }
            }
            ']' if in_class => {
                in_class = false;
                out.push(']');
            }
            '&' | '~' if in_class => out.extend(['\\', c]),
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(line: &str) -> Vec<String> {
        let mut differences = Differences::default();
        parse(line).unwrap().iter().map(|it| it.condition("here", &mut differences)).collect()
    }

    #[test]
    fn matchers_are_read_as_alertmanager_reads_them() {
        for (line, want) in [
            ("{foo = \"bar\", dings != \"bums\", }", &["labels.foo=\"bar\"", "labels.dings!=\"bums\""][..]),
            ("foo=bar,dings!=bums", &["labels.foo=\"bar\"", "labels.dings!=\"bums\""]),
            ("statuscode=~\"5..\"", &["labels.statuscode=~\"5..\""]),
            (r#"quote="She said: \"Hi, ladies! \\o/\"""#, &[r#"labels.quote="She said: "Hi, ladies! \o/"""#]),
            (r"path=C:\data", &[r#"labels.path="C:\data""#]),
            ("severity=~^(page|critical)$", &["labels.severity=~\"^(page|critical)$\""]),
            ("empty=", &["labels.empty=\"\""]),
            ("\"a b\"=c", &["labels.\"a b\"=\"c\""]),
        ] {
            assert_eq!(shown(line), want, "{line}");
        }
        for line in ["foo", "=bar", "foo=\"bar", "foo=b\"ar"] {
            assert!(parse(line).is_err(), "{line}");
        }
    }

    #[test]
    fn regular_expressions_keep_their_meaning() {
        for (go, ours, yes, no) in [
            (r"web\d+", "web[0-9]+", "web12", "web١"),
            (r"[\w.]+", "[[0-9A-Za-z_].]+", "a.b", "ä"),
            (r"[]a]", r"[\]a]", "]", "b"),
            (r"[[:alpha:]-]+", "[[:alpha:]-]+", "a-b", "1"),
            (r"[a[]+", r"[a\[]+", "[a", "b"),
            (r"[a&&b]", r"[a\&\&b]", "&", "c"),
            (r"\bdb\b.*", r"(?-u:\b)db(?-u:\b).*", "db 1", "dba"),
        ] {
            assert_eq!(regex(go), ours);
            let compiled = regex::Regex::new(&format!(r"\A(?:{ours})\z")).unwrap();
            assert!(compiled.is_match(yes) && !compiled.is_match(no), "{go}");
        }
    }

    #[test]
    fn what_cannot_be_written_is_named_and_kept() {
        let mut differences = Differences::default();
        let condition = parse(r"a=~\pGreek+").unwrap()[0].condition("route.matchers", &mut differences);
        assert_eq!(condition, r#"labels.a=~"\pGreek+""#);
        assert!(differences.0[0].what.contains("not a regular expression"), "{differences:?}");
    }
}
