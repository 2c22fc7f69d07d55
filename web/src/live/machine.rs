//! What the live connection does next, as a pure function of what happened: no clock, no socket, no dice.
//!
//! The list (by HTTP) states the sequence number it is true at; the socket then delivers every later delta.
//! Deltas that arrive while a list is being fetched wait for it, so that nothing is lost in between.

use super::backoff;
use super::read::{Delta, Message};
use shared::live::{BrowserMessage, PROTOCOL, WATCHDOG_MS};
use std::collections::VecDeque;

/// Below this a lost connection is only "reconnecting"; above it the page says it is offline.
pub(crate) const OFFLINE_AFTER_MS: i64 = 10_000;
/// More deltas than this while a list is under way, and the list is fetched once more instead.
const MOST_WAITING: usize = 256;

/// What the top bar says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Connection {
    /// Never been live since the page was opened.
    Connecting,
    Live,
    /// Lost a moment ago.
    Stale {
        since: i64,
    },
    /// Lost for a while: what is shown is as old as `since`.
    Offline {
        since: i64,
    },
}

/// What happened.
#[derive(Clone, Debug)]
pub(crate) enum Input {
    Start,
    Opened,
    Said(Message),
    Closed,
    /// A list arrived, true at this sequence number.
    ListLoaded {
        seq: u64,
    },
    ListFailed,
    /// The browser says the network is back, or the page became visible.
    Hurry,
    Tick,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Command {
    Connect,
    Disconnect,
    Send(BrowserMessage),
    FetchList,
    Apply(Box<Delta>),
    /// The server's clock, to count down with.
    Clock(i64),
    /// The server answers, and does not know yet what of hosts is looked at.
    Look,
    /// What is measured of hosts, for whoever looks.
    Measured(String),
    SignedOut,
    /// The server speaks another protocol: a reload gets the matching page.
    Outdated,
}

/// The machine; `now` is the browser's clock in milliseconds.
#[derive(Debug)]
pub(crate) struct Machine {
    connection: Connection,
    open: bool,
    connecting: bool,
    greeted: bool,
    seq: Option<u64>,
    fetching: bool,
    refetch_at: Option<i64>,
    waiting: VecDeque<Box<Delta>>,
    attempt: u32,
    retry_at: Option<i64>,
    heard_at: i64,
    lost_at: Option<i64>,
    over: bool,
}

impl Machine {
    pub(crate) fn new() -> Self {
        Self {
            connection: Connection::Connecting,
            open: false,
            connecting: false,
            greeted: false,
            seq: None,
            fetching: false,
            refetch_at: None,
            waiting: VecDeque::new(),
            attempt: 0,
            retry_at: None,
            heard_at: 0,
            lost_at: None,
            over: false,
        }
    }

    pub(crate) const fn connection(&self) -> Connection {
        self.connection
    }

    pub(crate) fn step(&mut self, input: Input, now: i64, random: f64) -> Vec<Command> {
        let mut todo = Vec::new();
        if self.over {
            return todo;
        }
        match input {
            Input::Start => {
                self.lost_at = Some(now);
                self.connect(now, &mut todo);
                self.fetch(&mut todo);
            }
            Input::Opened => {
                self.open = true;
                self.connecting = false;
                self.heard_at = now;
            }
            Input::Said(message) => {
                self.heard_at = now;
                self.said(message, now, &mut todo);
            }
            Input::Closed => self.lost(now, random),
            Input::ListLoaded { seq } => self.list_loaded(seq, now, &mut todo),
            Input::ListFailed => {
                self.fetching = false;
                self.refetch_at = Some(now + backoff::wait_ms(3, random));
            }
            Input::Hurry => self.hurry(now, &mut todo),
            Input::Tick => self.tick(now, random, &mut todo),
        }
        self.judge(now);
        todo
    }

    fn said(&mut self, message: Message, now: i64, todo: &mut Vec<Command>) {
        match message {
            Message::Hello(hello) if hello.protocol != PROTOCOL => {
                self.over = true;
                todo.extend([Command::Disconnect, Command::Outdated]);
            }
            Message::Hello(hello) => {
                self.greeted = true;
                self.attempt = 0;
                todo.extend([Command::Clock(hello.now.ms()), Command::Look]);
                self.resume(now, todo);
            }
            Message::Delta(delta) => {
                todo.push(Command::Clock(delta.now.ms()));
                self.delta(delta, todo);
            }
            Message::Resync => {
                self.waiting.clear();
                self.seq = None;
                self.fetch(todo);
            }
            Message::Ping(ping) => {
                todo.extend([Command::Clock(ping.now.ms()), Command::Send(BrowserMessage::Pong)]);
            }
            Message::Measured(text) => todo.push(Command::Measured(text)),
            Message::SignedOut => {
                self.over = true;
                todo.extend([Command::Disconnect, Command::SignedOut]);
            }
        }
    }

