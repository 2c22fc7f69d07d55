//! Hosts: a module of its own, for its pages and for the card that the incident's page shows.

mod add;
mod around;
mod board;
mod comb;
mod desk;
mod filters;
mod meter;
mod multiples;
mod one;
mod rules;
mod strip;
mod table;
mod tables;
mod tiles;

use super::{
    deliveries,
    later::{Later, Module, at_once},
};
use crate::state::App;
use leptos::{
    prelude::*,
    wasm_split::{SplitLoaderError, wasm_split},
};
use shared::{IncidentId, Severity, Timestamp};

/// What the module draws.
#[derive(Clone, Copy)]
pub(crate) enum Part {
    Board,
    One,
    Rules,
    /// Every delivery and how providers do: their graphs are charts.
    Deliveries,
    /// The host around an alert of an incident: how bad it is, when it began, and when it was over if it is.
    Around(IncidentId, Severity, Timestamp, Option<Timestamp>),
}

#[wasm_split(hosts, wasm_split_path = leptos::wasm_split, fallible, preload(fetch_module))]
fn draw(part: Part) -> Result<AnyView, SplitLoaderError> {
    Ok(match part {
        Part::Board => board::page(),
        Part::One => one::page(),
        Part::Rules => rules::page(),
        Part::Deliveries => deliveries::page(),
        Part::Around(id, severity, from, until) => around::card(App::here(), id, severity, (from, until)),
    })
}

/// Fetches the module, and says whether it is here.
pub(crate) async fn arrives() -> bool {
    fetch_module().await.is_ok()
}

impl Later for Part {
    const MODULE: Module = Module::Hosts;

    fn drawn(self) -> Option<AnyView> {
        at_once(draw(self)).and_then(Result::ok)
    }
}

/// Where a host's page is.
fn href(name: &str) -> String {
    format!("/hosts/one{}", crate::api::query::build(&[("name", name)]))
}
