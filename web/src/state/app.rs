//! The one context every component can ask for.

use super::{board::Board, prefs::Prefs, toast::Toasts};
use crate::{
    api::{self, ApiError},
    browser::{self, zone},
    format::civil::Civil,
    live::machine::Connection,
    shifts,
    state::snapshot,
};
use leptos::{prelude::*, task::spawn_local};
use shared::{
    IncidentId, PersonId, Timestamp,
    api::{OnCallNow, Role, SessionInfo},
    config::Language,
};
use std::{collections::BTreeMap, time::Duration};

/// Between questions that were not answered.
const ASK_AGAIN_MS: i64 = 15_000;

/// Who is signed in.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Session {
    /// Not asked yet.
    Unknown,
    Out,
    In(SessionInfo),
}

/// Where a part of the application is that is fetched after the first.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Rest {
    Awaited,
    Here,
    /// It was asked for and did not arrive.
    Missing,
}

/// A change to incidents, for the pages that look at one.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Pulse {
    pub(crate) number: u32,
    pub(crate) incidents: Vec<IncidentId>,
}

#[derive(Clone, Copy)]
pub(crate) struct App {
    pub(crate) session: RwSignal<Session>,
    pub(crate) prefs: Prefs,
    /// The server's clock, once a second.
    pub(crate) now: RwSignal<Timestamp>,
    /// Server minus browser, in milliseconds.
    skew: StoredValue<i64>,
    pub(crate) connection: RwSignal<Connection>,
    pub(crate) outdated: RwSignal<bool>,
    /// What explains an incident, and the questions before an action.
    pub(crate) further: RwSignal<Rest>,
    /// Every page but the first ones.
    pub(crate) rest: RwSignal<Rest>,
    /// What is measured of hosts.
    pub(crate) measured: RwSignal<Rest>,
    pub(crate) board: Board,
    pub(crate) toasts: Toasts,
    pub(crate) pulse: RwSignal<Pulse>,
    /// What the server last said about messages that came in: deltas as JSON, read by the pages that show it.
    pub(crate) heard: RwSignal<Vec<String>>,
    pub(crate) on_call: RwSignal<Option<OnCallNow>>,
    pub(crate) palette: RwSignal<bool>,
    pub(crate) help: RwSignal<bool>,
    /// Said politely to screen readers.
    pub(crate) announced: RwSignal<String>,
}

impl App {
    pub(crate) fn new() -> Self {
        Self {
            session: RwSignal::new(Session::Unknown),
            prefs: Prefs::remembered(),
            now: RwSignal::new(Timestamp::from_ms(browser::now_ms())),
            skew: StoredValue::new(0),
            connection: RwSignal::new(Connection::Connecting),
            outdated: RwSignal::new(false),
            further: RwSignal::new(Rest::Awaited),
            rest: RwSignal::new(Rest::Awaited),
            measured: RwSignal::new(Rest::Awaited),
            board: Board::new(),
            toasts: Toasts::new(),
            pulse: RwSignal::new(Pulse::default()),
            heard: RwSignal::new(Vec::new()),
            on_call: RwSignal::new(None),
            palette: RwSignal::new(false),
            help: RwSignal::new(false),
            announced: RwSignal::new(String::new()),
        }
    }

    pub(crate) fn here() -> Self {
        expect_context::<Self>()
    }

    pub(crate) fn start_clock(self) {
        set_interval(move || self.now.set(self.clock()), Duration::from_secs(1));
    }

    pub(crate) fn clock(self) -> Timestamp {
        Timestamp::from_ms(browser::now_ms() + self.skew.get_value())
    }

    /// The server said what time it is.
    pub(crate) fn set_clock(self, server: Timestamp) {
        let skew = server.ms() - browser::now_ms();
        // A little less than the network's delay is not worth a jump of every countdown.
        if (skew - self.skew.get_value()).abs() > 400 {
            self.skew.set_value(skew);
            self.now.set(self.clock());
        }
    }

    /// The language of this rendering; a change of language draws everything anew.
    pub(crate) fn l(self) -> Language {
        self.prefs.language.get_untracked()
    }

    pub(crate) fn role(self) -> Role {
        self.session.with(|session| if let Session::In(info) = session { info.role } else { Role::Viewer })
    }

    pub(crate) fn info(self) -> Option<SessionInfo> {
        self.session.with(|session| if let Session::In(info) = session { Some(info.clone()) } else { None })
    }

    /// The own person of the on-call configuration.
    pub(crate) fn me(self) -> Option<PersonId> {
        self.info().and_then(|info| info.person)
    }

    pub(crate) fn civil(self, at: Timestamp) -> Civil {
        zone::civil(&self.prefs.zone.get_untracked(), at.ms())
    }

    /// `03:02`, with the date when it is not today.
    pub(crate) fn clock_time(self, at: Timestamp) -> String {
        let (then, today) = (self.civil(at), self.civil(self.now.get_untracked()));
        if then.same_day(today) { then.short_time() } else { format!("{} {}", then.date(self.l()), then.short_time()) }
    }

    /// Names of people, as far as they are known.
    pub(crate) fn names(self) -> BTreeMap<PersonId, String> {
        self.on_call.with(|on_call| on_call.as_ref().map(|on_call| on_call.names.clone()).unwrap_or_default())
    }

    /// An answer said that nobody is signed in.
    pub(crate) fn noticed(self, error: &ApiError) {
        if error.is_signed_out() {
            self.signed_out();
        }
    }

    pub(crate) fn signed_out(self) {
        crate::live::driver::stop();
        snapshot::forget();
        self.board.clear();
        self.on_call.set(None);
        self.session.set(Session::Out);
    }

    pub(crate) fn signed_in(self, info: SessionInfo) {
        self.prefs.suggest_language(info.language);
        snapshot::restore(self, &info.login);
        self.session.set(Session::In(info));
        crate::live::driver::start(self);
        self.refresh_on_call();
    }

    /// Asks again who is on call when a shift ended or began.
    pub(crate) fn follow_hand_offs(self) {
        let asked_at = StoredValue::new(Timestamp::from_ms(0));
        Effect::new(move || {
            let now = self.now.get();
            let outdated =
                self.on_call.with(|known| known.as_ref().is_some_and(|known| shifts::is_outdated(known, now)));
            if outdated && now.ms_since(asked_at.get_value()) > ASK_AGAIN_MS {
                asked_at.set_value(now);
                self.refresh_on_call();
            }
        });
    }

    pub(crate) fn refresh_on_call(self) {
        spawn_local(async move {
            if let Ok(on_call) = api::get::<OnCallNow>("/api/v1/oncall").await {
                self.on_call.set(Some(on_call));
            }
        });
    }
}
