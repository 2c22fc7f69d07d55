//! Not written yet.
use leptos::prelude::*;
pub(crate) fn page() -> impl IntoView {
    view! { <h1>"integrations"</h1> }
}
