//! "Why not me at 03:12": who was on call then, what was going on, and the reason for each page that did not come.

use super::messages::outcome;
use crate::{
    api::query,
    browser::zone,
    components::{
        badge::badge,
        field::{Field, choice},
        nouns::{said, say},
        page::{card, page_head},
        states::{empty, loaded},
        time::wall,
    },
    format::{self, civil::Civil},
    state::{App, Remote},
    text::{why_not as t, words},
};
use leptos::prelude::*;
use leptos_router::{
    NavigateOptions,
    hooks::{use_navigate, use_query_map},
};
use shared::{
    Timestamp,
    api::{DutyThen, EventRow, List, PageThen, PersonRow, WhyNot, WhyNotIncident},
    text::Names,
};

/// Minutes before and after that can be chosen.
const RANGES: [&str; 4] = ["10", "30", "120", "720"];

/// What is asked, as the fields have it.
#[derive(Clone, Copy)]
struct Question {
    app: App,
    person: RwSignal<String>,
    /// On the reader's wall.
    at: RwSignal<String>,
    within: RwSignal<String>,
    words: RwSignal<String>,
    wrong: RwSignal<bool>,
}

impl Question {
    /// The address of its answer's page; none while the time is not one that is over.
    fn address(self) -> Option<String> {
        let zone = self.app.prefs.zone.get_untracked();
        let minute = self.at.with_untracked(|text| Civil::parse(text)).map(|wall| zone::instant(&zone, wall))?;
        let (now, person) = (self.app.now.get_untracked().ms(), self.person.get_untracked());
        // The whole of the minute counts, as far as it is over.
        let at = (minute <= now).then(|| now.min(minute + 59_999).to_string())?;
        let (within, words) = (self.within.get_untracked(), self.words.get_untracked());
        Some(format!(
            "/why-not{}",
            query::build(&[("person", &person), ("at", &at), ("within", &within), ("q", words.trim())])
        ))
    }
}

pub(crate) fn page() -> impl IntoView {
    let app = App::here();
    let l = app.l();
    let people = Remote::<List<PersonRow>>::new("/api/v1/people");
    let body = loaded(t::person(l), people, 4, move |people| {
        if people.items.is_empty() {
            return empty(t::nobody(l), ().into_any());
        }
        view! { {form(app, &people.items)}{answer(app)} }.into_any()
    });
    view! { <div class="page">{page_head(t::title(l), t::lead(l), ().into_any())}{body}</div> }
}

fn form(app: App, people: &[PersonRow]) -> AnyView {
    let l = app.l();
    let asked = use_query_map().get_untracked();
    let me = app.me().map(|id| id.to_string()).filter(|me| people.iter().any(|one| one.id.0 == *me));
    let first = people.first().map(|one| one.id.to_string());
    let at = asked.get("at").and_then(|at| at.parse().ok()).map_or_else(|| app.now.get_untracked(), Timestamp::from_ms);
    let question = Question {
        app,
        person: RwSignal::new(asked.get("person").or(me).or(first).unwrap_or_default()),
        at: RwSignal::new(app.civil(at).field()),
        within: RwSignal::new(asked.get("within").unwrap_or_else(|| "30".to_owned())),
        words: RwSignal::new(asked.get("q").unwrap_or_default()),
        wrong: RwSignal::new(false),
    };
    let navigate = use_navigate();
    let ask = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let address = question.address();
        question.wrong.set(address.is_none());
        if let Some(address) = address {
            navigate(&address, NavigateOptions::default());
        }
    };
    let people = people.iter().map(|one| (one.id.to_string(), one.name.clone())).collect();
    let who = choice(
        "why-not-person".to_owned(),
        t::person(l),
        people,
        move || question.person.get(),
        move |id| question.person.set(id),
    );
    let ranges = RANGES.iter().map(|minutes| {
        let ms = minutes.parse::<i64>().unwrap_or_default() * 60_000;
        ((*minutes).to_owned(), format!("± {}", format::delay(l, ms)))
    });
    let within = choice(
        "why-not-within".to_owned(),
        t::within(l),
        ranges.collect(),
        move || question.within.get(),
        move |minutes| question.within.set(minutes),
    );
    let at = Field { kind: "datetime-local", ..Field::text("why-not-at", t::at(l), question.at) }.view();
    let words = Field { required: false, ..Field::text("why-not-words", t::words(l), question.words) }.view();
    let wrong = move || question.wrong.get().then(|| view! { <p class="fault" role="alert">{t::not_a_time(l)}</p> });
    view! {
        <form class="card ask-line" data-testid="why-not-form" on:submit=ask>
            {who} {at} {within} {words}
            <button type="submit" class="btn primary">{t::ask(l)}</button>
            {wrong}
        </form>
    }
    .into_any()
}

