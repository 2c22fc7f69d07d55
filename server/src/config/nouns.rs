//! One configured thing out of a document, as text that everybody may read.

use super::secrets::KEPT;
use engine::compile::FALLBACK;
use serde::Serialize;
use shared::{
    NounKind,
    config::{Contact, Document, Hook, Person, Policy, Route},
};

/// A thing of a document: what people call it, and its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NounText {
    pub name: String,
    pub toml: String,
}

/// The thing of this kind and id; none when the document has none. Secrets and people's addresses are left out.
#[must_use]
pub fn noun(document: &Document, kind: NounKind, id: &str) -> Option<NounText> {
    match kind {
        NounKind::Policy if id == FALLBACK => {
            let written = document.fallback.iter().map(|target| format!("\"{target}\""));
            let toml = format!("fallback = [{}]\n", written.collect::<Vec<_>>().join(", "));
            Some(NounText { name: String::new(), toml })
        }
        NounKind::Policy => policy(document, id).map(|it| text(&it.name, it)),
        NounKind::Route => route(document, id).map(|it| text("", &it)),
        NounKind::Schedule => document.schedules.iter().find(|it| it.id.as_str() == id).map(|it| text(&it.name, it)),
        NounKind::Team => document.teams.iter().find(|it| it.id.as_str() == id).map(|it| text(&it.name, it)),
        NounKind::Person => {
            document.people.iter().find(|it| it.id.as_str() == id).map(|it| text(&it.name, &without_addresses(it)))
        }
        NounKind::Contact => {
            let (person, contact) = id.split_once(':')?;
            let person = document.people.iter().find(|it| it.id.as_str() == person)?;
            let contact = person.contacts.iter().find(|it| it.id.as_str() == contact)?;
            Some(text(&format!("{} ({})", contact.id, person.name), &without_address(contact)))
        }
        NounKind::Webhook => document.webhooks.iter().find(|it| it.id.as_str() == id).map(|it| {
            let secret = it.secret.as_ref().map(|_| KEPT.to_owned());
            text("", &Hook { id: it.id.clone(), kind: it.kind, url: KEPT.to_owned(), secret })
        }),
        NounKind::Integration => document.integrations.iter().find(|it| it.id.as_str() == id).map(|it| text("", it)),
        NounKind::TimeWindow => document.time_windows.iter().find(|it| it.id.as_str() == id).map(|it| text("", it)),
        NounKind::Inhibition => document.inhibitions.iter().find(|it| it.id.as_str() == id).map(|it| text("", it)),
        NounKind::Heartbeat => document.heartbeats.iter().find(|it| it.id.as_str() == id).map(|it| text("", it)),
        NounKind::Version | NounKind::Silence | NounKind::Incident | NounKind::Mirror => None,
    }
}

/// The policy of this id.
#[must_use]
pub fn policy<'a>(document: &'a Document, id: &str) -> Option<&'a Policy> {
    document.policies.iter().find(|it| it.id.as_str() == id)
}

/// The route of this id, without those below it.
#[must_use]
pub fn route(document: &Document, id: &str) -> Option<Route> {
    fn find<'a>(routes: &'a [Route], id: &str) -> Option<&'a Route> {
        routes.iter().find_map(|route| if route.id.as_str() == id { Some(route) } else { find(&route.routes, id) })
    }
    find(&document.routes, id).map(|route| Route { routes: Vec::new(), ..route.clone() })
}

fn text(name: &str, thing: &impl Serialize) -> NounText {
    // What was read from a document has a form in TOML.
    NounText { name: name.to_owned(), toml: toml::to_string(thing).unwrap_or_default() }
}

/// How somebody is reached, but not where.
fn without_addresses(person: &Person) -> Person {
    Person { contacts: person.contacts.iter().map(without_address).collect(), ..person.clone() }
}

fn without_address(contact: &Contact) -> Contact {
    let mut hidden = Contact { id: contact.id.clone(), ..Contact::default() };
    if let Some((kind, _)) = contact.address() {
        hidden.set(kind, KEPT.to_owned());
    }
    hidden.secret = contact.secret.as_ref().map(|_| KEPT.to_owned());
    hidden
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"
        fallback = ["person:li"]
        people = [{ id = "li", name = "Li", contacts = [{ id = "m", email = "li@x.org" }],
                    rules = [{ severity = ["P0"], notify = [{ contact = "m" }] }] }]
        webhooks = [{ id = "noc", url = "https://noc.example/secret-path" }]
        policies = [{ id = "p", name = "Nights", levels = [{ notify = ["person:li"], delay = "5m" }] }]
        routes = [{ id = "top", routes = [{ id = "below", match = ["host=a"], policy = "p" }] }]
    "#;

    #[test]
    fn each_thing_is_found_and_says_what_everybody_may_know() {
        let document: Document = toml::from_str(TEXT).unwrap();
        let found = |kind, id| noun(&document, kind, id);
        assert_eq!(found(NounKind::Policy, "p").unwrap().name, "Nights");
        assert_eq!(found(NounKind::Policy, "fallback").unwrap().toml, "fallback = [\"person:li\"]\n");
        assert!(found(NounKind::Route, "below").unwrap().toml.contains("host=a"));
        assert!(!found(NounKind::Route, "top").unwrap().toml.contains("below"), "only the route itself");
        let li = found(NounKind::Person, "li").unwrap().toml;
        assert!(li.contains("email = \"********\"") && li.contains("P0") && !li.contains("x.org"), "{li}");
        let mail = found(NounKind::Contact, "li:m").unwrap();
        assert_eq!((mail.name.as_str(), mail.toml.as_str()), ("m (Li)", "id = \"m\"\nemail = \"********\"\n"));
        assert_eq!((found(NounKind::Contact, "li:other"), found(NounKind::Contact, "m")), (None, None));
        assert!(!found(NounKind::Webhook, "noc").unwrap().toml.contains("secret-path"));
        assert_eq!(found(NounKind::Team, "nobody"), None);
    }
}
