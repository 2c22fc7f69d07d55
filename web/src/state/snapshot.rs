//! The last board, kept in this browser for an instant and an offline start; bounded, and gone on signing out.

use super::{App, Session};
use crate::{api::json, browser::storage};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};
use shared::{
    Timestamp,
    api::{Counts, IncidentList, IncidentRow, SessionInfo},
};

const KEY: &str = "tocsin.board";
const MOST_ROWS: usize = 300;

#[derive(Serialize, Deserialize)]
struct Snapshot {
    session: SessionInfo,
    rows: Vec<IncidentRow>,
    counts: Option<Counts>,
    as_of: Timestamp,
}

pub(crate) fn keep(app: App) {
    let Session::In(session) = app.session.get_untracked() else { return };
    let (rows, counts, as_of) = app.board.export(MOST_ROWS);
    if counts.is_none() {
        return;
    }
    let kept = serde_json::to_string(&Snapshot { session, rows, counts, as_of });
    if !kept.is_ok_and(|text| storage::write(KEY, &text)) {
        storage::forget(KEY);
    }
}

/// Shows the remembered board of the same account until the server answers.
pub(crate) fn restore(app: App, login: &str) {
    if let Some(snapshot) = read().filter(|snapshot| snapshot.session.login == login) {
        show(app, snapshot);
    }
}

/// Without a server at all: who was signed in last, and what they saw.
pub(crate) fn restore_offline(app: App) -> Option<SessionInfo> {
    let snapshot = read()?;
    let session = snapshot.session.clone();
    show(app, snapshot);
    Some(session)
}

pub(crate) fn forget() {
    storage::forget(KEY);
}

fn read() -> Option<Snapshot> {
    json::read(&storage::read(KEY)?).ok()
}

fn show(app: App, snapshot: Snapshot) {
    let total = u32::try_from(snapshot.rows.len()).unwrap_or(u32::MAX);
    let Some(counts) = snapshot.counts else { return };
    let list = IncidentList { items: snapshot.rows, next: None, counts, seq: 0, now: snapshot.as_of, total };
    app.board.load(list, true);
}
