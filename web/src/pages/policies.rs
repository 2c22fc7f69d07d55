//! Not written yet.
use leptos::prelude::*;
pub(crate) fn page() -> impl IntoView {
    view! { <h1>"p"</h1> }
}
pub(crate) fn target_name(
    _: &std::collections::BTreeMap<shared::PersonId, String>,
    target: &shared::config::Target,
) -> String {
    target.to_string()
}
