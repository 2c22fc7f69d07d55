//! Machines: one field that takes anything, what it understood, the way to each machine, and how the sources stand.

mod chain;
mod found;
mod hypervisor;
mod segments;
mod sources;
mod vm;

pub(crate) use chain::{chain, doubts};
pub(crate) use found::{hypervisor_href, vm_href};
pub(crate) use hypervisor::page as hypervisor;
pub(crate) use vm::page as vm;

use crate::{
    api::{self, ApiError, query},
    components::{
        icon::{Icon, icon},
        page::page_head,
        states::{failure, skeleton},
    },
    state::App,
    text::machines as t,
};
use leptos::{prelude::*, task::spawn_local};
use leptos_router::{
    NavigateOptions,
    hooks::{use_navigate, use_query_map},
};
use shared::{
    api::{Lookup, LookupRequest},
    config::Language,
    net::{What, understand},
};
use std::collections::BTreeMap;

/// Longer texts are not kept in the page's address.
const ADDRESS_MAX: usize = 500;
/// What a newcomer can click.
const EXAMPLES: [&str; 4] = ["10.1.2.3", "00:50:56:ab:cd:ef", "0050.56", "web01"];

#[derive(Clone, Copy)]
struct Desk {
    app: App,
    text: RwSignal<String>,
    found: RwSignal<Option<Result<Lookup, ApiError>>>,
    waits: RwSignal<bool>,
    round: StoredValue<u32>,
}

impl Desk {
    /// Looks up what is typed; with `probe` the segments are asked about what is unknown.
    fn look_up(self, probe: bool) {
        let text = self.text.get_untracked();
        if text.trim().is_empty() {
            return self.found.set(None);
        }
        let mine = self.round.get_value() + 1;
        self.round.set_value(mine);
        self.waits.set(true);
        spawn_local(async move {
            let answer = api::post::<Lookup>("/api/v1/vms", &LookupRequest { text, probe }).await;
            // Whoever asked again, or left, waits for another answer.
            if self.round.try_get_value() == Some(mine) {
                self.waits.set(false);
                self.found.set(Some(answer));
            }
        });
    }
}

pub(crate) fn page() -> impl IntoView {
    let app = App::here();
    let l = app.l();
    let desk = Desk {
        app,
        text: RwSignal::new(String::new()),
        found: RwSignal::new(None),
        waits: RwSignal::new(false),
        round: StoredValue::new(0),
    };
    let asked = use_query_map();
    Effect::new(move || {
        if let Some(q) = asked.with(|asked| asked.get("q")) {
            desk.text.set(q);
            desk.look_up(false);
        }
    });
    view! {
        <div class="page">
            {page_head(t::title(l), t::lead(l), ().into_any())}
            {form(desk)}
            {move || answer(desk)}
            {sources::sources(app)}
        </div>
    }
}

fn form(desk: Desk) -> AnyView {
    let l = desk.app.l();
    let navigate = use_navigate();
    let ask = move || {
        let text = desk.text.get_untracked();
        // The address of a page that can be sent to others; a long text is looked up without.
        if text.len() <= ADDRESS_MAX {
            navigate(&format!("/machines{}", query::build(&[("q", text.trim())])), NavigateOptions::default());
        }
        if text.len() > ADDRESS_MAX {
            desk.look_up(false);
        }
    };
    let submit = {
        let ask = ask.clone();
        move |event: leptos::ev::SubmitEvent| {
            event.prevent_default();
            ask();
        }
    };
    // Enter looks up; with Shift it is a new line, as pasted ones are.
    let key = move |event: leptos::ev::KeyboardEvent| {
        if event.key() == "Enter" && !event.shift_key() && !event.is_composing() {
            event.prevent_default();
            ask();
        }
    };
    let rows = move || desk.text.with(|text| text.lines().count().clamp(1, 8).to_string());
    let example = |example: &'static str| {
        let href = format!("/machines{}", query::build(&[("q", example)]));
        view! { <a class="chip" href=href>{example}</a> }
    };
    view! {
        <form class="card machine-search" on:submit=submit>
            <div class="field">
                <label for="machine-text">{t::field(l)}</label>
                <textarea
                    id="machine-text"
                    data-testid="machine-text"
                    rows=rows
                    autocapitalize="off"
                    autocomplete="off"
                    spellcheck="false"
                    aria-describedby="machine-hint"
                    prop:value=move || desk.text.get()
                    on:input=move |event| desk.text.set(event_target_value(&event))
                    on:keydown=key
                ></textarea>
                <p class="hint" id="machine-hint">{t::field_hint(l)}</p>
            </div>
            <div class="machine-line">
                <button type="submit" class="btn primary">{icon(Icon::Search)}<span>{t::look_up(l)}</span></button>
                {move || chips(desk)}
            </div>
            {move || desk.text.with(String::is_empty).then(|| view! {
                <p class="machine-line muted">{t::examples(l)} {EXAMPLES.map(example).collect_view()}</p>
            })}
        </form>
    }
    .into_any()
}

/// What the text is understood as, while it is typed.
fn chips(desk: Desk) -> AnyView {
    let l = desk.app.l();
    let mut kinds: BTreeMap<String, u32> = BTreeMap::new();
    let mut faults = Vec::new();
    desk.text.with(|text| {
        for term in understand(text) {
            if let What::NoMac(fault) = &term.what {
                let written = text.get(term.at.clone()).unwrap_or_default();
                faults.push(t::fault_of(l, written, &fault.to_string()));
            }
            *kinds.entry(kind(l, &term.what)).or_default() += 1;
        }
    });
    let chip = |(kind, n): (String, u32)| view! { <li class="chip">{format!("{kind} ×{n}")}</li> };
    let faults = faults.into_iter().take(3).map(|fault| view! { <p class="fault" role="alert">{fault}</p> });
    view! {
        <ul class="understood" aria-label=t::understood(l) aria-live="polite" data-testid="understood">
            {kinds.into_iter().map(chip).collect_view()}
        </ul>
        {faults.collect_view()}
    }
    .into_any()
}

fn kind(l: Language, what: &What) -> String {
    match what {
        What::Mac(_) => t::mac(l),
        What::MacPart(_) => t::mac_part(l),
        What::Ip(_) => t::ip(l),
        What::Network(_) => t::network(l),
        What::Uuid(_) => t::uuid(l),
        What::Name(_) => t::name(l),
        What::NoMac(_) | What::Unknown => t::not_understood(l),
    }
}

fn answer(desk: Desk) -> AnyView {
    let l = desk.app.l();
    match desk.found.get() {
        Some(Ok(lookup)) => view! { {segments::segments(desk, &lookup)} {found::found(desk.app, &lookup)} }.into_any(),
        Some(Err(error)) => failure(&t::look_up(l), &error, move || desk.look_up(false)),
        None if desk.waits.get() => skeleton(6),
        None => ().into_any(),
    }
}
