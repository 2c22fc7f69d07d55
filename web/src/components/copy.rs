//! A button that copies a text and says that it did.

use super::icon::{Icon, icon};
use crate::{browser::dom, state::App, text::frame as t};
use leptos::{prelude::*, task::spawn_local};
use std::time::Duration;

pub(crate) fn copy_button(label: String, text: impl Fn() -> String + Send + Sync + 'static) -> impl IntoView {
    let app = App::here();
    let l = app.l();
    let copied = RwSignal::new(false);
    let on_click = move |_| {
        let text = text();
        spawn_local(async move {
            if dom::copy(&text).await {
                copied.try_set(true);
                let fade = move || {
                    copied.try_set(false);
                };
                set_timeout(fade, Duration::from_secs(2));
            } else {
                app.toasts.bad(t::copy_failed(l));
            }
        });
    };
    view! {
        <button type="button" class="btn small" on:click=on_click>
            {move || icon(if copied.get() { Icon::Check } else { Icon::Copy })}
            <span aria-live="polite">{move || if copied.get() { t::copied(l) } else { label.clone() }}</span>
        </button>
    }
}
