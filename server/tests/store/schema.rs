//! The schema: applied once, by one, and the same on both stores.

use crate::world::{self, NOW, Place};
use server::db::StoreError;

crate::promises! {
    the_schema_is_applied_once
    two_servers_may_migrate_at_once
    a_database_without_a_schema_says_what_to_do
    a_newer_schema_is_refused
    a_migration_can_be_taken_back
}

/// The newest first: SQLite's, PostgreSQL's.
const DOWN: [[&str; 2]; 17] = [
    [
        include_str!("../../../migrations/sqlite/2026-11-23-001000_token_end/down.sql"),
        include_str!("../../../migrations/postgres/2026-11-23-001000_token_end/down.sql"),
    ],
    [
        include_str!("../../../migrations/sqlite/2026-11-22-000900_readiness/down.sql"),
        include_str!("../../../migrations/postgres/2026-11-22-000900_readiness/down.sql"),
    ],
    [
        include_str!("../../../migrations/sqlite/2026-11-22-000800_mobile/down.sql"),
        include_str!("../../../migrations/postgres/2026-11-22-000800_mobile/down.sql"),
    ],
    [
        include_str!("../../../migrations/sqlite/2026-11-22-000700_deliveries/down.sql"),
        include_str!("../../../migrations/postgres/2026-11-22-000700_deliveries/down.sql"),
    ],
    [
        include_str!("../../../migrations/sqlite/2026-11-22-000600_devices/down.sql"),
        include_str!("../../../migrations/postgres/2026-11-22-000600_devices/down.sql"),
    ],
    [
        include_str!("../../../migrations/sqlite/2026-11-22-000500_hosts/down.sql"),
        include_str!("../../../migrations/postgres/2026-11-22-000500_hosts/down.sql"),
    ],
    [
        include_str!("../../../migrations/sqlite/2026-11-22-000400_mirrors/down.sql"),
        include_str!("../../../migrations/postgres/2026-11-22-000400_mirrors/down.sql"),
    ],
    [
        include_str!("../../../migrations/sqlite/2026-11-22-000300_alert_place/down.sql"),
        include_str!("../../../migrations/postgres/2026-11-22-000300_alert_place/down.sql"),
    ],
    [
        include_str!("../../../migrations/sqlite/2026-11-22-000100_inventory/down.sql"),
        include_str!("../../../migrations/postgres/2026-11-22-000100_inventory/down.sql"),
    ],
    [
        include_str!("../../../migrations/sqlite/2026-11-21-000800_long_incidents/down.sql"),
        include_str!("../../../migrations/postgres/2026-11-21-000800_long_incidents/down.sql"),
    ],
    [
        include_str!("../../../migrations/sqlite/2026-11-21-000700_calendars/down.sql"),
        include_str!("../../../migrations/postgres/2026-11-21-000700_calendars/down.sql"),
    ],
    [
        include_str!("../../../migrations/sqlite/2026-11-21-000500_heartbeats/down.sql"),
        include_str!("../../../migrations/postgres/2026-11-21-000500_heartbeats/down.sql"),
    ],
    [
        include_str!("../../../migrations/sqlite/2026-11-21-000400_calm/down.sql"),
        include_str!("../../../migrations/postgres/2026-11-21-000400_calm/down.sql"),
    ],
    [
        include_str!("../../../migrations/sqlite/2026-11-21-000300_level_turns/down.sql"),
        include_str!("../../../migrations/postgres/2026-11-21-000300_level_turns/down.sql"),
    ],
    [
        include_str!("../../../migrations/sqlite/2026-11-21-000200_silences/down.sql"),
        include_str!("../../../migrations/postgres/2026-11-21-000200_silences/down.sql"),
    ],
    [
        include_str!("../../../migrations/sqlite/2026-11-21-000100_shifts/down.sql"),
        include_str!("../../../migrations/postgres/2026-11-21-000100_shifts/down.sql"),
    ],
    [
        include_str!("../../../migrations/sqlite/2026-11-21-000000_foundation/down.sql"),
        include_str!("../../../migrations/postgres/2026-11-21-000000_foundation/down.sql"),
    ],
];

