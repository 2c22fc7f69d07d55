//! By which machines an incident of several alerts is found.

use engine::{
    Engine, Event, Ingested, Snapshot,
    normalize::{Source, normalize},
};
use shared::{Timestamp, api::IncidentRow, config::Integration};
use std::sync::Arc;

const NOW: Timestamp = Timestamp::from_ms(1_795_392_000_000);
const CONFIG: &str = r#"
fallback = ["person:li"]
people = [{ id = "li", name = "Li", contacts = [{ id = "mail", email = "l@example.org" }] }]
policies = [{ id = "all", levels = [{ notify = ["person:li"], delay = "5m" }] }]
routes = [{ id = "all", policy = "all", group = { by = [], window = "2h" } }]
"#;

fn hosts(lines: &[&str]) -> Vec<Vec<String>> {
    let config = Arc::new(Snapshot::compile(1, toml::from_str(CONFIG).unwrap()).unwrap());
    let integration: Integration = toml::from_str("id = \"falcon\"\nname = \"falcon\"").unwrap();
    let mut engine = Engine::new(config);
    for (place, line) in lines.iter().enumerate() {
        let now = NOW.plus_ms(place as i64 * 1_000);
        let source =
            Source { integration: &integration, content_type: None, format: None, peer: None, received_at: now };
        let events = normalize(&source, line.as_bytes()).events.into_iter().map(|parsed| parsed.event).collect();
        let message = Ingested {
            integration: "falcon".into(),
            key: None,
            events,
            rejected: Vec::new(),
            places: Vec::new(),
            replayed: false,
        };
        engine.handle(now, Event::Ingested(message));
    }
    engine.state.incidents.values().map(|incident| IncidentRow::from(&**incident).hosts).collect()
}

#[test]
fn a_group_knows_the_machines_of_all_its_alerts_each_once() {
    let lines = [
        "[P2][PROBLEM][db-01][10.0.0.1][slow]",
        "[P2][PROBLEM][db-02][10.0.0.2][slow]",
        "[P2][PROBLEM][db-02][10.0.0.2][disk is full]",
        "[P2][PROBLEM][db-01][10.0.0.1][disk is full]",
        "[P2][PROBLEM][][10.0.0.3][slow]",
    ];
    assert_eq!(hosts(&lines), [["db-02", "10.0.0.3"]]);
}

#[test]
fn a_machine_that_is_over_still_leads_to_the_incident() {
    let lines = [
        "[P2][PROBLEM][db-01][10.0.0.1][slow]",
        "[P2][PROBLEM][db-02][10.0.0.2][slow]",
        "[P2][OK][db-02][10.0.0.2][slow]",
    ];
    assert_eq!(hosts(&lines), [["db-02"]]);
}
