//! "Waiting for the first event…": shows what arrives the moment it does.

use crate::{
    api::json,
    components::{
        badge::badge,
        icon::{Icon, icon},
        time::wall,
    },
    pages::incident::message,
    state::{App, Load, Remote},
    text::{frame, senders as t, words},
};
use leptos::prelude::*;
use serde::Deserialize;
use shared::{IntegrationId, api::EventDetail, live::Heard};

pub(super) fn listener(app: App, id: IntegrationId, name: String) -> impl IntoView {
    let l = app.l();
    let heard = RwSignal::new(None::<Heard>);
    // What was heard before this sender existed is not it.
    Effect::new(move |before: Option<()>| {
        let found = app.heard.with(|said| said.iter().flat_map(|said| told(said)).find(|one| one.integration == id));
        if before.is_some() && found.is_some() {
            heard.set(found);
        }
    });
    let body = move || match heard.get() {
        None => view! {
            <div class="listening">
                <i class="ear" aria-hidden="true"></i>
                <div><strong>{t::waiting(l)}</strong><p class="muted">{t::waiting_hint(l)}</p></div>
            </div>
        }
        .into_any(),
        Some(heard) => arrived(app, &name, &heard),
    };
    view! { <div class="listener" data-testid="listener" role="status">{body}</div> }
}

/// The messages that a delta tells of.
fn told(delta: &str) -> Vec<Heard> {
    json::read::<Told>(delta).map(|told| told.heard).unwrap_or_default()
}

#[derive(Deserialize)]
struct Told {
    heard: Vec<Heard>,
}

fn arrived(app: App, name: &str, heard: &Heard) -> AnyView {
    let l = app.l();
    let detail = Remote::<EventDetail>::new(format!("/api/v1/events/{}", heard.event));
    let parsed = move || match detail.get() {
        Load::Loading => view! { <p class="muted">{frame::loading(l)}</p> }.into_any(),
        Load::Failed(error) => view! { <p class="bad">{error.sentence(l)}</p> }.into_any(),
        Load::Ready(event) => message(app, &event, None),
    };
    let link = heard.incident.map(
        |id| view! { <a class="btn primary" href=format!("/incidents/{id}")>{t::opened(l)} {format!(" #{id}")}</a> },
    );
    view! {
        <div class="notice good">
            {icon(Icon::Check)}
            <div>
                <strong>{t::arrived(l, name)}</strong>
                <p>{heard.severity.map(|severity| badge(l, severity))} " " {heard.summary.clone()} " · " {words::outcome(l, &heard.outcome)} " · " {wall(heard.at)}</p>
            </div>
            {link}
        </div>
        {parsed}
    }
    .into_any()
}
