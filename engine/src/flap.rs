//! Flapping: an alert that fires and recovers again and again is one incident, kept open until it is calm. It pages as one
//! that fires steadily would; firing once more pages nobody anew.

use crate::{engine::Turn, event::Wake};
use shared::{
    AlertId, EventId, Flapping, IncidentId, Timestamp,
    timeline::{Actor, Happening},
};
use std::sync::Arc;

impl Turn<'_> {
    /// An alert of an incident is over: whether the incident flaps, and so stays open.
    pub(crate) fn flaps(&mut self, id: IncidentId, alert: AlertId, event: EventId, by: &Actor, opened: u32) -> bool {
        if self.flaps_on(id) {
            return true;
        }
        let bounds = self.config.document.flapping.clone();
        if bounds.times == 0 || opened < bounds.times {
            return false;
        }
        let until = self.now.after(bounds.calm);
        let now = self.now;
        let Some(incident) = self.incident(id) else { return false };
        incident.flapping = Some(Box::new(Flapping { since: now, until, changes: 1 }));
        incident.updated_at = now;
        self.engine.state.deadlines.set(until, Wake::Calm { incident: id });
        let began = Happening::FlappingBegan {
            alert,
            event,
            times: opened,
            within_ms: bounds.within.0,
            calm_ms: bounds.calm.0,
        };
        self.note(id, by.clone(), began);
        true
    }

    /// An incident that flaps changed once more; whether it does.
    pub(crate) fn flaps_on(&mut self, id: IncidentId) -> bool {
        let until = self.now.after(self.config.document.flapping.calm);
        let state = &mut self.engine.state;
        let Some(flapping) =
            state.incidents.get_mut(&id).map(Arc::make_mut).and_then(|incident| incident.flapping.as_mut())
        else {
            return false;
        };
        let before = std::mem::replace(&mut flapping.until, until);
        flapping.changes = flapping.changes.saturating_add(1);
        state.deadlines.clear(before, Wake::Calm { incident: id });
        state.deadlines.set(until, Wake::Calm { incident: id });
        state.dirty.incidents.insert(id);
        true
    }

    /// Nothing changed for a while: it is over, or it fires steadily and is an incident like any other.
    pub(crate) fn calm(&mut self, id: IncidentId, at: Timestamp) {
        let Some(incident) = self.engine.state.incidents.get(&id) else { return };
        let Some(changes) = incident.flapping.as_ref().filter(|it| it.until == at).map(|it| it.changes) else { return };
        let firing = incident.firing > 0;
        self.note(id, Actor::System, Happening::FlappingEnded { changes, firing });
        if !firing {
            self.end(id);
            return;
        }
        self.forget_flapping(id);
        self.severity_falls(id, Actor::System);
        self.start_over(id);
    }

    /// It flaps no longer, for whatever reason.
    pub(crate) fn forget_flapping(&mut self, id: IncidentId) {
        let state = &mut self.engine.state;
        let Some(incident) = state.incidents.get_mut(&id).map(Arc::make_mut) else { return };
        if let Some(flapping) = incident.flapping.take() {
            state.deadlines.clear(flapping.until, Wake::Calm { incident: id });
            state.dirty.incidents.insert(id);
        }
    }
}
