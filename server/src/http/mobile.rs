//! What an app on a phone shows of its person: their incidents and what changed of them, their shifts, and what it says of
//! pages it showed.

use super::{
    App, app::now, body::Json, me::own, oncall::duty_of, principal::Principal, problem::ApiError, upcoming::who,
};
use crate::auth::caplink::CapError;
use actix_web::{
    http::StatusCode,
    web::{self, Query},
};
use engine::Snapshot;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use shared::{
    AttemptId, DeliveryReceipt, Incident, IncidentId, PersonId, PolicyId, Recipient, SharedStr, Timestamp,
    api::{
        IncidentRow, MobileIncident, MobileIncidents, MobileOnCall, MobileReceipt, MobileSync, ReceiptBatch,
        ReceiptKind, ReceiptRefused, ReceiptsTaken,
    },
    config::{Policy, Target},
};
use std::{collections::BTreeSet, sync::Arc};

const INCIDENTS_MOST: usize = 500;
/// Of one answer: whoever missed more fetches all of it again.
const CHANGES_MOST: usize = 2_000;
const RECEIPTS_MOST: usize = 100;

/// What makes an incident somebody's own.
struct Mine {
    person: PersonId,
    /// Those of the configuration in force that would page them now.
    policies: BTreeSet<PolicyId>,
    /// Another text when another incident may be theirs although nothing happened to it: they came on call, or the
    /// configuration changed.
    mark: String,
}

impl Mine {
    fn of(config: &Snapshot, person: PersonId, now: Timestamp) -> Self {
        let me = Recipient::Person(person.clone());
        let pages_me = |targets: &[Target]| who(targets, config, now).contains(&me);
        let reaches = |policy: &Policy| policy.levels.iter().any(|level| pages_me(&level.notify));
        let policies: BTreeSet<PolicyId> =
            config.policies.iter().filter(|(_, policy)| reaches(policy)).map(|(id, _)| id.clone()).collect();
        let mut digest = Sha256::new().chain_update(format!("{person}\n{}\n", config.version));
        policies.iter().for_each(|id| digest.update(format!("{id}\n")));
        let mark = digest.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        Self { person, policies, mark }
    }

    fn paged(&self, incident: &Incident) -> bool {
        incident.pages.iter().any(|page| matches!(&page.recipient, Recipient::Person(id) if *id == self.person))
    }

    fn on_call(&self, incident: &Incident) -> bool {
        incident.escalations.iter().any(|it| self.policies.contains(&it.policy))
    }

    fn is(&self, incident: &Incident) -> bool {
        self.paged(incident) || self.on_call(incident)
    }

    fn row(&self, incident: &Arc<Incident>) -> MobileIncident {
        let (paged, on_call) = (self.paged(incident), self.on_call(incident));
        MobileIncident { incident: IncidentRow::from(&**incident), paged, on_call }
    }

    fn cursor(&self, seq: u64) -> String {
        format!("{seq}-{}", self.mark)
    }
}

pub(super) async fn own_incidents(app: web::Data<App>, by: Principal) -> Result<web::Json<MobileIncidents>, ApiError> {
    let now = now();
    let mine = Mine::of(&app.runtime.config(), own(&app, &by)?.id, now);
    let (seq, mut found) = app.board.open(|incident| mine.is(incident));
    found.sort_by_key(|it| std::cmp::Reverse((it.opened_at, it.id)));
    let more = found.len() > INCIDENTS_MOST;
    found.truncate(INCIDENTS_MOST);
    let items = found.iter().map(|it| mine.row(it)).collect();
    Ok(web::Json(MobileIncidents { items, more, cursor: mine.cursor(seq), now }))
}

#[derive(Deserialize)]
pub(super) struct SyncFrom {
    #[serde(default)]
    cursor: String,
}

