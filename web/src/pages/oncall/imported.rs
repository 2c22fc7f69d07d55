//! Layers that take their shifts from a calendar somebody else keeps: how old the copy is, and what is wrong with it.

use crate::{
    api,
    components::icon::{Icon, icon},
    state::{App, Remote},
    text::imported as t,
};
use leptos::{prelude::*, task::spawn_local};
use shared::{
    ScheduleId,
    api::{ImportedCalendar, List, Role},
    text::span,
};

/// How all calendars stand that others keep.
pub(crate) type Imported = Remote<List<ImportedCalendar>>;

pub(crate) fn ask() -> Imported {
    Remote::new("/api/v1/schedules/imported")
}

/// Those of one schedule; nothing when it has none.
pub(crate) fn of(app: App, schedule: ScheduleId, all: Imported) -> AnyView {
    let shown = move || {
        let mut calendars = all.ready()?.items;
        calendars.retain(|one| one.schedule == schedule);
        (!calendars.is_empty()).then(|| list(app, schedule.clone(), &calendars, all))
    };
    view! { {shown} }.into_any()
}

fn list(app: App, schedule: ScheduleId, calendars: &[ImportedCalendar], all: Imported) -> AnyView {
    let l = app.l();
    let each = calendars.iter().map(|one| line(app, one)).collect::<Vec<_>>();
    let fetch = move |_| {
        let path = format!("/api/v1/schedules/{}/imported", api::query::encoded(schedule.as_str()));
        spawn_local(async move {
            match api::post::<List<ImportedCalendar>>(&path, &()).await {
                Ok(_) => {
                    app.refresh_on_call();
                    all.reload();
                }
                Err(error) => app.toasts.bad(error.sentence(app.l())),
            }
        });
    };
    let button = (app.role() >= Role::Responder)
        .then(|| view! { <button type="button" class="btn small" on:click=fetch>{t::fetch(l)}</button> });
    view! { <div class="imported" data-testid="imported"><ul>{each}</ul>{button}</div> }.into_any()
}

fn line(app: App, it: &ImportedCalendar) -> AnyView {
    let l = app.l();
    let name = t::name(l, it.layer.as_str(), &it.host);
    let age = it.good_at.map(|at| span(l, app.now.get_untracked().ms_since(at).max(0)));
    let mut wrong = Vec::new();
    let stands = match &age {
        _ if !it.has_copy => {
            wrong.push(t::missing(l));
            String::new()
        }
        Some(age) => t::copy(l, it.events, age),
        None => String::new(),
    };
    if it.has_copy && it.events == 0 {
        wrong.push(t::nothing(l));
    } else if it.has_copy && it.last.is_none_or(|last| last <= app.now.get_untracked()) {
        wrong.push(t::over(l));
    }
    if it.old {
        wrong.push(t::old(l));
    }
    wrong.extend(it.error.as_ref().map(|error| t::failed(l, error)));
    wrong.extend(it.unclear.iter().map(|one| match (one.name.is_empty(), one.shared) {
        (true, _) => t::nameless(l, &one.event),
        (_, true) => t::shared(l, &one.name, &one.event),
        (_, false) => t::stranger(l, &one.name, &one.event),
    }));
    let sign = if wrong.is_empty() { Icon::Check } else { Icon::Warning };
    let class = if wrong.is_empty() { "good" } else { "bad" };
    let wrong: Vec<_> = wrong.into_iter().map(|one| view! { <small class="block bad">{one}</small> }).collect();
    view! { <li class=class>{icon(sign)}<span><strong>{name}</strong> <small class="muted">{stands}</small>{wrong}</span></li> }
        .into_any()
}
