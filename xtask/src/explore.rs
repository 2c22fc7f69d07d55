//! `cargo xtask explore`: the property tests with new cases each time, where `cargo xtask test` takes the same ones always.
//!
//! A change is not refused for what was wrong before it: a test that finds something new does so here, or in a job by
//! night, and proptest writes the case into the tree, from where every later test repeats it.

use std::hash::{BuildHasher as _, RandomState};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use crate::cargo::{HOST_PACKAGES, Project};
use crate::steps;

/// What proptest draws its cases from.
pub(crate) const SEED: &str = "PROPTEST_RNG_SEED";

/// The packages whose property tests stand beside their code, too.
const PACKAGES: [&str; 4] = ["-p", "engine", "-p", "shared"];

/// Goes on for so many minutes, at least once; stops at the first failure.
pub(crate) fn run(project: &Project, minutes: &str) -> anyhow::Result<ExitCode> {
    let minutes: u64 = minutes.parse().with_context(|| format!("`{minutes}` is no number of minutes"))?;
    let until = Instant::now() + Duration::from_secs(minutes * 60);
    for round in 1_u32.. {
        let seed = RandomState::new().hash_one(round).to_string();
        println!("==> round {round}: {SEED}={seed}");
        // Those inside the crates, the server's among them, need nothing but the processor: no store, no daemons.
        let mut inside = project.cargo();
        inside.args(["test", "--no-fail-fast", "--lib"]).args(HOST_PACKAGES).args(project.dev_features());
        let mut beside = project.cargo();
        beside.args(["test", "--no-fail-fast", "--tests"]).args(PACKAGES);
        for mut tests in [inside, beside] {
            steps::call(tests.env(SEED, &seed))
                .with_context(|| format!("found with {SEED}={seed}; commit the case that was written"))?;
        }
        if Instant::now() >= until {
            break;
        }
    }
    Ok(ExitCode::SUCCESS)
}
