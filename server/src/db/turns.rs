//! Whose turn it is in levels that page one person at a time: written by the engine with everything else, read at start.

use super::{Store, StoreError, commit::json, restore::document, schema::level_turn};
use diesel::{BoolExpressionMethods as _, ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _};
use engine::LevelTurn;

impl Store {
    pub(super) fn put_turns(&mut self, turns: &[LevelTurn]) -> Result<(), StoreError> {
        for turn in turns {
            let level = i64::from(turn.level);
            let doc = json("the turns of a level", &turn.people)?;
            let known = level_turn::policy.eq(turn.policy.as_str()).and(level_turn::level.eq(level));
            let changed =
                diesel::update(level_turn::table.filter(known)).set(level_turn::doc.eq(&doc)).execute(&mut self.db)?;
            if changed == 0 {
                diesel::insert_into(level_turn::table)
                    .values((
                        level_turn::policy.eq(turn.policy.as_str()),
                        level_turn::level.eq(level),
                        level_turn::doc.eq(&doc),
                    ))
                    .execute(&mut self.db)?;
            }
        }
        Ok(())
    }

    pub(super) fn turns(&mut self) -> Result<Vec<LevelTurn>, StoreError> {
        let rows: Vec<(String, i64, String)> = level_turn::table
            .order((level_turn::policy, level_turn::level))
            .select((level_turn::policy, level_turn::level, level_turn::doc))
            .load(&mut self.db)?;
        let turn = |(policy, level, doc): (String, i64, String)| {
            let people = document("level_turn", level, &doc)?;
            Ok(LevelTurn { policy: policy.as_str().into(), level: u32::try_from(level).unwrap_or(u32::MAX), people })
        };
        rows.into_iter().map(turn).collect()
    }
}
