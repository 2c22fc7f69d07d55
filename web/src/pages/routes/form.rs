//! One route as a form, open where the route stands.

use super::{
    conditions,
    draft::Draft,
    fields::{Found, Line, tick, wrong},
    place::{self, Place},
};
use crate::{
    browser::dom,
    components::{
        field::choice,
        icon::{Icon, icon},
    },
    pages::sections::Named,
    state::App,
    text::routes as t,
};
use leptos::prelude::*;
use shared::{
    Delay, Severity, WindowId,
    config::{Group, Language, Route, StaleAction},
};

/// Fields beside which the form itself says what is wrong.
const FIELDS: [&str; 12] = [
    "id",
    "match",
    "policy",
    "team",
    "severity",
    "group",
    "hold",
    "hold_p0",
    "active",
    "mute",
    "stale_after",
    "annotations",
];

/// Whether a form says itself what is found about a field.
pub(super) fn says(field: &str) -> bool {
    let name = field.split(['.', '[']).next().unwrap_or_default();
    FIELDS.contains(&name)
}

/// Changes one thing of the route.
#[derive(Clone, Copy)]
pub(super) struct Pen {
    pub(super) draft: Draft,
    place: StoredValue<Place>,
}

impl Pen {
    pub(super) fn edit(self, change: impl FnOnce(&mut Route)) {
        self.draft.edit(&self.place.get_value(), change);
    }

    pub(super) fn route(self) -> Route {
        self.draft.route(&self.place.get_value()).unwrap_or_default()
    }
}

pub(super) fn form(app: App, draft: Draft, at: Place, found: Found) -> AnyView {
    let l = app.l();
    let pen = Pen { draft, place: StoredValue::new(at.clone()) };
    let route = pen.route();
    let id = Line::text("route-id", t::id(l), route.id.to_string());
    let id = id.view(
        move |text| {
            pen.edit(|route| route.id = text.trim().into());
            true
        },
        wrong(found, "id"),
    );
    let more_open = has_more(&route);
    view! {
        <div class="route-form stack" data-testid="route-form">
            {id}
            {conditions::builder(app, pen, found)}
            {destination(app, pen, &route, found)}
            {tick(t::goes_on(l), route.continues, move |on| pen.edit(|route| route.continues = on))}
            <details open=more_open>
                <summary>{t::more(l)}</summary>
                <div class="stack">{more(app, pen, &route, found)}</div>
            </details>
            {moves(app, draft, at)}
        </div>
    }
    .into_any()
}

fn destination(app: App, pen: Pen, route: &Route, found: Found) -> impl IntoView + use<> {
    let l = app.l();
    let top = pen.place.with_value(|place| place.len() == 1);
    let none = if top { t::none_chosen(l) } else { t::inherited(l) };
    let options = |known: &[Named], none: String| {
        let each = known.iter().map(|it| (it.id.clone(), named(it)));
        std::iter::once((String::new(), none)).chain(each).collect::<Vec<_>>()
    };
    let (mut policies, teams) =
        pen.draft.known(|known| (options(&known.policies, none.clone()), options(&known.teams, none)));
    let policy = route.policy.as_ref().map(|it| it.to_string()).unwrap_or_default();
    // Such as `fallback`, which no document declares.
    if policies.iter().all(|(id, _)| *id != policy) {
        policies.push((policy.clone(), policy.clone()));
    }
    let team = route.team.as_ref().map(|it| it.to_string()).unwrap_or_default();
    let set_policy =
        move |word: String| pen.edit(|route| route.policy = (!word.is_empty()).then(|| word.as_str().into()));
    let set_team = move |word: String| pen.edit(|route| route.team = (!word.is_empty()).then(|| word.as_str().into()));
    let severity = route.severity.map(|it| it.as_str().to_owned()).unwrap_or_default();
    let severities = std::iter::once((String::new(), if top { t::as_sent(l) } else { t::inherited(l) }))
        .chain(Severity::ALL.map(|it| (it.as_str().to_owned(), it.as_str().to_owned())));
    let set_severity = move |word: String| pen.edit(|route| route.severity = word.parse().ok());
    view! {
        <div class="row-fields">
            {choice("route-policy".to_owned(), t::policy(l), policies, move || policy.clone(), set_policy)}
            {choice("route-team".to_owned(), t::team(l), teams, move || team.clone(), set_team)}
            {choice("route-severity".to_owned(), t::severity(l), severities.collect(), move || severity.clone(), set_severity)}
        </div>
        {wrong(found, "policy")}{wrong(found, "team")}
    }
}

