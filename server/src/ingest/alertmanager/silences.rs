//! Silences of a sender, as Alertmanager has them: each is a silence of ours that concerns what this sender tells, and
//! nothing else. Who holds a sender's token may keep quiet what that sender says, as it may say that it is over.

use super::{Asked, Fault, found, matchers::Matcher};
use crate::{http::act, runtime::ActError};
use actix_web::{HttpResponse, http::StatusCode};
use engine::SilenceAct;
use serde::Deserialize;
use serde_json::{Value, json};
use shared::{
    Silence, SilenceId, SilenceRequest, Timestamp,
    config::{Condition, Operator},
    timeline::Actor,
};

/// Alertmanager keeps what is over for so long (`--data.retention`).
const KEPT_MS: i64 = 120 * 3_600_000;
const MOST: usize = 1_000;
/// Conditions of a silence, the bytes of all of them, and silences of one sender that stand: each is held against every alert,
/// and is there again after a restart.
const MATCHERS_MAX: usize = 64;
const MATCHERS_BYTES: usize = 8 * 1024;
const STANDING_MAX: usize = 500;
/// The first twenty digits of the ids: `tocsin`, then what makes it a UUID of the kind whose meaning is the maker's own.
const PREFIX: &str = "746f6373-696e-8000-8000-";

/// The id of a silence as a UUID.
pub(super) fn uuid(id: SilenceId) -> String {
    format!("{PREFIX}{:012x}", id.0)
}

fn number(text: &str) -> Option<SilenceId> {
    let digits = text.to_ascii_lowercase();
    i64::from_str_radix(digits.strip_prefix(PREFIX)?, 16).ok().map(SilenceId)
}

fn is_uuid(text: &str) -> bool {
    let lengths = [8, 4, 4, 4, 12];
    let parts: Vec<&str> = text.split('-').collect();
    let fits = |(part, length): (&&str, usize)| part.len() == length && part.bytes().all(|b| b.is_ascii_hexdigit());
    parts.len() == lengths.len() && parts.iter().zip(lengths).all(fits)
}

/// What is posted, before its members are known to be there.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Posted {
    id: Option<String>,
    matchers: Option<Vec<PostedMatcher>>,
    starts_at: Option<String>,
    ends_at: Option<String>,
    created_by: Option<String>,
    comment: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PostedMatcher {
    name: Option<String>,
    value: Option<String>,
    is_regex: Option<bool>,
    is_equal: Option<bool>,
}

/// What is asked for, complete.
struct Wanted {
    id: Option<String>,
    matchers: Vec<Matcher>,
    starts_at: Timestamp,
    ends_at: Timestamp,
    author: String,
    comment: String,
}

/// What a member is worth when it is there; go-openapi's code for one that is missing otherwise.
fn required<T>(name: &str, value: Option<T>) -> Result<T, Fault> {
    value.ok_or_else(|| Fault::unfit(602, format!("{name} in body is required")))
}

fn time(name: &str, text: Option<&str>) -> Result<Timestamp, Fault> {
    let text = required(name, text.filter(|text| !text.is_empty()))?;
    let unreadable =
        |_| Fault::unfit(400, format!("parsing silence body failed, because {name} is no time: \"{text}\""));
    let with_zone = if text.len() <= 19 { format!("{text}Z") } else { text.to_owned() };
    let at: jiff::Timestamp = with_zone.parse().map_err(unreadable)?;
    Ok(Timestamp::from_ms(at.as_millisecond()))
}

impl Wanted {
    fn read(body: &[u8]) -> Result<Self, Fault> {
        if body.trim_ascii().is_empty() {
            return Err(Fault::unfit(602, "silence in body is required"));
        }
        let unreadable = |error| Fault::unfit(400, format!("parsing silence body failed, because {error}"));
        let posted: Posted = serde_json::from_slice(body).map_err(unreadable)?;
        let comment = required("comment", posted.comment)?;
        let author = required("createdBy", posted.created_by)?;
        let ends_at = time("endsAt", posted.ends_at.as_deref())?;
        let listed = required("matchers", posted.matchers)?;
        let starts_at = time("startsAt", posted.starts_at.as_deref())?;
        if listed.is_empty() {
            return Err(Fault::unfit(612, "matchers in body should have at least 1 items"));
        }
        let complete = |(at, it): (usize, PostedMatcher)| {
            let named = |name| format!("matchers.{at}.{name}");
            let is_regex = required(&named("isRegex"), it.is_regex)?;
            let name = required(&named("name"), it.name)?;
            let value = required(&named("value"), it.value)?;
            Ok(Matcher { name, value, is_regex, is_equal: it.is_equal.unwrap_or(true) })
        };
        let matchers = listed.into_iter().enumerate().map(complete).collect::<Result<Vec<_>, Fault>>()?;
        let id = posted.id.filter(|id| !id.is_empty());
        Ok(Self { id, matchers, starts_at, ends_at, author, comment })
    }

