//! Until when to be quiet, which level to run, what to note.

use super::{Ask, Asker, bulk};
use crate::{
    browser::zone,
    format::civil::Civil,
    state::{App, Load, Remote, actions},
    text::{frame, incident as t},
};
use leptos::prelude::*;
use shared::{
    PolicyId, Timestamp,
    api::{ActionRequest, List},
    config::Policy,
};

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 86_400_000;

/// A form, and after it the last look when there are many incidents.
pub(super) fn two_steps(
    app: App,
    asker: Asker,
    ask: Ask,
    form: impl Fn(Callback<ActionRequest>) -> AnyView + Send + 'static,
) -> AnyView {
    let chosen = RwSignal::new(None::<ActionRequest>);
    let many = ask.ids.len() > 1;
    let choose = {
        let ask = ask.clone();
        Callback::new(
            move |body: ActionRequest| {
                if many { chosen.set(Some(body)) } else { asker.carry_out(app, &ask, &body) }
            },
        )
    };
    (move || match chosen.get() {
        Some(body) => bulk::confirm(app, asker, ask.clone(), body),
        None => form(choose),
    })
    .into_any()
}

pub(super) fn snooze(app: App, asker: Asker, ask: Ask) -> AnyView {
    two_steps(app, asker, ask, move |choose| {
        let l = app.l();
        let zone = app.prefs.zone.get_untracked();
        let now = app.now.get_untracked();
        let other = RwSignal::new(zone::civil(&zone, now.ms() + 120 * MINUTE_MS).field());
        let past = RwSignal::new(false);
        let until = move |until: Timestamp| {
            if until <= app.clock() {
                return past.set(true);
            }
            choose.run(ActionRequest { until: Some(until), ..ActionRequest::default() });
        };
        let quick = [
            (t::snooze_15(l), now.plus_ms(15 * MINUTE_MS)),
            (t::snooze_60(l), now.plus_ms(60 * MINUTE_MS)),
            (t::snooze_morning(l), Timestamp::from_ms(next_nine(&zone, now.ms()))),
        ]
        .map(|(name, at)| {
            view! {
                <button type="button" class="btn choice" on:click=move |_| until(at)>
                    <span>{name}</span><small>{app.clock_time(at)}</small>
                </button>
            }
        })
        .collect_view();
        let submit = move |event: web_sys::SubmitEvent| {
            event.prevent_default();
            if let Some(wall) = Civil::parse(&other.get_untracked()) {
                until(Timestamp::from_ms(zone::instant(&zone, wall)));
            }
        };
        view! {
            <form class="stack" on:submit=submit>
                <div class="choices">{quick}</div>
                <div class="field">
                    <label for="snooze-until">{t::snooze_other(l)}</label>
                    <input id="snooze-until" type="datetime-local" prop:value=move || other.get()
                        on:input=move |event| other.set(event_target_value(&event))/>
                    <p class="hint">{t::snooze_after(l)}</p>
                </div>
                <p role="alert">{move || past.get().then(|| t::snooze_past(l))}</p>
                <div class="form-end">
                    <button type="button" class="btn" on:click=move |_| asker.open.set(false)>{frame::cancel(l)}</button>
                    <button class="btn primary">{actions::verb_name(l, actions::SNOOZE)}</button>
                </div>
            </form>
        }
        .into_any()
    })
}

/// The next nine o'clock on the reader's wall.
fn next_nine(zone: &str, now: i64) -> i64 {
    let nine = |day: i64| zone::instant(zone, Civil { hour: 9, minute: 0, second: 0, ..zone::civil(zone, day) });
    let today = nine(now);
    if today > now { today } else { nine(now + DAY_MS) }
}

pub(super) fn escalate(app: App, asker: Asker, ask: Ask) -> AnyView {
    let policies = Remote::<List<Policy>>::new("/api/v1/policies");
    let one = ask.ids.first().copied().filter(|_| ask.ids.len() == 1);
    let row = one.and_then(|id| app.board.row(id));
    let version = row.as_ref().map(|row| row.version);
    let own_policy = row.and_then(|row| row.next).map(|next| next.policy);
    two_steps(app, asker, ask, move |choose| {
        let l = app.l();
        let go = move |policy: Option<PolicyId>, level: Option<u32>| {
            choose.run(ActionRequest { version, policy, level, ..ActionRequest::default() });
        };
        let own_policy = own_policy.clone();
        let levels = move || {
            let Load::Ready(list) = policies.get() else { return ().into_any() };
            let of_incident = list.items.into_iter().filter(|policy| own_policy.as_ref() == Some(&policy.id));
            of_incident.flat_map(|policy| level_buttons(app, policy, go)).collect_view().into_any()
        };
        view! {
            <div class="stack">
                <p class="muted">{t::escalate_lead(l)}</p>
                <div class="choices column">
                    <button type="button" class="btn primary choice" autofocus on:click=move |_| go(None, None)>
                        {t::escalate_next(l)}
                    </button>
                    {levels}
                </div>
            </div>
        }
        .into_any()
    })
}

fn level_buttons(
    app: App,
    policy: Policy,
    go: impl Fn(Option<PolicyId>, Option<u32>) + Copy + 'static,
) -> Vec<AnyView> {
    let l = app.l();
    let names = app.names();
    let name = if policy.name.is_empty() { policy.id.to_string() } else { policy.name.clone() };
    let button = |(index, level): (usize, &shared::config::Level)| {
        let who: Vec<String> =
            level.notify.iter().map(|target| crate::pages::policies::target_name(&names, target)).collect();
        let (id, number) = (policy.id.clone(), u32::try_from(index + 1).ok());
        view! {
            <button type="button" class="btn choice" on:click=move |_| go(Some(id.clone()), number)>
                <span>{t::escalate_level(l, &name, index + 1)}</span><small>{who.join(", ")}</small>
            </button>
        }
        .into_any()
    };
    policy.levels.iter().enumerate().map(button).collect()
}

pub(super) fn note(app: App, asker: Asker, ask: Ask) -> AnyView {
    two_steps(app, asker, ask, move |choose| {
        let l = app.l();
        let text = RwSignal::new(String::new());
        let submit = move |event: web_sys::SubmitEvent| {
            event.prevent_default();
            let text = text.get_untracked().trim().to_owned();
            if !text.is_empty() {
                choose.run(ActionRequest { text: Some(text), ..ActionRequest::default() });
            }
        };
        view! {
            <form class="stack" on:submit=submit>
                <div class="field">
                    <label for="ask-note">{t::note_title(l)}</label>
                    <textarea id="ask-note" rows="4" autofocus required prop:value=move || text.get()
                        on:input=move |event| text.set(event_target_value(&event))></textarea>
                    <p class="hint">{t::note_hint(l)}</p>
                </div>
                <div class="form-end">
                    <button type="button" class="btn" on:click=move |_| asker.open.set(false)>{frame::cancel(l)}</button>
                    <button class="btn primary">{t::note_add(l)}</button>
                </div>
            </form>
        }
        .into_any()
    })
}