fn named(it: &Named) -> String {
    if it.name.is_empty() { it.id.clone() } else { format!("{} ({})", it.name, it.id) }
}

fn has_more(route: &Route) -> bool {
    let plain = Route {
        id: route.id.clone(),
        matches: route.matches.clone(),
        policy: route.policy.clone(),
        team: route.team.clone(),
        severity: route.severity,
        continues: route.continues,
        ..Route::default()
    };
    *route != plain
}

fn more(app: App, pen: Pen, route: &Route, found: Found) -> impl IntoView + use<> {
    let l = app.l();
    let length = |id, label, hint, value: Option<Delay>, field, set: fn(&mut Route, Option<Delay>)| {
        let value = value.map(|it| it.to_string()).unwrap_or_default();
        let line = Line { hint, bad: t::bad_length(l), ..Line::text(id, label, value) };
        let read = move |text: &str| {
            let wanted = if text.trim().is_empty() { Ok(None) } else { Delay::parse(text.trim()).map(Some) };
            wanted.map(|wanted| pen.edit(|route| set(route, wanted))).is_ok()
        };
        line.view(read, wrong(found, field))
    };
    let windows = |id, label, value: Option<&[WindowId]>, field, set: fn(&mut Route, Option<Vec<WindowId>>)| {
        let value = value.map(|ids| match ids {
            [] => "-".to_owned(),
            ids => ids.iter().map(WindowId::as_str).collect::<Vec<_>>().join(", "),
        });
        let line = Line { hint: t::windows_hint(l), ..Line::text(id, label, value.unwrap_or_default()) };
        let read = move |text: &str| {
            pen.edit(|route| set(route, listed(text).map(|ids| ids.iter().map(|it| it.as_str().into()).collect())));
            true
        };
        line.view(read, wrong(found, field))
    };
    let stale = match route.stale {
        None => "",
        Some(StaleAction::Mark) => "mark",
        Some(StaleAction::Resolve) => "resolve",
    };
    let fates = vec![
        (String::new(), t::inherited(l)),
        ("mark".to_owned(), t::stale_mark(l)),
        ("resolve".to_owned(), t::stale_resolve(l)),
    ];
    let set_stale = move |word: String| {
        pen.edit(|route| {
            route.stale = match word.as_str() {
                "mark" => Some(StaleAction::Mark),
                "resolve" => Some(StaleAction::Resolve),
                _ => None,
            };
        });
    };
    view! {
        {group(app, pen, route, found)}
        <div class="row-fields">
            {length("route-hold", t::hold(l), t::length_hint(l), route.hold, "hold", |route, it| route.hold = it)}
            {length("route-hold-p0", t::hold_p0(l), t::length_hint(l), route.hold_p0, "hold_p0", |route, it| route.hold_p0 = it)}
        </div>
        <div class="row-fields">
            {windows("route-active", t::active(l), route.active.as_deref(), "active", |route, it| route.active = it)}
            {windows("route-mute", t::mute(l), route.mute.as_deref(), "mute", |route, it| route.mute = it)}
        </div>
        <div class="row-fields">
            {length("route-stale-after", t::stale_after(l), t::stale_hint(l), route.stale_after, "stale_after", |route, it| route.stale_after = it)}
            {choice("route-stale".to_owned(), t::stale(l), fates, move || stale.to_owned(), set_stale)}
        </div>
        {annotations(l, pen, route, found)}
    }
}

