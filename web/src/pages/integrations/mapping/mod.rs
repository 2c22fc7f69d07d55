//! The editor of a mapping: the payload on one side, what it would become on the other.

mod draft;
mod merge;
mod payload;
mod result;
mod rules;
mod save;
mod tree;

use crate::{
    api::json,
    components::{
        icon::{Icon, icon},
        states::{empty, failure, loaded},
        time::wall,
    },
    state::{App, Load, Remote},
    text::mapping as t,
};
use draft::{Draft, Payload};
use leptos::prelude::*;
use serde::Deserialize;
use shared::{
    EventId, IntegrationId,
    api::{EventDetail, EventRow, List},
    config::Mapping,
};

/// The configuration as far as it is named here.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Outline {
    version: i64,
    document: Known,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Known {
    integrations: Vec<Sender>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Sender {
    id: String,
    mapping: Option<Mapping>,
}

/// `chosen` is the message that is to be mapped; without one it is the newest that is JSON.
pub(super) fn editor(
    app: App,
    id: IntegrationId,
    recent: Remote<List<EventRow>>,
    chosen: Signal<Option<EventId>>,
) -> AnyView {
    let l = app.l();
    let outline = Remote::<Outline>::new("/api/v1/config/document");
    let draft = Draft::new(id.clone());
    // Every arrival; drawing again would throw away what is being typed.
    Effect::new(move || {
        let stored = outline.with(|outline| {
            let sender = outline.document.integrations.iter().find(|it| it.id == id.as_str());
            (sender.and_then(|it| it.mapping.clone()).unwrap_or_default(), outline.version)
        });
        if let Some((mapping, version)) = stored {
            untrack(|| draft.arrived(mapping, version));
        }
    });
    let detail = Remote::<EventDetail>::idle("");
    let has_payload = Memo::new(move |_| draft.payload.with(Option::is_some));
    Effect::new(move || {
        let chosen = chosen.get();
        let newest = || recent.with(|list| list.items.iter().find(|it| is_json(&it.text)).map(|it| it.id)).flatten();
        // What is looked at stays, whatever arrives.
        let wanted = chosen.or_else(|| if has_payload.get_untracked() { None } else { newest() });
        if let Some(event) = wanted {
            detail.point(format!("/api/v1/events/{event}"));
        }
    });
    Effect::new(move || {
        let found =
            detail.with(|detail| Payload { text: detail.text.clone(), event: Some((detail.id, detail.received_at)) });
        if found.is_some() {
            draft.open.set(None);
            draft.payload.set(found);
        }
    });
    let is_there = Memo::new(move |_| outline.with(|_| ()).is_some());
    let body = move || {
        if !is_there.get() {
            return loaded(t::title(l), outline, 6, |_| ().into_any());
        }
        untrack(|| both(app, draft, outline, detail))
    };
    view! {
        <section class="mapping stack" id="mapping" aria-labelledby="mapping-title" data-testid="mapping">
            <div><h2 id="mapping-title" tabindex="-1">{t::title(l)}</h2><p class="hint">{t::lead(l)}</p></div>
            {body}
        </section>
    }
    .into_any()
}

/// Whether a text has members that can be chosen.
pub(crate) fn is_json(text: &str) -> bool {
    let text = text.trim_start();
    text.starts_with('{')
        || (text.starts_with('[') && text.trim_start_matches(['[', ' ', '\n', '\r', '\t']).starts_with('{'))
}

/// On a phone, what it becomes comes before the rules: one sees it while choosing.
fn both(app: App, draft: Draft, outline: Remote<Outline>, detail: Remote<EventDetail>) -> AnyView {
    view! {
        <div class="mapping-editor">
            {captured(app, draft, detail)}
            <div class="stack mapping-side">
                {result::card(app, draft)}
                {save::bar(app, draft, outline)}
            </div>
            {rules::card(app, draft)}
        </div>
    }
    .into_any()
}

fn captured(app: App, draft: Draft, detail: Remote<EventDetail>) -> AnyView {
    let l = app.l();
    // The message that was asked for: gone meanwhile, or not there at all.
    let missed = move || match detail.untyped().get() {
        Load::Failed(error) => Some(failure(&t::that_message(l), &error, move || detail.reload())),
        _ => None,
    };
    let which = move || {
        draft.payload.with(|payload| match payload.as_ref()?.event {
            Some((event, at)) => {
                Some(view! { <small class="muted">{t::of_message(l, event.0)} " · " {wall(at)}</small> }.into_any())
            }
            None => Some(view! { <small class="muted">{t::pasted(l)}</small> }.into_any()),
        })
    };
    let body = move || {
        if draft.payload.with(Option::is_some) {
            view! { <p class="hint">{t::payload_lead(l)}</p>{tree::view(app, draft)} }.into_any()
        } else if matches!(detail.untyped().get(), Load::Failed(_)) {
            ().into_any()
        } else {
            empty(t::no_payload(l), view! { <p>{t::no_payload_hint(l)}</p> }.into_any())
        }
    };
    view! {
        <section class="card stack">
            <div class="payload-head"><h2>{t::payload(l)}</h2>{which}</div>
            {missed}
            {body}
            {pasting(app, draft)}
        </section>
    }
    .into_any()
}

fn pasting(app: App, draft: Draft) -> AnyView {
    let l = app.l();
    let text = RwSignal::new(String::new());
    let wrong = RwSignal::new(None::<String>);
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let body = text.get_untracked();
        match json::read::<serde::de::IgnoredAny>(&body) {
            Ok(_) => {
                wrong.set(None);
                draft.open.set(None);
                draft.payload.set(Some(Payload { text: body, event: None }));
            }
            Err(error) => wrong.set(Some(error.to_string())),
        }
    };
    let fault =
        move || wrong.get().map(|error| view! { <p class="notice bad">{icon(Icon::Warning)}<span>{error}</span></p> });
    view! {
        <details class="paste">
            <summary>{t::paste(l)}</summary>
            <form class="stack" on:submit=submit>
                <div class="field">
                    <label for="mapping-paste">{t::paste_body(l)}</label>
                    <textarea id="mapping-paste" class="code" rows="5" spellcheck="false" autocapitalize="off"
                        prop:value=move || text.get() on:input=move |event| text.set(event_target_value(&event))></textarea>
                </div>
                <div role="alert">{fault}</div>
                <div class="form-end"><button class="btn">{t::paste_go(l)}</button></div>
            </form>
        </details>
    }
    .into_any()
}

/// The way from a message to its mapping, where there is one.
pub(crate) fn link(app: App, integration: &IntegrationId, event: EventId, text: &str) -> Option<AnyView> {
    let l = app.l();
    let is_sender = integration.as_str() != "tocsin";
    (is_sender && is_json(text)).then(|| {
        let sender = crate::api::query::encoded(integration.as_str());
        view! { <a class="btn small" href=format!("/integrations/{sender}?event={event}#mapping")>{t::map_this(l)}</a> }
            .into_any()
    })
}