/// What the address asks for, once it names a person and a time.
fn answer(app: App) -> AnyView {
    let query = use_query_map();
    let path = Memo::new(move |_| {
        query.with(|asked| {
            let (person, at) = (asked.get("person")?, asked.get("at")?);
            let (within, words) = (asked.get("within").unwrap_or_default(), asked.get("q").unwrap_or_default());
            let rest = query::build(&[("at", &at), ("within", &within), ("q", &words)]);
            Some(format!("/api/v1/people/{}/why-not{rest}", query::encoded(&person)))
        })
    });
    let found = Remote::<WhyNot>::idle("");
    Effect::new(move || {
        if let Some(path) = path.get() {
            found.point(path);
        }
    });
    let asked = Memo::new(move |_| path.with(Option::is_some));
    let shown = move || loaded(t::title(app.l()), found, 8, move |found| told(app, &found));
    (move || asked.get().then(shown)).into_any()
}

fn told(app: App, found: &WhyNot) -> AnyView {
    let l = app.l();
    let range = t::span(l, &app.clock_time(found.from), &app.clock_time(found.until));
    let more = found.more.then(|| view! { <p class="notice">{t::more(l)}</p> });
    view! {
        <div class="why-not" data-testid="why-not">
            <p class="muted">{found.name.clone()} " · " {range}</p>
            {card(t::duties(l, &found.name), duties(app, found))}
            {card(t::incidents(l), incidents(app, &found.incidents))}
            {card(t::messages(l), messages(app, &found.messages))}
            {more}
        </div>
    }
    .into_any()
}

fn duties(app: App, found: &WhyNot) -> AnyView {
    let l = app.l();
    if found.duties.is_empty() {
        return view! { <p class="muted">{t::no_duties(l, &found.name)}</p> }.into_any();
    }
    let line = |duty: &DutyThen| {
        let others = duty.others.join(", ");
        let rest = match (duty.on_call, others.is_empty()) {
            (true, true) => String::new(),
            (true, false) => t::others(l, &others),
            (false, true) => t::nobody_was(l),
            (false, false) => t::instead(l, &others),
        };
        let (class, word) = if duty.on_call { ("chip ok", t::on_call(l)) } else { ("chip", t::off_duty(l)) };
        let calendar = format!("/oncall/{}", query::encoded(duty.schedule.as_str()));
        view! { <li><a href=calendar>{duty.name.clone()}</a> <span class=class>{word}</span> <small>{rest}</small></li> }
    };
    view! { <ul class="before">{found.duties.iter().map(line).collect_view()}</ul> }.into_any()
}

fn incidents(app: App, incidents: &[WhyNotIncident]) -> AnyView {
    let l = app.l();
    if incidents.is_empty() {
        return view! { <p class="muted">{t::no_incidents(l)}</p> }.into_any();
    }
    let line = |one: &WhyNotIncident| {
        let reason = one.reason.as_ref().map(|_| view! { <p>{t::not_paged(l)}{said(one.pieces.clone())}</p> });
        let pages = one.pages.iter().map(|page| view! { <p>{paged(app, page)}</p> }).collect_view();
        view! {
            <li>
                {badge(l, one.row.severity)}
                <a href=format!("/incidents/{}", one.row.id)>{one.row.host.clone()} " " {one.row.title.clone()}</a>
                <small>{app.clock_time(one.row.opened_at)} " · " {words::state(l, one.row.state)}</small>
                {reason}
                {pages}
            </li>
        }
    };
    view! { <ul class="reasons">{incidents.iter().map(line).collect_view()}</ul> }.into_any()
}

fn paged(app: App, page: &PageThen) -> AnyView {
    let l = app.l();
    say(app, &Names::new(), page.at, &|voice| {
        let policy = voice.policy(&page.policy, page.config, page.level.checked_sub(1));
        let paged = t::paged(l, &app.clock_time(page.at), &policy, page.level);
        match page.state {
            Some(state) => format!("{paged} · {}", t::came_to(l, &words::attempt(l, state))),
            None => paged,
        }
    })
}

fn messages(app: App, messages: &[EventRow]) -> AnyView {
    let l = app.l();
    if messages.is_empty() {
        return view! { <p class="muted">{t::no_messages(l)}</p> }.into_any();
    }
    let line = |message: &EventRow| {
        let outcomes = message.outcomes.iter().filter(|it| it.incident().is_none());
        view! {
            <li>
                <small>{wall(message.received_at)} " · " {message.integration.to_string()}</small>
                <a class="mono" href=format!("/messages?id={}", message.id)>{message.text.clone()}</a>
                {outcomes.map(|it| outcome(app, it)).collect_view()}
            </li>
        }
    };
    view! { <ul class="reasons">{messages.iter().map(line).collect_view()}</ul> }.into_any()
}
