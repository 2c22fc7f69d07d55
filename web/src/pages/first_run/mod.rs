//! What stands where there is nothing yet: the steps from an empty server to the first page, true at every moment.

mod facts;
mod steps;

use crate::{
    components::{
        icon::{Icon, icon},
        states::skeleton,
    },
    state::App,
    text::first_run as t,
};
use facts::Known;
use leptos::prelude::*;
use shared::{api::Role, config::Language};
use steps::{Rehearsal, Sender, Somebody, Steps, Way};

/// The steps of this server, followed for as long as the owner lives.
#[derive(Clone, Copy)]
pub(crate) struct FirstRun {
    app: App,
    known: Memo<Known>,
}

/// One step as it is drawn.
#[derive(Clone, Debug, PartialEq)]
struct Line {
    done: bool,
    words: String,
    /// Where it is done, and what the way there is called.
    go: Vec<(String, String)>,
}

impl FirstRun {
    pub(crate) fn follow(app: App) -> Self {
        Self { app, known: facts::follow(app) }
    }

    /// Whether anything is left to do; none until the server has said so.
    pub(crate) fn is_open(self) -> Option<bool> {
        self.known.with(|known| match known {
            Known::NotYet => None,
            Known::Steps(steps) => Some(steps.done().contains(&false)),
            Known::Unknown => Some(false),
        })
    }

    pub(crate) fn view(self) -> AnyView {
        let l = self.app.l();
        let done = move || self.steps().map_or([false; 4], |steps| steps.done());
        let current = Memo::new(move |_| done().iter().position(|done| !done));
        let count = move || t::progress(l, done().iter().filter(|done| **done).count());
        let items = (0..4).map(|index| self.item(index, current).into_any()).collect_view();
        view! {
            <section class="first-run" data-testid="first-run" aria-labelledby="first-run-title">
                <header>
                    <h2 id="first-run-title">{t::title(l)}</h2>
                    <span class="muted" role="status">{count}</span>
                </header>
                <p class="muted">{t::lead(l)}</p>
                <ol>{items}</ol>
            </section>
        }
        .into_any()
    }

    fn steps(self) -> Option<Steps> {
        self.known.with(|known| if let Known::Steps(steps) = known { Some(steps.clone()) } else { None })
    }

    /// Redrawn alone, so that a key press in one is not lost when another is done.
    fn item(self, index: usize, current: Memo<Option<usize>>) -> impl IntoView {
        let (app, l) = (self.app, self.app.l());
        let Head { title, least } = HEADS[index];
        let line = Memo::new(move |_| self.steps().map(|steps| line(app, &steps, index)));
        let is_done = move || line.with(|line| line.as_ref().is_some_and(|line| line.done));
        let mark = move || if is_done() { icon(Icon::Check).into_any() } else { (index + 1).to_string().into_any() };
        let body = move || {
            let Line { done, words, go } = line.get()?;
            let may = app.role() >= least;
            let who = (!done && !may).then(|| {
                let who = if least == Role::Admin { t::by_admin(l) } else { t::by_responder(l) };
                view! { <p class="first-run-who">{who}</p> }
            });
            let links = go.into_iter().filter(|_| may).enumerate().map(|(place, (path, name))| {
                let first = place == 0;
                let class =
                    move || if first && current.get() == Some(index) { "btn small primary" } else { "btn small" };
                view! { <a class=class href=path>{name}</a> }
            });
            Some(view! { <p>{words}</p>{who}<div class="first-run-go">{links.collect_view()}</div> })
        };
        view! {
            <li class:done=is_done aria-current=move || (current.get() == Some(index)).then_some("step")>
                <span class="first-run-mark" aria-hidden="true">{mark}</span>
                <div>
                    <h3><span class="sr">{move || if is_done() { t::done(l) } else { t::open(l) }} " "</span>{title(l)}</h3>
                    {body}
                </div>
            </li>
        }
    }
}

