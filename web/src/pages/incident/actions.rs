//! What can be done: buttons in the heading, a bar under the thumb on a phone, and keys.

use super::{of_row, quiet};
use crate::{
    browser::dom,
    components::{
        icon::{Icon, icon},
        key,
    },
    incident::head::Known,
    pages::{
        ask::Asker,
        silences::{self, Maker},
    },
    state::{
        App, Remote,
        actions::{self, ACK, ESCALATE, MERGE, NOTE, REASSIGN, RESOLVE, RESPONDERS, SNOOZE, UNACK},
        board::Pending,
    },
    text::{board as t, silences as words},
};
use leptos::{ev, prelude::*};
use leptos_router::{NavigateOptions, hooks::use_navigate};
use shared::{IncidentId, IncidentState, api::ActionRequest};

/// The state as the server last said, and the action that is on its way.
pub(super) fn standing(app: App, known: Remote<Known>) -> Memo<Option<(IncidentState, Option<Pending>)>> {
    of_row(app, known, |cell| (cell.row.with(|row| row.state), cell.pending.get()))
}

/// What one does next is the first and the filled button: answer it, then end it.
pub(super) fn buttons(
    app: App,
    id: IncidentId,
    known: Remote<Known>,
    asker: Asker,
    maker: Maker,
    with_ids: bool,
) -> impl IntoView {
    let l = app.l();
    let standing = standing(app, known);
    let testid = move |name: &'static str| with_ids.then_some(name);
    move || {
        let (state, pending) = standing.get()?;
        let busy = pending.is_some();
        let at_once = move |verb: &'static str| move |_| actions::act(app, id, verb, ActionRequest::default());
        let asked = move |verb: &'static str| move |_| asker.ask(verb, vec![id]);
        let open = state != IncidentState::Resolved;
        let ack = (state == IncidentState::Triggered).then(|| {
            view! {
                <button type="button" class="btn primary" data-testid=testid("ack") disabled=busy on:click=at_once(ACK)>
                    {icon(Icon::Hand)} {t::ack(l)} {key::hint("a")}
                </button>
            }
        });
        let is_next = state != IncidentState::Triggered;
        let rest = open.then(|| view! {
            <button type="button" class="btn" class:primary=is_next data-testid=testid("resolve") disabled=busy on:click=at_once(RESOLVE)>{t::resolve(l)} {key::hint("r")}</button>
            <button type="button" class="btn" data-testid=testid("escalate") disabled=busy on:click=asked(ESCALATE)>{t::escalate(l)} {key::hint("e")}</button>
            <button type="button" class="btn" data-testid=testid("snooze") disabled=busy on:click=asked(SNOOZE)>{t::snooze(l)} {key::hint("s")}</button>
            <button type="button" class="btn" data-testid=testid("reassign") disabled=busy on:click=asked(REASSIGN)>{t::reassign(l)} {key::hint("t")}</button>
            <button type="button" class="btn" data-testid=testid("responders") disabled=busy on:click=asked(RESPONDERS)>{t::responders(l)} {key::hint("d")}</button>
        });
        let silence = (open && silences::may_respond(app)).then(|| {
            view! {
                <button type="button" class="btn" data-testid=testid("silence") on:click=move |_| quiet::ask(app, id, maker)>
                    {words::action(l)} {key::hint("q")}
                </button>
            }
        });
        let unack = (state == IncidentState::Acked).then(|| {
            view! {
                <button type="button" class="btn" data-testid=testid("unack") disabled=busy on:click=at_once(UNACK)>
                    {icon(Icon::Undo)} {t::unack(l)}
                </button>
            }
        });
        Some(view! {
            {ack}
            {rest}
            {silence}
            {unack}
            <button type="button" class="btn note-button" data-testid=testid("note") on:click=asked(NOTE)>{t::note(l)} {key::hint("n")}</button>
        })
    }
}

/// The same buttons at the foot of a phone, the first one 56 pixels high.
pub(super) fn phone_bar(app: App, id: IncidentId, known: Remote<Known>, asker: Asker, maker: Maker) -> impl IntoView {
    view! { <div class="phone-actions">{buttons(app, id, known, asker, maker, false)}</div> }
}

pub(super) fn listen(app: App, id: IncidentId, asker: Asker, maker: Maker) {
    let navigate = use_navigate();
    let handle = window_event_listener(ev::keydown, move |event| {
        if dom::is_typing(&event) || event.ctrl_key() || event.meta_key() || event.alt_key() {
            return;
        }
        match event.key().as_str() {
            "a" => actions::act(app, id, ACK, ActionRequest::default()),
            "r" => asker.ask(RESOLVE, vec![id]),
            "e" => asker.ask(ESCALATE, vec![id]),
            "s" => asker.ask(SNOOZE, vec![id]),
            "t" => asker.ask(REASSIGN, vec![id]),
            "d" => asker.ask(RESPONDERS, vec![id]),
            "n" => asker.ask(NOTE, vec![id]),
            "m" => asker.ask(MERGE, vec![id]),
            "q" => quiet::ask(app, id, maker),
            "Escape" => navigate("/", NavigateOptions::default()),
            _ => return,
        }
        event.prevent_default();
    });
    on_cleanup(move || handle.remove());
}
