//! One message at one instant, and the hours after it: who would be paged, when, by which level, and why.

use crate::{
    Snapshot, classify,
    lint::lint,
    matcher::Subject,
    normalize::{Source, normalize},
    oncall::{read, zone},
    route::{self, Routing},
    stage::{Post, Scene, Sent, Stage},
};
use jiff::ToSpan as _;
use shared::{
    Delay, IntegrationId, PolicyId, RouteId, Severity, Timestamp,
    api::{self, RehearsedDelivery, RehearsedMember},
    config::{Document, Finding, Route},
    timeline::{Outcome, SeverityReason, TimelineEntry},
};
use std::{ops::ControlFlow, sync::Arc};

/// Deliveries looked at in one rehearsal.
const SENT_MAX: usize = 2_000;
/// Entries of timelines, likewise.
const ENTRIES_MAX: usize = 20_000;

/// What is tried when nothing else is said.
pub const SAMPLE: &str = "[P1][PROBLEM][db-7][][host is down]";
/// A sender without settings.
pub const NOBODYS: &str = "simulated";
/// How long is looked on when nothing else is said.
pub const LENGTH: Delay = Delay::mins(120);
/// How the next change of a clock is asked for.
pub const CLOCK_CHANGE: &str = "clock-change";

/// What would happen.
#[derive(Clone, Debug, Default)]
pub struct Rehearsal {
    pub outcomes: Vec<Outcome>,
    /// In the order in which they begin.
    pub sent: Vec<Sent>,
    /// Everything the engine decides, with its reasons.
    pub timeline: Vec<TimelineEntry>,
    /// There was more than is looked at.
    pub cut: bool,
}

/// Tries a message: the same reading and routing as of a real one, and then [`rehearse`].
#[must_use]
pub fn try_message(
    config: &Arc<Snapshot>,
    integration: &IntegrationId,
    body: &[u8],
    at: Timestamp,
    length: Delay,
) -> api::Rehearsal {
    let settings = config.integration(integration);
    let read = normalize(
        &Source { integration: &settings, content_type: None, format: None, peer: None, received_at: at },
        body,
    );
    let member = |event: &shared::AlertEvent| {
        let stated = classify::classify(config, integration, event, at);
        let subject = Subject { event, integration, severity: stated.severity(), now: at };
        let routing = route::route(&config.tree, &subject);
        let by_route = routing.severity.as_ref().map(|(route, severity)| (route, *severity));
        member(classify::overruled(stated, by_route), routing)
    };
    let members = read.events.iter().map(|parsed| member(&parsed.event)).collect();
    let Rehearsal { outcomes, sent, timeline, cut } = rehearse(config, integration, body, at, length);
    let sent = sent.into_iter().map(delivery).collect();
    api::Rehearsal { version: config.version, at, read: read.into(), members, outcomes, sent, timeline, cut }
}

fn member(severity: SeverityReason, routing: Routing) -> RehearsedMember {
    let hold = |policy: &PolicyId| Some((policy.clone(), routing.hold(policy, severity.severity())?));
    let holds = routing.policies.iter().filter_map(hold).collect();
    RehearsedMember {
        severity,
        trace: routing.trace,
        policies: routing.policies,
        team: routing.team,
        annotations: routing.annotations.to_map(),
        group: routing.group.map(|group| group.key),
        stale_after: routing.stale_after,
        holds,
        muted: routing.held.into_iter().collect(),
    }
}

/// A delivery as it is told.
#[must_use]
pub fn delivery(sent: Sent) -> RehearsedDelivery {
    let Sent {
        at,
        incident,
        page: _,
        first,
        reminder,
        recipient,
        via,
        contact,
        channel,
        policy,
        level,
        cycle,
        severity,
    } = sent;
    RehearsedDelivery {
        at,
        incident,
        severity,
        recipient,
        via,
        contact,
        channel,
        policy,
        level,
        cycle,
        first,
        reminder,
    }
}

/// What is wrong with a document, or doubtful when nothing is.
#[must_use]
pub fn review(document: Document, now: Timestamp) -> Vec<Finding> {
    match Snapshot::compile(1, document) {
        Ok(snapshot) => lint(&snapshot, now),
        Err(faults) => faults,
    }
}

