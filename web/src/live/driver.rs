//! Carries out what the machine decides: sockets, lists, timers, and one redraw a frame.

use super::{
    look,
    machine::{Command, Connection, Input, Machine},
    read::Delta,
    socket::Socket,
};
use crate::{
    api,
    browser::{self, dom},
    state::{App, app::Pulse, snapshot},
};
use leptos::{prelude::*, task::spawn_local};
use shared::{Timestamp, api::IncidentList, live::BrowserMessage};
use std::{cell::RefCell, time::Duration};

struct Driver {
    app: App,
    machine: Machine,
    socket: Option<Socket>,
    /// Deltas waiting for the next frame.
    queue: Vec<Delta>,
    tick: Option<IntervalHandle>,
    /// Answers of an earlier session are ignored.
    session: u32,
    ticks: u32,
}

thread_local! {
    static DRIVER: RefCell<Option<Driver>> = const { RefCell::new(None) };
    static SESSION: RefCell<u32> = const { RefCell::new(0) };
}

const TICK: Duration = Duration::from_millis(500);
/// The snapshot is written every this many ticks.
const KEEP_EVERY: u32 = 20;
/// Deltas are applied this late at the latest. A hidden page is given no frames, and one that is hidden after it asked for
/// a frame does not get that one either.
const LATEST: Duration = Duration::from_millis(500);
const MOST_PAGES: usize = 40;

/// Connects; an earlier connection is closed first.
pub(crate) fn start(app: App) {
    stop();
    let session = SESSION.with_borrow_mut(|session| {
        *session += 1;
        *session
    });
    let tick = set_interval_with_handle(|| feed(Input::Tick), TICK).ok();
    let driver = Driver { app, machine: Machine::new(), socket: None, queue: Vec::new(), tick, session, ticks: 0 };
    DRIVER.set(Some(driver));
    feed(Input::Start);
}

pub(crate) fn stop() {
    if let Some(driver) = DRIVER.take()
        && let Some(tick) = driver.tick
    {
        tick.clear();
    }
}

/// Listens for the network and the tab coming back; once a page.
pub(crate) fn watch() {
    for event in ["online", "visibilitychange", "pageshow"] {
        let hurry = move |_| {
            if !dom::is_hidden() {
                feed(Input::Hurry);
            }
        };
        // `visibilitychange` is raised at the document and bubbles to the window.
        std::mem::forget(window_event_listener_untyped(event, hurry));
    }
}

/// Tells the machine what happened and does what it says.
pub(crate) fn feed(input: Input) {
    let is_tick = matches!(input, Input::Tick);
    let told = DRIVER.with_borrow_mut(|driver| {
        let driver = driver.as_mut()?;
        let todo = driver.machine.step(input, browser::now_ms(), browser::random());
        if is_tick {
            driver.ticks += 1;
        }
        Some((todo, driver.app, driver.machine.connection(), driver.ticks))
    });
    let Some((todo, app, connection, ticks)) = told else { return };
    for command in todo {
        carry_out(command, app);
    }
    if app.connection.get_untracked() != connection {
        app.connection.set(connection);
    }
    if is_tick && ticks % KEEP_EVERY == 0 && connection == Connection::Live {
        snapshot::keep(app);
    }
}

fn carry_out(command: Command, app: App) {
    match command {
        Command::Connect => {
            let socket = Socket::open();
            let refused = socket.is_none();
            set_socket(socket);
            if refused {
                set_timeout(|| feed(Input::Closed), Duration::ZERO);
            }
        }
        Command::Disconnect => set_socket(None),
        Command::Send(message) => say(&message),
        Command::Look => {
            if let Some(message) = look::said() {
                say(&message);
            }
        }
        Command::Measured(text) => look::heard(&text),
        Command::FetchList => fetch_list(app),
        Command::Apply(delta) => queue(*delta),
        Command::Clock(now) => app.set_clock(Timestamp::from_ms(now)),
        Command::SignedOut => {
            app.signed_out();
            app.toasts.bad(crate::text::frame::signed_out_elsewhere(app.l()));
        }
        Command::Outdated => app.outdated.set(true),
    }
}

/// Says something, if there is a connection.
pub(super) fn say(message: &BrowserMessage) {
    DRIVER.with_borrow(|driver| {
        if let Some(socket) = driver.as_ref().and_then(|driver| driver.socket.as_ref()) {
            socket.send(message);
        }
    });
}

fn set_socket(socket: Option<Socket>) {
    let old =
        DRIVER.with_borrow_mut(|driver| driver.as_mut().map(|driver| std::mem::replace(&mut driver.socket, socket)));
    drop(old);
}

fn session() -> Option<u32> {
    DRIVER.with_borrow(|driver| driver.as_ref().map(|driver| driver.session))
}

fn fetch_list(app: App) {
    let asked_in = session();
    spawn_local(async move {
        let answer = whole_list().await;
        if session() != asked_in {
            return;
        }
        match answer {
            Ok(list) => {
                let seq = list.seq;
                app.set_clock(list.now);
                app.board.load(list, false);
                feed(Input::ListLoaded { seq });
            }
            Err(error) => {
                app.noticed(&error);
                app.board.failed(error);
                feed(Input::ListFailed);
            }
        }
    });
}

/// All pages of the list, true at the first one's number: later deltas only repeat what the others say.
async fn whole_list() -> Result<IncidentList, api::ApiError> {
    let mut list: IncidentList = api::get("/api/v1/incidents?limit=500").await?;
    for _ in 1..MOST_PAGES {
        let Some(after) = list.next.take() else { break };
        let path = format!("/api/v1/incidents?limit=500&after={}", api::query::encoded(&after));
        let more: IncidentList = api::get(&path).await?;
        list.items.extend(more.items);
        list.next = more.next;
    }
    Ok(list)
}

fn queue(delta: Delta) {
    let first = DRIVER.with_borrow_mut(|driver| {
        driver.as_mut().is_some_and(|driver| {
            driver.queue.push(delta);
            driver.queue.len() == 1
        })
    });
    if !first {
        return;
    }
    if !dom::is_hidden() {
        request_animation_frame(flush);
    }
    set_timeout(flush, LATEST);
}

fn flush() {
    let Some((app, queue)) =
        DRIVER.with_borrow_mut(|driver| driver.as_mut().map(|driver| (driver.app, std::mem::take(&mut driver.queue))))
    else {
        return;
    };
    // The frame was first, or the timer was.
    if queue.is_empty() {
        return;
    }
    let mut touched = Vec::new();
    let mut heard_now = Vec::new();
    for Delta { rows, gone, counts, heard_in, now, config, .. } in queue {
        touched.extend(rows.iter().chain(&gone).map(|row| row.id));
        heard_now.extend(heard_in);
        app.board.apply(rows, gone, counts, now);
        if config.is_some() {
            app.refresh_on_call();
        }
    }
    if !heard_now.is_empty() {
        app.heard.set(heard_now);
    }
    app.pulse.update(|pulse| *pulse = Pulse { number: pulse.number + 1, incidents: touched });
}
