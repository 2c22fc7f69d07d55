//! The board of all hosts: what is wrong and what is busy, as tiles, a honeycomb, a table or small charts.

use super::{add, comb, filters, multiples, table, tiles};
use crate::{
    api,
    components::{
        icon::{Icon, icon},
        page::page_head,
        states::{empty, loaded},
    },
    host::{
        board::{self as arrange, Ask, View},
        heard,
    },
    live::{look, machine::Connection},
    state::{App, Remote},
    text::hosts as t,
};
use leptos::{prelude::*, task::spawn_local};
use leptos_router::{
    NavigateOptions,
    hooks::{use_navigate, use_query_map},
};
use shared::{
    Timestamp,
    api::{HostBoard, HostRow, Role, SeriesAnswer, SeriesQuery},
    host::HostState,
    live::{BrowserMessage, HostPulse},
};
use std::collections::BTreeMap;

/// How often the board is asked for as a whole: what comes and goes is not told.
const AGAIN_MS: i64 = 60_000;
/// How soon it is asked for again when an incident changed.
const INCIDENT_MS: i64 = 5_000;
/// The order of the hosts holds still for so long: nothing moves below a finger every second.
const SORT_MS: i64 = 10_000;
/// Nor while a pointer moved over them so lately, or one of them has the focus.
const HELD_MS: i64 = 10_000;
/// What a tile's line goes back to.
pub(super) const SPARK_MS: i64 = 30 * 60_000;
const SPARK_POINTS: u32 = 40;

/// What the parts of the page share.
#[derive(Clone, Copy)]
pub(super) struct Desk {
    pub(super) app: App,
    pub(super) board: Remote<HostBoard>,
    pub(super) ask: Memo<Ask>,
    pub(super) go: Callback<Ask>,
    /// Each host as it is now.
    rows: StoredValue<BTreeMap<String, ArcRwSignal<HostRow>>>,
    /// The board as it is sorted by; newer values than these are in `rows`.
    pub(super) sorted: RwSignal<HostBoard>,
    /// Bits a second of each host, in and out together.
    pub(super) sparks: RwSignal<BTreeMap<String, Vec<Option<f32>>>>,
    pub(super) adds: RwSignal<bool>,
    /// When a pointer last moved over the hosts.
    pointed_at: StoredValue<i64>,
    /// The server cannot be reached: what is shown grows old.
    is_cut: Memo<bool>,
}

impl Desk {
    /// A host as it is now; drawn once, and again when it says something.
    pub(super) fn row(self, name: &str) -> Option<ArcRwSignal<HostRow>> {
        self.rows.with_value(|rows| rows.get(name).cloned())
    }

    fn take_board(self, board: HostBoard) {
        self.rows.update_value(|rows| {
            rows.retain(|name, _| board.hosts.iter().any(|row| row.name == *name));
            for row in &board.hosts {
                match rows.get(&row.name) {
                    Some(known) => known.set(row.clone()),
                    None => drop(rows.insert(row.name.clone(), ArcRwSignal::new(row.clone()))),
                }
            }
        });
        let board = if self.is_held() {
            self.sorted.with_untracked(|sorted| arrange::put_off(&sorted.hosts, board))
        } else {
            board
        };
        self.sorted.set(board);
    }

    /// Whether somebody is about to press one of the hosts, or went to it with keys: then nothing moves.
    fn is_held(self) -> bool {
        let pointed = self.app.now.get_untracked().ms() - self.pointed_at.get_value() < HELD_MS;
        pointed || document().query_selector(".host-list a:focus").is_ok_and(|it| it.is_some())
    }

    /// Every host as it is now.
    pub(super) fn each_row(self, mut look: impl FnMut(&HostRow)) {
        self.sorted.track();
        let rows: Vec<ArcRwSignal<HostRow>> = self.rows.with_value(|rows| rows.values().cloned().collect());
        rows.iter().for_each(|row| row.with(&mut look));
    }

    /// Whether what is shown of a host is the last that was said, and no more.
    pub(super) fn is_old(self, row: &HostRow) -> bool {
        self.is_cut.get() || row.state != HostState::Live
    }

    /// Since when nothing is heard of it, if so.
    pub(super) fn silence(self, row: &HostRow) -> Option<String> {
        let l = self.app.l();
        if !self.is_old(row) {
            return None;
        }
        let ago = shared::text::span(l, self.app.now.get().ms_since(row.seen_at));
        Some(if row.state == HostState::Silent { t::seen_ago(l, &ago) } else { t::late_ago(l, &ago) })
    }

