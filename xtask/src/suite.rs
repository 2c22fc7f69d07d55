//! `cargo xtask test`: set-up, then every check and test in the order in which a mistake shows soonest.

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use crate::cargo::{HOST_PACKAGES, Profile, Project, WASM, succeeds};
use crate::explore;
use crate::lab;
use crate::playwright;
use crate::senders;
use crate::setup;
use crate::steps::{self, Steps};
use crate::tidy;
use crate::web;

#[derive(Clone, Copy)]
pub(crate) struct Scope {
    /// Formatting, tidy, clippy, unit tests; installs nothing but the wasm target.
    pub(crate) quick: bool,
    /// The whole-system tests: the e2e crate and the browser.
    pub(crate) e2e: bool,
}

impl Scope {
    fn whole_system(self) -> bool {
        self.e2e && !self.quick
    }
}

/// Tests counted over all runners.
#[derive(Default, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
}

impl Counts {
    pub(crate) fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

pub(crate) fn run(root: PathBuf, scope: Scope) -> anyhow::Result<ExitCode> {
    let mut steps = Steps::new();
    let mut counts = Counts::default();
    let mut project = Project::discover(root)?;
    let result = all_steps(&mut project, scope, &mut steps, &mut counts);

    senders::print_table(&project);
    steps.print_table();
    if let Err(error) = &result {
        println!("\nerror: {error:#}\n");
        // A failed check has no test to count; the closing line must still not read as a success.
        counts.failed = counts.failed.max(1);
    }
    let skipped = if counts.skipped > 0 { format!(", {} skipped", counts.skipped) } else { String::new() };
    println!("{} passed, {} failed{skipped}", counts.passed, counts.failed);
    Ok(if result.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn all_steps(project: &mut Project, scope: Scope, steps: &mut Steps, counts: &mut Counts) -> anyhow::Result<()> {
    senders::clear(project)?;
    set_up(project, scope, steps)?;
    checks(project, scope, steps)?;
    if !scope.quick {
        steps.run("web build", "cargo xtask web", || web::build(project, Profile::Dev))?;
        // The whole-system tests start the binary, which a test build alone would not refresh.
        steps.run("server build", "cargo xtask build", || project.build_server(Profile::Dev))?;
    }
    let alone = format!("cargo nextest run {}", host_arguments(project).join(" "));
    steps.run("rust tests", &alone, || rust_tests(project, scope, counts))?;
    if scope.whole_system() {
        let alone = "cargo xtask build && cd e2e/browser && TOCSIN_BIN=../../target/debug/tocsin npx playwright test";
        steps.run("browser tests", alone, || {
            let (succeeded, browser) = playwright::run(project)?;
            counts.add(browser);
            anyhow::ensure!(
                succeeded,
                "{} browser tests failed; traces are in e2e/browser/test-results",
                browser.failed
            );
            Ok(())
        })?;
    }
    Ok(())
}

fn set_up(project: &mut Project, scope: Scope, steps: &mut Steps) -> anyhow::Result<()> {
    let again = if scope.e2e { "cargo xtask test" } else { "cargo xtask test --no-e2e" };
    steps.run("set-up: compiler", again, || {
        setup::wasm_target(project)?;
        setup::rust_components(project)?;
        web::ensure_dist(project)
    })?;
    if scope.whole_system() {
        steps.run("set-up: packages", again, || setup::system_packages(project))?;
        steps.run("set-up: lab", again, || lab::programs(project))?;
    }
    if !scope.quick {
        steps.run("set-up: crates", "cargo fetch --locked", || setup::fetch_crates(project))?;
    }
    if scope.whole_system() {
        steps.run("set-up: npm", "cd e2e/browser && npm ci", || setup::node_packages(project))?;
        steps.run("set-up: python", again, || setup::python_packages(project))?;
    }
    Ok(())
}

fn checks(project: &Project, scope: Scope, steps: &mut Steps) -> anyhow::Result<()> {
    let in_step = |steps: &mut Steps, name: &str, args: &[&str]| {
        let alone = format!("cargo {}", args.join(" "));
        steps.run(name, &alone, || steps::call(project.cargo().args(args)))
    };
    in_step(steps, "format", &["fmt", "--all", "--check"])?;
    steps.run("tidy", "cargo xtask tidy", || tidy::run(&project.root))?;
    if !scope.quick {
        // By themselves: in the workspace build another crate's features could lend them a clock. What is pure enough for
        // wasm is pure enough for any host.
        in_step(steps, "pure crates", &["check", "-p", "shared", "-p", "engine", "--target", WASM])?;
    }
    let host = host_arguments(project);
    let host: Vec<&str> = host.iter().map(String::as_str).collect();
    let deny: &[&str] = &["--", "-D", "warnings"];
    in_step(steps, "clippy, host", &[&["clippy"], &host[..], &["--all-targets"], deny].concat())?;
    in_step(steps, "clippy, web", &[&["clippy", "-p", "web", "--target", WASM], deny].concat())
}

fn host_arguments(project: &Project) -> Vec<String> {
    HOST_PACKAGES.iter().copied().chain(project.dev_features()).map(str::to_owned).collect()
}

/// The tests of the store share one PostgreSQL server, so they run in one process; nextest would start a process, and
/// a server, for each.
const SHARED: &str = "store";

fn rust_tests(project: &Project, scope: Scope, counts: &mut Counts) -> anyhow::Result<()> {
    let has_nextest = succeeds(project.cargo().args(["nextest", "--version"]));
    let mut ours = Counts::default();
    let mut succeeded = true;
    if has_nextest {
        let mut tests = project.cargo();
        // All failures in one run: the next run may be minutes away.
        tests.args(["nextest", "run", "--no-fail-fast", "--color=never"]).args(host_arguments(project));
        // Those of inventories need the daemons that only the whole set-up fetches.
        let but = if scope.whole_system() { "" } else { " and not package(e2e) and not test(/^inventory::/)" };
        tests.args(["-E", &format!("not binary({SHARED}){but}")]);
        succeeded &= run_tests(project, tests, Runner::Nextest, &mut ours)?;
    }
    let mut tests = project.cargo();
    tests.args(["test", "--no-fail-fast", "--color=never"]).args(host_arguments(project));
    if has_nextest {
        tests.args(["--test", SHARED]);
    } else if !scope.whole_system() {
        tests.args(["--exclude", "e2e"]);
    }
    succeeded &= run_tests(project, tests, Runner::Libtest, &mut ours)?;
    let failed = ours.failed;
    counts.add(ours);
    anyhow::ensure!(succeeded, "{failed} Rust tests failed, see above");
    Ok(())
}

/// The same cases in each run, so that it says whether the change is right; `cargo xtask explore` looks for others.
const SEED: &str = "20261121";

fn run_tests(project: &Project, mut tests: Command, runner: Runner, counts: &mut Counts) -> anyhow::Result<bool> {
    if std::env::var_os(explore::SEED).is_none() {
        tests.env(explore::SEED, SEED);
    }
    whole_system_environment(&mut tests, project);
    steps::call_and_read(&mut tests, |line| counts.add(counts_in_line(line, runner)))
}

/// What e2e tests rely on, in Rust and in the browser.
pub(crate) fn whole_system_environment(command: &mut Command, project: &Project) {
    command.env("TOCSIN_BIN", project.binary(Profile::Dev, "tocsin"));
    command.env("TOCSIN_E2E_VENV", setup::venv(project));
    command.env("TOCSIN_SENDERS", senders::file(project));
    let lab = lab::root(project);
    if lab.is_dir() {
        command.env("TOCSIN_LAB", lab);
    }
    if let Some(bin) = setup::postgres_bin() {
        command.env("TOCSIN_POSTGRES_BIN", bin);
    }
    if let Some(chromium) = setup::chromium() {
        command.env("TOCSIN_CHROMIUM", chromium);
    }
}

#[derive(Clone, Copy)]
enum Runner {
    Nextest,
    /// Plain `cargo test`, where nextest is not installed.
    Libtest,
}

/// The counts in a runner's closing line; nothing in any other line. nextest shows libtest's own closing line with each
/// failure, so only the line of the runner that was started counts.
fn counts_in_line(line: &str, runner: Runner) -> Counts {
    let line = line.trim();
    let closing = match runner {
        // Summary [   0.4s] 3 tests run: 2 passed, 1 failed, 4 skipped
        Runner::Nextest => line.strip_prefix("Summary [").and_then(|rest| rest.split_once("run: ")),
        // test result: FAILED. 2 passed; 1 failed; 4 ignored; 0 measured; 0 filtered out; finished in 0.0s
        Runner::Libtest => line.strip_prefix("test result: ").and_then(|rest| rest.split_once(". ")),
    };
    let closing = closing.map(|(_, counts)| counts);
    let mut counts = Counts::default();
    for part in closing.unwrap_or("").split([',', ';']) {
        let mut words = part.split_whitespace();
        let Some(number) = words.next().and_then(|word| word.parse::<u64>().ok()) else { continue };
        match words.next() {
            Some("passed") => counts.passed += number,
            // `1 exec failed`, `1 timed out` and `1 failed due to signal` are failures by another name.
            Some("failed" | "exec" | "timed") => counts.failed += number,
            Some("skipped" | "ignored") => counts.skipped += number,
            _ => {}
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lines_are_counted() {
        use Runner::{Libtest, Nextest};
        let libtest =
            "    test result: FAILED. 2 passed; 1 failed; 4 ignored; 0 measured; 0 filtered out; finished in 0.0s";
        for (runner, line, passed, failed, skipped) in [
            (Nextest, "     Summary [   0.010s] 3 tests run: 3 passed, 0 skipped", 3, 0, 0),
            (
                Nextest,
                "     Summary [  12.3s] 9 tests run: 7 passed (1 slow), 1 failed, 1 timed out, 2 skipped",
                7,
                2,
                2,
            ),
            (Nextest, "     Summary [   1.0s] 5/10 tests run: 4 passed, 1 exec failed, 0 skipped", 4, 1, 0),
            (Nextest, libtest, 0, 0, 0),
            (Libtest, libtest, 2, 1, 4),
            (Libtest, "a test printed: 3 passed, 1 failed", 0, 0, 0),
        ] {
            assert_eq!(counts_in_line(line, runner), Counts { passed, failed, skipped }, "{line}");
        }
    }
}
