//! Everything that has no place in a phone's bottom bar.

use crate::{
    components::page::page_head,
    frame::{nav, way_out},
    state::App,
    text::frame as t,
};
use leptos::prelude::*;

pub(crate) fn page() -> impl IntoView {
    let app = App::here();
    let l = app.l();
    let links = nav::PLACES[2..].iter().map(|place| nav::link(app, *place)).collect_view();
    view! {
        <div class="page">
            {page_head(t::more(l), String::new(), ().into_any())}
            <nav class="more-list card" aria-label=t::more(l)>{links}</nav>
            {way_out(app)}
        </div>
    }
}
