//! How much each sender sent lately, for those that may not send as much as they like. Exact: never more than the limit within
//! any such time, and a bounded memory of it.

use shared::{IntegrationId, Timestamp, config::RateLimit};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, PoisonError},
};

/// When each sender's messages came.
#[derive(Debug, Default)]
pub struct Pace(Mutex<BTreeMap<IntegrationId, VecDeque<Timestamp>>>);

impl Pace {
    /// Counts a message, or says in how many seconds there is room for one.
    ///
    /// # Errors
    /// When the sender has sent as much as it may.
    pub(super) fn take(&self, sender: &IntegrationId, limit: RateLimit, now: Timestamp) -> Result<(), u32> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let sent = all.entry(sender.clone()).or_default();
        let since = now.plus_ms(-limit.within.0);
        // What came later than now came before the clock was set back: it says nothing.
        while sent.back().is_some_and(|at| *at > now) {
            sent.pop_back();
        }
        while sent.front().is_some_and(|at| *at <= since) {
            sent.pop_front();
        }
        let most = usize::try_from(limit.messages).unwrap_or(usize::MAX);
        // A limit that was lowered meanwhile counts what is the newest.
        while sent.len() > most {
            sent.pop_front();
        }
        match sent.front().filter(|_| sent.len() >= most) {
            Some(oldest) => Err(u32::try_from(oldest.ms_since(since).saturating_add(999) / 1_000).unwrap_or(1).max(1)),
            None => {
                sent.push_back(now);
                Ok(())
            }
        }
    }

    /// What was counted then was not stored.
    pub(super) fn give_back(&self, sender: &IntegrationId, then: Timestamp) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sent) = all.get_mut(sender)
            && let Some(at) = sent.iter().rposition(|at| *at == then)
        {
            sent.remove(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::Delay;

    #[test]
    fn no_time_ever_holds_more_than_the_limit() {
        let (pace, limit) = (Pace::default(), RateLimit { messages: 3, within: Delay::secs(60) });
        let at = |s: i64| pace.take(&"a".into(), limit, Timestamp::from_ms(1_000_000 + s * 1_000));
        assert_eq!([at(0), at(10), at(20)], [Ok(()); 3]);
        assert_eq!((at(20), at(59)), (Err(40), Err(1)));
        assert_eq!((at(60), at(60)), (Ok(()), Err(10)));
        assert_eq!(pace.take(&"b".into(), limit, Timestamp::from_ms(0)), Ok(()), "each sender has its own");
        pace.give_back(&"a".into(), Timestamp::from_ms(1_060_000));
        assert_eq!((at(60), at(61)), (Ok(()), Err(9)), "what was not stored does not count");
    }

    #[test]
    fn a_clock_that_was_set_back_and_a_lower_limit_hold_nobody_up_for_longer() {
        let pace = Pace::default();
        let limit = |messages| RateLimit { messages, within: Delay::secs(60) };
        let day = Timestamp::from_ms(86_400_000);
        assert_eq!(pace.take(&"a".into(), limit(1), day), Ok(()));
        assert_eq!(pace.take(&"a".into(), limit(1), Timestamp::from_ms(60_000)), Ok(()));
        let other = Pace::default();
        (0..5).for_each(|s| other.take(&"a".into(), limit(5), day.plus_ms(s * 1_000)).unwrap());
        assert_eq!(other.take(&"a".into(), limit(2), day.plus_ms(5_000)), Err(58));
    }
}
