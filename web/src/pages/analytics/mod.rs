//! Figures about the past: how soon people answered, whom it woke, and what to mend first.

mod picture;
mod table;

use self::picture::Look;
use crate::{
    api::query,
    browser::zone,
    components::{
        field::{Field, choice, segments},
        page::page_head,
        painted::painted,
        states::{empty, loaded},
    },
    format::{civil::Civil, grouped},
    markup::Node,
    state::{App, Remote},
    text::{analytics as t, frame},
};
use leptos::prelude::*;
use leptos_router::{
    NavigateOptions,
    hooks::{use_navigate, use_query_map},
};
use shared::{Severity, Timestamp, api::Analytics};

/// Days up to today that can be chosen at once.
const RANGES: [&str; 3] = ["7", "28", "90"];
const USUAL: &str = "28";

/// What the address asks for; empty where it does not say.
#[derive(Clone, Default, PartialEq)]
struct Question {
    days: String,
    from: String,
    until: String,
    severity: String,
    team: String,
}

impl Question {
    fn page(&self) -> String {
        let (days, from, until) = (&self.days, &self.from, &self.until);
        let parts =
            [("days", &**days), ("from", from), ("until", until), ("severity", &*self.severity), ("team", &self.team)];
        format!("/analytics{}", query::build(&parts))
    }

    /// From midnight to midnight, on this wall; own days, or the last ones up to the end of today.
    fn range(&self, today: Civil) -> Option<(Civil, Civil)> {
        if self.from.is_empty() || self.until.is_empty() {
            let days: i64 = self.days.parse().ok()?;
            return Some((today.midnight(1 - days), today.midnight(1)));
        }
        let day = |text: &str| Civil::parse(&format!("{text} 00:00"));
        let (from, until) = (day(&self.from)?, day(&self.until)?);
        (from <= until).then(|| (from, until.midnight(1)))
    }
}

pub(crate) fn page() -> impl IntoView {
    let app = App::here();
    let l = app.l();
    let asked = use_query_map();
    let question = Memo::new(move |_| {
        asked.with(|asked| {
            let word = |name: &str| asked.get(name).unwrap_or_default();
            let (from, until) = (word("from"), word("until"));
            let is_own = !from.is_empty() && !until.is_empty();
            let days = asked.get("days").filter(|days| RANGES.contains(&days.as_str()));
            let days = if is_own { String::new() } else { days.unwrap_or_else(|| USUAL.to_owned()) };
            Question { days, from, until, severity: word("severity"), team: word("team") }
        })
    });
    let found = Remote::<Analytics>::idle("");
    view! {
        <div class="page analytics">
            {page_head(frame::analytics(l), t::lead(l), ().into_any())}
            {form(app, question, found)}
            {answer(app, question, found)}
        </div>
    }
}

fn form(app: App, question: Memo<Question>, found: Remote<Analytics>) -> AnyView {
    let l = app.l();
    let go = Callback::new({
        let navigate = use_navigate();
        move |question: Question| navigate(&question.page(), NavigateOptions::default())
    });
    let days = segments(
        t::range(l),
        RANGES.map(|days| (days, t::days(l, days))).to_vec(),
        move || question.with(|it| RANGES.into_iter().find(|days| *days == it.days).unwrap_or_default()),
        move |days| {
            let (from, until) = Default::default();
            go.run(Question { days: days.to_owned(), from, until, ..question.get_untracked() });
        },
    );
    let levels =
        std::iter::once((String::new(), t::all(l))).chain(Severity::ALL.map(|it| (it.to_string(), it.to_string())));
    let severity = choice(
        "analytics-severity".to_owned(),
        t::severity(l),
        levels.collect(),
        move || question.with(|it| it.severity.clone()),
        move |severity| go.run(Question { severity, ..question.get_untracked() }),
    );
    // Known with the first answer; drawn anew only when they change.
    let teams = Memo::new(move |_| found.with(|found| found.teams.clone()).unwrap_or_default());
    let team = move || {
        let teams = teams.get();
        (!teams.is_empty()).then(|| {
            let whole = std::iter::once((String::new(), t::all(l)));
            choice(
                "analytics-team".to_owned(),
                t::team(l),
                whole.chain(teams.into_iter().map(|it| (it.team.to_string(), it.name))).collect(),
                move || question.with(|it| it.team.clone()),
                move |team| go.run(Question { team, ..question.get_untracked() }),
            )
        })
    };
    let today = app.civil(Timestamp::from_ms(app.now.get_untracked().ms()));
    let shown = question.with_untracked(|it| it.range(today)).unwrap_or((today, today));
    let from = RwSignal::new(shown.0.iso_date());
    let until = RwSignal::new(shown.1.midnight(-1).iso_date());
    let wrong = RwSignal::new(false);
    let ask = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let (from, until) = (from.get_untracked(), until.get_untracked());
        let own = Question { days: String::new(), from, until, ..question.get_untracked() };
        let is_range = !own.from.is_empty() && !own.until.is_empty() && own.range(today).is_some();
        wrong.set(!is_range);
        if is_range {
            go.run(own);
        }
    };
    let day = |id, label, value| Field { kind: "date", ..Field::text(id, label, value) }.view();
    let wrong = move || wrong.get().then(|| view! { <p class="fault" role="alert">{t::not_a_range(l)}</p> });
    view! {
        <form class="card ask-line" data-testid="analytics-form" on:submit=ask>
            {days} {severity} {team}
            {day("analytics-from", t::from(l), from)}
            {day("analytics-until", t::until(l), until)}
            <button type="submit" class="btn">{t::show(l)}</button>
            {wrong}
        </form>
    }
    .into_any()
}

