//! The live board: a heading of numbers, filters, and a list that never moves under the finger.

mod banner;
mod cells;
mod empty;
mod filters;
mod keys;
mod list;
mod live;
mod ribbon;
mod row;
mod select;
mod storm;

use super::ask::{self, Asker};
use crate::{
    api::query,
    board::{
        arrange::{Grouping, Item},
        filter::{Filter, View},
        hold::Reasons,
    },
    components::page::name_page,
    state::{App, Load, Remote},
    text::frame as t,
};
use leptos::prelude::*;
use leptos_router::{
    NavigateOptions,
    hooks::{use_navigate, use_query_map},
};
use shared::{IncidentId, Timestamp, api::IncidentList};
use std::{collections::BTreeSet, sync::Arc, time::Duration};

/// Everything the parts of this page share.
#[derive(Clone, Copy)]
struct Page {
    app: App,
    view: Memo<View>,
    grouping: Memo<Grouping>,
    /// As typed; the address bar follows.
    text: RwSignal<String>,
    filter: Memo<Filter>,
    shown: RwSignal<Arc<Vec<Item>>>,
    /// New rows that wait until the list may move.
    waiting: RwSignal<Vec<IncidentId>>,
    cursor: RwSignal<Option<IncidentId>>,
    selected: RwSignal<BTreeSet<IncidentId>>,
    /// On a phone a tap selects instead of opening.
    picking: RwSignal<bool>,
    /// When the pointer last moved over the list.
    pointer_at: RwSignal<Option<Timestamp>>,
    scroll_top: RwSignal<i32>,
    height: RwSignal<i32>,
    paused: RwSignal<Option<Timestamp>>,
    narrow: RwSignal<bool>,
    held: Memo<bool>,
    asker: Asker,
    resolved: Remote<IncidentList>,
    /// Writes the view, the grouping or the text into the address bar.
    address: Callback<(View, Grouping)>,
}

/// A pointer that rests longer than this no longer holds the list.
const POINTER_HOLDS_MS: i64 = 20_000;
/// One that left still holds it for this long: it may be on its way to the pill of waiting rows.
const LEAVING_HOLDS_MS: i64 = 2_000;
const TYPING_PAUSE: Duration = Duration::from_millis(250);

pub(crate) fn page() -> impl IntoView {
    let app = App::here();
    name_page(&t::board(app.l()));
    let page = Page::new(app);
    live::follow(page);
    keys::listen(page);
    view! {
        <div class="board" data-testid="board">
            <h1 class="sr">{t::board(app.l())}</h1>
            {ribbon::ribbon(page)}
            {storm::banner(page.app)}
            {filters::filters(page)}
            {banner::banner(page)}
            {list::list(page)}
            {select::bar(page)}
        </div>
        {ask::dialog(app, page.asker)}
    }
}

impl Page {
    fn new(app: App) -> Self {
        let query = use_query_map();
        let word = move |key: &str| query.with(|query| query.get(key).unwrap_or_default());
        let view = Memo::new(move |_| View::from_word(&word("view")));
        let grouping = Memo::new(move |_| Grouping::from_word(&word("group")));
        let text = RwSignal::new(query.with_untracked(|query| query.get("q").unwrap_or_default()));
        let written = StoredValue::new(text.get_untracked());
        let address = address_bar(text, written);
        follow_address(move || word("q"), text, written);
        write_typed_text(text, written, address, move || (view.get_untracked(), grouping.get_untracked()));
        let selected = RwSignal::new(BTreeSet::new());
        let pointer_at = RwSignal::new(None);
        let (scroll_top, paused) = (RwSignal::new(0), RwSignal::new(None));
        let held = Memo::new(move |_| {
            let rests = |at: Timestamp| app.now.get().ms_since(at) < POINTER_HOLDS_MS;
            Reasons {
                pointer: pointer_at.get().is_some_and(rests),
                selection: selected.with(|selected: &BTreeSet<IncidentId>| !selected.is_empty()),
                scrolled: scroll_top.get() > 0,
                paused: paused.with(Option::is_some),
            }
            .any()
        });
        let picking = RwSignal::new(false);
        let done = Callback::new(move |()| {
            selected.update(BTreeSet::clear);
            picking.set(false);
        });
        Self {
            app,
            view,
            grouping,
            text,
            filter: Memo::new(move |_| Filter::new(view.get(), &text.get())),
            shown: RwSignal::new(Arc::new(Vec::new())),
            waiting: RwSignal::new(Vec::new()),
            cursor: RwSignal::new(None),
            selected,
            picking,
            pointer_at,
            scroll_top,
            height: RwSignal::new(600),
            paused,
            narrow: RwSignal::new(crate::browser::dom::is_narrow()),
            held,
            asker: Asker::new(Some(done)),
            resolved: Remote::idle(""),
            address,
        }
    }

