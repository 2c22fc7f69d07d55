//! What a silence says of itself, in words.

use crate::{
    format::{self, civil::Civil},
    silence::{Standing, hours},
    state::App,
    text::silences as t,
};
use leptos::prelude::Get;
use shared::{Silence, SilenceKind, Timestamp, config::Language, silence::Recurrence, text::span, timeline::Actor};

const DAY_MS: i64 = 86_400_000;

pub(super) fn kind(l: Language, kind: SilenceKind) -> String {
    match kind {
        SilenceKind::Silence => t::silence(l),
        SilenceKind::Maintenance => t::maintenance(l),
    }
}

/// `Silence 12`.
pub(super) fn name(l: Language, silence: &Silence) -> String {
    t::numbered(l, &kind(l, silence.kind), silence.id.0)
}

/// Until when, or from when, with what is left until then.
pub(super) fn when(app: App, silence: &Silence, standing: Standing) -> String {
    let l = app.l();
    let left = |at: Timestamp| {
        let left = at.ms_since(app.now.get());
        if left < 3_600_000 { format::countdown(left) } else { span(l, left) }
    };
    match standing {
        Standing::InForce(Some(at)) => t::until(l, &app.clock_time(at), &left(at)),
        Standing::InForce(None) => t::no_end(l),
        Standing::ToCome(Some(at)) => t::begins(l, &app.clock_time(at), &left(at)),
        Standing::ToCome(None) => t::begins_unknown(l),
        Standing::Over(at) => match &silence.ended {
            Some(ended) if ended.gone_since.is_some() => {
                t::ended_as_gone(l, &app.clock_time(at), ended.gone_since.unwrap_or_default())
            }
            Some(ended) if ended.by != Actor::System => t::ended(l, &app.clock_time(at), &ended.by.name()),
            _ => t::ended_by_time(l, &app.clock_time(at)),
        },
    }
}

/// `Mon–Fri 01:00–05:00 Asia/Shanghai`.
pub(super) fn hours(l: Language, recurs: &Recurrence) -> String {
    let day = |text: &String| {
        let one = |part: &str| {
            let place = hours::DAYS.iter().position(|day| part.trim().to_lowercase().starts_with(day));
            // The fifth of January 1970 was a Monday.
            let name = |place: usize| Civil::from_ms((place as i64 + 4) * DAY_MS).weekday_name(l);
            place.map_or(part, name).to_owned()
        };
        text.split("..").map(one).collect::<Vec<_>>().join("–")
    };
    let span = |span: &shared::config::TimeSpan| {
        let mut words: Vec<String> = span.days.iter().map(day).collect();
        words.extend([&span.dates, &span.months, &span.years].into_iter().flatten().cloned());
        if let (Some(from), Some(until)) = (&span.from, &span.until) {
            words.push(format!("{from}–{until}"));
        }
        words.join(" ")
    };
    format!("{} {}", recurs.windows.iter().map(span).collect::<Vec<_>>().join(", "), recurs.time_zone)
}
