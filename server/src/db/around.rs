//! What was going on around a moment of the past: the incidents that were open, and the messages that paged nobody.

use super::{
    EventPage, Store, StoreError,
    restore::document,
    schema::{event, incident},
};
use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, RunQueryDsl as _,
    dsl::{max, sql},
    sql_types::Bool,
};
use shared::{EventId, Incident, Timestamp};

/// Incidents that opened longer before are found by indexes of their own: of those that are open still, and of those that
/// were open for longer.
const BEFORE_MS: i64 = 7 * 86_400_000;

/// The condition of the index over incidents that are over and were open for longer than a week, as it is written there.
pub(super) const LONG: &str = "live = 0 AND resolved_at - opened_at > 604800000";

/// The first row whose number is not below the given one, and its time; in a table whose times rise with its numbers.
macro_rules! row_from {
    ($store:expr, $table:ident, $time:ident) => {
        |number| {
            let first = $table::table.filter($table::id.ge(number)).order($table::id);
            Ok(first.select(($table::id, $table::$time)).first(&mut $store.db).optional()?)
        }
    };
}

impl Store {
    /// Incidents that were open at some time of a range, newest first, at most so many.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn incidents_between(
        &mut self,
        from: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<Incident>, StoreError> {
        self.snapshot(|store| {
            let (first, end) = store.incidents_opened(from, until)?;
            let over_later = || incident::resolved_at.ge(from.ms());
            let of_the_week = incident::id.ge(first).and(incident::resolved_at.is_null().or(over_later()));
            let long = sql::<Bool>(LONG).and(over_later());
            let rows: Vec<(i64, String)> = incident::table
                .filter(incident::id.lt(end))
                .filter(of_the_week.or(sql::<Bool>("live = 1")).or(long))
                .order(incident::id.desc())
                .limit(limit as i64)
                .select((incident::id, incident::doc))
                .load(&mut store.db)?;
            rows.iter().map(|(id, doc)| document("incident", *id, doc)).collect()
        })
    }

    /// Messages of a range with a member that went to no incident, newest first, at most so many.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn unpaged_between(
        &mut self,
        from: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> Result<EventPage, StoreError> {
        self.snapshot(|store| {
            let (first, end) = store.events_received(from, until)?;
            let mut ids: Vec<i64> = event::table
                .filter(sql::<Bool>("unpaged = 1"))
                .filter(event::id.ge(first).and(event::id.lt(end)))
                .order(event::id.desc())
                .limit(limit as i64 + 1)
                .select(event::id)
                .load(&mut store.db)?;
            let more = ids.len() > limit;
            ids.truncate(limit);
            let next = ids.last().filter(|_| more).map(|id| EventId(*id));
            Ok(EventPage { items: store.event_rows(&ids)?, next })
        })
    }

    /// The numbers of incidents that opened in a range, and in the week before it: the first, and one past the last.
    pub(super) fn incidents_opened(&mut self, from: Timestamp, until: Timestamp) -> Result<(i64, i64), StoreError> {
        let last: Option<i64> = incident::table.select(max(incident::id)).first(&mut self.db)?;
        let last = last.unwrap_or(0);
        let first = first_since(from.plus_ms(-BEFORE_MS), last, row_from!(self, incident, opened_at))?;
        Ok((first, first_since(until, last, row_from!(self, incident, opened_at))?))
    }

    /// The numbers of messages of a range: the first, and one past the last.
    pub(super) fn events_received(&mut self, from: Timestamp, until: Timestamp) -> Result<(i64, i64), StoreError> {
        let last: Option<i64> = event::table.select(max(event::id)).first(&mut self.db)?;
        let last = last.unwrap_or(0);
        let first = first_since(from, last, row_from!(self, event, received_at))?;
        Ok((first, first_since(until, last, row_from!(self, event, received_at))?))
    }
}

/// The first number whose time is not before `at`; one past the last when all are. Asks a few times, however many there
/// are: there is no index over times, since numbers rise with them.
fn first_since(
    at: Timestamp,
    last: i64,
    mut row_from: impl FnMut(i64) -> Result<Option<(i64, i64)>, StoreError>,
) -> Result<i64, StoreError> {
    let (mut low, mut high) = (1, last + 1);
    while low < high {
        let middle = low + (high - low) / 2;
        match row_from(middle)? {
            Some((number, time)) if time < at.ms() => low = number + 1,
            _ => high = middle,
        }
    }
    Ok(low)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_number_since_a_time_is_found_also_between_gaps() {
        let rows = [(2, 20), (3, 30), (3 + 4, 70), (9, 90)];
        let find = |at: i64| {
            first_since(Timestamp::from_ms(at), 9, |from| Ok(rows.into_iter().find(|(number, _)| *number >= from)))
                .unwrap()
        };
        let first = |at: i64| rows.into_iter().find(|(_, time)| *time >= at).map_or(10, |(number, _)| number);
        for at in 0..100 {
            let (found, first) = (find(at), first(at));
            let between = rows.iter().filter(|(number, _)| (found..first).contains(number)).count();
            assert!(found <= first && between == 0, "{at}: {found}, {first}");
        }
        assert_eq!(first_since(Timestamp::from_ms(5), 0, |_| Ok(None)).unwrap(), 1, "nothing there");
    }
}
