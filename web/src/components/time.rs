//! Times: relative or on the wall, with the exact one (and UTC) in the tooltip.

use crate::{format::civil::Civil, state::App};
use leptos::prelude::*;
use shared::{Timestamp, text::span};

/// `Fri 21 Nov 03:02:11 · 19:02:11 UTC`.
pub(crate) fn exact(app: App, at: Timestamp) -> String {
    format!("{} · {} UTC", app.civil(at).full(app.l()), Civil::from_ms(at.ms()).full(app.l()))
}

/// How long ago, ticking.
pub(crate) fn ago(at: Timestamp) -> impl IntoView {
    let app = App::here();
    let l = app.l();
    view! {
        <time datetime=iso(at) title=exact(app, at)>{move || span(l, app.now.get().ms_since(at))}</time>
    }
}

/// On the wall of the reader's zone: `03:02:11`, with the date when it is another day.
pub(crate) fn wall(at: Timestamp) -> impl IntoView {
    let app = App::here();
    let (then, today) = (app.civil(at), app.civil(app.now.get_untracked()));
    let text = if then.same_day(today) { then.time() } else { then.full(app.l()) };
    view! { <time datetime=iso(at) title=exact(app, at)>{text}</time> }
}

fn iso(at: Timestamp) -> String {
    let utc = Civil::from_ms(at.ms());
    format!("{:04}-{:02}-{:02}T{}Z", utc.year, utc.month, utc.day, utc.time())
}
