//! What the store promises, on SQLite and on a real PostgreSQL alike.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may panic")]

/// Makes two tests of each function: one a store.
macro_rules! promises {
    ($($name:ident)*) => {
        mod on_sqlite {
            $(#[test] fn $name() { super::$name(&crate::world::sqlite()); })*
        }
        mod on_postgres {
            $(#[test] fn $name() { super::$name(&crate::world::postgres()); })*
        }
    };
}
pub(crate) use promises;

mod analytics;
mod audit;
mod calendars;
mod calm;
mod deliveries;
mod devices;
mod engine_memory;
mod fencing;
mod heartbeats;
mod hosts;
mod life;
mod lists;
mod mobile;
mod notices;
mod past;
mod people;
mod places;
mod proof;
mod random;
mod schema;
mod sealed;
mod shifts;
mod tokens;
mod world;
