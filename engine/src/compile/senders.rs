//! Settings of senders, except what the server alone knows: how they sign.

use super::{Check, SELF};
use crate::{
    classify::{self, Class},
    normalize::{check_mapping, known_charset, template_faults},
    oncall,
    window::Windows,
};
use shared::{
    Delay, IntegrationId,
    config::{Integration, RateLimit},
};
use std::collections::BTreeMap;

impl Check {
    pub(super) fn senders(
        &mut self,
        integrations: &[Integration],
        windows: &Windows,
        classes: &mut BTreeMap<IntegrationId, Vec<Class>>,
    ) {
        for integration in integrations {
            let path = format!("integrations[{}].classes", integration.id);
            self.index(&integration.classes, &path, |class| class.id.clone(), |id| id.as_str());
            let mut faults = Vec::new();
            let compiled = classify::compile(integration, windows, &mut faults);
            self.faults(faults);
            if !compiled.is_empty() {
                classes.insert(integration.id.clone(), compiled);
            }
            if let Err(message) = oncall::zone(&integration.time_zone) {
                self.fault(format!("integrations[{}].time_zone", integration.id), message);
            }
            if let Some(mapping) = &integration.mapping {
                self.findings.extend(check_mapping(mapping, &format!("integrations[{}].mapping", integration.id)));
            }
            self.sender(integration);
            if integration.id.as_str() == SELF {
                self.fault(
                    "integrations[tocsin].id",
                    "`tocsin` is the name Tocsin raises its own alerts under; take another",
                );
            }
        }
    }

    fn sender(&mut self, integration: &Integration) {
        let path = |key: &str| format!("integrations[{}].{key}", integration.id);
        if let Some(RateLimit { messages, within }) = integration.rate_limit {
            if !(1..=10_000).contains(&messages) {
                self.fault(
                    path("rate_limit.messages"),
                    "a sender may send 1 to 10000 messages; a P0 is taken in any case",
                );
            }
            if !(Delay::secs(1)..=Delay::mins(1_440)).contains(&within) {
                self.fault(path("rate_limit.within"), "a limit is about 1s to 24h");
            }
        }
        if let Some(Err(why)) = integration.charset.as_deref().map(known_charset) {
            self.fault(path("charset"), why);
        }
        for why in integration.dedup_key.as_deref().map(template_faults).unwrap_or_default() {
            self.fault(path("dedup_key"), why);
        }
    }
}
