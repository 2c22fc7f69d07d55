//! A thing on the server: being loaded, loaded, or failed with a reason and a way to try again.

use super::App;
use crate::api::{self, ApiError};
use leptos::{prelude::*, task::spawn_local};
use serde::de::DeserializeOwned;

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Load<T> {
    Loading,
    Ready(T),
    Failed(ApiError),
}

/// Fetched from `path`; what was loaded stays while it is loaded again.
pub(crate) struct Remote<T: Send + Sync + 'static> {
    pub(crate) value: RwSignal<Load<T>>,
    path: StoredValue<String>,
    round: StoredValue<u32>,
    /// Kept, because a timer or an answer that asks again knows no context.
    app: App,
}

impl<T: Send + Sync + 'static> Clone for Remote<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Send + Sync + 'static> Copy for Remote<T> {}

impl<T: DeserializeOwned + Clone + Send + Sync + 'static> Remote<T> {
    pub(crate) fn new(path: impl Into<String>) -> Self {
        let remote = Self::idle(path);
        remote.reload();
        remote
    }

    /// Not fetched until asked.
    pub(crate) fn idle(path: impl Into<String>) -> Self {
        Self {
            value: RwSignal::new(Load::Loading),
            path: StoredValue::new(path.into()),
            round: StoredValue::new(0),
            app: App::here(),
        }
    }

    pub(crate) fn point(self, path: String) {
        if self.path.get_value() != path {
            self.path.set_value(path);
            self.value.set(Load::Loading);
            self.reload();
        }
    }

    pub(crate) fn reload(self) {
        let app = self.app;
        // Asked by an answer that came after the page was left.
        let Some(round) = self.round.try_get_value().map(|round| round + 1) else { return };
        self.round.set_value(round);
        spawn_local(async move {
            let Some(path) = self.path.try_get_value() else { return };
            let answer = api::get::<T>(&path).await;
            // The page may be gone, or a newer request under way.
            if self.round.try_get_value() != Some(round) {
                return;
            }
            match answer {
                Ok(value) => drop(self.value.try_set(Load::Ready(value))),
                Err(error) => {
                    app.noticed(&error);
                    let shown = self.value.try_with_untracked(|value| matches!(value, Load::Ready(_)));
                    if shown == Some(false) {
                        drop(self.value.try_set(Load::Failed(error)));
                    }
                }
            }
        });
    }

    pub(crate) fn ready(self) -> Option<T> {
        self.value.with(|value| if let Load::Ready(value) = value { Some(value.clone()) } else { None })
    }

    pub(crate) fn set(self, value: T) {
        self.value.set(Load::Ready(value));
    }
}
