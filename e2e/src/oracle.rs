//! Second opinions: other people's programs that are asked what they make of something.

use crate::environment;
use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use std::{
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

/// What a Python script answers, as JSON, to what it is asked the same way.
///
/// # Errors
/// When the script fails (its words are in the error), or answers with something else than JSON.
pub fn ask(script: impl AsRef<Path>, question: &Value) -> Result<Value> {
    let script = script.as_ref();
    let mut python = Command::new(environment::python()?);
    let pipes = python.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = pipes.spawn().context("Python does not start")?;
    let input = child.stdin.take().context("a pipe to Python")?;
    // A script that ends before it has read all of this says why itself.
    drop({ input }.write_all(question.to_string().as_bytes()));
    let output = child.wait_with_output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{} failed: {said}", script.display());
    serde_json::from_slice(&output.stdout).with_context(|| format!("{} answered with no JSON", script.display()))
}
