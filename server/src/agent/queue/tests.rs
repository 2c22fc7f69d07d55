//! What is kept, in which order it is given, and what is left of it after a kill.

use super::*;
use tempfile::TempDir;

const MOST: u64 = 64 * 1_024 * 1_024;

fn series(n: usize) -> Arc<Vec<String>> {
    Arc::new((0..n).map(|n| format!("cpu.core.busy/core={n}")).collect())
}

fn sample(at: i64, n: usize) -> Sample {
    Sample { at: Timestamp::from_ms(at), values: vec![Some(at as f64); n] }
}

fn push(queue: &mut Queue, at: i64) {
    queue.push(&series(2), &sample(at, 2)).unwrap();
}

/// Everything that is still to be sent, in the order in which it is.
fn sent(queue: &mut Queue, most: usize) -> Vec<i64> {
    let mut sent = Vec::new();
    while let Some(frame) = queue.oldest(most).unwrap() {
        assert!(frame.samples.len() <= most && !frame.samples.is_empty());
        assert!(frame.samples.iter().all(|it| it.values.len() == frame.series.len()));
        sent.extend(frame.samples.iter().map(|it| it.at.ms()));
        queue.took(&frame);
    }
    sent
}

#[test]
fn what_was_just_measured_goes_first_and_the_rest_oldest_first() {
    let mut queue = Queue::new(None, MOST).unwrap();
    for at in 1..=5 {
        push(&mut queue, at);
    }
    let newest = queue.newest().unwrap();
    assert_eq!(newest.samples, [sample(5, 2)]);
    queue.took(&newest);
    assert_eq!(queue.newest(), None);
    assert_eq!(sent(&mut queue, 3), [1, 2, 3, 4]);
    assert_eq!(queue.lost(), 0);
}

#[test]
fn a_sample_is_kept_until_it_is_stored_and_sent_again_when_it_is_lacked() {
    let mut queue = Queue::new(None, MOST).unwrap();
    for at in 1..=6 {
        push(&mut queue, at);
    }
    assert_eq!(sent(&mut queue, 4), [1, 2, 3, 4, 5, 6]);
    push(&mut queue, 7);
    // The seventh is not taken yet, whatever else is stored.
    queue.stored(Timestamp::from_ms(7)).unwrap();
    assert_eq!(sent(&mut queue, 10), [7]);
    for at in 8..=10 {
        push(&mut queue, at);
    }
    assert_eq!(sent(&mut queue, 10), [8, 9, 10]);
    queue.send_again(Some(Timestamp::from_ms(8)));
    assert_eq!(sent(&mut queue, 10), [9, 10]);
    queue.send_again(None);
    assert_eq!(sent(&mut queue, 10), [7, 8, 9, 10]);
}

#[test]
fn one_message_has_samples_of_the_same_series_in_the_order_of_time() {
    let mut queue = Queue::new(None, MOST).unwrap();
    queue.push(&series(2), &sample(1, 2)).unwrap();
    queue.push(&series(2), &sample(2, 2)).unwrap();
    queue.push(&series(3), &sample(3, 3)).unwrap();
    // The clock was set back.
    queue.push(&series(3), &sample(0, 3)).unwrap();
    let mut sizes = Vec::new();
    while let Some(frame) = queue.oldest(10).unwrap() {
        sizes.push((frame.series.len(), frame.samples.len()));
        queue.took(&frame);
    }
    assert_eq!(sizes, [(2, 2), (3, 1), (3, 1)]);
}

