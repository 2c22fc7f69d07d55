//! What a device said of the pushes that were sent to it: how soon it shows them, and whether it still does.
//!
//! Pure. A browser's worker tells of every push, so a silence means something: the phone is off, its system stops the
//! browser, or the subscription ended without anybody being told.

use crate::db::Device;
use serde::{Deserialize, Serialize};
use shared::{
    Delay, Timestamp,
    api::{Doubt, ShowDelay},
};

/// Delays that are remembered of a device.
const DELAYS_MOST: usize = 20;
/// What came later says how long a phone was off, and not how quick it is.
const DELAY_MOST_MS: u32 = 600_000;
/// Pushes in a row without a word, or that were not taken, after which a device is doubted.
const SENT_MOST: u32 = 3;
/// A word may take so long.
const WORD_TAKES: Delay = Delay::mins(1);
/// A device that has shown nothing for so many days is doubted.
const SILENT_DAYS: i64 = 14;
const DAY_MS: i64 = 86_400_000;

/// What is known; the same type says what happened since it was last written down.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Proofs {
    /// From sending to showing, in milliseconds, the newest last.
    delays_ms: Vec<u32>,
    /// Pushes that were taken for it since it last said that it showed one, and when the first of them was.
    sent: u32,
    sent_since: Option<Timestamp>,
}

impl Proofs {
    /// One push was taken for it.
    pub(super) fn sent(now: Timestamp) -> Self {
        Self { sent: 1, sent_since: Some(now), ..Self::default() }
    }

    /// It showed one, so many milliseconds after it was sent.
    pub(super) fn shown(after_ms: u32) -> Self {
        let delays_ms = Some(after_ms).filter(|ms| *ms <= DELAY_MOST_MS).into_iter().collect();
        Self { delays_ms, ..Self::default() }
    }

    /// With what came later; `shown` when something was shown in it.
    #[must_use]
    pub(crate) fn then(mut self, later: &Self, shown: bool) -> Self {
        self.delays_ms.extend(&later.delays_ms);
        let surplus = self.delays_ms.len().saturating_sub(DELAYS_MOST);
        self.delays_ms.drain(..surplus);
        if shown {
            (self.sent, self.sent_since) = (0, None);
        }
        self.sent = self.sent.saturating_add(later.sent);
        self.sent_since = self.sent_since.or(later.sent_since);
        self
    }

    /// How soon it shows what is sent; none before it ever did.
    #[must_use]
    pub fn delay(&self) -> Option<ShowDelay> {
        let last_ms = *self.delays_ms.last()?;
        let mut sorted = self.delays_ms.clone();
        sorted.sort_unstable();
        // The nearest rank: one of the delays that were measured.
        let at = |percent: usize| sorted.get((sorted.len() * percent).div_ceil(100).saturating_sub(1)).copied();
        Some(ShowDelay { last_ms, p50_ms: at(50)?, p95_ms: at(95)? })
    }
}

/// Why a device may not show the next page; none when nothing speaks against it.
#[must_use]
pub fn doubt(device: &Device, now: Timestamp) -> Option<Doubt> {
    let Proofs { sent, sent_since, .. } = device.proofs;
    let silent_days = now.ms_since(device.shown_at.unwrap_or(device.created_at)) / DAY_MS;
    if device.dead_at.is_some() {
        return Some(Doubt::Dead);
    }
    if device.failures >= SENT_MOST {
        return Some(Doubt::Refused { failures: device.failures });
    }
    if sent >= SENT_MOST && sent_since.is_some_and(|since| now >= since.after(WORD_TAKES)) {
        return Some(Doubt::Unproved { sent });
    }
    let days = u32::try_from(silent_days).unwrap_or(0);
    (silent_days >= SILENT_DAYS).then_some(Doubt::Silent { days })
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::config::Language;

    const NOW: Timestamp = Timestamp::from_ms(1_700_000_000_000);

    fn device() -> Device {
        Device {
            id: 1,
            kind: shared::api::PushProvider::Web,
            platform: None,
            login: "li".into(),
            person: "li".into(),
            label: "Pixel".into(),
            endpoint: String::new(),
            p256dh: String::new(),
            auth: String::new(),
            user_agent: String::new(),
            language: Language::En,
            created_at: NOW,
            seen_at: NOW,
            shown_at: None,
            opened_at: None,
            failures: 0,
            dead_at: None,
            why: None,
            private: false,
            rang: None,
            proofs: Proofs::default(),
        }
    }

    #[test]
    fn its_delays_are_told_of_the_last_few() {
        assert_eq!(Proofs::default().delay(), None);
        let mut proofs = Proofs::shown(60_000).then(&Proofs::shown(DELAY_MOST_MS + 1), true);
        assert_eq!(proofs.delay(), Some(ShowDelay { last_ms: 60_000, p50_ms: 60_000, p95_ms: 60_000 }));
        for ms in (100..=2_000).step_by(100) {
            proofs = proofs.then(&Proofs::shown(ms), true);
        }
        assert_eq!(proofs.delay(), Some(ShowDelay { last_ms: 2_000, p50_ms: 1_000, p95_ms: 1_900 }));
    }

    #[test]
    fn three_without_a_word_are_doubtful_once_a_word_had_its_time() {
        let mut silent = device();
        for n in 0..3 {
            assert_eq!(doubt(&silent, NOW.plus_ms(90_000)), None);
            silent.proofs = silent.proofs.then(&Proofs::sent(NOW.plus_ms(n * 1_000)), false);
        }
        assert_eq!(doubt(&silent, NOW.plus_ms(30_000)), None, "it may yet come");
        assert_eq!(doubt(&silent, NOW.plus_ms(60_000)), Some(Doubt::Unproved { sent: 3 }));
        silent.proofs = silent.proofs.then(&Proofs::shown(900), true);
        assert_eq!(doubt(&silent, NOW.plus_ms(60_000)), None);
    }

    #[test]
    fn what_is_noted_at_once_is_as_good_as_one_after_the_other() {
        let (one, two, shown) = (Proofs::sent(NOW), Proofs::sent(NOW.plus_ms(5)), Proofs::shown(70));
        let at_once = Proofs::default().then(&one.clone().then(&shown, true).then(&two, false), true);
        let each = Proofs::default().then(&one, false).then(&shown, true).then(&two, false);
        assert_eq!(at_once, each);
        assert_eq!((each.sent, each.sent_since), (1, Some(NOW.plus_ms(5))));
    }

    #[test]
    fn what_is_gone_refused_or_long_silent_is_doubtful() {
        let later = NOW.plus_ms(14 * DAY_MS);
        assert_eq!(doubt(&device(), later.plus_ms(-1)), None);
        assert_eq!(doubt(&device(), later), Some(Doubt::Silent { days: 14 }));
        assert_eq!(doubt(&Device { shown_at: Some(later), ..device() }, later), None);
        assert_eq!(doubt(&Device { failures: 3, ..device() }, NOW), Some(Doubt::Refused { failures: 3 }));
        let dead = Device { dead_at: Some(NOW), failures: 9, ..device() };
        assert_eq!(doubt(&dead, NOW), Some(Doubt::Dead));
    }
}
