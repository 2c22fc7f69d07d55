//! What a sender may do to the incident of its alert beside telling of it: say something, put it off, take an answer back.

use super::fault::Fault;
use crate::{
    http::App,
    runtime::{ActError, Unavailable},
};
use actix_web::http::StatusCode;
use engine::Act;
use shared::{Alert, Timestamp, timeline::Actor};

const MOST_NOTE_CHARS: usize = 10_000;
/// As for people: a snooze is a nap, not a burial.
const LONGEST_SNOOZE_MS: i64 = 31 * 86_400_000;

/// Does it in the sender's name; whether it was done. It is not when the incident is over, or when alerts of others fire in it
/// that would fall silent, or ring, with this one.
pub(super) async fn act(app: &App, alert: &Alert, act: Act, now: Timestamp) -> Result<bool, Fault> {
    let act = match act {
        Act::Note { text } => Act::Note { text: text.chars().take(MOST_NOTE_CHARS).collect() },
        Act::Snooze { until } if until.ms_since(now) > LONGEST_SNOOZE_MS => {
            return Err(Fault::new(StatusCode::UNPROCESSABLE_ENTITY, "An alert can be put off for 31 days at most."));
        }
        other => other,
    };
    let reaches_all = matches!(act, Act::Snooze { .. } | Act::Unack);
    if reaches_all && !app.runtime.is_only_of(alert.incident, alert.integration.clone()).await? {
        return Ok(false);
    }
    let by = Actor::Integration { integration: alert.integration.clone() };
    match app.runtime.act(alert.incident, by, act).await {
        Ok(_) => Ok(true),
        Err(ActError::Refused(_)) => Ok(false),
        Err(ActError::Unavailable { .. }) => Err(Unavailable.into()),
    }
}
