//! A message as it arrived, with the fields that were read out of it marked in place.

use crate::incident::marks::{Piece, pieces};
use leptos::prelude::*;
use shared::alert::FieldSpan;

/// Text nodes only: whatever a sender wrote stays text.
pub(crate) fn marked(text: &str, fields: &[FieldSpan]) -> impl IntoView + use<> {
    let parts = pieces(text, fields).into_iter().map(piece).collect_view();
    view! { <pre class="marked" tabindex="0">{parts}</pre> }
}

fn piece(piece: Piece) -> AnyView {
    match piece.field {
        None => piece.text.into_any(),
        Some(field) => {
            let class = format!("mark {}", tone(&field));
            view! { <mark class=class><span>{piece.text}</span><small>{field}</small></mark> }.into_any()
        }
    }
}

/// Fields of one kind have one colour.
fn tone(field: &str) -> &'static str {
    match field.rsplit(['.', '/']).next().unwrap_or(field).to_ascii_lowercase().as_str() {
        "severity" | "level" | "priority" | "status" => "m-level",
        "host" | "ip" | "mac" | "endpoint" | "hostname" | "instance" => "m-place",
        "content" | "summary" | "message" | "title" | "note" | "text" | "description" => "m-text",
        _ => "m-other",
    }
}
