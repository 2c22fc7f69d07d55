//! Reading a range of the past in pieces, for figures about it.

use super::{
    Store, StoreError,
    around::LONG,
    commit::EntryDoc,
    restore::document,
    schema::{event, incident, timeline},
    text::index_key,
};
use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _, TextExpressionMethods as _,
    dsl::{count_star, sql},
    sql_types::Bool,
};
use engine::analytics::Story;
use shared::{Incident, Severity, TeamId, Timestamp};
use std::collections::BTreeMap;

/// An incident with what figures need of its timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    pub incident: Incident,
    pub story: Story,
}

/// How far a range has been read: the newest incidents first.
#[derive(Clone, Debug)]
pub struct ToldCursor {
    from: Timestamp,
    /// None is empty: all.
    severities: Vec<Severity>,
    team: Option<TeamId>,
    /// The first number of those that may have opened in time.
    first: i64,
    /// Those from this number on have been read.
    before: i64,
    reading: Reading,
}

/// What of a range is being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reading {
    /// What opened in it, or in the week before.
    Opened,
    /// What is older and open still.
    OpenStill,
    /// What is older and was over later.
    OverLater,
    Done,
}

impl Store {
    /// Begins to read the incidents in which something may have happened in a range: those that opened in it, in the
    /// week before it, or earlier and were open still.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn told_from(
        &mut self,
        from: Timestamp,
        until: Timestamp,
        severities: Vec<Severity>,
        team: Option<TeamId>,
    ) -> Result<ToldCursor, StoreError> {
        let (first, end) = self.incidents_opened(from, until)?;
        Ok(ToldCursor { from, severities, team, first, before: end, reading: Reading::Opened })
    }

    /// The next ones, at most so many; empty at the end.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn told_next(&mut self, cursor: &mut ToldCursor, limit: usize) -> Result<Vec<Told>, StoreError> {
        let mut rows = Vec::new();
        while rows.is_empty() && cursor.reading != Reading::Done {
            rows = self.told_rows(cursor, limit)?;
        }
        let mut told: BTreeMap<i64, Told> = BTreeMap::new();
        for (id, doc) in &rows {
            told.insert(*id, Told { incident: document("incident", *id, doc)?, story: Story::default() });
        }
        self.stories(&mut told)?;
        Ok(told.into_values().rev().collect())
    }

    /// First by their numbers, which are as good as their times; then the older ones, by their indexes.
    fn told_rows(&mut self, cursor: &mut ToldCursor, limit: usize) -> Result<Vec<(i64, String)>, StoreError> {
        let mut found = incident::table.filter(incident::id.lt(cursor.before)).into_boxed();
        let over_later = incident::resolved_at.ge(cursor.from.ms());
        let next = match cursor.reading {
            Reading::Opened => {
                found =
                    found.filter(incident::id.ge(cursor.first)).filter(incident::resolved_at.is_null().or(over_later));
                Reading::OpenStill
            }
            Reading::OpenStill => {
                found = found.filter(sql::<Bool>("live = 1"));
                Reading::OverLater
            }
            Reading::OverLater => {
                found = found.filter(sql::<Bool>(LONG)).filter(over_later);
                Reading::Done
            }
            Reading::Done => return Ok(Vec::new()),
        };
        if !cursor.severities.is_empty() {
            found = found.filter(incident::severity.eq_any(cursor.severities.iter().map(|it| i16::from(it.rank()))));
        }
        if let Some(team) = &cursor.team {
            found = found.filter(incident::team.eq(index_key(team.as_str())));
        }
        let rows: Vec<(i64, String)> = found
            .order(incident::id.desc())
            .limit(limit as i64)
            .select((incident::id, incident::doc))
            .load(&mut self.db)?;
        match rows.last().filter(|_| rows.len() == limit) {
            Some((last, _)) => cursor.before = *last,
            None => (cursor.before, cursor.reading) = (cursor.first, next),
        }
        Ok(rows)
    }

    /// Of each timeline its beginning, and the rows that name one of the few things that count later. A name within
    /// somebody's text has its quotes escaped, and is not found.
    fn stories(&mut self, told: &mut BTreeMap<i64, Told>) -> Result<(), StoreError> {
        let named = Story::READ.map(|name| timeline::doc.like(format!("%kind\":\"{name}\"%")));
        let [acked, snoozed, resolved, suppressed, flapping, merged] = named;
        let named = acked.or(snoozed).or(resolved).or(suppressed).or(flapping).or(merged);
        let rows: Vec<(i64, i64, String)> = timeline::table
            .filter(timeline::incident.eq_any(told.keys().copied()))
            .filter(timeline::seq.eq(1).or(named))
            .order((timeline::incident, timeline::seq))
            .select((timeline::incident, timeline::at, timeline::doc))
            .load(&mut self.db)?;
        for (id, at, doc) in rows {
            let Some(told) = told.get_mut(&id) else { continue };
            let entries: Vec<EntryDoc<'_>> = document("the timeline of incident", id, &doc)?;
            for entry in entries {
                told.story.read(Timestamp::from_ms(at), &entry.actor, &entry.what);
            }
        }
        Ok(())
    }

    /// How many messages were accepted in a range, and how many of them have a part that went to no incident.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn messages_between(&mut self, from: Timestamp, until: Timestamp) -> Result<(u64, u64), StoreError> {
        self.snapshot(|store| {
            let (first, end) = store.events_received(from, until)?;
            let inside = event::id.ge(first).and(event::id.lt(end));
            let all: i64 = event::table.filter(inside).select(count_star()).first(&mut store.db)?;
            let unpaged: i64 = event::table
                .filter(sql::<Bool>("unpaged = 1"))
                .filter(event::id.ge(first).and(event::id.lt(end)))
                .select(count_star())
                .first(&mut store.db)?;
            Ok((all.unsigned_abs(), unpaged.unsigned_abs()))
        })
    }
}
