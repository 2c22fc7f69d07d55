//! Which of its open alerts a sender asks for.
//!
//! Parameters are fields with values, or `q` with terms of the kind `severity:major AND resource:web01`. A term that is not
//! understood is refused: its client answers or closes everything that a query gives.

use super::{Asked, Fault, shown};
use actix_web::{HttpResponse, http::StatusCode};
use serde_json::{Map, Value, json};
use shared::Alert;

/// Parameters that say how to show what was found.
const HOW: [&str; 11] = [
    "page",
    "page-size",
    "limit",
    "sort-by",
    "reverse",
    "from-date",
    "fields",
    "fields!",
    "group-by",
    "api-key",
    "token",
];
/// Fields that a query may ask for; others may be labels.
const FIELDS: [&str; 14] = [
    "id",
    "resource",
    "event",
    "environment",
    "severity",
    "status",
    "service",
    "group",
    "value",
    "text",
    "tags",
    "origin",
    "type",
    "customer",
];

/// One field and the values of which it must have (or must not have) one.
struct Term {
    field: String,
    values: Vec<String>,
    is_not: bool,
    /// A part of it is enough.
    is_part: bool,
}

impl Term {
    fn admits(&self, alert: &Value) -> bool {
        let found = match self.field.strip_prefix("attributes.") {
            Some(name) => &alert["attributes"][name],
            None if self.field == "tag" => &alert["tags"],
            None => &alert[self.field.as_str()],
        };
        let is = |text: &str| {
            let text = text.to_lowercase();
            self.values.iter().any(|value| if self.is_part { text.contains(value) } else { text == *value })
        };
        let holds = match found {
            Value::Array(items) => items.iter().filter_map(Value::as_str).any(is),
            Value::String(text) => is(text),
            _ => false,
        };
        holds != self.is_not
    }
}

fn refused(what: &str) -> Fault {
    Fault::new(StatusCode::BAD_REQUEST, format!("'{what}' is not understood; ask for FIELD:VALUE, joined by AND"))
}

fn field(name: &str) -> Result<String, Fault> {
    let is_known = FIELDS.contains(&name) || name == "tag" || name.starts_with("attributes.");
    if is_known { Ok(name.to_owned()) } else { Err(refused(name)) }
}

/// `field=value`, `field!=value`, `field=~part`; several of one name are choices.
fn parameters(asked: &Asked<'_>) -> Result<Vec<Term>, Fault> {
    let mut terms: Vec<Term> = Vec::new();
    for (name, value) in asked.query().into_iter().filter(|(name, _)| !HOW.contains(&name.as_str())) {
        if name == "q" {
            terms.append(&mut query(&value)?);
            continue;
        }
        let (name, is_not) = name.strip_suffix('!').map_or((name.as_str(), false), |name| (name, true));
        let (value, is_part) = value.strip_prefix('~').map_or((value.as_str(), false), |value| (value, true));
        let (field, value) = (field(name)?, value.to_lowercase());
        if value.is_empty() {
            return Err(refused(&field));
        }
        let is_alike = |it: &&mut Term| it.field == field && (it.is_not, it.is_part) == (is_not, is_part);
        match terms.iter_mut().find(is_alike) {
            Some(term) => term.values.push(value),
            None => terms.push(Term { field, values: vec![value], is_not, is_part }),
        }
    }
    Ok(terms)
}

/// Terms of a query; a word alone is a part of the text.
fn query(text: &str) -> Result<Vec<Term>, Fault> {
    let mut terms = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        // A quoted value may hold blanks.
        let (word, after) = match rest.split_once(":\"").filter(|(name, _)| !name.contains(char::is_whitespace)) {
            Some((name, tail)) => {
                let (value, after) = tail.split_once('"').ok_or_else(|| refused(rest))?;
                (format!("{name}:{value}"), after)
            }
            None => {
                let (word, after) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
                if word.contains(['(', ')', '*', '?', '"', '>', '<', '~']) || matches!(word, "OR" | "NOT" | "||" | "!")
                {
                    return Err(refused(word));
                }
                (word.to_owned(), after)
            }
        };
        rest = after.trim_start();
        if matches!(word.as_str(), "AND" | "&&") {
            continue;
        }
        let (name, value) = word.split_once(':').unwrap_or(("text", &word));
        let is_part = name == "text";
        if value.is_empty() {
            return Err(refused(&word));
        }
        terms.push(Term { field: field(name)?, values: vec![value.to_lowercase()], is_not: false, is_part });
    }
    if terms.is_empty() { Err(refused(text)) } else { Ok(terms) }
}

/// The open alerts that were asked for, the newest first.
async fn found(asked: &Asked<'_>) -> Result<Vec<Value>, Fault> {
    let terms = parameters(asked)?;
    let told = asked.app.runtime.told_by(asked.integration.clone(), None).await?;
    let since = asked.query().into_iter().find(|(name, _)| name == "from-date").map(|(_, at)| at);
    let since = since.map(|at| at.parse::<jiff::Timestamp>().map_err(|_| refused(&at))).transpose()?;
    let is_new = |alert: &Alert| since.is_none_or(|since| alert.last_at.ms() > since.as_millisecond());
    let shown = told.iter().rev().filter(|it| is_new(&it.alert)).map(|it| shown::alert(&it.alert, Some(it.state)));
    Ok(shown.filter(|alert| terms.iter().all(|term| term.admits(alert))).collect())
}

/// How many of each.
fn counts(alerts: &[Value], field: &str) -> Value {
    let mut counts = Map::new();
    for name in alerts.iter().filter_map(|alert| alert[field].as_str()) {
        let known = counts.get(name).and_then(Value::as_u64).unwrap_or_default();
        counts.insert(name.to_owned(), json!(known + 1));
    }
    counts.into()
}

pub(super) async fn list(asked: &Asked<'_>) -> Result<HttpResponse, Fault> {
    let alerts = found(asked).await?;
    let number = |name: &str| {
        let query = asked.query();
        let (_, value) = query.into_iter().find(|(known, _)| known == name)?;
        value.parse::<usize>().ok().filter(|number| *number > 0)
    };
    let (page, size) = (number("page").unwrap_or(1), number("page-size").unwrap_or(1_000).min(1_000));
    let skipped = (page - 1).saturating_mul(size);
    let of_page: Vec<&Value> = alerts.iter().skip(skipped).take(size).collect();
    let more = alerts.len() > skipped.saturating_add(of_page.len());
    let last = of_page.iter().filter_map(|alert| alert["lastReceiveTime"].as_str()).max();
    Ok(HttpResponse::Ok().json(json!({
        "status": "ok", "alerts": of_page, "total": alerts.len(), "page": page, "pageSize": size,
        "pages": alerts.len().div_ceil(size), "more": more, "severityCounts": counts(&alerts, "severity"),
        "statusCounts": counts(&alerts, "status"), "autoRefresh": true,
        "lastTime": last.map_or_else(|| crate::ingest::alertmanager::instant(asked.now), ToOwned::to_owned),
    })))
}

pub(super) async fn count(asked: &Asked<'_>) -> Result<HttpResponse, Fault> {
    let alerts = found(asked).await?;
    Ok(HttpResponse::Ok().json(json!({
        "status": "ok", "total": alerts.len(), "severityCounts": counts(&alerts, "severity"),
        "statusCounts": counts(&alerts, "status"),
    })))
}
