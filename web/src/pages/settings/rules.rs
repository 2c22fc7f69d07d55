//! Rules as sentences: "For P0, P1 use phone at once, then mail after 5 min", with a strip of the first minutes.

use super::{super::me::Desk, draft::Draft};
use crate::{
    components::{
        badge,
        icon::{Icon, icon},
    },
    state::App,
    text::{charts, settings as t},
};
use leptos::prelude::*;
use shared::{
    ContactId, Delay, Severity,
    config::{Rule, RuleSet, RuleStep},
};

const DELAYS: [Delay; 9] = [
    Delay::ZERO,
    Delay::secs(30),
    Delay::mins(1),
    Delay::mins(2),
    Delay::mins(3),
    Delay::mins(5),
    Delay::mins(10),
    Delay::mins(15),
    Delay::mins(30),
];
const STRIP_MS: i64 = 600_000;

pub(super) fn card(desk: Desk, draft: Draft) -> impl IntoView {
    let app = desk.app;
    let l = app.l();
    let add = move |_| {
        draft.reshape(|person| {
            let contact = person.contacts.first().map(|contact| contact.id.clone()).unwrap_or_default();
            person.rules.push(Rule { severity: Vec::new(), notify: vec![RuleStep { contact, after: Delay::ZERO }] });
        });
    };
    let rows = move || {
        draft.shape.track();
        let (rules, contacts) = draft.with(|person| {
            (person.rules.clone(), person.contacts.iter().map(|contact| contact.id.clone()).collect::<Vec<_>>())
        });
        rules.into_iter().enumerate().map(|(index, rule)| one(desk, draft, index, &rule, &contacts)).collect_view()
    };
    view! {
        <section class="card">
            <h2>{t::rules(l)}</h2>
            <p class="hint">{t::rules_hint(l)}</p>
            <div class="stack">{rows}</div>
            {doubts(desk, draft, None)}
            <button type="button" class="btn small add" on:click=add>{icon(Icon::Plus)}{t::add_rule(l)}</button>
            {sets(app, draft)}
        </section>
    }
}

/// Rules to begin with, by where somebody lives; nothing is kept before it is saved.
fn sets(app: App, draft: Draft) -> impl IntoView {
    let l = app.l();
    let buttons = RuleSet::ALL.map(|set| {
        let name = match set {
            RuleSet::International => t::set_international(l),
            RuleSet::MainlandChina => t::set_china(l),
        };
        let take = move |_| draft.reshape(|person| person.rules = set.rules(&person.contacts));
        view! { <button type="button" class="btn small ghost" on:click=take>{name}</button> }
    });
    let has_contacts = move || {
        draft.edits.track();
        draft.with(|person| !person.contacts.is_empty())
    };
    view! {
        <div class="row wrap" data-testid="rule-sets" hidden=move || !has_contacts()>
            <span class="hint">{t::sets_hint(l)}</span>
            {buttons}
        </div>
    }
}

fn one(desk: Desk, draft: Draft, index: usize, rule: &Rule, contacts: &[ContactId]) -> impl IntoView + use<> {
    let app = desk.app;
    let l = app.l();
    let steps = rule
        .notify
        .iter()
        .enumerate()
        .map(|(n, step)| step_words(app, draft, (index, n), step, contacts))
        .collect_view();
    let contact = contacts.first().cloned().unwrap_or_default();
    let add_step = move |_| {
        let contact = contact.clone();
        draft.reshape(|person| {
            if let Some(rule) = person.rules.get_mut(index) {
                rule.notify.push(RuleStep { contact, after: Delay::mins(5) });
            }
        });
    };
    let remove = move |_| draft.reshape(|person| drop(person.rules.remove(index)));
    view! {
        <fieldset class="rule">
            <legend class="sr">{t::rule_number(l, index + 1)}</legend>
            <div class="sentence">
                <span>{t::rule_for(l)}</span>
                {levels(app, draft, index, &rule.severity)}
                <span>{t::use_contact(l)}</span>
                {steps}
                <button type="button" class="btn small ghost" on:click=add_step>{icon(Icon::Plus)}{t::add_step(l)}</button>
                <button type="button" class="btn square ghost" aria-label=t::remove_rule(l) title=t::remove_rule(l) on:click=remove>{icon(Icon::Trash)}</button>
            </div>
            {doubts(desk, draft, Some(index))}
            {strip(app, draft, index)}
            {waits(app, draft, index)}
        </fieldset>
    }
}

