//! Asks the server how far it is, and asks again whenever something that matters has happened.

use super::steps::{Facts, Rehearsal, Steps};
use crate::{
    api::{self, ApiError},
    browser::dom,
    state::{App, Load, Remote},
};
use leptos::{prelude::*, task::spawn_local};
use shared::{
    AttemptState,
    api::{IncidentDetail, IncidentList, IncidentRow, IntegrationRow, List, PersonRow},
    config::{Policy, Route},
    timeline::Happening,
};
use std::time::Duration;

/// A sender that somebody made elsewhere is not told, and what could not be asked is asked again.
const EVERY: Duration = Duration::from_secs(10);
/// A server that paged for more incidents than this is in service, answered or not.
const MOST_REHEARSALS: usize = 8;

/// How far the server is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Known {
    NotYet,
    Steps(Steps),
    /// The server did not say: nothing is claimed.
    Unknown,
}

/// Kept true for as long as the owner lives.
pub(super) fn follow(app: App) -> Memo<Known> {
    let senders = Remote::<List<IntegrationRow>>::new("/api/v1/integrations");
    let people = Remote::<List<PersonRow>>::new("/api/v1/people");
    let policies = Remote::<List<Policy>>::new("/api/v1/policies");
    let routes = Remote::<List<Route>>::new("/api/v1/routes");
    let recent = Remote::<IncidentList>::new("/api/v1/incidents?state=all&limit=20");
    let rehearsal = RwSignal::new(None::<Rehearsal>);
    let round = StoredValue::new(0_u32);
    again(move || app.heard.track(), move || senders.reload());
    again(move || app.pulse.track(), move || recent.reload());
    // A new configuration is told through who is on call.
    again(
        move || app.on_call.track(),
        move || {
            people.reload();
            policies.reload();
            routes.reload();
        },
    );
    Effect::new(move || {
        let Some(list) = recent.ready() else { return };
        let mine = round.get_value() + 1;
        round.set_value(mine);
        spawn_local(async move {
            let found = rehearsed(list.items).await;
            // The page may be gone, or a newer list be looked at.
            if round.try_get_value() != Some(mine) {
                return;
            }
            match found {
                Ok(found) => drop(rehearsal.try_set(Some(found))),
                // What was known stays, and it is asked again.
                Err(error) => app.noticed(&error),
            }
        });
    });
    let ask_again = move || {
        if !dom::is_hidden() {
            senders.reload();
            recent.reload();
        }
    };
    if let Ok(timer) = set_interval_with_handle(ask_again, EVERY) {
        on_cleanup(move || timer.clear());
    }
    Memo::new(move |_| {
        let failed = |load: Load<()>| matches!(load, Load::Failed(_));
        let all = [senders.untyped(), people.untyped(), policies.untyped(), routes.untyped(), recent.untyped()];
        if all.into_iter().any(|remote| failed(remote.get())) {
            return Known::Unknown;
        }
        let facts = || {
            Some(Facts {
                senders: senders.ready()?.items,
                people: people.ready()?.items,
                policies: policies.ready()?.items,
                routes: routes.ready()?.items,
                on_call: app.on_call.get(),
                rehearsal: rehearsal.get()?,
            })
        };
        facts().map_or(Known::NotYet, |facts| Known::Steps(Steps::of(&facts)))
    })
}

/// Does something again after each change, and not at first.
fn again(track: impl Fn() + 'static, act: impl Fn() + 'static) {
    Effect::new(move |before: Option<()>| {
        track();
        if before.is_some() {
            act();
        }
    });
}

/// Whether one of the newest incidents woke somebody who answered. What is over no longer says who answered; its
/// timeline does.
async fn rehearsed(rows: Vec<IncidentRow>) -> Result<Rehearsal, ApiError> {
    let paged: Vec<IncidentRow> =
        rows.into_iter().filter(|row| row.proof.best.is_some() && !row.proof.recipients.is_empty()).collect();
    if paged.len() > MOST_REHEARSALS {
        return Ok(Rehearsal::Answered);
    }
    let mut newest = Rehearsal::NotYet;
    for row in paged {
        let delivered = row.proof.best == Some(AttemptState::Accepted);
        if delivered && (row.acked_by.is_some() || was_answered(&row).await?) {
            return Ok(Rehearsal::Answered);
        }
        if newest == Rehearsal::NotYet {
            newest = if delivered { Rehearsal::Unanswered(row.id) } else { Rehearsal::Undelivered(row.id) };
        }
    }
    Ok(newest)
}

async fn was_answered(row: &IncidentRow) -> Result<bool, ApiError> {
    let detail = api::get::<IncidentDetail>(&format!("/api/v1/incidents/{}", row.id)).await?;
    Ok(detail.timeline.iter().any(|entry| matches!(entry.what, Happening::Acked { .. })))
}
