//! What sources of machines said last, and where VMs have been.

use super::{
    Store, StoreError,
    commit::json,
    restore::document,
    schema::{inventory, vm_move},
    text::{index_key, plain},
};
use diesel::{ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _};
use shared::{SourceId, Timestamp, api::Move, inventory::Observation};
use std::collections::{BTreeMap, BTreeSet};

/// Moves are told for so long.
const MOVES_KEPT_MS: i64 = 400 * 86_400_000;
/// Moves that are shown of one VM.
const MOVES_MAX: i64 = 200;

impl Store {
    /// What every source said last, and when.
    ///
    /// # Errors
    /// When the database does not answer, or holds what cannot be read.
    pub fn inventory(&mut self) -> Result<Vec<(SourceId, Observation, Timestamp)>, StoreError> {
        let rows: Vec<(String, i64, i64, String)> = inventory::table
            .order((inventory::source, inventory::part))
            .select((inventory::source, inventory::part, inventory::seen_at, inventory::doc))
            .load(&mut self.db)?;
        let mut sources: BTreeMap<String, (Observation, i64)> = BTreeMap::new();
        for (source, part, seen_at, doc) in rows {
            let read: Observation = document("inventory", part, &doc)?;
            let (whole, newest) = sources.entry(source).or_default();
            whole.whole = true;
            whole.hypervisors.extend(read.hypervisors);
            whole.vms.extend(read.vms);
            whole.ports.extend(read.ports);
            whole.neighbours.extend(read.neighbours);
            *newest = seen_at.max(*newest);
        }
        let each = sources.into_iter();
        Ok(each.map(|(source, (whole, at))| (SourceId::from(source), whole, Timestamp::from_ms(at))).collect())
    }

    /// Stores a part of what a source said, or removes it.
    ///
    /// # Errors
    /// When the database refuses it.
    pub fn inventory_put(
        &mut self,
        source: &SourceId,
        part: u64,
        seen_at: Timestamp,
        doc: Option<&str>,
    ) -> Result<(), StoreError> {
        let (source, part) = (index_key(source.as_str()), part as i64);
        self.write(|store| {
            diesel::delete(inventory::table.find((&*source, part))).execute(&mut store.db)?;
            if let Some(doc) = doc {
                let row = (
                    inventory::source.eq(&*source),
                    inventory::part.eq(part),
                    inventory::seen_at.eq(seen_at.ms()),
                    inventory::doc.eq(plain(doc)),
                );
                diesel::insert_into(inventory::table).values(row).execute(&mut store.db)?;
            }
            Ok(())
        })
    }

    /// Forgets what every source but these said.
    ///
    /// # Errors
    /// When the database refuses it.
    pub fn inventory_keep(&mut self, sources: &BTreeSet<SourceId>) -> Result<(), StoreError> {
        let known: Vec<String> = inventory::table.select(inventory::source).distinct().load(&mut self.db)?;
        let kept: BTreeSet<String> = sources.iter().map(|it| index_key(it.as_str()).into_owned()).collect();
        for source in known.iter().filter(|source| !kept.contains(*source)) {
            diesel::delete(inventory::table.filter(inventory::source.eq(source))).execute(&mut self.db)?;
        }
        Ok(())
    }

    /// Stores where VMs moved, and forgets moves that nobody asks for any more.
    ///
    /// # Errors
    /// When the database refuses it.
    pub fn moves_put(&mut self, moves: &[Move]) -> Result<(), StoreError> {
        let Some(newest) = moves.iter().map(|it| it.at).max() else { return Ok(()) };
        self.write(|store| {
            for told in moves {
                let Some(vm) = told.before.as_ref().or(told.after.as_ref()) else { continue };
                let row = (
                    vm_move::source.eq(index_key(told.source.as_str())),
                    vm_move::vm.eq(index_key(&vm.key)),
                    vm_move::at.eq(told.at.ms()),
                    vm_move::doc.eq(json("a move", told)?),
                );
                diesel::insert_into(vm_move::table).values(row).execute(&mut store.db)?;
            }
            let old = vm_move::table.filter(vm_move::at.lt(newest.ms() - MOVES_KEPT_MS));
            diesel::delete(old).execute(&mut store.db)?;
            Ok(())
        })
    }

    /// Where a VM has been, the newest first.
    ///
    /// # Errors
    /// When the database does not answer, or holds what cannot be read.
    pub fn moves(&mut self, source: &SourceId, vm: &str) -> Result<Vec<Move>, StoreError> {
        let rows: Vec<(i64, String)> = vm_move::table
            .filter(vm_move::source.eq(index_key(source.as_str())))
            .filter(vm_move::vm.eq(index_key(vm)))
            .order(vm_move::id.desc())
            .limit(MOVES_MAX)
            .select((vm_move::id, vm_move::doc))
            .load(&mut self.db)?;
        rows.iter().map(|(id, doc)| document("move", *id, doc)).collect()
    }
}
