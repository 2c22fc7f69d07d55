//! Row 16 of goals.md: simulated time in a town of 200 people and 50 policies, twice by the same seed.

use crate::table::{self, Row, Stands};
use anyhow::{Context as _, Result, ensure};
use e2e::{environment, wait};
use std::process::{Command, Stdio};

const SEED: &str = "7";

pub(crate) fn simulated(days: u32) -> Result<()> {
    let (first, seconds) = live(days)?;
    let (again, _) = live(days)?;
    ensure!(first == again, "the same seed lived another life:\n{first}\n{again}");
    println!("{first}\nthe second run of this seed says the same, trace included");
    let rate = f64::from(days) / seconds;
    table::print(&[Row {
        number: "16",
        metric: "simulated time, 200 people, 50 policies, every promise checked",
        measured: format!("{days} days in {seconds:.1} s: {rate:.1} days/s"),
        against: String::new(),
        must: "1 day/s".to_owned(),
        moonshot: "61 days/s".to_owned(),
        stands: Stands::rising(rate, 1.0, 3_650.0 / 60.0),
    }]);
    Ok(())
}

/// The report, and how long it took.
fn live(days: u32) -> Result<(String, f64)> {
    let mut simulate = Command::new(environment::binary()?);
    simulate.args(["simulate", "--seed", SEED, "--people", "200", "--policies", "50", "--days"]).arg(days.to_string());
    let begun = wait::instant();
    // Its progress is the terminal's.
    let done = simulate.stderr(Stdio::inherit()).output().context("the simulator does not start")?;
    let seconds = begun.elapsed().as_secs_f64();
    ensure!(done.status.success(), "the simulator ended with {}", done.status);
    Ok((String::from_utf8(done.stdout)?, seconds))
}
