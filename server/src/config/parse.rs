//! Reads a configuration document from text, a file or a folder, and says where a mistake stands and how to mend it.

use shared::config::{Document, Finding};
use std::{
    fs, io,
    path::{Path, PathBuf},
};
use toml::{Table, Value};

/// A larger document is not one that people wrote.
const MOST_BYTES: u64 = 4 * 1024 * 1024;

/// Reads a document; the finding names line and column.
pub fn parse(text: &str) -> Result<Document, Finding> {
    toml::from_str(text).map_err(|error| finding(text, &error))
}

/// The document as TOML, without comments.
#[must_use]
pub fn to_toml(document: &Document) -> String {
    // A document that was read can be written: it holds nothing TOML has no form for.
    toml::to_string(document).unwrap_or_default()
}

/// The text of a file, or of all `*.toml` in a folder put together in the order of their names.
///
/// # Errors
/// Every mistake found, each with its file.
pub fn read(path: &Path) -> Result<String, Vec<Finding>> {
    if !path.is_dir() {
        let text = text_of(path).map_err(|finding| vec![finding])?;
        parse(&text).map_err(|finding| vec![named(finding, path)])?;
        return Ok(text);
    }
    let files = toml_files(path).map_err(|error| vec![unreadable(path, &error)])?;
    if files.is_empty() {
        return Err(vec![fault(path.display().to_string(), "the folder holds no *.toml file")]);
    }
    let (mut merged, mut findings) = (Table::new(), Vec::new());
    for file in files {
        match part(&file) {
            Ok(table) => merge(&mut merged, table, "", &file, &mut findings),
            Err(finding) => findings.push(finding),
        }
    }
    if !findings.is_empty() {
        return Err(findings);
    }
    // Each part was read as a document already; together they are one.
    let document: Document =
        merged.try_into().map_err(|error: toml::de::Error| vec![fault(path.display().to_string(), error.message())])?;
    Ok(to_toml(&document))
}

/// One file of a folder, known to be a document by itself.
fn part(file: &Path) -> Result<Table, Finding> {
    let text = text_of(file)?;
    parse(&text).map_err(|finding| named(finding, file))?;
    text.parse().map_err(|error| named(finding(&text, &error), file))
}

/// Lists grow, sections are joined, and a key that is set twice is a mistake.
fn merge(into: &mut Table, from: Table, above: &str, file: &Path, findings: &mut Vec<Finding>) {
    for (key, value) in from {
        let path = if above.is_empty() { key.clone() } else { format!("{above}.{key}") };
        match (into.get_mut(&key), value) {
            (None, value) => drop(into.insert(key, value)),
            (Some(Value::Array(known)), Value::Array(more)) => known.extend(more),
            (Some(Value::Table(known)), Value::Table(more)) => merge(known, more, &path, file, findings),
            (Some(_), _) => findings.push(fault(
                format!("{}: {path}", name_of(file)),
                "it is set in an earlier file of the folder too; keep one of them",
            )),
        }
    }
}

fn toml_files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_file() && path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn text_of(path: &Path) -> Result<String, Finding> {
    let size = fs::metadata(path).map_err(|error| unreadable(path, &error))?.len();
    if size > MOST_BYTES {
        return Err(fault(path.display().to_string(), "the file is larger than 4 MiB; is it a configuration?"));
    }
    fs::read_to_string(path).map_err(|error| unreadable(path, &error))
}

