//! ARCHITECTURE.md lists the modules of each crate; this compares its tables with the tree, in both directions.
//!
//! A table stands under `## Modules of <crate>` and has rows of the form ``| `module::path` | sentence |``. A row may
//! name several modules, or all parts of one as `` `channels::*` ``.

use std::collections::{BTreeMap, BTreeSet};

use super::layout::numbered;
use super::{CRATES, Complaint, File, Tree};

pub(super) const FILE: &str = "ARCHITECTURE.md";

/// Nothing to compare while the file is missing; `tidy::run` says so.
pub(super) fn module_tables(tree: &Tree, found: &mut Vec<Complaint>) {
    let Some(file) = tree.file(FILE) else { return };
    let tables = tables(file);
    for name in CRATES {
        let modules = top_level_modules(tree, name);
        let table = tables.get(name);
        if table.is_none() && !modules.is_empty() {
            let mend = "add a table with a row for each module in its src";
            found.push(file.complaint(0, format!("there is no section `## Modules of {name}`"), mend));
            continue;
        }
        let Some(table) = table else { continue };
        let mut named = BTreeSet::new();
        for row in &table.rows {
            if row.sentence.is_empty() {
                let mend = "say in one sentence what the module is for";
                found.push(file.complaint(row.line, format!("`{}` of {name} has no sentence", row.module), mend));
            }
            if !exists(tree, name, &row.module) {
                let mend = "take the row away, or name the module as it is called now";
                found.push(file.complaint(row.line, format!("{name} has no module `{}`", row.module), mend));
            }
            named.insert(row.module.split("::").next().unwrap_or_default());
        }
        for module in modules.iter().filter(|module| !named.contains(module.as_str())) {
            let mend = "add a row with one sentence about it";
            found.push(file.complaint(table.line, format!("module `{module}` of {name} is not in the table"), mend));
        }
    }
}

struct Table {
    line: usize,
    rows: Vec<Row>,
}

struct Row {
    line: usize,
    module: String,
    sentence: String,
}

fn tables(file: &File) -> BTreeMap<String, Table> {
    let mut tables: BTreeMap<String, Table> = BTreeMap::new();
    let mut current: Option<String> = None;
    for (number, line) in numbered(&file.text) {
        if line.starts_with("## ") {
            current = line.strip_prefix("## Modules of ").map(|name| name.trim().trim_matches('`').to_owned());
            if let Some(name) = &current {
                tables.entry(name.clone()).or_insert(Table { line: number, rows: Vec::new() });
            }
            continue;
        }
        let Some(name) = &current else { continue };
        let Some(table) = tables.get_mut(name) else { continue };
        let Some((first, rest)) = line.strip_prefix("| `").and_then(|row| row.split_once(" |")) else { continue };
        for module in first.split(',').map(|module| module.trim().trim_matches('`')) {
            let module = module.strip_prefix(&format!("{name}::")).unwrap_or(module);
            let sentence = rest.trim().trim_end_matches('|').trim();
            table.rows.push(Row { line: number, module: module.replace('/', "::"), sentence: sentence.to_owned() });
        }
    }
    tables
}

/// Files and folders directly below a crate's src.
fn top_level_modules(tree: &Tree, name: &str) -> BTreeSet<String> {
    let source = format!("{name}/src/");
    let mut modules = BTreeSet::new();
    for (file, _) in tree.rust() {
        let Some(below) = file.path.strip_prefix(&source) else { continue };
        let module = below.split('/').next().unwrap_or(below).trim_end_matches(".rs");
        if !matches!(module, "main" | "lib" | "bin") {
            modules.insert(module.to_owned());
        }
    }
    modules
}

fn exists(tree: &Tree, name: &str, module: &str) -> bool {
    let path = format!("{name}/src/{}", module.trim_end_matches("::*").replace("::", "/"));
    let (file, folder) = (format!("{path}.rs"), format!("{path}/"));
    tree.rust().any(|(found, _)| found.path == file || found.path.starts_with(&folder))
}

#[cfg(test)]
mod tests {
    use super::super::assert_complaints;

    const TABLE: &str =
        "# A\n## Modules of engine\n| module | sentence |\n|---|---|\n| `route` | Finds the policy. |\n";

    #[test]
    fn a_table_equal_to_the_tree_passes() {
        let row = "| `engine::state::*`, `time` | Remembers. |\n";
        assert_complaints(
            &[
                ("ARCHITECTURE.md", &format!("{TABLE}{row}")),
                ("engine/src/lib.rs", "//! A."),
                ("engine/src/route.rs", "//! A."),
                ("engine/src/state/alerts.rs", "//! A."),
                ("engine/src/time.rs", "//! A."),
            ],
            &[],
        );
    }

    #[test]
    fn both_directions_and_missing_tables_are_told() {
        assert_complaints(
            &[("ARCHITECTURE.md", TABLE), ("engine/src/dedup.rs", "//! A."), ("web/src/page.rs", "//! A.")],
            &[
                "ARCHITECTURE.md:0: there is no section `## Modules of web`",
                "ARCHITECTURE.md:2: module `dedup` of engine is not in the table",
                "ARCHITECTURE.md:5: engine has no module `route`",
            ],
        );
    }
}