    fn take_pulse(self, pulse: HostPulse) {
        let row = self.row(&pulse.name);
        if let Some(row) = row {
            row.update(|row| {
                (row.state, row.seen_at, row.vitals, row.worst) =
                    (pulse.state, pulse.seen_at, pulse.vitals, pulse.worst);
            });
        }
    }

    /// Sorts by what is known now.
    fn sort_again(self) {
        self.sorted.update(|board| {
            for row in &mut board.hosts {
                if let Some(now) = self.rows.with_value(|rows| rows.get(&row.name).map(|it| it.get_untracked())) {
                    *row = now;
                }
            }
        });
    }
}

pub(super) fn page() -> AnyView {
    let app = App::here();
    let l = app.l();
    let asked = use_query_map();
    let navigate = use_navigate();
    let desk = Desk {
        app,
        board: Remote::new("/api/v1/hosts"),
        ask: Memo::new(move |_| asked.with(|asked| Ask::read(|name| asked.get(name)))),
        go: Callback::new(move |ask: Ask| {
            navigate(&ask.address(), NavigateOptions { replace: true, scroll: false, ..NavigateOptions::default() });
        }),
        rows: StoredValue::new(BTreeMap::new()),
        sorted: RwSignal::new(HostBoard { now: Timestamp::from_ms(0), hosts: Vec::new(), groups: Vec::new() }),
        sparks: RwSignal::new(BTreeMap::new()),
        adds: RwSignal::new(false),
        pointed_at: StoredValue::new(0),
        is_cut: Memo::new(move |_| {
            matches!(app.connection.get(), Connection::Stale { .. } | Connection::Offline { .. })
        }),
    };
    follow(desk);
    let there = Memo::new(move |_| desk.board.with(|_| ()).is_some());
    let add = (app.role() == Role::Admin).then(|| {
        view! {
            <button type="button" class="btn" data-testid="host-add" on:click=move |_| desk.adds.set(true)>{icon(Icon::Plus)} {t::add(l)}</button>
        }
    });
    let head = view! { <a class="btn" href="/hosts/rules">{t::rules(l)}</a> {add} }.into_any();
    view! {
        <div class="page hosts" data-testid="hosts">
            {page_head(t::title(l), t::lead(l), head)}
            {loaded(t::title(l), desk.board, 8, |_| ().into_any())}
            {move || there.get().then(|| body(desk))}
        </div>
        {add::dialog(app, desk.adds)}
    }
    .into_any()
}

/// Keeps the board as it is now: asks for it now and then, and hears what each host says meanwhile.
fn follow(desk: Desk) {
    let app = desk.app;
    Effect::new(move || {
        if let Some(board) = desk.board.ready() {
            untrack(|| desk.take_board(board));
        }
    });
    let page = look::begin(move |text| {
        if let Some(pulses) = heard::pulses(text) {
            pulses.hosts.into_iter().for_each(|pulse| desk.take_pulse(pulse));
        }
    });
    look::at(page, BrowserMessage::Look { hosts: true, host: None });
    on_cleanup(move || look::end(page));
    Effect::new(move |before: Option<(i64, i64, u32)>| {
        let now = app.now.get().ms();
        let incidents = app.pulse.with_untracked(|pulse| pulse.number);
        let (mut asked, mut sorted, mut known) = before.unwrap_or((now, now, incidents));
        let again = if known == incidents { AGAIN_MS } else { INCIDENT_MS };
        if now - asked >= again && !crate::browser::dom::is_hidden() {
            (asked, known) = (now, incidents);
            desk.board.reload();
            sparks(desk);
        }
        if now - sorted >= SORT_MS && !desk.is_held() {
            sorted = now;
            desk.sort_again();
        }
        (asked, sorted, known)
    });
    // The lines on tiles, as soon as there are some.
    let wanted = Memo::new(move |_| {
        let count = desk.sorted.with(|board| board.hosts.len());
        count > 0 && desk.ask.with(|ask| ask.view(count) == View::Tiles)
    });
    Effect::new(move || {
        if wanted.get() {
            sparks(desk);
        }
    });
}

