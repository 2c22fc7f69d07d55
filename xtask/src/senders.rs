//! The table of real senders that the tests ran: made of what each test wrote down, printed at the end.

use std::{fs, path::PathBuf};

use crate::cargo::Project;

/// Where tests write: sender, version, calls and result, with tabs between them.
pub(crate) fn file(project: &Project) -> PathBuf {
    project.target_dir.join("senders.tsv")
}

/// Forgets what earlier runs wrote.
pub(crate) fn clear(project: &Project) -> anyhow::Result<()> {
    match fs::remove_file(file(project)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

/// Prints what they wrote, or nothing where none ran.
pub(crate) fn print_table(project: &Project) {
    print!("{}", table(&fs::read_to_string(file(project)).unwrap_or_default()));
}

fn table(written: &str) -> String {
    let mut rows: Vec<Vec<&str>> = written.lines().map(|line| line.split('\t').collect()).collect();
    if rows.is_empty() {
        return String::new();
    }
    rows.sort_unstable();
    rows.dedup();
    rows.insert(0, vec!["sender", "version", "calls", "result"]);
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..4).map(width).collect();
    let mut printed = String::from("\nreal senders that were run:\n");
    for row in &rows {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        let line = cells.collect::<Vec<_>>().join("  ");
        printed.push_str(&format!("  {}\n", line.trim_end()));
    }
    printed
}

#[cfg(test)]
mod tests {
    #[test]
    fn rows_are_sorted_and_stand_under_their_heads() {
        let printed = super::table("nagios4\t4.4.6\t4 notifications\tpaged\namtool\t0.25.0\tall\tanswered\n");
        assert_eq!(
            printed,
            "\nreal senders that were run:\n  sender   version  calls            result\n  amtool   0.25.0   all              \
             answered\n  nagios4  4.4.6    4 notifications  paged\n"
        );
        assert_eq!(super::table(""), "");
    }
}
