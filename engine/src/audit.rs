//! Looks through what is open, a part at a time, for incidents that nothing would ever happen to.
//!
//! The same promises are checked after every event in tests and in simulations ([`State::check`]). In production they
//! are checked all the time, because what breaks them is by its nature what nobody thought of.

use crate::{invariant::Broken, state::State};
use shared::IncidentId;
use std::ops::Bound;

/// Where an audit has come to, and what it found on its way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Audit {
    seen: Option<IncidentId>,
    found: Vec<Broken>,
}

/// Broken promises that are reported of one audit; a defect that breaks one breaks many.
const FOUND_MAX: usize = 10;

impl Audit {
    /// Looks at the next incidents, at most `count`; everything that was found once all were looked at, and from then
    /// on from the beginning again.
    pub fn advance(&mut self, state: &State, count: usize) -> Option<Vec<Broken>> {
        let from = self.seen.map_or(Bound::Unbounded, Bound::Excluded);
        let mut next = state.incidents.range((from, Bound::Unbounded)).take(count);
        let mut looked = 0;
        for (id, incident) in &mut next {
            looked += 1;
            self.seen = Some(*id);
            if self.found.len() < FOUND_MAX {
                self.found.extend(state.check_incident(incident).err());
            }
        }
        (looked < count).then(|| std::mem::take(self).found)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;
    use crate::{Engine, Event, Ingested, Snapshot, normalize};
    use shared::{Timestamp, config::Integration};
    use std::sync::Arc;

    const HOUSE: &str = r#"
fallback = ["person:li"]
[[people]]
id = "li"
name = "Li"
contacts = [{ id = "push", ntfy = "li" }]
[channels.ntfy]
server = "https://ntfy.example.org"
"#;

    /// Three P0 that page Li.
    fn house() -> Engine {
        let mut engine = Engine::new(Arc::new(Snapshot::compile(1, toml::from_str(HOUSE).unwrap()).unwrap()));
        let falcon: Integration = toml::from_str("id = \"falcon\"").unwrap();
        let now = Timestamp::from_ms(1_800_000_000_000);
        for host in ["a", "b", "c"] {
            let source = normalize::Source {
                integration: &falcon,
                content_type: None,
                format: None,
                peer: None,
                received_at: now,
            };
            let body = format!("[P0][PROBLEM][{host}][10.1.2.3][host is down]");
            let read = normalize::normalize(&source, body.as_bytes());
            let events = read.events.into_iter().map(|it| it.event).collect();
            let message = Ingested {
                integration: falcon.id.clone(),
                key: None,
                events,
                rejected: Vec::new(),
                places: Vec::new(),
                replayed: false,
            };
            engine.handle(now, Event::Ingested(message));
        }
        engine
    }

    #[test]
    fn an_audit_goes_through_everything_in_parts_and_begins_again() {
        let engine = house();
        let mut audit = Audit::default();
        assert_eq!(audit.advance(&engine.state, 2), None);
        assert_eq!(audit.advance(&engine.state, 2), Some(Vec::new()));
        assert_eq!(audit, Audit::default());
    }

    #[test]
    fn an_incident_that_nothing_would_happen_to_is_found() {
        let mut engine = house();
        let (id, incident) = engine.state.incidents.iter_mut().nth(1).unwrap();
        let id = *id;
        Arc::make_mut(incident).escalations.iter_mut().for_each(|it| it.due = None);
        Arc::make_mut(incident).pages.clear();
        let found = Audit::default().advance(&engine.state, 100).unwrap();
        assert!(matches!(found.as_slice(), [Broken::Silent { incident, .. }] if *incident == id), "{found:?}");
    }
}
