//! One schedule: who now, the strip of fourteen days, and its gaps in words.

use super::{Zones, imported, ready};
use crate::{
    browser::zone,
    components::icon::{Icon, icon},
    format::{self, civil::Civil},
    shifts::{self, Bar},
    state::{App, Remote},
    text::oncall as t,
};
use leptos::prelude::*;
use shared::{
    PersonId, Timestamp,
    api::{Gap, List, ScheduleNow, Shift},
    config::{Every, Rotation, Schedule},
};
use std::collections::BTreeMap;

pub(super) type Names = BTreeMap<PersonId, String>;
const DAYS: i64 = 14;
const DAY_MS: i64 = 86_400_000;

pub(super) fn name_of(names: &Names, person: &PersonId) -> String {
    names.get(person).cloned().unwrap_or_else(|| person.to_string())
}

pub(super) fn card(
    app: App,
    zones: Zones,
    schedule: &ScheduleNow,
    names: &Names,
    configured: Remote<List<Schedule>>,
    calendars: imported::Imported,
) -> AnyView {
    let (schedule, names) = (schedule.clone(), names.clone());
    let id = schedule.schedule.clone();
    let turns = {
        let names = names.clone();
        move || {
            let list = configured.ready()?;
            let found = list.items.into_iter().find(|one| one.id == id)?;
            let turns = found.rotations.iter().map(|turn| view! { <p class="muted">{rotation(app, &names, turn)}</p> });
            Some(turns.collect_view())
        }
    };
    let calendar = format!("/oncall/{}", crate::api::query::encoded(schedule.schedule.as_str()));
    let theirs = imported::of(app, schedule.schedule.clone(), calendars);
    let t_calendar = crate::text::calendar::title(app.l(), &schedule.name);
    let body = move || {
        let zone = zones.of(&schedule.time_zone);
        view! {
            <div class="card-head">
                <h2>{schedule.name.clone()}</h2>
                <span class="muted mono grow">{zone.clone()}</span>
                <a class="btn small" href=calendar.clone() aria-label=t_calendar.clone()>{crate::text::calendar::open(app.l())}</a>
            </div>
            {now_line(app, &zone, &schedule.on_call, &names)}
            {ready::list(app, &zone, &schedule, &names)}
            {strip(app, &zone, &schedule, &names)}
            {gaps(app, &zone, &schedule.gaps)}
        }
    };
    view! { <section class="card schedule">{body}{theirs}{turns}</section> }.into_any()
}

fn rotation(app: App, names: &Names, turn: &Rotation) -> String {
    let group = |group: &[PersonId]| group.iter().map(|person| name_of(names, person)).collect::<Vec<_>>().join(" + ");
    let alone = turn.people.iter().map(|person| name_of(names, person));
    let people = alone.chain(turn.groups.iter().map(|people| group(people))).collect::<Vec<_>>().join(" → ");
    let (l, at) = (app.l(), &turn.handoff);
    match (turn.every, turn.length) {
        (Every::Hour, n) => t::rotation_hours(l, &people, n, at),
        (Every::Month, n) => t::rotation_months(l, &people, n, at),
        (Every::Day, 1) => t::rotation_day(l, &people, at),
        (Every::Day, n) => t::rotation_days(l, &people, n, at),
        (Every::Week, 1) => t::rotation_week(l, &people, at),
        (Every::Week, n) => t::rotation_weeks(l, &people, n, at),
    }
}

/// `Sun 22 Nov 09:00` on the zone's wall.
pub(super) fn moment(app: App, zone: &str, at: Timestamp) -> String {
    let wall = zone::civil(zone, at.ms());
    format!("{} {}", wall.date(app.l()), wall.short_time())
}

