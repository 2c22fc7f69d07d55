//! Sentences in which each thing they name is a link to the version of it that was used.

use crate::state::App;
use leptos::prelude::*;
use shared::{
    Piece, Timestamp,
    text::{Names, Voice},
};

/// A sentence in pieces.
pub(crate) fn said(pieces: Vec<Piece>) -> AnyView {
    let piece = |piece: Piece| match piece.noun {
        Some(noun) => view! { <a class="noun" href=noun.href()>{piece.text}</a> }.into_any(),
        None => piece.text.into_any(),
    };
    pieces.into_iter().map(piece).collect_view().into_any()
}

/// A sentence about something that happened then.
pub(crate) fn say(app: App, names: &Names, at: Timestamp, sentence: &dyn Fn(&Voice<'_>) -> String) -> AnyView {
    let voice = Voice::linked(app.l(), names, at);
    let sentence = sentence(&voice);
    said(voice.pieces(&sentence))
}
