//! Keeps the shown list in step with the board, unless it is held; tells screen readers now and then.

use super::Page;
use crate::{
    board::{
        arrange::{self, Grouping, Item},
        filter::{Filter, is_alarm},
        hold,
    },
    browser,
    state::Load,
    text::board as t,
};
use leptos::prelude::*;
use shared::{IncidentId, Severity};
use std::{collections::BTreeSet, sync::Arc};

/// Screen readers are told at most this often.
const ANNOUNCE_EVERY_MS: i64 = 10_000;

pub(super) fn follow(page: Page) {
    Effect::new(move |before: Option<(Filter, Grouping)>| {
        let asked = (page.filter.get(), page.grouping.get());
        let fresh = fresh(page, &asked);
        // Whoever asks for something else sees it at once.
        let same = before.as_ref() == Some(&asked);
        if same && page.held.get() {
            let waiting = page.shown.with_untracked(|shown| hold::waiting(shown, &fresh));
            if page.waiting.with_untracked(|now| *now != waiting) {
                page.waiting.set(waiting);
            }
        } else {
            page.held.track();
            if page.shown.with_untracked(|shown| **shown != fresh) {
                page.shown.set(Arc::new(fresh));
            }
            if page.waiting.with_untracked(|waiting| !waiting.is_empty()) {
                page.waiting.set(Vec::new());
            }
        }
        asked
    });
    let shown = StoredValue::new("");
    Effect::new(move || {
        let Some(address) = page.view.get().address() else { return };
        if shown.get_value() == address {
            page.resolved.reload();
        } else {
            shown.set_value(address);
            page.resolved.point(address.to_owned());
        }
    });
    announce(page);
}

fn fresh(page: Page, (filter, grouping): &(Filter, Grouping)) -> Vec<Item> {
    match page.resolved_list() {
        Some(Load::Ready(list)) => {
            let shown: Vec<_> = list.items.iter().filter(|row| filter.shows(row)).collect();
            shown
                .into_iter()
                .map(|row| {
                    page.app.board.cell_of(row);
                    Item::Row(row.id)
                })
                .collect()
        }
        Some(_) => Vec::new(),
        None => {
            page.app.board.order.track();
            page.app.board.with_rows(|rows| arrange::arrange(rows.values(), filter, *grouping))
        }
    }
}

fn announce(page: Page) {
    let known = StoredValue::new(None::<BTreeSet<IncidentId>>);
    let told_at = StoredValue::new(0_i64);
    Effect::new(move || {
        page.app.board.order.track();
        page.app.now.track();
        let now = browser::now_ms();
        if now - told_at.get_value() < ANNOUNCE_EVERY_MS {
            return;
        }
        let (ids, words) = page.app.board.with_rows(|rows| {
            let mut ids = BTreeSet::new();
            ids.extend(rows.keys().copied());
            let fresh =
                known.with_value(|known| known.as_ref().map(|known| ids.difference(known).count())).unwrap_or(0);
            let l = page.app.l();
            let new_p0 = |id: &&IncidentId| {
                known.with_value(|known| known.as_ref().is_some_and(|known| !known.contains(id)))
                    && rows.get(id).is_some_and(|row| row.severity == Severity::P0 && is_alarm(row))
            };
            let p0: Vec<&IncidentId> = ids.iter().filter(new_p0).collect();
            let host = p0.last().and_then(|id| rows.get(id)).and_then(|row| row.host.clone()).unwrap_or_default();
            let words = match (fresh, p0.len()) {
                (0, _) => None,
                (_, 0) => Some(t::summary(l, fresh)),
                (_, n) => Some(t::summary_p0(l, n, &host)),
            };
            (ids, words)
        });
        known.set_value(Some(ids));
        if let Some(words) = words {
            told_at.set_value(now);
            page.app.announced.set(words);
        }
    });
}
