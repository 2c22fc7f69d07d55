//! Calendars that others keep: fetched again and again. The last good copy is stored and counts, whatever becomes of the
//! calendar; the engine takes it as an event, and past shifts stay as they were.

use crate::{
    clock,
    db::{CalendarState, Readers, Store, StoreError},
    entropy,
    outbound::{Deadlines, Fetch, Fetched, Outbound},
    runtime::Runtime,
    shifts,
};
use actix_web::web;
use engine::{
    heartbeat,
    oncall::{self, Imported},
};
use futures_util::StreamExt as _;
use shared::{
    Delay, ScheduleId, Signal, Timestamp,
    api::{ImportedCalendar, UnclearName},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

/// A calendar is fetched about this often.
const EVERY: Delay = Delay(15 * 60_000);
/// After a first try that failed; twice as long after each further one, up to [`EVERY`].
const AGAIN: Delay = Delay(60_000);
/// A calendar that could not be looked at for longer is told as old.
pub const OLD: Delay = heartbeat::CALENDAR_OLD;
/// Some ten thousand events; a larger one is no calendar of shifts.
const MOST_BYTES: usize = 4 * 1_024 * 1_024;
const DEADLINES: Deadlines = Deadlines { connect: Duration::from_secs(5), total: Duration::from_secs(30) };
const AT_ONCE: usize = 4;
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Names that are shown of one calendar.
const NAMES_MAX: usize = 20;

/// Fetches every calendar of the configuration in force when it is due, for ever.
pub async fn keep(runtime: Runtime, readers: Arc<Readers>) {
    let mut due: BTreeMap<String, Timestamp> = BTreeMap::new();
    let mut known = None;
    loop {
        let config = runtime.config();
        let urls: BTreeSet<String> = config.document.calendar_urls().map(str::to_owned).collect();
        if known.as_ref() != Some(&urls) {
            due.retain(|url, _| urls.contains(url));
            match forget(&readers, urls.clone()).await {
                Ok(()) => known = Some(urls.clone()),
                Err(error) => tracing::warn!(%error, "calendars nobody names could not be forgotten"),
            }
        }
        let now = clock::now();
        let wanted: Vec<String> = urls.into_iter().filter(|url| due.get(url).is_none_or(|at| *at <= now)).collect();
        if !wanted.is_empty() {
            for (url, failures) in fetch(&runtime, &readers, wanted).await {
                due.insert(url, clock::now().after(pause(failures)));
            }
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// How long until the next try, give or take a tenth, so that not all servers of the world ask at once.
fn pause(failures: u32) -> Delay {
    let usual = match failures {
        0 => EVERY.0,
        _ => AGAIN.0.saturating_mul(1 << (failures - 1).min(8)).min(EVERY.0),
    };
    let [dice] = entropy::bytes::<1>();
    Delay(usual * (900 + i64::from(dice) * 200 / 255) / 1_000)
}

/// Past shifts still need the copies they came from, so those are recorded first.
async fn forget(readers: &Arc<Readers>, urls: BTreeSet<String>) -> Result<(), StoreError> {
    let work = move |store: &mut Store| {
        if store.calendar_states()?.iter().any(|state| !urls.contains(&state.url)) {
            shifts::record(store, clock::now())?;
            store.calendars_keep(&urls)?;
        }
        Ok(())
    };
    readers.aside(work).await
}

/// Fetches some calendars now and puts those that changed in force. Gives how often each has failed in a row.
pub async fn fetch(runtime: &Runtime, readers: &Arc<Readers>, urls: Vec<String>) -> Vec<(String, u32)> {
    let limits = &runtime.config().document.channels.webhook;
    let outbound = match Outbound::new(limits, &[], DEADLINES) {
        Ok(outbound) => outbound,
        Err(error) => {
            tracing::error!(error, "no calendar can be fetched");
            return urls.into_iter().map(|url| (url, 1)).collect();
        }
    };
    let one = |url: String| async {
        let done = fetch_one(&outbound, readers, &url).await;
        (url, done)
    };
    let done: Vec<_> = futures_util::stream::iter(urls.into_iter().map(one)).buffer_unordered(AT_ONCE).collect().await;
    // Should the engine not answer now, it finds the new copy by itself.
    if done.iter().any(|(_, done)| done.as_ref().is_ok_and(|(_, changed)| *changed)) && runtime.reload().await.is_err()
    {
        tracing::warn!("the engine has not taken the new calendars yet");
    }
    let mut failures = Vec::with_capacity(done.len());
    for (url, done) in done {
        match done {
            Ok((state, _)) => {
                failures.push((url, state.failures));
                hear(runtime, &state).await;
            }
            Err(error) => {
                tracing::warn!(%error, "a calendar that was fetched could not be stored; it is tried again");
                failures.push((url, 1));
            }
        }
    }
    failures
}

/// A good copy is a beat of every layer that takes its shifts from there, so that the engine misses it when none comes; a
/// failure only says why.
async fn hear(runtime: &Runtime, state: &CalendarState) {
    let signal = if state.error.is_none() { Signal::Beat } else { Signal::Log };
    let config = runtime.config();
    for schedule in &config.document.schedules {
        for layer in schedule.layers.iter().filter(|layer| layer.ical_url.as_deref() == Some(state.url.as_str())) {
            let id = heartbeat::of_calendar(&schedule.id, &layer.id);
            if let Err(error) = runtime.hear(id, signal, state.error.clone().unwrap_or_default()).await {
                tracing::warn!(%error, "the engine did not hear how a calendar was fetched; it will the next time");
            }
        }
    }
}

/// Gives how it stands now, and whether the copy is another one.
async fn fetch_one(
    outbound: &Outbound,
    readers: &Arc<Readers>,
    url: &str,
) -> Result<(CalendarState, bool), StoreError> {
    let known = url.to_owned();
    let read = move |store: &mut Store| Ok(store.calendar_states()?.into_iter().find(|state| state.url == known));
    let before = readers.aside(read).await?;
    let seen = before.clone().unwrap_or_default();
    let asked = Fetch {
        url: as_https(url),
        etag: seen.etag.clone(),
        last_modified: seen.last_modified.clone(),
        most_bytes: MOST_BYTES,
        accept: "text/calendar, */*;q=0.1",
    };
    let read = match outbound.fetch(&asked).await {
        Ok(Fetched::Unchanged) => Ok(None),
        Ok(Fetched::New { body, etag, last_modified }) => {
            readable(body).await.map(|text| Some((text, etag, last_modified)))
        }
        Err(failure) => Err(failure.detail),
    };
    let now = clock::now();
    let mut state = CalendarState { url: url.to_owned(), tried_at: now, error: None, ..seen };
    let mut new = None;
    match read {
        Ok(found) => {
            (state.good_at, state.failures) = (Some(now), 0);
            if let Some((text, etag, last_modified)) = found {
                (state.etag, state.last_modified) = (etag, last_modified);
                new = Some(text);
            }
        }
        Err(error) => {
            // Where others keep it may be a secret; what is wrong with it is not.
            tracing::warn!(host = host(url), error, "a calendar could not be fetched; its last good copy counts");
            (state.error, state.failures) = (Some(error), state.failures + 1);
        }
    }
    let keep = move |store: &mut Store| {
        let copies = store.calendar_copies()?;
        let new = new.filter(|text| copies.get(&state.url).is_none_or(|copy| **copy != **text));
        if new.is_some() {
            state.changed_at = Some(now);
            // Until now the copy before was in force.
            shifts::record(store, now)?;
        }
        let kept = store.calendar_put(before.as_ref(), &state, new.as_deref())?;
        Ok((state, kept && new.is_some()))
    };
    readers.aside(keep).await
}

/// The text of a calendar that can be read, on a thread where that is no harm.
async fn readable(body: Vec<u8>) -> Result<String, String> {
    let read = web::block(move || {
        let text =
            String::from_utf8(body).map_err(|_| "it is not a calendar: it is not written in UTF-8".to_owned())?;
        oncall::count_events(&text).map_err(|error| format!("it is not a calendar that can be read: {error}"))?;
        Ok(text)
    });
    read.await.unwrap_or_else(|_| Err("the server was stopping".to_owned()))
}

/// `webcal://` is what programs call a calendar by https.
fn as_https(url: &str) -> String {
    let rest = ["webcal://", "webcals://"].iter().find_map(|scheme| {
        let head = url.get(..scheme.len())?;
        head.eq_ignore_ascii_case(scheme).then(|| url.get(scheme.len()..).unwrap_or_default())
    });
    rest.map_or_else(|| url.to_owned(), |rest| format!("https://{rest}"))
}

/// Where it is kept, without what may be secret in its address.
#[must_use]
pub fn host(url: &str) -> String {
    let host = url::Url::parse(&as_https(url)).ok().and_then(|url| url.host_str().map(str::to_owned));
    host.unwrap_or_default()
}

/// A calendar of a layer as people see it.
#[must_use]
pub fn shown(schedule: &ScheduleId, imported: &Imported, states: &[CalendarState], now: Timestamp) -> ImportedCalendar {
    let state = states.iter().find(|state| state.url == imported.url);
    let good_at = state.and_then(|state| state.good_at);
    let name = |it: &oncall::Unclear| UnclearName { event: it.event.clone(), name: it.name.clone(), shared: it.shared };
    let (events, last) = match &imported.copy {
        oncall::CopyState::Read { events, last, .. } => (*events as u32, *last),
        oncall::CopyState::Missing | oncall::CopyState::Unreadable(_) => (0, None),
    };
    let unreadable = match &imported.copy {
        oncall::CopyState::Unreadable(why) => Some(why.clone()),
        _ => None,
    };
    ImportedCalendar {
        schedule: schedule.clone(),
        layer: imported.layer.clone(),
        host: host(&imported.url),
        has_copy: !imported.is_unknown(),
        events,
        last,
        good_at,
        changed_at: state.and_then(|state| state.changed_at),
        tried_at: state.map(|state| state.tried_at),
        error: state.and_then(|state| state.error.clone()).or(unreadable),
        old: good_at.is_some_and(|at| now.ms_since(at) > OLD.0),
        unclear: imported.unclear(now).into_iter().take(NAMES_MAX).map(name).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_calendar_is_tried_soon_and_then_less_often() {
        let within = |failures: u32, minutes: i64| {
            let pause = pause(failures).0;
            (minutes * 54_000..=minutes * 66_000).contains(&pause)
        };
        assert!(within(0, 15) && within(1, 1) && within(2, 2) && within(4, 8) && within(5, 15) && within(u32::MAX, 15));
    }

    #[test]
    fn webcal_is_https_and_the_host_is_no_secret() {
        assert_eq!(as_https("WebCal://x.example/s?k=1"), "https://x.example/s?k=1");
        assert_eq!(as_https("http://x.example/"), "http://x.example/");
        assert_eq!(host("webcal://user:pass@x.example/private-1/basic.ics"), "x.example");
    }
}
