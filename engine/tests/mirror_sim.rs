//! A thousand seeded lives of mirrors: a switch that others change, that is away and answers late or not at all; a server
//! that crashes and sleeps; a store that is down; a watchdog that runs or not. After everything that happens the promises
//! hold.

mod dice;
mod promises;
mod story;
mod switch;

use super::mirror_rules::world;
use shared::mirror::MirrorState;
use std::collections::BTreeMap;
use story::Story;

const SEEDS: u64 = 1_000;
const LIFE_MS: i64 = 12 * 3_600_000;

#[test]
fn every_promise_holds_in_a_thousand_lives() {
    let (mut failed, mut begun, mut states) = (Vec::new(), 0, BTreeMap::<String, u32>::new());
    for seed in 0..SEEDS {
        let mut story = Story::new(seed);
        if let Err(broken) = story.live(LIFE_MS) {
            println!("seed {seed}: {broken}");
            failed.push(format!("seed {seed}: {broken}\n{}", story.trace));
        }
        begun += story.begun;
        for mirror in story.stored.values() {
            *states.entry(format!("{:?}", mirror.state)).or_default() += 1;
        }
    }
    println!("{SEEDS} seeds, {begun} times something was sent, ends {states:?}; {} failed", failed.len());
    assert!(failed.is_empty(), "{} failed, the first: {}", failed.len(), failed[0]);
    // A world in which nothing happens keeps every promise.
    assert!(begun > 2_000, "only {begun} times something was sent");
    for state in [MirrorState::ProvedStopped, MirrorState::Failed, MirrorState::Dropped, MirrorState::Stopped] {
        assert!(states.contains_key(&format!("{state:?}")), "no mirror ends as {state:?}: {states:?}");
    }
}

#[test]
fn the_same_seed_is_the_same_life_byte_for_byte() {
    let trace = |seed| {
        let mut story = Story::new(seed);
        story.live(LIFE_MS).unwrap_or_else(|broken| panic!("{broken}"));
        story.trace
    };
    assert!(!trace(7).is_empty());
    assert_eq!(trace(7), trace(7));
    assert_ne!(trace(7), trace(8));
}
