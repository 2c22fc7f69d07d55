//! How this browser shows things.

use crate::{components::page::card, frame::appearance, state::App, text::settings as t};
use leptos::prelude::*;

pub(super) fn part(app: App) -> AnyView {
    card(t::tab_browser(app.l()), view! { <div class="narrow-form">{appearance(app)}</div> }.into_any())
}
