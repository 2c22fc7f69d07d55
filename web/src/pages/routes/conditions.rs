//! Conditions as rows of field, comparison and value, or as the text they are.

use super::{
    effects,
    fields::{Found, Line, wrong},
    form::Pen,
};
use crate::{
    components::icon::{Icon, icon},
    state::App,
    text::routes as t,
};
use leptos::prelude::*;
use shared::{
    Severity,
    config::{Condition, Operator},
};

/// Fields that every alert may have; labels are written with their name.
const FIELDS: [&str; 13] = [
    "severity",
    "severity_word",
    "integration",
    "host",
    "ip",
    "mac",
    "service",
    "summary",
    "content",
    "metric",
    "dedup_key",
    "labels.",
    "time",
];

pub(super) fn builder(app: App, pen: Pen, found: Found) -> impl IntoView {
    let l = app.l();
    let readable = pen.route().matches.iter().all(|text| Condition::split(text).is_ok());
    let as_text = RwSignal::new(!readable);
    let rows = RwSignal::new(0_u32);
    let drawn = move || {
        rows.track();
        if as_text.get() { text(app, pen) } else { each(app, pen, rows) }
    };
    let switch = move |_| as_text.update(|on| *on = !*on);
    // Only what can be taken apart can be shown as fields.
    let stuck = move || {
        found.track();
        as_text.get() && pen.route().matches.iter().any(|text| Condition::split(text).is_err())
    };
    view! {
        <fieldset class="conditions stack">
            <legend>{t::conditions(l)}</legend>
            {drawn}
            {wrong(found, "match")}
            <div class="moments">
                {move || (!as_text.get()).then(|| {
                    let add = move |_| {
                        pen.edit(|route| route.matches.push("host=".to_owned()));
                        rows.update(|rows| *rows += 1);
                    };
                    view! { <button type="button" class="btn small" on:click=add>{icon(Icon::Plus)}{t::condition_add(l)}</button> }
                })}
                <button type="button" class="btn small ghost" disabled=stuck on:click=switch>
                    {move || if as_text.get() { t::as_fields(l) } else { t::as_text(l) }}
                </button>
            </div>
            {suggestions(pen)}
        </fieldset>
    }
}

fn text(app: App, pen: Pen) -> AnyView {
    let l = app.l();
    let line = Line {
        hint: t::text_hint(l),
        rows: 3,
        ..Line::text("route-conditions", t::conditions(l), pen.route().matches.join("\n"))
    };
    let read = move |text: &str| {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        pen.edit(|route| route.matches = lines.map(str::to_owned).collect());
        true
    };
    line.view(read, ())
}

fn each(app: App, pen: Pen, rows: RwSignal<u32>) -> AnyView {
    let l = app.l();
    let texts = pen.route().matches;
    if texts.is_empty() {
        return view! { <p class="muted">{t::conditions_none(l)}</p> }.into_any();
    }
    let rows = texts.iter().enumerate().map(|(place, text)| row(app, pen, rows, place, text)).collect_view();
    view! { <ul class="condition-rows">{rows}</ul> }.into_any()
}

fn row(app: App, pen: Pen, rows: RwSignal<u32>, place: usize, text: &str) -> AnyView {
    let l = app.l();
    let n = place + 1;
    let (field, operator, value) = match Condition::split(text) {
        Ok(it) => (it.field.to_owned(), it.operator, it.value.to_owned()),
        Err(_) => (String::new(), Operator::Equal, text.to_owned()),
    };
    let field = RwSignal::new(field);
    let operator = RwSignal::new(operator);
    let value = RwSignal::new(value);
    let write = move || {
        let (field, value) = (field.get_untracked(), value.get_untracked());
        let text = Condition { field: field.trim(), operator: operator.get_untracked(), value: &value }.to_string();
        pen.edit(|route| {
            if let Some(condition) = route.matches.get_mut(place) {
                *condition = text;
            }
        });
    };
    let type_field = move |event| {
        field.set(event_target_value(&event));
        // The only thing to ask of the time is which window it is in.
        if field.with_untracked(|field| field.trim() == "time")
            && !matches!(operator.get_untracked(), Operator::In | Operator::NotIn)
        {
            operator.set(Operator::In);
        }
        write();
    };
    let choose = move |event| {
        let word = event_target_value(&event);
        if let Some(chosen) = Operator::ALL.into_iter().find(|it| it.sign().trim() == word) {
            operator.set(chosen);
            write();
        }
    };
    let type_value = move |event| {
        value.set(event_target_value(&event));
        write();
    };
    let remove = move |_| {
        pen.edit(|route| {
            if place < route.matches.len() {
                route.matches.remove(place);
            }
        });
        rows.update(|rows| *rows += 1);
    };
    // Those that are asked for most come first.
    let order = [Operator::Equal, Operator::NotEqual, Operator::Like, Operator::NotLike, Operator::In, Operator::NotIn];
    let options = order.map(|it| {
        view! { <option value=it.sign().trim() selected=move || operator.get() == it>{effects::operator(l, it)}</option> }
    });
    let list = move || match field.get().trim() {
        "severity" => "route-severities",
        "integration" => "route-integrations",
        "time" => "route-windows",
        _ => "",
    };
    view! {
        <li data-testid=format!("condition-{n}")>
            <input class="mono" list="route-fields" aria-label=t::condition_field(l, n) value=field.get_untracked()
                autocomplete="off" autocapitalize="off" spellcheck="false" on:input=type_field/>
            <select aria-label=t::condition_operator(l, n) on:change=choose>{options.into_iter().collect_view()}</select>
            <input class="mono" list=list aria-label=t::condition_value(l, n) value=value.get_untracked()
                autocomplete="off" autocapitalize="off" spellcheck="false" on:input=type_value/>
            <button type="button" class="btn small ghost" aria-label=t::condition_remove(l, n) on:click=remove>{icon(Icon::Cross)}</button>
        </li>
    }
    .into_any()
}

fn suggestions(pen: Pen) -> impl IntoView {
    let list = |id: &'static str, words: Vec<String>| {
        let options = words.into_iter().map(|word| view! { <option value=word></option> }).collect_view();
        view! { <datalist id=id>{options}</datalist> }
    };
    let (senders, windows): (Vec<String>, Vec<String>) = pen.draft.known(|known| {
        let ids = |list: &[crate::pages::sections::Named]| list.iter().map(|it| it.id.clone()).collect();
        (ids(&known.integrations), ids(&known.time_windows))
    });
    view! {
        {list("route-fields", FIELDS.map(str::to_owned).to_vec())}
        {list("route-severities", Severity::ALL.map(|it| it.as_str().to_owned()).to_vec())}
        {list("route-integrations", senders)}
        {list("route-windows", windows)}
    }
}
