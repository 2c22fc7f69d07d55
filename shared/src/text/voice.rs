//! Sentences whose nouns are marked, so that whoever shows them can make each a link.

use super::{Language, Names};
use crate::{
    ClassId, ContactId, IntegrationId, Noun, NounKind, PageId, PersonId, Piece, PolicyId, Recipient, RouteId,
    Timestamp,
    config::Target,
    timeline::{Actor, Happening, TimelineEntry},
};
use std::{cell::RefCell, collections::BTreeMap};

/// Around a noun in a sentence: its number and what is shown of it.
const BEGINS: char = '\u{2}';
const IS_SHOWN_AS: char = '\u{1f}';
const ENDS: char = '\u{3}';

/// How something is told: the language, what people are called, and whether nouns are marked.
pub struct Voice<'a> {
    pub(super) l: Language,
    names: &'a Names,
    /// When what is told happened; none when nothing is marked.
    at: Option<Timestamp>,
    nouns: RefCell<Vec<Noun>>,
    /// Which version an incident keeps of its policies.
    kept: BTreeMap<PolicyId, i64>,
    /// Whom each page is for.
    paged: BTreeMap<PageId, Recipient>,
    /// Who sent what is told.
    sender: Option<IntegrationId>,
}

impl<'a> Voice<'a> {
    /// Nothing is marked: the sentence is for reading only.
    #[must_use]
    pub const fn plainly(l: Language, names: &'a Names) -> Self {
        Self {
            l,
            names,
            at: None,
            nouns: RefCell::new(Vec::new()),
            kept: BTreeMap::new(),
            paged: BTreeMap::new(),
            sender: None,
        }
    }

    /// With every noun marked, about something that happened then.
    #[must_use]
    pub fn linked(l: Language, names: &'a Names, at: Timestamp) -> Self {
        Self { at: Some(at), ..Self::plainly(l, names) }
    }

    /// The same about the last of these entries of an incident.
    #[must_use]
    pub(super) fn following(mut self, timeline: &[TimelineEntry]) -> Self {
        if let Some(Actor::Integration { integration }) = timeline.last().map(|entry| &entry.actor) {
            self.sender = Some(integration.clone());
        }
        for entry in timeline {
            match &entry.what {
                Happening::Routed { policies, config, .. } => {
                    self.kept.extend(policies.iter().map(|policy| (policy.clone(), *config)));
                }
                Happening::PolicyApplied { policy, to, .. } => {
                    self.kept.insert(policy.clone(), *to);
                }
                Happening::Paged { page, recipient, .. } => {
                    self.paged.insert(*page, recipient.clone());
                }
                _ => {}
            }
        }
        self
    }

    /// A policy; the level is counted from 0. Without a version it is the one the incident keeps.
    #[must_use]
    pub fn policy(&self, id: &PolicyId, version: Option<i64>, level: Option<u32>) -> String {
        let version = version.or_else(|| self.kept.get(id).copied());
        self.noun(NounKind::Policy, id.as_str(), version, level.map(|level| level + 1), id.as_str())
    }

    /// A noun as it goes into a sentence; without a version it is the one that was in force then.
    #[must_use]
    pub fn noun(&self, kind: NounKind, id: &str, version: Option<i64>, part: Option<u32>, shown: &str) -> String {
        let Some(at) = self.at else { return shown.to_owned() };
        // Who was on call depends on the moment too.
        let at = (version.is_none() || kind == NounKind::Schedule).then_some(at);
        let mut nouns = self.nouns.borrow_mut();
        nouns.push(Noun { kind, id: id.to_owned(), version, part, at });
        format!("{BEGINS}{}{IS_SHOWN_AS}{shown}{ENDS}", nouns.len() - 1)
    }

    /// One that is shown by its id.
    #[must_use]
    pub fn named(&self, kind: NounKind, id: &str, version: Option<i64>) -> String {
        self.noun(kind, id, version, None, id)
    }

    /// A route; a heartbeat that names its policy stands in a trace like one.
    #[must_use]
    pub fn route(&self, id: &RouteId, version: Option<i64>) -> String {
        match id.as_str().strip_prefix("heartbeat:") {
            Some(heartbeat) => self.noun(NounKind::Heartbeat, heartbeat, version, None, id.as_str()),
            None => self.named(NounKind::Route, id.as_str(), version),
        }
    }

    /// A rule of whoever sent it.
    pub(super) fn class(&self, class: &ClassId) -> String {
        match &self.sender {
            Some(sender) => self.noun(NounKind::Integration, sender.as_str(), None, None, class.as_str()),
            None => class.as_str().to_owned(),
        }
    }

    /// Somebody, by name; who has none here is shown by id.
    #[must_use]
    pub fn person(&self, id: &PersonId, version: Option<i64>) -> String {
        self.noun(NounKind::Person, id.as_str(), version, None, self.names.get(id).map_or(id.as_str(), String::as_str))
    }

