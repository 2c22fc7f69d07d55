//! Every configuration that was ever in force, by version.

use super::{Refused, Store, StoreError, connection::Turn, schema::config_version, text::plain};
use diesel::{ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, RunQueryDsl as _, dsl::max};
use shared::Timestamp;

/// A configuration as it was put in force.
#[derive(Clone, Debug)]
pub struct StoredConfig {
    pub version: i64,
    pub at: Timestamp,
    /// Who did.
    pub by: String,
    pub toml: String,
}

impl Store {
    /// The configuration in force and its version; none before the first one was applied.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn config_current(&mut self) -> Result<Option<(i64, String)>, StoreError> {
        let row: Option<(i64, String)> = config_version::table
            .order(config_version::version.desc())
            .select((config_version::version, config_version::toml))
            .first(&mut self.db)
            .optional()?;
        row.map(|(version, toml)| Ok((version, self.open_config(version, toml)?))).transpose()
    }

    /// The version in force; 0 before the first one was applied. Cheap enough to ask every second.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn config_number(&mut self) -> Result<i64, StoreError> {
        let newest: Option<i64> = config_version::table.select(max(config_version::version)).first(&mut self.db)?;
        Ok(newest.unwrap_or(0))
    }

    /// The text of a version.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn config_at(&mut self, version: i64) -> Result<Option<String>, StoreError> {
        let toml: Option<String> =
            config_version::table.find(version).select(config_version::toml).first(&mut self.db).optional()?;
        toml.map(|toml| self.open_config(version, toml)).transpose()
    }

    /// The version that was in force at an instant; 0 before the first one.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn config_in_force(&mut self, at: Timestamp) -> Result<i64, StoreError> {
        let newest: Option<i64> = config_version::table
            .filter(config_version::at.le(at.ms()))
            .select(max(config_version::version))
            .first(&mut self.db)?;
        Ok(newest.unwrap_or(0))
    }

    /// Versions from one number to another, both included, oldest first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn config_versions(&mut self, first: i64, last: i64) -> Result<Vec<StoredConfig>, StoreError> {
        let rows: Vec<(i64, i64, String, String)> = config_version::table
            .filter(config_version::version.between(first, last))
            .order(config_version::version)
            .load(&mut self.db)?;
        let stored = |(version, at, by, toml)| {
            let toml = self.open_config(version, toml)?;
            Ok(StoredConfig { version, at: Timestamp::from_ms(at), by, toml })
        };
        rows.into_iter().map(stored).collect()
    }

    /// Puts a configuration in force and gives its version. With `expected`, only when that version (0 for none) is
    /// still in force.
    ///
    /// # Errors
    /// [`Refused::ConfigMoved`] when it is not.
    pub fn config_put(
        &mut self,
        toml: &str,
        by: &str,
        at: Timestamp,
        expected: Option<i64>,
    ) -> Result<i64, StoreError> {
        self.write(|store| {
            store.take_turn(Turn::Configuration)?;
            let found = store.config_number()?;
            if let Some(expected) = expected.filter(|expected| *expected != found) {
                return Err(Refused::ConfigMoved { expected, found }.into());
            }
            let version = found + 1;
            let toml = store.seal_config(version, &plain(toml))?;
            diesel::insert_into(config_version::table)
                .values((
                    config_version::version.eq(version),
                    config_version::at.eq(at.ms()),
                    config_version::actor.eq(plain(by)),
                    config_version::toml.eq(toml),
                ))
                .execute(&mut store.db)?;
            Ok(version)
        })
    }
}
