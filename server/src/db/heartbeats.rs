//! How heartbeats stand, and the alerts the engine raised itself: written with everything else, read at start.

use super::{
    EXCERPT_CHARS, Message, Store, StoreError, commit::json, restore::document, schema::heartbeat, text::index_key,
};
use diesel::{ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _};
use engine::{OwnMessage, compile::SELF};
use shared::{Action, Pulse};

impl Store {
    pub(super) fn put_pulses(&mut self, pulses: &[Pulse]) -> Result<(), StoreError> {
        for pulse in pulses {
            let id = index_key(pulse.heartbeat.as_str());
            let doc = json("a heartbeat", pulse)?;
            let known = heartbeat::table.find(&id);
            if diesel::update(known).set(heartbeat::doc.eq(&doc)).execute(&mut self.db)? == 0 {
                let values = (heartbeat::id.eq(&id), heartbeat::doc.eq(&doc));
                diesel::insert_into(heartbeat::table).values(values).execute(&mut self.db)?;
            }
        }
        Ok(())
    }

    /// How every heartbeat stands that was ever heard.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn pulses(&mut self) -> Result<Vec<Pulse>, StoreError> {
        let rows: Vec<String> = heartbeat::table.order(heartbeat::id).select(heartbeat::doc).load(&mut self.db)?;
        rows.iter().enumerate().map(|(row, doc)| document("heartbeat", row as i64, doc)).collect()
    }
}

/// An alert of the engine's own as a message that could have been sent: read again, it is the same alert.
pub(super) fn message(own: &OwnMessage) -> Message {
    let event = &own.event;
    let status = match event.action {
        Action::Resolve => "resolved",
        // The engine raises nothing else.
        _ => "firing",
    };
    let body = serde_json::json!({
        "severity": event.severity, "status": status, "summary": event.summary, "content": event.content,
        "dedup_key": event.dedup_key, "labels": event.labels,
    })
    .to_string();
    Message {
        id: own.id,
        integration: SELF.into(),
        received_at: own.at,
        decided_at: own.at,
        peer: SELF.to_owned(),
        content_type: "application/json".to_owned(),
        charset: "utf-8".to_owned(),
        formats: vec![event.format],
        key: None,
        excerpt: body.chars().take(EXCERPT_CHARS).collect(),
        body: body.into_bytes(),
        outcomes: vec![own.outcome.clone()],
    }
}
