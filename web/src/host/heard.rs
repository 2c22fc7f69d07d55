//! What the server says of hosts on the live connection, as the pages need it.

use serde::Deserialize;
use shared::{
    Timestamp,
    host::{HostState, HostTables},
    live::HostPulse,
};

/// A sample of the host that is looked at.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct Sampled {
    pub(crate) name: String,
    pub(crate) state: HostState,
    pub(crate) every_ms: u64,
    pub(crate) at: Timestamp,
    pub(crate) values: Vec<Option<f64>>,
    #[serde(default)]
    pub(crate) tables: Option<Box<HostTables>>,
    /// Of which look the values are.
    #[serde(default)]
    pub(crate) turn: u32,
}

/// The hosts that said something.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct Pulses {
    pub(crate) hosts: Vec<HostPulse>,
}

#[derive(Deserialize)]
struct Kind {
    #[serde(rename = "type")]
    kind: String,
}

fn is(text: &str, kind: &str) -> bool {
    serde_json::from_str::<Kind>(text).is_ok_and(|it| it.kind == kind)
}

/// A sample of one host, if it is that.
pub(crate) fn sampled(text: &str) -> Option<Sampled> {
    is(text, "host").then(|| serde_json::from_str(text).ok()).flatten()
}

/// News of all hosts, if it is that.
pub(crate) fn pulses(text: &str) -> Option<Pulses> {
    is(text, "hosts").then(|| serde_json::from_str(text).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::{host::Vitals, live::LiveMessage};

    #[test]
    fn what_is_said_of_hosts_is_read_as_it_was_said() {
        let (now, at, state) = (Timestamp::from_ms(9), Timestamp::from_ms(7), HostState::Late);
        let said = LiveMessage::Host {
            now,
            name: "a".into(),
            state,
            every_ms: 1_000,
            at,
            values: vec![Some(1.5), None],
            tables: Some(Box::default()),
            turn: 7,
        };
        let text = serde_json::to_string(&said).unwrap();
        let read = sampled(&text).unwrap();
        assert_eq!((read.name.as_str(), read.state, read.every_ms, read.at), ("a", state, 1_000, at));
        assert_eq!((read.values, read.tables.is_some(), read.turn), (vec![Some(1.5), None], true, 7));
        assert_eq!(pulses(&text), None);
        let pulse = HostPulse { name: "b".into(), state, seen_at: at, vitals: Vitals::default(), worst: None };
        let text = serde_json::to_string(&LiveMessage::Hosts { now, hosts: vec![pulse.clone()] }).unwrap();
        assert_eq!(pulses(&text), Some(Pulses { hosts: vec![pulse] }));
        assert_eq!(sampled("not JSON"), None);
    }
}