/// In the place of an empty board. Nothing is firing: because all is well, or because nothing could.
pub(crate) fn or(app: App, well: fn(App) -> AnyView) -> AnyView {
    let first_run = FirstRun::follow(app);
    let open = Memo::new(move |_| first_run.is_open());
    (move || match open.get() {
        None => skeleton(4),
        Some(true) => first_run.view(),
        Some(false) => well(app),
    })
    .into_any()
}

/// Below an empty list: the steps, as long as one is left. The reason why the list is empty may be among them.
pub(crate) fn below(app: App) -> AnyView {
    let first_run = FirstRun::follow(app);
    let open = Memo::new(move |_| first_run.is_open() == Some(true));
    (move || open.get().then(|| first_run.view())).into_any()
}

/// What a step is called, and who may do it.
struct Head {
    title: fn(Language) -> String,
    least: Role,
}

const HEADS: [Head; 4] = [
    Head { title: t::sender, least: Role::Admin },
    Head { title: t::somebody, least: Role::Admin },
    Head { title: t::way, least: Role::Admin },
    Head { title: t::rehearsal, least: Role::Responder },
];

fn line(app: App, steps: &Steps, index: usize) -> Line {
    let l = app.l();
    let (words, go) = match index {
        0 => sender(l, &steps.sender),
        1 => somebody(l, &steps.somebody),
        2 => way(l, &steps.way),
        _ => rehearsal(app, steps),
    };
    let done = steps.done()[index];
    Line { done, words, go: if done { Vec::new() } else { go } }
}

type Words = (String, Vec<(String, String)>);

fn sender(l: Language, sender: &Sender) -> Words {
    let words = match sender {
        Sender::None => t::sender_none(l),
        Sender::Unheard(name) => t::sender_unheard(l, name),
        Sender::Heard(name) => t::sender_heard(l, name),
    };
    (words, vec![("/integrations#new".to_owned(), t::sender_go(l))])
}

fn configuration(l: Language) -> Vec<(String, String)> {
    vec![("/settings?tab=config".to_owned(), t::configure(l))]
}

fn somebody(l: Language, somebody: &Somebody) -> Words {
    let words = match somebody {
        Somebody::None => t::somebody_none(l),
        Somebody::NoContact(name) => t::somebody_no_contact(l, name),
        Somebody::Reachable(name, 1) => t::somebody_one(l, name),
        Somebody::Reachable(name, n) => t::somebody_more(l, name, n - 1),
    };
    (words, configuration(l))
}

fn way(l: Language, way: &Way) -> Words {
    let words = match way {
        Way::NoPolicy => t::way_no_policy(l),
        Way::NoRoute => t::way_no_route(l),
        Way::ReachesNobody => t::way_nobody(l),
        Way::Leads(policy) => t::way_leads(l, policy),
    };
    (words, configuration(l))
}

fn rehearsal(app: App, steps: &Steps) -> Words {
    let l = app.l();
    let incident = |id: shared::IncidentId| vec![(format!("/incidents/{id}"), t::open_incident(l, id.0))];
    let test = || match (app.me(), app.role()) {
        (Some(_), _) => vec![("/me".to_owned(), t::test_page(l))],
        // Only somebody of the configuration has contacts to test.
        (None, Role::Admin) if steps.done()[1] => vec![("/settings?tab=accounts".to_owned(), t::link_account(l))],
        (None, _) => Vec::new(),
    };
    match steps.rehearsal {
        Rehearsal::NotYet => (t::rehearsal_not_yet(l), test()),
        Rehearsal::Undelivered(id) => (t::rehearsal_undelivered(l, id.0), [incident(id), test()].concat()),
        Rehearsal::Unanswered(id) => (t::rehearsal_unanswered(l, id.0), [incident(id), test()].concat()),
        Rehearsal::Answered => (t::rehearsal_answered(l), Vec::new()),
    }
}
