//! Where one can go: a rail at the side, a bar at the foot of a phone.

use crate::{
    components::icon::{Icon, icon},
    state::App,
    text::{deliveries, frame as t, machines, mirrors, silences},
};
use leptos::prelude::*;
use leptos_router::hooks::use_location;
use shared::config::Language;

/// A page of the navigation.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub(crate) path: &'static str,
    pub(crate) icon: Icon,
    pub(crate) name: fn(Language) -> String,
}

const fn place(path: &'static str, icon: Icon, name: fn(Language) -> String) -> Place {
    Place { path, icon, name }
}

pub(crate) const BOARD: Place = place("/", Icon::Board, t::board);
const ON_CALL: Place = place("/oncall", Icon::OnCall, t::on_call);
const MORE: Place = place("/more", Icon::More, t::more);
/// The own devices and contacts; on a phone there is room for a short word only.
const ME: Place = place("/me", Icon::Phone, t::my_notifications);
const ME_SHORT: Place = place("/me", Icon::Phone, t::me);

/// Every page, in the rail's order; after the sixth a line is drawn.
pub(crate) const PLACES: [Place; 16] = [
    BOARD,
    ON_CALL,
    place("/hosts", Icon::Hosts, t::hosts),
    place("/machines", Icon::Machines, machines::title),
    place("/mirrors", Icon::Mirrors, mirrors::title),
    place("/silences", Icon::Quiet, silences::title),
    place("/policies", Icon::Policies, t::policies),
    place("/routes", Icon::Routes, t::routes),
    place("/integrations", Icon::Integrations, t::integrations),
    place("/heartbeats", Icon::Heartbeats, t::heartbeats),
    place("/messages", Icon::Messages, t::messages),
    place("/analytics", Icon::Analytics, t::analytics),
    place("/deliveries", Icon::Deliveries, deliveries::title),
    ME,
    place("/settings", Icon::Settings, t::settings),
    place("/status", Icon::Status, t::status),
];

pub(super) fn rail(app: App) -> impl IntoView {
    let links = move |range: std::ops::Range<usize>| PLACES[range].iter().map(|place| link(app, *place)).collect_view();
    view! {
        <nav class="rail" aria-label=t::main_navigation(app.l())>
            <a class="brand" href="/">{icon(Icon::Bell)}<span>"Tocsin"</span></a>
            {links(0..6)}
            <hr/>
            {links(6..13)}
            <hr/>
            {links(13..16)}
        </nav>
    }
}

pub(super) fn bottom_bar(app: App) -> impl IntoView {
    let links = [BOARD, ON_CALL, ME_SHORT, MORE].map(|place| link(app, place)).collect_view();
    view! { <nav class="bottom-bar" aria-label=t::main_navigation(app.l())>{links}</nav> }
}

pub(crate) fn link(app: App, place: Place) -> impl IntoView {
    let path = use_location().pathname;
    let is_here = move || {
        let path = path.get();
        path == place.path
            || (place.path == "/" && path.starts_with("/incidents/"))
            || (place.path != "/" && path.strip_prefix(place.path).is_some_and(|rest| rest.starts_with('/')))
    };
    let count = move || {
        let open =
            app.board.counts.with(|counts| counts.as_ref().map_or(0, |counts| counts.triggered.iter().sum::<u32>()));
        (place.path == "/" && open > 0).then(|| view! { <b class="count">{open}</b> })
    };
    view! {
        <a href=place.path aria-current=move || is_here().then_some("page")>
            {icon(place.icon)}
            <span>{(place.name)(app.l())}</span>
            {count}
        </a>
    }
}