    fn line_px(self) -> u32 {
        match (self.narrow.get(), self.app.prefs.compact.get()) {
            (true, _) => 72,
            (false, true) => 32,
            (false, false) => 44,
        }
    }

    fn position(self, id: IncidentId) -> Option<usize> {
        self.shown.with_untracked(|shown| shown.iter().position(|item| item.id() == Some(id)))
    }

    /// What an action is about: the selection, or else the line of the cursor.
    fn aimed_at(self) -> Vec<IncidentId> {
        let selected: Vec<IncidentId> = self.selected.with_untracked(|selected| selected.iter().copied().collect());
        if selected.is_empty() { self.cursor.get_untracked().into_iter().collect() } else { selected }
    }

    fn pointer_left(self) {
        self.pointer_at.set(Some(self.app.clock().plus_ms(LEAVING_HOLDS_MS - POINTER_HOLDS_MS)));
    }

    /// Lets the waiting rows in and goes to the top.
    fn let_in(self) {
        self.pointer_at.set(None);
        self.scroll_top.set(0);
        list::scroll_to(0);
    }

    fn set_view(self, view: View) {
        (self.address).run((view, self.grouping.get_untracked()));
    }

    fn set_grouping(self, grouping: Grouping) {
        (self.address).run((self.view.get_untracked(), grouping));
    }

    fn resolved_list(self) -> Option<Load<IncidentList>> {
        self.view.get().address().map(|_| self.resolved.get())
    }
}

fn address_bar(text: RwSignal<String>, written: StoredValue<String>) -> Callback<(View, Grouping)> {
    let navigate = StoredValue::new_local(use_navigate());
    Callback::new(move |(view, grouping): (View, Grouping)| {
        let text = text.get_untracked();
        written.set_value(text.clone());
        let path = query::build(&[("view", view.word()), ("q", &text), ("group", grouping.word())]);
        let options = NavigateOptions { replace: true, scroll: false, ..NavigateOptions::default() };
        navigate.with_value(|navigate| navigate(&format!("/{path}"), options));
    })
}

/// A link or the palette changed the text.
fn follow_address(
    word: impl Fn() -> String + Send + Sync + 'static,
    text: RwSignal<String>,
    written: StoredValue<String>,
) {
    Effect::new(move || {
        let word = word();
        if written.get_value() != word {
            written.set_value(word.clone());
            text.set(word);
        }
    });
}

/// A pause in typing writes the text into the address.
fn write_typed_text(
    text: RwSignal<String>,
    written: StoredValue<String>,
    address: Callback<(View, Grouping)>,
    rest: impl Fn() -> (View, Grouping) + Copy + Send + Sync + 'static,
) {
    Effect::new(move || {
        let typed = text.get();
        if typed == written.get_value() {
            return;
        }
        let later = move || {
            if text.try_get_untracked().is_some_and(|now| now == typed) {
                address.run(rest());
            }
        };
        set_timeout(later, TYPING_PAUSE);
    });
}
