//! Simulates many seeds and adds up what happened: `cargo run --release -p engine --example simulate -- 1 100 20`
//! runs the seeds 1 to 100 for 20 days each; `… 1 2 365 200 50` in towns of 200 people and 50 policies.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a developer's tool may panic")]

use engine::sim::{Counts, Scale, run};

#[expect(clippy::disallowed_methods, reason = "the ban is for the engine; this tool times itself and says so")]
#[expect(clippy::disallowed_types, reason = "the ban is for the engine; this tool times itself and says so")]
fn main() {
    let numbers: Vec<u64> =
        std::env::args().skip(1).map(|arg| arg.parse().expect("arguments: FIRST-SEED LAST-SEED DAYS")).collect();
    let (&[first, last, days], town) = numbers.split_first_chunk().expect("arguments: FIRST-SEED LAST-SEED DAYS");
    let number = |n: u64| u32::try_from(n).expect("a number");
    let scale = match town {
        [] => Scale::HOUSE,
        &[people, policies] => Scale::town(number(people), number(policies)),
        _ => panic!("a town is PEOPLE POLICIES"),
    };
    let began = std::time::Instant::now();
    let (mut total, mut failed) = (Counts::default(), 0);
    for seed in first..=last {
        match run(seed, number(days), scale, None, |_| {}) {
            Ok(report) => {
                total.add(&report.counts);
                println!("seed {seed}: {} events, trace {}", report.counts.events, &report.trace[..16]);
            }
            Err(failure) => {
                println!("{failure}");
                failed += 1;
            }
        }
    }
    let (seeds, seconds) = (last + 1 - first, began.elapsed().as_secs_f64());
    println!("{total}\n{seeds} seeds of {days} days = {} days in {seconds:.1} s; {failed} failed", seeds * days);
    if failed > 0 {
        std::process::exit(1);
    }
}
