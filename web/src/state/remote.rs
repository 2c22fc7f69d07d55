//! A thing on the server: being loaded, loaded, or failed with a reason and a way to try again.

use super::App;
use crate::{
    api::{self, ApiError},
    browser::dom,
};
use leptos::{prelude::*, task::spawn_local};
use serde::de::DeserializeOwned;
use std::{any::Any, marker::PhantomData, sync::Arc};

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Load<T> {
    Loading,
    Ready(T),
    Failed(ApiError),
}

/// Does something again every so often while somebody looks: where nobody tells of changes, they are asked for.
pub(crate) fn look_again(app: App, every_ms: i64, again: impl Fn() + 'static) {
    Effect::new(move |before: Option<i64>| {
        let now = app.now.get().ms() / every_ms;
        if before.is_some_and(|before| before != now) && !dom::is_hidden() {
            untrack(&again);
        }
        now
    });
}

/// Fetched from a path; what was loaded stays while it is loaded again.
pub(crate) struct Remote<T> {
    untyped: Untyped,
    of: PhantomData<fn() -> T>,
}

impl<T> Clone for Remote<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Remote<T> {}

impl<T: DeserializeOwned + Clone + Send + Sync + 'static> Remote<T> {
    pub(crate) fn new(path: impl Into<String>) -> Self {
        let remote = Self::idle(path);
        remote.reload();
        remote
    }

    /// Not fetched until asked.
    pub(crate) fn idle(path: impl Into<String>) -> Self {
        Self::read_by(path, |answer| api::read::<T>(answer).map(|value| Arc::new(value) as Something))
    }

    /// Takes what somebody else was answered.
    pub(crate) fn take(self, answer: String) {
        self.untyped.settle((self.untyped.read)(Ok(answer)));
    }
}

impl<T: Clone + Send + Sync + 'static> Remote<T> {
    /// Not fetched until asked; `read` makes a `T` of what is answered.
    pub(crate) fn read_by(path: impl Into<String>, read: Reader) -> Self {
        let untyped = Untyped {
            value: RwSignal::new(Load::Loading),
            path: StoredValue::new(path.into()),
            round: StoredValue::new(0),
            read,
            app: App::here(),
        };
        Self { untyped, of: PhantomData }
    }

    pub(crate) fn point(self, path: String) {
        self.untyped.point(path);
    }

    pub(crate) fn reload(self) {
        self.untyped.reload();
    }

    /// Loads from another path; what was loaded stays until then.
    pub(crate) fn turn(self, path: String) {
        if self.untyped.path.try_set_value(path).is_none() {
            self.untyped.reload();
        }
    }

    pub(crate) fn ready(self) -> Option<T> {
        self.with(Clone::clone)
    }

    /// Looks at what is there, if anything is.
    pub(crate) fn with<R>(self, look: impl FnOnce(&T) -> R) -> Option<R> {
        self.untyped
            .value
            .with(|value| if let Load::Ready(value) = value { value.downcast_ref().map(look) } else { None })
    }

    pub(crate) fn get(self) -> Load<T> {
        match self.untyped.value.get() {
            Load::Ready(value) => value.downcast_ref().map_or(Load::Loading, |value: &T| Load::Ready(value.clone())),
            Load::Failed(error) => Load::Failed(error),
            Load::Loading => Load::Loading,
        }
    }

    pub(crate) fn set(self, value: T) {
        self.untyped.value.set(Load::Ready(Arc::new(value)));
    }

    pub(crate) const fn untyped(self) -> Untyped {
        self.untyped
    }
}

pub(crate) type Something = Arc<dyn Any + Send + Sync>;
/// Makes the thing of what the server answered.
pub(crate) type Reader = fn(Result<String, ApiError>) -> Result<Something, ApiError>;

/// A remote thing of whatever type. What does not depend on the type is compiled once.
#[derive(Clone, Copy)]
pub(crate) struct Untyped {
    value: RwSignal<Load<Something>>,
    path: StoredValue<String>,
    round: StoredValue<u32>,
    read: Reader,
    /// Kept, because a timer or an answer that asks again knows no context.
    app: App,
}

impl Untyped {
    pub(crate) fn get(self) -> Load<()> {
        self.value.with(|value| match value {
            Load::Loading => Load::Loading,
            Load::Ready(_) => Load::Ready(()),
            Load::Failed(error) => Load::Failed(error.clone()),
        })
    }

    fn point(self, path: String) {
        if self.path.get_value() != path {
            self.path.set_value(path);
            self.value.set(Load::Loading);
            self.reload();
        }
    }

    pub(crate) fn reload(self) {
        // Asked by an answer that came after the page was left.
        let Some(round) = self.round.try_get_value().map(|round| round + 1) else { return };
        self.round.set_value(round);
        spawn_local(async move {
            let Some(path) = self.path.try_get_value() else { return };
            let answer = api::get_text(&path).await;
            // The page may be gone, or a newer request under way.
            if self.round.try_get_value() == Some(round) {
                self.settle((self.read)(answer));
            }
        });
    }

    fn settle(self, answer: Result<Something, ApiError>) {
        match answer {
            Ok(value) => drop(self.value.try_set(Load::Ready(value))),
            Err(error) => {
                self.app.noticed(&error);
                let shown = self.value.try_with_untracked(|value| matches!(value, Load::Ready(_)));
                if shown == Some(false) {
                    drop(self.value.try_set(Load::Failed(error)));
                }
            }
        }
    }
}
