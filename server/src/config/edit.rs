//! Changes one entry of a document's text and leaves the comments around it alone.

use super::parse::{parse, to_toml};
use shared::{
    Delay, HeartbeatId, Severity, SourceId,
    config::{Document, Person},
};
use toml_edit::{ArrayOfTables, DocumentMut, Item, Table};

/// Why the stored text was not changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    #[error("the stored configuration cannot be read: {0}")]
    Unreadable(String),
    #[error("there is no such person in the configuration")]
    NoSuchPerson,
    #[error("there is no such schedule in the configuration")]
    NoSuchSchedule,
}

/// The text with one person replaced by `person`, found by id.
///
/// # Errors
/// When the text is no document, or has no such person.
pub fn replace_person(text: &str, person: &Person) -> Result<String, EditError> {
    let mut wanted: Document = parse(text).map_err(|finding| EditError::Unreadable(finding.message))?;
    let entry = wanted.people.iter_mut().find(|it| it.id == person.id).ok_or(EditError::NoSuchPerson)?;
    if entry == person {
        return Ok(text.to_owned());
    }
    entry.clone_from(person);
    // A text that would mean something else is not used; losing comments is the smaller evil.
    let edited = in_place(text, person).filter(|edited| parse(edited).is_ok_and(|document| document == wanted));
    Ok(edited.unwrap_or_else(|| to_toml(&wanted)))
}

/// The text with one heartbeat more, at its end.
///
/// # Errors
/// When the text is no document.
pub fn add_heartbeat(
    text: &str,
    id: &HeartbeatId,
    name: &str,
    interval: Delay,
    grace: Delay,
    severity: Severity,
) -> Result<String, EditError> {
    let text_of = |value: &str| toml_edit::Value::from(value).to_string();
    let entry = format!(
        "[[heartbeats]]\nid = {}\nname = {}\ninterval = \"{interval}\"\ngrace = \"{grace}\"\nseverity = \"{severity}\"\n",
        text_of(id.as_str()),
        text_of(name)
    );
    at_its_end(text, &entry, |wanted, added| wanted.heartbeats.extend(added.heartbeats))
}

/// The text with a source of agents more, at its end.
///
/// # Errors
/// When the text is no document.
pub fn add_agents(text: &str, id: &SourceId) -> Result<String, EditError> {
    let entry = format!("[[sources]]\nid = {}\nkind = \"agents\"\n", toml_edit::Value::from(id.as_str()));
    at_its_end(text, &entry, |wanted, added| wanted.sources.extend(added.sources))
}

/// The text with an entry more. One that would mean something else is not used; losing comments is the smaller evil.
fn at_its_end(text: &str, entry: &str, extend: impl Fn(&mut Document, Document)) -> Result<String, EditError> {
    let read = |text: &str| parse(text).map_err(|finding| EditError::Unreadable(finding.message));
    let mut wanted: Document = read(text)?;
    extend(&mut wanted, read(entry)?);
    let gap = if text.is_empty() || text.ends_with('\n') { "\n" } else { "\n\n" };
    let edited = Some(format!("{text}{gap}{entry}")).filter(|it| parse(it).is_ok_and(|document| document == wanted));
    Ok(edited.unwrap_or_else(|| to_toml(&wanted)))
}

fn in_place(text: &str, person: &Person) -> Option<String> {
    let mut document: DocumentMut = text.parse().ok()?;
    let people: &mut ArrayOfTables = document.get_mut("people")?.as_array_of_tables_mut()?;
    let entry = people.iter_mut().find(|it| it.get("id").and_then(Item::as_str) == Some(person.id.as_str()))?;
    let written = toml_edit::ser::to_document(person).ok()?;
    let mut fresh: Table = written.as_table().clone();
    unplaced(&mut fresh);
    *fresh.decor_mut() = entry.decor().clone();
    fresh.set_position(entry.position());
    *entry = fresh;
    Some(document.to_string())
}

/// Nested tables without a place of their own follow the one they belong to.
pub(super) fn unplaced(table: &mut Table) {
    table.set_position(None);
    table.set_implicit(false);
    for (_, item) in table.iter_mut() {
        match item {
            Item::Table(inner) => unplaced(inner),
            Item::ArrayOfTables(tables) => tables.iter_mut().for_each(unplaced),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::config::{Contact, Language, Rule, RuleStep};

    const TEXT: &str = r#"# who there is
[[people]]
id = "li"
name = "Li"
[[people.contacts]]
id = "mail"
email = "li@example.org"

# the new one
[[people]]
id = "wang"
name = "Wang"

[[teams]] # all of us
id = "all"
name = "All"
members = ["li", "wang"]
"#;

    #[test]
    fn only_the_person_changes() {
        let mut person = parse(TEXT).unwrap().people.remove(0);
        person.language = Language::Zh;
        person.contacts.push(Contact { id: "phone".into(), ntfy: Some("li-topic".to_owned()), ..Contact::default() });
        person.rules.push(Rule {
            severity: vec![shared::Severity::P0],
            notify: vec![RuleStep { contact: "phone".into(), after: shared::Delay::mins(5) }],
        });
        let edited = replace_person(TEXT, &person).unwrap();
        for comment in ["# who there is", "# the new one", "# all of us"] {
            assert!(edited.contains(comment), "{edited}");
        }
        let document = parse(&edited).unwrap();
        assert_eq!(document.people[0], person);
        assert_eq!(document.people[1], parse(TEXT).unwrap().people[1]);
        assert_eq!(replace_person(&edited, &person).unwrap(), edited);
    }

    #[test]
    fn an_inline_list_is_written_anew() {
        let text = "people = [{ id = \"li\", name = \"Li\" }]\n";
        let person = Person { id: "li".into(), name: "李".to_owned(), ..Person::default() };
        let edited = replace_person(text, &person).unwrap();
        assert_eq!(parse(&edited).unwrap().people, std::slice::from_ref(&person));
        let stranger = Person { id: "nobody".into(), ..person };
        assert_eq!(replace_person(text, &stranger), Err(EditError::NoSuchPerson));
    }
}