fn now_line(app: App, zone: &str, on_call: &[Shift], names: &Names) -> AnyView {
    let l = app.l();
    if on_call.is_empty() {
        return view! { <p class="notice bad">{icon(Icon::Warning)}<strong>{t::nobody(l)}</strong></p> }.into_any();
    }
    let people = on_call.iter().map(|shift| {
        let name = name_of(names, &shift.person);
        let cover = shift.over.then(|| match &shift.replaces {
            Some(person) => t::covers(l, &name_of(names, person)),
            None => t::covering(l),
        });
        let you = (app.me().as_ref() == Some(&shift.person)).then(|| view! { <span class="chip call">{t::you(l)}</span> });
        view! {
            <li>
                <span class=format!("face c{}", shifts::colour(&shift.person)) aria-hidden="true">{format::initials(&name)}</span>
                <span><strong>{name}</strong>{you}<small>{t::until(l, &moment(app, zone, shift.until))} {cover.map(|cover| format!(" · {cover}"))}</small></span>
            </li>
        }
    });
    view! { <ul class="now">{people.collect_view()}</ul> }.into_any()
}

fn strip(app: App, zone: &str, schedule: &ScheduleNow, names: &Names) -> impl IntoView + use<> {
    let l = app.l();
    let now = app.now.get_untracked();
    let midnight = |days: i64| {
        let wall = zone::civil(zone, now.ms() + days * DAY_MS);
        Timestamp::from_ms(zone::instant(zone, Civil { hour: 0, minute: 0, second: 0, ..wall }))
    };
    let whole = (midnight(0), midnight(DAYS));
    let all = shifts::all(schedule);
    let bars = shifts::bars(&all, whole);
    let rows = bars.iter().map(|bar| bar.row + 1).max().unwrap_or(1);
    let drawn = bars.iter().map(|one| bar(app, zone, names, one)).collect_view();
    let gaps = schedule.gaps.iter().filter_map(|gap| shifts::span(gap.from, gap.until, whole)).map(|span| {
        view! { <span class="gap" style:left=format!("{:.3}%", span.left) style:width=format!("{:.3}%", span.width)></span> }
    });
    let days = (0..DAYS).map(|day| {
        let wall = zone::civil(zone, midnight(day).ms());
        let weekend = matches!(wall.weekday_name(shared::config::Language::En), "Sat" | "Sun");
        view! { <span class:weekend=weekend><b>{wall.day}</b><small>{wall.weekday_name(l)}</small></span> }
    });
    let now_at = shifts::span(now, now.plus_ms(1), whole).map_or(0.0, |span| span.left);
    let agenda = all.iter().filter(|shift| shift.until > now).map(|shift| {
        let name = name_of(names, &shift.person);
        view! { <li class=format!("c{}", shifts::colour(&shift.person))><strong>{name}</strong> <small>{moment(app, zone, shift.from)} " – " {moment(app, zone, shift.until)}</small></li> }
    });
    view! {
        <div class="strip-scroll" aria-hidden="true">
            <div class="strip-days">{days.collect_view()}</div>
            <div class="strip-bars" style:height=format!("{}px", rows * 34 + 4)>
                {drawn}
                {gaps.collect_view()}
                <i class="now-line" style:left=format!("{now_at:.3}%")></i>
            </div>
        </div>
        <ul class="agenda" aria-label=t::strip(l, &schedule.name)>{agenda.collect_view()}</ul>
    }
}

fn bar(app: App, zone: &str, names: &Names, bar: &Bar) -> impl IntoView + use<> {
    let name = name_of(names, &bar.shift.person);
    let mine = app.me().as_ref() == Some(&bar.shift.person);
    let tooltip = format!("{name}: {} – {}", moment(app, zone, bar.shift.from), moment(app, zone, bar.shift.until));
    view! {
        <span
            class=format!("bar c{}", shifts::colour(&bar.shift.person)) class:mine=mine class:over=bar.shift.over title=tooltip
            style:left=format!("{:.3}%", bar.span.left) style:width=format!("{:.3}%", bar.span.width)
            style:top=format!("{}px", bar.row * 34 + 4)
        >{name}</span>
    }
}

fn gaps(app: App, zone: &str, gaps: &[Gap]) -> AnyView {
    let l = app.l();
    if gaps.is_empty() {
        return view! { <p class="good covered">{icon(Icon::Check)}{t::no_gaps(l)}</p> }.into_any();
    }
    let each = gaps.iter().map(|gap| {
        let length = shared::text::span(l, gap.until.ms_since(gap.from));
        view! { <li>{t::gap(l, &moment(app, zone, gap.from), &moment(app, zone, gap.until), &length)}</li> }
    });
    view! { <ul class="gap-words">{each.collect_view()}</ul> }.into_any()
}
