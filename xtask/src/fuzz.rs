//! `cargo xtask fuzz`: every parser with bytes that were never tried, on the stable compiler. `cargo xtask test` tries some
//! cases of each, always the same; `cargo +nightly fuzz run TARGET` in `engine` looks at coverage besides.

use std::hash::{BuildHasher as _, RandomState};
use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::Context as _;

use crate::cargo::{HOST_PACKAGES, Project};
use crate::steps;

/// The test that does it (server/tests/fuzz.rs).
const TEST: &str = "fuzz::every_parser_keeps_its_promises_whatever_it_is_given";

/// Each target for so many minutes, or one of them.
pub(crate) fn run(project: &Project, minutes: &str, target: Option<&String>) -> anyhow::Result<ExitCode> {
    let minutes: f64 = minutes.parse().with_context(|| format!("`{minutes}` is no number of minutes"))?;
    let seed = RandomState::new().hash_one(minutes.to_bits()).to_string();
    let seconds = (minutes * 60.0).ceil().to_string();
    println!("==> TOCSIN_FUZZ_SEED={seed}");
    let mut test = test(project);
    test.env("TOCSIN_FUZZ_SECONDS", seconds).env("TOCSIN_FUZZ_SEED", seed);
    if let Some(target) = target {
        test.env("TOCSIN_FUZZ_TARGET", target);
    }
    steps::call(&mut test)?;
    Ok(ExitCode::SUCCESS)
}

/// A case as it was written down.
pub(crate) fn repeat(project: &Project, file: &str) -> anyhow::Result<ExitCode> {
    let file = Path::new(file).canonicalize().with_context(|| format!("there is no {file}"))?;
    steps::call(test(project).env("TOCSIN_FUZZ_FILE", file))?;
    Ok(ExitCode::SUCCESS)
}

fn test(project: &Project) -> Command {
    let mut test = project.cargo();
    test.arg("test").args(HOST_PACKAGES).args(project.dev_features()).args(["--test", "all", "--"]);
    test.args(["--exact", TEST, "--nocapture"]).env("TOCSIN_FUZZ_FOUND", project.target_dir.join("fuzz"));
    test
}
