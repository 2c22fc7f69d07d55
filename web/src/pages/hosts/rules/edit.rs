//! What of the configuration the editors of rules, templates and groups change: whole sections, put in force at once.

use super::{form, group};
use crate::{
    api::ApiError,
    components::{modal::modal, states::loaded},
    pages::sections::{self, Named},
    state::{App, Remote},
    text::host_rules as t,
};
use leptos::prelude::*;
use serde::{Deserialize, Deserializer};
use shared::{
    HostGroupId, TemplateId, ThresholdId,
    api::ConfigDraft,
    config::{HostGroup, Template, Threshold},
};

/// What is edited: one that there is, or a new one.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Edited {
    Group(Option<HostGroupId>),
    Template(Option<TemplateId>),
    Rule(Option<(TemplateId, ThresholdId)>),
}

/// The configuration as far as these forms need it.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Outline {
    pub(super) version: i64,
    #[serde(deserialize_with = "known")]
    pub(super) document: Known,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Known {
    pub(super) host_groups: Vec<HostGroup>,
    pub(super) templates: Vec<Template>,
    pub(super) time_windows: Vec<Named>,
}

fn known<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Known, D::Error> {
    Ok(sections::read(deserializer)?.0)
}

/// What the forms share.
#[derive(Clone, Copy)]
pub(super) struct Desk {
    pub(super) app: App,
    outline: StoredValue<Outline>,
    pub(super) busy: RwSignal<bool>,
    pub(super) refusal: RwSignal<Option<ApiError>>,
    pub(super) close: Callback<bool>,
}

impl Desk {
    pub(super) fn known(self) -> Known {
        self.outline.with_value(|outline| outline.document.clone())
    }

    /// Puts the sections in force that `change` leaves.
    pub(super) fn apply(self, change: impl FnOnce(&mut Known)) {
        let (before, version) = self.outline.with_value(|outline| (outline.document.clone(), outline.version));
        let mut after = before.clone();
        change(&mut after);
        let draft = ConfigDraft {
            host_groups: (after.host_groups != before.host_groups).then_some(after.host_groups),
            templates: (after.templates != before.templates).then_some(after.templates),
            ..ConfigDraft::default()
        };
        let close = self.close;
        sections::apply(self.app, (draft, version), t::saved, self.busy, self.refusal, move || close.run(true));
    }
}

pub(super) fn editor(app: App, what: Edited, close: Callback<bool>) -> AnyView {
    let remote = Remote::<Outline>::new("/api/v1/config/document");
    loaded(t::title(app.l()), remote, 8, move |outline| {
        let desk = Desk {
            app,
            outline: StoredValue::new(outline),
            busy: RwSignal::new(false),
            refusal: RwSignal::new(None),
            close,
        };
        match &what {
            Edited::Group(id) => group::group(desk, id.as_ref()),
            Edited::Template(id) => group::template(desk, id.as_ref()),
            Edited::Rule(place) => form::rule(desk, place.as_ref()),
        }
    })
}

/// The end of each form: what was refused, and its buttons. `remove` is there where there is something to remove.
pub(super) fn form_end(desk: Desk, name: String, remove: Option<Callback<()>>) -> AnyView {
    let l = desk.app.l();
    let asks = RwSignal::new(false);
    let removal = remove.map(|remove| {
        let words = t::removed_ask(l, &name);
        let title = name.clone();
        let content = move || {
            let words = words.clone();
            view! {
                <p>{words}</p>
                <div class="form-end">
                    <button type="button" class="btn" on:click=move |_| asks.set(false)>{t::cancel(l)}</button>
                    <button type="button" class="btn danger" on:click=move |_| { asks.set(false); remove.run(()) }>{t::remove(l)}</button>
                </div>
            }
            .into_any()
        };
        view! {
            <button type="button" class="btn danger" on:click=move |_| asks.set(true)>{t::remove(l)}</button>
            {modal(asks, "narrow", move || title.clone(), content)}
        }
    });
    view! {
        <div aria-live="polite">{move || desk.refusal.get().map(|error| crate::pages::settings::problem(desk.app, &error))}</div>
        <div class="form-end">
            {removal}
            <button type="button" class="btn" on:click=move |_| desk.close.run(false)>{t::cancel(l)}</button>
            <button class="btn primary" data-testid="rule-save" disabled=move || desk.busy.get()>{t::save(l)}</button>
        </div>
    }
    .into_any()
}

/// A name that none of these has.
pub(super) fn fresh<'a>(stem: &str, taken: impl Iterator<Item = &'a str>) -> String {
    let taken: Vec<&str> = taken.collect();
    (1..).map(|n| format!("{stem}{n}")).find(|id| !taken.contains(&id.as_str())).unwrap_or_default()
}

/// A new rule to begin with.
pub(super) fn fresh_rule(template: &Template) -> Threshold {
    Threshold {
        id: fresh("rule", template.rules.iter().map(|rule| rule.id.as_str())).into(),
        name: String::new(),
        when: "all(#3) cpu.idle < 5".to_owned(),
        hold: shared::Delay(0),
        clear: None,
        severity: shared::Severity::P2,
        max_steps: 3,
        every: shared::Delay::mins(5),
        during: Vec::new(),
        note: None,
        service: None,
        labels: std::collections::BTreeMap::new(),
        paused: false,
    }
}