fn the_schema_is_applied_once(place: &Place) {
    let mut store = place.bare();
    let pending = store.pending_migrations().unwrap();
    assert!(pending[0].ends_with("foundation"), "{pending:?}");
    assert_eq!(store.migrate().unwrap(), pending);
    assert!(store.migrate().unwrap().is_empty());
    assert!(place.bare().pending_migrations().unwrap().is_empty());
    assert!(!store.version().unwrap().is_empty());
    store.ping().unwrap();
}

fn two_servers_may_migrate_at_once(place: &Place) {
    let applied: usize = std::thread::scope(|scope| {
        let racers: Vec<_> = (0..4).map(|_| scope.spawn(|| place.bare().migrate().unwrap().len())).collect();
        racers.into_iter().map(|racer| racer.join().unwrap()).sum()
    });
    assert_eq!(applied, DOWN.len());
}

fn a_database_without_a_schema_says_what_to_do(place: &Place) {
    match place.bare().restore(NOW).unwrap_err() {
        StoreError::Schema { context, .. } => assert!(context.contains("tocsin migrate"), "{context}"),
        other => panic!("{other}"),
    }
}

fn a_newer_schema_is_refused(place: &Place) {
    let mut store = place.store();
    place.stranger().run("INSERT INTO __diesel_schema_migrations (version) VALUES ('29990101000000')").unwrap();
    for result in [store.migrate(), store.pending_migrations()] {
        match result.unwrap_err() {
            StoreError::Schema { context, .. } => assert!(context.contains("newer"), "{context}"),
            other => panic!("{other}"),
        }
    }
}

fn a_migration_can_be_taken_back(place: &Place) {
    drop(place.store());
    let mut stranger = place.stranger();
    for [sqlite, postgres] in DOWN {
        stranger.run(if place.is_sqlite() { sqlite } else { postgres }).unwrap();
    }
    stranger.run("DELETE FROM __diesel_schema_migrations").unwrap();
    assert_eq!(place.bare().migrate().unwrap().len(), DOWN.len());
    place.writer();
}

#[test]
fn both_stores_have_the_same_shape() {
    let (sqlite, postgres) = (world::sqlite(), world::postgres());
    drop((sqlite.store(), postgres.store()));
    let columns = sqlite.stranger().texts(
        "SELECT t.name || '.' || c.name || CASE WHEN c.\"notnull\" THEN ' not null' ELSE '' END
         FROM sqlite_schema t, pragma_table_info(t.name) c
         WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%' AND t.name NOT LIKE '\\_\\_diesel%' ESCAPE '\\' ORDER BY 1",
    );
    let mut same = postgres.stranger().texts(
        "SELECT table_name || '.' || column_name || CASE is_nullable WHEN 'NO' THEN ' not null' ELSE '' END
         FROM information_schema.columns
         WHERE table_schema = 'public' AND table_name NOT LIKE '\\_\\_diesel%'",
    );
    same.sort();
    assert_eq!(columns, same);
    let indexes = sqlite
        .stranger()
        .texts("SELECT name FROM sqlite_schema WHERE type = 'index' AND name NOT LIKE 'sqlite%' ORDER BY name");
    let mut same = postgres.stranger().texts(
        "SELECT indexname::text FROM pg_indexes WHERE schemaname = 'public' AND indexname NOT LIKE '%\\_pkey' AND indexname NOT LIKE '%\\_key'",
    );
    same.sort();
    // The one name of ours that ends like those of unique constraints.
    same.extend(indexes.iter().filter(|name| *name == "event_idem_key").cloned());
    same.sort();
    same.dedup();
    assert_eq!(indexes, same);
}
