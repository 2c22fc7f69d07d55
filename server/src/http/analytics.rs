//! Figures about the past, read in pieces: how soon people answered, whom it woke, and what is noise.

use super::{
    App,
    app::{blocking, now},
    csv,
    incidents::severities,
    oncall::named_people,
    problem::ApiError,
};
use crate::shifts;
use actix_web::{
    HttpResponse,
    http::header::CONTENT_DISPOSITION,
    web::{self, Query},
};
use engine::{
    Snapshot,
    analytics::{Fold, Scope},
    oncall::{gaps, history, zone},
};
use serde::Deserialize;
use shared::{
    Delay, PersonId, TeamId, Timestamp,
    api::{Analytics, Coverage, DeliveryCount, Distribution, NamedLoad, Noise, Stretch, TeamName},
    config::{ContactKind, Schedule},
};
use tokio::sync::Mutex;

/// The longest range: a quarter.
const LONGEST: Delay = Delay(92 * 86_400_000);
/// Incidents read at once, and altogether; more are cut, the oldest.
const PIECE: usize = 500;
const MOST: usize = 200_000;

/// One at a time: it is work for a processor, and pages come first.
static TURN: Mutex<()> = Mutex::const_new(());

#[derive(Deserialize)]
pub(super) struct Asked {
    from: Timestamp,
    until: Timestamp,
    zone: Option<String>,
    team: Option<TeamId>,
    severity: Option<String>,
    /// `csv`: one table.
    format: Option<String>,
    table: Option<String>,
}

pub(super) async fn show(app: web::Data<App>, asked: Query<Asked>) -> Result<HttpResponse, ApiError> {
    let asked = asked.into_inner();
    if asked.from.ms() < 0 || !(1..=LONGEST.0).contains(&asked.until.ms_since(asked.from)) {
        return Err(ApiError::invalid("until", "Ask for a range that ends after it begins, at most 92 days later."));
    }
    let table = match asked.format.as_deref() {
        None | Some("json") => None,
        Some("csv") => {
            let name = asked.table.as_deref().unwrap_or_default();
            Some(TABLES.iter().find(|(known, _)| *known == name).ok_or_else(|| no_table(name))?)
        }
        Some(_) => return Err(ApiError::invalid("format", "Ask for `json` or `csv`.")),
    };
    let figures = figures(&app, asked).await?;
    let Some((name, write)) = table else { return Ok(HttpResponse::Ok().json(figures)) };
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"tocsin-{name}.csv\"")))
        .content_type("text/csv; charset=utf-8; header=present")
        .body(write(&figures)))
}

fn no_table(name: &str) -> ApiError {
    let names: Vec<&str> = TABLES.iter().map(|(name, _)| *name).collect();
    ApiError::invalid("table", format!("`{name}` is not a table; ask for one of {}.", names.join(", ")))
}

async fn figures(app: &App, asked: Asked) -> Result<Analytics, ApiError> {
    let Asked { from, until, team, .. } = asked;
    let severities = severities(asked.severity.as_deref().unwrap_or_default())?;
    let own = zone(asked.zone.as_deref().unwrap_or("UTC")).map_err(|error| ApiError::invalid("zone", error))?;
    let config = app.runtime.config();
    let zones = config.document.people.iter();
    let zones = zones.filter_map(|person| Some((person.id.clone(), zone(person.time_zone.as_deref()?).ok()?)));
    let names = named_people(&config, config.people.keys());
    let mut fold = Fold::new(Scope { from, until, zone: own, zones: zones.collect(), names });

    let _turn = TURN.lock().await;
    let mut cursor = app.db(move |store| store.told_from(from, until, severities, team)).await?;
    let (mut read, mut cut_at) = (0, None);
    loop {
        // A piece at a time, so that others get at the connection in between.
        let piece;
        (fold, cursor, piece) = app
            .db(move |store| {
                let told = store.told_next(&mut cursor, PIECE)?;
                told.iter().for_each(|told| fold.add(&told.incident, &told.story));
                Ok((fold, cursor, told.last().map(|last| (told.len(), last.incident.opened_at))))
            })
            .await?;
        let Some((count, oldest)) = piece else { break };
        read += count;
        if read >= MOST {
            cut_at = Some(oldest.max(from)).filter(|_| oldest > from);
            break;
        }
    }
    let schedules = coverage(app, from, until.min(now())).await?;
    let (messages, unpaged) = app.db(move |store| store.messages_between(from, until)).await?;
    let figures = blocking(move || fold.finish()).await?;
    let teams = config.document.teams.iter();
    let teams = teams.map(|team| TeamName { team: team.id.clone(), name: team.name.clone() }).collect();
    Ok(Analytics { messages, unpaged, cut_at, schedules, teams, ..figures })
}