    /// What Alertmanager looks at once a request is in its form.
    fn check(&self, now: Timestamp) -> Result<(), Fault> {
        if self.ends_at <= self.starts_at {
            return Err(Fault::bad("Failed to create silence: start time must be before end time"));
        }
        if self.ends_at <= now {
            return Err(Fault::bad("Failed to create silence: end time can't be in the past"));
        }
        let bytes: usize = self.matchers.iter().map(|it| it.name.len() + it.value.len()).sum();
        if self.matchers.len() > MATCHERS_MAX || bytes > MATCHERS_BYTES {
            let most = format!("at most {MATCHERS_MAX} matchers of {MATCHERS_BYTES} bytes together");
            return Err(Fault::bad(format!("silence invalid: {most}")));
        }
        let mut matches_something = false;
        for (at, it) in self.matchers.iter().enumerate() {
            let invalid = |why: String| Fault::bad(format!("silence invalid: invalid label matcher {at}: {why}"));
            if it.name.is_empty() || it.name.contains('"') {
                return Err(invalid(format!("invalid label name {:?}", it.name)));
            }
            matches_something |= !it.compile().map_err(invalid)?.matches("");
        }
        if !matches_something {
            return Err(Fault::bad("silence invalid: at least one matcher must not match the empty string"));
        }
        Ok(())
    }
}

/// The condition that keeps a silence to one sender.
fn of_sender(asked: &Asked<'_>) -> String {
    let value = asked.integration.to_string();
    Condition { field: "integration", operator: Operator::Equal, value: &value }.to_string()
}

fn is_of_sender(asked: &Asked<'_>, silence: &Silence) -> bool {
    silence.matches.contains(&of_sender(asked))
}

/// Whether it may concern what this sender tells.
fn concerns(asked: &Asked<'_>, silence: &Silence) -> bool {
    let ours = asked.integration.to_string();
    let names_us = |text: &String| match Condition::split(text) {
        Ok(Condition { field: "integration", operator: Operator::Equal, value }) => value == ours,
        _ => true,
    };
    silence.matches.iter().all(names_us)
}

