//! One level as fields, with what is wrong with it.

use super::draft::Draft;
use crate::{
    api::ApiError,
    components::{
        field::choice,
        icon::{Icon, icon},
    },
    pages::policies::target_name,
    state::App,
    text::{oncall, policies as t},
};
use leptos::prelude::*;
use shared::{
    Delay, Severity,
    config::{Level, Policy, Target},
};

pub(super) fn fields(
    app: App,
    draft: Draft,
    index: usize,
    count: usize,
    refusal: RwSignal<Option<ApiError>>,
) -> impl IntoView + use<> {
    let l = app.l();
    let level = draft.level(index);
    let n = index + 1;
    let swap = move |with: usize| draft.reshape(move |policy: &mut Policy| policy.levels.swap(index, with));
    let faults = move || {
        let here = format!(".levels[{index}]");
        let found = refusal.with(|error| error.as_ref().map(ApiError::findings).unwrap_or_default());
        let own = found.into_iter().filter(|it| it.path.contains(&here) && it.path.contains(draft.get().id.as_str()));
        own.map(|it| view! { <p class="bad" role="alert">{it.message}</p> }).collect_view()
    };
    let delay =
        move |text: &str| Delay::parse(text).map(|delay| draft.edit_level(index, |level| level.delay = delay)).is_ok();
    view! {
        <li class="level" data-testid=format!("level-{n}")>
            <div class="level-head">
                <strong>{oncall::level(l, n)}</strong>
                <button type="button" class="btn small" aria-label=t::up(l, n) disabled=index == 0 on:click=move |_| swap(index - 1)>"↑"</button>
                <button type="button" class="btn small" aria-label=t::down(l, n) disabled=n == count on:click=move |_| swap(n)>"↓"</button>
                <button type="button" class="btn small" aria-label=t::remove(l, n) disabled=count == 1
                    on:click=move |_| draft.reshape(|policy| drop(policy.levels.remove(index)))>{icon(Icon::Cross)}</button>
            </div>
            {targets(app, draft, index, &level)}
            {length(format!("level-{n}-delay"), t::delay(l), t::delay_hint(l), level.delay.to_string(), t::bad_delay(l), delay)}
            <details>
                <summary>{t::more(l)}</summary>
                <div class="stack">{conditions(app, draft, index, &level)}</div>
            </details>
            {faults}
        </li>
    }
}

fn targets(app: App, draft: Draft, index: usize, level: &Level) -> impl IntoView + use<> {
    let l = app.l();
    let names = draft.names();
    let chips = level.notify.iter().enumerate().map(|(place, target)| {
        let name = target_name(&names, target);
        let remove = move |_| draft.reshape(|policy| drop(policy.levels[index].notify.remove(place)));
        view! {
            <li class="chip">{name.clone()}
                <button type="button" class="btn small" aria-label=t::remove_target(l, &name) on:click=remove>{icon(Icon::Cross)}</button>
            </li>
        }
    });
    let chips = chips.collect_view();
    let mut options = vec![(String::new(), t::choose(l))];
    let known = draft.targets().into_iter().filter(|(target, _)| !level.notify.contains(target));
    options.extend(known.map(|(target, _)| (target.to_string(), target_name(&names, &target))));
    let add = move |word: String| {
        if let Ok(target) = word.parse::<Target>() {
            draft.reshape(|policy| policy.levels[index].notify.push(target));
        }
    };
    view! {
        <div><span class="label">{t::targets(l)}</span><ul class="target-chips">{chips}</ul></div>
        {choice(format!("level-{}-add", index + 1), t::add_target(l), options, String::new, add)}
    }
}

