//! Port mirrors: those that run with what is left of their time, past ones, what switches have besides, and how the
//! switches stand.

mod actions;
mod approve;
mod check;
mod evidence;
mod guide;
mod item;
mod one;
mod others;
mod panic;
mod parts;
mod past;
mod wizard;

pub(crate) use actions::{fresh_key, offline, stop};
pub(crate) use check::findings;
pub(crate) use one::page as one;
pub(crate) use parts::{countdown, state_word};
pub(crate) use wizard::page as new;

use crate::{
    browser::dom,
    components::{
        icon::{Icon, icon},
        keyed::keyed,
        page::page_head,
        states::{empty, loaded},
    },
    mirror::{rate::Seen, standing},
    state::{App, Remote},
    text::mirrors as t,
};
use approve::Approver;
use leptos::prelude::*;
use panic::Panic;
use shared::{
    MirrorId,
    api::{MirrorBoard, Role},
    mirror::Mirror,
};

/// Between two looks while something runs, and otherwise.
const BUSY_MS: i64 = 2_000;
const CALM_MS: i64 = 15_000;

/// What can be done here.
#[derive(Clone, Copy)]
struct Desk {
    app: App,
    board: Remote<MirrorBoard>,
    seen: RwSignal<Seen>,
    approver: Approver,
    panic: Panic,
    /// Asks the server again.
    reload: Callback<()>,
}

impl Desk {
    fn new(app: App) -> Self {
        let board = Remote::<MirrorBoard>::new("/api/v1/mirrors");
        let reload = Callback::new(move |()| board.reload());
        let desk = Self {
            app,
            board,
            seen: RwSignal::new(Seen::default()),
            approver: Approver::new(app, reload),
            panic: Panic::new(app, reload),
            reload,
        };
        let busy = move || desk.board.with(|board| board.items.iter().any(standing::is_busy)).unwrap_or(false);
        look_again(app, busy, reload);
        Effect::new(move || {
            desk.board.with(|board| remember(desk.seen, board.items.iter()));
        });
        desk
    }

    /// A mirror of the list; another answer about it draws only what changed.
    fn mirror(self, id: MirrorId) -> Memo<Option<Mirror>> {
        Memo::new(move |_| self.board.with(|board| board.items.iter().find(|it| it.id == id).cloned()).flatten())
    }

    /// Those that are not over, or those that are.
    fn ids(self, over: bool) -> Memo<Vec<MirrorId>> {
        Memo::new(move |_| {
            let of = |board: &MirrorBoard| {
                let wanted = board.items.iter().filter(|it| it.is_over() == over);
                wanted.map(|it| it.id).collect::<Vec<_>>()
            };
            self.board.with(of).unwrap_or_default()
        })
    }
}

/// What the page sees of rates.
fn remember<'a>(seen: RwSignal<Seen>, mirrors: impl Iterator<Item = &'a Mirror>) {
    let counted: Vec<_> = mirrors.filter_map(|it| Some((it.id, it.evidence.last?.at, it.evidence.bps))).collect();
    seen.update(|seen| {
        for (id, at, bps) in counted {
            seen.push(id, at, bps);
        }
    });
}

/// Asks again: often while something runs, now and then otherwise, and never while nobody looks.
pub(crate) fn look_again(app: App, busy: impl Fn() -> bool + Send + Sync + 'static, reload: Callback<()>) {
    Effect::new(move |before: Option<i64>| {
        let now = app.now.get().ms();
        let before = before.unwrap_or(now);
        let every = if untrack(&busy) { BUSY_MS } else { CALM_MS };
        // The clock ticks a little early or late.
        if now - before < every - 500 || dom::is_hidden() {
            return before;
        }
        reload.run(());
        now
    });
}

pub(crate) fn page() -> impl IntoView {
    let app = App::here();
    let l = app.l();
    let desk = Desk::new(app);
    let there = Memo::new(move |_| desk.board.with(|_| ()).is_some());
    view! {
        <div class="page mirrors">
            {page_head(t::title(l), t::lead(l), head(desk))}
            {loaded(t::title(l), desk.board, 6, |_| ().into_any())}
            {move || there.get().then(|| body(desk))}
        </div>
        {approve::dialog(desk.approver)}
        {panic::dialog(desk.panic)}
    }
}

fn head(desk: Desk) -> AnyView {
    let l = desk.app.l();
    view! { <a class="btn primary" href="/mirrors/new" data-testid="mirror-new">{icon(Icon::Plus)} {t::new(l)}</a> }
        .into_any()
}

fn body(desk: Desk) -> AnyView {
    let l = desk.app.l();
    let (running, past) = (desk.ids(false), desk.ids(true));
    let is_set_up = Memo::new(move |_| desk.board.with(|board| !board.backends.is_empty()).unwrap_or(true));
    let none = move || {
        running.with(Vec::is_empty).then(|| {
            let (title, lead) = if is_set_up.get() {
                (t::none_running(l), t::none_running_lead(l))
            } else {
                (t::no_backends(l), t::no_backends_lead(l))
            };
            view! { <section class="card">{empty(title, view! { <p>{lead}</p> }.into_any())}</section> }
        })
    };
    let cards = keyed(move || running.get(), ToString::to_string, move |id| item::item(desk, id));
    view! {
        <section class="mirror-list" aria-label=t::running(l) data-testid="mirrors-running">
            <h2>{t::running(l)} " " <span class="count">{move || running.with(Vec::len)}</span></h2>
            {none}
            {cards}
        </section>
        {others::sessions(desk)}
        {others::backends(desk)}
        {past::past(desk, past)}
    }
    .into_any()
}

/// Whether the person may end mirrors.
pub(crate) fn may_stop(app: App) -> bool {
    app.role() >= Role::Responder
}

/// Whether the person may begin, extend and approve them.
pub(crate) fn may_mirror(app: App) -> bool {
    app.role() >= Role::Network
}
