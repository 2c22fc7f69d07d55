//! Adds overrides to a schedule in a document's text, and takes them out, leaving the comments around them alone.

use super::{
    edit::EditError,
    parse::{parse, to_toml},
};
use shared::{
    ScheduleId,
    config::{Document, Override, Schedule},
};
use toml_edit::{ArrayOfTables, DocumentMut, InlineTable, Item, Table, Value};

/// The text with overrides put behind those a schedule has.
///
/// # Errors
/// When the text is no document, or has no such schedule.
pub fn add_overrides(text: &str, schedule: &ScheduleId, covers: &[Override]) -> Result<String, EditError> {
    change(text, schedule, |it| it.overrides.extend_from_slice(covers), |table| add(table, covers))
}

/// The text without the override of this name.
///
/// # Errors
/// When the text is no document, or has no such schedule.
pub fn remove_override(text: &str, schedule: &ScheduleId, id: &str) -> Result<String, EditError> {
    let is_it = |cover: &Override| cover.id.as_deref() == Some(id);
    change(text, schedule, |it| it.overrides.retain(|cover| !is_it(cover)), |table| remove(table, id))
}

fn change(
    text: &str,
    schedule: &ScheduleId,
    mean: impl FnOnce(&mut Schedule),
    write: impl FnOnce(&mut Table) -> Option<()>,
) -> Result<String, EditError> {
    let mut wanted: Document = parse(text).map_err(|finding| EditError::Unreadable(finding.message))?;
    mean(wanted.schedules.iter_mut().find(|it| it.id == *schedule).ok_or(EditError::NoSuchSchedule)?);
    let in_place = || {
        let mut document: DocumentMut = text.parse().ok()?;
        let schedules = document.get_mut("schedules")?.as_array_of_tables_mut()?;
        let own = |it: &&mut Table| it.get("id").and_then(Item::as_str) == Some(schedule.as_str());
        write(schedules.iter_mut().find(own)?)?;
        Some(document.to_string())
    };
    // A text that would mean something else is not used; losing comments is the smaller evil.
    let edited = in_place().filter(|edited| parse(edited).is_ok_and(|document| document == wanted));
    Ok(edited.unwrap_or_else(|| to_toml(&wanted)))
}

fn add(schedule: &mut Table, covers: &[Override]) -> Option<()> {
    let item = schedule.entry("overrides").or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()));
    for cover in covers {
        let table = toml_edit::ser::to_document(cover).ok()?.as_table().clone();
        match item {
            Item::ArrayOfTables(tables) => tables.push(unplaced(table)),
            Item::Value(Value::Array(array)) => array.push(inline(table)),
            _ => return None,
        }
    }
    Some(())
}

/// A table that stands behind its neighbours, wherever those are.
fn unplaced(mut table: Table) -> Table {
    table.set_position(None);
    table.decor_mut().set_prefix("\n");
    table
}

fn inline(table: Table) -> InlineTable {
    table.into_inline_table()
}

fn remove(schedule: &mut Table, id: &str) -> Option<()> {
    match schedule.get_mut("overrides")? {
        Item::ArrayOfTables(tables) => tables.retain(|table| table.get("id").and_then(Item::as_str) != Some(id)),
        Item::Value(Value::Array(array)) => {
            array.retain(|value| value.as_inline_table().and_then(|table| table.get("id")?.as_str()) != Some(id))
        }
        _ => return None,
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"# who is on call
[[schedules]]
id = "a" # the first
name = "A"
time_zone = "UTC"
[[schedules.rotations]]
people = ["li"]
handoff = "09:00"
start = "2026-01-05"

# the second
[[schedules]]
id = "b"
name = "B"
time_zone = "UTC"
overrides = [{ person = "li", from = "2026-01-05 09:00", until = "2026-01-06 09:00" }]

[[teams]] # all of us
id = "all"
name = "All"
"#;

    fn cover(id: &str) -> Override {
        Override {
            id: Some(id.to_owned()),
            person: "li".into(),
            from: "2026-02-05 09:00".to_owned(),
            until: "2026-02-06 09:00".to_owned(),
            ..Override::default()
        }
    }

    #[test]
    fn an_override_comes_and_goes_and_nothing_else_changes() {
        for schedule in ["a", "b"] {
            let edited = add_overrides(TEXT, &schedule.into(), &[cover("o1"), cover("o2")]).unwrap();
            let place = usize::from(schedule == "b");
            let mut wanted = parse(TEXT).unwrap();
            wanted.schedules[place].overrides.extend([cover("o1"), cover("o2")]);
            assert_eq!(parse(&edited).unwrap(), wanted);
            let fewer = remove_override(&edited, &schedule.into(), "o1").unwrap();
            wanted.schedules[place].overrides.retain(|it| it.id.as_deref() != Some("o1"));
            assert_eq!(parse(&fewer).unwrap(), wanted);
            for comment in ["# who is on call", "# the first", "# the second", "# all of us"] {
                assert!(edited.contains(comment) && fewer.contains(comment), "{edited}\n{fewer}");
            }
        }
        assert_eq!(add_overrides(TEXT, &"c".into(), &[cover("o1")]), Err(EditError::NoSuchSchedule));
    }
}