/// What is over of a range: its gaps and what each person carried, by schedule.
async fn coverage(app: &App, from: Timestamp, until: Timestamp) -> Result<Vec<Coverage>, ApiError> {
    let config = app.runtime.config();
    if until <= from {
        return Ok(Vec::new());
    }
    let ids: Vec<_> = config.document.schedules.iter().map(|schedule| schedule.id.clone()).collect();
    let stored = app
        .db(move |store| {
            let recorded = shifts::record(store, now())?.unwrap_or(until).clamp(from, until);
            let past = ids.iter().map(|id| store.shifts_between(id, from, recorded));
            Ok((past.collect::<Result<Vec<_>, _>>()?, recorded))
        })
        .await?;
    blocking(move || {
        let (past, recorded) = stored;
        let schedules = config.document.schedules.iter().zip(past);
        schedules.filter_map(|(schedule, past)| covered(&config, schedule, past, (from, recorded, until))).collect()
    })
    .await
}

fn covered(
    config: &Snapshot,
    schedule: &Schedule,
    mut stretches: Vec<Stretch>,
    (from, recorded, until): (Timestamp, Timestamp, Timestamp),
) -> Option<Coverage> {
    let roster = config.rosters.get(&schedule.id)?;
    history::append(&mut stretches, roster.between(recorded, until));
    let name = |id: &PersonId| config.people.get(id).map_or_else(|| id.to_string(), |it| it.name.clone());
    let load = roster.load(&stretches).into_iter().map(|load| NamedLoad { name: name(&load.person), load });
    Some(Coverage {
        schedule: schedule.id.clone(),
        name: schedule.name.clone(),
        from,
        until,
        gaps: gaps(&stretches),
        load: load.collect(),
    })
}

/// Writes one table as CSV.
type Write = fn(&Analytics) -> String;

/// The tables that can be had as CSV.
const TABLES: &[(&str, Write)] = &[
    ("acknowledge", |it| times(&it.acknowledge)),
    ("resolve", |it| times(&it.resolve)),
    ("people", people),
    ("channels", channels),
    ("hours", hours),
    ("identities", |it| noise(&it.identities)),
    ("routes", |it| noise(&it.routes)),
    ("policies", |it| noise(&it.policies)),
    ("quiet", quiet),
    ("gaps", gaps_table),
    ("load", load_table),
];

fn or_empty<T: ToString>(value: Option<T>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// As a spreadsheet reads it: `2026-11-21T07:00:00Z`.
pub(super) fn instant(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.ms()).map_or_else(|_| at.ms().to_string(), |at| at.to_string())
}

fn times(of: &Distribution) -> String {
    let mut headings: Vec<String> =
        ["severity", "done", "never", "waiting", "p50_ms", "p90_ms", "p99_ms"].map(str::to_owned).to_vec();
    headings.extend(of.bounds_ms.iter().map(|bound| format!("up_to_{bound}_ms")));
    headings.push("longer".to_owned());
    let headings: Vec<&str> = headings.iter().map(String::as_str).collect();
    let rows = of.rows.iter().map(|row| {
        let mut cells = vec![
            row.severity.map_or_else(|| "all".to_owned(), |it| it.to_string()),
            row.done.to_string(),
            row.never.to_string(),
            row.waiting.to_string(),
        ];
        cells.extend([row.p50_ms, row.p90_ms, row.p99_ms].map(or_empty));
        cells.extend(row.counts.iter().map(ToString::to_string));
        cells
    });
    csv::written(&headings, rows)
}

