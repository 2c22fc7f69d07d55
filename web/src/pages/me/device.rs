//! One device: the ladder of what is proved of it, what may be shown on it, a test, and its end.

use super::{Desk, trial, why};
use crate::{
    api,
    browser::push::{self, Permission, Registered},
    components::{
        icon::{Icon, icon},
        keyed::keyed,
        time,
    },
    format,
    text::me as t,
};
use leptos::{prelude::*, task::spawn_local};
use shared::{
    Timestamp,
    api::{DeviceChange, DeviceRow, Doubt, PushProvider},
    config::Language,
    text::span,
};

/// How one rung of the ladder stands: by shape and word, and only then by colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rung {
    Good,
    Bad,
    Open,
}

impl Rung {
    const fn class(self) -> &'static str {
        match self {
            Self::Good => "rung good",
            Self::Bad => "rung bad",
            Self::Open => "rung open",
        }
    }

    fn word(self, l: Language) -> String {
        match self {
            Self::Good => t::good(l),
            Self::Bad => t::bad(l),
            Self::Open => t::open(l),
        }
    }
}

/// Each device keeps its place and its test while what is known of it changes.
pub(super) fn list(desk: Desk) -> AnyView {
    let l = desk.app.l();
    let known = Memo::new(move |_| {
        let drawn = |row: &DeviceRow| (row.id, row.label.clone());
        desk.devices.with(|list| list.items.iter().map(drawn).collect::<Vec<_>>())
    });
    let none = move || {
        let nothing = known.with(|known| known.as_ref().is_some_and(Vec::is_empty));
        nothing.then(|| view! { <p class="muted none">{t::no_devices(l)}</p> })
    };
    let items = keyed(
        move || known.get().unwrap_or_default(),
        |(id, label)| format!("{id} {label}"),
        move |(id, _)| untrack(|| desk.row(id)).map(|row| one(desk, &row)).into_any(),
    );
    view! { {none} <div class="device-list">{items}</div> }.into_any()
}

fn one(desk: Desk, row: &DeviceRow) -> AnyView {
    let l = desk.app.l();
    let (id, label) = (row.id, row.label.clone());
    let dead = move || desk.row(id).is_some_and(|row| row.dead_at.is_some());
    let hindrance = move || dead().then(|| t::gone(l));
    let doubt = move || {
        desk.row(id).and_then(|row| row.doubt).map(|doubt| view! { <span class="chip warn">{why(l, doubt)}</span> })
    };
    let is_own = move || desk.own.get() == Some(id);
    let own = move || is_own().then(|| view! { <span class="chip">{t::this_browser(l)}</span> });
    let hide = move |event| {
        change(desk, id, DeviceChange { private: Some(event_target_checked(&event)), label: None, heard: None });
    };
    let rename = move |event: web_sys::Event| {
        change(desk, id, DeviceChange { label: Some(event_target_value(&event)), private: None, heard: None });
    };
    let removing = label.clone();
    let remove = move |_| remove(desk, id, removing.clone());
    let (name, by) = (label.clone(), Some(row.service.clone()));
    let what = trial::What { contact: None, device: Some(id), name, by, proves: true };
    let ladder = move || desk.row(id).map(|row| ladder(desk, &row, is_own()));
    view! {
        <div class="device" class:dead=dead data-testid=format!("device-{id}")>
            <div class="device-head">
                {icon(Icon::Phone)}
                <input class="device-name" type="text" maxlength="60" value=label.clone() aria-label=t::rename(l, &label) on:change=rename/>
                {own}
                {doubt}
                <button type="button" class="btn square ghost" aria-label=t::remove_device(l, &label) title=t::remove(l) on:click=remove>{icon(Icon::Trash)}</button>
            </div>
            {ladder}
            {trial::view(desk.app, what, hindrance, move || desk.devices.reload())}
            <label class="check">
                <input type="checkbox" prop:checked=row.private on:change=hide/>
                <span>{t::hide(l)}<small>{t::hide_hint(l)}</small></span>
            </label>
        </div>
    }
    .into_any()
}

