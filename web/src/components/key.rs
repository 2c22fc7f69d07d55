//! A key cap.

use leptos::prelude::*;

pub(crate) fn key(name: &'static str) -> impl IntoView {
    view! { <kbd>{name}</kbd> }
}

/// The hint inside a button, hidden from screen readers and phones.
pub(crate) fn hint(name: &'static str) -> impl IntoView {
    view! { <kbd class="hint" aria-hidden="true">{name}</kbd> }
}