/// Devices that a rule counts on and that may not show the next page; of no rule those that are used for want of any.
fn doubts(desk: Desk, draft: Draft, index: Option<usize>) -> impl IntoView {
    let pushes = move || {
        draft.edits.track();
        draft.shape.track();
        draft.with(|person| {
            let is_push = |id: &ContactId| person.contacts.iter().any(|it| it.id == *id && it.push.is_some());
            match index {
                Some(index) => {
                    person.rules.get(index).is_some_and(|rule| rule.notify.iter().any(|step| is_push(&step.contact)))
                }
                None => person.rules.is_empty() && person.contacts.iter().any(|it| it.push.is_some()),
            }
        })
    };
    move || {
        let doubts = if pushes() { desk.doubts() } else { Vec::new() };
        (!doubts.is_empty()).then(|| {
            let lines = doubts.into_iter().map(|doubt| view! { <li>{icon(Icon::Warning)}<span>{doubt}</span></li> });
            view! { <ul class="rule-doubts">{lines.collect_view()}</ul> }
        })
    }
}

/// Ticked levels; none ticked means every level.
fn levels(app: App, draft: Draft, index: usize, chosen: &[Severity]) -> impl IntoView + use<> {
    let l = app.l();
    let boxes = Severity::ALL.map(|level| {
        let ticked = chosen.contains(&level);
        let toggle = move |event| {
            let on = event_target_checked(&event);
            draft.edit(|person| {
                if let Some(rule) = person.rules.get_mut(index) {
                    rule.severity.retain(|other| *other != level);
                    if on {
                        let place = rule.severity.partition_point(|other| *other < level);
                        rule.severity.insert(place, level);
                    }
                }
            });
        };
        view! {
            <label class=format!("level-box {}", badge::class(level))>
                <input type="checkbox" prop:checked=ticked on:change=toggle/>
                <span>{level.as_str()}</span>
            </label>
        }
    });
    let every = move || {
        draft.edits.track();
        draft.shape.track();
        draft
            .with(|person| person.rules.get(index).is_some_and(|rule| rule.severity.is_empty()))
            .then(|| t::every_level(l))
    };
    view! { <span class="levels">{boxes.collect_view()}</span> <strong>{every}</strong> }
}

fn step_words(
    app: App,
    draft: Draft,
    at: (usize, usize),
    step: &RuleStep,
    contacts: &[ContactId],
) -> impl IntoView + use<> {
    let l = app.l();
    let (rule, n) = at;
    let change = move |change: &dyn Fn(&mut RuleStep)| {
        draft.edit(|person| {
            if let Some(step) = person.rules.get_mut(rule).and_then(|rule| rule.notify.get_mut(n)) {
                change(step);
            }
        });
    };
    let mut names: Vec<ContactId> = contacts.to_vec();
    if !names.contains(&step.contact) {
        names.push(step.contact.clone());
    }
    let own = step.contact.clone();
    let names = names
        .into_iter()
        .map(|name| view! { <option value=name.to_string() selected=name == own>{name.to_string()}</option> })
        .collect_view();
    let mut delays = DELAYS.to_vec();
    if !delays.contains(&step.after) {
        delays.push(step.after);
    }
    let own_delay = step.after;
    let delays = delays.into_iter().map(|delay| {
        let words = if delay == Delay::ZERO { t::at_once(l) } else { t::after(l, &shared::text::span(l, delay.0)) };
        view! { <option value=delay.to_string() selected=delay == own_delay>{words}</option> }
    });
    let delays = delays.collect_view();
    let set_contact = move |event| change(&|step| step.contact = event_target_value(&event).as_str().into());
    let set_delay =
        move |event| change(&|step| step.after = Delay::parse(&event_target_value(&event)).unwrap_or(step.after));
    let remove = move |_| {
        draft.reshape(|person| {
            if let Some(rule) = person.rules.get_mut(rule) {
                drop(rule.notify.remove(n));
            }
        });
    };
    view! {
        <span class="step">
            {(n > 0).then(|| view! { <span>{t::then(l)}</span> })}
            <select aria-label=t::use_contact(l) on:change=set_contact>{names}</select>
            {super::broken::mark(app, step.contact.clone())}
            <select aria-label=t::when(l) on:change=set_delay>{delays}</select>
            {(n > 0).then(|| view! { <button type="button" class="btn ghost square small" aria-label=t::remove(l) on:click=remove>{icon(Icon::Cross)}</button> })}
        </span>
    }
}

