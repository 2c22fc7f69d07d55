//! Silences and maintenance: in force, to come and over, each with why, until when and what it hid.

mod end;
mod form;
mod form_when;
mod item;
mod notices;
mod one;
mod preview;
mod words;

pub(crate) use form::{Maker, dialog, form};
pub(crate) use one::page as one;

use crate::{
    browser::zone,
    components::{
        icon::{Icon, icon},
        keyed::keyed,
        page::page_head,
        states::loaded,
    },
    silence::{Standing, Walls, class, shows},
    state::{App, Remote, look_again},
    text::silences as t,
};
use end::Ender;
use leptos::prelude::*;
use shared::{
    Silence, Timestamp,
    api::{List, Role},
    config::Language,
};

/// The clocks of this browser.
pub(crate) const WALLS: Walls = Walls { civil: zone::civil, instant: zone::instant };
const LOOK_AGAIN_MS: i64 = 15_000;
/// Where a silence stands is worked out this often.
const STEP_MS: i64 = 2_000;

/// What can be done here, shared by the list and the page of one.
#[derive(Clone, Copy)]
struct Desk {
    app: App,
    maker: Maker,
    ender: Ender,
    /// Asks the server again.
    reload: Callback<()>,
}

impl Desk {
    fn new(app: App, reload: Callback<()>) -> Self {
        look_again(app, LOOK_AGAIN_MS, move || reload.run(()));
        Self { app, maker: Maker::new(app, Some(reload)), ender: Ender::new(reload), reload }
    }

    fn dialogs(self) -> impl IntoView {
        view! { {dialog(self.maker)} {end::dialog(self)} }
    }
}

pub(crate) fn page() -> impl IntoView {
    let app = App::here();
    let l = app.l();
    let list = Remote::<List<Silence>>::new("/api/v1/silences");
    let desk = Desk::new(app, Callback::new(move |()| list.reload()));
    let text = RwSignal::new(String::new());
    let now = Memo::new(move |_| Timestamp::from_ms(app.now.get().ms() / STEP_MS * STEP_MS));
    let sections =
        [(t::in_force(l), t::none_in_force(l)), (t::to_come(l), t::none_to_come(l)), (t::over(l), t::none_over(l))];
    let there = Memo::new(move |_| list.with(|_| ()).is_some());
    let body = move || {
        there.get().then(|| {
            let sections = sections.clone().into_iter().enumerate();
            sections.map(|(number, words)| section(desk, list, text, now, number, words)).collect_view()
        })
    };
    view! {
        <div class="page">
            {page_head(t::title(l), t::lead(l), head(desk, text))}
            {loaded(t::title(l), list, 6, |_| ().into_any())}
            {body}
        </div>
        {desk.dialogs()}
    }
}

fn head(desk: Desk, text: RwSignal<String>) -> AnyView {
    let l = desk.app.l();
    view! {
        <label class="text-filter">
            {icon(Icon::Search)}
            <input
                type="search" autocomplete="off" spellcheck="false" maxlength="200" data-testid="silence-filter"
                aria-label=t::filter(l) placeholder=t::filter(l)
                prop:value=move || text.get() on:input=move |event| text.set(event_target_value(&event))
            />
        </label>
        {may_respond(desk.app).then(|| view! {
            <button type="button" class="btn primary" data-testid="silence-new" on:click=move |_| desk.maker.open(Vec::new())>
                {icon(Icon::Plus)} {t::new(l)}
            </button>
        })}
    }
    .into_any()
}

/// One of the three lists; what did not change keeps its focus.
fn section(
    desk: Desk,
    list: Remote<List<Silence>>,
    text: RwSignal<String>,
    now: Memo<Timestamp>,
    number: usize,
    (title, none): (String, String),
) -> AnyView {
    let l = desk.app.l();
    let items = Memo::new(move |_| {
        let (now, text) = (now.get(), text.get());
        let shown = |silence: &&Silence| {
            Standing::of(silence, now, WALLS).section() == number
                && shows(silence, &words::kind(l, silence.kind), &text)
        };
        list.with(|list| list.items.iter().filter(shown).cloned().collect::<Vec<_>>()).unwrap_or_default()
    });
    let count = move || items.with(Vec::len);
    let empty = move || {
        let words = if text.with(String::is_empty) { none.clone() } else { t::no_match(l) };
        (count() == 0).then(|| view! { <p class="muted">{words}</p> })
    };
    let rows = keyed(
        move || items.get(),
        move |silence| what_is_drawn(l, silence),
        move |silence| item::item(desk, silence, true),
    );
    view! {
        <section class="card silences" data-testid=format!("silences-{number}")>
            <h2>{title} " " <span class="count">{count}</span></h2>
            {empty}
            {rows}
        </section>
    }
    .into_any()
}

/// The key of a line: another one draws it anew.
fn what_is_drawn(l: Language, silence: &Silence) -> String {
    let (kind, recovered) = (class(silence.kind), silence.until_recovered);
    let (starts, ends) = (silence.starts_at.ms(), silence.ends_at.map_or(0, |end| end.ms()));
    let hours = silence.recurs.as_ref().map(|recurs| words::hours(l, recurs)).unwrap_or_default();
    let over = silence.ended.is_some();
    let Silence { id, hidden, reason, .. } = silence;
    format!("{id} {kind} {recovered} {starts} {ends} {hours} {over} {hidden} {} {reason}", silence.matches.join(" "))
}

/// Whether the person may set and end silences.
pub(crate) fn may_respond(app: App) -> bool {
    app.role() >= Role::Responder
}
