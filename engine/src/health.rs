//! How those who carry messages do: counts and times of a day by five minutes, and what to think of it.
//!
//! What is a contact's own fault says nothing about whoever carries to it, and is counted without being judged.

use shared::{
    AttemptState, Delay, Fault, Timestamp,
    api::{HealthSpan, HealthState, ProviderHealth},
    config::ContactKind,
};
use std::collections::BTreeMap;

/// How far it is looked back.
pub const DAY: Delay = Delay::mins(24 * 60);
/// How long a span is.
pub const SPAN: Delay = Delay::mins(5);
/// What counts as lately.
const LATELY: Delay = Delay::mins(60);
/// So many failures in a row are no accident.
const IN_A_ROW: usize = 3;
/// Out of ten deliveries as many as this may fail without a word; and one alone may.
const TOLERATED_TENTHS: usize = 1;
/// A provider that takes longer than this to take something is slow.
const SLOW_MS: i64 = 30_000;

/// What became of one delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    pub provider: String,
    pub channel: ContactKind,
    pub state: AttemptState,
    /// When its first try began.
    pub sent_at: Timestamp,
    pub finished_at: Option<Timestamp>,
    /// Of a last try that failed.
    pub fault: Option<Fault>,
}

impl Outcome {
    fn accepted(&self) -> bool {
        self.state == AttemptState::Accepted
    }

    /// Also while another try is to follow: who waits for the last one learns of an outage ten minutes late.
    fn failed(&self) -> bool {
        let was_sent = self.state != AttemptState::Sending && self.fault != Some(Fault::Unsent);
        !self.accepted() && was_sent && self.fault.is_some()
    }

    /// Whether it says anything about the provider.
    fn is_judged(&self) -> bool {
        self.accepted() || (self.failed() && self.fault != Some(Fault::Method))
    }

    fn took_ms(&self) -> Option<i64> {
        self.accepted().then(|| self.finished_at.map(|at| at.ms_since(self.sent_at).max(0)))?
    }
}

/// How every provider did until `now`, by name and channel; `outcomes` are the oldest first. Errors are left to be filled
/// in.
#[must_use]
pub fn health(now: Timestamp, outcomes: &[Outcome]) -> Vec<ProviderHealth> {
    let mut by_provider: BTreeMap<(&str, ContactKind), Vec<&Outcome>> = BTreeMap::new();
    let since = now.plus_ms(-DAY.0);
    for outcome in outcomes.iter().filter(|it| it.sent_at >= since && it.sent_at <= now) {
        by_provider.entry((&outcome.provider, outcome.channel)).or_default().push(outcome);
    }
    let all = by_provider.into_iter();
    all.map(|((provider, channel), outcomes)| of_provider(provider, channel, &outcomes, now)).collect()
}

fn of_provider(provider: &str, channel: ContactKind, outcomes: &[&Outcome], now: Timestamp) -> ProviderHealth {
    let mut by_span: BTreeMap<i64, Vec<&Outcome>> = BTreeMap::new();
    for outcome in outcomes {
        by_span.entry(outcome.sent_at.ms().div_euclid(SPAN.0)).or_default().push(outcome);
    }
    let spans = by_span.into_iter().map(|(place, outcomes)| {
        let Counted { accepted, failed, p50_ms, p95_ms } = Counted::of(&outcomes);
        HealthSpan { at: Timestamp::from_ms(place * SPAN.0), accepted, failed, p50_ms, p95_ms }
    });
    let Counted { accepted, failed, p50_ms, p95_ms } = Counted::of(outcomes);
    ProviderHealth {
        provider: provider.to_owned(),
        channel,
        state: judged(outcomes, now),
        accepted,
        failed,
        p50_ms,
        p95_ms,
        spans: spans.filter(|span| span.accepted + span.failed > 0).collect(),
        last_error: None,
    }
}

struct Counted {
    accepted: u32,
    failed: u32,
    p50_ms: Option<i64>,
    p95_ms: Option<i64>,
}

impl Counted {
    fn of(outcomes: &[&Outcome]) -> Self {
        let mut took: Vec<i64> = outcomes.iter().filter_map(|it| it.took_ms()).collect();
        took.sort_unstable();
        let count = |of: fn(&Outcome) -> bool| outcomes.iter().filter(|it| of(it)).count() as u32;
        Self {
            accepted: count(Outcome::accepted),
            failed: count(Outcome::failed),
            p50_ms: percentile(&took, 50),
            p95_ms: percentile(&took, 95),
        }
    }
}

/// The smallest that so many of a hundred do not exceed.
fn percentile(sorted: &[i64], percent: usize) -> Option<i64> {
    let place = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(place).copied()
}

