//! What a mapping says, line by line, to be typed as well as chosen.

use super::draft::{Draft, Field, action_of, severity_of};
use crate::{
    components::icon::{Icon, icon},
    state::App,
    text::{mapping as t, senders},
};
use leptos::prelude::*;
use shared::{Action, Severity, config::Language};

pub(super) fn card(app: App, draft: Draft) -> AnyView {
    let l = app.l();
    let lines = move || {
        draft.shape.track();
        draft.tree.track();
        untrack(|| lines(app, draft))
    };
    view! {
        <section class="card stack" data-testid="mapping-rules">
            <h2>{t::rules(l)}</h2>
            <div class="said-lines">{lines}</div>
        </section>
    }
    .into_any()
}

fn lines(app: App, draft: Draft) -> AnyView {
    let l = app.l();
    let (each, when) = draft.with(|mapping| (mapping.each.clone(), mapping.when.clone()));
    let labels = draft.with(|mapping| mapping.labels.keys().cloned().map(Field::Label).collect::<Vec<_>>());
    let mapped = |field: &Field| draft.with(|mapping| !field.texts(mapping).is_empty());
    let fields: Vec<Field> = Field::ALL.into_iter().chain(labels).filter(mapped).collect();
    if fields.is_empty() && each.is_none() && when.is_empty() {
        return view! { <p class="muted">{t::rules_none(l)}</p> }.into_any();
    }
    let each = each.map(|each| {
        let remove = move || draft.set_each(None);
        view! { <div class="said"><span>{t::each_rule(l)}</span><code class="mono">{each}</code>{away(l, &t::each_here(l), remove)}</div> }
    });
    let when = when.into_iter().map(|test| {
        let at = test.at.clone();
        let remove = move || draft.reshape(|mapping| mapping.when.retain(|it| it.at != at));
        let words = if test.is.is_empty() { t::anything(l) } else { test.is.join(", ") };
        let name = t::when_rule(l, &test.at);
        view! { <div class="said"><span>{name.clone()}</span><code class="mono">{words}</code>{away(l, &name, remove)}</div> }
    });
    view! {
        <p class="hint">{t::rules_hint(l)}</p>
        {each}
        {when.collect_view()}
        {fields.into_iter().map(|field| line(l, draft, field)).collect_view()}
    }
    .into_any()
}

fn away(l: Language, name: &str, remove: impl Fn() + 'static) -> AnyView {
    view! {
        <button type="button" class="btn square ghost" aria-label=t::take_away(l, name) on:click=move |_| remove()>{icon(Icon::Cross)}</button>
    }
    .into_any()
}

fn line(l: Language, draft: Draft, field: Field) -> AnyView {
    let name = field.name(l);
    let texts = draft.with(|mapping| field.texts(mapping).to_vec());
    let id = format!("rule-{}", field.word());
    let inputs = texts.into_iter().enumerate().map(|(index, text)| {
        let (typed, gone) = (field.clone(), field.clone());
        let on_input = move |event| {
            let text = event_target_value(&event);
            draft.edit(|mapping| {
                let mut texts = typed.texts(mapping).to_vec();
                if let Some(place) = texts.get_mut(index) {
                    *place = text;
                }
                typed.set(mapping, texts);
            });
        };
        let remove = move || {
            draft.reshape(|mapping| {
                let mut texts = gone.texts(mapping).to_vec();
                if index < texts.len() {
                    texts.remove(index);
                }
                gone.set(mapping, texts);
            });
        };
        let label = t::place_of(l, &name);
        let input_id = if index == 0 { id.clone() } else { format!("{id}-{index}") };
        view! {
            <div class="said">
                {if index == 0 { view! { <label for=input_id.clone()>{name.clone()}</label> }.into_any() } else { view! { <span class="muted">{t::or_else(l)}</span> }.into_any() }}
                <input id=input_id class="mono" aria-label=label spellcheck="false" autocapitalize="off" autocomplete="off" prop:value=text on:input=on_input/>
                {away(l, &name, remove)}
            </div>
        }
    });
    let words = match field {
        Field::Severity => severities(l, draft),
        Field::Status => statuses(l, draft),
        _ => ().into_any(),
    };
    view! { {inputs.collect_view()}{words} }.into_any()
}

