//! Contacts that do not work any more, in memory: learned from what becomes of deliveries, stored with it, and told to their
//! owners by another of their contacts.

use super::{
    deliver::{Dispatcher, Sending},
    inbox::Item,
    tell::{PersonalNotice, tell, ways},
};
use crate::{channels::LetterAbout, db::Learned};
use engine::{
    Changes, Snapshot,
    broken::{Broken, Heard, Verdict, judged},
};
use sha2::{Digest as _, Sha256};
use shared::{
    AttemptState, ContactId, PersonId, Recipient, Timestamp,
    config::{Contact, ContactKind},
    text::broken_text,
    timeline::Happening,
};
use std::collections::BTreeMap;

type Method = (PersonId, ContactId);

/// Which contacts are broken.
#[derive(Default)]
pub(super) struct Methods {
    broken: BTreeMap<Method, Broken>,
    /// The configuration whose addresses they were compared with last.
    version: i64,
}

/// What stands for the address of a contact: another one, or another secret, is another.
#[must_use]
pub fn fingerprint(contact: &Contact) -> Option<String> {
    let (kind, to) = contact.address()?;
    let secret = contact.secret.as_deref().unwrap_or_default();
    let digest = Sha256::digest(format!("{}\0{to}\0{secret}", kind.as_str()));
    Some(digest.iter().take(12).map(|byte| format!("{byte:02x}")).collect())
}

fn current(config: &Snapshot, (person, contact): &Method) -> Option<String> {
    config.people.get(person)?.contacts.iter().find(|it| it.id == *contact).and_then(fingerprint)
}

impl Methods {
    pub(super) fn new(known: Vec<Broken>) -> Self {
        let broken = known.into_iter().map(|it| ((it.person.clone(), it.contact.clone()), it));
        Self { broken: broken.collect(), version: 0 }
    }

    /// Those whose owner was not told yet.
    pub(super) fn untold(&self) -> Vec<Broken> {
        self.broken.values().filter(|it| !it.told).cloned().collect()
    }

    /// What follows from what became of deliveries, and from a configuration that changed.
    pub(super) fn learn(&mut self, config: &Snapshot, changes: &Changes) -> Vec<Learned> {
        let mut learned = self.review(config);
        for entry in &changes.timeline {
            let Happening::Delivery { recipient, contact, channel, state, failure, .. } = &entry.what else { continue };
            let Recipient::Person(person) = recipient else { continue };
            let heard = match (state, failure) {
                (AttemptState::Accepted, _) => Heard::Taken,
                (AttemptState::Failed, Some(failure)) => Heard::Failed(failure),
                _ => continue,
            };
            learned.extend(self.hear(config, (person.clone(), contact.clone()), *channel, heard, entry.at));
        }
        learned
    }

    /// What follows for one contact.
    pub(super) fn hear(
        &mut self,
        config: &Snapshot,
        method: Method,
        channel: ContactKind,
        heard: Heard<'_>,
        now: Timestamp,
    ) -> Option<Learned> {
        let address = current(config, &method)?;
        match (judged(self.broken.get(&method), &address, heard), heard) {
            (Verdict::Breaks, Heard::Failed(failure)) => {
                let ((person, contact), why) = (method.clone(), failure.detail.clone());
                let broken = Broken { person, contact, channel, address, at: now, why, told: false };
                self.broken.insert(method.clone(), broken.clone());
                Some((method, Some(broken)))
            }
            (Verdict::Mends, _) => {
                self.broken.remove(&method);
                Some((method, None))
            }
            (Verdict::Breaks | Verdict::Stays, _) => None,
        }
    }

    /// Its owner knows.
    pub(super) fn told(&mut self, method: &Method) -> Option<Learned> {
        let broken = self.broken.get_mut(method).filter(|it| !it.told)?;
        broken.told = true;
        Some((method.clone(), Some(broken.clone())))
    }