fn answer(app: App, question: Memo<Question>, found: Remote<Analytics>) -> AnyView {
    let path = Memo::new(move |_| {
        let question = question.get();
        let zone = app.prefs.zone.get();
        let today = app.civil(Timestamp::from_ms(app.now.get_untracked().ms()));
        // A question nobody can ask by the form is put as it is; the server says what is wrong with it.
        let (from, until) = question.range(today).unwrap_or((today, today));
        let at = |wall: Civil| zone::instant(&zone, wall).to_string();
        let parts = [
            ("from", &*at(from)),
            ("until", &at(until)),
            ("zone", &zone),
            ("severity", &question.severity),
            ("team", &question.team),
        ];
        format!("/api/v1/analytics{}", query::build(&parts))
    });
    Effect::new(move || found.point(path.get()));
    let answers = RwSignal::new(false);
    loaded(frame::analytics(app.l()), found, 10, move |figures| {
        let l = app.l();
        if figures.incidents == 0 && figures.people.is_empty() && figures.schedules.iter().all(|it| it.gaps.is_empty())
        {
            return empty(t::nothing(l), view! { <p>{t::nothing_why(l)}</p> }.into_any());
        }
        let csv = path.get_untracked();
        painted(
            "figures",
            move || {
                let zone = app.prefs.zone.get();
                let wall = |at| zone::civil(&zone, at);
                drawn(&Look { l, figures: &figures, csv: csv.clone(), wall: &wall, answers: answers.get() })
            },
            move |act, n| {
                if act == "week" {
                    answers.set(n == 1);
                }
            },
        )
    })
}

/// Everything, in order.
fn drawn(look: &Look<'_>) -> Vec<Node> {
    let (l, of) = (look.l, look.figures);
    let summary =
        t::summary(l, &t::of_incidents(l, of.incidents), &t::of_messages(l, of.messages), &grouped(of.unpaged));
    let mut all = vec![Node::of("p", "", summary).set("data-testid", "analytics-summary")];
    all.extend(of.cut_at.map(|at| Node::of("p", "notice warn", t::cut(l, &(look.wall)(at.ms()).moment(l)))));
    let acknowledge = ("acknowledge", t::acknowledge(l), t::acknowledge_is(l));
    let resolve = ("resolve", t::resolve(l), t::resolve_is(l));
    all.push(
        Node::new("div", "grid-2")
            .with(picture::distribution(look, &of.acknowledge, acknowledge))
            .with(picture::distribution(look, &of.resolve, resolve)),
    );
    all.push(picture::people(look));
    all.extend(table::channels(look));
    all.push(table::identities(look));
    all.push(picture::week(look));
    all.extend(table::rules(look, &of.routes, "routes", t::routes(l), "/routes"));
    all.extend(table::rules(look, &of.policies, "policies", t::policies(l), "/policies"));
    all.extend(table::quiet(look));
    all.extend(picture::coverage(look));
    all
}

#[cfg(test)]
mod tests;
