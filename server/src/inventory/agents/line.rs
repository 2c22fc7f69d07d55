//! What one agent is asked: a short queue of addresses, each asked once in a while, and who waits for the outcome.

use futures_util::{StreamExt as _, stream::FuturesUnordered};
use shared::{
    SourceId, Timestamp,
    api::{Asked, AskedOutcome},
};
use std::{
    collections::{BTreeMap, VecDeque},
    net::IpAddr,
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::{Notify, watch},
    time::timeout,
};

/// An address that was asked for is not asked for again sooner.
const AGAIN_MS: i64 = 10_000;
/// More questions do not wait for one agent.
const QUEUE_MAX: usize = 32;

/// Where an outcome will be.
type Outcome = watch::Receiver<Option<AskedOutcome>>;

/// An agent that is asked, when it was, and where its outcome will be; none where too much is asked of it already.
pub(super) type Put = (String, Option<(Timestamp, Outcome)>);

/// The line to one agent.
#[derive(Debug, Default)]
pub(super) struct Line {
    /// Not handed out yet.
    queue: VecDeque<IpAddr>,
    questions: BTreeMap<IpAddr, Question>,
    /// Of the newest report: the answers to older ones are not held any longer.
    pub(super) ticket: u64,
    pub(super) wake: Arc<Notify>,
}

#[derive(Debug)]
struct Question {
    at: Timestamp,
    outcome: watch::Sender<Option<AskedOutcome>>,
}

impl Line {
    /// Puts a question, unless it was put a moment ago; gives when it was put and where its outcome will be.
    pub(super) fn ask(&mut self, ip: IpAddr, now: Timestamp) -> Option<(Timestamp, Outcome)> {
        self.questions.retain(|_, question| (0..AGAIN_MS).contains(&now.ms_since(question.at)));
        self.queue.retain(|ip| self.questions.contains_key(ip));
        if let Some(known) = self.questions.get(&ip) {
            return Some((known.at, known.outcome.subscribe()));
        }
        if self.questions.len() >= QUEUE_MAX {
            return None;
        }
        let (outcome, waits) = watch::channel(None);
        self.questions.insert(ip, Question { at: now, outcome });
        self.queue.push_back(ip);
        self.wake.notify_waiters();
        Some((now, waits))
    }

    /// The next addresses to look for.
    pub(super) fn hand_out(&mut self, most: usize) -> Vec<IpAddr> {
        self.queue.drain(..most.min(self.queue.len())).collect()
    }

    /// An outcome came; one that nobody asked for is passed over.
    pub(super) fn answered(&self, ip: IpAddr, outcome: AskedOutcome) {
        if let Some(question) = self.questions.get(&ip) {
            question.outcome.send_replace(Some(outcome));
        }
    }
}

/// What came of one address: all that was said until somebody answered.
pub(super) async fn answers(source: &SourceId, put: Vec<Put>, now: Timestamp, patience: Duration) -> Vec<Asked> {
    if put.is_empty() {
        return vec![Asked { source: source.clone(), agent: None, at: now, outcome: AskedOutcome::NoAgent }];
    }
    let waiting = put.into_iter().map(|(agent, question)| async move {
        let (at, outcome) = match question {
            Some((at, outcome)) => (at, wait_for(outcome, patience).await),
            None => (now, AskedOutcome::Busy),
        };
        Asked { source: source.clone(), agent: Some(agent), at, outcome }
    });
    let mut waiting: FuturesUnordered<_> = waiting.collect();
    let mut asked = Vec::new();
    while let Some(one) = waiting.next().await {
        let found = matches!(one.outcome, AskedOutcome::Answered { .. });
        asked.push(one);
        if found {
            break;
        }
    }
    asked
}

async fn wait_for(mut outcome: Outcome, patience: Duration) -> AskedOutcome {
    let come = timeout(patience, outcome.wait_for(Option::is_some)).await;
    // Nobody answers any more when the question is forgotten.
    come.ok().and_then(Result::ok).and_then(|outcome| *outcome).unwrap_or(AskedOutcome::NoReport)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_ms(1_800_000_000_000);

    fn ip(last: u8) -> IpAddr {
        IpAddr::from([10, 0, 0, last])
    }

    #[test]
    fn an_address_is_asked_for_once_in_ten_seconds_and_all_who_ask_hear_the_outcome() {
        let mut line = Line::default();
        let (at, first) = line.ask(ip(1), NOW).unwrap();
        let (same, second) = line.ask(ip(1), NOW.plus_ms(9_999)).unwrap();
        assert_eq!((at, same), (NOW, NOW));
        assert_eq!(line.hand_out(5), [ip(1)]);
        assert_eq!(line.hand_out(5), [] as [IpAddr; 0]);
        line.answered(ip(1), AskedOutcome::Nobody);
        line.answered(ip(2), AskedOutcome::Nobody);
        assert_eq!((*first.borrow(), *second.borrow()), (Some(AskedOutcome::Nobody), Some(AskedOutcome::Nobody)));
        let later = NOW.plus_ms(10_000);
        assert_eq!(line.ask(ip(1), later).unwrap().0, later);
        assert_eq!(line.hand_out(5), [ip(1)]);
    }

    #[test]
    fn no_more_questions_wait_than_there_is_room_for() {
        let mut line = Line::default();
        let taken = (0..=255).filter(|last| line.ask(ip(*last), NOW).is_some()).count();
        assert_eq!(taken, QUEUE_MAX);
        assert_eq!(line.hand_out(5).len(), 5);
        // Those that nobody fetched are forgotten with time.
        assert!(line.ask(ip(9), NOW.plus_ms(10_000)).is_some());
        assert_eq!(line.hand_out(99), [ip(9)]);
    }
}
