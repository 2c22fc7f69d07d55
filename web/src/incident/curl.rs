//! A message as a command that sends it again.

use crate::format::shell_quoted;
use shared::api::EventDetail;

/// The token is never known to the browser; its place is named.
pub(crate) fn command(origin: &str, event: &EventDetail) -> String {
    let content_type = if event.content_type.is_empty() { "text/plain" } else { &event.content_type };
    format!(
        "curl -X POST '{origin}/ingest/TOKEN' \\\n  -H {} \\\n  --data-binary {}",
        shell_quoted(&format!("content-type: {content_type}")),
        shell_quoted(&event.text),
    )
}
