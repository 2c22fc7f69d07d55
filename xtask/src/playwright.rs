//! The browser tests: starts Playwright and reads its counts.

use std::path::Path;

use anyhow::Context as _;

use crate::cargo::Project;
use crate::steps;
use crate::suite::{Counts, whole_system_environment};

/// Whether all passed, and how many did.
pub(crate) fn run(project: &Project) -> anyhow::Result<(bool, Counts)> {
    let folder = project.root.join("e2e/browser");
    let report = folder.join("report/results.json");
    // Yesterday's counts must not stand in for a run that never began.
    if report.exists() {
        std::fs::remove_file(&report)?;
    }
    let mut playwright = project.program("npx");
    playwright.args(["--no-install", "playwright", "test"]).current_dir(&folder);
    whole_system_environment(&mut playwright, project);
    let succeeded = steps::call_and_read(&mut playwright, |_| ())?;
    Ok((succeeded, read_counts(&report)?))
}

fn read_counts(report: &Path) -> anyhow::Result<Counts> {
    let text = std::fs::read_to_string(report)
        .with_context(|| format!("Playwright wrote no {}: it did not get as far as a test", report.display()))?;
    counts(&text).with_context(|| format!("{} is not a report of Playwright's JSON reporter", report.display()))
}

/// `stats` of the JSON reporter; a flaky test is a failed one.
fn counts(report: &str) -> Option<Counts> {
    let report: serde_json::Value = serde_json::from_str(report).ok()?;
    let count = |name: &str| report["stats"][name].as_u64();
    Some(Counts {
        passed: count("expected")?,
        failed: count("unexpected")? + count("flaky")?,
        skipped: count("skipped")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flaky_test_counts_as_failed() {
        let report = r#"{"stats": {"expected": 5, "unexpected": 1, "flaky": 1, "skipped": 2}}"#;
        assert_eq!(counts(report), Some(Counts { passed: 5, failed: 2, skipped: 2 }));
        assert_eq!(counts("{}"), None);
    }
}
