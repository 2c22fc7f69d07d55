//! Whom to page in the first one's place: everybody of the configuration, the unreachable ones shown but not offered.

use super::{Ask, Asker, forms::two_steps};
use crate::{
    components::states::loaded,
    format, shifts,
    state::{App, Remote},
    text::{board, incident as t, words},
};
use leptos::prelude::*;
use shared::{
    PersonId,
    api::{ActionRequest, List, PersonRow},
};

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
