//! The proof: deliveries and answers as they happened, each link's hash covering the link and the hash before it.
//!
//! A link has two hashes: `content` over what it says, and `hash` over that and the hash before. So whoever is given the
//! links of one incident can follow the whole chain without being told what others say. As with the record of acts,
//! somebody with the whole database could write it anew from some link on: keep a copy of a later hash elsewhere.

use super::{
    Store, StoreError,
    commit::{insert, json, write_rows},
    schema::proof,
    text::{chained, plain},
};
use diesel::{
    ExpressionMethods as _, Insertable, OptionalExtension as _, QueryDsl as _, Queryable, RunQueryDsl as _,
    dsl::{max, min},
};
use engine::Changes;
use shared::{
    AttemptId, Incident, IncidentId, Timestamp,
    api::ProofLink,
    timeline::{Actor, Happening, TimelineEntry},
};
use std::collections::BTreeMap;

/// The newest link's number and hash, so that links missing at the end are seen too.
const HEAD: &str = "proof.head";
/// Links read at a time.
const BATCH: i64 = 1_000;
/// What a link's content begins with: another version is another way to write it.
const VERSION: &str = "tocsin proof 1";

/// What a check of the whole proof found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProofVerdict {
    /// Every link is as it was written.
    Intact { links: i64, head: String },
    /// The first link that is not.
    Broken { id: i64, what: &'static str },
}

/// Which links are wanted: all of them from one number to another, so that they are a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProofSpan {
    pub first: i64,
    pub last: i64,
}

impl Store {
    /// The links from one time until before another; none when there are none.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn proof_between(&mut self, from: Timestamp, until: Timestamp) -> Result<Option<ProofSpan>, StoreError> {
        let inside = proof::table.filter(proof::at.ge(from.ms())).filter(proof::at.lt(until.ms()));
        let span: (Option<i64>, Option<i64>) = inside.select((min(proof::id), max(proof::id))).first(&mut self.db)?;
        Ok(span.0.zip(span.1).map(|(first, last)| ProofSpan { first, last }))
    }

    /// From the first link of an incident to its last; none when it has none.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn proof_of(&mut self, incident: IncidentId) -> Result<Option<ProofSpan>, StoreError> {
        let of = proof::table.filter(proof::incident.eq(incident.0));
        let span: (Option<i64>, Option<i64>) = of.select((min(proof::id), max(proof::id))).first(&mut self.db)?;
        Ok(span.0.zip(span.1).map(|(first, last)| ProofSpan { first, last }))
    }

    /// The next links of a span, by number; of other incidents than `only` just their hashes. Empty at the end.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn proof_links(
        &mut self,
        span: ProofSpan,
        only: Option<IncidentId>,
    ) -> Result<(Vec<ProofLink>, Option<ProofSpan>), StoreError> {
        let rows: Vec<Row> = proof::table
            .filter(proof::id.ge(span.first))
            .filter(proof::id.le(span.last))
            .order(proof::id)
            .limit(BATCH)
            .load(&mut self.db)?;
        let rest = rows.last().filter(|last| last.id < span.last);
        let rest = rest.map(|last| ProofSpan { first: last.id + 1, last: span.last });
        Ok((rows.into_iter().map(|row| row.shown(only)).collect(), rest))
    }

    /// Checks the whole proof.
    ///
    /// # Errors
    /// When the database does not answer; a broken proof is an answer.
    pub fn proof_verify(&mut self) -> Result<ProofVerdict, StoreError> {
        self.snapshot(|store| {
            let mut last = Row::default();
            loop {
                let rows: Vec<Row> =
                    proof::table.filter(proof::id.gt(last.id)).order(proof::id).limit(BATCH).load(&mut store.db)?;
                if rows.is_empty() {
                    break;
                }
                for row in rows {
                    if let Some(what) = row.fault(&last) {
                        return Ok(ProofVerdict::Broken { id: last.id + 1, what });
                    }
                    last = row;
                }
            }
            let expected = (last.id > 0).then(|| last.head());
            if store.meta(HEAD)? == expected {
                Ok(ProofVerdict::Intact { links: last.id, head: last.hash })
            } else {
                Ok(ProofVerdict::Broken { id: last.id + 1, what: "links are missing at the end" })
            }
        })
    }

    /// Adds links; nobody else does, because nobody else may commit.
    pub(super) fn prove(&mut self, links: Vec<NewLink>) -> Result<(), StoreError> {
        if links.is_empty() {
            return Ok(());
        }
        let instance = self.meta("instance")?.unwrap_or_default();
        let last: Option<(i64, String)> =
            proof::table.order(proof::id.desc()).select((proof::id, proof::hash)).first(&mut self.db).optional()?;
        let (mut id, mut prev_hash) = last.unwrap_or_default();
        let mut rows = Vec::with_capacity(links.len());
        for link in links {
            id += 1;
            let attempt_key = link.message.map(|message| format!("{instance}-{message}")).unwrap_or_default();
            let NewLink { at, kind, incident, actor, what, .. } = link;
            let mut row = Row { id, at, kind, incident, attempt_key, actor, what, prev_hash, ..Row::default() };
            row.content = row.digest();
            row.hash = row.link();
            prev_hash = row.hash.clone();
            rows.push(row);
        }
        let head = rows.last().map(Row::head).unwrap_or_default();
        insert!(&mut self.db, proof, rows);
        self.meta_put(HEAD, &head)
    }
}

