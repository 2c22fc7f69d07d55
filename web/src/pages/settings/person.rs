//! How I am reached: contacts, rules, language and zone of my pages.

use super::{super::me::Desk, broken, contacts, draft::Draft, rules};
use crate::{
    api::{self, ApiError},
    browser::zone,
    components::{
        field::choice,
        icon::{Icon, icon},
        states::loaded,
    },
    state::App,
    text::{frame, settings as t},
};
use leptos::{prelude::*, task::spawn_local};
use shared::config::{Language, Person, TimeSpan};

/// For an account that nobody can page.
pub(in crate::pages) fn nobody(l: Language) -> AnyView {
    view! {
        <p class="notice warn">{icon(Icon::Warning)}<span><strong>{t::no_person(l)}</strong> " " {t::no_person_hint(l)}</span></p>
    }
    .into_any()
}

pub(in crate::pages) fn part(desk: Desk) -> AnyView {
    broken::Known::provide();
    loaded(t::tab_me(desk.app.l()), desk.person, 6, move |person| form(desk, person))
}

fn form(desk: Desk, person: Person) -> AnyView {
    let app = desk.app;
    let l = app.l();
    let draft = Draft::new(person);
    let error = RwSignal::new(None::<ApiError>);
    let save = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let person = draft.get();
        spawn_local(async move {
            match api::put::<Person>("/api/v1/me/person", &person).await {
                Ok(person) => {
                    error.set(None);
                    desk.saved.set(Some(person.clone()));
                    draft.saved(person);
                    app.toasts.good(frame::saved(l), None);
                }
                Err(failed) => {
                    app.noticed(&failed);
                    error.set(Some(failed));
                }
            }
        });
    };
    let unsaved = move || (draft.edits.get() > 0).then(|| view! { <span class="muted">{t::unsaved(l)}</span> });
    view! {
        <form class="stack" on:submit=save>
            {contacts::card(app, draft)}
            {super::pair::pair(app)}
            {rules::card(desk, draft)}
            {language_and_zone(app, draft)}
            {quiet_hours(app, draft)}
            <div role="alert">{move || error.get().map(|error| problem(app, &error))}</div>
            <div class="form-end sticky-end">{unsaved}<button class="btn primary">{frame::save(l)}</button></div>
        </form>
    }
    .into_any()
}

/// One span a day is set here; what is finer is written in the configuration and only named here.
fn quiet_hours(app: App, draft: Draft) -> impl IntoView {
    let l = app.l();
    let quiet = draft.with(|person| person.quiet_hours.clone());
    let only = |span: &TimeSpan| {
        let rest = TimeSpan { from: None, until: None, ..span.clone() };
        rest == TimeSpan::default()
    };
    let form = if quiet.times.len() > 1 || !quiet.times.iter().all(only) {
        view! { <p class="hint">{t::quiet_finer(l)}</p> }.into_any()
    } else {
        let span = quiet.times.into_iter().next().unwrap_or_default();
        let field = move |id: &'static str, label: String, value: Option<String>, is_end: bool| {
            let change = move |event| {
                let time = Some(event_target_value(&event)).filter(|time| !time.is_empty());
                draft.edit(|person| set_quiet(&mut person.quiet_hours.times, is_end, time));
            };
            view! {
                <div class="field">
                    <label for=id>{label}</label>
                    <input id=id type="time" value=value.unwrap_or_default() on:input=change/>
                </div>
            }
        };
        view! {
            <div class="row-fields">
                {field("quiet-from", t::quiet_from(l), span.from, false)}
                {field("quiet-until", t::quiet_until(l), span.until, true)}
            </div>
        }
        .into_any()
    };
    let stands_in =
        quiet.hand_over_to.map(|person| view! { <p class="hint">{t::quiet_stand_in(l, person.as_str())}</p> });
    view! {
        <section class="card">
            <div class="card-head"><h2>{t::quiet_hours(l)}</h2></div>
            {form}
            <p class="hint">{t::quiet_hint(l)}</p>
            {stands_in}
        </section>
    }
}

/// Sets one end of the only span; without both ends there is none.
fn set_quiet(times: &mut Vec<TimeSpan>, is_end: bool, time: Option<String>) {
    let mut span = times.pop().unwrap_or_default();
    if is_end {
        span.until = time;
    } else {
        span.from = time;
    }
    if span != TimeSpan::default() {
        times.push(span);
    }
}

/// What is wrong and where, finding by finding.
pub(crate) fn problem(app: App, error: &ApiError) -> AnyView {
    let l = app.l();
    let findings = error.findings().into_iter().map(|finding| {
        view! { <li><code class="mono">{finding.path}</code> " " {finding.message}</li> }
    });
    let field = error.field().map(|field| view! { <code class="mono">{field.to_owned()}</code> });
    view! {
        <div class="notice bad">
            {icon(Icon::Warning)}
            <div><strong>{error.title(l)}</strong><p>{error.detail(l)} " " {field}</p><ul>{findings.collect_view()}</ul></div>
        </div>
    }
    .into_any()
}

fn language_and_zone(app: App, draft: Draft) -> impl IntoView {
    let l = app.l();
    let (language, own_zone) = draft.with(|person| (person.language, person.time_zone.clone().unwrap_or_default()));
    let language_word = if language == Language::Zh { "zh" } else { "en" };
    let mut zones = vec![(String::new(), t::zone_default(l))];
    zones.extend(zone::all().into_iter().map(|name| (name.clone(), name)));
    let languages = vec![("en".to_owned(), "English".to_owned()), ("zh".to_owned(), "简体中文".to_owned())];
    let set_language = move |word: String| {
        draft.edit(|person| person.language = if word == "zh" { Language::Zh } else { Language::En });
    };
    let set_zone =
        move |name: String| draft.edit(|person| person.time_zone = Some(name).filter(|name| !name.is_empty()));
    view! {
        <section class="card">
            <div class="row-fields">
                {choice("person-language".to_owned(), t::language_of_pages(l), languages, move || language_word.to_owned(), set_language)}
                {choice("person-zone".to_owned(), t::zone(l), zones, move || own_zone.clone(), set_zone)}
            </div>
        </section>
    }
}
