//! Secrets of a document are shown as `********`, and whoever puts that back keeps what is stored.

use super::parse::{fault, parse, to_toml};
use shared::config::{Channels, Document, Finding, Person};
use toml_edit::{DocumentMut, Item, TableLike, Value};

/// What stands for a secret that is not shown.
pub const KEPT: &str = "********";

/// Where a secret stands, by the names of what it belongs to.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place<'a> {
    /// By the channel and the key.
    Channel(&'static str, &'static str),
    /// A gateway's token.
    Gateway(&'a str),
    Contact {
        person: &'a str,
        contact: &'a str,
    },
    Hook(&'a str),
    Source(&'a str),
    Backend(&'a str),
    /// By its address.
    Scrape(&'a str),
    /// What a sender of the forward protocol has to know.
    Forward(&'a str),
    /// What a sender signs with, by the key.
    Signature(&'a str, &'static str),
}

/// The keys of a sender's secrets.
const SIGNATURE: [&str; 2] = ["secret", "next_secret"];

impl Place<'_> {
    pub(super) fn path(self) -> String {
        match self {
            Self::Channel(channel, key) => format!("channels.{channel}.{key}"),
            Self::Gateway(id) => format!("channels.gateways[{id}].token"),
            Self::Contact { person, contact } => format!("people[{person}].contacts[{contact}].secret"),
            Self::Hook(id) => format!("webhooks[{id}].secret"),
            Self::Source(id) => format!("sources[{id}].password"),
            Self::Backend(id) => format!("mirrors.backends[{id}].password"),
            Self::Scrape(address) => format!("hosts.scrapes[{address}].password"),
            Self::Forward(id) => format!("integrations[{id}].forward.shared_key"),
            Self::Signature(id, key) => format!("integrations[{id}].signature.{key}"),
        }
    }

    fn find(self, document: &Document) -> Option<&str> {
        match self {
            Self::Channel(channel, key) => document.channels.secret(channel, key),
            Self::Gateway(id) => document.channels.gateways.iter().find(|it| it.id == id)?.token.as_deref(),
            Self::Contact { person, contact } => {
                let person = document.people.iter().find(|it| it.id.as_str() == person)?;
                person.contacts.iter().find(|it| it.id.as_str() == contact)?.secret.as_deref()
            }
            Self::Hook(id) => document.webhooks.iter().find(|it| it.id.as_str() == id)?.secret.as_deref(),
            Self::Source(id) => document.sources.iter().find(|it| it.id.as_str() == id)?.password.as_deref(),
            Self::Backend(id) => document.mirrors.backends.iter().find(|it| it.id.as_str() == id)?.password.as_deref(),
            Self::Scrape(address) => {
                document.hosts.scrapes.iter().find(|it| it.address == address)?.password.as_deref()
            }
            Self::Forward(id) => {
                let integration = document.integrations.iter().find(|it| it.id.as_str() == id)?;
                integration.forward.as_ref()?.shared_key.as_deref()
            }
            Self::Signature(id, key) => {
                let integration = document.integrations.iter().find(|it| it.id.as_str() == id)?;
                let signature = integration.signature.as_ref()?;
                if key == "secret" { Some(&signature.secret) } else { signature.next_secret.as_deref() }
            }
        }
    }
}

/// The text with every secret replaced; comments and order stay.
#[must_use]
pub fn hide(text: &str) -> String {
    match text.parse::<DocumentMut>() {
        Ok(mut document) => {
            each_secret(&mut document, &mut |_, secret| put(secret, KEPT));
            document.to_string()
        }
        // Stored text always parses; if it does not, nothing of it is shown as it is.
        Err(_) => parse(text).map(|document| to_toml(&without_secrets(document))).unwrap_or_default(),
    }
}

/// The text with every `********` replaced by the secret that is stored in its place.
///
/// # Errors
/// Where nothing is stored.
pub fn restore(text: &str, stored: &Document) -> Result<String, Vec<Finding>> {
    // What is no TOML gets its own, better finding.
    let Ok(mut document) = text.parse::<DocumentMut>() else { return Ok(text.to_owned()) };
    let (mut findings, mut restored) = (Vec::new(), false);
    each_secret(&mut document, &mut |place, secret| {
        if secret.as_str() != Some(KEPT) {
            return;
        }
        match place.find(stored) {
            Some(known) => {
                restored = true;
                put(secret, known);
            }
            None => findings.push(fault(
                place.path(),
                "`********` keeps a stored secret, and none is stored here; write the secret out",
            )),
        }
    });
    match (findings.is_empty(), restored) {
        (true, true) => Ok(document.to_string()),
        (true, false) => Ok(text.to_owned()),
        (false, _) => Err(findings),
    }
}

/// The same for one person.
///
/// # Errors
/// Where nothing is stored.
pub fn restore_person(mut person: Person, stored: Option<&Person>) -> Result<Person, Vec<Finding>> {
    let mut findings = Vec::new();
    for contact in person.contacts.iter_mut().filter(|it| it.secret.as_deref() == Some(KEPT)) {
        let known = stored.and_then(|stored| stored.contacts.iter().find(|it| it.id == contact.id));
        match known.and_then(|known| known.secret.clone()) {
            Some(secret) => contact.secret = Some(secret),
            None => findings.push(fault(
                format!("contacts[{}].secret", contact.id),
                "`********` keeps a stored secret, and none is stored here; write the secret out",
            )),
        }
    }
    if findings.is_empty() { Ok(person) } else { Err(findings) }
}

/// A document whose secrets may be shown.
#[must_use]
pub fn without_secrets(mut document: Document) -> Document {
    let hidden = |secret: &mut Option<String>| {
        if let Some(secret) = secret {
            KEPT.clone_into(secret);
        }
    };
    document.channels.each_secret(|secret| KEPT.clone_into(secret));
    document.channels.gateways.iter_mut().for_each(|it| hidden(&mut it.token));
    document.people.iter_mut().flat_map(|it| &mut it.contacts).for_each(|it| hidden(&mut it.secret));
    document.webhooks.iter_mut().for_each(|it| hidden(&mut it.secret));
    document.sources.iter_mut().for_each(|it| hidden(&mut it.password));
    document.mirrors.backends.iter_mut().for_each(|it| hidden(&mut it.password));
    document.hosts.scrapes.iter_mut().for_each(|it| hidden(&mut it.password));
    for signature in document.integrations.iter_mut().filter_map(|it| it.signature.as_mut()) {
        KEPT.clone_into(&mut signature.secret);
        hidden(&mut signature.next_secret);
    }
    let forward = document.integrations.iter_mut().filter_map(|it| it.forward.as_mut());
    forward.for_each(|it| hidden(&mut it.shared_key));
    document
}

fn put(secret: &mut Value, text: &str) {
    replace(secret, Value::from(text));
}

/// Another value in the same place, with the blanks and comments around it.
pub(super) fn replace(value: &mut Value, new: Value) {
    let decor = std::mem::replace(value, new).decor().clone();
    *value.decor_mut() = decor;
}

pub(super) type Visit<'a> = dyn FnMut(Place<'_>, &mut Value) + 'a;

pub(super) fn each_secret(document: &mut DocumentMut, visit: &mut Visit<'_>) {
    if let Some(channels) = document.get_mut("channels").and_then(Item::as_table_like_mut) {
        for (name, key) in Channels::SECRETS {
            if let Some(channel) = channels.get_mut(name).and_then(Item::as_table_like_mut) {
                secret_of(channel, key, Place::Channel(name, key), visit);
            }
        }
        if let Some(gateways) = channels.get_mut("gateways") {
            each_table(gateways, &mut |gateway| {
                let id = id_of(gateway);
                secret_of(gateway, "token", Place::Gateway(&id), visit);
            });
        }
    }
    if let Some(people) = document.get_mut("people") {
        each_table(people, &mut |person| {
            let id = id_of(person);
            let Some(contacts) = person.get_mut("contacts") else { return };
            each_table(contacts, &mut |contact| {
                let contact_id = id_of(contact);
                secret_of(contact, "secret", Place::Contact { person: &id, contact: &contact_id }, visit);
            });
        });
    }
    if let Some(hooks) = document.get_mut("webhooks") {
        each_table(hooks, &mut |hook| {
            let id = id_of(hook);
            secret_of(hook, "secret", Place::Hook(&id), visit);
        });
    }
    if let Some(sources) = document.get_mut("sources") {
        each_table(sources, &mut |source| {
            let id = id_of(source);
            secret_of(source, "password", Place::Source(&id), visit);
        });
    }
    let mirrors = document.get_mut("mirrors").and_then(Item::as_table_like_mut);
    if let Some(backends) = mirrors.and_then(|mirrors| mirrors.get_mut("backends")) {
        each_table(backends, &mut |backend| {
            let id = id_of(backend);
            secret_of(backend, "password", Place::Backend(&id), visit);
        });
    }
    let hosts = document.get_mut("hosts").and_then(Item::as_table_like_mut);
    if let Some(scrapes) = hosts.and_then(|hosts| hosts.get_mut("scrapes")) {
        each_table(scrapes, &mut |scrape| {
            let address = scrape.get("address").and_then(Item::as_str).unwrap_or_default().to_owned();
            secret_of(scrape, "password", Place::Scrape(&address), visit);
        });
    }
    if let Some(integrations) = document.get_mut("integrations") {
        each_table(integrations, &mut |integration| {
            let id = id_of(integration);
            if let Some(forward) = integration.get_mut("forward").and_then(Item::as_table_like_mut) {
                secret_of(forward, "shared_key", Place::Forward(&id), visit);
            }
            let Some(signature) = integration.get_mut("signature").and_then(Item::as_table_like_mut) else { return };
            for key in SIGNATURE {
                secret_of(signature, key, Place::Signature(&id, key), visit);
            }
        });
    }
}

fn secret_of(table: &mut dyn TableLike, key: &str, place: Place<'_>, visit: &mut Visit<'_>) {
    if let Some(secret) = table.get_mut(key).and_then(Item::as_value_mut) {
        visit(place, secret);
    }
}

pub(super) fn id_of(table: &dyn TableLike) -> String {
    table.get("id").and_then(Item::as_str).unwrap_or_default().to_owned()
}

/// A list of tables may be written as `[[people]]` or as `people = [{…}]`.
pub(super) fn each_table(item: &mut Item, visit: &mut dyn FnMut(&mut dyn TableLike)) {
    match item {
        Item::ArrayOfTables(tables) => tables.iter_mut().for_each(|table| visit(table)),
        Item::Value(Value::Array(values)) => {
            values.iter_mut().filter_map(Value::as_inline_table_mut).for_each(|table| visit(table));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"# our mail server
[channels.email]
host = "mail"
from = "a@b"
password = "geheim-1" # rotated yearly
[channels.ntfy]
server = "https://ntfy"
token = "geheim-2"

[[people]]
id = "li"
name = "Li"
contacts = [{ id = "hook", webhook = "https://x", secret = "geheim-3" }]

[[people]]
id = "wang"
name = "Wang"
[[people.contacts]]
id = "hook"
webhook = "https://y"
secret = "geheim-4"

[[webhooks]]
id = "noc"
url = "https://z"
secret = "geheim-5"

[[sources]]
id = "vc"
kind = "file"
address = "/srv/machines.csv"
password = "geheim-6"

[[mirrors.backends]]
id = "vc"
kind = "vsphere"
address = "https://vc"
password = "geheim-7"

[[hosts.scrapes]]
address = "https://web01:9100/metrics"
username = "reader"
password = "geheim-8"

[[integrations]]
id = "hub"
signature = { kind = "github", secret = "geheim-9" }

[[integrations]]
id = "graf"
[integrations.signature]
kind = "grafana"
secret = "geheim-10" # since May
next_secret = "geheim-11"
"#;

    #[test]
    fn what_is_hidden_comes_back_unchanged() {
        let hidden = hide(TEXT);
        assert!(!hidden.contains("geheim") && hidden.matches(KEPT).count() == 11, "{hidden}");
        assert!(hidden.contains("# our mail server") && hidden.contains("# rotated yearly"));
        assert_eq!(restore(&hidden, &parse(TEXT).unwrap()).unwrap(), TEXT);
        let shown = toml::to_string(&without_secrets(parse(TEXT).unwrap())).unwrap();
        assert!(!shown.contains("geheim"), "{shown}");
    }

    #[test]
    fn a_hidden_secret_that_is_not_stored_is_refused() {
        let renamed = hide(TEXT).replace("id = \"noc\"", "id = \"other\"");
        let findings = restore(&renamed, &parse(TEXT).unwrap()).unwrap_err();
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].path, "webhooks[other].secret");
    }

    #[test]
    fn a_person_keeps_their_secret() {
        let stored = parse(TEXT).unwrap().people.remove(0);
        let mut shown = stored.clone();
        shown.contacts[0].secret = Some(KEPT.to_owned());
        assert_eq!(restore_person(shown.clone(), Some(&stored)).unwrap(), stored);
        assert!(restore_person(shown, None).is_err());
    }
}
