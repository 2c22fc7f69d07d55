//! What a body would become, without storing or paging: the same reading as for real messages.

use engine::{
    Snapshot,
    normalize::{Source, check_mapping, is_short, normalize},
};
use shared::{
    IntegrationId, Timestamp,
    api::{MappingPreview, Preview},
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
    normalize(&Source { integration: &integration, content_type, format, peer: None, received_at: now }, body).into()
}

/// Reads a body as that of a sender with these settings, and says what is wrong with its mapping.
#[must_use]
pub fn preview_mapping(
    settings: &Integration,
    content_type: Option<&str>,
    body: &[u8],
    now: Timestamp,
) -> MappingPreview {
    let content_type = content_type.filter(|it| !it.is_empty());
    let findings = settings.mapping.as_deref().map(|mapping| check_mapping(mapping, "mapping")).unwrap_or_default();
    let mut settings = settings.clone();
    settings.mapping = settings.mapping.filter(|mapping| is_short(mapping));
    let source = Source { integration: &settings, content_type, format: None, peer: None, received_at: now };
    MappingPreview { preview: normalize(&source, body).into(), findings }
}
