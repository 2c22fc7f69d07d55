//! Where the machines of alerts were when the alerts came.

use super::{
    Store, StoreError,
    commit::{json, write_rows},
    restore::document,
    schema::alert_place,
};
use diesel::{ExpressionMethods as _, Insertable, QueryDsl as _, RunQueryDsl as _};
use engine::Placing;
use shared::{AlertId, Timestamp, placement::Placed};

#[derive(Insertable)]
#[diesel(table_name = alert_place, treat_none_as_default_value = false)]
struct PlaceRow {
    alert: i64,
    at: i64,
    doc: String,
}

impl Store {
    /// Each alert's place is known first only once; after an answer that was lost the same may come again.
    pub(super) fn put_places(&mut self, places: &[Placing]) -> Result<(), StoreError> {
        let row = |it: &Placing| {
            let doc = json("a placement", &*it.placement)?;
            Ok(PlaceRow { alert: it.alert.0, at: it.at.ms(), doc })
        };
        let rows = places.iter().map(row).collect::<Result<Vec<_>, StoreError>>()?;
        write_rows!(&mut self.db, rows, rows,
            sqlite: diesel::insert_or_ignore_into(alert_place::table).values(rows),
            postgres: diesel::insert_into(alert_place::table).values(rows).on_conflict_do_nothing());
        Ok(())
    }

    /// Where the machines of some alerts were, as far as that was known.
    ///
    /// # Errors
    /// When the database does not answer, or holds what cannot be read.
    pub fn places(&mut self, alerts: &[i64]) -> Result<Vec<(AlertId, Placed)>, StoreError> {
        let rows: Vec<(i64, i64, String)> = alert_place::table
            .filter(alert_place::alert.eq_any(alerts))
            .order(alert_place::alert)
            .select((alert_place::alert, alert_place::at, alert_place::doc))
            .load(&mut self.db)?;
        let read = |(alert, at, doc): (i64, i64, String)| {
            let placement = document("a placement", alert, &doc)?;
            Ok((AlertId(alert), Placed { at: Timestamp::from_ms(at), placement }))
        };
        rows.into_iter().map(read).collect()
    }
}
