//! Telling one person something that is no page: by the first of their contacts that takes it.

use super::{Runtime, deliver::address};
use crate::channels::{Channels, Letter, LetterAbout};
use shared::{
    config::{ContactKind, Person},
    text::PageText,
};
use std::sync::PoisonError;

/// Something for one person, which nobody has to answer.
#[derive(Clone, Debug)]
pub struct PersonalNotice {
    /// The same for every try.
    pub key: String,
    pub text: PageText,
    /// Where it leads.
    pub url: String,
    pub about: LetterAbout,
}

impl Runtime {
    /// Tells somebody: by their devices if they have any, or else by their contacts in their own order. Nobody is called for
    /// it, and webhooks are machines.
    ///
    /// # Errors
    /// Why nothing took it.
    pub async fn tell(&self, person: &Person, notice: PersonalNotice) -> Result<ContactKind, String> {
        let channels = self.vitals.channels.read().unwrap_or_else(PoisonError::into_inner).clone();
        tell(&channels, person, notice).await
    }
}

async fn tell(channels: &Channels, person: &Person, notice: PersonalNotice) -> Result<ContactKind, String> {
    let PersonalNotice { key, text, url, about } = notice;
    let reads = |kind: ContactKind| !matches!(kind, ContactKind::Voice | ContactKind::Webhook);
    let mut contacts: Vec<_> = person
        .contacts
        .iter()
        .filter_map(|contact| Some((contact.address()?.0, address(person, contact)?)))
        .filter(|(kind, _)| reads(*kind))
        .collect();
    contacts.sort_by_key(|(kind, _)| *kind != ContactKind::Push);
    let mut failures = Vec::new();
    for (kind, address) in contacts {
        let letter = Letter {
            key: key.clone(),
            about: about.clone(),
            text: text.clone(),
            language: person.language,
            address,
            url: url.clone(),
        };
        match channels.tell(&letter).await {
            Ok(_) => return Ok(kind),
            Err(failure) => failures.push(format!("{}: {}", kind.as_str(), failure.detail)),
        }
    }
    if failures.is_empty() {
        Err("there is no contact that could be written to".to_owned())
    } else {
        Err(failures.join("; "))
    }
}