fn matchers_of(asked: &Asked<'_>, silence: &Silence) -> Vec<Matcher> {
    let own = of_sender(asked);
    silence.matches.iter().filter(|text| **text != own).filter_map(|text| Matcher::of(text)).collect()
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Standing {
    Active,
    Pending,
    Expired,
}

fn standing(silence: &Silence, now: Timestamp) -> Standing {
    match silence {
        Silence { ended: Some(_), .. } => Standing::Expired,
        Silence { starts_at, .. } if *starts_at > now => Standing::Pending,
        _ => Standing::Active,
    }
}

/// When it ends; far away when it has no time to end at.
fn ends_at(silence: &Silence) -> Timestamp {
    const FAR: Timestamp = Timestamp::from_ms(253_370_764_800_000);
    silence.ended.as_ref().map(|end| end.at).or(silence.ends_at).unwrap_or(FAR)
}

fn shown(asked: &Asked<'_>, silence: &Silence) -> Value {
    let state = match standing(silence, asked.now) {
        Standing::Active => "active",
        Standing::Pending => "pending",
        Standing::Expired => "expired",
    };
    json!({
        "id": uuid(silence.id),
        "status": { "state": state },
        "updatedAt": super::alerts::instant(silence.ended.as_ref().map_or(silence.created_at, |end| end.at)),
        "comment": silence.reason,
        "createdBy": silence.author.clone().unwrap_or_else(|| silence.by.name()),
        "startsAt": super::alerts::instant(silence.starts_at.min(ends_at(silence))),
        "endsAt": super::alerts::instant(ends_at(silence)),
        "matchers": matchers_of(asked, silence),
    })
}

async fn known(asked: &Asked<'_>, id: SilenceId) -> Result<Option<Silence>, Fault> {
    let found = asked.app.db(move |store| store.silence(id)).await?;
    Ok(found.filter(|silence| concerns(asked, silence)))
}

fn id_of(text: &str) -> Result<Option<SilenceId>, Fault> {
    if !is_uuid(text) {
        return Err(Fault::unfit(601, format!("silenceID in path must be of type uuid: \"{text}\"")));
    }
    Ok(number(text))
}

/// Those that stand and those that are over of late: active, pending, expired.
pub(super) async fn list(asked: &Asked<'_>) -> Result<HttpResponse, Fault> {
    let filters = asked.query().into_iter().filter(|(name, _)| name == "filter");
    let filters: Vec<Matcher> =
        filters.map(|(_, text)| Matcher::parse(&text).map_err(Fault::bad)).collect::<Result<_, _>>()?;
    let since = asked.now.plus_ms(-KEPT_MS);
    let all = asked.app.db(move |store| {
        let mut all = store.silences_live()?;
        all.retain(|silence| silence.ended.is_none());
        all.extend(store.silences_ended(since, MOST)?);
        Ok(all)
    });
    // A filter asks for silences that have this very matcher.
    let admits = |silence: &Silence| {
        let own = matchers_of(asked, silence);
        concerns(asked, silence) && filters.iter().all(|filter| own.contains(filter))
    };
    let mut all: Vec<Silence> = all.await?.into_iter().filter(admits).collect();
    all.sort_by_key(|it| {
        let standing = standing(it, asked.now);
        let by = match standing {
            Standing::Active => ends_at(it).ms(),
            Standing::Pending => it.starts_at.ms(),
            Standing::Expired => -ends_at(it).ms(),
        };
        (standing, by, it.id)
    });
    Ok(found(&all.iter().map(|it| shown(asked, it)).collect()))
}

pub(super) async fn show(asked: &Asked<'_>, id: &str) -> Result<HttpResponse, Fault> {
    let Some(id) = id_of(id)? else { return Err(Fault::Nothing) };
    let silence = known(asked, id).await?.ok_or(Fault::Nothing)?;
    Ok(found(&shown(asked, &silence)))
}

/// Makes one, or changes one whose id is given: in place where it keeps the same quiet since the same time, and as another
/// one otherwise.
pub(super) async fn put(asked: &Asked<'_>, body: &[u8]) -> Result<HttpResponse, Fault> {
    let wanted = Wanted::read(body)?;
    wanted.check(asked.now)?;
    let not_found = || Fault::Said { status: StatusCode::NOT_FOUND, message: "silence not found".to_owned() };
    let known = match &wanted.id {
        None => None,
        Some(id) => {
            let id = number(id).ok_or_else(not_found)?;
            Some(known(asked, id).await?.ok_or_else(not_found)?)
        }
    };
    let Wanted { matchers, starts_at, ends_at, author, comment, .. } = wanted;
    let same = |silence: &Silence| {
        let (mut old, mut new) = (matchers_of(asked, silence), matchers.clone());
        old.sort();
        new.sort();
        old == new
    };
    let conditions = [of_sender(asked)].into_iter().chain(matchers.iter().map(Matcher::condition)).collect();
    // Somebody will wonder at night, and an empty comment is taken there.
    let reason = if comment.trim().is_empty() { format!("(no comment by {author})") } else { comment };
    let request = SilenceRequest {
        matches: conditions,
        starts_at: Some(starts_at.max(asked.now)),
        ends_at: Some(ends_at),
        reason,
        author: Some(author).filter(|it| !it.trim().is_empty()),
        ..SilenceRequest::default()
    };
    let silence = match known {
        Some(old) if old.ended.is_none() => {
            own(asked, &old)?;
            let keeps_start = match standing(&old, asked.now) {
                Standing::Pending => starts_at >= asked.now,
                _ => starts_at == old.starts_at,
            };
            if keeps_start && same(&old) {
                let request = SilenceRequest { starts_at: Some(starts_at), ..request };
                decide(asked, "silence.change", SilenceAct::Change(old.id, request)).await?
            } else {
                decide(asked, "silence.end", SilenceAct::End(old.id)).await?;
                decide(asked, "silence.begin", SilenceAct::Begin(request)).await?
            }
        }
        _ => {
            let standing = asked.app.db(|store| store.silences_live()).await?;
            if standing.iter().filter(|it| it.ended.is_none() && is_of_sender(asked, it)).count() >= STANDING_MAX {
                return Err(Fault::bad(format!("{STANDING_MAX} silences of this sender stand already; end some")));
            }
            decide(asked, "silence.begin", SilenceAct::Begin(request)).await?
        }
    };
    Ok(found(&json!({ "silenceID": uuid(silence.id) })))
}

/// Newer versions answer 404 for what is not there, where 0.25 answered 500.
pub(super) async fn end(asked: &Asked<'_>, id: &str) -> Result<HttpResponse, Fault> {
    let Some(id) = id_of(id)? else { return Err(Fault::Nothing) };
    let silence = known(asked, id).await?.ok_or(Fault::Nothing)?;
    own(asked, &silence)?;
    if silence.ended.is_none() {
        decide(asked, "silence.end", SilenceAct::End(id)).await?;
    }
    Ok(super::open(HttpResponse::Ok()).finish())
}

/// A sender's token changes what was made with it, and nothing that people made, or changed since.
fn own(asked: &Asked<'_>, silence: &Silence) -> Result<(), Fault> {
    let by_sender = silence.by == Actor::Integration { integration: asked.integration.clone() };
    if by_sender && is_of_sender(asked, silence) && silence.configured.is_none() {
        return Ok(());
    }
    let message = "this silence was made in Tocsin and is not this sender's alone; change it there".to_owned();
    Err(Fault::Said { status: StatusCode::FORBIDDEN, message })
}

async fn decide(asked: &Asked<'_>, action: &str, what: SilenceAct) -> Result<Silence, Fault> {
    let by = Actor::Integration { integration: asked.integration.clone() };
    let name = by.name();
    let silence = asked.app.runtime.silence(by, what).await.map_err(|error| match error {
        ActError::Refused(refusal) => Fault::bad(refusal.to_string()),
        ActError::Unavailable { .. } => Fault::from(crate::runtime::Unavailable),
    })?;
    let detail = format!("{}: {}", silence.matches.join(", "), silence.reason);
    let entry = act(&name, action, silence.id.to_string(), detail);
    asked.app.db(move |store| store.audit_append(&entry)).await?;
    Ok(silence)
}
