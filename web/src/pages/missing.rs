//! An address nothing lives at.

use crate::{components::page::page_head, state::App, text::frame as t};
use leptos::prelude::*;

pub(crate) fn page() -> impl IntoView {
    let l = App::here().l();
    view! {
        <div class="page">
            {page_head(t::not_found_title(l), t::not_found_body(l), ().into_any())}
            <p><a class="btn" href="/">{t::to_board(l)}</a></p>
        </div>
    }
}
