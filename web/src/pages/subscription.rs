//! A service that asks whether to send its messages here, and sends none until an administrator says so.

use crate::{
    api::{self, ApiError},
    components::{
        icon::{Icon, icon},
        time::wall,
    },
    state::{App, Remote},
    text::{frame, subscription as t},
};
use leptos::{prelude::*, task::spawn_local};
use shared::{
    EventId,
    api::{Confirmed, EventDetail, Role, Subscription},
};

/// What a message asks about, and the button that grants it.
pub(super) fn asked(app: App, event: &EventDetail, message: Remote<EventDetail>) -> Option<AnyView> {
    let l = app.l();
    let Subscription { host, known, confirmed_at } = event.subscription.clone()?;
    if let Some(at) = confirmed_at {
        return Some(
            view! { <p class="notice good" data-testid="subscription">{icon(Icon::Check)}<span>{t::confirmed(l, &host)}" "{wall(at)}</span></p> }
                .into_any(),
        );
    }
    let way = match (known, app.role() == Role::Admin) {
        (false, _) => view! { <p class="hint">{t::unknown(l, &host)}</p> }.into_any(),
        (true, false) => view! { <p class="hint">{t::by_admin(l)}</p> }.into_any(),
        (true, true) => confirm(app, event.id, message),
    };
    Some(
        view! {
            <div class="stack" data-testid="subscription">
                <p class="notice warn">{icon(Icon::Warning)}<span>{t::asks(l, &host)}</span></p>
                {way}
            </div>
        }
        .into_any(),
    )
}

fn confirm(app: App, id: EventId, message: Remote<EventDetail>) -> AnyView {
    let l = app.l();
    let (busy, failed) = (RwSignal::new(false), RwSignal::new(None::<ApiError>));
    let go = move |_| {
        busy.set(true);
        failed.set(None);
        spawn_local(async move {
            let answer = api::post::<Confirmed>(&format!("/api/v1/events/{id}/confirm"), &()).await;
            busy.try_set(false);
            match answer {
                Ok(_) => message.reload(),
                Err(error) => drop(failed.try_set(Some(error))),
            }
        });
    };
    let fault = move || {
        failed.get().map(|error| {
            view! { <p class="notice bad" role="alert">{icon(Icon::Warning)}<span>{t::failed(l)}" "{error.sentence(l)}</span></p> }
        })
    };
    let label = move || if failed.with(Option::is_some) { frame::retry(l) } else { t::confirm(l) };
    view! {
        {fault}
        <div class="form-end">
            <button type="button" class="btn primary" disabled=move || busy.get() on:click=go>{label}</button>
        </div>
    }
    .into_any()
}
