//! The opening of a page: its one heading, what it is for, and what can be done.

use crate::{browser::dom, state::App};
use leptos::prelude::*;

pub(crate) fn page_head(title: String, lead: String, actions: AnyView) -> impl IntoView {
    name_page(&title);
    view! {
        <header class="page-head">
            <div>
                <h1>{title}</h1>
                {(!lead.is_empty()).then(|| view! { <p class="lead">{lead}</p> })}
            </div>
            <div class="page-actions">{actions}</div>
        </header>
    }
}

/// Names the tab, with the number of unanswered P0 in front, for as long as this page is shown.
pub(crate) fn name_page(title: &str) {
    let app = App::here();
    let title = title.to_owned();
    Effect::new(move || {
        let p0 = app.board.counts.with(|counts| counts.as_ref().map_or(0, |counts| counts.triggered[0]));
        let name = if title.is_empty() { "Tocsin".to_owned() } else { format!("{title} · Tocsin") };
        dom::set_title(&if p0 > 0 { format!("({p0} P0) {name}") } else { name });
    });
}

/// A titled box.
pub(crate) fn card(title: String, body: AnyView) -> AnyView {
    view! { <section class="card"><h2>{title}</h2>{body}</section> }.into_any()
}
