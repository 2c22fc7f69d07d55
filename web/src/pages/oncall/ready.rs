//! Who was asked whether they are ready for a shift that begins soon, and the button of whoever it is.

use super::schedule::{Names, moment, name_of};
use crate::{
    api,
    components::icon::{Icon, icon},
    state::App,
    text::oncall as t,
};
use leptos::{prelude::*, task::spawn_local};
use shared::api::{ScheduleNow, ShiftAsked, ShiftReady};

/// Nothing when nobody was asked.
pub(super) fn list(app: App, zone: &str, schedule: &ScheduleNow, names: &Names) -> AnyView {
    if schedule.asked.is_empty() {
        return ().into_any();
    }
    let each = schedule.asked.iter().map(|asked| line(app, zone, schedule, asked, names)).collect_view();
    view! { <ul class="ready-words" data-testid="ready">{each}</ul> }.into_any()
}

fn line(app: App, zone: &str, schedule: &ScheduleNow, asked: &ShiftAsked, names: &Names) -> AnyView {
    let l = app.l();
    let (name, from) = (name_of(names, &asked.person), moment(app, zone, asked.from));
    if asked.confirmed_at.is_some() {
        return view! { <li class="good">{icon(Icon::Check)}<span>{t::is_ready(l, &name, &from)}</span></li> }
            .into_any();
    }
    let problem = asked.problem.as_ref().map(|why| view! { <small class="block">{t::not_reached(l, why)}</small> });
    let mine = app.me().as_ref() == Some(&asked.person);
    let body = ShiftReady { schedule: schedule.schedule.clone(), from: asked.from };
    let confirm = move |_| {
        let body = body.clone();
        spawn_local(async move {
            match api::post::<()>("/api/v1/me/shifts/ready", &body).await {
                Ok(()) => app.refresh_on_call(),
                Err(error) => app.toasts.bad(error.sentence(app.l())),
            }
        });
    };
    let button =
        mine.then(|| view! { <button type="button" class="btn small primary" on:click=confirm>{t::ready(l)}</button> });
    view! { <li class="warn">{icon(Icon::Warning)}<span>{t::not_ready(l, &name, &from)}{problem}</span>{button}</li> }
        .into_any()
}
