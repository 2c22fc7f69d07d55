//! Everything that happened, as sentences; filtered by what kind of thing it is.

use super::part;
use crate::{
    components::{field::segments, keyed::keyed, nouns::said, time::wall},
    state::{
        App, Remote,
        actions::{self, NOTE},
    },
    text::{board, incident as t, words},
};
use leptos::prelude::*;
use shared::{
    IncidentId, Timestamp,
    api::{ActionRequest, IncidentDetail},
    text::{Names, told},
    timeline::{Actor, Happening, TimelineEntry},
};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Decision,
    Delivery,
    People,
}

fn kind(entry: &TimelineEntry) -> Kind {
    match entry.what {
        Happening::Delivery { .. }
        | Happening::DeliveryReceipt { .. }
        | Happening::Unproven { .. }
        | Happening::Throttled { .. }
        | Happening::PulledForward { .. } => Kind::Delivery,
        Happening::Note { .. } => Kind::People,
        _ if matches!(entry.actor, Actor::System | Actor::Integration { .. }) => Kind::Decision,
        _ => Kind::People,
    }
}

pub(super) fn card(app: App, id: IncidentId, detail: Remote<IncidentDetail>) -> AnyView {
    let l = app.l();
    let shown = RwSignal::new("all");
    let entries = part(detail, |detail| detail.timeline.clone());
    let names = part(detail, |detail| detail.names.clone());
    let filter = segments(
        t::timeline(l),
        vec![
            ("all", t::show_all(l)),
            ("people", t::show_people(l)),
            ("deliveries", t::show_deliveries(l)),
            ("decisions", t::show_decisions(l)),
        ],
        move || shown.get(),
        move |word| shown.set(word),
    );
    let visible = move || {
        let wanted = |entry: &TimelineEntry| match shown.get() {
            "people" => kind(entry) == Kind::People,
            "deliveries" => kind(entry) == Kind::Delivery,
            "decisions" => kind(entry) == Kind::Decision,
            _ => true,
        };
        // Newest first: what just happened is what one looks for.
        entries.get().unwrap_or_default().into_iter().rev().filter(wanted).collect::<Vec<_>>()
    };
    view! {
        <section class="card">
            <div class="card-head"><h2>{t::timeline(l)}</h2>{filter}</div>
            {note_form(app, id)}
            <ol class="timeline" data-testid="timeline" tabindex="0" aria-label=t::timeline(l)>
                {keyed(visible, |entry| entry.seq.to_string(), move |item| {
                    let all = entries.get_untracked().unwrap_or_default();
                    entry(app, &names.get_untracked().unwrap_or_default(), &all, item).into_any()
                })}
            </ol>
        </section>
    }
    .into_any()
}

/// One line; what was written before says which versions it is about.
fn entry(app: App, names: &Names, before: &[TimelineEntry], entry: TimelineEntry) -> impl IntoView + use<> {
    let l = app.l();
    let class = match (kind(&entry), &entry.what) {
        (
            _,
            Happening::Delivery { failure: Some(_), .. }
            | Happening::LevelFailed { .. }
            | Happening::LevelEmpty { .. }
            | Happening::NobodyReached { .. }
            | Happening::Unreached { .. },
        ) => "bad",
        (_, Happening::Acked { .. }) => "ack",
        (_, Happening::Resolved | Happening::Recovered { .. }) => "ok",
        (Kind::People, _) => "people",
        (Kind::Delivery, _) => "delivery",
        (Kind::Decision, _) => "decision",
    };
    let until: Option<Timestamp> = match &entry.what {
        Happening::Acked { until } => *until,
        Happening::Snoozed { until } => Some(*until),
        Happening::Paged { waits: Some(waits), .. } => Some(waits.until),
        Happening::Throttled { throttle, .. } => Some(throttle.until),
        _ => None,
    };
    let sentence = match &entry.what {
        Happening::Note { text } => text.clone().into_any(),
        _ => said(told(l, names, before, &entry)),
    };
    let by = match &entry.actor {
        Actor::System => None,
        Actor::Link { person, via } => {
            let who = names.get(person).map_or_else(|| person.to_string(), Clone::clone);
            // How sure it is that it was them depends on what they answered by.
            let how = via.map_or_else(|| t::a_link(l), |kind| words::channel(l, kind));
            Some(t::by_person(l, &who, &how))
        }
        Actor::Device { login, device } => Some(t::by_person(l, login, device)),
        actor => Some(t::by_actor(l, &actor.name())),
    };
    let by: Vec<String> = until.map(|at| t::until(l, &app.clock_time(at))).into_iter().chain(by).collect();
    view! {
        <li class=class>
            {wall(entry.at)}
            <p class:note=matches!(entry.what, Happening::Note { .. })>{sentence}{(!by.is_empty()).then(|| view! { <small>{by.join(" · ")}</small> })}</p>
        </li>
    }
}

fn note_form(app: App, id: IncidentId) -> impl IntoView {
    let l = app.l();
    let text = RwSignal::new(String::new());
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let written = text.get_untracked().trim().to_owned();
        if !written.is_empty() {
            actions::act(app, id, NOTE, ActionRequest { text: Some(written), ..ActionRequest::default() });
            text.set(String::new());
        }
    };
    view! {
        <form class="note-form" on:submit=submit>
            <input type="text" maxlength="4000" autocomplete="off" aria-label=t::note_title(l) placeholder=t::note_title(l)
                prop:value=move || text.get() on:input=move |event| text.set(event_target_value(&event))/>
            <button class="btn">{board::note(l)}</button>
        </form>
    }
}
