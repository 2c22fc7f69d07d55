//! Keys that work on every page: search, help, and `g` then a letter.

use crate::{
    browser::{self, dom},
    state::App,
};
use leptos::{ev, prelude::*};
use leptos_router::hooks::use_navigate;

/// The second key of a chord is waited for this long.
const CHORD_MS: i64 = 1_500;

pub(super) fn listen(app: App) {
    let navigate = use_navigate();
    let chord = StoredValue::new(0_i64);
    let handle = window_event_listener(ev::keydown, move |event| {
        let key = event.key();
        if (event.ctrl_key() || event.meta_key()) && key.eq_ignore_ascii_case("k") {
            event.prevent_default();
            app.palette.update(|open| *open = !*open);
            return;
        }
        if dom::is_typing(&event) || event.ctrl_key() || event.meta_key() || event.alt_key() {
            return;
        }
        let in_chord = browser::now_ms() - chord.get_value() < CHORD_MS;
        chord.set_value(0);
        let target = match key.as_str() {
            "b" if in_chord => "/",
            "o" if in_chord => "/oncall",
            "h" if in_chord => "/hosts",
            "q" if in_chord => "/silences",
            "i" if in_chord => "/integrations",
            "m" if in_chord => "/messages",
            "p" if in_chord => "/mirrors",
            "n" if in_chord => "/me",
            "s" if in_chord => "/settings",
            "g" => {
                chord.set_value(browser::now_ms());
                return;
            }
            "?" => {
                app.help.set(true);
                return;
            }
            _ => return,
        };
        // The page's own keys must not see the second half of a chord.
        event.stop_immediate_propagation();
        navigate(target, leptos_router::NavigateOptions::default());
    });
    on_cleanup(move || handle.remove());
}
