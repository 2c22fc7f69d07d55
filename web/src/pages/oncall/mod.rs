//! Who is on call now, who is next, and where nobody is.

pub(crate) mod imported;
mod ready;
mod schedule;

use crate::{
    components::{
        field::segments,
        page::page_head,
        states::{empty, loaded},
    },
    pages::first_run,
    state::{App, Remote},
    text::{frame, oncall as t},
};
use leptos::prelude::*;
use shared::api::{List, OnCallNow};
use shared::config::Schedule;

/// Whose clock the times are told by.
#[derive(Clone, Copy)]
struct Zones {
    /// `schedule`, `mine` or `utc`.
    chosen: RwSignal<&'static str>,
    app: App,
}

impl Zones {
    /// The zone's name for times of this schedule.
    fn of(self, schedule_zone: &str) -> String {
        match self.chosen.get() {
            "utc" => "UTC".to_owned(),
            "mine" => self.app.prefs.zone.get_untracked(),
            _ => schedule_zone.to_owned(),
        }
    }
}

pub(crate) fn page() -> impl IntoView {
    let app = App::here();
    let l = app.l();
    let now = Remote::<OnCallNow>::new("/api/v1/oncall");
    let configured = Remote::<List<Schedule>>::new("/api/v1/schedules");
    let imported = imported::ask();
    let zones = Zones { chosen: RwSignal::new("schedule"), app };
    let switch = segments(
        t::zone(l),
        vec![("schedule", t::zone_schedule(l)), ("mine", t::zone_mine(l)), ("utc", "UTC".to_owned())],
        move || zones.chosen.get(),
        move |word| zones.chosen.set(word),
    );
    // A new configuration, or a hand-off, is told through the shared copy.
    Effect::new(move || {
        if let Some(fresh) = app.on_call.get() {
            now.set(fresh);
        }
    });
    let body = loaded(frame::on_call(l), now, 8, move |now| {
        if now.schedules.is_empty() {
            return empty(t::no_schedules(l), first_run::below(app));
        }
        let cards = now
            .schedules
            .iter()
            .map(|one| schedule::card(app, zones, one, &now.names, configured, imported))
            .collect_view();
        view! { <div class="schedules">{cards}</div> }.into_any()
    });
    view! {
        <div class="page">
            {page_head(frame::on_call(l), t::lead(l), view! {
                <a class="btn" href="/why-not" data-testid="why-not-link">{crate::text::why_not::title(l)}</a>
                {switch}
            }.into_any())}
            {body}
        </div>
    }
}
