//! What explains an incident, and the questions before an action: a module of its own. What one must have who was just
//! woken, the head of the page and its buttons, needs nothing of it.

use super::{alerts, before, lanes, place, raw, timeline, traffic, why};
use crate::{
    components::states::loaded,
    incident::head::Known,
    pages::{
        ask::{self, Ask, Asker},
        hosts,
        later::{self, Later, Module, at_once},
    },
    state::{App, Remote},
    text::incident as t,
};
use leptos::{
    prelude::*,
    wasm_split::{SplitLoaderError, wasm_split},
};
use shared::{IncidentId, api::IncidentDetail};

/// What the module draws.
#[derive(Clone, Copy)]
pub(crate) enum Part {
    /// Everything below the head of the page.
    Below(IncidentId, StoredValue<Remote<Known>>, Asker),
    /// The question before an action.
    Question(Asker, StoredValue<Ask>),
}

#[wasm_split(incident, wasm_split_path = leptos::wasm_split, fallible, preload(fetch_module))]
fn draw(part: Part) -> Result<AnyView, SplitLoaderError> {
    Ok(match part {
        Part::Below(id, known, asker) => below(App::here(), id, known.get_value(), asker),
        Part::Question(asker, ask) => ask::question(App::here(), asker, ask.get_value()),
    })
}

/// Fetches the module, and says whether it is here.
pub(crate) async fn arrives() -> bool {
    fetch_module().await.is_ok()
}

impl Later for Part {
    const MODULE: Module = Module::Incident;

    fn drawn(self) -> Option<AnyView> {
        at_once(draw(self)).and_then(Result::ok)
    }
}

/// The host around the alert, of yet another module; drawn once, when it is known when the trouble began.
fn around(detail: Remote<IncidentDetail>) -> AnyView {
    let of = |detail: &IncidentDetail| {
        let row = &detail.row;
        (row.id, row.severity, row.opened_at, row.resolved_at)
    };
    let of = super::part(detail, of);
    let card = move |(id, severity, from, until)| later::part(hosts::Part::Around(id, severity, from, until));
    (move || of.get().map(card)).into_any()
}

fn below(app: App, id: IncidentId, known: Remote<Known>, asker: Asker) -> AnyView {
    let what = t::title(app.l(), id.0);
    let detail = Remote::<IncidentDetail>::idle(super::path(id));
    // The head asks the server; here is read what it was answered.
    Effect::new(move || {
        if let Some(text) = known.with(|known| known.text.clone()) {
            detail.take(text);
        }
    });
    let there = Memo::new(move |_| detail.with(|_| ()).is_some());
    let parts = move || {
        view! {
            {why::why(app, id, detail)}
            <div class="grid-wide">
                <div>
                    {place::card(app, detail)}
                    {around(detail)}
                    {traffic::card(app, id)}
                    {place::followers(app, id)}
                    {lanes::card(app, detail)}
                    {raw::card(app, detail)}
                    {alerts::card(app, id, known, detail, asker)}
                </div>
                <div>
                    {timeline::card(app, id, detail)}
                    {before::card(app, detail)}
                </div>
            </div>
        }
    };
    view! {
        // The skeleton and the failure; what is there is drawn part by part, so that no part blinks.
        {loaded(what, detail, 10, |_| ().into_any())}
        {move || there.get().then(parts)}
    }
    .into_any()
}