/// Lets a message arrive while nothing else is open, and nobody answer for so long.
#[must_use]
pub fn rehearse(
    config: &Arc<Snapshot>,
    integration: &IntegrationId,
    body: &[u8],
    at: Timestamp,
    length: Delay,
) -> Rehearsal {
    let mut told = Rehearsal::default();
    let mut stage = Stage::new(config.clone(), at);
    let Rehearsal { sent, timeline, cut, .. } = &mut told;
    let mut watch = |scene: &Scene| {
        sent.extend(scene.sent.iter().cloned());
        timeline.extend(scene.changes.timeline.iter().cloned());
        *cut = sent.len() >= SENT_MAX || timeline.len() >= ENTRIES_MAX;
        if *cut { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let post = Post { integration, content_type: None, key: None, received_at: at, body };
    let outcomes = stage.post(at, &post, &mut watch).outcomes;
    stage.advance(at.after(length), &mut watch);
    told.outcomes = outcomes;
    told
}

/// The same for a lone alert of a severity that goes to one policy, whatever the routes say.
///
/// # Errors
/// Everything that is wrong with the document.
pub fn rehearse_policy(
    document: &Document,
    policy: &PolicyId,
    severity: Severity,
    at: Timestamp,
    length: Delay,
) -> Result<Rehearsal, Vec<Finding>> {
    let only = Route { id: RouteId::from("only"), policy: Some(policy.clone()), ..Route::default() };
    let document = Document { routes: vec![only], inhibitions: Vec::new(), silences: Vec::new(), ..document.clone() };
    let config = Arc::new(Snapshot::compile(1, document)?);
    let body = format!("[{severity}][PROBLEM][host][][something is wrong]");
    Ok(rehearse(&config, &IntegrationId::from("rehearsal"), body.as_bytes(), at, length))
}

/// When the clock of a zone changes next, after an instant; none when it never does.
#[must_use]
pub fn clock_change(zone_name: &str, after: Timestamp) -> Option<Timestamp> {
    let zone = zone(zone_name).ok()?;
    let next = zone.following(jiff::Timestamp::from_millisecond(after.ms()).ok()?).next()?;
    Some(Timestamp::from_ms(next.timestamp().as_millisecond()))
}

/// The next time the clock on a wall of this zone shows this hour, on a day of the week if one is named (1 is Monday).
#[must_use]
pub fn next_clock(zone_name: &str, after: Timestamp, weekday: Option<i8>, hour: i8, minute: i8) -> Option<Timestamp> {
    let zone = zone(zone_name).ok()?;
    let now = jiff::Timestamp::from_millisecond(after.ms()).ok()?.to_zoned(zone.clone());
    (0..=8).find_map(|days| {
        let day = now.date().checked_add(days.days()).ok()?;
        if weekday.is_some_and(|wanted| day.weekday().to_monday_one_offset() != wanted) {
            return None;
        }
        let at = day.at(hour, minute, 0, 0).to_zoned(zone.clone()).ok()?.timestamp();
        Some(Timestamp::from_ms(at.as_millisecond())).filter(|at| *at > after)
    })
}

/// Reads a moment: [`CLOCK_CHANGE`] is the next one of the zone after `now`, everything else an [`instant`].
///
/// # Errors
/// A sentence with the mend.
pub fn moment(text: &str, zone_name: &str, now: Timestamp) -> Result<Timestamp, String> {
    zone(zone_name)?;
    if text != CLOCK_CHANGE {
        return instant(text, Some(zone_name));
    }
    clock_change(zone_name, now).ok_or_else(|| format!("the clock of {zone_name} never changes; name another zone"))
}

/// Reads an instant: RFC 3339, with a zone in brackets, or as the wall clock of `zone_name` (UTC without one)
/// shows it, `2026-10-25 02:30`.
/// A wall time that comes twice is its first occurrence; one that does not exist is the first instant after the gap.
///
/// # Errors
/// A sentence with the mend.
pub fn instant(text: &str, zone_name: Option<&str>) -> Result<Timestamp, String> {
    if text.contains('[') {
        let zoned = text.trim().parse::<jiff::Zoned>().map_err(|_| {
            format!(
                "`{text}` is not an instant; write 2026-11-22T03:00:00+08:00[Asia/Shanghai] or 2026-11-21T19:00:00Z"
            )
        })?;
        return Ok(Timestamp::from_ms(zoned.timestamp().as_millisecond()));
    }
    read(&zone(zone_name.unwrap_or("UTC"))?, text)
}

/// An instant on the wall clock of a zone, with its offset; UTC when there is no such zone.
#[must_use]
pub fn shown(zone_name: &str, at: Timestamp) -> String {
    let zone = zone(zone_name).unwrap_or(jiff::tz::TimeZone::UTC);
    let at = jiff::Timestamp::from_millisecond(at.ms()).unwrap_or_default();
    at.to_zoned(zone).strftime("%Y-%m-%d %H:%M:%S%:z").to_string()
}
