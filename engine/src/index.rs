//! Finds open alerts by what they are about, at 16 bytes an alert: a hash leads to candidates, which the caller
//! compares for real.

use shared::{AlertId, IntegrationId};
use siphasher::sip::SipHasher13;
use std::{
    collections::BTreeSet,
    hash::{Hash as _, Hasher as _},
};

/// Alerts by the hash of (integration, text).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Index(BTreeSet<(u64, AlertId)>);

impl Index {
    pub(crate) fn insert(&mut self, integration: &IntegrationId, text: &str, alert: AlertId) {
        self.0.insert((hash(integration, text), alert));
    }

    pub(crate) fn remove(&mut self, integration: &IntegrationId, text: &str, alert: AlertId) {
        self.0.remove(&(hash(integration, text), alert));
    }

    /// Alerts that may be about it, oldest first; two texts rarely share a hash, but they may.
    pub(crate) fn candidates(&self, integration: &IntegrationId, text: &str) -> impl Iterator<Item = AlertId> {
        let hash = hash(integration, text);
        self.0.range((hash, AlertId(i64::MIN))..=(hash, AlertId(i64::MAX))).map(|(_, alert)| *alert)
    }

    pub(crate) fn alerts(&self) -> impl Iterator<Item = AlertId> {
        self.0.iter().map(|(_, alert)| *alert)
    }
}

fn hash(integration: &IntegrationId, text: &str) -> u64 {
    let mut hasher = SipHasher13::new_with_keys(0x69_6e64_6578, 0x616c_6572_7473);
    integration.hash(&mut hasher);
    text.hash(&mut hasher);
    hasher.finish()
}
