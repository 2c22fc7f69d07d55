//! What the editors of single sections of the configuration share: the little they read of it, and putting them in force.

use crate::{
    api::{self, ApiError},
    state::App,
};
use leptos::{prelude::*, task::spawn_local};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error as _},
};
use shared::{
    PersonId,
    api::{ConfigDraft, ConfigReport},
    config::Language,
};
use std::collections::BTreeMap;

/// Something of the configuration that a form names.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::pages) struct Named {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) time_zone: Option<String>,
}

impl Named {
    pub(in crate::pages) fn id(&self) -> &str {
        &self.id
    }

    /// What people call it.
    pub(in crate::pages) fn title(&self) -> &str {
        if self.name.is_empty() { &self.id } else { &self.name }
    }
}

/// What people are called.
pub(super) fn names(people: &[Named]) -> BTreeMap<PersonId, String> {
    people.iter().map(|it| (it.id.as_str().into(), it.name.clone())).collect()
}

/// Reads the little that is shown, and gives the whole as text: the engine's module alone knows how to read it.
pub(in crate::pages) fn read<'de, D: Deserializer<'de>, Known: DeserializeOwned>(
    deserializer: D,
) -> Result<(Known, String), D::Error> {
    let value = serde_json::Value::deserialize(deserializer)?;
    let text = value.to_string();
    Ok((serde_json::from_value(value).map_err(D::Error::custom)?, text))
}

/// Puts sections in force that were changed in this version, and says so; a refusal is shown where it belongs.
pub(in crate::pages) fn apply(
    app: App,
    (sections, version): (ConfigDraft, i64),
    said: fn(Language, i64) -> String,
    busy: RwSignal<bool>,
    refusal: RwSignal<Option<ApiError>>,
    done: impl Fn() + 'static,
) {
    busy.set(true);
    spawn_local(async move {
        let answer = api::put_seen::<ConfigReport>("/api/v1/config/sections", &sections, version).await;
        busy.try_set(false);
        match answer {
            Ok(report) => {
                app.toasts.good(said(app.l(), report.version), None);
                done();
            }
            Err(error) => drop(refusal.try_set(Some(error))),
        }
    });
}
