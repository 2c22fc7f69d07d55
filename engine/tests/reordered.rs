//! Messages in any order: what counts in the end is what the sender said last, by its own clock.

use engine::{
    Engine, Event, Ingested, Snapshot,
    normalize::{Source, normalize},
};
use shared::{IncidentState, Timestamp, config::Integration, timeline::Outcome};
use std::sync::Arc;

/// 2026-11-23T08:00 in Shanghai.
const NOW: Timestamp = Timestamp::from_ms(1_795_392_000_000);
const CONFIG: &str = r#"
fallback = ["person:li"]
people = [{ id = "li", name = "Li", contacts = [{ id = "mail", email = "l@example.org" }] }]
policies = [{ id = "all", levels = [{ notify = ["person:li"], delay = "5m" }] }]
routes = [{ id = "all", policy = "all" }]
"#;

/// PROBLEM and OK in turn, a minute apart by the sender's clock.
fn line(n: usize) -> String {
    let status = if n.is_multiple_of(2) { "PROBLEM" } else { "OK" };
    format!("[P3][{status}][db-07][][cpu idle low all(#3) cpu.idle  {n}<5][O1 2026-11-23 08:0{n}:00]")
}

/// Every order of the first `n` numbers (Heap's algorithm).
fn orders(n: usize) -> Vec<Vec<usize>> {
    fn permute(k: usize, order: &mut Vec<usize>, found: &mut Vec<Vec<usize>>) {
        if k <= 1 {
            found.push(order.clone());
            return;
        }
        for i in 0..k {
            permute(k - 1, order, found);
            order.swap(if k.is_multiple_of(2) { i } else { 0 }, k - 1);
        }
    }
    let mut found = Vec::new();
    permute(n, &mut (0..n).collect(), &mut found);
    found
}

#[test]
fn whatever_the_order_of_arrival_the_last_word_of_the_sender_stands() {
    let config = Arc::new(Snapshot::compile(1, toml::from_str(CONFIG).unwrap()).unwrap());
    let integration: Integration = toml::from_str("id = \"falcon\"\nname = \"falcon\"").unwrap();
    for n in 1..=6 {
        let orders = orders(n);
        assert_eq!(orders.len(), (1..=n).product::<usize>());
        for order in orders {
            let mut engine = Engine::new(config.clone());
            let mut ended = Vec::new();
            for (place, message) in order.iter().enumerate() {
                let now = NOW.plus_ms(600_000 + place as i64 * 1_000);
                let source = Source {
                    integration: &integration,
                    content_type: None,
                    format: None,
                    peer: None,
                    received_at: now,
                };
                let events = normalize(&source, line(*message).as_bytes()).events;
                let events = events.into_iter().map(|parsed| parsed.event).collect();
                let message = Ingested {
                    integration: "falcon".into(),
                    key: None,
                    events,
                    rejected: Vec::new(),
                    places: Vec::new(),
                    replayed: false,
                };
                ended.extend(engine.handle(now, Event::Ingested(message)).outcomes);
            }
            let fires = engine.state.incidents.values().any(|it| it.state != IncidentState::Resolved);
            let last_is_a_problem = !n.is_multiple_of(2);
            assert_eq!(fires, last_is_a_problem, "{order:?} became {ended:?}");
            let opened = ended.iter().filter(|it| matches!(it, Outcome::Opened { .. })).count();
            assert!(opened <= n.div_ceil(2), "{order:?} opened {opened}");
        }
    }
}
