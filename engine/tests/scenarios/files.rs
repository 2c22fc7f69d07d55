//! The scenario files, and how a story is compared with the stored one.

use engine::scenario::{ConfigText, Failure, Story, parse, play};
use std::path::PathBuf;

/// A scenario with the story stored beside it.
pub(crate) struct File {
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) golden: Option<String>,
}

pub(crate) fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios")
}

#[expect(clippy::disallowed_methods, reason = "the ban is for the engine; its tests read their files")]
fn read(path: &std::path::Path) -> Option<String> {
    std::fs::read_to_string(path).ok()
}

#[expect(clippy::disallowed_methods, reason = "the ban is for the engine; its tests read their files")]
pub(crate) fn scenarios() -> Vec<File> {
    let entries = std::fs::read_dir(folder()).expect("tests/scenarios is there");
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("a directory can be listed").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "scenario"))
        .collect();
    paths.sort();
    paths
        .iter()
        .map(|path| File {
            name: path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
            text: read(path).expect("a scenario can be read"),
            golden: read(&path.with_extension("golden")),
        })
        .collect()
}

/// Plays a scenario.
pub(crate) fn story(file: &File) -> Result<Story, Failure> {
    let scenario = parse(&file.text)
        .map_err(|error| Failure { line: error.line, what: format!("{}; {}", error.what, error.mend) })?;
    play(&scenario, |config| {
        let text = match config {
            ConfigText::Inline(text) => text.clone(),
            ConfigText::File(name) => read(&folder().join(name)).ok_or_else(|| format!("there is no file {name}"))?,
        };
        toml::from_str(&text).map_err(|error| error.to_string())
    })
}

/// Lines that are only in one of the two, with the last line before them that is in both.
pub(crate) fn difference(stored: &str, now: &str) -> Option<String> {
    if stored == now {
        return None;
    }
    let (stored, now): (Vec<&str>, Vec<&str>) = (stored.lines().collect(), now.lines().collect());
    let same = stored.iter().zip(&now).take_while(|(a, b)| a == b).count();
    let same_end = stored[same..].iter().rev().zip(now[same..].iter().rev()).take_while(|(a, b)| a == b).count();
    let context = same.checked_sub(1).map(|at| format!("  {}", stored[at]));
    let gone = stored[same..stored.len() - same_end].iter().map(|line| format!("- {line}"));
    let new = now[same..now.len() - same_end].iter().map(|line| format!("+ {line}"));
    Some(context.into_iter().chain(gone).chain(new).take(60).collect::<Vec<_>>().join("\n"))
}
