//! The schema: which migrations there are, applying them, and refusing a database that is newer than this program.

use super::{
    Store, StoreError,
    connection::{Db, Turn},
};
#[cfg(feature = "postgres")]
use diesel::connection::SimpleConnection as _;
use diesel::migration::{Migration, MigrationSource as _};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness as _, embed_migrations};
use std::collections::BTreeSet;

const SQLITE: EmbeddedMigrations = embed_migrations!("../migrations/sqlite");
#[cfg(feature = "postgres")]
const POSTGRES: EmbeddedMigrations = embed_migrations!("../migrations/postgres");

type Step = Box<dyn Migration<<Db as diesel::Connection>::Backend>>;

impl Store {
    /// Brings the schema up to date, all or nothing, and gives the names of what was applied. Servers that start at
    /// once wait for each other.
    ///
    /// # Errors
    /// When the schema is newer than this program, or a statement fails.
    pub fn migrate(&mut self) -> Result<Vec<String>, StoreError> {
        self.write(|store| {
            #[cfg(feature = "postgres")]
            if let Db::Postgres(connection) = &mut store.db {
                connection.batch_execute("SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = 0")?;
            }
            store.take_turn(Turn::Migrations)?;
            let mut applied = Vec::new();
            for step in store.pending()? {
                let name = step.name().to_string();
                tracing::info!(migration = %name, "changing the schema");
                store.db.run_migration(&step).map_err(|error| failed(&name, error))?;
                applied.push(name);
            }
            Ok(applied)
        })
    }

    /// The names of the migrations that [`Store::migrate`] would apply.
    ///
    /// # Errors
    /// When the schema is newer than this program, or the database does not answer.
    pub fn pending_migrations(&mut self) -> Result<Vec<String>, StoreError> {
        Ok(self.pending()?.iter().map(|step| step.name().to_string()).collect())
    }

    fn pending(&mut self) -> Result<Vec<Step>, StoreError> {
        let applied = self.db.applied_migrations().map_err(|error| failed("the list of migrations", error))?;
        let applied: BTreeSet<String> = applied.iter().map(ToString::to_string).collect();
        let known = self.known()?;
        let versions: BTreeSet<String> = known.iter().map(|step| step.name().version().to_string()).collect();
        let strange: Vec<&str> = applied.difference(&versions).map(String::as_str).collect();
        if !strange.is_empty() {
            let context = format!(
                "the database was made by a newer Tocsin (it has {}): run that version, or restore the backup made before",
                strange.join(", ")
            );
            return Err(StoreError::Schema { context, source: None });
        }
        Ok(known.into_iter().filter(|step| !applied.contains(&step.name().version().to_string())).collect())
    }

    fn known(&self) -> Result<Vec<Step>, StoreError> {
        let source = match &self.db {
            Db::Sqlite(_) => SQLITE,
            #[cfg(feature = "postgres")]
            Db::Postgres(_) => POSTGRES,
        };
        let mut steps: Vec<Step> = source.migrations().map_err(|error| failed("the list of migrations", error))?;
        steps.sort_by_key(|step| step.name().version().as_owned());
        Ok(steps)
    }
}

fn failed(what: &str, error: Box<dyn std::error::Error + Send + Sync>) -> StoreError {
    match error.downcast::<diesel::result::Error>() {
        Ok(error) => match StoreError::of(*error) {
            StoreError::Other { context, source } | StoreError::Schema { context, source } => {
                StoreError::Schema { context: format!("{what} failed: {context}"), source }
            }
            error => error,
        },
        Err(error) => StoreError::Schema { context: format!("{what} failed: {error}"), source: Some(error) },
    }
}