fn severities(l: Language, draft: Draft) -> AnyView {
    let known: Vec<String> =
        draft.with(|mapping| mapping.severity.iter().flat_map(|it| it.words.keys().cloned()).collect());
    let options: Vec<(&'static str, String)> =
        Severity::ALL.iter().map(|it| (it.as_str(), it.as_str().to_owned())).collect();
    let current = move |word: &str| draft.with(|mapping| severity_of(mapping, word).map(Severity::as_str));
    let set = move |word: &str, chosen: &str| {
        draft.edit(|mapping| {
            let Some(severity) = &mut mapping.severity else { return };
            severity.words.retain(|known, _| !known.eq_ignore_ascii_case(word));
            if let Some(chosen) = Severity::ALL.iter().find(|it| it.as_str() == chosen) {
                severity.words.insert(word.to_owned(), *chosen);
            }
        });
    };
    words(l, draft, &Field::Severity, known, options, current, set)
}

/// The word of a mapping, what it does, and what it is called.
type Choice = (&'static str, Action, fn(Language) -> String);

const ACTIONS: [Choice; 4] = [
    ("trigger", Action::Trigger, senders::trigger),
    ("resolve", Action::Resolve, senders::resolve),
    ("acknowledge", Action::Acknowledge, senders::acknowledge),
    ("change", Action::Change, senders::change),
];

fn statuses(l: Language, draft: Draft) -> AnyView {
    let known: Vec<String> =
        draft.with(|mapping| mapping.status.iter().flat_map(|it| it.words.keys().cloned()).collect());
    let options = ACTIONS.iter().map(|(word, _, name)| (*word, name(l))).collect();
    let current = move |word: &str| {
        let action = draft.with(|mapping| action_of(mapping, word))?;
        ACTIONS.iter().find(|(_, it, _)| *it == action).map(|(word, ..)| *word)
    };
    let set = move |word: &str, chosen: &str| {
        draft.edit(|mapping| {
            let Some(status) = &mut mapping.status else { return };
            status.words.retain(|known, _| !known.eq_ignore_ascii_case(word));
            if let Some((_, action, _)) = ACTIONS.iter().find(|(it, ..)| *it == chosen) {
                status.words.insert(word.to_owned(), *action);
            }
        });
    };
    words(l, draft, &Field::Status, known, options, current, set)
}

/// What the words mean that the payload has, those that are known, and others that are typed.
fn words(
    l: Language,
    draft: Draft,
    field: &Field,
    known: Vec<String>,
    options: Vec<(&'static str, String)>,
    current: impl Fn(&str) -> Option<&'static str> + Copy + 'static,
    set: impl Fn(&str, &str) + Copy + 'static,
) -> AnyView {
    let mut all = draft.values(field);
    for word in known {
        if !all.iter().any(|it| it.eq_ignore_ascii_case(&word)) {
            all.push(word);
        }
    }
    let id = field.word();
    let rows = all.into_iter().enumerate().map(|(index, word)| {
        let chosen = current(&word);
        let id = format!("word-{id}-{index}");
        let others = options.iter().map(
            |(value, name)| view! { <option value=*value selected=chosen == Some(*value)>{name.clone()}</option> },
        );
        let label = t::word_means(l, &word);
        view! {
            <div class="said word">
                <label for=id.clone()>{label}</label>
                <select id=id.clone() on:change=move |event| set(&word, &event_target_value(&event))>
                    <option value="" selected=chosen.is_none()>{t::as_usual(l)}</option>
                    {others.collect_view()}
                </select>
            </div>
        }
    });
    let typed = RwSignal::new(String::new());
    let first = options.first().map_or("", |(value, _)| *value);
    let add = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let word = typed.get_untracked().trim().to_owned();
        if !word.is_empty() {
            set(&word, first);
            draft.shape.update(|shape| *shape += 1);
        }
    };
    view! {
        {rows.collect_view()}
        <form class="said word" on:submit=add>
            <input class="mono" aria-label=t::another_word(l) placeholder=t::another_word(l) spellcheck="false" autocapitalize="off"
                prop:value=move || typed.get() on:input=move |event| typed.set(event_target_value(&event))/>
            <button class="btn small">{t::add_word(l)}</button>
        </form>
    }
    .into_any()
}
