//! What is told of one configuration's replay.

use super::ledger::{Books, EXAMPLES, Ledger, Load, Rung, Stand};
use shared::{
    Severity,
    api::{PageLoad, ReplayAlert, ReplayPage, ReplayReport, SeverityLoad, Unpaged, UnpagedCount},
};
use std::collections::BTreeMap;

/// Pages listed in a report.
const LISTED_MAX: usize = 500;

impl Ledger {
    pub(super) fn report(&self) -> ReplayReport {
        let books = &self.books;
        let total = |of: fn(&Load) -> u64| books.loads.values().map(of).sum();
        ReplayReport {
            messages: books.messages,
            incidents: books.counted().count() as u64,
            pages: total(|load| load.pages),
            night: total(|load| load.night),
            reminders: total(|load| load.reminders),
            severities: books.severities(),
            people: books.people(),
            unpaged: books.unpaged(),
            list: books.rung.iter().take(LISTED_MAX).filter_map(|rung| books.page(rung)).collect(),
            cut: books.cut,
        }
    }
}

impl Books {
    /// The incidents that opened in the span.
    pub(super) fn counted(&self) -> impl Iterator<Item = &Stand> {
        self.stands.values().filter(|stand| self.counts(stand.opened_at))
    }

    fn severities(&self) -> Vec<SeverityLoad> {
        let mut delays: BTreeMap<Severity, (u64, Vec<i64>)> = BTreeMap::new();
        for stand in self.counted() {
            let (incidents, delays) = delays.entry(stand.severity).or_default();
            *incidents += 1;
            delays.extend(stand.first_page.map(|at| at.ms_since(stand.opened_at)));
        }
        // Pages of a severity that an incident only had for a while belong to it too.
        for severity in self.severities.keys() {
            delays.entry(*severity).or_default();
        }
        let load = |(severity, (incidents, mut delays)): (Severity, (u64, Vec<i64>))| {
            delays.sort_unstable();
            let load = self.severities.get(&severity).copied().unwrap_or_default();
            SeverityLoad {
                severity,
                incidents,
                paged: delays.len() as u64,
                pages: load.pages,
                night: load.night,
                median_ms: delays.get(delays.len() / 2).copied(),
                slowest_ms: delays.last().copied(),
            }
        };
        delays.into_iter().map(load).collect()
    }

    fn people(&self) -> Vec<PageLoad> {
        let load = |(recipient, load): (&shared::Recipient, &Load)| PageLoad {
            recipient: recipient.clone(),
            pages: load.pages,
            night: load.night,
            reminders: load.reminders,
        };
        let mut people: Vec<PageLoad> = self.loads.iter().map(load).collect();
        people.sort_by_key(|load| std::cmp::Reverse(load.pages));
        people
    }

    fn unpaged(&self) -> Vec<UnpagedCount> {
        let mut silent: BTreeMap<Unpaged, Vec<&Stand>> = BTreeMap::new();
        for stand in self.counted().filter(|stand| stand.first_page.is_none()) {
            silent.entry(stand.why).or_default().push(stand);
        }
        let mut counts = Vec::new();
        for why in Unpaged::ALL {
            let mut stands = silent.remove(&why).unwrap_or_default();
            stands.sort_by_key(|stand| (stand.severity, stand.opened_at));
            let nowhere = self.nowhere.get(&why).cloned().unwrap_or_default();
            let alerts = stands.len() as u64 + nowhere.count;
            if alerts == 0 {
                continue;
            }
            let lost = nowhere.examples.into_iter().map(|(at, message, integration, title)| ReplayAlert {
                at,
                message,
                place: 0,
                incident: None,
                integration,
                severity: Severity::P6,
                host: None,
                title,
            });
            counts.push(UnpagedCount {
                why,
                alerts,
                urgent: stands.iter().filter(|stand| stand.severity.is_urgent()).count() as u64,
                examples: stands.iter().map(|stand| stand.alert()).chain(lost).take(EXAMPLES).collect(),
            });
        }
        counts
    }

    /// A page as it is told; none when its incident was not kept.
    pub(super) fn page(&self, rung: &Rung) -> Option<ReplayPage> {
        let stand = self.stands.get(&rung.incident)?;
        Some(ReplayPage {
            at: rung.at,
            recipient: rung.recipient.clone(),
            night: rung.night,
            after_ms: rung.at.ms_since(stand.opened_at),
            policy: rung.policy.clone(),
            level: rung.level,
            alert: ReplayAlert { severity: rung.severity, ..stand.alert() },
        })
    }
}

impl Stand {
    pub(super) fn alert(&self) -> ReplayAlert {
        ReplayAlert {
            at: self.opened_at,
            message: self.origin.0,
            place: self.origin.1,
            incident: None,
            integration: self.integration.clone(),
            severity: self.severity,
            host: self.host.clone(),
            title: self.title.clone(),
        }
    }
}
