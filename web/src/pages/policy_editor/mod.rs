//! A policy as a form, beside whom it would page: what is applied is one section of the configuration document.

mod draft;
pub(crate) mod gantt;
mod level;
mod simulator;

use crate::{
    api::ApiError,
    components::{
        field::Field,
        icon::{Icon, icon},
        states::loaded,
    },
    pages::{sections, settings},
    state::{App, Remote},
    text::{oncall, policies as t},
};
use draft::{Draft, Outline};
use leptos::prelude::*;
use shared::{PolicyId, api::ConfigDraft, config::Policy};

/// What is edited: a policy, or a new one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Edited {
    Known(PolicyId),
    New,
}

/// The editor; `close` is called when it is done, with whether something was applied.
pub(crate) fn editor(app: App, edited: Edited, close: Callback<bool>) -> AnyView {
    let remote = Remote::<Outline>::new("/api/v1/config/document");
    loaded(t::simulator(app.l()), remote, 8, move |outline| open(app, &edited, outline, close))
}

fn open(app: App, edited: &Edited, outline: Outline, close: Callback<bool>) -> AnyView {
    let policy = match edited {
        Edited::Known(id) => outline.document.policies.iter().find(|policy| policy.id == *id).cloned(),
        Edited::New => None,
    };
    let is_new = policy.is_none();
    let policy = policy.unwrap_or_else(|| draft::fresh(&outline.document.policies));
    let draft = Draft::new(outline, policy);
    view! {
        <div class="editor" data-testid="policy-editor">
            {form(app, draft, is_new, close)}
            {simulator::card(app, draft)}
        </div>
    }
    .into_any()
}

fn form(app: App, draft: Draft, is_new: bool, close: Callback<bool>) -> impl IntoView {
    let l = app.l();
    let busy = RwSignal::new(false);
    let refusal = RwSignal::new(None::<ApiError>);
    let first = draft.get();
    let text = |value: String, write: fn(&mut Policy, String)| {
        let signal = RwSignal::new(value);
        Effect::new(move |seen: Option<()>| {
            let now = signal.get();
            // The first run only looks.
            if seen.is_some() {
                draft.edit(|policy| write(policy, now));
            }
        });
        signal
    };
    let id = text(first.id.to_string(), |policy, id| policy.id = PolicyId::from(id.trim().to_owned()));
    let name = text(first.name.clone(), |policy, name| policy.name = name);
    let repeat = move |text: &str| text.trim().parse().map(|times| draft.edit(|policy| policy.repeat = times)).is_ok();
    let original = (!is_new).then(|| first.id.clone());
    let apply = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let body = ConfigDraft { policies: Some(draft.policies(original.as_ref())), ..ConfigDraft::default() };
        sections::apply(app, (body, draft.version()), t::saved, busy, refusal, move || close.run(true));
    };
    let levels = move || {
        draft.shape.track();
        let count = draft.get().levels.len();
        (0..count).map(|index| level::fields(app, draft, index, count, refusal)).collect_view()
    };
    let head = if is_new { t::new(l) } else { t::editing(l, first.id.as_str()) };
    view! {
        <form class="card stack" on:submit=apply>
            <h2>{head}</h2>
            {is_new.then(|| Field::text("policy-id", t::id(l), id).view())}
            {Field { required: false, ..Field::text("policy-name", t::name(l), name) }.view()}
            <ol class="levels">{levels}</ol>
            <button type="button" class="btn small add" on:click=move |_| draft.reshape(draft::add_level)>
                {icon(Icon::Plus)}{t::add_level(l)}
            </button>
            {level::length("policy-repeat".to_owned(), t::repeat(l), String::new(), first.repeat.to_string(), t::bad_number(l), repeat)}
            <div aria-live="polite">{move || refusal.get().map(|error| settings::problem(app, &error))}</div>
            <div class="form-end">
                <button type="button" class="btn" on:click=move |_| close.run(false)>{t::cancel(l)}</button>
                <button class="btn primary" disabled=move || busy.get()>{t::save(l)}</button>
            </div>
            <p class="muted"><small>{oncall::ends(l)}</small></p>
        </form>
    }
}