/// Something to be proved, before it has its place in the chain.
pub(super) struct NewLink {
    at: i64,
    kind: String,
    incident: i64,
    /// The message it is about, of a delivery.
    message: Option<AttemptId>,
    actor: String,
    what: String,
}

impl NewLink {
    /// Of what happened, deliveries and answers, in its order.
    pub(super) fn all_of(changes: &Changes) -> Result<Vec<Self>, StoreError> {
        let incidents: BTreeMap<IncidentId, &Incident> =
            changes.incidents.iter().map(|incident| (incident.id, &**incident)).collect();
        let mut links = Vec::new();
        for entry in &changes.timeline {
            let Some((kind, attempt)) = proved(&entry.what) else { continue };
            let message = attempt.map(|attempt| message_of(&incidents, entry, attempt));
            links.push(Self {
                at: entry.at.ms(),
                kind: kind.to_owned(),
                incident: entry.incident.0,
                message,
                actor: plain(&written(&entry.actor)).into_owned(),
                what: json("a link of the proof", &entry.what)?,
            });
        }
        Ok(links)
    }
}

/// The number of the message a delivery is part of.
fn message_of(incidents: &BTreeMap<IncidentId, &Incident>, entry: &TimelineEntry, attempt: AttemptId) -> AttemptId {
    let pages = incidents.get(&entry.incident).map(|it| &it.pages);
    let mut attempts = pages.into_iter().flatten().flat_map(|page| &page.attempts);
    attempts.find(|it| it.id == attempt).map_or(attempt, shared::Attempt::message)
}

/// Who did it, in one word.
fn written(actor: &Actor) -> String {
    match actor {
        Actor::System => "system".to_owned(),
        Actor::Account { login } => login.clone(),
        Actor::Link { person, via: None } => format!("link:{person}"),
        Actor::Link { person, via: Some(via) } => format!("{}:{person}", via.as_str()),
        Actor::Device { login, device } => format!("device:{login}:{device}"),
        Actor::Token { name } => format!("token:{name}"),
        Actor::Integration { integration } => format!("integration:{integration}"),
    }
}

/// What is worth a link, and the delivery it is about: what was sent, what became of it, and who answered.
const fn proved(what: &Happening) -> Option<(&'static str, Option<AttemptId>)> {
    Some(match what {
        Happening::Paged { .. } => ("paged", None),
        Happening::Delivery { attempt, .. } => ("delivery", Some(*attempt)),
        Happening::DeliveryReceipt { attempt, .. } => ("receipt", Some(*attempt)),
        Happening::Unproven { attempt, .. } => ("unproven", Some(*attempt)),
        Happening::Acked { .. } => ("acked", None),
        Happening::Answered { .. } => ("answered", None),
        Happening::AckExpired => ("ack_expired", None),
        Happening::Unacked => ("unacked", None),
        Happening::Snoozed { .. } => ("snoozed", None),
        Happening::Escalated { .. } => ("escalated", None),
        Happening::Reassigned { .. } => ("reassigned", None),
        Happening::CallsStopped { .. } => ("calls_stopped", None),
        Happening::Resolved => ("resolved", None),
        _ => return None,
    })
}

#[derive(Default, Queryable, Insertable)]
#[diesel(table_name = proof, treat_none_as_default_value = false)]
struct Row {
    id: i64,
    at: i64,
    kind: String,
    incident: i64,
    attempt_key: String,
    actor: String,
    what: String,
    content: String,
    prev_hash: String,
    hash: String,
}

impl Row {
    /// The hash over what it says.
    fn digest(&self) -> String {
        let (id, at, incident) = (self.id.to_string(), self.at.to_string(), self.incident.to_string());
        chained(&[VERSION, &id, &at, &self.kind, &incident, &self.attempt_key, &self.actor, &self.what])
    }

    /// The hash that the next link begins with.
    fn link(&self) -> String {
        chained(&[&self.prev_hash, &self.content])
    }

    fn head(&self) -> String {
        format!("{} {}", self.id, self.hash)
    }

    /// What is wrong with this link as the successor of `last`.
    fn fault(&self, last: &Self) -> Option<&'static str> {
        if self.id != last.id + 1 {
            Some("a link is missing")
        } else if self.prev_hash != last.hash {
            Some("the link does not follow the one before it")
        } else if self.content != self.digest() || self.hash != self.link() {
            Some("the link was changed")
        } else {
            None
        }
    }

    /// As it is given away: whole, or when it is about something else by its hashes alone.
    fn shown(self, only: Option<IncidentId>) -> ProofLink {
        let whole = only.is_none_or(|id| id.0 == self.incident);
        let word = |text: String| whole.then_some(text);
        ProofLink {
            seq: self.id,
            at: whole.then_some(Timestamp::from_ms(self.at)),
            kind: word(self.kind),
            incident: whole.then_some(IncidentId(self.incident)),
            key: word(self.attempt_key),
            actor: word(self.actor),
            what: word(self.what),
            content: self.content,
            prev: self.prev_hash,
            hash: self.hash,
        }
    }
}
