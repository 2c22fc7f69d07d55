//! The bar at the top: search, who is on call, whether what is shown is true, and the own account.

use super::{connection, menu};
use crate::{
    components::icon::{Icon, icon},
    state::App,
    text::frame as t,
};
use leptos::prelude::*;
use shared::Timestamp;

pub(super) fn top(app: App) -> impl IntoView {
    let l = app.l();
    view! {
        <header class="top">
            <a class="brand small" href="/" aria-label="Tocsin">{icon(Icon::Bell)}</a>
            <button type="button" class="search" aria-haspopup="dialog" on:click=move |_| app.palette.set(true)>
                {icon(Icon::Search)}
                <span class="long">{t::find(l)}</span>
                <span class="sr">{t::find_short(l)}</span>
                <kbd aria-hidden="true">"Ctrl K"</kbd>
            </button>
            <div class="top-end">
                {move || app.info().is_some_and(|info| info.demo).then(|| view! { <span class="chip warn">{t::demo(l)}</span> })}
                {move || on_call_until(app).map(|until| view! {
                    <a class="chip call" href="/oncall">
                        <span class="long">{t::on_call_until(l, &app.clock_time(until))}</span>
                        <span class="short" aria-hidden="true">{t::on_call_short(l, &app.civil(until).short_time())}</span>
                    </a>
                })}
                {connection::light(app)}
                {menu::menu(app)}
            </div>
        </header>
    }
}

/// When the own shifts that run now end; the latest one counts.
fn on_call_until(app: App) -> Option<Timestamp> {
    let me = app.me()?;
    app.on_call.with(|on_call| {
        let shifts = on_call.as_ref()?.schedules.iter().flat_map(|schedule| &schedule.on_call);
        shifts.filter(|shift| shift.person == me).map(|shift| shift.until).max()
    })
}
