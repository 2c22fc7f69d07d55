//! Open tabs ring when something urgent is pushed to this browser: a notification may make no sound, a page can.
//!
//! The worker tells all tabs. One of them rings, again and again, until somebody touches a page, answers, or a minute is
//! over.

use crate::{
    browser::{self, dom, storage, tone},
    components::icon::{Icon, icon},
    live::{
        driver,
        machine::{Connection, Input},
    },
    state::App,
    text::me as t,
};
use leptos::prelude::*;
use serde::Deserialize;
use std::{cell::RefCell, collections::BTreeSet, time::Duration};
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{BroadcastChannel, MessageEvent};

const CHANNEL: &str = "tocsin-push";
const MUTED: &str = "tocsin.sound";
const RANG: &str = "tocsin.rang";
const AGAIN: Duration = Duration::from_secs(4);
const TIMES: u32 = 15;
/// A hidden tab leaves it to a visible one for so long.
const AFTER_YOU: Duration = Duration::from_millis(400);
/// Another tab that began so lately is ringing for all.
const RINGING_MS: i64 = 5_000;

/// What the worker says of a push.
#[derive(Deserialize)]
struct Said {
    kind: String,
    #[serde(default)]
    title: String,
    /// The same for everything about one incident.
    #[serde(default)]
    tag: String,
    #[serde(default)]
    urgent: bool,
}

thread_local! {
    static BELL: RefCell<Option<IntervalHandle>> = const { RefCell::new(None) };
    /// What it rings for; when somebody answered all of it, it stops.
    static FOR: RefCell<BTreeSet<String>> = const { RefCell::new(BTreeSet::new()) };
    static HEARS: RefCell<bool> = const { RefCell::new(false) };
}

/// Listens to the worker for as long as the page is open; begun twice it listens once.
pub(in crate::pages) fn listen(app: App) {
    if HEARS.replace(true) {
        return;
    }
    tone::unlock_by_gesture();
    for event in ["pointerdown", "keydown"] {
        std::mem::forget(window_event_listener_untyped(event, |_| stop()));
    }
    let Ok(channel) = BroadcastChannel::new(CHANNEL) else { return };
    let told = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
        let text = js_sys::JSON::stringify(&event.data()).ok().map(String::from).unwrap_or_default();
        if let Ok(said) = serde_json::from_str::<Said>(&text) {
            hear(app, &said);
        }
    });
    channel.set_onmessage(Some(told.as_ref().unchecked_ref()));
    told.forget();
    std::mem::forget(channel);
}

fn hear(app: App, said: &Said) {
    // What was pushed is newer than a board that is not live.
    if app.connection.get_untracked() != Connection::Live {
        driver::feed(Input::Hurry);
    }
    match said.kind.as_str() {
        "shown" if said.urgent && !is_muted() => {
            FOR.with_borrow_mut(|all| all.insert(said.tag.clone()));
            let title = said.title.clone();
            if dom::is_hidden() {
                set_timeout(move || begin(app, &title), AFTER_YOU);
            } else {
                begin(app, &title);
            }
        }
        "acked" => stop(),
        "over" => {
            let is_last = FOR.with_borrow_mut(|all| all.remove(&said.tag) && all.is_empty());
            if is_last {
                stop();
            }
        }
        _ => {}
    }
}

fn begin(app: App, title: &str) {
    let now = browser::now_ms();
    let rang = storage::read(RANG).and_then(|text| text.parse::<i64>().ok()).unwrap_or(0);
    if BELL.with_borrow(Option::is_some) || (0..RINGING_MS).contains(&(now - rang)) || !tone::is_unlocked() {
        return;
    }
    app.announced.set(t::ringing(app.l(), title));
    let left = StoredValue::new(TIMES);
    ring();
    let again = move || {
        left.update_value(|left| *left -= 1);
        if left.get_value() == 0 || is_muted() { stop() } else { ring() }
    };
    BELL.set(set_interval_with_handle(again, AGAIN).ok());
}

fn ring() {
    storage::write(RANG, &browser::now_ms().to_string());
    tone::play();
}

fn stop() {
    FOR.with_borrow_mut(BTreeSet::clear);
    if let Some(bell) = BELL.take() {
        bell.clear();
    }
}

fn is_muted() -> bool {
    storage::read(MUTED).as_deref() == Some("off")
}

/// Whether this browser's tabs ring, and what that sounds like.
pub(super) fn switch(app: App) -> impl IntoView {
    let l = app.l();
    let set = move |event| {
        storage::write(MUTED, if event_target_checked(&event) { "on" } else { "off" });
    };
    view! {
        <div class="sound">
            <label class="check">
                <input type="checkbox" id="sound" prop:checked=!is_muted() on:change=set/>
                <span>{t::sound(l)}<small>{t::sound_hint(l)}</small></span>
            </label>
            <button type="button" class="btn small" on:click=|_| tone::play()>{icon(Icon::Bell)}{t::sound_try(l)}</button>
        </div>
    }
}
