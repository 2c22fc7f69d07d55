//! The calendar of one schedule: what is shown is in the address, what is changed goes through one dialog.

mod ask;
mod board;
mod cover;
mod feeds;
mod hand;
mod offer;
mod swaps;

use crate::{
    api::query,
    browser::{dom, zone},
    calendar::{pieces::pieces, read::Range, view::View},
    components::{
        page::page_head,
        states::{empty, loaded},
    },
    format::civil::Civil,
    pages::oncall::imported,
    state::{App, Remote},
    text::calendar as t,
};
use leptos::prelude::*;
use leptos_router::{
    NavigateOptions,
    hooks::{use_navigate, use_params_map, use_query_map},
};
use shared::{
    ScheduleId,
    api::{List, OnCallNow, PersonRow, Role, ScheduleNow, Shift, SwapRow},
};

/// What the parts of the page share.
#[derive(Clone, Copy)]
struct Page {
    app: App,
    schedule: StoredValue<ScheduleId>,
    schedule_zone: StoredValue<String>,
    /// From the address.
    view: Memo<View>,
    /// A day of the view, as the zone's wall has it.
    at: Memo<Civil>,
    /// `schedule`, `mine` or `utc`.
    zone_word: Memo<&'static str>,
    go: StoredValue<Box<dyn Fn(String)>, LocalStorage>,
    range: Remote<Range>,
    /// Who is on call in the end, from `range`.
    shifts: RwSignal<Vec<Shift>>,
    people: Remote<List<PersonRow>>,
    swaps: Remote<List<SwapRow>>,
    asked: ask::Asked,
}

impl Page {
    /// The name of the zone that times are told by.
    fn zone(self) -> String {
        match self.zone_word.get() {
            "utc" => "UTC".to_owned(),
            "mine" => self.app.prefs.zone.get_untracked(),
            _ => self.schedule_zone.get_value(),
        }
    }

    fn wall(self) -> impl Fn(i64) -> Civil {
        let zone = self.zone();
        move |at_ms| zone::civil(&zone, at_ms)
    }

    /// Whether overrides and swaps may be made.
    fn may(self) -> bool {
        self.app.role() >= Role::Responder
    }

    /// Shows something else of the calendar; the address says what.
    fn show(self, view: View, at: Civil, zone: &str) {
        let zone = if zone == "schedule" { "" } else { zone };
        let address = query::build(&[("view", view.word()), ("at", &at.iso_date()), ("zone", zone)]);
        let path = format!("/oncall/{}{address}", query::encoded(self.schedule.get_value().as_str()));
        self.go.with_value(|go| go(path));
    }

    fn path(self) -> String {
        format!("/api/v1/schedules/{}", query::encoded(self.schedule.get_value().as_str()))
    }

    /// Something was changed: everything that shows it is asked for again.
    fn changed(self) {
        self.asked.open.try_set(false);
        self.range.reload();
        self.swaps.reload();
        self.app.refresh_on_call();
    }

    fn name(self, person: &shared::PersonId) -> String {
        let found = self.everybody().into_iter().find(|row| row.id == *person);
        found.map_or_else(|| person.to_string(), |row| row.name)
    }

    fn everybody(self) -> Vec<PersonRow> {
        self.people.ready().map(|list| list.items).unwrap_or_default()
    }
}

pub(crate) fn page() -> impl IntoView {
    let app = App::here();
    let l = app.l();
    let params = use_params_map();
    let now = Remote::<OnCallNow>::new("/api/v1/oncall");
    loaded(crate::text::frame::on_call(l), now, 8, move |now| {
        let id = params.with(|params| params.get("schedule").unwrap_or_default());
        match now.schedules.into_iter().find(|one| one.schedule.as_str() == id) {
            Some(schedule) => one(app, schedule),
            None => missing(app),
        }
    })
}

fn missing(app: App) -> AnyView {
    let l = app.l();
    let back = view! { <a href="/oncall">{t::back(l)}</a> }.into_any();
    view! { <div class="page">{page_head(t::open(l), String::new(), ().into_any())}{empty(t::no_such(l), back)}</div> }
        .into_any()
}

fn one(app: App, schedule: ScheduleNow) -> AnyView {
    let l = app.l();
    let query = use_query_map();
    let word = move |key: &'static str| query.with(|query| query.get(key).unwrap_or_default());
    let navigate = use_navigate();
    let go = move |path: String| {
        navigate(&path, NavigateOptions { replace: true, scroll: false, ..NavigateOptions::default() });
    };
    let schedule_zone = StoredValue::new(schedule.time_zone.clone());
    let first_view = if dom::is_narrow() { View::Day } else { View::Week };
    let zone_word = Memo::new(move |_| match word("zone").as_str() {
        "utc" => "utc",
        "mine" => "mine",
        _ => "schedule",
    });
    let at = Memo::new(move |_| {
        let asked = Civil::parse(&format!("{} 00:00", word("at")));
        let zone = match zone_word.get() {
            "utc" => "UTC".to_owned(),
            "mine" => app.prefs.zone.get_untracked(),
            _ => schedule_zone.get_value(),
        };
        asked.unwrap_or_else(|| zone::civil(&zone, app.now.get_untracked().ms())).midnight(0)
    });
    let range = Remote::<Range>::idle("");
    let page = Page {
        app,
        schedule: StoredValue::new(schedule.schedule.clone()),
        schedule_zone,
        view: Memo::new(move |_| View::of(&word("view")).unwrap_or(first_view)),
        at,
        zone_word,
        go: StoredValue::new_local(Box::new(go)),
        range,
        shifts: RwSignal::new(Vec::new()),
        people: Remote::new("/api/v1/people"),
        swaps: Remote::new("/api/v1/swaps"),
        asked: ask::Asked::new(),
    };
    Effect::new(move || {
        let wall = page.wall();
        if let Some((from, until)) = page.view.get().range(page.at.get(), &wall) {
            let (from, until) = (from.ms(), until.ms());
            page.range.point(format!("{}/range?from={from}&until={until}", page.path()));
        }
    });
    Effect::new(move || page.shifts.set(range.ready().map(|range| pieces(&range.stretches)).unwrap_or_default()));
    // Somebody else changed something, or the time came for somebody.
    Effect::new(move |before: Option<()>| {
        app.on_call.track();
        if before.is_some() {
            page.range.reload();
            page.swaps.reload();
        }
    });
    let back = view! { <a class="btn" href="/oncall">{t::back(l)}</a> }.into_any();
    view! {
        <div class="page calendar">
            {page_head(t::title(l, &schedule.name), String::new(), back)}
            {imported::of(app, schedule.schedule.clone(), imported::ask())}
            {board::view(page)}
            {swaps::card(page)}
            {feeds::card(page)}
            {ask::dialog(page)}
        </div>
    }
    .into_any()
}
