//! Calendar feeds: the shifts of a person or a schedule at an address that is a secret, for calendar programs.
//!
//! Such programs cannot sign in, so whoever knows the address reads the feed, and nothing else; only the address's hash
//! is stored. Times are those of UTC, so that no program has to know our zones.

use super::{
    App,
    app::{act, now},
    body::Json,
    principal::Principal,
    problem::ApiError,
    tokens::{Wanted, issue},
};
use crate::{
    auth::token,
    db::{Store, StoreError, Token, TokenKind},
    shifts,
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH},
    web,
};
use chrono::{DateTime, Utc};
use engine::{
    Snapshot,
    oncall::{self, Duty, history},
};
use icalendar::{Calendar, Component as _, Event, EventLike as _, Property};
use sha2::{Digest as _, Sha256};
use shared::{
    Delay, PersonId, ScheduleId, Timestamp,
    api::{CalendarMade, CalendarOf, CalendarRow, List, NewCalendar, Role},
};
use std::fmt::Write as _;

const BACK: Delay = Delay(35 * 86_400_000);
const AHEAD: Delay = Delay(120 * 86_400_000);
const KINDS: [&str; 2] = ["person:", "schedule:"];

/// As the token's name says it.
fn name(of: &CalendarOf) -> String {
    match of {
        CalendarOf::Person(id) => format!("{}{id}", KINDS[0]),
        CalendarOf::Schedule(id) => format!("{}{id}", KINDS[1]),
    }
}

fn of(name: &str) -> Option<CalendarOf> {
    let person = name.strip_prefix(KINDS[0]).map(|id| CalendarOf::Person(id.into()));
    person.or_else(|| name.strip_prefix(KINDS[1]).map(|id| CalendarOf::Schedule(id.into())))
}

fn row(token: Token) -> Option<CalendarRow> {
    Some(CalendarRow {
        id: token.id,
        of: of(&token.name)?,
        created_at: token.created_at,
        created_by: token.created_by,
        last_used_at: token.last_used_at,
        hint: token.hint,
    })
}

pub(super) async fn list_calendars(app: web::Data<App>) -> Result<web::Json<List<CalendarRow>>, ApiError> {
    let tokens = app.db(|store| store.tokens(TokenKind::Calendar)).await?;
    Ok(web::Json(List { items: tokens.into_iter().filter_map(row).collect(), next: None }))
}

pub(super) async fn make_calendar(
    app: web::Data<App>,
    principal: Principal,
    Json(body): Json<NewCalendar>,
) -> Result<HttpResponse, ApiError> {
    let config = app.runtime.config();
    let known = match &body.of {
        CalendarOf::Person(id) => config.people.contains_key(id),
        CalendarOf::Schedule(id) => config.rosters.contains_key(id),
    };
    if !known {
        return Err(ApiError::invalid("of", "There is no such person or schedule."));
    }
    let name = name(&body.of);
    let entry = act(&principal.record_name(), "calendar.create", name.clone(), "");
    let wanted = Wanted { kind: TokenKind::Calendar, name, integration: None, role: None, old_until: None };
    let (id, text) = issue(&app, entry, wanted).await?;
    Ok(HttpResponse::Created().json(CalendarMade { id, url: format!("{}/calendar/{text}.ics", app.public_url()) }))
}

pub(super) async fn revoke_calendar(
    app: web::Data<App>,
    principal: Principal,
    id: web::Path<i64>,
) -> Result<HttpResponse, ApiError> {
    let (id, by) = (id.into_inner(), principal.record_name());
    let tokens = app.db(|store| store.tokens(TokenKind::Calendar)).await?;
    let found = tokens.into_iter().find(|token| token.id == id).ok_or_else(|| ApiError::not_found("calendar feed"))?;
    if found.created_by != by && principal.role < Role::Admin {
        return Err(ApiError::forbidden("Somebody else made this feed; ask them or an administrator."));
    }
    let entry = act(&by, "calendar.revoke", found.name, "");
    app.change(entry, move |store| store.token_revoke(TokenKind::Calendar, id, now())).await?;
    Ok(HttpResponse::NoContent().finish())
}

