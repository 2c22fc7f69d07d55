//! The connection in a dot and words; never the dot alone.

use crate::{live::machine::Connection, state::App, text::frame as t};
use leptos::prelude::*;
use shared::Timestamp;

pub(super) fn light(app: App) -> impl IntoView {
    let l = app.l();
    // Seconds are only counted while something is wrong, so that a calm page does nothing.
    let words = move || match app.connection.get() {
        Connection::Connecting => t::connecting(l),
        Connection::Live => t::live(l),
        Connection::Stale { since } => {
            app.now.track();
            t::reconnecting(l, (crate::browser::now_ms() - since).max(0) / 1_000)
        }
        Connection::Offline { since: 0 } => t::connecting(l),
        Connection::Offline { since } => t::offline_since(l, &app.clock_time(Timestamp::from_ms(since))),
    };
    let class = move || match app.connection.get() {
        Connection::Live => "connection live",
        Connection::Connecting | Connection::Stale { .. } => "connection wait",
        Connection::Offline { .. } => "connection off",
    };
    view! { <span class=class data-testid="connection" role="status"><i aria-hidden="true"></i><span>{words}</span></span> }
}
