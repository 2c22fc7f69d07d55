//! Simulated days around the engine: the same seed is the same world, and every promise holds in it.

use engine::sim::{Report, Scale, run};

fn simulate(seed: u64, days: u32) -> Report {
    run(seed, days, Scale::HOUSE, None, |_| {}).unwrap_or_else(|failure| panic!("\n{failure}\n"))
}

#[test]
fn every_promise_holds_for_a_few_seeds() {
    for seed in 1..=6 {
        let report = simulate(seed, 5);
        let counts = report.counts;
        assert!(counts.incidents > 50 && counts.deliveries > 100, "seed {seed} is an idle world:\n{counts}");
    }
}

#[test]
fn the_same_seed_is_the_same_world_byte_for_byte() {
    let (first, second, other) = (simulate(7, 2), simulate(7, 2), simulate(8, 2));
    assert_eq!(first, second);
    assert_ne!(first.trace, other.trace);
}

#[test]
fn a_town_of_two_hundred_people_and_fifty_policies_keeps_every_promise_too() {
    let live = || run(3, 2, Scale::town(200, 50), None, |_| {}).unwrap_or_else(|failure| panic!("\n{failure}\n"));
    let (report, again) = (live(), live());
    assert_eq!(report, again, "byte for byte");
    assert!(report.counts.incidents > 600 && report.counts.deliveries > 1_000, "an idle town:\n{}", report.counts);
}

#[test]
fn progress_is_told_once_a_day() {
    let mut days = Vec::new();
    run(9, 4, Scale::HOUSE, None, |progress| days.push(progress.day)).unwrap();
    assert_eq!(days, [1, 2, 3, 4]);
}

#[test]
fn a_given_configuration_is_lived_with() {
    let document = toml::from_str(include_str!("scenarios/house.toml")).expect("the document is TOML");
    let snapshot = engine::Snapshot::compile(1, document).expect("the document compiles");
    let report = run(11, 5, Scale::HOUSE, Some(std::sync::Arc::new(snapshot)), |_| {})
        .unwrap_or_else(|failure| panic!("\n{failure}\n"));
    assert!(report.counts.deliveries > 100, "{}", report.counts);
}