pub(super) async fn sync(
    app: web::Data<App>,
    by: Principal,
    from: Query<SyncFrom>,
) -> Result<web::Json<MobileSync>, ApiError> {
    let now = now();
    let mine = Mine::of(&app.runtime.config(), own(&app, &by)?.id, now);
    let known = from.cursor.split_once('-').filter(|(_, mark)| *mark == mine.mark);
    let since = known.and_then(|(seq, _)| app.board.since(seq.parse().ok()?));
    let since = since.filter(|it| it.open.len() + it.over.len() <= CHANGES_MOST).ok_or_else(|| {
        ApiError::new(StatusCode::GONE, "full_resync", "What changed since then cannot be told")
            .detail("Fetch /api/v1/mobile/incidents, forget what it does not have, and go on from its cursor.")
    })?;
    let (own, others): (Vec<_>, Vec<_>) = since.open.into_iter().partition(|it| mine.is(it));
    let gone = since.over.into_iter().chain(others.iter().map(|it| it.id)).collect();
    let changed = own.iter().map(|it| mine.row(it)).collect();
    Ok(web::Json(MobileSync { changed, gone, cursor: mine.cursor(since.seq), now }))
}

pub(super) async fn own_duty(app: web::Data<App>, by: Principal) -> Result<web::Json<MobileOnCall>, ApiError> {
    let person = own(&app, &by)?.id;
    Ok(web::Json(duty_of(&app.runtime.config(), &person, now())))
}

pub(super) async fn take_receipts(
    app: web::Data<App>,
    by: Principal,
    Json(batch): Json<ReceiptBatch>,
) -> Result<web::Json<ReceiptsTaken>, ApiError> {
    let person = own(&app, &by)?.id;
    let device = by.device().ok().and_then(|(_, id)| app.devices.find(id, &person));
    if batch.receipts.len() > RECEIPTS_MOST {
        return Err(ApiError::invalid("receipts", format!("Send at most {RECEIPTS_MOST} at once.")));
    }
    let (mut taken, mut refused) = (0, Vec::new());
    for (index, receipt) in (0_u32..).zip(&batch.receipts) {
        let at = now();
        let (incident, attempt) = match about(&app, &person, receipt, at).await? {
            About::Page(incident, attempt) => (incident, attempt),
            About::TooLate => {
                taken += 1;
                continue;
            }
            About::Nothing(reason) => {
                refused.push(ReceiptRefused { index, reason: reason.to_owned() });
                continue;
            }
        };
        let kind = match receipt.kind {
            ReceiptKind::Shown => DeliveryReceipt::Shown,
            ReceiptKind::Opened => DeliveryReceipt::Opened,
            ReceiptKind::Dismissed => DeliveryReceipt::Dismissed,
        };
        if let Some(device) = &device {
            match receipt.kind {
                ReceiptKind::Shown => app.devices.shown(device.id, None, at),
                ReceiptKind::Opened | ReceiptKind::Dismissed => app.devices.opened(device.id, at),
            }
        }
        let label = device.as_ref().map(|device| SharedStr::from(device.label.as_str()));
        if !app.runtime.receipt(incident, attempt, kind, label) {
            return Err(ApiError::unavailable());
        }
        taken += 1;
    }
    Ok(web::Json(ReceiptsTaken { taken, refused }))
}

/// What a receipt is about.
enum About {
    Page(IncidentId, AttemptId),
    /// It was about something once; the app need not keep it.
    TooLate,
    Nothing(&'static str),
}

/// What a receipt is about, if that was this person's.
async fn about(app: &App, person: &PersonId, receipt: &MobileReceipt, now: Timestamp) -> Result<About, ApiError> {
    if let Some(cap) = &receipt.cap {
        return Ok(match app.runtime.links().verify(cap, now) {
            Ok(cap) if cap.person == *person => About::Page(cap.incident, cap.attempt),
            Err(CapError::Expired) => About::TooLate,
            Ok(_) | Err(CapError::Malformed | CapError::Forged) => About::Nothing("the capability is none of yours"),
        });
    }
    let (Some(incident), Some(attempt)) = (receipt.incident, receipt.attempt) else {
        return Ok(About::Nothing("say `cap`, or `incident` and `attempt`"));
    };
    let Some(known) = app.runtime.incident(incident).await? else { return Ok(About::TooLate) };
    let own = known.pages.iter().filter(|page| page.recipient == Recipient::Person(person.clone()));
    let found = own.flat_map(|page| &page.attempts).any(|it| it.id == attempt || it.message() == attempt);
    Ok(if found { About::Page(incident, attempt) } else { About::Nothing("no page of yours was tried so") })
}
