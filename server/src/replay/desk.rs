//! The one replay at a time that is asked for over HTTP: on a thread of its own, watched and cancelled from elsewhere.

use super::{Order, replay};
use crate::db::Readers;
use engine::replay::Stopped;
use shared::api::ReplayState;
use std::{
    io,
    ops::ControlFlow,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

/// Where replays are begun; the last result is kept until the next one begins.
#[derive(Debug, Default)]
pub struct Desk {
    last: Mutex<Option<Arc<Job>>>,
}

#[derive(Debug)]
struct Job {
    state: Mutex<ReplayState>,
    cancelled: AtomicBool,
}

/// Another one runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a replay is under way")]
pub struct Occupied;

impl Desk {
    /// Begins a replay, and gives its state.
    ///
    /// # Errors
    /// The outer one when there is no thread for it, the inner one when another replay runs.
    pub fn begin(&self, readers: Arc<Readers>, order: Order) -> io::Result<Result<ReplayState, Occupied>> {
        let mut last = lock(&self.last);
        let before = last.as_ref().map(|job| lock(&job.state).clone());
        if before.as_ref().is_some_and(|state| state.running) {
            return Ok(Err(Occupied));
        }
        let state = ReplayState {
            id: before.map_or(1, |state| state.id + 1),
            running: true,
            messages: 0,
            from: order.span.from,
            until: order.span.until,
            at: order.span.from,
            result: None,
            failure: None,
        };
        let job = Arc::new(Job { state: Mutex::new(state.clone()), cancelled: AtomicBool::new(false) });
        let working = Arc::clone(&job);
        thread::Builder::new().name("replay".to_owned()).spawn(move || working.run(&readers, order))?;
        *last = Some(job);
        Ok(Ok(state))
    }

    /// The replay that runs or ran last.
    #[must_use]
    pub fn look(&self) -> Option<ReplayState> {
        lock(&self.last).as_ref().map(|job| lock(&job.state).clone())
    }

    /// Lets the running replay end without a result, soon.
    pub fn cancel(&self) {
        if let Some(job) = lock(&self.last).as_ref() {
            job.cancelled.store(true, Ordering::Relaxed);
        }
    }
}

impl Job {
    fn run(&self, readers: &Readers, order: Order) {
        let from = order.span.from;
        let progress = |progress: engine::replay::Progress| {
            let mut state = lock(&self.state);
            (state.messages, state.at) = (progress.messages, progress.at.max(from));
            if self.cancelled.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        // Whoever waits is told that it failed, rather than left waiting.
        let done = catch_unwind(AssertUnwindSafe(|| replay(readers, order, progress)));
        let mut state = lock(&self.state);
        state.running = false;
        match done {
            Ok(Ok(result)) => state.result = Some(result),
            Ok(Err(Stopped::Cancelled)) => state.failure = Some("It was cancelled.".to_owned()),
            Ok(Err(Stopped::Unreadable(error))) => {
                tracing::warn!(%error, "a replay could not go on");
                state.failure = Some("The database did not answer; try again.".to_owned());
            }
            Err(_) => state.failure = Some("It failed; the server's log says where.".to_owned()),
        }
    }
}

/// What a thread that panicked left is whole: every change is one assignment.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
