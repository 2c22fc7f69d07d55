//! Which of my contacts do not work: said where they are edited, and where rules name them.

use crate::{
    components::{
        icon::{Icon, icon},
        time::ago,
    },
    state::{App, Remote},
    text::settings as t,
};
use leptos::prelude::*;
use shared::{
    ContactId,
    api::{BrokenContact, List, PersonRow},
};

/// What the server knows of it, for the forms below.
#[derive(Clone, Copy)]
pub(super) struct Known(Remote<List<PersonRow>>);

impl Known {
    /// Asks for it once, and gives it to what is drawn below.
    pub(super) fn provide() {
        provide_context(Self(Remote::new("/api/v1/people")));
    }

    fn of(self, app: App, contact: &ContactId) -> Option<BrokenContact> {
        let me = app.me()?;
        self.0.with(|list| {
            let own = list.items.iter().find(|person| person.id == me)?;
            own.broken.iter().find(|it| it.contact == *contact).cloned()
        })?
    }
}

/// Since when a contact does not work, and why; nothing when it does.
pub(super) fn note(app: App, contact: ContactId) -> AnyView {
    let Some(known) = use_context::<Known>() else { return ().into_any() };
    let l = app.l();
    (move || {
        known.of(app, &contact).map(|broken| {
            view! {
                <p class="notice bad" data-testid="broken">
                    {icon(Icon::Warning)}
                    <span><strong>{t::broken(l)}</strong> " " {ago(broken.at)} ": " {broken.why} " " <span class="muted">{t::broken_mend(l)}</span></span>
                </p>
            }
        })
    })
    .into_any()
}

/// One word of it, beside a contact that a rule names.
pub(super) fn mark(app: App, contact: ContactId) -> AnyView {
    let Some(known) = use_context::<Known>() else { return ().into_any() };
    let l = app.l();
    (move || {
        known.of(app, &contact).map(|broken| {
            view! { <span class="bad broken-mark" title=broken.why data-testid="broken-in-rule">{icon(Icon::Warning)} {t::broken(l)}</span> }
        })
    })
    .into_any()
}
