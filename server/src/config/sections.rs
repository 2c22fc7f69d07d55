//! Replaces whole sections of a document's text; what is not changed in them keeps its comments, and so does the rest.

use super::{
    edit::{EditError, unplaced},
    parse::{parse, to_toml},
    secrets::restore,
};
use serde::Serialize;
use shared::{
    api::ConfigDraft,
    config::{Document, Finding, Integration},
};
use toml_edit::{ArrayOfTables, DocumentMut, Item, Table};

/// The text a draft stands for: its own, or the stored one with its sections in it.
///
/// # Errors
/// Where it cannot be read, or keeps a secret that is not stored.
pub fn draft_text(draft: &ConfigDraft, stored_text: &str, stored: &Document) -> Result<String, Vec<Finding>> {
    let text = match &draft.toml {
        Some(text) => restore(text, stored)?,
        None => stored_text.to_owned(),
    };
    replace_sections(&text, draft).map_err(|error| vec![super::parse::fault("the document", error.to_string())])
}

/// The text with the sections of a draft instead of its own.
fn replace_sections(text: &str, draft: &ConfigDraft) -> Result<String, EditError> {
    let old = parse(text).map_err(|finding| EditError::Unreadable(finding.message))?;
    let mut wanted = old.clone();
    wanted.policies = draft.policies.clone().unwrap_or(wanted.policies);
    wanted.routes = draft.routes.clone().unwrap_or(wanted.routes);
    wanted.host_groups = draft.host_groups.clone().unwrap_or(wanted.host_groups);
    wanted.templates = draft.templates.clone().unwrap_or(wanted.templates);
    for (id, mapping) in &draft.mappings {
        let mapping = mapping.clone().map(Box::new);
        match wanted.integrations.iter_mut().find(|it| it.id == *id) {
            Some(entry) => entry.mapping = mapping,
            // A sender that has a token and no settings yet; without a mapping it needs none.
            None if mapping.is_some() => {
                // It is called what its token is called.
                let name = String::new();
                wanted.integrations.push(Integration { name, mapping, ..Integration::undeclared(id.clone()) });
            }
            None => {}
        }
    }
    if wanted == old {
        return Ok(text.to_owned());
    }
    // A text that would mean something else is not used; losing comments is the smaller evil.
    let edited = in_place(text, &old, &wanted).filter(|edited| parse(edited).is_ok_and(|document| document == wanted));
    Ok(edited.unwrap_or_else(|| to_toml(&wanted)))
}

fn in_place(text: &str, old: &Document, wanted: &Document) -> Option<String> {
    let mut document: DocumentMut = text.parse().ok()?;
    section(&mut document, "policies", &old.policies, &wanted.policies, |it| it.id.as_str())?;
    section(&mut document, "routes", &old.routes, &wanted.routes, |it| it.id.as_str())?;
    section(&mut document, "host_groups", &old.host_groups, &wanted.host_groups, |it| it.id.as_str())?;
    section(&mut document, "templates", &old.templates, &wanted.templates, |it| it.id.as_str())?;
    mappings(&mut document, &old.integrations, &wanted.integrations)?;
    Some(document.to_string())
}

/// One list of tables. Its entries stand together, in the place of the first.
fn section<T: Serialize + PartialEq>(
    document: &mut DocumentMut,
    name: &str,
    old: &[T],
    wanted: &[T],
    id: impl Fn(&T) -> &str,
) -> Option<()> {
    if old == wanted {
        return Some(());
    }
    let known = match document.get(name) {
        None => ArrayOfTables::new(),
        Some(item) => item.as_array_of_tables()?.clone(),
    };
    let place = known.iter().next().and_then(Table::position);
    let mut tables = ArrayOfTables::new();
    for entry in wanted {
        let before = known.iter().find(|it| it.get("id").and_then(Item::as_str) == Some(id(entry)));
        let mut table = match (before, old.iter().find(|it| id(it) == id(entry))) {
            (Some(table), Some(old)) if old == entry => table.clone(),
            (before, _) => {
                let mut table = toml_edit::ser::to_document(entry).ok()?.as_table().clone();
                if let Some(before) = before {
                    *table.decor_mut() = before.decor().clone();
                }
                table
            }
        };
        unplaced(&mut table);
        table.set_position(place);
        tables.push(table);
    }
    if tables.is_empty() {
        document.remove(name);
    } else {
        document.insert(name, Item::ArrayOfTables(tables));
    }
    Some(())
}

