//! Texts that are read back from a store, each a copy of its own, made one again: thousands of things repeat a few.

use shared::{Alert, Incident, Recipient, SharedStr};
use std::collections::BTreeSet;

/// The names met so far.
#[derive(Debug, Default)]
pub(crate) struct Names(BTreeSet<SharedStr>);

impl Names {
    /// Takes the copy that is known already, if there is one.
    pub(crate) fn share(&mut self, name: &mut SharedStr) {
        match self.0.get(name.as_str()) {
            Some(known) => name.clone_from(known),
            None => drop(self.0.insert(name.clone())),
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
}
