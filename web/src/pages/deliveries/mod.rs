//! Every delivery that began, and how those who carry them do. What is chosen stands in the address.

mod health;

pub(in crate::pages) use health::word as health_word;

use crate::{
    api::query,
    browser::dom,
    components::{
        badge::badge,
        field::choice,
        keyed::keyed,
        more::more,
        page::page_head,
        states::{empty, loaded},
        time::wall,
    },
    state::{App, Remote, look_again},
    text::{deliveries as t, words},
};
use leptos::prelude::*;
use leptos_router::{
    NavigateOptions,
    hooks::{use_navigate, use_query_map},
};
use shared::{
    AttemptState, Severity, Timestamp,
    api::{DeliveryHealth, DeliveryRow, List, PersonRow},
    config::Language,
    text::span,
};

/// What can be chosen of the time, and how long each is.
const WITHIN: [(&str, i64); 3] = [("1h", 3_600_000), ("24h", 86_400_000), ("7d", 604_800_000)];
const STATES: [AttemptState; 5] = [
    AttemptState::Failed,
    AttemptState::Retrying,
    AttemptState::Sending,
    AttemptState::Accepted,
    AttemptState::Cancelled,
];

/// Nobody tells of deliveries: they are asked for while somebody looks.
const LOOK_AGAIN_MS: i64 = 5_000;
/// How many the server gives at once.
const PAGE: usize = 50;

/// What the address asks for; empty is everything.
#[derive(Clone, Default, PartialEq)]
struct Question {
    state: String,
    severity: String,
    provider: String,
    person: String,
    within: String,
}