/// Permission, subscription, the last proof, and whether it is loud.
fn ladder(desk: Desk, row: &DeviceRow, is_own: bool) -> impl IntoView + use<> {
    let l = desk.app.l();
    // Of another browser it is known that it was allowed once: nobody is subscribed otherwise.
    let allowed = !is_own || push::is_offered() && push::permission() == Permission::Granted;
    // An app is asked by its own system.
    let permission = if row.platform.is_some() {
        (Rung::Open, t::of_the_app(l))
    } else if allowed {
        (Rung::Good, t::allowed(l))
    } else {
        (Rung::Bad, t::not_allowed(l))
    };
    let subscription = match row.doubt {
        _ if row.kind == PushProvider::None => (Rung::Open, t::asks_itself(l)),
        Some(doubt @ (Doubt::Dead | Doubt::Refused { .. })) => (Rung::Bad, why(l, doubt)),
        _ => (Rung::Good, t::alive(l, &row.service)),
    };
    let ago = move |at: Timestamp| span(l, desk.app.now.get_untracked().ms_since(at).max(1_000));
    let proof = match (row.doubt, row.shown_at, &row.delay) {
        (Some(doubt @ (Doubt::Unproved { .. } | Doubt::Silent { .. })), _, _) => (Rung::Bad, why(l, doubt)),
        (_, None, _) => (Rung::Open, t::proof_none(l)),
        (_, Some(at), None) => (Rung::Good, t::proof_at(l, &ago(at))),
        (_, Some(at), Some(delay)) => {
            (Rung::Good, t::proof_in(l, &ago(at), &format::delay(l, i64::from(delay.last_ms))))
        }
    };
    let loud = match &row.rang {
        None => (Rung::Open, t::loud_unknown(l)),
        Some(rang) if rang.heard => (Rung::Good, t::rang(l, &ago(rang.at))),
        Some(rang) => (Rung::Bad, t::did_not_ring(l, &ago(rang.at))),
    };
    let usual = row.delay.as_ref().map(|delay| {
        let [p50, p95] = [delay.p50_ms, delay.p95_ms].map(|ms| format::delay(l, i64::from(ms)));
        view! { <small class="usual">{t::usual(l, &p50, &p95)}</small> }
    });
    let shown_at = row.shown_at.map(|at| time::exact(desk.app, at));
    let rungs = [
        (t::step_permission(l), permission, None, None),
        (t::step_subscription(l), subscription, None, None),
        (t::step_proof(l), proof, usual, shown_at),
        (t::step_loud(l), loud, None, None),
    ];
    let rungs = rungs.map(|(name, (rung, words), more, title)| {
        view! {
            <li class=rung.class() title=title>
                <i aria-hidden="true">{icon(match rung { Rung::Good => Icon::Check, Rung::Bad => Icon::Cross, Rung::Open => Icon::More })}</i>
                <strong>{name}</strong>
                <span class="sr">{rung.word(l)}</span>
                <span class="rung-words">{words}</span>
                {more}
            </li>
        }
    });
    view! { <ol class="ladder" aria-label=t::ladder(l, &row.label)>{rungs.into_iter().collect_view()}</ol> }
}

/// Changes a device, and shows it as the server has it then.
fn change(desk: Desk, id: i64, change: DeviceChange) {
    let app = desk.app;
    spawn_local(async move {
        if let Err(error) = api::put::<DeviceRow>(&format!("/api/v1/me/devices/{id}"), &change).await {
            app.noticed(&error);
            app.toasts.bad(error.sentence(app.l()));
        }
        desk.devices.reload();
    });
}

fn remove(desk: Desk, id: i64, label: String) {
    let app = desk.app;
    let is_own = desk.own.get_untracked() == Some(id);
    spawn_local(async move {
        match api::delete(&format!("/api/v1/me/devices/{id}")).await {
            Ok(()) => {
                if is_own {
                    push::unsubscribe().await;
                    Registered::forget();
                    desk.own.try_set(None);
                }
                app.toasts.good(t::removed(app.l(), &label), None);
            }
            Err(error) => {
                app.noticed(&error);
                app.toasts.bad(error.sentence(app.l()));
            }
        }
        desk.devices.reload();
    });
}