fn conditions(app: App, draft: Draft, index: usize, level: &Level) -> impl IntoView + use<> {
    let l = app.l();
    let n = index + 1;
    let severities = Severity::ALL.map(|severity| {
        let set = move |on: bool| {
            draft.edit_level(index, |level| {
                level.when.severity.retain(|it| *it != severity);
                if on {
                    level.when.severity.push(severity);
                    level.when.severity.sort();
                }
            });
        };
        tick(severity.as_str().to_owned(), level.when.severity.contains(&severity), set)
    });
    let ack = move |text: &str| {
        let wanted = if text.trim().is_empty() { Ok(None) } else { Delay::parse(text).map(Some) };
        wanted.map(|wanted| draft.edit_level(index, |level| level.ack_timeout = wanted)).is_ok()
    };
    let windows = |text: &str| -> Vec<shared::WindowId> {
        text.split([',', '，']).map(str::trim).filter(|it| !it.is_empty()).map(Into::into).collect()
    };
    let during = move |text: &str| {
        draft.edit_level(index, |level| level.when.during = windows(text));
        true
    };
    let except = move |text: &str| {
        draft.edit_level(index, |level| level.when.except = windows(text));
        true
    };
    let alerts = move |text: &str| {
        let wanted = if text.trim().is_empty() { Ok(None) } else { text.trim().parse().map(Some) };
        wanted.map(|wanted| draft.edit_level(index, |level| level.when.alerts = wanted)).is_ok()
    };
    let list = |ids: &[shared::WindowId]| ids.iter().map(|id| id.as_str()).collect::<Vec<_>>().join(", ");
    let ack_text = level.ack_timeout.map(|it| it.to_string()).unwrap_or_default();
    let alerts_text = level.when.alerts.map(|n| n.to_string()).unwrap_or_default();
    view! {
        {tick(t::round_robin(l), level.round_robin, move |on| draft.edit_level(index, |level| level.round_robin = on))}
        {tick(t::everyone(l), level.everyone, move |on| draft.edit_level(index, |level| level.everyone = on))}
        {length(format!("level-{n}-ack"), t::ack_timeout(l), t::ack_hint(l), ack_text, t::bad_delay(l), ack)}
        <fieldset class="ticks"><legend>{t::severities(l)}</legend>{severities.into_iter().collect_view()}</fieldset>
        {length(format!("level-{n}-during"), t::during(l), t::windows_hint(l), list(&level.when.during), String::new(), during)}
        {length(format!("level-{n}-except"), t::except(l), t::windows_hint(l), list(&level.when.except), String::new(), except)}
        {length(format!("level-{n}-alerts"), t::alerts(l), String::new(), alerts_text, t::bad_number(l), alerts)}
    }
}

fn tick(label: String, on: bool, set: impl Fn(bool) + 'static) -> AnyView {
    view! {
        <label class="tick"><input type="checkbox" checked=on on:change=move |event| set(event_target_checked(&event))/> {label}</label>
    }
    .into_any()
}

/// A short text that is read as it is typed; `read` says whether it could be. While it could not, the form is not sent.
pub(super) fn length(
    id: String,
    label: String,
    hint: String,
    value: String,
    bad: String,
    read: impl Fn(&str) -> bool + 'static,
) -> AnyView {
    let wrong = RwSignal::new(false);
    let described = format!("{id}-hint");
    let said = bad.clone();
    let typed = move |event: web_sys::Event| {
        let is_wrong = !read(&event_target_value(&event));
        // The browser keeps a form with such a field, and leads to it.
        event_target::<web_sys::HtmlInputElement>(&event).set_custom_validity(if is_wrong { &said } else { "" });
        wrong.set(is_wrong);
    };
    let words = move || if wrong.get() { bad.clone() } else { hint.clone() };
    view! {
        <div class="field">
            <label for=id.clone()>{label}</label>
            <input id=id.clone() value=value autocomplete="off" spellcheck="false" aria-describedby=described.clone()
                aria-invalid=move || wrong.get().to_string() on:input=typed/>
            <p class="hint" class:bad=move || wrong.get() id=described>{words}</p>
        </div>
    }
    .into_any()
}