fn sparks(desk: Desk) {
    let count = desk.sorted.with_untracked(|board| board.hosts.len());
    if count == 0 || count > arrange::COMB_FROM {
        return;
    }
    let now = desk.app.clock();
    let ask = SeriesQuery {
        hosts: Vec::new(),
        series: vec!["net.if.in.bits".to_owned(), "net.if.out.bits".to_owned()],
        from: now.plus_ms(-SPARK_MS),
        until: now,
        points: SPARK_POINTS,
    };
    spawn_local(async move {
        // Without lines a tile is a tile all the same.
        let Ok(answer) = api::post::<SeriesAnswer>("/api/v1/hosts/series", &ask).await else { return };
        let mut sums: BTreeMap<String, Vec<Option<f32>>> = BTreeMap::new();
        for line in answer.lines.into_iter().filter(|line| arrange::is_carried(&line.series)) {
            let sum = sums.entry(line.host).or_insert_with(|| vec![None; line.mean.len()]);
            for (sum, value) in sum.iter_mut().zip(line.mean) {
                *sum = value.map(|value| sum.unwrap_or(0.0) + value).or(*sum);
            }
        }
        drop(desk.sparks.try_set(sums));
    });
}

fn body(desk: Desk) -> AnyView {
    let l = desk.app.l();
    let nobody = Memo::new(move |_| desk.board.with(|board| board.hosts.is_empty()).unwrap_or(false));
    (move || {
        if nobody.get() {
            let lead = view! { <p>{t::none_lead(l)}</p> }.into_any();
            return view! {
                <section class="card" data-testid="hosts-empty">{empty(t::none(l), lead)} {add::ways(desk.app)}</section>
            }
            .into_any();
        }
        view! { {filters::filters(desk)} {shown(desk)} }.into_any()
    })
    .into_any()
}

fn shown(desk: Desk) -> AnyView {
    let l = desk.app.l();
    let view = Memo::new(move |_| {
        let count = desk.sorted.with(|board| board.hosts.len());
        desk.ask.with(|ask| ask.view(count))
    });
    let groups = Memo::new(move |_| {
        let ask = desk.ask.with(|ask| ask.as_seen(view.get()));
        desk.sorted.with(|board| {
            let places = arrange::shown(&ask, &board.hosts);
            let named =
                |places: Vec<usize>| places.into_iter().map(|n| board.hosts[n].name.clone()).collect::<Vec<_>>();
            let groups = arrange::grouped(&ask, board, places);
            groups.into_iter().map(|(name, places)| (name, named(places))).collect::<Vec<_>>()
        })
    });
    let none = Memo::new(move |_| groups.with(|groups| groups.iter().all(|(_, names)| names.is_empty())));
    let drawn = move || {
        if none.get() {
            let all = move |_| desk.go.run(Ask { view: desk.ask.get_untracked().view, ..Ask::default() });
            let button = view! { <button type="button" class="btn" on:click=all>{t::show_all(l)}</button> };
            return view! { <section class="card">{empty(t::none_match(l), button.into_any())}</section> }.into_any();
        }
        match view.get() {
            View::Tiles => tiles::tiles(desk, groups),
            View::Comb => comb::comb(desk, groups),
            View::Table => table::table(desk, groups),
            View::Multiples => multiples::multiples(desk, groups),
        }
    };
    let pointed = move |_| desk.pointed_at.set_value(desk.app.now.get_untracked().ms());
    view! { <div class="host-list" on:pointermove=pointed>{drawn}</div> }.into_any()
}

/// Hosts that stand together, by name.
pub(super) type Groups = Memo<Vec<(String, Vec<String>)>>;

/// The heading of a group; none where nothing is grouped.
pub(super) fn heading(desk: Desk, name: &str, count: usize, of: usize) -> Option<AnyView> {
    let l = desk.app.l();
    let grouped = desk.ask.with_untracked(|ask| !ask.group.is_empty()) || of > 1;
    let name = if name.is_empty() { t::group_nowhere(l) } else { name.to_owned() };
    grouped.then(|| view! { <h2 class="host-group">{name} " " <span class="count">{count}</span></h2> }.into_any())
}

/// How a host stands: the class of its colour, and a word.
pub(super) fn standing(app: App, row: &HostRow) -> (&'static str, String) {
    let l = app.l();
    match (row.state, arrange::severity(row)) {
        (HostState::Silent, None) => ("silent", t::silent_word(l)),
        (_, Some(severity)) => (crate::components::badge::class(severity), t::in_trouble(l, severity.as_str())),
        (_, None) => ("well", t::calm(l)),
    }
}
