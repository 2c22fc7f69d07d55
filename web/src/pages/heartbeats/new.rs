//! A new heartbeat: what is expected goes in, an address comes out, once; then its first beat is listened for.

use super::{Desk, snippets};
use crate::{
    api,
    browser::dom,
    components::{
        copy::copy_button,
        field::{Field, choice},
        icon::{Icon, icon},
    },
    text::{frame, heartbeats as t, senders},
};
use leptos::{prelude::*, task::spawn_local};
use shared::{
    Delay, Severity,
    api::{HeartbeatAddress, NewHeartbeat},
};
use std::time::Duration;

pub(super) fn form(desk: Desk) -> AnyView {
    let app = desk.app;
    let l = app.l();
    let (name, interval) = (RwSignal::new(String::new()), RwSignal::new("1h".to_owned()));
    let (grace, severity) = (RwSignal::new("5m".to_owned()), RwSignal::new(Severity::P2));
    let fault = RwSignal::new(String::new());
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let lengths = Delay::parse(&interval.get_untracked())
            .and_then(|interval| Ok((interval, Delay::parse(&grace.get_untracked())?)));
        let (interval, grace) = match lengths {
            Ok(lengths) => lengths,
            Err(wrong) => return fault.set(wrong),
        };
        let wanted = NewHeartbeat { name: name.get_untracked(), interval, grace, severity: severity.get_untracked() };
        spawn_local(async move {
            match api::post::<HeartbeatAddress>("/api/v1/heartbeats", &wanted).await {
                Ok(address) => {
                    fault.set(String::new());
                    name.set(String::new());
                    desk.made.set(Some(address));
                    desk.rows.reload();
                }
                Err(error) => fault.set(error.sentence(l)),
            }
        });
    };
    let levels = Severity::ALL.map(|it| (it.as_str().to_owned(), it.as_str().to_owned())).to_vec();
    let chosen = move || severity.get().as_str().to_owned();
    let choose = move |word: String| severity.set(word.parse().unwrap_or(Severity::P2));
    view! {
        <section class="card" id="new">
            <h2>{t::new(l)}</h2>
            <form class="row-fields" on:submit=submit>
                {Field { hint: t::name_hint(l), ..Field::text("heartbeat-name", t::name(l), name) }.view()}
                {Field { hint: t::interval_hint(l), ..Field::text("heartbeat-interval", t::interval(l), interval) }.view()}
                {Field::text("heartbeat-grace", t::grace(l), grace).view()}
                {choice("heartbeat-severity".to_owned(), t::severity(l), levels, chosen, choose)}
                <button class="btn primary" data-testid="new-heartbeat">{icon(Icon::Plus)}{t::create(l)}</button>
            </form>
            <p class="bad" role="alert">{move || fault.get()}</p>
            <p class="hint">{t::more_in_settings(l)}</p>
        </section>
    }
    .into_any()
}

/// The address with ready commands, and the listener that waits for the first beat there.
pub(super) fn address(desk: Desk, made: HeartbeatAddress) -> AnyView {
    let app = desk.app;
    let l = app.l();
    let HeartbeatAddress { heartbeat, url } = made;
    // An address without an origin is for whoever reads it here.
    let url = if url.starts_with('/') { format!("{}{url}", dom::origin()) } else { url };
    set_timeout(|| dom::focus("#address-title"), Duration::from_millis(50));
    let copied = url.clone();
    let beats = move || desk.row(heartbeat.as_str()).map(|row| (row.heartbeat.title().to_owned(), row.pulse.beats));
    let beats = Memo::new(move |_| beats());
    let before = untrack(|| beats.get()).map_or(0, |(_, beats)| beats);
    let name = move || beats.get().map(|(name, _)| t::made(l, &name)).unwrap_or_default();
    let heard = move || {
        if beats.get().is_some_and(|(_, beats)| beats > before) {
            return view! { <div class="notice good">{icon(Icon::Check)}<strong>{t::arrived(l)}</strong></div> }
                .into_any();
        }
        view! {
            <div class="listening">
                <i class="ear" aria-hidden="true"></i>
                <div><strong>{t::listening(l)}</strong><p class="muted">{t::listening_hint(l)}</p></div>
            </div>
        }
        .into_any()
    };
    view! {
        <section class="card made">
            <h2 id="address-title" tabindex="-1">{name}</h2>
            <p class="notice warn">{icon(Icon::Warning)}{senders::token_once(l)}</p>
            <div class="secret"><code data-testid="address" class="mono">{url.clone()}</code>{copy_button(frame::copy(l), move || copied.clone())}</div>
            {snippets::tabs(app, &url)}
            <div class="listener" data-testid="beat-listener" role="status">{heard}</div>
        </section>
    }
    .into_any()
}
