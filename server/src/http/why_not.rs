//! "Why was I not paged at 03:12": what was going on then, and for each of it the reason.

use super::{
    App,
    app::{blocking, now},
    incidents,
    not_paged::{self, Known},
    principal::Principal,
    problem::ApiError,
    reader,
    schedules::on_call_at,
};
use actix_web::{
    HttpRequest,
    web::{self, Query},
};
use engine::Snapshot;
use serde::Deserialize;
use shared::{
    AttemptState, Delay, Incident, Page, PersonId, Recipient, Timestamp,
    api::{DutyThen, IncidentRow, PageThen, WhyNot, WhyNotIncident},
    text::Names,
    timeline::{Happening, TimelineEntry},
};

const AROUND: Delay = Delay::mins(30);
const MOST_AROUND: Delay = Delay::mins(24 * 60);
const MOST_INCIDENTS: usize = 100;
const MOST_MESSAGES: usize = 50;

#[derive(Deserialize)]
pub(super) struct Moment {
    at: Timestamp,
    /// Minutes before and after.
    within: Option<i64>,
    /// In title, host, address or number.
    q: Option<String>,
}

pub(super) async fn explain(
    app: web::Data<App>,
    request: HttpRequest,
    principal: Principal,
    person: web::Path<String>,
    moment: Query<Moment>,
) -> Result<web::Json<WhyNot>, ApiError> {
    let Moment { at, within, q } = moment.into_inner();
    let around = within.map_or(AROUND, Delay::mins);
    if !(1..=MOST_AROUND.0).contains(&around.0) {
        return Err(ApiError::invalid("within", "Ask for 1 to 1440 minutes before and after."));
    }
    if at > now() {
        return Err(ApiError::invalid("at", "Ask about a moment that is over; the policies page shows what will be."));
    }
    let config = app.runtime.config();
    let person = PersonId::from(person.into_inner());
    let name = config.people.get(&person).ok_or_else(|| ApiError::not_found("person"))?.name.clone();
    let language = reader::of(&app, &principal, &request);
    let (from, until) = (at.plus_ms(-around.0), at.after(around));

    let duties = duties(&app, &config, &person, at).await?;
    let (mut open, messages) = app
        .db(move |store| {
            let incidents = store.incidents_between(from, until, MOST_INCIDENTS + 1)?;
            let told = incidents.into_iter().map(|it| store.timeline(it.id).map(|timeline| (it, timeline)));
            Ok((told.collect::<Result<Vec<_>, _>>()?, store.unpaged_between(from, until, MOST_MESSAGES)?))
        })
        .await?;
    let more = open.len() > MOST_INCIDENTS || messages.next.is_some();
    open.truncate(MOST_INCIDENTS);
    let words = q.map(|words| words.trim().to_lowercase()).filter(|words| !words.is_empty());
    open.retain(|(incident, timeline)| {
        timeline.iter().any(|entry| (from..until).contains(&entry.at))
            && words.as_deref().is_none_or(|words| mentions(incident, words))
    });
    let policies = incidents::policies(&app, open.iter().map(|(incident, _)| incident)).await?;
    let asked = open.iter().filter_map(|(_, timeline)| not_paged::last_asked(timeline)).map(|(_, version)| version);
    let documents = incidents::documents(&app, asked.collect::<Vec<_>>()).await?;
    let messages =
        messages.items.into_iter().filter(|it| words.as_deref().is_none_or(|words| contains(&it.text, words)));
    let messages = messages.collect();
    let of = person.clone();
    let incidents = blocking(move || {
        let names: Names = config.people.iter().map(|(id, person)| (id.clone(), person.name.clone())).collect();
        let (policies, documents) = (&policies, &documents);
        let known = Known { l: language, names: &names, policies, documents, config: &config };
        let tell = |(incident, timeline): (Incident, Vec<TimelineEntry>)| {
            let mine = incident.pages.iter().filter(|page| is_for(page, &of));
            let pages: Vec<PageThen> = mine.map(|page| then(page, &timeline)).collect();
            let pieces = match pages.as_slice() {
                [] => not_paged::reason_of(known, &of, &incident, &timeline),
                _ => Vec::new(),
            };
            let reason = pages.is_empty().then(|| not_paged::whole(&pieces));
            WhyNotIncident { row: IncidentRow::from(&incident), pages, reason, pieces }
        };
        open.into_iter().map(tell).collect()
    });
    let incidents = incidents.await?;
    Ok(web::Json(WhyNot { person, name, at, from, until, duties, incidents, messages, more }))
}

/// The schedules somebody takes part in, or was on call in all the same.
async fn duties(app: &App, config: &Snapshot, person: &PersonId, at: Timestamp) -> Result<Vec<DutyThen>, ApiError> {
    let mut found = Vec::new();
    for schedule in &config.document.schedules {
        let on_call = on_call_at(app, config, &schedule.id, at).await?;
        let was = on_call.contains(person);
        if was || not_paged::takes_part(schedule, person) {
            let name = |id: &PersonId| config.people.get(id).map_or_else(|| id.to_string(), |it| it.name.clone());
            let others = on_call.iter().filter(|id| *id != person).map(name).collect();
            found.push(DutyThen { schedule: schedule.id.clone(), name: schedule.name.clone(), on_call: was, others });
        }
    }
    Ok(found)
}

fn mentions(incident: &Incident, words: &str) -> bool {
    let texts = [Some(&incident.title), incident.host.as_ref(), incident.ip.as_ref()];
    texts.into_iter().flatten().any(|text| contains(text, words)) || format!("#{}", incident.id) == words
}

fn contains(text: &str, words: &str) -> bool {
    text.to_lowercase().contains(words)
}

fn is_for(page: &Page, person: &PersonId) -> bool {
    matches!(&page.recipient, Recipient::Person(id) if id == person)
}

/// The best delivery is one that was taken, else the one that went furthest.
fn then(page: &Page, timeline: &[TimelineEntry]) -> PageThen {
    let version = timeline.iter().find_map(|entry| match &entry.what {
        Happening::Paged { page: id, config, .. } if *id == page.id => *config,
        _ => None,
    });
    let rank = |state: AttemptState| match state {
        AttemptState::Accepted => 0,
        AttemptState::Sending => 1,
        AttemptState::Retrying => 2,
        AttemptState::Planned => 3,
        AttemptState::Failed => 4,
        AttemptState::Cancelled => 5,
    };
    let best = page.attempts.iter().min_by_key(|attempt| rank(attempt.state));
    PageThen {
        at: page.begins_at(),
        policy: page.policy.clone(),
        config: version,
        level: page.level + 1,
        state: best.map(|attempt| attempt.state),
        done_at: best.and_then(|attempt| attempt.finished_at),
    }
}
