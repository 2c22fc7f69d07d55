//! Rules to begin with: what of a person's contacts is used when, by where they live.
//!
//! Abroad a push comes first, and what rings follows until somebody looks. In mainland China browsers' pushes seldom arrive, so
//! that a call is the first thing for a P0; its second comes when carriers take another one for the same number.

use super::{Contact, ContactKind, Rule, RuleStep};
use crate::{Delay, Severity};

/// Where somebody is reached, which decides by what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleSet {
    International,
    MainlandChina,
}

impl RuleSet {
    /// Both, in the order in which they are offered.
    pub const ALL: [Self; 2] = [Self::International, Self::MainlandChina];

    /// The rules for somebody with these contacts: of each kind the first is used. What they have no contact for is left out,
    /// and the rest moves forward, so that something is always done at once. No rule where nothing is left of it.
    #[must_use]
    pub fn rules(self, contacts: &[Contact]) -> Vec<Rule> {
        let parts: [Part; 3] = match self {
            Self::International => [
                (
                    &[Severity::P0],
                    &[(Of::Push, 0), (Of::Ntfy, 0), (Of::Chat, 0), (Of::Sms, 60), (Of::Voice, 120), (Of::Voice, 300)],
                ),
                (&[Severity::P1], &[(Of::Push, 0), (Of::Ntfy, 0), (Of::Chat, 0), (Of::Sms, 120), (Of::Voice, 300)]),
                (&CALM, &[(Of::Push, 0), (Of::Ntfy, 0), (Of::Chat, 0), (Of::Email, 300)]),
            ],
            Self::MainlandChina => [
                (
                    &[Severity::P0],
                    &[(Of::Voice, 0), (Of::Chat, 0), (Of::Sms, 0), (Of::Push, 0), (Of::Ntfy, 0), (Of::Voice, 90)],
                ),
                (&[Severity::P1], &[(Of::Chat, 0), (Of::Sms, 0), (Of::Push, 0), (Of::Ntfy, 0), (Of::Voice, 120)]),
                (&CALM, &[(Of::Chat, 0), (Of::Push, 0), (Of::Ntfy, 0), (Of::Email, 300)]),
            ],
        };
        parts.into_iter().filter_map(|(severity, steps)| rule(severity, steps, contacts)).collect()
    }
}

/// For some severities: of what, after how many seconds.
type Part = (&'static [Severity], &'static [(Of, i64)]);

/// All the rest: a level without a rule would reach nobody, and that counts as a defect of the pager.
const CALM: [Severity; 5] = [Severity::P2, Severity::P3, Severity::P4, Severity::P5, Severity::P6];

/// What a step wants of somebody's contacts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    Push,
    Ntfy,
    Chat,
    Sms,
    Voice,
    Email,
}

impl Of {
    fn is(self, kind: ContactKind) -> bool {
        match self {
            Self::Push => kind == ContactKind::Push,
            Self::Ntfy => kind == ContactKind::Ntfy,
            Self::Chat => kind.is_chat(),
            Self::Sms => kind == ContactKind::Sms,
            Self::Voice => kind == ContactKind::Voice,
            Self::Email => kind == ContactKind::Email,
        }
    }
}

fn rule(severity: &[Severity], steps: &[(Of, i64)], contacts: &[Contact]) -> Option<Rule> {
    let found = |of: Of| contacts.iter().find(|contact| contact.address().is_some_and(|(kind, _)| of.is(kind)));
    let mut notify: Vec<RuleStep> = steps
        .iter()
        .filter_map(|(of, seconds)| Some(RuleStep { contact: found(*of)?.id.clone(), after: Delay::secs(*seconds) }))
        .collect();
    if notify.is_empty() {
        // Whoever has nothing of this at all is reached by whatever they have.
        notify.extend(contacts.iter().map(|contact| RuleStep { contact: contact.id.clone(), after: Delay::ZERO }));
    }
    let first = notify.iter().map(|step| step.after).min()?;
    notify.iter_mut().for_each(|step| step.after = Delay(step.after.0 - first.0));
    Some(Rule { severity: severity.to_vec(), notify })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contacts(kinds: &[(ContactKind, &str)]) -> Vec<Contact> {
        let contact = |(kind, id): &(ContactKind, &str)| {
            let mut contact = Contact { id: (*id).into(), ..Contact::default() };
            contact.set(*kind, "x".to_owned());
            contact
        };
        kinds.iter().map(contact).collect()
    }

    fn told(rules: &[Rule], severity: Severity) -> String {
        let rule = rules.iter().find(|rule| rule.severity.contains(&severity)).unwrap();
        rule.notify.iter().map(|it| format!("{} {}", it.contact, it.after.0 / 1_000)).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn abroad_a_push_comes_first_and_calls_follow() {
        use ContactKind::{Email, Push, Sms, Voice};
        let all = contacts(&[(Email, "mail"), (Voice, "call"), (Sms, "text"), (Push, "phone"), (Sms, "other")]);
        let rules = RuleSet::International.rules(&all);
        assert_eq!(told(&rules, Severity::P0), "phone 0, text 60, call 120, call 300");
        assert_eq!(told(&rules, Severity::P1), "phone 0, text 120, call 300");
        assert_eq!(told(&rules, Severity::P3), "phone 0, mail 300");
    }

    #[test]
    fn in_china_a_p0_rings_at_once_and_again_when_the_carrier_takes_another_call() {
        use ContactKind::{DingTalk, Push, Sms, Voice};
        let all = contacts(&[(DingTalk, "ding"), (Voice, "call"), (Sms, "text"), (Push, "phone")]);
        let rules = RuleSet::MainlandChina.rules(&all);
        assert_eq!(told(&rules, Severity::P0), "call 0, ding 0, text 0, phone 0, call 90");
        assert_eq!(told(&rules, Severity::P1), "ding 0, text 0, phone 0, call 120");
        let calls =
            rules[0].notify.iter().filter(|it| it.contact.as_str() == "call").map(|it| it.after).collect::<Vec<_>>();
        assert!(calls[1].0 - calls[0].0 >= 60_000, "the same number is called at most once a minute");
    }

    #[test]
    fn something_is_always_done_at_once() {
        use ContactKind::{Email, Voice, Webhook};
        for set in RuleSet::ALL {
            let rules = set.rules(&contacts(&[(Voice, "call")]));
            for severity in [Severity::P0, Severity::P1, Severity::P2] {
                assert!(told(&rules, severity).starts_with("call 0"), "{set:?} {severity}");
            }
            assert_eq!(told(&set.rules(&contacts(&[(Email, "mail")])), Severity::P4), "mail 0");
            assert_eq!(told(&set.rules(&contacts(&[(Webhook, "bot")])), Severity::P0), "bot 0");
            assert!(set.rules(&[]).is_empty());
        }
    }
}
