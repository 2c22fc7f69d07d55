//! Finds open alerts by what they are about, at twelve bytes an alert: a hash leads to candidates, which the caller
//! compares for real.

use crate::dense::Set;
use shared::{AlertId, IntegrationId};
use siphasher::sip::SipHasher13;
use std::hash::{Hash as _, Hasher as _};

/// Alerts by the hash of (integration, text).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Index(Set<Entry>);

/// Half a hash, then the alert's number in two halves: as eight bytes it would ask for four more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    hash: u32,
    alert: [u32; 2],
}

impl Entry {
    fn new(integration: &IntegrationId, text: &str, alert: AlertId) -> Self {
        let number = alert.0.cast_unsigned();
        Self { hash: hash(integration, text), alert: [(number >> 32) as u32, number as u32] }
    }

    fn alert(self) -> AlertId {
        let [upper, lower] = self.alert.map(u64::from);
        AlertId((upper << 32 | lower).cast_signed())
    }
}

impl Index {
    pub(crate) fn insert(&mut self, integration: &IntegrationId, text: &str, alert: AlertId) {
        self.0.insert(Entry::new(integration, text, alert));
    }

    pub(crate) fn remove(&mut self, integration: &IntegrationId, text: &str, alert: AlertId) {
        self.0.remove(&Entry::new(integration, text, alert));
    }

    /// Alerts that may be about it, oldest first; two texts rarely share a hash, but they may.
    pub(crate) fn candidates(&self, integration: &IntegrationId, text: &str) -> impl Iterator<Item = AlertId> {
        let hash = hash(integration, text);
        let (first, last) = (Entry { hash, alert: [0; 2] }, Entry { hash, alert: [u32::MAX; 2] });
        self.0.range(first..=last).map(|entry| entry.alert())
    }

    pub(crate) fn alerts(&self) -> impl Iterator<Item = AlertId> {
        self.0.iter().map(|entry| entry.alert())
    }
}

fn hash(integration: &IntegrationId, text: &str) -> u32 {
    let mut hasher = SipHasher13::new_with_keys(0x69_6e64_6578, 0x616c_6572_7473);
    integration.hash(&mut hasher);
    text.hash(&mut hasher);
    (hasher.finish() >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alert_is_found_by_what_it_is_about_whatever_its_number() {
        let mut index = Index::default();
        let sender = IntegrationId::from("falcon");
        let alerts = [1, 7, i64::from(u32::MAX), 1 << 32, i64::MAX].map(AlertId);
        for alert in alerts.into_iter().rev() {
            index.insert(&sender, "db-07", alert);
            index.insert(&sender, "db-08", alert);
        }
        index.remove(&sender, "db-07", AlertId(7));
        let found: Vec<_> = index.candidates(&sender, "db-07").collect();
        assert_eq!(found, [1, i64::from(u32::MAX), 1 << 32, i64::MAX].map(AlertId), "oldest first");
        assert_eq!((index.candidates(&sender, "db-09").count(), index.alerts().count()), (0, 9));
        assert_eq!(size_of::<Entry>(), 12);
    }
}
