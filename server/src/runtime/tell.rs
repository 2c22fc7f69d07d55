//! Telling one person something that is no page: by the first of their contacts that takes it.

use super::{Runtime, deliver::address};
use crate::channels::{Address, Channels, Letter, LetterAbout};
use shared::{
    config::{Contact, ContactKind, Language, Person},
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
    /// Tells somebody; a webhook is a machine, which is told nothing.
    ///
    /// # Errors
    /// Why nothing took it.
    pub async fn tell(&self, person: &Person, notice: PersonalNotice) -> Result<ContactKind, String> {
        let channels = self.vitals.channels.read().unwrap_or_else(PoisonError::into_inner).clone();
        let ways = ways(person, |contact| contact.address().is_some_and(|(kind, _)| kind != ContactKind::Webhook));
        tell(&channels, person.language, ways, notice).await
    }
}

/// The contacts by which somebody can be told: their devices first, then the others as they stand. Nobody is called for it.
pub(super) fn ways(person: &Person, usable: impl Fn(&Contact) -> bool) -> Vec<(ContactKind, Address)> {
    let usable = person.contacts.iter().filter(|contact| usable(contact));
    let mut ways: Vec<_> = usable
        .filter_map(|contact| Some((contact.address()?.0, address(person, contact)?)))
        .filter(|(kind, _)| *kind != ContactKind::Voice)
        .collect();
    ways.sort_by_key(|(kind, _)| *kind != ContactKind::Push);
    ways
}

/// Sends a notice by one after another until something takes it.
///
/// # Errors
/// Why nothing took it.
pub(super) async fn tell(
    channels: &Channels,
    language: Language,
    ways: Vec<(ContactKind, Address)>,
    notice: PersonalNotice,
) -> Result<ContactKind, String> {
    let PersonalNotice { key, text, url, about } = notice;
    let mut failures = Vec::new();
    for (kind, address) in ways {
        let (key, about, text, url) = (key.clone(), about.clone(), text.clone(), url.clone());
        match channels.tell(&Letter { key, about, text, language, address, url }).await {
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
