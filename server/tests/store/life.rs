//! An engine whose every turn can be committed: what the store keeps comes from the real thing.

use engine::{Act, Changes, Command, Effects, Engine, Event, Ingested, Snapshot};
use server::db::Message;
use shared::{
    Action, AlertEvent, EventId, Format, IncidentId, IntegrationId, Severity, Timestamp,
    timeline::{Actor, RejectReason},
};
use std::sync::Arc;

pub(crate) const CONFIG: &str = r#"
fallback = ["person:li"]
[channels.email]
host = "mail.example"
from = "tocsin@example.org"
[[people]]
id = "li"
name = "李雷"
contacts = [{ id = "mail", email = "li@example.org" }]
[[policies]]
id = "db"
levels = [{ notify = ["person:li"], delay = "5m" }]
[[routes]]
id = "databases"
match = ["host=~\"db-.*\""]
policy = "db"
[[routes]]
id = "racks"
match = ["host=~\"rack-.*\""]
policy = "db"
group = { by = [], window = "2h" }
hold = "1m"
"#;

#[derive(Clone)]
pub(crate) struct Life {
    pub(crate) engine: Engine,
    pub(crate) now: Timestamp,
    /// Deliveries that were handed out and have not come back.
    pub(crate) sending: Vec<Command>,
}

impl Life {
    /// Begins with an empty database whose first configuration is [`CONFIG`].
    pub(crate) fn begin(now: Timestamp) -> Self {
        let snapshot = Snapshot::compile(1, toml::from_str(CONFIG).unwrap()).unwrap();
        Self { engine: Engine::new(Arc::new(snapshot)), now, sending: Vec::new() }
    }

    pub(crate) fn handle(&mut self, event: Event) -> Effects {
        let effects = self.engine.handle(self.now, event);
        self.sending.extend(effects.commands.clone());
        effects
    }

    /// A message of one sender, as the runtime would store it; none when it is a repetition.
    pub(crate) fn hear(&mut self, from: &str, key: Option<&str>, events: Vec<AlertEvent>) -> Option<Message> {
        self.hear_all(from, key, events, Vec::new())
    }

    pub(crate) fn hear_all(
        &mut self,
        from: &str,
        key: Option<&str>,
        events: Vec<AlertEvent>,
        rejected: Vec<RejectReason>,
    ) -> Option<Message> {
        let integration: IntegrationId = from.into();
        let key = key.map(str::to_owned);
        let ingested = Ingested {
            integration: integration.clone(),
            key: key.clone(),
            events,
            rejected,
            places: Vec::new(),
            replayed: false,
        };
        let effects = self.handle(Event::Ingested(ingested));
        let id = effects.event.unwrap();
        let body = format!("{from} {id}").into_bytes();
        let message = message(id, integration, self.now, key, body, effects.outcomes);
        (!effects.repeated).then_some(message)
    }

    pub(crate) fn act(&mut self, incident: IncidentId, act: Act) {
        let by = Actor::Account { login: "li".into() };
        self.handle(Event::Acted { incident, by, act });
    }

    /// What must be stored; repeats wait a minute, so that restarts fall into it.
    pub(crate) fn changes(&mut self) -> Changes {
        self.engine.take_changes_but_repeats(self.now.plus_ms(-60_000))
    }
}

fn message(
    id: EventId,
    integration: IntegrationId,
    received_at: Timestamp,
    key: Option<String>,
    body: Vec<u8>,
    outcomes: Vec<shared::timeline::Outcome>,
) -> Message {
    Message {
        id,
        integration,
        received_at,
        decided_at: received_at,
        peer: "192.0.2.7".into(),
        content_type: "text/plain".into(),
        charset: "utf8".into(),
        formats: vec![Format::Bracket],
        key,
        excerpt: String::from_utf8_lossy(&body).into_owned(),
        body,
        outcomes,
    }
}

/// Something is wrong on a machine.
pub(crate) fn trigger(host: &str, key: &str) -> AlertEvent {
    alert_event(Action::Trigger, host, key)
}

/// It is over.
pub(crate) fn resolve(host: &str, key: &str) -> AlertEvent {
    alert_event(Action::Resolve, host, key)
}

fn alert_event(action: Action, host: &str, key: &str) -> AlertEvent {
    AlertEvent {
        action,
        summary: format!("{key} on {host}").into(),
        host: Some(host.into()),
        ip: Some("10.0.0.7".into()),
        dedup_key: key.into(),
        ..AlertEvent::blank(Format::Bracket, Severity::P1)
    }
}