    /// Forgets what is said of addresses that the configuration does not have any more.
    fn review(&mut self, config: &Snapshot) -> Vec<Learned> {
        if self.version == config.version {
            return Vec::new();
        }
        self.version = config.version;
        let gone = |(method, it): (&Method, &Broken)| {
            (current(config, method).as_deref() != Some(&it.address)).then(|| (method.clone(), None))
        };
        let gone: Vec<Learned> = self.broken.iter().filter_map(gone).collect();
        for (method, _) in &gone {
            self.broken.remove(method);
        }
        gone
    }

    /// Whether a contact is known not to work.
    fn is_broken(&self, method: &Method) -> bool {
        self.broken.contains_key(method)
    }
}

impl Dispatcher {
    /// Tells people that a contact of theirs does not work, each by their other contacts that do.
    pub(super) fn warn(&self, broken: Vec<Broken>, methods: &Methods, how: &Sending<'_>) {
        for it in broken {
            let Some(person) = how.config.people.get(&it.person) else { continue };
            let ways = ways(person, |other| {
                other.id != it.contact && !methods.is_broken(&(it.person.clone(), other.id.clone()))
            });
            let notice = PersonalNotice {
                key: format!("{}-broken-{}-{}", self.instance, it.at.ms(), it.address),
                text: broken_text(person.language, &it.contact, it.channel, &it.why),
                url: how.links.my_notifications(),
                about: LetterAbout::Contact(it.contact.clone()),
            };
            let (inbox, channels, language) = (self.inbox.clone(), how.channels.clone(), person.language);
            self.tasks.spawn(async move {
                match tell(&channels, language, ways, notice).await {
                    Ok(_) => {
                        inbox.push(Item::Warned(it.person, it.contact));
                    }
                    Err(why) => tracing::warn!(
                        person = %it.person, contact = %it.contact, why, "a contact is broken, and nobody could be told of it"
                    ),
                }
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::{Failure, Fault};

    const CONFIG: &str = r#"
        fallback = ["person:li"]
        [[people]]
        id = "li"
        name = "Li"
        contacts = [{ id = "text", sms = "+8613800138000" }, { id = "bot", webhook = "https://bot.invalid/x" }]
    "#;

    fn config(version: i64, text: &str) -> Snapshot {
        Snapshot::compile(version, toml::from_str(text).unwrap()).unwrap()
    }

    fn refused() -> Failure {
        Failure {
            permanent: true,
            ambiguous: false,
            detail: "nobody".to_owned(),
            retry_after_ms: None,
            fault: Fault::Method,
        }
    }

    fn text() -> Method {
        ("li".into(), "text".into())
    }

    #[test]
    fn another_address_makes_it_another_contact() {
        let (old, now) = (config(1, CONFIG), Timestamp::from_ms(7));
        let mut methods = Methods::default();
        let failure = refused();
        let learned = methods.hear(&old, text(), ContactKind::Sms, Heard::Failed(&failure), now);
        let (of, Some(broken)) = learned.unwrap() else { panic!("it is broken") };
        assert_eq!((of, broken.at, broken.why.as_str(), broken.told), (text(), now, "nobody", false));
        assert!(methods.learn(&old, &Changes::default()).is_empty());
        // Told once, and kept over a restart.
        assert!(methods.told(&text()).is_some() && methods.told(&text()).is_none());
        let mut restored = Methods::new(methods.broken.values().cloned().collect());
        assert!(restored.untold().is_empty() && restored.learn(&old, &Changes::default()).is_empty());
        let new = config(2, &CONFIG.replace("+8613800138000", "+8613800138001"));
        assert_eq!(restored.learn(&new, &Changes::default()), [(text(), None)]);
        assert!(restored.untold().is_empty() && restored.learn(&new, &Changes::default()).is_empty());
    }

    #[test]
    fn what_is_taken_mends_it() {
        let (config, now) = (config(1, CONFIG), Timestamp::from_ms(7));
        let mut methods = Methods::default();
        let failure = refused();
        methods.hear(&config, text(), ContactKind::Sms, Heard::Failed(&failure), now);
        assert_eq!(methods.untold().len(), 1);
        let learned = methods.hear(&config, text(), ContactKind::Sms, Heard::Taken, now);
        assert_eq!(learned, Some((text(), None)));
        assert!(methods.hear(&config, text(), ContactKind::Sms, Heard::Taken, now).is_none());
    }
}