    /// Whoever was paged.
    #[must_use]
    pub fn recipient(&self, to: &Recipient, version: Option<i64>) -> String {
        match to {
            Recipient::Person(id) => self.person(id, version),
            Recipient::Webhook(id) => self.named(NounKind::Webhook, id.as_str(), version),
        }
    }

    /// How somebody is reached; a webhook is its own contact.
    #[must_use]
    pub fn contact(&self, to: &Recipient, contact: &ContactId, version: Option<i64>, shown: &str) -> String {
        match to {
            Recipient::Person(id) => self.noun(NounKind::Contact, &format!("{id}:{contact}"), version, None, shown),
            Recipient::Webhook(id) => self.noun(NounKind::Webhook, id.as_str(), version, None, shown),
        }
    }

    /// A contact that a page uses.
    pub(super) fn contact_of(&self, page: PageId, contact: &ContactId) -> String {
        match self.paged.get(&page) {
            Some(to) => self.contact(to, contact, None, contact.as_str()),
            None => contact.as_str().to_owned(),
        }
    }

    /// A target as it is written.
    #[must_use]
    pub fn target(&self, written: &str, version: Option<i64>) -> String {
        let (kind, id) = match written.parse() {
            Ok(Target::Person(id)) => (NounKind::Person, id.0),
            Ok(Target::Schedule(id)) => (NounKind::Schedule, id.0),
            Ok(Target::Team(id)) => (NounKind::Team, id.0),
            Ok(Target::Webhook(id)) => (NounKind::Webhook, id.0),
            Err(_) => return written.to_owned(),
        };
        self.noun(kind, &id, version, None, written)
    }

    /// A sentence of these nouns in pieces.
    #[must_use]
    pub fn pieces(self, sentence: &str) -> Vec<Piece> {
        let nouns = self.nouns.into_inner();
        let plain = |text: &str| Piece { text: text.to_owned(), noun: None };
        let mut pieces = Vec::new();
        for (i, piece) in sentence.split(BEGINS).enumerate() {
            let marked = piece.split_once(IS_SHOWN_AS).and_then(|(number, rest)| {
                let (shown, rest) = rest.split_once(ENDS)?;
                Some((nouns.get(number.parse::<usize>().ok()?)?, shown, rest))
            });
            let rest = match marked.filter(|_| i > 0) {
                Some((noun, shown, rest)) => {
                    pieces.push(Piece { text: shown.to_owned(), noun: Some(noun.clone()) });
                    rest
                }
                None => piece,
            };
            if !rest.is_empty() {
                pieces.push(plain(rest));
            }
        }
        pieces
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_noun_is_a_piece_of_its_own_wherever_the_language_puts_it() {
        let names = Names::from([("li".into(), "Li Wei".to_owned())]);
        let voice = Voice::linked(Language::En, &names, Timestamp::from_ms(5));
        let (policy, person) =
            (voice.noun(NounKind::Policy, "db", Some(12), Some(1), "db"), voice.person(&"li".into(), None));
        let pieces = voice.pieces(&format!("{person} by {policy}\u{2}9\u{1f}x\u{3}."));
        let said: Vec<(&str, Option<String>)> =
            pieces.iter().map(|part| (part.text.as_str(), part.noun.as_ref().map(Noun::href))).collect();
        assert_eq!(said[0], ("Li Wei", Some("/versions/person/li?at=5".to_owned())));
        assert_eq!(said[1], (" by ", None));
        assert_eq!(said[2], ("db", Some("/versions/policy/db?version=12&part=1".to_owned())));
        assert!(said[3..].iter().all(|(_, href)| href.is_none()), "what only looks like a mark is text");
    }

    #[test]
    fn a_contact_is_named_by_whose_it_is() {
        let names = Names::new();
        let voice = Voice::linked(Language::En, &names, Timestamp::from_ms(5));
        let sentence = [
            voice.contact(&Recipient::Person("li".into()), &"push".into(), Some(12), "push"),
            voice.contact(&Recipient::Webhook("noc".into()), &"noc".into(), Some(12), "noc"),
            voice.contact_of(PageId(1), &"mail".into()),
        ];
        let hrefs: Vec<_> =
            voice.pieces(&sentence.concat()).into_iter().map(|it| it.noun.map(|it| it.href())).collect();
        let link = |href: &str| Some(href.to_owned());
        assert_eq!(
            hrefs,
            [link("/versions/contact/li:push?version=12"), link("/versions/webhook/noc?version=12"), None],
            "whose page it was is not known: it is text"
        );
    }

    #[test]
    fn what_is_told_plainly_has_no_marks() {
        let names = Names::new();
        let voice = Voice::plainly(Language::Zh, &names);
        assert_eq!(voice.target("schedule:db", Some(3)), "schedule:db");
        assert_eq!(voice.named(NounKind::Team, "net", None), "net");
    }
}