/// What the strip does not show: that quiet hours hold back all but a P0.
fn waits(app: App, draft: Draft, index: usize) -> impl IntoView {
    let l = app.l();
    let spans = move || {
        draft.edits.track();
        draft.shape.track();
        draft.with(|person| {
            let is_held = person.rules.get(index).is_some_and(|rule| rule.severity != [Severity::P0]);
            let times = person.quiet_hours.times.iter().filter(|_| is_held);
            let of =
                |time: &shared::config::TimeSpan| Some(format!("{}–{}", time.from.as_ref()?, time.until.as_ref()?));
            times.filter_map(of).collect::<Vec<_>>().join(charts::comma(l))
        })
    };
    move || {
        let spans = spans();
        (!spans.is_empty()).then(|| view! { <p class="hint">{t::rule_waits(l, &spans)}</p> })
    }
}

/// Percent of the strip that ten minutes are; what comes later stands behind them.
const TEN_MINUTES: f64 = 78.0;
/// Percent that the words of a mark need.
const MARK: f64 = 22.0;

/// Where each step stands: from the left in percent, and in which line, so that no two lie upon each other.
fn placed(steps: &[RuleStep]) -> Vec<(f64, usize)> {
    let mut ends: Vec<f64> = Vec::new();
    let place = |step: &RuleStep| {
        let left = step.after.0.clamp(0, STRIP_MS) as f64 / STRIP_MS as f64 * TEN_MINUTES;
        let line = ends.iter().position(|end| *end <= left).unwrap_or(ends.len());
        if line == ends.len() {
            ends.push(0.0);
        }
        if let Some(end) = ends.get_mut(line) {
            *end = left + MARK;
        }
        (left, line)
    };
    steps.iter().map(place).collect()
}

/// The first ten minutes of the rule: which contact at which second; later steps stand at the edge.
fn strip(app: App, draft: Draft, index: usize) -> impl IntoView {
    let l = app.l();
    let steps = move || {
        draft.edits.track();
        draft.shape.track();
        draft.with(|person| person.rules.get(index).map(|rule| rule.notify.clone()).unwrap_or_default())
    };
    let lines = move || placed(&steps()).into_iter().map(|(_, line)| line + 1).max().unwrap_or(1);
    let marks = move || {
        let steps = steps();
        let places = placed(&steps);
        let mark = |(step, (left, line)): (RuleStep, (f64, usize))| {
            let at = if step.after == Delay::ZERO { "0 s".to_owned() } else { format!("+{}", step.after) };
            view! {
                <span class="mark" style:left=format!("{left:.1}%") style:top=format!("{}px", line * 26 + 3)>
                    {step.contact.to_string()} " " <small>{at}</small>
                </span>
            }
        };
        steps.into_iter().zip(places).map(mark).collect_view()
    };
    view! {
        <div class="rule-strip" role="img" aria-label=t::preview(l, index + 1)>
            <div class="rule-track" style:height=move || format!("{}px", lines() * 26 + 4)>{marks}</div>
            <div class="rule-axis"><span>"0"</span><span>"+5"</span><span>"+10 min"</span></div>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_stand_at_their_second_and_never_upon_each_other() {
        let steps = |after: &[i64]| -> Vec<RuleStep> {
            after.iter().map(|s| RuleStep { contact: "c".into(), after: Delay::secs(*s) }).collect()
        };
        let drawn = |after: &[i64]| -> Vec<(i64, usize)> {
            placed(&steps(after)).into_iter().map(|(left, line)| (left.round() as i64, line)).collect()
        };
        assert_eq!(drawn(&[0, 300, 900]), [(0, 0), (39, 0), (78, 0)]);
        assert_eq!(drawn(&[0, 0, 60, 240]), [(0, 0), (0, 1), (8, 2), (31, 0)]);
    }
}