pub(super) async fn feed(
    app: web::Data<App>,
    request: HttpRequest,
    secret: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let (config, hash, now) = (app.runtime.config(), token::hash_hex(&secret), now());
    let read = move |store: &mut Store| {
        let found = store.token_find(&hash)?.filter(|token| token.kind == TokenKind::Calendar);
        let Some((token, of)) = found.and_then(|token| of(&token.name).map(|of| (token, of))) else { return Ok(None) };
        store.token_touch(token.id, now)?;
        Ok(Some(written(&config, &of, &shifts_of(store, &config, &of, now)?)))
    };
    let text = app.db(read).await?.ok_or_else(|| ApiError::not_found("calendar"))?;
    let tag = Sha256::digest(text.as_bytes()).iter().take(8).fold("\"".to_owned(), |mut tag, byte| {
        // Writing to a String cannot fail.
        write!(tag, "{byte:02x}").ok();
        tag
    }) + "\"";
    let known = request.headers().get(IF_NONE_MATCH).and_then(|value| value.to_str().ok()) == Some(tag.as_str());
    let mut response = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response.insert_header((ETAG, tag)).insert_header((CACHE_CONTROL, "private, max-age=300"));
    if known {
        return Ok(response.finish());
    }
    Ok(response.content_type("text/calendar; charset=utf-8").body(text))
}

/// A shift as the feed has it.
struct Shift<'a> {
    schedule: &'a ScheduleId,
    from: Timestamp,
    duty: Duty,
}

/// The shifts of some weeks, past ones as they were stored.
fn shifts_of<'a>(
    store: &mut Store,
    config: &'a Snapshot,
    of: &CalendarOf,
    now: Timestamp,
) -> Result<Vec<Shift<'a>>, StoreError> {
    let recorded = shifts::record(store, now)?.unwrap_or(now);
    let (from, until) = (now.plus_ms(-BACK.0), now.after(AHEAD));
    let mut found = Vec::new();
    for (schedule, roster) in &config.rosters {
        if matches!(of, CalendarOf::Schedule(wanted) if wanted != schedule) {
            continue;
        }
        let mut stretches = store.shifts_between(schedule, from, recorded)?;
        history::append(&mut stretches, roster.between(recorded.max(from), until));
        let shifts = oncall::shifts(&stretches).into_iter();
        // One that was cut off at the beginning would move with the clock.
        let whole = shifts.filter(|(begins, _)| *begins > from);
        let wanted = |person: &PersonId| !matches!(of, CalendarOf::Person(wanted) if wanted != person);
        let wanted = whole.filter(|(_, duty)| wanted(&duty.person));
        found.extend(wanted.map(|(from, duty)| Shift { schedule, from, duty }));
    }
    Ok(found)
}

fn written(config: &Snapshot, of: &CalendarOf, shifts: &[Shift<'_>]) -> String {
    let person = |id: &PersonId| config.people.get(id).map_or_else(|| id.to_string(), |person| person.name.clone());
    let schedule = |id: &ScheduleId| {
        let found = config.document.schedules.iter().find(|schedule| schedule.id == *id);
        found.map_or_else(|| id.to_string(), |schedule| schedule.name.clone())
    };
    let mut calendar = Calendar::new();
    calendar.name(&match of {
        CalendarOf::Person(id) => person(id),
        CalendarOf::Schedule(id) => schedule(id),
    });
    for shift in shifts {
        let (Some(from), Some(until)) = (utc(shift.from), utc(shift.duty.until)) else { continue };
        let who = &shift.duty.person;
        let uid = Sha256::digest(format!("{} {who} {}", shift.schedule, shift.from.ms()));
        let uid: String = uid.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        let mut event = Event::new();
        event
            .uid(&format!("{uid}@tocsin"))
            // Of the shift, not of this answer: the same shifts are the same text.
            .timestamp(from)
            .summary(&format!("{}: {}", schedule(shift.schedule), person(who)))
            .append_property(Property::new("TRANSP", "TRANSPARENT"))
            .starts(from)
            .ends(until);
        calendar.push(event.done());
    }
    calendar.to_string()
}

fn utc(at: Timestamp) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_millis(at.ms())
}
