//! The pager's own alert about a mirror that cannot be ended: traffic is copied that nobody allowed any more.

use crate::{
    compile::SELF,
    engine::{Engine, Turn},
};
use shared::{Action, AlertEvent, Format, MirrorId, Pairs, Severity, mirror::Mirror};
use std::collections::BTreeMap;

impl Engine {
    /// Whether the alert about it is open.
    pub(super) fn has_alarm(&self, id: MirrorId) -> bool {
        let (own, key) = (SELF.into(), key(id));
        let mut candidates = self.state.open.candidates(&own, &key);
        candidates.any(|alert| self.state.alerts.get(&alert).is_some_and(|it| it.event.dedup_key.as_str() == key))
    }
}

impl Turn<'_> {
    /// Wakes somebody, once.
    pub(super) fn raise(&mut self, id: MirrorId) {
        let Some(running) = self.engine.state.mirrors.get_mut(&id) else { return };
        if std::mem::replace(&mut running.raised, true) {
            return;
        }
        let event = event(&running.mirror, Action::Trigger);
        self.announce(event);
    }

    /// It is gone after all.
    pub(super) fn lower(&mut self, id: MirrorId) {
        let Some(running) = self.engine.state.mirrors.get_mut(&id) else { return };
        if std::mem::replace(&mut running.raised, false) {
            let event = event(&running.mirror, Action::Resolve);
            self.announce(event);
        }
    }
}

/// By which it is known.
fn key(id: MirrorId) -> String {
    format!("mirror:{id}")
}

/// The alert, as if a sender had written it.
fn event(mirror: &Mirror, action: Action) -> AlertEvent {
    let place = mirror.place();
    let labels: BTreeMap<String, String> =
        [("mirror", mirror.id.to_string()), ("backend", place.backend.to_string()), ("switch", place.switch)]
            .map(|(name, value)| (name.to_owned(), value))
            .into();
    let content = mirror.trouble.as_ref().map_or_else(String::new, |trouble| trouble.message.clone());
    AlertEvent {
        action,
        summary: format!("port mirror {} cannot be ended: its traffic may still be copied", mirror.id).into(),
        content: content.into(),
        labels: Pairs::from(labels),
        dedup_key: key(mirror.id).into(),
        ..AlertEvent::blank(Format::Json, Severity::P1)
    }
}
