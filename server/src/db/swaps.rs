//! Swaps that people offer each other: stored, decided once, never deleted.

use super::{Store, StoreError, schema::swap};
use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, RunQueryDsl as _,
};
use shared::api::{SwapRow, SwapState};

impl Store {
    /// Stores an offer and gives its number; the one in it is not looked at.
    ///
    /// # Errors
    /// When the database refuses it.
    pub fn swap_create(&mut self, offer: &SwapRow) -> Result<i64, StoreError> {
        Ok(diesel::insert_into(swap::table)
            .values((swap::state.eq(offer.state.as_str()), swap::doc.eq(written(offer)?)))
            .returning(swap::id)
            .get_result(&mut self.db)?)
    }

    /// A swap by its number.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn swap(&mut self, id: i64) -> Result<Option<SwapRow>, StoreError> {
        let row: Option<String> = swap::table.find(id).select(swap::doc).first(&mut self.db).optional()?;
        row.map(|doc| read(id, &doc)).transpose()
    }

    /// The newest swaps, at most `limit`.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn swaps(&mut self, limit: i64) -> Result<Vec<SwapRow>, StoreError> {
        let rows: Vec<(i64, String)> =
            swap::table.order(swap::id.desc()).limit(limit).select((swap::id, swap::doc)).load(&mut self.db)?;
        rows.into_iter().map(|(id, doc)| read(id, &doc)).collect()
    }

    /// Stores what became of an offer; false when it was decided before.
    ///
    /// # Errors
    /// When the database refuses it.
    pub fn swap_decide(&mut self, decided: &SwapRow) -> Result<bool, StoreError> {
        let offered = swap::state.eq(SwapState::Offered.as_str());
        let changed = diesel::update(swap::table)
            .filter(swap::id.eq(decided.id).and(offered))
            .set((swap::state.eq(decided.state.as_str()), swap::doc.eq(written(decided)?)))
            .execute(&mut self.db)?;
        Ok(changed > 0)
    }
}

fn written(row: &SwapRow) -> Result<String, StoreError> {
    serde_json::to_string(row).map_err(|error| StoreError::corrupt("a swap", error))
}

fn read(id: i64, doc: &str) -> Result<SwapRow, StoreError> {
    let row: SwapRow = serde_json::from_str(doc).map_err(|error| StoreError::corrupt(format!("swap {id}"), error))?;
    Ok(SwapRow { id, ..row })
}