fn people(of: &Analytics) -> String {
    let rows = of.people.iter().flat_map(|person| {
        person.days.iter().map(|day| {
            let date = usize::try_from(day.day).ok().and_then(|place| of.days.get(place)).cloned();
            vec![
                person.person.to_string(),
                person.name.clone(),
                date.unwrap_or_default(),
                day.pages.to_string(),
                day.night.to_string(),
            ]
        })
    });
    csv::written(&["person", "name", "day", "pages", "night"], rows)
}

/// A row a channel and day, after one for the channel's whole range.
fn channels(of: &Analytics) -> String {
    let row = |channel: ContactKind, day: &str, count: &DeliveryCount| {
        let mut cells = vec![channel.as_str().to_owned(), day.to_owned()];
        let counts = [count.sent, count.accepted, count.failed, count.cancelled, count.waiting, count.retried];
        cells.extend(counts.map(|count| count.to_string()));
        cells.extend([count.p50_ms, count.p90_ms, count.p99_ms].map(or_empty));
        cells
    };
    let rows = of.channels.iter().flat_map(|it| {
        let days = it.days.iter().map(move |day| row(it.channel, &day.day, &day.count));
        std::iter::once(row(it.channel, "all", &it.all)).chain(days)
    });
    let headings = [
        "channel",
        "day",
        "sent",
        "accepted",
        "failed",
        "cancelled",
        "waiting",
        "retried",
        "p50_ms",
        "p90_ms",
        "p99_ms",
    ];
    csv::written(&headings, rows)
}

fn hours(of: &Analytics) -> String {
    let rows = of.hours.iter().enumerate().map(|(place, hour)| {
        vec![
            (place / 24 + 1).to_string(),
            (place % 24).to_string(),
            hour.pages.to_string(),
            hour.incidents.to_string(),
            or_empty(hour.ack_ms),
        ]
    });
    csv::written(&["weekday", "hour", "pages", "incidents", "median_ack_ms"], rows)
}

fn noise(of: &[Noise]) -> String {
    let headings = [
        "id",
        "title",
        "host",
        "integration",
        "newest_incident",
        "incidents",
        "messages",
        "pages",
        "acknowledged",
        "over_by_itself",
        "unneeded_pages",
        "again",
        "flapped",
        "silenced",
    ];
    let rows = of.iter().map(|it| {
        let mut cells =
            vec![it.id.clone(), it.title.clone(), or_empty(it.host.as_ref()), or_empty(it.integration.as_ref())];
        cells.extend([it.newest.to_string(), it.incidents.to_string(), it.messages.to_string()]);
        let counts = [it.pages, it.acknowledged, it.by_itself, it.unneeded, it.again, it.flapped, it.silenced];
        cells.extend(counts.map(|count| count.to_string()));
        cells
    });
    csv::written(&headings, rows)
}

fn quiet(of: &Analytics) -> String {
    let rows = of.quiet.iter().map(|it| {
        let kind = serde_json::to_value(it.kind).ok().and_then(|kind| kind.as_str().map(str::to_owned));
        vec![kind.unwrap_or_default(), it.id.clone(), it.incidents.to_string(), it.paged.to_string()]
    });
    csv::written(&["kind", "id", "incidents", "paged"], rows)
}

fn gaps_table(of: &Analytics) -> String {
    let rows = of.schedules.iter().flat_map(|it| {
        let gaps = it.gaps.iter();
        gaps.map(|gap| vec![it.schedule.to_string(), it.name.clone(), instant(gap.from), instant(gap.until)])
    });
    csv::written(&["schedule", "name", "from", "until"], rows)
}

fn load_table(of: &Analytics) -> String {
    let headings = ["schedule", "person", "name", "shifts", "total_ms", "night_ms", "weekend_ms", "holiday_ms"];
    let rows = of.schedules.iter().flat_map(|it| {
        it.load.iter().map(|NamedLoad { name, load }| {
            let mut cells =
                vec![it.schedule.to_string(), load.person.to_string(), name.clone(), load.shifts.to_string()];
            let spans = [load.total_ms, load.night_ms, load.weekend_ms, load.holiday_ms];
            cells.extend(spans.map(|ms| ms.to_string()));
            cells
        })
    });
    csv::written(&headings, rows)
}