/// The mappings of senders, and nothing else of them.
fn mappings(document: &mut DocumentMut, old: &[Integration], wanted: &[Integration]) -> Option<()> {
    for entry in wanted.iter().filter(|entry| !old.contains(entry)) {
        let mapping = match &entry.mapping {
            Some(mapping) => {
                let mut table = toml_edit::ser::to_document(mapping).ok()?.as_table().clone();
                unplaced(&mut table);
                Some(Item::Table(table))
            }
            None => None,
        };
        let senders = document.entry("integrations").or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()));
        let senders = senders.as_array_of_tables_mut()?;
        let place = senders.iter().position(|table| table.get("id").and_then(Item::as_str) == Some(entry.id.as_str()));
        match (place.and_then(|place| senders.get_mut(place)), mapping) {
            (Some(table), Some(mapping)) => drop(table.insert("mapping", mapping)),
            (Some(table), None) => drop(table.remove("mapping")),
            (None, Some(mapping)) => {
                let mut table = Table::new();
                table.insert("id", toml_edit::value(entry.id.as_str()));
                table.insert("mapping", mapping);
                senders.push(table);
            }
            (None, None) => {}
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::{
        Delay,
        config::{HostGroup, Level, Mapping, Policy, Route, Template, Threshold},
    };

    const TEXT: &str = r#"# who there is
[[people]]
id = "li"
name = "Li"

# the first
[[policies]]
id = "a" # by day
levels = [{ notify = ["person:li"], delay = "5m" }]

# the second
[[policies]]
id = "b"
[[policies.levels]]
notify = ["person:li"] # always
delay = "5m"

# where it goes
[[routes]]
id = "all"
policy = "a"
"#;

    fn replaced(change: impl FnOnce(&mut Vec<Policy>)) -> (String, Document) {
        let mut wanted = parse(TEXT).unwrap();
        change(&mut wanted.policies);
        let draft = ConfigDraft { policies: Some(wanted.policies.clone()), ..ConfigDraft::default() };
        (draft_text(&draft, TEXT, &parse(TEXT).unwrap()).unwrap(), wanted)
    }

    #[test]
    fn what_is_not_changed_keeps_its_comments() {
        let (text, wanted) = replaced(|policies| policies[0].levels[0].delay = Delay::mins(7));
        assert_eq!(parse(&text).unwrap(), wanted, "{text}");
        for comment in ["# who there is", "# the first", "# the second", "# always", "# where it goes"] {
            assert!(text.contains(comment), "{comment}: {text}");
        }
        assert!(text.find("[[policies]]") < text.find("[[routes]]"), "{text}");
    }

    #[test]
    fn entries_come_go_and_change_places() {
        let (text, wanted) = replaced(|policies| policies.reverse());
        assert_eq!(parse(&text).unwrap(), wanted, "{text}");
        let (text, wanted) = replaced(|policies| {
            policies.remove(0);
            let level = Level { notify: vec!["person:li".parse().unwrap()], delay: Delay::mins(1), ..Level::default() };
            policies.push(Policy { id: "c".into(), levels: vec![level], ..Policy::default() });
        });
        assert_eq!(parse(&text).unwrap(), wanted, "{text}");
        assert!(text.contains("# always") && text.contains("# where it goes"), "{text}");
        let (text, _) = replaced(|_| {});
        assert_eq!(text, TEXT);
        let (text, wanted) = replaced(Vec::clear);
        assert_eq!(parse(&text).unwrap(), wanted, "{text}");
    }

    #[test]
    fn groups_of_hosts_and_templates_are_sections_too() {
        let rule: Threshold =
            serde_json::from_str(r#"{"id":"idle","when":"all(#3) cpu.idle < 5","hold":"5m"}"#).unwrap();
        let group = HostGroup { id: "web".into(), hosts: vec!["web-*".to_owned()], ..HostGroup::default() };
        let template =
            Template { id: "base".into(), groups: vec!["web".into()], rules: vec![rule], ..Template::default() };
        let draft = ConfigDraft {
            host_groups: Some(vec![group.clone()]),
            templates: Some(vec![template.clone()]),
            ..ConfigDraft::default()
        };
        let text = draft_text(&draft, TEXT, &parse(TEXT).unwrap()).unwrap();
        let read = parse(&text).unwrap();
        assert_eq!((read.host_groups, read.templates), (vec![group], vec![template]), "{text}");
        assert!(text.contains("# always") && text.contains("# where it goes"), "{text}");
        let gone = ConfigDraft { templates: Some(Vec::new()), ..ConfigDraft::default() };
        let text = draft_text(&gone, &text, &parse(&text).unwrap()).unwrap();
        let read = parse(&text).unwrap();
        assert_eq!((read.host_groups.len(), read.templates.len()), (1, 0), "{text}");
    }

    #[test]
    fn routes_below_routes_and_inline_lists_are_written_too() {
        let draft = |routes: Vec<Route>| ConfigDraft { routes: Some(routes), ..ConfigDraft::default() };
        let mut wanted = parse(TEXT).unwrap();
        wanted.routes[0].routes.push(Route {
            id: "sub".into(),
            matches: vec!["host=x".to_owned()],
            ..Route::default()
        });
        let text = draft_text(&draft(wanted.routes.clone()), TEXT, &parse(TEXT).unwrap()).unwrap();
        assert_eq!(parse(&text).unwrap(), wanted, "{text}");
        assert!(text.contains("# always"), "{text}");
        let inline = "routes = [{ id = \"all\" }]\n";
        let text = draft_text(&draft(wanted.routes.clone()), inline, &parse(inline).unwrap()).unwrap();
        assert_eq!(parse(&text).unwrap().routes, wanted.routes);
    }

    #[test]
    fn a_mapping_is_put_beside_what_else_is_said_of_its_sender() {
        let text = "# whom we hear\n[[integrations]]\nid = \"shop\" # the old one\ndefault_severity = \"P2\"\n\n[[integrations.classes]] # words\nid = \"worst\"\nseverity = \"P1\"\n\n# who there is\n[[people]]\nid = \"li\"\nname = \"Li\"\n";
        let mapping: Mapping =
            toml::from_str("host = \"/box\"\nseverity = { from = \"/level\", words = { crit = \"P0\" } }").unwrap();
        let draft = |id: &str, mapping: Option<&Mapping>| ConfigDraft {
            mappings: [(id.into(), mapping.cloned())].into(),
            ..ConfigDraft::default()
        };
        let put = |text: &str, draft: &ConfigDraft| draft_text(draft, text, &parse(text).unwrap()).unwrap();
        let with = put(text, &draft("shop", Some(&mapping)));
        let read = parse(&with).unwrap();
        assert_eq!(read.integrations[0].mapping.as_deref(), Some(&mapping), "{with}");
        assert_eq!((read.integrations[0].classes.len(), read.people.len()), (1, 1), "{with}");
        for comment in ["# whom we hear", "# the old one", "# words", "# who there is"] {
            assert!(with.contains(comment), "{comment}: {with}");
        }
        assert!(with.contains("[integrations.mapping]\nhost = \"/box\"\n"), "{with}");
        // Replaced, taken away again, and given to a sender that has a token only.
        let other = Mapping { host: "/other".into(), ..Mapping::default() };
        let changed = put(&with, &draft("shop", Some(&other)));
        assert_eq!(parse(&changed).unwrap().integrations[0].mapping.as_deref(), Some(&other), "{changed}");
        assert_eq!(parse(&put(&with, &draft("shop", None))).unwrap(), parse(text).unwrap());
        let added = put(text, &draft("gate", Some(&mapping)));
        let read = parse(&added).unwrap();
        assert_eq!(
            (read.integrations[1].id.as_str(), read.integrations[1].mapping.as_deref()),
            ("gate", Some(&mapping))
        );
        assert!(added.contains("# whom we hear") && added.contains("# who there is"), "{added}");
        assert_eq!(put(text, &draft("gate", None)), text);
        let empty = put("", &draft("gate", Some(&mapping)));
        assert_eq!(parse(&empty).unwrap().integrations.len(), 1, "{empty}");
        let inline = "integrations = [{ id = \"shop\" }]\n";
        let placed = put(inline, &draft("shop", Some(&mapping)));
        assert_eq!(parse(&placed).unwrap().integrations[0].mapping.as_deref(), Some(&mapping), "{placed}");
    }
}
