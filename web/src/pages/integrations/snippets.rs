//! What to paste where, sender by sender, with the real address in it.

use crate::{
    components::{copy::copy_button, field::segments},
    state::App,
    text::{frame, senders as t},
};
use leptos::prelude::*;
use shared::{
    config::Language,
    snippets::{self as text, Address},
};

struct Snippet {
    word: &'static str,
    name: fn(Language) -> String,
    /// Where it goes.
    place: fn(Language) -> String,
    text: fn(&Address) -> String,
}

const SNIPPETS: [Snippet; 9] = [
    Snippet { word: "bracket", name: t::curl_bracket, place: t::place_bracket, text: text::curl_bracket },
    Snippet { word: "json", name: t::curl_json, place: t::place_json, text: text::curl_json },
    Snippet { word: "falcon", name: t::falcon, place: t::place_falcon, text: text::falcon },
    Snippet { word: "prometheus", name: t::prometheus, place: t::place_prometheus, text: text::prometheus },
    Snippet { word: "alertmanager", name: t::alertmanager, place: t::place_alertmanager, text: text::alertmanager },
    Snippet { word: "grafana", name: t::grafana, place: t::place_grafana, text: text::grafana },
    Snippet { word: "pagerduty", name: t::pagerduty, place: t::place_pagerduty, text: text::pagerduty },
    Snippet { word: "zabbix", name: t::zabbix, place: t::place_zabbix, text: text::zabbix },
    Snippet { word: "python", name: t::python, place: t::place_python, text: text::python },
];

pub(super) fn tabs(app: App, url: &str) -> impl IntoView + use<> {
    let l = app.l();
    let chosen = RwSignal::new(SNIPPETS[0].word);
    let address = Address::new(url);
    let snippet = move || SNIPPETS.iter().find(|snippet| snippet.word == chosen.get()).unwrap_or(&SNIPPETS[0]);
    let text = Memo::new(move |_| (snippet().text)(&address));
    let choice = segments(
        t::how(l),
        SNIPPETS.iter().map(|snippet| (snippet.word, (snippet.name)(l))).collect(),
        move || chosen.get(),
        move |word| chosen.set(word),
    );
    view! {
        <h3>{t::how(l)}</h3>
        <div class="snippet-tabs">{choice}</div>
        <p class="hint">{move || (snippet().place)(l)}</p>
        <pre class="marked snippet" tabindex="0">{move || text.get()}</pre>
        <div>{copy_button(frame::copy(l), move || text.get_untracked())}</div>
    }
}