#[test]
fn what_a_server_that_is_away_did_not_take_survives_a_kill() {
    let folder = TempDir::new().unwrap();
    let mut queue = Queue::new(Some(folder.path()), MOST).unwrap();
    push(&mut queue, 1);
    push(&mut queue, 2);
    let taken = queue.newest().unwrap();
    queue.took(&taken);
    queue.server_is_away().unwrap();
    for at in 3..=200 {
        push(&mut queue, at);
    }
    assert_eq!(queue.memory.len(), 1, "only what was taken is in memory");
    // Nothing is closed or flushed: this is all that a kill leaves.
    std::mem::forget(queue);
    let mut queue = Queue::new(Some(folder.path()), MOST).unwrap();
    let expected: Vec<i64> = [1].into_iter().chain(3..=200).collect();
    push(&mut queue, 201);
    let all = sent(&mut queue, 60);
    assert_eq!(all[..expected.len()], expected);
    assert_eq!(all[expected.len()..], [201], "and what came meanwhile");
    queue.stored(Timestamp::from_ms(201)).unwrap();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "what is stored is dropped");
    assert_eq!(queue.lost(), 0);
    // A folder that was emptied takes more.
    queue.server_is_away().unwrap();
    push(&mut queue, 300);
    assert_eq!(sent(&mut queue, 60), [300]);
}

#[test]
fn a_torn_end_costs_one_sample_and_no_other() {
    let folder = TempDir::new().unwrap();
    let mut queue = Queue::new(Some(folder.path()), MOST).unwrap();
    queue.server_is_away().unwrap();
    for at in 1..=3 {
        push(&mut queue, at);
    }
    drop(queue);
    let file = std::fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
    let bytes = std::fs::read(&file).unwrap();
    std::fs::write(&file, &bytes[..bytes.len() - 3]).unwrap();
    let mut queue = Queue::new(Some(folder.path()), MOST).unwrap();
    push(&mut queue, 4);
    assert_eq!(sent(&mut queue, 10), [1, 2, 4]);
}

#[test]
fn the_oldest_is_dropped_and_counted_where_there_is_no_more_room() {
    let folder = TempDir::new().unwrap();
    let mut queue = Queue::new(Some(folder.path()), 3 * 1_024 * 1_024).unwrap();
    queue.server_is_away().unwrap();
    // Numbers that do not compress.
    let mut state = 1_u64;
    let mut values = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        Some((state >> 11) as f64)
    };
    let names = series(1_000);
    for at in 1..=1_000 {
        let values = (0..1_000).map(|_| values()).collect();
        queue.push(&names, &Sample { at: Timestamp::from_ms(at), values }).unwrap();
    }
    let bytes: u64 = std::fs::read_dir(folder.path()).unwrap().flatten().map(|it| it.metadata().unwrap().len()).sum();
    assert!(bytes <= 3 * 1_024 * 1_024 + 20_000, "{bytes}");
    let left = sent(&mut queue, 60);
    assert!(left.len() > 100 && left.is_sorted() && left.last() == Some(&1_000), "{}", left.len());
    assert_eq!(u64::try_from(left.len()).unwrap() + queue.lost(), 1_000, "each is there or counted");
}

#[test]
fn without_a_disk_the_newest_are_kept_in_memory() {
    let mut queue = Queue::new(None, MOST).unwrap();
    queue.server_is_away().unwrap();
    for at in 1..=1_000 {
        push(&mut queue, at);
    }
    assert_eq!((sent(&mut queue, 60), queue.lost()), ((101..=1_000).collect(), 100));
    // What was taken is not lost when it has to go.
    push(&mut queue, 1_001);
    assert_eq!(queue.lost(), 100);
}

#[test]
fn what_is_refused_for_good_is_given_up_and_holds_up_nothing() {
    let folder = TempDir::new().unwrap();
    let mut queue = Queue::new(Some(folder.path()), MOST).unwrap();
    queue.server_is_away().unwrap();
    for at in 1..=4 {
        push(&mut queue, at);
    }
    let bad = queue.oldest(2).unwrap().unwrap();
    queue.give_up(&bad);
    assert_eq!((sent(&mut queue, 10), queue.lost()), (vec![3, 4], 2));
    queue.server_is_back();
    push(&mut queue, 5);
    let bad = queue.newest().unwrap();
    queue.give_up(&bad);
    push(&mut queue, 6);
    assert_eq!((sent(&mut queue, 10), queue.lost()), (vec![6], 3));
}
