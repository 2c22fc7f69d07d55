//! Whether anything of what somebody has would reach them, judged by what is saved. Without a browser.

use shared::{ContactId, Delay};
use shared::{
    api::{DeviceRow, Doubt},
    config::{ContactKind, Person, Rule, RuleStep},
};

/// What stands between a person and their pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    Fine,
    /// Neither a device nor a contact.
    Nothing,
    /// Contacts, and no rule that uses one of them.
    Unused,
    /// The rules use devices alone, and there is none that lives.
    NoDevice,
    /// The rules use devices alone, and every one is doubtful.
    Doubtful,
}

/// Judges the contacts that rules use, all of them when there are no rules.
pub(super) fn reach(person: &Person, devices: &[DeviceRow]) -> Reach {
    let used = |id: &ContactId| {
        person.rules.is_empty() || person.rules.iter().flat_map(|rule| &rule.notify).any(|step| step.contact == *id)
    };
    let kinds: Vec<ContactKind> =
        person.contacts.iter().filter(|it| used(&it.id)).filter_map(|it| Some(it.address()?.0)).collect();
    let living = || devices.iter().filter(|device| device.dead_at.is_none());
    if person.contacts.is_empty() && living().next().is_none() {
        return Reach::Nothing;
    }
    if kinds.is_empty() {
        return Reach::Unused;
    }
    if kinds.iter().any(|kind| *kind != ContactKind::Push) {
        return Reach::Fine;
    }
    match living().next() {
        None => Reach::NoDevice,
        Some(_) if living().all(|device| device.doubt.is_some()) => Reach::Doubtful,
        Some(_) => Reach::Fine,
    }
}

/// Whether pages are pushed to devices at all.
pub(super) fn uses_push(person: &Person) -> bool {
    let push: Vec<&ContactId> = person.contacts.iter().filter(|it| it.push.is_some()).map(|it| &it.id).collect();
    let mut steps = person.rules.iter().flat_map(|rule| &rule.notify);
    !push.is_empty() && (person.rules.is_empty() || steps.any(|step| push.contains(&&step.contact)))
}

/// The same person with every page pushed at once, before anything else.
pub(super) fn with_push(mut person: Person, contact: ContactId) -> Person {
    let known = person.contacts.iter().find(|it| it.push.is_some()).map(|it| it.id.clone());
    let id = known.unwrap_or_else(|| {
        let mut new = shared::config::Contact { id: contact.clone(), ..shared::config::Contact::default() };
        new.set(ContactKind::Push, "all".to_owned());
        person.contacts.push(new);
        contact
    });
    let first = |rule: &mut Rule| rule.notify.insert(0, RuleStep { contact: id.clone(), after: Delay::ZERO });
    person.rules.iter_mut().filter(|rule| rule.notify.iter().all(|step| step.contact != id)).for_each(first);
    person
}

/// Those among the devices that may not show the next page.
pub(in crate::pages) fn doubtful(devices: &[DeviceRow]) -> Vec<(String, Doubt)> {
    devices.iter().filter_map(|device| Some((device.label.clone(), device.doubt?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn person(contacts: serde_json::Value, rules: serde_json::Value) -> Person {
        serde_json::from_value(json!({"id": "li", "name": "Li", "contacts": contacts, "rules": rules})).unwrap()
    }

    fn device(doubt: serde_json::Value) -> DeviceRow {
        let dead = (doubt["kind"] == "dead").then_some(5);
        serde_json::from_value(json!({
            "id": 1, "label": "Pixel", "service": "x", "user_agent": "", "language": "en", "created_at": 1, "seen_at": 1,
            "failures": 0, "private": false, "doubt": doubt, "dead_at": dead
        }))
        .unwrap()
    }

    #[test]
    fn who_has_nothing_that_is_used_cannot_be_reached() {
        let (none, fine) = (json!([]), device(json!(null)));
        let push = || json!([{"id": "web", "push": "all"}]);
        let of = |contacts, rules, devices: &[DeviceRow]| reach(&person(contacts, rules), devices);
        assert_eq!(of(none.clone(), none.clone(), &[]), Reach::Nothing);
        assert_eq!(of(none.clone(), none.clone(), &[fine.clone()]), Reach::Unused);
        assert_eq!(of(push(), none.clone(), &[]), Reach::NoDevice);
        assert_eq!(of(push(), none.clone(), &[device(json!({"kind": "dead"}))]), Reach::NoDevice);
        assert_eq!(of(push(), none.clone(), &[fine.clone()]), Reach::Fine);
        let silent = device(json!({"kind": "silent", "days": 20}));
        assert_eq!(of(push(), none.clone(), std::slice::from_ref(&silent)), Reach::Doubtful);
        assert_eq!(of(push(), none.clone(), &[silent, fine.clone()]), Reach::Fine);
        let rules = json!([{"notify": [{"contact": "gone"}]}]);
        assert_eq!(of(push(), rules, &[fine]), Reach::Unused);
        assert_eq!(of(json!([{"id": "c", "voice": "+491"}]), none, &[]), Reach::Fine);
    }

    #[test]
    fn pushing_every_page_comes_first_in_every_rule_and_is_said_once() {
        let before = person(json!([{"id": "c", "voice": "+491"}]), json!([{"notify": [{"contact": "c"}]}]));
        assert!(!uses_push(&before));
        let after = with_push(before, "push".into());
        let steps: Vec<&str> = after.rules[0].notify.iter().map(|step| step.contact.as_str()).collect();
        assert_eq!((uses_push(&after), steps), (true, vec!["push", "c"]));
        assert_eq!(with_push(after.clone(), "push".into()), after);
    }
}
