//! Tocsin in the browser: the board, incidents, who is on call, and the settings behind them.
//!
//! `board`, `format` and `live::machine` decide without a browser and are tested natively; `state` holds what the
//! pages share; `pages` draw it.
#![expect(unreachable_pub, reason = "leptos' `#[component]` makes its properties' builders public")]
#![recursion_limit = "256"]

mod api;
mod app;
mod board;
mod browser;
mod calendar;
mod chart;
mod components;
mod format;
mod frame;
mod host;
mod incident;
mod live;
mod markup;
mod mirror;
mod order;
mod pages;
mod shifts;
mod silence;
mod state;
mod text;

/// Takes over the page.
pub fn start() {
    app::mount();
}
