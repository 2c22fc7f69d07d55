//! What a body would become, without storing or paging: the same reading as for real messages.

use engine::{
    Snapshot,
    normalize::{Source, normalize},
};
use shared::{
    IntegrationId, Timestamp,
    api::{Preview, PreviewEvent},
    config::Integration,
};

/// Reads a body as an undeclared sender's.
#[must_use]
pub fn preview(
    config: &Snapshot,
    content_type: Option<&str>,
    format: Option<&str>,
    body: &[u8],
    now: Timestamp,
) -> Preview {
    let id = IntegrationId::from("preview");
    let integration: Integration = config.integration(&id);
    let read = normalize(&Source { integration: &integration, content_type, format, received_at: now }, body);
    let events = read.events.into_iter().map(|parsed| {
        let event = parsed.event;
        PreviewEvent {
            action: event.action,
            severity: event.severity,
            format: event.format,
            host: event.host.clone(),
            ip: event.ip.clone(),
            mac: event.mac.clone(),
            summary: event.summary.clone(),
            dedup_key: event.dedup_key.clone(),
            flags: event.flags.clone(),
            fields: parsed.spans,
            event,
        }
    });
    Preview {
        events: events.collect(),
        rejected: read.rejected,
        charset: read.charset.as_str().to_owned(),
        text: read.text,
    }
}
