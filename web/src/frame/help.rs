//! Every key, in one dialog.

use crate::{
    components::modal::modal,
    pages::later::{self, Part},
    state::App,
    text::board as t,
};
use leptos::prelude::*;

pub(super) fn help(app: App) -> impl IntoView {
    modal(app.help, "wide", move || t::help_title(app.l()), || later::part(Part::Help))
}

/// What stands in the dialog.
pub(crate) fn keys(app: App) -> AnyView {
    let l = app.l();
    let keys: Vec<(&'static [&'static str], String)> = vec![
        (&["j", "k"], t::key_move(l)),
        (&["Enter"], t::key_open(l)),
        (&["x"], t::key_select(l)),
        (&["a"], t::ack(l)),
        (&["r"], t::resolve(l)),
        (&["e"], t::escalate(l)),
        (&["s"], t::snooze(l)),
        (&["t"], t::reassign(l)),
        (&["d"], t::responders(l)),
        (&["n"], t::note(l)),
        (&["m"], t::merge(l)),
        (&["q"], t::key_silence(l)),
        (&["/"], t::key_filter(l)),
        (&["Esc"], t::key_back(l)),
        (&["Alt", "Space"], t::key_pause(l)),
        (&["Ctrl", "K"], t::key_palette(l)),
        (&["g", "b"], t::key_go_board(l)),
        (&["g", "o"], t::key_go_oncall(l)),
        (&["g", "h"], t::key_go_hosts(l)),
        (&["g", "q"], t::key_go_silences(l)),
        (&["g", "i"], t::key_go_integrations(l)),
        (&["g", "m"], t::key_go_messages(l)),
        (&["g", "p"], t::key_go_mirrors(l)),
        (&["g", "n"], t::key_go_me(l)),
        (&["g", "s"], t::key_go_settings(l)),
        (&["?"], t::key_help(l)),
    ];
    let row = |(keys, what): (&'static [&'static str], String)| {
        let caps = keys.iter().map(|key| view! { <kbd>{*key}</kbd> }).collect_view();
        view! { <div><dt>{caps}</dt><dd>{what}</dd></div> }
    };
    view! { <dl class="keys">{keys.into_iter().map(row).collect_view()}</dl> }.into_any()
}
