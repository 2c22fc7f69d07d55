//! Replaces whole sections of a document's text; what is not changed in them keeps its comments, and so does the rest.

use super::{
    edit::{EditError, unplaced},
    parse::{parse, to_toml},
    secrets::restore,
};
use serde::Serialize;
use shared::{
    api::ConfigDraft,
    config::{Document, Finding},
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

#[cfg(test)]
mod tests {
    use super::*;
    use shared::{
        Delay,
        config::{HostGroup, Level, Policy, Route, Template, Threshold},
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
}
