//! Texts that come again and again, each time as a copy of its own, made one: thousands of things repeat a few.

use shared::{Alert, AlertEvent, Incident, Recipient, SharedStr};
use std::collections::BTreeSet;

/// Texts remembered; then all are forgotten, and those that are repeated come again.
const MOST: usize = 4_096;

/// The texts met of late.
#[derive(Clone, Debug, Default)]
pub struct Names(BTreeSet<SharedStr>);

impl Names {
    /// Takes the copy that is known already, or makes one of its own known.
    pub(crate) fn share(&mut self, name: &mut SharedStr) {
        if let Some(known) = self.0.get(name.as_str()) {
            name.clone_from(known);
            return;
        }
        if self.0.len() >= MOST {
            self.0.clear();
        }
        *name = copy(name);
        self.0.insert(name.clone());
    }

    /// The same for what many alerts say alike: a check is called the same on every machine. What only this one says is
    /// copied: it was made between what whoever read the message threw away since, and such memory stays half empty.
    pub(crate) fn share_in(&mut self, event: &mut AlertEvent) {
        self.share(&mut event.summary);
        for text in [&mut event.host, &mut event.ip, &mut event.mac].into_iter().flatten() {
            *text = copy(text);
        }
        event.dedup_key = copy(&event.dedup_key);
        event.content = copy(&event.content);
        for text in [&mut event.service, &mut event.status_raw, &mut event.severity_word].into_iter().flatten() {
            self.share(text);
        }
    }

    /// The same for the names that every incident repeats, and for what it says of the alert that opened it.
    pub(crate) fn share_of(&mut self, incident: &mut Incident, alert: Option<&Alert>) {
        self.share(&mut incident.integration.0);
        incident.team.iter_mut().for_each(|team| self.share(&mut team.0));
        incident.escalations.iter_mut().for_each(|it| self.share(&mut it.policy.0));
        for page in &mut incident.pages {
            self.share(&mut page.policy.0);
            match &mut page.recipient {
                Recipient::Person(id) => self.share(&mut id.0),
                Recipient::Webhook(id) => self.share(&mut id.0),
            }
            page.attempts.iter_mut().for_each(|attempt| self.share(&mut attempt.contact.0));
        }
        let Some(event) = alert.map(|alert| &alert.event) else { return };
        if incident.title == event.summary {
            incident.title.clone_from(&event.summary);
        }
        for (own, of_alert) in [(&mut incident.host, &event.host), (&mut incident.ip, &event.ip)] {
            if own == of_alert {
                own.clone_from(of_alert);
            }
        }
    }
}

fn copy(text: &SharedStr) -> SharedStr {
    text.as_str().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ptr;

    #[test]
    fn a_name_that_is_known_is_held_once() {
        let mut names = Names::default();
        let (mut one, mut other, mut third) = (SharedStr::from("wang"), SharedStr::from("wang"), SharedStr::from("li"));
        assert!(!ptr::eq(one.as_str(), other.as_str()));
        for name in [&mut one, &mut other, &mut third] {
            names.share(name);
        }
        assert!(ptr::eq(one.as_str(), other.as_str()));
        assert_eq!((other, third), ("wang".into(), "li".into()));
    }

    #[test]
    fn texts_that_are_never_repeated_do_not_pile_up() {
        let mut names = Names::default();
        for n in 0..=MOST {
            names.share(&mut n.to_string().into());
        }
        assert_eq!(names.0.len(), 1);
    }
}
