//! Who was on call, as it happened: added to behind the newest, never recomputed.

use super::{
    Store, StoreError,
    schema::{config_version, shift},
    text::plain,
};
use diesel::{ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, RunQueryDsl as _, dsl::max};
use shared::{
    ScheduleId, Timestamp,
    api::{Duty, Stretch},
};

const RECORDED_UNTIL: &str = "shifts_recorded_until";

impl Store {
    /// Until when shifts are stored; none before the first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn shifts_recorded_until(&mut self) -> Result<Option<Timestamp>, StoreError> {
        let Some(text) = self.meta(RECORDED_UNTIL)? else { return Ok(None) };
        let at = text.parse().map_err(|error: std::num::ParseIntError| StoreError::corrupt(RECORDED_UNTIL, error))?;
        Ok(Some(Timestamp::from_ms(at)))
    }

    /// The version of the configuration that was in force at an instant, and all later ones, in order: (when it came,
    /// its text). All when there is no instant.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn configs_since(&mut self, at: Option<Timestamp>) -> Result<Vec<(Timestamp, String)>, StoreError> {
        let first: Option<i64> = match at {
            Some(at) => config_version::table
                .filter(config_version::at.le(at.ms()))
                .select(max(config_version::version))
                .first(&mut self.db)?,
            None => None,
        };
        let rows: Vec<(i64, i64, String)> = config_version::table
            .filter(config_version::version.ge(first.unwrap_or(0)))
            .order(config_version::version)
            .select((config_version::version, config_version::at, config_version::toml))
            .load(&mut self.db)?;
        let opened = |(version, at, toml)| Ok((Timestamp::from_ms(at), self.open_config(version, toml)?));
        rows.into_iter().map(opened).collect()
    }

    /// Stores who was on call up to `until`, unless somebody else did since `expected` was read; then it says false.
    /// A stretch that only goes on makes the stored one longer.
    ///
    /// # Errors
    /// When the database refuses it.
    pub fn shifts_record(
        &mut self,
        expected: Option<Timestamp>,
        until: Timestamp,
        shifts: &[(ScheduleId, Vec<Stretch>)],
    ) -> Result<bool, StoreError> {
        self.write(|store| {
            // Of two who read the same, the first writes; the second finds it done.
            store.take_turn(super::connection::Turn::Configuration)?;
            if store.shifts_recorded_until()? != expected {
                return Ok(false);
            }
            for (schedule, stretches) in shifts {
                for stretch in stretches {
                    store.shift_append(schedule, stretch)?;
                }
            }
            store.meta_put(RECORDED_UNTIL, &until.ms().to_string())?;
            Ok(true)
        })
    }

    fn shift_append(&mut self, schedule: &ScheduleId, stretch: &Stretch) -> Result<(), StoreError> {
        let doc = serde_json::to_string(&stretch.duties)
            .map_err(|error| StoreError::corrupt(format!("a shift of {schedule}"), error))?;
        let name = plain(schedule.as_str());
        let last: Option<(i64, i64, String)> = shift::table
            .filter(shift::schedule.eq(&*name))
            .order(shift::from_at.desc())
            .select((shift::from_at, shift::until_at, shift::doc))
            .first(&mut self.db)
            .optional()?;
        match last {
            Some((from, until, known)) if until == stretch.from.ms() && known == doc => {
                diesel::update(shift::table.find((&*name, from)))
                    .set(shift::until_at.eq(stretch.until.ms()))
                    .execute(&mut self.db)?;
            }
            _ => {
                diesel::insert_into(shift::table)
                    .values((
                        shift::schedule.eq(&*name),
                        shift::from_at.eq(stretch.from.ms()),
                        shift::until_at.eq(stretch.until.ms()),
                        shift::doc.eq(doc),
                    ))
                    .execute(&mut self.db)?;
            }
        }
        Ok(())
    }

    /// Who was on call in a schedule, cut to a range, in order. Times in which there was no such schedule are left out.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn shifts_between(
        &mut self,
        schedule: &ScheduleId,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Stretch>, StoreError> {
        let rows: Vec<(i64, i64, String)> = shift::table
            .filter(shift::schedule.eq(plain(schedule.as_str())))
            .filter(shift::from_at.lt(until.ms()))
            .filter(shift::until_at.gt(from.ms()))
            .order(shift::from_at)
            .select((shift::from_at, shift::until_at, shift::doc))
            .load(&mut self.db)?;
        let read = |(begins, ends, doc): (i64, i64, String)| {
            let duties: Vec<Duty> = serde_json::from_str(&doc)
                .map_err(|error| StoreError::corrupt(format!("the shift of {schedule} at {begins}"), error))?;
            Ok(Stretch {
                from: Timestamp::from_ms(begins).max(from),
                until: Timestamp::from_ms(ends).min(until),
                duties,
            })
        };
        rows.into_iter().map(read).collect()
    }
}