fn unreadable(path: &Path, error: &io::Error) -> Finding {
    let message = match error.kind() {
        io::ErrorKind::NotFound => "there is no such file or folder; check the name".to_owned(),
        io::ErrorKind::InvalidData => "the file is not UTF-8 text; save it as UTF-8".to_owned(),
        _ => format!("it cannot be read: {error}"),
    };
    fault(path.display().to_string(), message)
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

fn named(finding: Finding, path: &Path) -> Finding {
    Finding { path: format!("{}: {}", name_of(path), finding.path), ..finding }
}

pub(super) fn fault(path: impl Into<String>, message: impl Into<String>) -> Finding {
    Finding { path: path.into(), message: message.into(), fatal: true }
}

fn finding(text: &str, error: &toml::de::Error) -> Finding {
    let place = error.span().map_or_else(|| "the document".to_owned(), |span| place(text, span.start));
    fault(place, mended(error.message()))
}

/// Line and column from 1, as editors count them.
fn place(text: &str, at: usize) -> String {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    format!("line {line}, column {column}")
}

/// Adds the likely meaning to a misspelt key.
fn mended(message: &str) -> String {
    let message = message.trim();
    let mut quoted = message.split('`').skip(1).step_by(2);
    let Some(found) = quoted.next().filter(|_| message.starts_with("unknown ")) else {
        return message.to_owned();
    };
    let known: Vec<&str> = quoted.collect();
    let closest = known.iter().map(|key| (distance(found, key), *key)).min();
    match closest {
        Some((off, key)) if off <= 2.max(found.len() / 3) => {
            format!("there is no key `{found}` here; did you mean `{key}`?")
        }
        _ if known.is_empty() => message.to_owned(),
        _ => format!("there is no key `{found}` here; the keys are {}", known.join(", ")),
    }
}

/// How many letters must change to make one word of the other.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = i;
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
        for (j, y) in b.iter().enumerate() {
            let (left, above) = (row.get(j).copied().unwrap_or(0), row.get(j + 1).copied().unwrap_or(0));
            let cost = (diagonal + usize::from(x != *y)).min(left + 1).min(above + 1);
            diagonal = above;
            if let Some(cell) = row.get_mut(j + 1) {
                *cell = cost;
            }
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_has_its_line_and_the_likely_meaning() {
        let found = parse("[paging]\ntries = 3\nack_timout_p0 = \"5m\"\n").unwrap_err();
        assert_eq!(found.path, "line 3, column 1");
        assert_eq!(found.message, "there is no key `ack_timout_p0` here; did you mean `ack_timeout_p0`?");
        let found = parse("[paging]\nlease = \"5 minutes\"\n").unwrap_err();
        assert_eq!(found.path, "line 2, column 9");
        assert!(found.message.contains("write for example 30s"), "{}", found.message);
        let found = parse("zzzzzzzzzzz = 1").unwrap_err();
        assert!(found.message.contains("the keys are public_url, paging"), "{}", found.message);
        assert!(parse("people = [").unwrap_err().path.starts_with("line 1"));
    }

    #[test]
    fn a_folder_is_one_document() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("10-people.toml"), "[[people]]\nid = \"li\"\nname = \"Li\"\n").unwrap();
        fs::write(
            folder.path().join("20-more.toml"),
            "[[people]]\nid = \"wang\"\nname = \"Wang\"\n[paging]\ntries = 3\n",
        )
        .unwrap();
        fs::write(folder.path().join("30.toml"), "[paging]\nlease = \"20s\"\n").unwrap();
        fs::write(folder.path().join("notes.txt"), "not a document").unwrap();
        let document = parse(&read(folder.path()).unwrap()).unwrap();
        assert_eq!(document.people.len(), 2);
        assert_eq!((document.paging.tries, document.paging.lease), (3, shared::Delay::secs(20)));
    }

    #[test]
    fn a_key_set_in_two_files_is_refused_and_every_mistake_named() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.toml"), "public_url = \"https://a\"\n").unwrap();
        fs::write(folder.path().join("b.toml"), "public_url = \"https://b\"\n").unwrap();
        fs::write(folder.path().join("c.toml"), "peple = []\n").unwrap();
        let findings = read(folder.path()).unwrap_err();
        assert_eq!(findings.len(), 2);
        assert_eq!(findings[0].path, "b.toml: public_url");
        assert!(findings[1].path.starts_with("c.toml: line 1"), "{}", findings[1].path);
    }

    #[test]
    fn a_missing_file_says_so() {
        let findings = read(Path::new("no/such.toml")).unwrap_err();
        assert!(findings[0].message.contains("no such file"));
    }
}
