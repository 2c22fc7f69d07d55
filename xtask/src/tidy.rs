//! The rules of the tree that a machine can check, run by `cargo xtask tidy` and as an ordinary test.
//!
//! Each rule is a function from the tree to complaints; a complaint names the place, the rule and the mend.

mod architecture;
mod layout;
mod lexer;
mod rules;

use std::fmt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail};
use walkdir::WalkDir;

use crate::steps;
use lexer::Source;

const CRATES: [&str; 6] = ["engine", "server", "shared", "web", "xtask", "e2e"];

/// One broken rule.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Complaint {
    path: String,
    /// From 1; 0 for a whole file.
    line: usize,
    rule: String,
    mend: &'static str,
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}; {}", self.path, self.line.max(1), self.rule, self.mend)
    }
}

/// A text file of the tree; `source` for Rust.
struct File {
    path: String,
    text: String,
    source: Option<Source>,
}

impl File {
    fn new(path: &str, text: String) -> Self {
        let source = path.ends_with(".rs").then(|| Source::read(&text));
        Self { path: path.to_owned(), text, source }
    }

    fn complaint(&self, line: usize, rule: impl Into<String>, mend: &'static str) -> Complaint {
        Complaint { path: self.path.clone(), line, rule: rule.into(), mend }
    }
}

/// All text files of the tree, by path.
struct Tree {
    files: Vec<File>,
}

impl Tree {
    fn read(root: &Path) -> anyhow::Result<Self> {
        let mut files = Vec::new();
        for path in paths(root)? {
            // Pictures and files deleted but still tracked are no text.
            let Ok(text) = std::fs::read_to_string(root.join(&path)) else { continue };
            files.push(File::new(&path, text));
        }
        Ok(Self { files })
    }

    #[cfg(test)]
    fn of(files: &[(&str, &str)]) -> Self {
        Self { files: files.iter().map(|(path, text)| File::new(path, (*text).to_owned())).collect() }
    }

    fn file(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }

    /// The Rust files of the six crates.
    fn rust(&self) -> impl Iterator<Item = (&File, &Source)> {
        let ours = |file: &&File| CRATES.iter().any(|name| file.path.starts_with(&format!("{name}/")));
        self.files.iter().filter(ours).filter_map(|file| Some((file, file.source.as_ref()?)))
    }
}

/// What git tracks or would track; everything but build output where there is no git.
fn paths(root: &Path) -> anyhow::Result<Vec<String>> {
    let mut list = Command::new("git");
    list.args(["ls-files", "--cached", "--others", "--exclude-standard", "-z"]).current_dir(root);
    if let Ok(listed) = steps::output(&mut list) {
        let mut paths: Vec<String> = listed.split_terminator('\0').map(str::to_owned).collect();
        paths.sort();
        paths.dedup();
        return Ok(paths);
    }
    let skipped = |name: &str| matches!(name, "target" | "dist" | "node_modules" | "data") || name.starts_with(".git");
    let mut paths = Vec::new();
    let walk = WalkDir::new(root).sort_by_file_name().into_iter();
    for entry in walk.filter_entry(|entry| entry.depth() == 0 || !skipped(&entry.file_name().to_string_lossy())) {
        let entry = entry.context("reading the tree")?;
        if entry.file_type().is_file() {
            paths.push(entry.path().strip_prefix(root)?.to_string_lossy().into_owned());
        }
    }
    Ok(paths)
}

fn complaints(tree: &Tree) -> Vec<Complaint> {
    let mut found = Vec::new();
    for rule in [
        layout::opening_sentence,
        layout::names,
        layout::lengths,
        rules::manifests,
        rules::words_and_their_places,
        rules::formatted_sql,
        rules::unfinished,
        rules::machine_paths,
        architecture::module_tables,
    ] {
        rule(tree, &mut found);
    }
    found.sort();
    found
}

pub(crate) fn run(root: &Path) -> anyhow::Result<()> {
    let tree = Tree::read(root)?;
    if tree.file(architecture::FILE).is_none() {
        println!("    note: there is no {}, so its module tables are not compared", architecture::FILE);
    }
    let found = complaints(&tree);
    for complaint in &found {
        println!("{complaint}");
    }
    if !found.is_empty() {
        bail!("{} places break the rules of the tree; each line above names the mend", found.len());
    }
    println!("    {} files are tidy", tree.files.len());
    Ok(())
}

#[cfg(test)]
fn assert_complaints(files: &[(&str, &str)], expected: &[&str]) {
    let found: Vec<String> =
        complaints(&Tree::of(files)).iter().map(|c| format!("{}:{}: {}", c.path, c.line, c.rule)).collect();
    assert_eq!(found, expected);
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_tree_is_tidy() {
        if let Err(error) = super::run(&crate::cargo::root()) {
            panic!("{error}; `cargo xtask tidy` repeats this");
        }
    }
}
