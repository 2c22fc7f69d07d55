//! What is noise: incidents counted by identity, route and policy, and by what kept them quiet.

use super::Story;
use shared::{
    Incident, IncidentState, SharedStr, SuppressedBy,
    api::{Noise, QuietBy, QuietKind},
};
use std::{cmp::Reverse, collections::BTreeMap};

/// Incidents by what they have in common: a sender (or nothing) and a key.
#[derive(Debug, Default)]
pub(super) struct Ledger(BTreeMap<(String, String), Noise>);

impl Ledger {
    pub(super) fn add(&mut self, (group, key): (&str, &str), incident: &Incident, story: &Story, pages: u32) {
        let by_itself = incident.state == IncidentState::Resolved && !incident.answered;
        let noise = self.0.entry((group.to_owned(), key.to_owned())).or_insert_with(|| Noise {
            id: key.to_owned(),
            title: String::new(),
            host: None,
            integration: None,
            newest: incident.id,
            incidents: 0,
            messages: 0,
            pages: 0,
            acknowledged: 0,
            by_itself: 0,
            unneeded: 0,
            again: 0,
            flapped: 0,
            silenced: 0,
        });
        if !group.is_empty() && (noise.incidents == 0 || incident.id > noise.newest) {
            noise.title = incident.title.to_string();
            noise.host = incident.host.as_ref().map(SharedStr::to_string);
            noise.integration = Some(incident.integration.clone());
        }
        noise.newest = noise.newest.max(incident.id);
        noise.incidents += 1;
        noise.messages += u64::from(incident.count);
        noise.pages += pages;
        noise.acknowledged += u32::from(story.acknowledged_at.is_some());
        noise.by_itself += u32::from(by_itself);
        noise.unneeded += if by_itself { pages } else { 0 };
        noise.again += u32::from(incident.again.is_some());
        noise.flapped += u32::from(story.flapped);
        noise.silenced += u32::from(!story.quiet.is_empty());
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// What to mend first comes first: by pages nobody needed, then by all pages, then by incidents.
    pub(super) fn finish(self) -> Vec<Noise> {
        let mut all: Vec<Noise> = self.0.into_values().collect();
        all.sort_by_key(|it| Reverse((it.unneeded, it.pages, it.incidents)));
        all
    }
}

/// Incidents, and of them those that rang, by what kept them quiet.
#[derive(Debug, Default)]
pub(super) struct Quiet(BTreeMap<(QuietKind, String), (u32, u32)>);

impl Quiet {
    pub(super) fn add(&mut self, incident: &Incident, story: &Story, rang: bool) {
        let named = |by: &SuppressedBy| match by {
            SuppressedBy::Silence { silence, .. } => (QuietKind::Silence, silence.to_string()),
            SuppressedBy::Maintenance { silence, .. } => (QuietKind::Maintenance, silence.to_string()),
            SuppressedBy::Inhibition { inhibition, .. } => (QuietKind::Inhibition, inhibition.to_string()),
            SuppressedBy::Suspect { name, .. } => (QuietKind::Suspect, name.clone()),
        };
        let mut causes: Vec<(QuietKind, String)> = story.quiet.iter().chain(&incident.suppressed).map(named).collect();
        causes.extend(story.muted.iter().map(|route| (QuietKind::Mute, route.to_string())));
        causes.extend(story.held.iter().map(|policy| (QuietKind::Hold, policy.to_string())));
        causes.sort();
        causes.dedup();
        for cause in causes {
            let (incidents, paged) = self.0.entry(cause).or_default();
            *incidents += 1;
            *paged += u32::from(rang);
        }
    }

    pub(super) fn finish(self) -> Vec<QuietBy> {
        let tell = |((kind, id), (incidents, paged))| QuietBy { kind, id, incidents, paged };
        let mut all: Vec<QuietBy> = self.0.into_iter().map(tell).collect();
        all.sort_by_key(|it| Reverse(it.incidents));
        all
    }
}