    fn delta(&mut self, delta: Box<Delta>, todo: &mut Vec<Command>) {
        let seq = delta.seq;
        match self.seq {
            Some(known) if !self.fetching && seq == known + 1 => {
                self.seq = Some(seq);
                todo.push(Command::Apply(delta));
            }
            Some(known) if seq <= known => {}
            _ => {
                if self.waiting.len() >= MOST_WAITING {
                    self.waiting.clear();
                }
                self.waiting.push_back(delta);
                self.fetch(todo);
            }
        }
    }

    /// Deltas that waited and follow the list are applied; the server is told where we are.
    fn list_loaded(&mut self, seq: u64, now: i64, todo: &mut Vec<Command>) {
        self.fetching = false;
        self.refetch_at = None;
        let mut known = seq;
        let mut gap = false;
        for delta in std::mem::take(&mut self.waiting) {
            if delta.seq == known + 1 {
                known = delta.seq;
                todo.push(Command::Apply(delta));
            } else if delta.seq > known {
                gap = true;
                self.waiting.push_back(delta);
            }
        }
        self.seq = Some(known);
        if gap {
            self.fetch(todo);
        }
        self.resume(now, todo);
    }

    fn resume(&mut self, now: i64, todo: &mut Vec<Command>) {
        if let (true, Some(seq)) = (self.greeted && self.open, self.seq) {
            self.connection = Connection::Live;
            self.lost_at = None;
            self.heard_at = now;
            todo.push(Command::Send(BrowserMessage::Resume { seq }));
        }
    }

    fn lost(&mut self, now: i64, random: f64) {
        self.open = false;
        self.connecting = false;
        self.greeted = false;
        self.lost_at.get_or_insert(now);
        self.retry_at = Some(now + backoff::wait_ms(self.attempt, random));
        self.attempt = self.attempt.saturating_add(1);
    }

    fn hurry(&mut self, now: i64, todo: &mut Vec<Command>) {
        self.attempt = 0;
        if !self.open && !self.connecting {
            self.connect(now, todo);
        }
        if self.seq.is_none() {
            self.fetch(todo);
        }
    }

    fn tick(&mut self, now: i64, random: f64, todo: &mut Vec<Command>) {
        if (self.open || self.connecting) && now - self.heard_at > WATCHDOG_MS {
            // The last word we heard is how old the page is, not the moment we noticed.
            self.lost_at.get_or_insert(self.heard_at);
            todo.push(Command::Disconnect);
            self.lost(now, random);
        } else if self.retry_at.is_some_and(|at| at <= now) {
            self.connect(now, todo);
        }
        if self.refetch_at.is_some_and(|at| at <= now) {
            self.fetch(todo);
        }
    }

    fn connect(&mut self, now: i64, todo: &mut Vec<Command>) {
        self.retry_at = None;
        self.connecting = true;
        self.heard_at = now;
        todo.push(Command::Connect);
    }

    fn fetch(&mut self, todo: &mut Vec<Command>) {
        if !self.fetching {
            self.fetching = true;
            self.refetch_at = None;
            todo.push(Command::FetchList);
        }
    }

