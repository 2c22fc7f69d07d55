//! The own person while it is being changed: typing redraws nothing, adding and removing redraws the form.

use leptos::prelude::*;
use shared::config::{Contact, ContactKind, Person};

#[derive(Clone, Copy)]
pub(super) struct Draft {
    person: StoredValue<Person>,
    /// Rises when parts of the form came or went.
    pub(super) shape: RwSignal<u32>,
    /// Rises with every change.
    pub(super) edits: RwSignal<u32>,
}

impl Draft {
    pub(super) fn new(person: Person) -> Self {
        Self { person: StoredValue::new(person), shape: RwSignal::new(0), edits: RwSignal::new(0) }
    }

    pub(super) fn get(self) -> Person {
        self.person.get_value()
    }

    pub(super) fn with<T>(self, read: impl FnOnce(&Person) -> T) -> T {
        self.person.with_value(read)
    }

    /// A change of a value.
    pub(super) fn edit(self, change: impl FnOnce(&mut Person)) {
        self.person.update_value(change);
        self.edits.update(|edits| *edits += 1);
    }

    /// A change of what there is.
    pub(super) fn reshape(self, change: impl FnOnce(&mut Person)) {
        self.edit(change);
        self.shape.update(|shape| *shape += 1);
    }

    pub(super) fn saved(self, person: Person) {
        self.person.set_value(person);
        self.edits.set(0);
        self.shape.update(|shape| *shape += 1);
    }
}

/// Makes the contact one of this kind, keeping what was typed.
pub(super) fn set_kind(contact: &mut Contact, kind: ContactKind) {
    let address = contact.address().map(|(_, address)| address.to_owned()).unwrap_or_default();
    set_address(contact, kind, address);
}

pub(super) fn set_address(contact: &mut Contact, kind: ContactKind, address: String) {
    // There is but one set of devices.
    contact.set(kind, if kind == ContactKind::Push { "all".to_owned() } else { address });
}

/// A name no other contact has.
pub(super) fn free_name(contacts: &[Contact]) -> String {
    let taken = |name: &str| contacts.iter().any(|contact| contact.id.as_str() == name);
    (1..)
        .map(|n| if n == 1 { "phone".to_owned() } else { format!("phone{n}") })
        .find(|name| !taken(name))
        .unwrap_or_default()
}

/// A contact's new name also in the rules that use it.
pub(super) fn rename(person: &mut Person, index: usize, name: &str) {
    let Some(contact) = person.contacts.get_mut(index) else { return };
    let old = std::mem::replace(&mut contact.id, name.into());
    let steps = person.rules.iter_mut().flat_map(|rule| &mut rule.notify);
    steps.filter(|step| step.contact == old).for_each(|step| step.contact = name.into());
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::config::{Rule, RuleStep};

    #[test]
    fn a_contact_keeps_exactly_one_address() {
        let mut contact = Contact { id: "a".into(), email: Some("x@y".into()), ..Contact::default() };
        set_kind(&mut contact, ContactKind::Ntfy);
        assert_eq!(contact.address(), Some((ContactKind::Ntfy, "x@y")));
    }

    #[test]
    fn a_new_name_reaches_the_rules() {
        let step = RuleStep { contact: "a".into(), ..RuleStep::default() };
        let mut person = Person {
            contacts: vec![Contact { id: "a".into(), ..Contact::default() }],
            rules: vec![Rule { severity: vec![], notify: vec![step] }],
            ..Person::default()
        };
        rename(&mut person, 0, "b");
        assert_eq!(person.rules[0].notify[0].contact.as_str(), "b");
        assert_eq!(free_name(&[Contact { id: "phone".into(), ..Contact::default() }]), "phone2");
    }
}
