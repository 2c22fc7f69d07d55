//! Ctrl-K: go to a page, open an incident by number or words, or filter the board.

use super::nav::PLACES;
use crate::{
    api::query,
    board::filter::{Filter, View},
    browser::dom,
    components::{
        badge::badge,
        icon::{Icon, icon},
    },
    order::sorted,
    pages::later::{self, Part},
    state::App,
    text::frame as t,
};
use leptos::{html::Dialog, prelude::*};
use leptos_router::{NavigateOptions, hooks::use_navigate};
use shared::api::IncidentRow;

/// One thing to go to.
#[derive(Clone)]
struct Hit {
    path: String,
    name: String,
    kind: Kind,
}

#[derive(Clone)]
enum Kind {
    Page(Icon),
    Incident(Option<Box<IncidentRow>>),
    Filter,
}

const MOST_ROWS: usize = 8;

pub(super) fn palette(app: App) -> impl IntoView {
    let l = app.l();
    let element = NodeRef::<Dialog>::new();
    Effect::new(move || {
        let Some(dialog) = element.get() else { return };
        if app.palette.get() && !dialog.open() {
            drop(dialog.show_modal());
        } else if !app.palette.get() && dialog.open() {
            dialog.close();
        }
    });
    let on_backdrop = move |event: web_sys::MouseEvent| {
        let target = event.target();
        if element.get_untracked().is_some_and(|dialog| target.as_ref() == Some(dialog.as_ref())) {
            app.palette.set(false);
        }
    };
    view! {
        <dialog
            class="modal palette" aria-label=t::find_short(l) node_ref=element
            on:close=move |_| app.palette.set(false) on:click=on_backdrop
        >
            {move || app.palette.get().then(|| later::part(Part::Palette))}
        </dialog>
    }
}

/// What stands in the dialog.
pub(crate) fn content(app: App) -> AnyView {
    let l = app.l();
    // It may have been fetched after the dialog was opened.
    Effect::new(|_| dom::focus("#palette-input"));
    let navigate = use_navigate();
    let text = RwSignal::new(String::new());
    let chosen = RwSignal::new(0_usize);
    let hits = Memo::new_with_compare(move |_| hits(app, &text.get()), |_, _| true);
    let go = move |hit: &Hit| {
        app.palette.set(false);
        navigate(&hit.path, NavigateOptions::default());
    };
    let enter = go.clone();
    let on_key = move |event: web_sys::KeyboardEvent| {
        let count = hits.with(Vec::len).max(1);
        match event.key().as_str() {
            "ArrowDown" => chosen.update(|chosen| *chosen = (*chosen + 1) % count),
            "ArrowUp" => chosen.update(|chosen| *chosen = (*chosen + count - 1) % count),
            "Enter" if !event.is_composing() => {
                if let Some(hit) = hits.with(|hits| hits.get(chosen.get_untracked()).cloned()) {
                    enter(&hit);
                }
            }
            _ => return,
        }
        event.prevent_default();
    };
    let list = move || {
        let go = go.clone();
        let drawn = hits
            .get()
            .into_iter()
            .enumerate()
            .map(|(index, hit)| option(app, index, hit, chosen, go.clone()))
            .collect_view();
        let none = hits.with(Vec::is_empty).then(|| view! { <p class="muted">{t::nothing_found(l, &text.get())}</p> });
        view! { <div role="listbox" id="palette-list" aria-label=t::find_short(l)>{drawn}</div> {none} }
    };
    view! {
        <div class="modal-body">
            <input
                id="palette-input" type="text" role="combobox" aria-expanded="true" aria-controls="palette-list"
                aria-activedescendant=move || format!("hit-{}", chosen.get())
                aria-label=t::find(l) placeholder=t::find(l) autocomplete="off" spellcheck="false"
                on:input=move |event| { text.set(event_target_value(&event)); chosen.set(0); }
                on:keydown=on_key
            />
            {list}
        </div>
    }
    .into_any()
}

fn option(app: App, index: usize, hit: Hit, chosen: RwSignal<usize>, go: impl Fn(&Hit) + 'static) -> impl IntoView {
    let l = app.l();
    let name = hit.name.clone();
    let sign = match &hit.kind {
        Kind::Page(sign) => icon(*sign).into_any(),
        Kind::Incident(Some(row)) => badge(l, row.severity).into_any(),
        Kind::Incident(None) => icon(Icon::Arrow).into_any(),
        Kind::Filter => icon(Icon::Search).into_any(),
    };
    let place = match &hit.kind {
        Kind::Page(_) => t::page(l),
        Kind::Incident(Some(row)) => row.host.clone().unwrap_or_default(),
        _ => String::new(),
    };
    view! {
        <div
            role="option" id=format!("hit-{index}") aria-selected=move || (chosen.get() == index).to_string()
            on:click=move |_| go(&hit) on:pointerenter=move |_| chosen.set(index)
        >
            {sign}<span class="grow">{name}</span><small class="muted">{place}</small>
        </div>
    }
}

fn hits(app: App, text: &str) -> Vec<Hit> {
    let l = app.l();
    let text = text.trim();
    let needle = text.to_lowercase();
    let mut hits = Vec::new();
    if let Ok(id) = text.trim_start_matches('#').parse::<i64>() {
        hits.push(Hit { path: format!("/incidents/{id}"), name: t::open_incident(l, id), kind: Kind::Incident(None) });
    }
    let named = PLACES.iter().map(|place| (place, (place.name)(l)));
    hits.extend(named.filter(|(_, name)| name.to_lowercase().contains(&needle)).map(|(place, name)| Hit {
        path: place.path.to_owned(),
        name,
        kind: Kind::Page(place.icon),
    }));
    if text.is_empty() {
        return hits;
    }
    let filter = Filter::new(View::Open, text);
    app.board.with_rows(|rows| {
        let found: Vec<&IncidentRow> = rows.values().filter(|row| filter.shows(row)).collect();
        let found = sorted(found, |a, b| (a.severity, a.state).cmp(&(b.severity, b.state)));
        hits.extend(found.into_iter().take(MOST_ROWS).map(|row| Hit {
            path: format!("/incidents/{}", row.id),
            name: row.title.clone(),
            kind: Kind::Incident(Some(Box::new(row.clone()))),
        }));
    });
    hits.push(Hit {
        path: format!("/{}", query::build(&[("q", text)])),
        name: t::filter_board(l, text),
        kind: Kind::Filter,
    });
    hits.push(Hit {
        path: format!("/hosts{}", query::build(&[("q", text)])),
        name: t::find_host(l, text),
        kind: Kind::Page(Icon::Hosts),
    });
    hits
}
