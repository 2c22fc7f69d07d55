//! Reads the text format of exporters, as they answer at `/metrics` (Prometheus exposition format 0.0.4, and what
//! OpenMetrics writes alike).
//!
//! Our own, since of the crates that read it one goes through regular expressions and gives up at the first line it does
//! not know, and the other has a licence we cannot take in. It reads what it can: a line that is none is counted.

use super::{Reading, Series};
use std::{collections::BTreeMap, sync::Arc};

/// Lines with a value that are read of one answer; a large `node_exporter` has three thousand.
pub const READINGS_MAX: usize = 20_000;

/// What an exporter said.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Exposition {
    pub readings: Vec<Reading>,
    /// Lines that are none of the format.
    pub garbled: u64,
    /// Values beyond those that are read.
    pub left_out: u64,
}

/// Reads a text. Instants that stand behind values are passed over: an exporter is asked for what is now.
#[must_use]
pub fn read(text: &str) -> Exposition {
    let mut read = Exposition::default();
    let mut counters: BTreeMap<&str, bool> = BTreeMap::new();
    for line in text.lines().map(str::trim) {
        if let Some(comment) = line.strip_prefix('#') {
            let mut words = comment.split_whitespace();
            if let (Some("TYPE"), Some(name), Some(kind)) = (words.next(), words.next(), words.next())
                && kind != "untyped"
                && kind != "unknown"
                && counters.len() < READINGS_MAX
            {
                counters.insert(name, kind == "counter");
            }
            continue;
        }
        if line.is_empty() {
            continue;
        }
        match sample(line) {
            None => read.garbled += 1,
            Some(_) if read.readings.len() >= READINGS_MAX => read.left_out += 1,
            Some((name, labels, value)) => {
                let counter = counters.get(name.as_str()).copied();
                let series = Arc::new(Series { name, labels, counter });
                read.readings.push(Reading { series, value });
            }
        }
    }
    read
}

type Labels = Vec<(String, String)>;

/// `name{label="value",…} value`, and perhaps an instant and an exemplar behind it.
fn sample(line: &str) -> Option<(String, Labels, f64)> {
    let end = line.find(|c: char| c == '{' || c.is_whitespace())?;
    let (name, rest) = line.split_at_checked(end)?;
    let mut name = name.to_owned();
    let mut found = Labels::new();
    let rest = match rest.trim_start().strip_prefix('{') {
        Some(rest) => labels(rest, &mut name, &mut found)?,
        None => rest,
    };
    let value = rest.split_whitespace().next()?.parse().ok()?;
    if name.is_empty() {
        return None;
    }
    found.sort();
    Some((name, found, value))
}

/// What stands between the braces; gives what is behind them. A name in quotes stands there as well, without a value.
fn labels<'a>(mut rest: &'a str, metric: &mut String, found: &mut Labels) -> Option<&'a str> {
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        if let Some(behind) = rest.strip_prefix('}') {
            return Some(behind);
        }
        let label = match rest.strip_prefix('"') {
            Some(quoted) => {
                let (label, behind) = unquoted(quoted)?;
                rest = behind.trim_start();
                if !rest.starts_with('=') {
                    *metric = label;
                    continue;
                }
                label
            }
            None => {
                let (label, _) = rest.split_once('=')?;
                rest = rest.get(label.len()..)?;
                label.trim().to_owned()
            }
        };
        let quoted = rest.strip_prefix('=')?.trim_start().strip_prefix('"')?;
        let (value, behind) = unquoted(quoted)?;
        rest = behind;
        // An empty label is none.
        if !label.is_empty() && !value.is_empty() {
            found.push((label, value));
        }
    }
}

/// The text up to the quotation mark that ends it, and what is behind.
fn unquoted(text: &str) -> Option<(String, &str)> {
    let mut out = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return text.get(at + 1..).map(|behind| (out, behind)),
            '\\' => match chars.next()?.1 {
                'n' => out.push('\n'),
                c @ ('"' | '\\') => out.push(c),
                other => out.extend(['\\', other]),
            },
            c => out.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn labels_of(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_line_is_a_name_labels_and_a_value() {
        for (line, name, labels, value) in [
            ("node_load1 0.21", "node_load1", vec![], 0.21),
            ("a{} 1e+09", "a", vec![], 1e9),
            ("a{b=\"c\"} 1 1395066363000", "a", vec![("b", "c")], 1.0),
            (
                "a { z = \"1\" , b=\"x\\\\y\\\"z\\n\\d\",} +Inf",
                "a",
                vec![("b", "x\\y\"z\n\\d"), ("z", "1")],
                f64::INFINITY,
            ),
            ("a{b=\"}, c=\\\"\",d=\"\"} -1", "a", vec![("b", "}, c=\"")], -1.0),
            ("{\"my.metric\",\"a.b\"=\"c\"} 2", "my.metric", vec![("a.b", "c")], 2.0),
            ("a_total{b=\"c\"} 3 # {trace=\"x\"} 1", "a_total", vec![("b", "c")], 3.0),
        ] {
            assert_eq!(sample(line), Some((name.to_owned(), labels_of(&labels), value)), "{line}");
        }
        assert!(sample("a NaN").unwrap().2.is_nan());
        for none in ["a", "a x", "a{b=\"c\" 1", "a{b=c} 1", "a{b} 1", "a{\"b} 1", "{} 1", "a{b=\"c\"}", "a{b=\"c\\"] {
            assert_eq!(sample(none), None, "{none}");
        }
    }

    #[test]
    fn types_tell_counters_and_what_is_no_line_is_counted() {
        let read =
            read("# HELP a b\n# TYPE a counter\n# TYPE b gauge\n# TYPE c untyped\na 1\nb 2\nc 3\n\n<html>\n# EOF\n");
        let kinds: Vec<_> = read.readings.iter().map(|it| (it.series.name.as_str(), it.series.counter)).collect();
        assert_eq!(kinds, [("a", Some(true)), ("b", Some(false)), ("c", None)]);
        assert_eq!((read.garbled, read.left_out), (1, 0));
        let many = "a 1\n".repeat(READINGS_MAX + 3);
        let read = super::read(&many);
        assert_eq!((read.readings.len(), read.left_out), (READINGS_MAX, 3));
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "(?s).{0,200}", line in "[a-z]{0,3}[{]?[a-z=\"\\\\, }]{0,20}[} ]{0,2}[0-9.eE+x-]{0,5}") {
            let _read = (read(&text), read(&line));
        }

        #[test]
        fn what_is_written_is_read(name in "[a-z_:][a-z0-9_:]{0,8}", value in any::<f64>(), text in "[^\u{0}]{1,20}") {
            let quoted = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let (read_name, labels, read_value) = sample(&format!("{name}{{l=\"{quoted}\"}} {value}")).unwrap();
            prop_assert_eq!((read_name, labels), (name, vec![("l".to_owned(), text)]));
            prop_assert!(read_value == value || (read_value.is_nan() && value.is_nan()));
        }
    }
}
