//! Whom to page in the first one's place, or besides: everybody of the configuration, the unreachable ones shown but not offered.

use super::{Ask, Asker, forms::two_steps};
use crate::{
    components::{
        icon::{Icon, icon},
        states::loaded,
    },
    format, shifts,
    state::{App, Load, Remote},
    text::{board, incident as t, words},
};
use leptos::prelude::*;
use shared::{
    PersonId,
    api::{ActionRequest, List, OnCallNow, PersonRow, ScheduleNow, Shift},
    config::Target,
};
use std::collections::BTreeMap;

pub(super) fn reassign(app: App, asker: Asker, ask: Ask) -> AnyView {
    let people = Remote::<List<PersonRow>>::new("/api/v1/people");
    two_steps(app, asker, ask, move |choose| {
        let l = app.l();
        let go = move |to: PersonId| choose.run(ActionRequest { to: Some(to), ..ActionRequest::default() });
        let list = loaded(board::reassign(l), people, 4, move |list| {
            if list.items.is_empty() {
                return view! { <p class="muted">{t::reassign_nobody(l)}</p> }.into_any();
            }
            let rows = list.items.into_iter().map(|row| person(app, row, go)).collect_view();
            view! { <div class="people">{rows}</div> }.into_any()
        });
        view! { <div class="stack"><p class="muted">{t::reassign_lead(l)}</p>{list}</div> }.into_any()
    })
}

/// Whom to ask for help: whoever is on call somewhere, or somebody by name.
pub(super) fn responders(app: App, asker: Asker, ask: Ask) -> AnyView {
    let people = Remote::<List<PersonRow>>::new("/api/v1/people");
    let on_call = Remote::<OnCallNow>::new("/api/v1/oncall");
    let one = ask.ids.first().copied().filter(|_| ask.ids.len() == 1);
    let version = one.and_then(|id| app.board.row(id)).map(|row| row.version);
    two_steps(app, asker, ask, move |choose| {
        let l = app.l();
        let go = move |target: Target| {
            choose.run(ActionRequest { version, targets: vec![target], ..ActionRequest::default() });
        };
        let schedules = move || {
            let Load::Ready(now) = on_call.get() else { return ().into_any() };
            let names = now.names;
            let rows = now.schedules.into_iter().map(|it| schedule(&names, it, go)).collect_view();
            view! { <h3>{t::responders_schedules(l)}</h3><div class="people">{rows}</div> }.into_any()
        };
        let list = loaded(board::responders(l), people, 4, move |list| {
            let rows = list.items.into_iter();
            let rows = rows.map(|row| person(app, row, move |id| go(Target::Person(id)))).collect_view();
            view! { <div class="people">{rows}</div> }.into_any()
        });
        view! {
            <div class="stack">
                <p class="muted">{t::responders_lead(l)}</p>
                {schedules}
                <h3>{t::responders_people(l)}</h3>
                {list}
            </div>
        }
        .into_any()
    })
}

fn schedule(names: &BTreeMap<PersonId, String>, now: ScheduleNow, go: impl Fn(Target) + Copy + 'static) -> AnyView {
    let name = |shift: &Shift| names.get(&shift.person).cloned().unwrap_or_else(|| shift.person.to_string());
    let who: Vec<String> = now.on_call.iter().map(name).collect();
    let (nobody, id) = (who.is_empty(), now.schedule);
    view! {
        <button type="button" class="btn person" disabled=nobody on:click=move |_| go(Target::Schedule(id.clone()))>
            {icon(Icon::OnCall)}
            <span class="grow">{now.name}<small>{who.join(", ")}</small></span>
        </button>
    }
    .into_any()
}

fn person(app: App, row: PersonRow, go: impl Fn(PersonId) + Copy + 'static) -> impl IntoView {
    let l = app.l();
    let reachable = !row.contacts.is_empty();
    let how = if reachable {
        row.contacts.iter().map(|kind| words::channel(l, *kind)).collect::<Vec<_>>().join(", ")
    } else {
        t::no_contact(l)
    };
    let me = (app.me().as_ref() == Some(&row.id)).then(|| view! { <span class="chip call">{t::reassign_me(l)}</span> });
    let (class, id) = (format!("face c{}", shifts::colour(&row.id)), row.id);
    view! {
        <button type="button" class="btn person" disabled=!reachable on:click=move |_| go(id.clone())>
            <span class=class aria-hidden="true">{format::initials(&row.name)}</span>
            <span class="grow">{row.name}<small>{how}</small></span>
            {me}
        </button>
    }
}
