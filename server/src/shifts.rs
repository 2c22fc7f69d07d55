//! Keeps who was on call, as it happened: what came out of the configuration that was in force then is stored, and no
//! later edit, restart or change of time zones touches it.

use crate::{
    config,
    db::{Store, StoreError},
};
use engine::{
    Snapshot,
    oncall::{
        Copies,
        history::{self, Version},
    },
};
use shared::{ScheduleId, Timestamp, api::Stretch};
use std::{collections::BTreeSet, sync::Arc};

/// Between two recordings; what is not recorded yet is not lost, as every version of the configuration is kept.
pub const EVERY_MS: u64 = 60_000;

/// Stores everything up to `now` that is not stored yet, and says until when it goes.
///
/// # Errors
/// When the database does not answer.
pub fn record(store: &mut Store, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
    let head = store.shifts_recorded_until()?;
    if head.is_some_and(|head| head >= now) {
        return Ok(head);
    }
    let texts = store.configs_since(head)?;
    let Some(first) = texts.first().map(|(at, _)| *at) else { return Ok(head) };
    let from = head.unwrap_or(first);
    // A copy becomes another one only once everything before is recorded, so these were in force all the while.
    let copies = Arc::new(store.calendar_copies()?);
    let versions: Vec<(Timestamp, Option<Snapshot>)> =
        texts.iter().map(|(at, text)| (*at, compile(text, copies.clone()))).collect();
    let schedules: BTreeSet<&ScheduleId> =
        versions.iter().filter_map(|(_, config)| config.as_ref()).flat_map(|config| config.rosters.keys()).collect();
    let told = schedules.into_iter().map(|schedule| {
        let versions: Vec<Version<'_>> = versions
            .iter()
            .map(|(at, config)| Version { at: *at, roster: config.as_ref().and_then(|it| it.rosters.get(schedule)) })
            .collect();
        (schedule.clone(), history::in_force(&versions, from, now))
    });
    let told: Vec<(ScheduleId, Vec<Stretch>)> = told.collect();
    if store.shifts_record(head, now, &told)? { Ok(Some(now)) } else { store.shifts_recorded_until() }
}

/// None for a version this program does not understand any more: it was another program's.
fn compile(text: &str, copies: Arc<Copies>) -> Option<Snapshot> {
    let document = config::parse(text).ok()?;
    Snapshot::compile_with(0, document, copies).ok()
}
