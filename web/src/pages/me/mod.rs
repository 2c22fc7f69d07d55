//! My notifications: what wakes me, whether it works, and when it is used.

mod agent;
mod device;
mod guides;
pub(in crate::pages) mod reach;
mod register;
pub(in crate::pages) mod ring;
pub(in crate::pages) mod start;
pub(in crate::pages) mod trial;

use super::settings::person;
use crate::{
    api,
    components::{
        icon::{Icon, icon},
        page::page_head,
        states::loaded,
    },
    frame::device,
    state::{App, Remote},
    text::{frame, me as t},
};
use leptos::{prelude::*, task::spawn_local};
use reach::Reach;
use shared::{
    api::{DeviceRow, Doubt, List},
    config::{Language, Person},
};

/// What the parts of the page share.
#[derive(Clone, Copy)]
pub(in crate::pages) struct Desk {
    pub(in crate::pages) app: App,
    pub(in crate::pages) devices: Remote<List<DeviceRow>>,
    /// As it is saved.
    pub(in crate::pages) person: Remote<Person>,
    /// The last person that was saved here; the form keeps its own.
    pub(in crate::pages) saved: RwSignal<Option<Person>>,
    /// Which of the devices this browser is.
    own: RwSignal<Option<i64>>,
}

impl Desk {
    fn new(app: App) -> Self {
        Self {
            app,
            devices: Remote::new("/api/v1/me/devices"),
            person: Remote::new("/api/v1/me/person"),
            saved: RwSignal::new(None),
            own: RwSignal::new(device(app)),
        }
    }

    fn rows(self) -> Vec<DeviceRow> {
        self.devices.with(|list| list.items.clone()).unwrap_or_default()
    }

    fn row(self, id: i64) -> Option<DeviceRow> {
        self.devices.with(|list| list.items.iter().find(|row| row.id == id).cloned()).flatten()
    }

    /// Sentences about the devices that may not show the next page.
    pub(in crate::pages) fn doubts(self) -> Vec<String> {
        let l = self.app.l();
        let doubtful = reach::doubtful(&self.rows());
        doubtful.into_iter().map(|(label, doubt)| t::doubtful(l, &label, &why(l, doubt))).collect()
    }
}

/// Why a device is doubtful.
fn why(l: Language, doubt: Doubt) -> String {
    match doubt {
        Doubt::Dead => t::gone(l),
        Doubt::Refused { failures } => t::refused(l, failures),
        Doubt::Unproved { sent } => t::unproved(l, sent),
        Doubt::Silent { days } => t::silent(l, days),
    }
}

pub(crate) fn page() -> impl IntoView {
    let app = App::here();
    let l = app.l();
    let body = if app.me().is_none() { person::nobody(l) } else { body(Desk::new(app)) };
    view! {
        <div class="page me">
            {page_head(frame::my_notifications(l), t::lead(l), ().into_any())}
            {body}
        </div>
    }
}

fn body(desk: Desk) -> AnyView {
    let l = desk.app.l();
    Effect::new(move || {
        if let Some(person) = desk.person.ready() {
            desk.saved.set(Some(person));
        }
    });
    view! {
        <div class="stack">
            {move || verdict(desk)}
            <section class="card devices" aria-labelledby="devices-title">
                <div class="card-head"><h2 id="devices-title">{t::devices(l)}</h2><p class="hint">{t::devices_hint(l)}</p></div>
                {loaded(t::devices(l), desk.devices, 3, |_| ().into_any())}
                {device::list(desk)}
                {register::this_browser(desk)}
                {ring::switch(desk.app)}
            </section>
            {person::part(desk)}
            {guides::cards(desk.app)}
        </div>
    }
    .into_any()
}

/// What stands between a person and their pages, if anything does.
fn verdict(desk: Desk) -> Option<AnyView> {
    let l = desk.app.l();
    let person = desk.saved.get()?;
    let devices = desk.devices.with(|list| list.items.clone())?;
    let (tone, title, hint) = match reach::reach(&person, &devices) {
        Reach::Fine if !devices.is_empty() && !reach::uses_push(&person) => {
            ("warn", t::unused_title(l), t::unused_hint(l))
        }
        Reach::Fine => return None,
        Reach::Nothing => ("bad", t::unreachable_title(l), t::unreachable_nothing(l)),
        Reach::Unused => ("bad", t::unreachable_title(l), t::unreachable_rules(l)),
        Reach::NoDevice => ("bad", t::unreachable_title(l), t::unreachable_devices(l)),
        Reach::Doubtful => ("warn", t::only_doubtful(l), t::only_doubtful_hint(l)),
    };
    let can_use = !devices.is_empty() && !reach::uses_push(&person);
    let button = can_use.then(|| {
        let press = move |_| use_push(desk, person.clone());
        view! { <button type="button" class="btn primary" on:click=press>{t::use_push(l)}</button> }
    });
    let notice = view! {
        <div class=format!("notice {tone}") role="status" data-testid="reach">
            {icon(Icon::Warning)}
            <div><strong>{title}</strong><p>{hint}</p></div>
            {button}
        </div>
    };
    Some(notice.into_any())
}

fn use_push(desk: Desk, person: Person) {
    let app = desk.app;
    let taken = |id: &str| person.contacts.iter().any(|contact| contact.id.as_str() == id);
    let id = ["push", "devices", "web-push"].into_iter().find(|id| !taken(id)).unwrap_or("my-devices");
    let wanted = reach::with_push(person.clone(), id.into());
    spawn_local(async move {
        match api::put::<Person>("/api/v1/me/person", &wanted).await {
            // The form is drawn anew with it.
            Ok(person) => desk.person.set(person),
            Err(error) => {
                app.noticed(&error);
                app.toasts.bad(error.sentence(app.l()));
            }
        }
    });
}
