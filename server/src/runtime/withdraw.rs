//! When somebody has answered, what stands in chats and on screens says so, that nobody else goes looking for a button to
//! press.
//!
//! It is done once and for good measure: one message after the other, beside the pages, and what finds no room is left
//! as it is.

use super::Links;
use crate::channels::{Channels, Copied, Withdrawal};
use engine::{Changes, Snapshot, oncall};
use shared::{
    Attempt, AttemptState, Incident, IncidentId, IncidentState, Page, Recipient, Timestamp,
    config::{ContactKind, Person},
    messages,
    text::page_text,
    timeline::{Actor, Happening},
};
use std::{collections::BTreeSet, sync::Arc};
use tokio::{runtime::Handle, sync::mpsc};

/// Messages that wait to be changed; in a storm it is better to answer than to tidy up.
const WAITING_MAX: usize = 256;

messages! {
    acked_by(who: &str, at: &str) { en: "Acknowledged by {who} {at}", zh: "已由 {who} 认领 {at}" }
    resolved(at: &str) { en: "Resolved {at}", zh: "已恢复 {at}" }
}

type Job = (Arc<Channels>, Withdrawal);

/// Changes messages in the background.
pub(super) struct Withdrawer {
    queue: mpsc::Sender<Job>,
}

impl Withdrawer {
    pub(super) fn start(tasks: &Handle) -> Self {
        let (queue, mut jobs) = mpsc::channel::<Job>(WAITING_MAX);
        tasks.spawn(async move {
            while let Some((channels, withdrawal)) = jobs.recv().await {
                if let Err(failure) = channels.withdraw(&withdrawal).await {
                    let channel = withdrawal.kind.as_str();
                    tracing::debug!(channel, reason = failure.detail, "a message stays as it was");
                }
            }
        });
        Self { queue }
    }

    /// Changes the messages about what was answered in this commit.
    pub(super) fn answered(&self, changes: &Changes, config: &Snapshot, channels: &Arc<Channels>, links: &Links) {
        for id in answered(changes) {
            let Some(incident) = changes.incidents.iter().rev().find(|it| it.id == id) else { continue };
            // Devices show one notification for an incident, however often it was pushed.
            let mut devices = BTreeSet::new();
            for (page, attempt) in incident.pages.iter().flat_map(|page| page.attempts.iter().map(move |it| (page, it)))
            {
                let Some(withdrawal) = withdrawal(incident, page, attempt, config, links) else { continue };
                if let Copied::Devices(person) = &withdrawal.copied
                    && !devices.insert(person.clone())
                {
                    continue;
                }
                if self.queue.try_send((channels.clone(), withdrawal)).is_err() {
                    tracing::debug!("too many messages wait to be changed; this one stays as it was");
                    return;
                }
            }
        }
    }
}

/// Incidents that somebody answered, or that are over.
fn answered(changes: &Changes) -> BTreeSet<IncidentId> {
    let is_answer =
        |what: &Happening| matches!(what, Happening::Acked { .. } | Happening::Resolved | Happening::Recovered { .. });
    changes.timeline.iter().filter(|entry| is_answer(&entry.what)).map(|entry| entry.incident).collect()
}

/// What becomes of one message; none when it stays.
fn withdrawal(
    incident: &Incident,
    page: &Page,
    attempt: &Attempt,
    config: &Snapshot,
    links: &Links,
) -> Option<Withdrawal> {
    // A message about several incidents still asks for an answer to the others.
    let is_alone = attempt.bundling.as_ref().is_none_or(|it| it.message.is_none() && it.storm.is_none());
    if attempt.state != AttemptState::Accepted || !is_alone {
        return None;
    }
    let person = match &page.recipient {
        Recipient::Person(id) => config.people.get(id),
        Recipient::Webhook(_) => None,
    };
    let copied = copied(attempt, person)?;
    let language = person.map(|person| person.language).unwrap_or_default();
    let zone = person.and_then(|person| person.time_zone.as_deref());
    let outcome = match (incident.state, incident.ack.as_deref()) {
        (IncidentState::Acked, Some(ack)) => acked_by(language, &name(&ack.by, config), &clock(zone, ack.at)),
        (IncidentState::Resolved, _) => resolved(language, &clock(zone, incident.resolved_at?)),
        _ => return None,
    };
    let text = page_text(language, incident, page.level, false);
    let (id, url) = (incident.id, links.incident(incident.id));
    Some(Withdrawal { kind: attempt.channel, copied, incident: id, language, text, outcome, url })
}

/// Where the copy is; none where nothing can be changed.
fn copied(attempt: &Attempt, person: Option<&Person>) -> Option<Copied> {
    let id = || Some(attempt.proof.as_ref()?.provider_id.as_deref()?.to_owned());
    match attempt.channel {
        ContactKind::Slack | ContactKind::Telegram => id().map(Copied::Message),
        ContactKind::Ntfy => {
            let contact = person?.contacts.iter().find(|it| it.id == attempt.contact)?;
            let (_, topic) = contact.address().filter(|(kind, _)| *kind == ContactKind::Ntfy)?;
            Some(Copied::Topic { topic: topic.to_owned(), id: id()? })
        }
        ContactKind::Push => Some(Copied::Devices(person?.id.clone())),
        _ => None,
    }
}

fn name(by: &Actor, config: &Snapshot) -> String {
    let known = match by {
        Actor::Link { person, .. } => config.people.get(person).map(|it| it.name.clone()),
        _ => None,
    };
    known.unwrap_or_else(|| by.name())
}

/// The time on the reader's wall; where that is not known, the world's.
fn clock(zone: Option<&str>, at: Timestamp) -> String {
    let zone = zone.and_then(|name| oncall::zone(name).ok());
    let instant = jiff::Timestamp::from_millisecond(at.ms()).unwrap_or_default();
    match zone {
        Some(zone) => instant.to_zoned(zone).strftime("%H:%M").to_string(),
        None => instant.strftime("%H:%M UTC").to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_is_that_of_the_reader() {
        let at = Timestamp::from_ms(1_700_000_000_000);
        assert_eq!((clock(Some("Asia/Shanghai"), at).as_str(), clock(None, at).as_str()), ("06:13", "22:13 UTC"));
        assert_eq!(clock(Some("Nowhere/Land"), at), "22:13 UTC");
    }
}