fn group(app: App, pen: Pen, route: &Route, found: Found) -> impl IntoView + use<> {
    let l = app.l();
    let wanted = RwSignal::new(route.group.is_some());
    let set = move |on: bool| {
        pen.edit(|route| route.group = on.then(Group::default));
        wanted.set(on);
    };
    let edit = move |change: &dyn Fn(&mut Group)| {
        pen.edit(|route| {
            if let Some(group) = &mut route.group {
                change(group);
            }
        });
    };
    let fields = move || {
        let group = wanted.get().then(|| pen.route().group).flatten()?;
        let by =
            Line { hint: t::group_by_hint(l), ..Line::text("route-group-by", t::group_by(l), group.by.join(", ")) };
        let by = by.view(
            move |text| {
                edit(&|group| group.by = listed(text).unwrap_or_default());
                true
            },
            wrong(found, "group.by"),
        );
        let window = Line {
            bad: t::bad_length(l),
            ..Line::text("route-group-window", t::group_window(l), group.window.to_string())
        };
        let window = window.view(
            move |text| Delay::parse(text.trim()).map(|window| edit(&|group| group.window = window)).is_ok(),
            wrong(found, "group.window"),
        );
        let limit = Line {
            bad: t::bad_number(l),
            ..Line::text("route-group-limit", t::group_limit(l), group.limit.to_string())
        };
        let limit = limit.view(
            move |text| text.trim().parse().map(|limit| edit(&|group| group.limit = limit)).is_ok(),
            wrong(found, "group.limit"),
        );
        let missing = tick(t::group_missing(l), group.missing_equal, move |on| edit(&|group| group.missing_equal = on));
        Some(view! { {by}<div class="row-fields">{window}{limit}</div>{missing} })
    };
    view! { {tick(t::group(l), route.group.is_some(), set)}{fields} }
}

fn annotations(l: Language, pen: Pen, route: &Route, found: Found) -> impl IntoView + use<> {
    let text = route.annotations.iter().map(|(name, text)| format!("{name} = {text}\n")).collect::<String>();
    let line = Line {
        hint: t::annotations_hint(l),
        bad: t::bad_annotation(l),
        rows: 2,
        ..Line::text("route-annotations", t::annotations(l), text)
    };
    let read = move |text: &str| {
        let lines = text.lines().filter(|line| !line.trim().is_empty());
        let pairs: Option<_> = lines
            .map(|line| line.split_once('=').map(|(name, text)| (name.trim().to_owned(), text.trim().to_owned())))
            .collect();
        pairs.map(|pairs| pen.edit(|route| route.annotations = pairs)).is_some()
    };
    line.view(read, wrong(found, "annotations"))
}

/// None of nothing, an empty list of `-`.
fn listed(text: &str) -> Option<Vec<String>> {
    let names = || text.split([',', '，']).map(str::trim).filter(|it| !it.is_empty() && *it != "-");
    (!text.trim().is_empty()).then(|| names().map(str::to_owned).collect())
}

/// Moves it in and out, adds others, removes it.
fn moves(app: App, draft: Draft, at: Place) -> impl IntoView {
    let l = app.l();
    let here = StoredValue::new(at.clone());
    let shift = move |change: fn(&mut Vec<Route>, &[usize]) -> Option<Place>| {
        let now = draft.reshape(|routes| change(routes, &here.get_value()));
        draft.open.set(now);
        request_animation_frame(|| dom::focus("#route-id"));
    };
    let remove = move |_| {
        draft.reshape(|routes| {
            place::remove(routes, &here.get_value());
            None
        });
    };
    let first = at.last() == Some(&0);
    view! {
        <div class="moments">
            <button type="button" class="btn small" disabled=first on:click=move |_| shift(place::nest)>{t::nest(l)}</button>
            <button type="button" class="btn small" disabled={at.len() == 1} on:click=move |_| shift(place::unnest)>{t::unnest(l)}</button>
            <button type="button" class="btn small" on:click=move |_| shift(place::add_after)>{icon(Icon::Plus)}{t::add_after(l)}</button>
            <button type="button" class="btn small" on:click=move |_| shift(|routes, at| place::add_below(routes, at))>{icon(Icon::Plus)}{t::add_below(l)}</button>
            <button type="button" class="btn small" on:click=remove>{icon(Icon::Trash)}{t::remove(l)}</button>
        </div>
    }
}
