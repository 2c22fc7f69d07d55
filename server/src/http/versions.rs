//! The configuration as it was: its versions, and single things of one, with what became of them since.

use super::{
    App,
    app::{blocking, now},
    problem::ApiError,
    schedules::on_call_at,
};
use crate::{
    config::{self, NounText},
    db::StoredConfig,
};
use actix_web::web::{self, Query};
use serde::Deserialize;
use shared::{
    NounKind, ScheduleId, Timestamp,
    api::{ConfigVersion, ConfigVersions, LineMark, NounLine, NounThen},
    config::Document,
};
use similar::{ChangeTag, TextDiff};

/// So many later versions are looked through for what changed.
const MOST_LATER: i64 = 200;

#[derive(Deserialize)]
pub(super) struct Page {
    version: Option<i64>,
    limit: Option<i64>,
}

pub(super) async fn list_versions(
    app: web::Data<App>,
    page: Query<Page>,
) -> Result<web::Json<ConfigVersions>, ApiError> {
    let limit = page.limit.unwrap_or(20).clamp(1, 50);
    let wanted = page.version;
    let (today, stored) = app
        .db(move |store| {
            let today = store.config_number()?;
            let last = wanted.unwrap_or(today);
            // One more on either side: what it changed, and when it ended.
            Ok((today, store.config_versions(last - limit, last.saturating_add(1))?))
        })
        .await?;
    let last = wanted.unwrap_or(today);
    let first = last - limit + 1;
    let items = blocking(move || {
        let read = stored.into_iter().map(|it| (document(&it.toml), it)).map(|(said, it)| (it, said));
        let read: Vec<(StoredConfig, Document)> = read.collect();
        let mut items: Vec<ConfigVersion> = Vec::new();
        for (i, (it, document)) in read.iter().enumerate() {
            if !(first..=last).contains(&it.version) {
                continue;
            }
            let before = i.checked_sub(1).and_then(|i| read.get(i));
            let changes = match before {
                Some((_, before)) => config::plan(before, document),
                None => config::plan(&Document::default(), document),
            };
            items.push(ConfigVersion { changes, ..version(it, read.get(i + 1).map(|(it, _)| it.at)) });
        }
        items.reverse();
        items
    });
    let next = (first > 1).then(|| (first - 1).to_string());
    Ok(web::Json(ConfigVersions { items: items.await?, next, today }))
}

#[derive(Deserialize)]
pub(super) struct Moment {
    version: Option<i64>,
    at: Option<Timestamp>,
}

pub(super) async fn show_noun(
    app: web::Data<App>,
    path: web::Path<(NounKind, String)>,
    moment: Query<Moment>,
) -> Result<web::Json<NounThen>, ApiError> {
    let (kind, id) = path.into_inner();
    let Moment { version, at } = moment.into_inner();
    let (wanted, today, stored) = app
        .db(move |store| {
            let wanted = match version {
                Some(version) => version,
                None => store.config_in_force(at.unwrap_or_else(now))?,
            };
            let today = store.config_number()?;
            let mut stored = store.config_versions(wanted, wanted.saturating_add(MOST_LATER))?;
            if stored.last().is_some_and(|last| last.version < today) {
                stored.extend(store.config_versions(today, today)?);
            }
            Ok((wanted, today, stored))
        })
        .await?;
    if stored.first().is_none_or(|first| first.version != wanted) {
        return Err(ApiError::not_found("version"));
    }
    let of = id.clone();
    let found = blocking(move || look(kind, &of, &stored, today)).await?;
    let mut found = found.ok_or_else(|| ApiError::not_found(kind.as_str()))?;
    if let (NounKind::Schedule, Some(at)) = (kind, at.filter(|at| *at <= now())) {
        let config = app.runtime.config();
        let people = on_call_at(&app, &config, &ScheduleId::from(id), at).await?;
        let name = |id: &shared::PersonId| config.people.get(id).map_or_else(|| id.to_string(), |it| it.name.clone());
        found.on_call = Some(people.iter().map(name).collect());
    }
    Ok(web::Json(found))
}

/// The thing in the first of these versions, and what the later ones made of it; none when none of them has it.
fn look(kind: NounKind, id: &str, stored: &[StoredConfig], today: i64) -> Option<NounThen> {
    let (first, later) = stored.split_first()?;
    let was_document = document(&first.toml);
    let was = config::noun(&was_document, kind, id);
    let mut last = was.clone();
    let mut since = Vec::new();
    for (i, it) in later.iter().enumerate() {
        let here = config::noun(&document(&it.toml), kind, id);
        if here != last {
            since.push(version(it, later.get(i + 1).map(|next| next.at)));
            last = here;
        }
    }
    let name = was.as_ref().or(last.as_ref())?.name.clone();
    Some(NounThen {
        kind,
        id: id.to_owned(),
        name,
        then: version(first, later.first().map(|next| next.at)),
        today,
        was: was.is_some(),
        is: last.is_some(),
        lines: lines(was.as_ref(), last.as_ref()),
        since,
        policy: config::policy_of(&was_document, id).filter(|_| kind == NounKind::Policy).cloned(),
        route: config::route_of(&was_document, id).filter(|_| kind == NounKind::Route),
        on_call: None,
    })
}

fn lines(was: Option<&NounText>, is: Option<&NounText>) -> Vec<NounLine> {
    let text = |it: Option<&NounText>| it.map(|it| it.toml.clone()).unwrap_or_default();
    let (was, is) = (text(was), text(is));
    let diff = TextDiff::from_lines(was.as_str(), is.as_str());
    let line = |change: similar::Change<&str>| NounLine {
        text: change.value().trim_end().to_owned(),
        mark: match change.tag() {
            ChangeTag::Equal => LineMark::Same,
            ChangeTag::Delete => LineMark::Gone,
            ChangeTag::Insert => LineMark::New,
        },
    };
    diff.iter_all_changes().map(line).collect()
}

fn version(stored: &StoredConfig, until: Option<Timestamp>) -> ConfigVersion {
    let StoredConfig { version, at, by, .. } = stored;
    ConfigVersion { version: *version, from: *at, until, by: by.clone(), changes: Vec::new() }
}

/// What an old version said; one that today's program cannot read any more says nothing.
pub(super) fn document(toml: &str) -> Document {
    config::parse(toml).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(version: i64, delay: &str) -> StoredConfig {
        let toml =
            format!(r#"policies = [{{ id = "p", levels = [{{ notify = ["person:li"], delay = "{delay}" }}] }}]"#);
        StoredConfig { version, at: Timestamp::from_ms(version * 100), by: "root".to_owned(), toml }
    }

    #[test]
    fn a_thing_is_shown_as_it_was_with_what_changed_since() {
        let all = [stored(3, "5m"), stored(4, "5m"), stored(5, "7m"), stored(6, "7m")];
        let found = look(NounKind::Policy, "p", &all, 6).unwrap();
        assert_eq!((found.then.version, found.then.until), (3, Some(Timestamp::from_ms(400))));
        assert_eq!(found.since.iter().map(|it| it.version).collect::<Vec<_>>(), [5], "6 changed something else");
        let marked =
            |mark| found.lines.iter().filter(|it| it.mark == mark).map(|it| it.text.as_str()).collect::<Vec<_>>();
        assert_eq!((marked(LineMark::Gone), marked(LineMark::New)), (vec!["delay = \"5m\""], vec!["delay = \"7m\""]));
        assert_eq!(found.policy.unwrap().levels.len(), 1);
        assert!(look(NounKind::Policy, "other", &all, 6).is_none());
    }
}
