//! What a draft changes: alerts that would reach nobody any more first, then who gains and who loses which pages.

use super::{
    ledger::{Books, Ledger, Origin, Rung},
    nowhere,
};
use shared::{
    AlertId, EventId, IncidentId, Recipient, Severity,
    api::{LostAlert, PageChange, ReplayAlert, ReplayDiff, ReplayPage, Unpaged},
    timeline::Outcome,
};
use std::collections::{BTreeMap, BTreeSet};

/// Rows of each kind that are told.
const TOLD_MAX: usize = 100;

/// An alert that opened under at least one of the two configurations.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pair {
    message: EventId,
    place: u32,
    today: Option<(AlertId, IncidentId)>,
    draft: Result<IncidentId, Unpaged>,
}

/// The alerts of a message that open something today, or page by the draft alone.
pub(super) fn pairs(message: EventId, today: &[Outcome], draft: &[Outcome]) -> Vec<Pair> {
    let mut found = Vec::new();
    for (at, place) in (0..today.len().max(draft.len())).zip(0..) {
        let (today, draft) = (today.get(at), draft.get(at));
        let opened = match today {
            Some(Outcome::Opened { alert, incident }) => Some((*alert, *incident)),
            _ => None,
        };
        let opens = matches!(draft, Some(Outcome::Opened { .. }));
        // A repetition of what stands in an incident today already is not news.
        if opened.is_none() && !(opens && today.is_none_or(|today| today.incident().is_none())) {
            continue;
        }
        let draft = match draft {
            Some(draft) => draft.incident().ok_or_else(|| nowhere(draft).unwrap_or(Unpaged::Rejected)),
            None => Err(Unpaged::Rejected),
        };
        found.push(Pair { message, place, today: opened, draft });
    }
    found
}

/// How two replays of the same messages differ.
pub(super) fn diff(today: &Ledger, draft: &Ledger, pairs: &[Pair]) -> ReplayDiff {
    let (today, draft) = (&today.books, &draft.books);
    let mut diff = ReplayDiff { people: people(today, draft), ..ReplayDiff::default() };
    alerts(today, draft, pairs, &mut diff);
    pages(today, draft, &mut diff);
    diff
}

fn alerts(today: &Books, draft: &Books, pairs: &[Pair], diff: &mut ReplayDiff) {
    let mut recipients: BTreeMap<IncidentId, BTreeSet<&Recipient>> = BTreeMap::new();
    for rung in &today.rung {
        recipients.entry(rung.incident).or_default().insert(&rung.recipient);
    }
    let reached = |books: &Books, id: IncidentId| books.stands.get(&id).is_none_or(|it| it.first_page.is_some());
    let mut lost: Vec<LostAlert> = Vec::new();
    for pair in pairs {
        let then = pair.draft.is_ok_and(|incident| reached(draft, incident));
        let Some((alert, incident)) = pair.today.filter(|(_, incident)| reached(today, *incident)) else {
            diff.found_total += u64::from(then);
            continue;
        };
        let Some(stand) = today.stands.get(&incident).filter(|_| !then) else { continue };
        let why = pair.draft.map_or_else(|why| why, |id| draft.stands.get(&id).map_or(Unpaged::NotMeant, |it| it.why));
        let severity = today.alerts.get(&alert).copied().unwrap_or(stand.severity);
        let whom = recipients.get(&incident).into_iter().flatten().map(|it| (*it).clone()).collect();
        let alert = ReplayAlert { message: pair.message, place: pair.place, severity, ..stand.alert() };
        lost.push(LostAlert { alert, why, today: whom });
    }
    lost.sort_by_key(|it| (it.alert.severity, it.alert.at));
    diff.lost_total = lost.len() as u64;
    diff.lost_p0 = lost.iter().filter(|it| it.alert.severity == Severity::P0).count() as u64;
    lost.truncate(TOLD_MAX);
    diff.lost = lost;
}

/// Pages of each recipient for the incident that the same alert opened.
fn by_origin(books: &Books) -> BTreeMap<(Origin, &Recipient), Vec<&Rung>> {
    let mut found: BTreeMap<_, Vec<&Rung>> = BTreeMap::new();
    for rung in &books.rung {
        let Some(stand) = books.stands.get(&rung.incident) else { continue };
        found.entry((stand.origin, &rung.recipient)).or_default().push(rung);
    }
    found
}

fn pages(today: &Books, draft: &Books, diff: &mut ReplayDiff) {
    let (before, mut after) = (by_origin(today), by_origin(draft));
    let (mut gained, mut dropped) = (Vec::new(), Vec::new());
    for (key, mut old) in before {
        let mut new = after.remove(&key).unwrap_or_default();
        let same = old.len().min(new.len());
        let moved = old.iter().zip(&new).filter(|(old, new)| old.at != new.at).count();
        diff.moved_pages += moved as u64;
        dropped.extend(old.split_off(same));
        gained.extend(new.split_off(same));
    }
    gained.extend(after.into_values().flatten());
    diff.gained_pages = gained.len() as u64;
    diff.lost_pages = dropped.len() as u64;
    diff.gained = told(draft, gained);
    diff.dropped = told(today, dropped);
}

fn told(books: &Books, mut rung: Vec<&Rung>) -> Vec<ReplayPage> {
    rung.sort_by_key(|rung| rung.at);
    rung.into_iter().filter_map(|rung| books.page(rung)).take(TOLD_MAX).collect()
}

/// Recipients whose load changes, the greatest change first.
fn people(today: &Books, draft: &Books) -> Vec<PageChange> {
    let everybody: BTreeSet<&Recipient> = today.loads.keys().chain(draft.loads.keys()).collect();
    let change = |recipient: &Recipient| {
        let load = |books: &Books| books.loads.get(recipient).copied().unwrap_or_default();
        let (today, draft) = (load(today), load(draft));
        PageChange {
            recipient: recipient.clone(),
            pages: today.pages,
            draft_pages: draft.pages,
            night: today.night,
            draft_night: draft.night,
        }
    };
    let mut changes: Vec<PageChange> = everybody.into_iter().map(change).collect();
    changes.sort_by_key(|it| std::cmp::Reverse(it.pages.abs_diff(it.draft_pages)));
    changes
}
