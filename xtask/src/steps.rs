//! Named, timed steps, and the few ways this tool starts another program.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

/// What was done so far, for the table at the end.
pub(crate) struct Steps {
    done: Vec<Step>,
}

struct Step {
    name: String,
    took: Duration,
    passed: bool,
}

impl Steps {
    pub(crate) fn new() -> Self {
        Self { done: Vec::new() }
    }

    /// Runs one step. `alone` is the command that repeats just this step; it is printed when the step fails.
    pub(crate) fn run<T>(
        &mut self,
        name: &str,
        alone: &str,
        work: impl FnOnce() -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        println!("==> {name}");
        let began = Instant::now();
        let result = work();
        let took = began.elapsed();
        self.done.push(Step { name: name.to_owned(), took, passed: result.is_ok() });
        match result {
            Ok(value) => {
                println!("    {name}: done in {}", seconds(took));
                Ok(value)
            }
            Err(error) => {
                println!("    {name}: FAILED after {}", seconds(took));
                Err(error.context(format!("step `{name}` failed; alone it runs as: {alone}")))
            }
        }
    }

    pub(crate) fn print_table(&self) {
        let width = self.done.iter().map(|step| step.name.len()).max().unwrap_or(0);
        let total: Duration = self.done.iter().map(|step| step.took).sum();
        println!();
        for step in &self.done {
            let verdict = if step.passed { "ok" } else { "FAILED" };
            println!("  {:width$}  {:>9}  {verdict}", step.name, seconds(step.took));
        }
        println!("  {:width$}  {:>9}", "total", seconds(total));
    }
}

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

/// Runs a program with our own output; an error unless it succeeds.
pub(crate) fn call(command: &mut Command) -> anyhow::Result<()> {
    let status = command.status().with_context(|| format!("cannot start {}", shown(command)))?;
    if !status.success() {
        bail!("{} ended with {status}", shown(command));
    }
    Ok(())
}

/// What a program prints on stdout.
pub(crate) fn output(command: &mut Command) -> anyhow::Result<String> {
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("cannot start {}", shown(command)))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("{} ended with {}: {}", shown(command), output.status, said.trim());
    }
    String::from_utf8(output.stdout).with_context(|| format!("{} printed no UTF-8", shown(command)))
}

/// Runs a program, shows each line of its stderr and stdout as it comes, and hands the lines to `see`.
/// Returns whether it succeeded: a failed test run has counts worth reading too.
pub(crate) fn call_and_read(command: &mut Command, mut see: impl FnMut(&str)) -> anyhow::Result<bool> {
    // One pipe for both, so that a failing test's output stays beside its name.
    let (reader, writer) = std::io::pipe().context("no pipe from the system")?;
    command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer);
    let mut child = command.spawn().with_context(|| format!("cannot start {}", shown(command)))?;
    // The command still holds the writing ends; without this the reader would never see the end.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    for line in BufReader::new(reader).split(b'\n') {
        let line = line.context("reading the output of a test run")?;
        let line = String::from_utf8_lossy(&line);
        println!("{line}");
        see(&line);
    }
    Ok(child.wait()?.success())
}

/// Tries again what fails for a passing reason: a registry that cannot be reached for a minute.
pub(crate) fn retry<T>(what: &str, mut attempt: impl FnMut() -> anyhow::Result<T>) -> anyhow::Result<T> {
    for pause_s in [3, 10, 30, 60] {
        match attempt() {
            Ok(value) => return Ok(value),
            Err(error) => println!("    {what}: {error:#}; next try in {pause_s} s"),
        }
        std::thread::sleep(Duration::from_secs(pause_s));
    }
    attempt().with_context(|| format!("{what}: given up after five tries; is the network reachable?"))
}

fn shown(command: &Command) -> String {
    // cargo is known by its whole path; its name is what a reader types.
    let program = Path::new(command.get_program());
    let mut words = vec![program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned()];
    words.extend(command.get_args().map(|arg| arg.to_string_lossy().into_owned()));
    format!("`{}`", words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_step_names_how_to_run_it_alone() {
        let mut steps = Steps::new();
        let error = steps.run("clippy", "cargo clippy", || -> anyhow::Result<()> { bail!("no") }).unwrap_err();
        assert_eq!(format!("{error:#}"), "step `clippy` failed; alone it runs as: cargo clippy: no");
        assert!(!steps.done[0].passed);
    }

    #[test]
    fn lines_of_both_streams_are_read_and_a_failure_is_told() {
        let mut lines = Vec::new();
        let mut sh = Command::new("sh");
        sh.args(["-c", "echo one; echo two >&2; exit 3"]);
        let succeeded = call_and_read(&mut sh, |line| lines.push(line.to_owned())).unwrap();
        assert!(!succeeded);
        lines.sort();
        assert_eq!(lines, ["one", "two"]);
    }
}
