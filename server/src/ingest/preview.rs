//! What a body would become, without storing or paging: the same reading as for real messages.

use engine::{
    Snapshot,
    normalize::{Source, normalize},
};
use shared::{IntegrationId, Timestamp, api::Preview, config::Integration};

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
    normalize(&Source { integration: &integration, content_type, format, peer: None, received_at: now }, body).into()
}