impl Question {
    fn parts(&self) -> [(&'static str, &str); 4] {
        [("state", &self.state), ("severity", &self.severity), ("provider", &self.provider), ("person", &self.person)]
    }

    fn page(&self) -> String {
        let [state, severity, provider, person] = self.parts();
        format!("/deliveries{}", query::build(&[state, severity, provider, person, ("within", &self.within)]))
    }

    /// What the server is asked; without an end to the time, so that the newest are always there.
    fn path(&self, now: Timestamp, format: &str) -> String {
        let [state, severity, provider, person] = self.parts();
        let length = WITHIN.into_iter().find(|(word, _)| *word == self.within);
        let from = length.map(|(_, ms)| now.plus_ms(-ms).ms().to_string()).unwrap_or_default();
        let parts = [state, severity, provider, person, ("from", &*from), ("format", format)];
        format!("/api/v1/deliveries{}", query::build(&parts))
    }
}

pub(crate) fn page() -> AnyView {
    let app = App::here();
    let l = app.l();
    let asked = use_query_map();
    let question = Memo::new(move |_| {
        asked.with(|asked| {
            let word = |name: &str| asked.get(name).unwrap_or_default();
            Question {
                state: word("state"),
                severity: word("severity"),
                provider: word("provider"),
                person: word("person"),
                within: word("within"),
            }
        })
    });
    let health = Remote::<DeliveryHealth>::new("/api/v1/deliveries/health");
    let list = Remote::<List<DeliveryRow>>::idle("");
    let path = Memo::new(move |_| question.with(|it| it.path(app.now.get_untracked(), "")));
    Effect::new(move || list.point(path.get()));
    let csv = move || question.with(|it| it.path(app.now.get_untracked(), "csv"));
    let actions = view! {
        <a class="btn" href=csv download="tocsin-deliveries.csv" aria-label=t::csv_of(l)>{t::csv(l)}</a>
        <a class="btn" href="/api/v1/proof" download="tocsin-proof.ndjson">{t::whole_proof(l)}</a>
    };
    let shown = Memo::new(move |_| list.with(|found| found.items.clone()).unwrap_or_default());
    // Who leafs back in time, or goes through the rows by keyboard, keeps their place: rows that move lose the focus.
    let is_read = move || shown.with(|items| items.len() > PAGE) || dom::has_focus_in(".deliveries-table");
    look_again(app, LOOK_AGAIN_MS, move || {
        if !is_read() {
            list.reload();
        }
    });
    Effect::new(move |before: Option<()>| {
        shown.track();
        if before.is_some() {
            health.reload();
        }
    });
    let any = Memo::new(move |_| shown.with(|items| !items.is_empty()));
    let rows = move || {
        if any.get() {
            let further = move || list.with(|found| more(list, found, &path.get_untracked()));
            return view! { {table(l, shown)}{further} }.into_any();
        }
        loaded(t::list(l), list, 8, move |_| nothing(l, question.with_untracked(|it| *it == Question::default())))
    };
    view! {
        <div class="page deliveries">
            {page_head(t::title(l), t::lead(l), actions.into_any())}
            {health::part(app, health)}
            <section class="card" data-testid="deliveries">
                <h2>{t::list(l)}</h2>
                {filters(app, question, health)}
                {rows}
            </section>
        </div>
    }
    .into_any()
}

fn nothing(l: Language, is_everything: bool) -> AnyView {
    if is_everything {
        return empty(t::none(l), view! { <p>{t::none_why(l)}</p> }.into_any());
    }
    empty(t::none_like_it(l), view! { <p><a class="btn" href="/deliveries">{t::show_all(l)}</a></p> }.into_any())
}

fn filters(app: App, question: Memo<Question>, health: Remote<DeliveryHealth>) -> AnyView {
    let l = app.l();
    let go = Callback::new({
        let navigate = use_navigate();
        move |question: Question| navigate(&question.page(), NavigateOptions::default())
    });
    let any = move || std::iter::once((String::new(), t::any(l)));
    let state = choice(
        "deliveries-state".to_owned(),
        t::state(l),
        any().chain(STATES.map(|it| (it.as_str().to_owned(), t::state_name(l, it)))).collect(),
        move || question.with(|it| it.state.clone()),
        move |state| go.run(Question { state, ..question.get_untracked() }),
    );
    let severity = choice(
        "deliveries-severity".to_owned(),
        t::severity(l),
        any().chain(Severity::ALL.map(|it| (it.to_string(), it.to_string()))).collect(),
        move || question.with(|it| it.severity.clone()),
        move |severity| go.run(Question { severity, ..question.get_untracked() }),
    );
    let within = choice(
        "deliveries-within".to_owned(),
        t::within(l),
        any()
            .chain(
                [("1h", t::last_hour(l)), ("24h", t::last_day(l)), ("7d", t::last_week(l))]
                    .map(|(word, name)| (word.to_owned(), name)),
            )
            .collect(),
        move || question.with(|it| it.within.clone()),
        move |within| go.run(Question { within, ..question.get_untracked() }),
    );
    let names = Memo::new(move |_| health.with(|it| it.names.clone()).unwrap_or_default());
    let provider = move || {
        choice(
            "deliveries-provider".to_owned(),
            t::provider(l),
            any().chain(names.get().into_iter().map(|name| (name.clone(), name))).collect(),
            move || question.with(|it| it.provider.clone()),
            move |provider| go.run(Question { provider, ..question.get_untracked() }),
        )
    };
    let everybody = Remote::<List<PersonRow>>::new("/api/v1/people");
    let person = move || {
        let people = everybody.with(|list| list.items.clone()).unwrap_or_default();
        choice(
            "deliveries-person".to_owned(),
            t::person(l),
            any().chain(people.into_iter().map(|it| (it.id.to_string(), it.name))).collect(),
            move || question.with(|it| it.person.clone()),
            move |person| go.run(Question { person, ..question.get_untracked() }),
        )
    };
    view! { <div class="ask-line deliveries-filters">{state} {severity} {provider} {person} {within}</div> }.into_any()
}

fn table(l: Language, items: Memo<Vec<DeliveryRow>>) -> AnyView {
    let rows = keyed(move || items.get(), what_is_drawn, move |it| row(l, &it).into_any());
    view! {
        <table class="table deliveries-table">
            <thead><tr>
                <th>{t::when(l)}</th><th>{t::about(l)}</th><th>{t::to(l)}</th><th>{t::by(l)}</th><th>{t::became(l)}</th>
            </tr></thead>
            <tbody>{rows}</tbody>
        </table>
    }
    .into_any()
}

/// The key of a row: another one draws it anew.
fn what_is_drawn(it: &DeliveryRow) -> String {
    let DeliveryRow {
        incident,
        attempt,
        state,
        tries,
        severity,
        taken_at,
        delivered_at,
        shown_at,
        seen_at,
        failed_at,
        ..
    } = it;
    let hops = [taken_at, delivered_at, shown_at, seen_at, failed_at].map(|at| at.map_or(0, Timestamp::ms));
    format!("{incident} {attempt} {} {tries} {severity} {hops:?}", state.as_str())
}

fn row(l: Language, it: &DeliveryRow) -> impl IntoView + use<> {
    let tries = (it.tries > 1).then(|| view! { <small class="muted">" · " {t::tries(l, it.tries)}</small> });
    let failure = it.failure.clone().map(|failure| {
        let fault = t::fault(l, failure.fault).map(|words| view! { <small class="muted block">{words}</small> });
        view! { <small class="delivery-error block">{failure.detail}</small>{fault} }
    });
    view! {
        <tr data-testid="delivery">
            <td>{wall(it.sent_at)}</td>
            <td class="delivery-about">
                {badge(l, it.severity)} " " <a href=format!("/incidents/{}", it.incident)>{format!("#{}", it.incident)} " " {it.title.clone()}</a>
            </td>
            <td>{it.name.clone()}<small class="muted block">{it.contact.to_string()}</small></td>
            <td>{it.provider.clone()}<small class="muted block">{words::channel(l, it.channel)}</small></td>
            <td title=t::key(l, &it.key)>
                <span class=format!("delivery-state {}", it.state.as_str())><i aria-hidden="true"></i>{t::state_name(l, it.state)}</span>
                {tries}
                <small class="block delivery-hops" title=t::hops(l)>{hops(l, it).join(" → ")}</small>
                {failure}
            </td>
        </tr>
    }
}

/// Each hop that was reached, with how long it took: waiting before it was sent, all others since then.
fn hops(l: Language, it: &DeliveryRow) -> Vec<String> {
    let since = |at: Timestamp| span(l, at.ms_since(it.sent_at));
    let waited = it.sent_at.ms_since(it.queued_at);
    let mut hops = vec![t::queued_for(l, &span(l, waited))];
    hops.extend(it.taken_at.map(|at| t::taken_after(l, &since(at))));
    hops.extend(it.delivered_at.map(|at| t::delivered_after(l, &since(at))));
    hops.extend(it.shown_at.map(|at| t::shown_after(l, &since(at))));
    hops.extend(it.seen_at.map(|at| t::seen_after(l, &since(at))));
    hops.extend(it.failed_at.map(|at| t::failed_after(l, &since(at))));
    hops
}
