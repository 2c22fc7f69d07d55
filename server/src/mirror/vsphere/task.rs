//! Changes a distributed switch's sessions: one `ReconfigureDvs_Task`, and the wait for what becomes of it.

use super::{
    door::Door,
    faults::Refusal,
    look::Switch,
    planned::{Operation, SPEC_TYPE, spec},
    session::Session,
};
use crate::{
    clock::Stopwatch,
    inventory::{
        Fault,
        vsphere::{
            soap::{Object, Trouble},
            view,
            xml::Written,
        },
    },
};
use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// How soon the task is asked for again; each time a little later.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// What came of a change.
pub(super) enum Changed {
    /// The vCenter says so; whether it is so is to be read back.
    Done,
    /// It did nothing.
    Refused(Refusal),
    /// It did not say, or not in time.
    Unanswered(String),
}

/// What a vCenter says of the task that is under way, for whoever watches.
#[derive(Default)]
pub(super) struct Progress(Mutex<Option<String>>);

impl Progress {
    pub(super) fn said(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn say(&self, what: Option<String>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = what;
    }
}

/// How a task stands.
enum Standing {
    Done,
    Failed(Refusal),
    /// `queued` or `running`, and of a hundred how much is done.
    Under(String, String),
}

/// Does this to sessions of the switch, provided that it is as it was seen.
///
/// # Errors
/// When nothing was sent.
pub(super) async fn change(
    door: &Door,
    progress: &Progress,
    switch: &Switch,
    sessions: &[(Operation, &Session)],
    patience: Duration,
) -> Result<Changed, Fault> {
    let inside = spec(&switch.revision, sessions);
    let arguments = Written::default().typed("spec", SPEC_TYPE, &inside);
    let (arguments, object) = (&arguments, &switch.object);
    // Sent again only in a new session, after the old one had ended before it.
    let begun = door.with(move |within| async move {
        match within.soap.attempt("ReconfigureDvs_Task", object, arguments).await {
            Ok(Ok(reply)) => Ok(match reply.only("returnval").await {
                Ok(task) => Begun::Task(Object::of(&task)),
                Err(fault) => Begun::Unanswered(fault),
            }),
            Ok(Err(refused)) => Ok(Begun::Refused(refused.into())),
            Err(Trouble::Fault(fault)) => Ok(Begun::Unanswered(fault)),
            Err(lost) => Err(lost),
        }
    });
    match begun.await? {
        Begun::Task(task) => {
            let changed = wait(door, progress, &task, patience).await;
            progress.say(None);
            Ok(changed)
        }
        Begun::Refused(refusal) => Ok(Changed::Refused(refusal)),
        Begun::Unanswered(fault) => Ok(Changed::Unanswered(fault.message)),
    }
}

enum Begun {
    Task(Object),
    Refused(Refusal),
    Unanswered(Fault),
}

async fn wait(door: &Door, progress: &Progress, task: &Object, patience: Duration) -> Changed {
    let (watch, patience) = (Stopwatch::start(), i64::try_from(patience.as_millis()).unwrap_or(i64::MAX));
    let mut pause = FIRST_PAUSE;
    loop {
        let last = match standing(door, task).await {
            Ok(Standing::Done) => return Changed::Done,
            Ok(Standing::Failed(refusal)) => return Changed::Refused(refusal),
            Ok(Standing::Under(state, percent)) => {
                tracing::debug!(task = task.id, state, percent, "a vCenter reconfigures a distributed switch");
                let percent = if percent.is_empty() { String::new() } else { format!(", {percent} %") };
                progress.say(Some(format!("{state}{percent}")));
                format!("it is {state}{percent}")
            }
            // The task goes on without us: it is asked for again.
            Err(fault) => fault.message,
        };
        if watch.elapsed_ms() >= patience {
            let message = format!(
                "the task {} of {} had not ended after {} s ({last}); see the vCenter's own task list",
                task.id,
                door.shown(),
                patience / 1_000
            );
            return Changed::Unanswered(message);
        }
        tokio::time::sleep(pause).await;
        pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
    }
}

async fn standing(door: &Door, task: &Object) -> Result<Standing, Fault> {
    door.with(move |within| async move {
        let wanted = view::of_each(&task.kind, [task.id.as_str()], &["info"]);
        let mut info = None;
        view::each(&within.soap, &within.content, &wanted, 1, |object| info = view::value(object, "info").cloned())
            .await?;
        let info = info.unwrap_or_default();
        Ok(match info.text_at("state").unwrap_or("hidden from our account") {
            "success" => Standing::Done,
            "error" => Standing::Failed(Refusal::of_task(&info.child("error").cloned().unwrap_or_default())),
            state => Standing::Under(
                crate::outbound::quote(state, &[]),
                crate::outbound::quote(info.text_at("progress").unwrap_or_default(), &[]),
            ),
        })
    })
    .await
}