    fn judge(&mut self, now: i64) {
        let never_live = self.connection == Connection::Connecting;
        if let Some(since) = self.lost_at {
            self.connection = match now - since {
                ..OFFLINE_AFTER_MS if never_live => Connection::Connecting,
                ..OFFLINE_AFTER_MS => Connection::Stale { since },
                _ => Connection::Offline { since },
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::read::{Hello, Ping};
    use shared::Timestamp;

    fn hello(protocol: u32) -> Input {
        Input::Said(Message::Hello(Hello { protocol, now: Timestamp::from_ms(5) }))
    }

    fn delta(seq: u64) -> Box<Delta> {
        Box::new(Delta::empty(seq, Timestamp::from_ms(5)))
    }

    fn said(seq: u64) -> Message {
        Message::Delta(delta(seq))
    }

    fn live(seq: u64) -> Machine {
        let mut machine = Machine::new();
        machine.step(Input::Start, 0, 0.5);
        machine.step(Input::Opened, 10, 0.5);
        machine.step(hello(PROTOCOL), 20, 0.5);
        machine.step(Input::ListLoaded { seq }, 30, 0.5);
        assert_eq!(machine.connection(), Connection::Live);
        machine
    }

    fn applied(todo: &[Command]) -> usize {
        todo.iter().filter(|command| matches!(command, Command::Apply(_))).count()
    }

    #[test]
    fn it_is_live_once_greeted_and_listed_in_either_order() {
        let mut machine = Machine::new();
        assert_eq!(machine.step(Input::Start, 0, 0.5), [Command::Connect, Command::FetchList]);
        machine.step(Input::ListLoaded { seq: 4 }, 5, 0.5);
        assert_eq!(machine.connection(), Connection::Connecting);
        machine.step(Input::Opened, 10, 0.5);
        let todo = machine.step(hello(PROTOCOL), 20, 0.5);
        assert!(todo.contains(&Command::Send(BrowserMessage::Resume { seq: 4 })));
        assert_eq!(machine.connection(), Connection::Live);
    }

    #[test]
    fn a_delta_out_of_turn_fetches_the_list_and_loses_nothing() {
        let mut machine = live(4);
        assert_eq!(applied(&machine.step(Input::Said(said(5)), 40, 0.5)), 1);
        assert_eq!(applied(&machine.step(Input::Said(said(5)), 41, 0.5)), 0, "said twice, applied once");
        let todo = machine.step(Input::Said(said(8)), 42, 0.5);
        assert!(todo.contains(&Command::FetchList) && applied(&todo) == 0);
        machine.step(Input::Said(said(9)), 43, 0.5);
        let todo = machine.step(Input::ListLoaded { seq: 7 }, 60, 0.5);
        assert_eq!(applied(&todo), 2, "what arrived meanwhile follows the list");
        assert_eq!(applied(&machine.step(Input::Said(said(10)), 70, 0.5)), 1);
    }

    #[test]
    fn a_resync_fetches_the_list() {
        let mut machine = live(4);
        let todo = machine.step(Input::Said(Message::Resync), 40, 0.5);
        assert_eq!(todo, [Command::FetchList]);
        let todo = machine.step(Input::ListLoaded { seq: 90 }, 50, 0.5);
        assert!(todo.contains(&Command::Send(BrowserMessage::Resume { seq: 90 })));
    }

    #[test]
    fn a_lost_connection_is_stale_then_offline_and_retried() {
        let mut machine = live(4);
        machine.step(Input::Closed, 1_000, 1.0);
        assert_eq!(machine.connection(), Connection::Stale { since: 1_000 });
        assert!(machine.step(Input::Tick, 1_400, 1.0).is_empty());
        assert_eq!(machine.step(Input::Tick, 1_500, 1.0), [Command::Connect]);
        machine.step(Input::Closed, 1_600, 1.0);
        machine.step(Input::Tick, 11_000, 1.0);
        assert_eq!(machine.connection(), Connection::Offline { since: 1_000 });
    }

    #[test]
    fn hurry_retries_at_once_but_never_twice() {
        let mut machine = live(4);
        machine.step(Input::Closed, 1_000, 1.0);
        assert_eq!(machine.step(Input::Hurry, 1_001, 1.0), [Command::Connect]);
        assert!(machine.step(Input::Hurry, 1_002, 1.0).is_empty());
    }

    #[test]
    fn silence_is_a_lost_connection_as_old_as_the_last_word() {
        let mut machine = live(4);
        let todo = machine.step(Input::Tick, 30 + WATCHDOG_MS + 1, 0.5);
        assert_eq!(todo, [Command::Disconnect]);
        assert_eq!(machine.connection(), Connection::Offline { since: 30 });
    }

    #[test]
    fn a_ping_is_answered_and_sets_the_clock() {
        let todo = live(4).step(Input::Said(Message::Ping(Ping { now: Timestamp::from_ms(77) })), 40, 0.5);
        assert_eq!(todo, [Command::Clock(77), Command::Send(BrowserMessage::Pong)]);
    }

    #[test]
    fn what_is_looked_at_is_said_on_each_connection() {
        let mut machine = live(4);
        machine.step(Input::Closed, 1_000, 0.5);
        machine.step(Input::Opened, 2_000, 0.5);
        assert!(machine.step(hello(PROTOCOL), 2_010, 0.5).contains(&Command::Look));
        let todo = machine.step(Input::Said(Message::Measured("{}".into())), 2_020, 0.5);
        assert_eq!(todo, [Command::Measured("{}".into())]);
    }

    #[test]
    fn being_signed_out_or_outdated_ends_it() {
        let mut machine = live(4);
        let todo = machine.step(Input::Said(Message::SignedOut), 40, 0.5);
        assert!(todo.contains(&Command::SignedOut));
        assert!(machine.step(Input::Hurry, 50, 0.5).is_empty());
        let mut machine = Machine::new();
        machine.step(Input::Start, 0, 0.5);
        machine.step(Input::Opened, 1, 0.5);
        assert!(machine.step(hello(PROTOCOL + 1), 2, 0.5).contains(&Command::Outdated));
    }
}
