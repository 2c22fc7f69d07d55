//! Providers of a simulated house: most deliveries are taken quickly; the rest is what makes paging hard.

use super::world::Chance;
use shared::{AttemptId, Delay, DeliveryReceipt, Failure, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// What comes of one try.
#[derive(Clone, Debug)]
pub(super) struct Try {
    /// When the recipient's device rings, if it does.
    pub(super) rings: bool,
    /// When and what is answered; none when no answer comes.
    pub(super) answer: Option<(Delay, Result<Option<String>, Failure>)>,
    /// Answered a second time.
    pub(super) twice: bool,
    /// What is said of it later, and when.
    pub(super) receipts: Vec<(Delay, DeliveryReceipt)>,
}

/// What every provider knows, and which are down until when.
#[derive(Clone, Debug, Default)]
pub(super) struct Providers {
    down: BTreeMap<String, Timestamp>,
    /// Keys this provider took already; it rings once for a key.
    taken: BTreeSet<AttemptId>,
}

impl Providers {
    /// A provider breaks for minutes or hours.
    pub(super) fn break_one(&mut self, chance: &mut Chance, now: Timestamp) -> String {
        let name = chance.pick(&["email", "ntfy", "webhook"]).copied().unwrap_or("email").to_owned();
        let until = now.after(Delay::mins(chance.between(1, 240) as i64));
        self.down.insert(name.clone(), until);
        name
    }

    /// Hands a page over.
    pub(super) fn deliver(&mut self, chance: &mut Chance, channel: &str, attempt: AttemptId, now: Timestamp) -> Try {
        let quick = Delay(chance.between(20, 2_500) as i64);
        let down = self.down.get(channel).is_some_and(|until| now < *until);
        let outcome = if down { chance.between(70, 99) } else { chance.below(100) };
        let failed = |permanent: bool, detail: &str, retry_after_ms: Option<i64>| {
            Err(Failure {
                permanent,
                ambiguous: false,
                detail: detail.to_owned(),
                retry_after_ms,
                fault: shared::Fault::Unknown,
            })
        };
        let (takes, answer) = match outcome {
            0..=80 if !down => (true, Some((quick, Ok(Some(format!("m-{attempt}")))))),
            81..=84 => (false, Some((quick, failed(false, "answered 503", None)))),
            85..=86 => {
                let patience = chance.between(1, 1_200) as i64 * 1_000;
                (false, Some((quick, failed(false, "answered 429", Some(patience)))))
            }
            87..=88 => (false, Some((quick, failed(true, "answered 400", None)))),
            // It took the page; the answer was lost on the way, or comes after the lease.
            89 | 90 => (true, None),
            91 | 92 => (true, Some((Delay::secs(chance.between(10, 60) as i64), Ok(None)))),
            93 => {
                let lost = Failure {
                    permanent: false,
                    ambiguous: true,
                    detail: "the connection broke after the page was sent".to_owned(),
                    retry_after_ms: None,
                    fault: shared::Fault::Unknown,
                };
                (true, Some((quick, Err(lost))))
            }
            94 | 95 => (false, None),
            _ => (false, Some((quick, failed(false, "connection refused", None)))),
        };
        // Mail has no idempotency keys; the others ring once for a key.
        let rings = takes && (channel == "email" || !self.taken.contains(&attempt));
        if takes {
            self.taken.insert(attempt);
        }
        let receipts = if takes { receipts(chance, channel) } else { Vec::new() };
        Try { rings, answer, twice: chance.one_in(50), receipts }
    }

    /// Old keys are forgotten, as providers do after a day.
    pub(super) fn forget_before(&mut self, attempt: AttemptId) {
        self.taken = self.taken.split_off(&attempt);
    }
}

/// Phones that show it, sooner or later, once or on several devices; calls nobody answers; and silence.
fn receipts(chance: &mut Chance, channel: &str) -> Vec<(Delay, DeliveryReceipt)> {
    let soon = |chance: &mut Chance| Delay(chance.between(10, 40_000) as i64);
    let failure = || Failure {
        permanent: true,
        ambiguous: false,
        detail: "not reached".to_owned(),
        retry_after_ms: None,
        fault: shared::Fault::Unknown,
    };
    let mut receipts = Vec::new();
    match (channel, chance.below(10)) {
        ("push", 0..=6) => {
            for _ in 0..chance.between(1, 3) {
                receipts.push((soon(chance), DeliveryReceipt::Shown));
            }
            if chance.one_in(3) {
                receipts.push((soon(chance), DeliveryReceipt::Opened));
            }
        }
        ("push" | "voice", 7) => receipts.push((soon(chance), DeliveryReceipt::Failed { failure: failure() })),
        ("voice", 0..=4) => receipts.push((soon(chance), DeliveryReceipt::Delivered)),
        ("voice", 5 | 6) => receipts.push((soon(chance), DeliveryReceipt::Failed { failure: failure() })),
        _ => {}
    }
    receipts
}