fn judged(outcomes: &[&Outcome], now: Timestamp) -> HealthState {
    let judged: Vec<&&Outcome> = outcomes.iter().filter(|it| it.is_judged()).collect();
    let Some(newest) = judged.last() else { return HealthState::Idle };
    let row = judged.iter().rev().take_while(|it| it.failed()).count();
    if row >= IN_A_ROW || (newest.failed() && newest.fault == Some(Fault::Provider)) {
        return HealthState::Failing;
    }
    let lately: Vec<&Outcome> =
        judged.iter().filter(|it| now.ms_since(it.sent_at) <= LATELY.0).map(|it| **it).collect();
    let failed = lately.iter().filter(|it| it.failed()).count();
    let slow = Counted::of(&lately).p95_ms.is_some_and(|ms| ms > SLOW_MS);
    if newest.failed() || slow || (failed > 1 && failed * 10 > lately.len() * TOLERATED_TENTHS) {
        return HealthState::Degraded;
    }
    HealthState::Ok
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: Timestamp = Timestamp::from_ms(1_795_244_400_000);

    /// `a` taken at once, `s` taken slowly, `f` failed, `r` to be tried again, `m` the contact's fault, `p` the
    /// provider's, `b` begun, `c` not needed any more: a minute apart, the last one a minute ago.
    fn told(letters: &str) -> Vec<Outcome> {
        let count = letters.chars().count() as i64;
        let told = letters.chars().zip(0..).map(|(letter, place)| {
            let (state, took, fault) = match letter {
                'a' => (AttemptState::Accepted, Some(200), None),
                's' => (AttemptState::Accepted, Some(31_000), None),
                'f' => (AttemptState::Failed, Some(9_000), Some(Fault::Unknown)),
                'r' => (AttemptState::Retrying, None, Some(Fault::Unknown)),
                'm' => (AttemptState::Failed, Some(900), Some(Fault::Method)),
                'p' => (AttemptState::Failed, Some(900), Some(Fault::Provider)),
                'b' => (AttemptState::Sending, None, None),
                'u' => (AttemptState::Cancelled, Some(0), Some(Fault::Unsent)),
                _ => (AttemptState::Cancelled, Some(0), None),
            };
            let sent_at = NOW.plus_ms(-60_000 * (count - place));
            let finished_at = took.map(|ms| sent_at.plus_ms(ms));
            Outcome { provider: "twilio".into(), channel: ContactKind::Sms, state, sent_at, finished_at, fault }
        });
        told.collect()
    }

    fn state(letters: &str) -> HealthState {
        health(NOW, &told(letters)).first().map_or(HealthState::Idle, |it| it.state)
    }

    #[test]
    fn a_provider_is_judged_by_what_it_did_lately() {
        for (letters, expected) in [
            ("", HealthState::Idle),
            ("b", HealthState::Idle),
            ("mm", HealthState::Idle),
            ("c", HealthState::Idle),
            ("mum", HealthState::Idle),
            ("aauuu", HealthState::Ok),
            ("a", HealthState::Ok),
            ("am", HealthState::Ok),
            ("faaa", HealthState::Ok),
            ("fff", HealthState::Failing),
            ("rrr", HealthState::Failing),
            ("fmfmf", HealthState::Failing),
            ("ap", HealthState::Failing),
            ("ff", HealthState::Degraded),
            ("aaar", HealthState::Degraded),
            ("ffaaaa", HealthState::Degraded),
            ("fffa", HealthState::Degraded),
            ("s", HealthState::Degraded),
            ("pa", HealthState::Ok),
            ("fffb", HealthState::Failing),
        ] {
            assert_eq!(state(letters), expected, "{letters}");
        }
    }

    #[test]
    fn counts_and_times_are_of_five_minutes_each() {
        let [provider] = health(NOW, &told("aaaaaaaasf")).try_into().unwrap();
        assert_eq!((provider.accepted, provider.failed), (9, 1));
        assert_eq!((provider.p50_ms, provider.p95_ms), (Some(200), Some(31_000)));
        let spans: Vec<_> = provider.spans.iter().map(|it| (NOW.ms_since(it.at), it.accepted, it.failed)).collect();
        assert_eq!(spans, [(600_000, 5, 0), (300_000, 4, 1)]);
    }

    #[test]
    fn what_is_older_than_a_day_is_forgotten() {
        let later = NOW.plus_ms(DAY.0);
        assert!(health(later, &told("fff")).is_empty());
    }

    proptest! {
        #[test]
        fn every_outcome_is_counted_once_at_most(letters in "[asfrmpbc]{0,80}") {
            let all = health(NOW, &told(&letters));
            let expected = letters.chars().filter(|it| !matches!(it, 'b' | 'c')).count() as u32;
            let counted: u32 = all.iter().map(|it| it.accepted + it.failed).sum();
            let in_spans: u32 = all.iter().flat_map(|it| &it.spans).map(|it| it.accepted + it.failed).sum();
            prop_assert_eq!((counted, in_spans), (expected, expected));
        }

        #[test]
        fn contacts_that_do_not_work_change_no_verdict(letters in "[asfrp]{1,40}", at in 0..40_usize) {
            let mut more = letters.clone();
            more.insert(at.min(letters.len()), 'm');
            prop_assert_eq!(state(&more), state(&letters));
        }

        #[test]
        fn a_percentile_is_one_of_the_times(mut times in proptest::collection::vec(0..9_999_i64, 1..50), p in 1..=100_usize) {
            times.sort_unstable();
            let found = percentile(&times, p).unwrap();
            let below = times.iter().filter(|it| **it <= found).count();
            prop_assert!(times.contains(&found) && below * 100 >= times.len() * p);
        }
    }
}
