//! "Try your payload": what a body would become, with the fields marked in it.

use crate::{
    api,
    components::{
        badge::badge,
        icon::{Icon, icon},
        marked::marked,
    },
    state::App,
    text::{incident, senders as t, words},
};
use leptos::{prelude::*, task::spawn_local};
use shared::{
    Action,
    api::{Preview, PreviewEvent},
};

const SAMPLE: &str = "[P0][PROBLEM][db-07][10.8.3.21][host is down]";

pub(super) fn card(app: App) -> impl IntoView {
    let l = app.l();
    let text = RwSignal::new(SAMPLE.to_owned());
    let answer = RwSignal::new(None::<Result<Preview, String>>);
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        spawn_local(async move {
            let found = api::post_raw::<Preview>("/api/v1/preview/event", text.get_untracked()).await;
            answer.set(Some(found.map_err(|error| error.sentence(l))));
        });
    };
    let result = move || {
        answer.get().map(|answer| match answer {
            Ok(preview) => result(app, &preview),
            Err(error) => view! { <p class="bad" role="alert">{error}</p> }.into_any(),
        })
    };
    view! {
        <section class="card" id="try">
            <h2>{t::try_title(l)}</h2>
            <form class="stack" on:submit=submit>
                <div class="field">
                    <label for="try-body">{t::try_body(l)}</label>
                    <textarea id="try-body" class="code" rows="4" spellcheck="false" aria-describedby="try-hint" prop:value=move || text.get()
                        on:input=move |event| text.set(event_target_value(&event))></textarea>
                    <p class="hint" id="try-hint">{t::try_hint(l)}</p>
                </div>
                <div class="form-end"><button class="btn primary">{t::try_go(l)}</button></div>
            </form>
            <div class="stack" aria-live="polite">{result}</div>
        </section>
    }
}

fn result(app: App, preview: &Preview) -> AnyView {
    let l = app.l();
    let events = preview.events.iter().map(|event| one(app, &preview.text, event)).collect_view();
    let rejected = preview.rejected.iter().map(|reason| {
        view! { <p class="notice bad">{icon(Icon::Warning)}<span><strong>{t::would_be_refused(l)}</strong> " " {words::reject(l, reason)}</span></p> }
    });
    view! { {events}{rejected.collect_view()}<p class="muted">{incident::charset(l, &preview.charset)}</p> }.into_any()
}

/// One event, with its fields marked in the text.
pub(crate) fn one(app: App, text: &str, event: &PreviewEvent) -> impl IntoView + use<> {
    let l = app.l();
    let action = match event.action {
        Action::Trigger => t::trigger(l),
        Action::Acknowledge => t::acknowledge(l),
        Action::Update => t::update(l),
        Action::Resolve => t::resolve(l),
        Action::Change => t::change(l),
    };
    let facts = [
        (t::action(l), Some(action)),
        (t::format(l), Some(words::format(l, event.format))),
        (t::host(l), event.host.clone()),
        (t::ip(l), event.ip.clone()),
        (t::mac(l), event.mac.clone()),
        (t::service(l), event.event.service.as_ref().map(ToString::to_string)),
        (t::summary(l), Some(event.summary.clone())),
        (t::identity(l), Some(event.dedup_key.clone())),
    ];
    let facts =
        facts.into_iter().filter_map(|(name, value)| Some(view! { <div><dt>{name}</dt><dd>{value?}</dd></div> }));
    let flags =
        event.flags.iter().map(|flag| view! { <li>{icon(Icon::Warning)}{words::flag(l, *flag)}</li> }).collect_view();
    view! {
        <div class="stack preview">
            <h3>{t::would_be(l)} " " {badge(l, event.severity)}</h3>
            {marked(text, &event.fields)}
            <dl class="facts-grid small">{facts.collect_view()}</dl>
            {(!event.flags.is_empty()).then(|| view! { <ul class="flags">{flags}</ul> })}
        </div>
    }
}
