//! Around the decisions on suspects: what comes back after a restart, what is still to be looked for, what a page says.

use super::{Suspicion, is_own};
use crate::{Engine, compile::SELF, event::Wake, state::State};
use shared::{
    Alert, AlertEvent, AlertId, IncidentId, SharedStr, SuppressedBy, Timestamp,
    placement::{Common, Neighbourhood, Placement},
};
use std::collections::BTreeSet;

/// An open alert whose machine may be looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sought {
    pub alert: AlertId,
    pub host: Option<SharedStr>,
    pub ip: Option<SharedStr>,
    pub mac: Option<SharedStr>,
}

impl Engine {
    /// Takes over what was known of where machines run, and what was suspected.
    pub(crate) fn restore_places(&mut self, places: Vec<(AlertId, Placement)>, now: Timestamp) {
        let mode = self.config().document.suspects.clone();
        let State { alerts, incidents, suspects, deadlines, .. } = &mut self.state;
        for (id, placement) in places {
            if let Some(alert) = alerts.get(&id) {
                suspects.seat(alert, &placement);
            }
        }
        for parent in alerts.values().filter(|alert| is_own(alert)) {
            deadlines.set(now, Wake::Suspects);
            let found = suspects.crowds.iter().find(|(spot, _)| *parent.event.dedup_key == *spot.identity());
            let Some((spot, crowd)) = found else { continue };
            let quiet = |id: &&AlertId| {
                let incident = alerts.get(*id).and_then(|alert| incidents.get(&alert.incident));
                incident.is_some_and(|incident| {
                    let by = |by: &SuppressedBy| matches!(by, SuppressedBy::Suspect { source, .. } if *source == parent.incident);
                    incident.suppressed.iter().any(by)
                })
            };
            let covered: BTreeSet<AlertId> = crowd.alerts.iter().filter(quiet).copied().collect();
            let ways = covered.iter().filter_map(|id| suspects.seat_of(*id)).map(|seat| seat.way).collect();
            let told = suspects.vms(covered.iter()).len();
            let (spot, least) = (spot.clone(), crowd.least(&mode));
            let (severity, parent) = (parent.severity(), parent.id);
            let suspicion = Suspicion { parent, ways, covered, least, told, severity, clears_at: None };
            suspects.parents.insert(parent, spot.clone());
            if let Some(crowd) = suspects.crowds.get_mut(&spot) {
                crowd.suspicion = Some(suspicion);
            }
        }
    }

    /// Open alerts whose machine should be looked for: those that have none yet, those that are quiet because of what they
    /// had in common with others, and those that came so lately that they may be the reason for a suspicion. The newest, at
    /// most so many.
    #[must_use]
    pub fn sought(&self, most: usize, now: Timestamp) -> Vec<Sought> {
        let suspects = &self.state.suspects;
        let since = now.plus_ms(-self.config().document.suspects.within.0);
        let wanted = |alert: &Alert| {
            alert.integration.as_str() != SELF
                && (alert.first_at > since || !suspects.knows(alert.id) || suspects.covers(alert.id))
        };
        let of = |alert: &Alert| {
            let AlertEvent { host, ip, mac, .. } = &alert.event;
            Sought { alert: alert.id, host: host.clone(), ip: ip.clone(), mac: mac.clone() }
        };
        self.state
            .alerts
            .values()
            .rev()
            .take(most)
            .map(|alert| &**alert)
            .filter(|alert| wanted(alert))
            .map(of)
            .collect()
    }

    /// The VM that an incident is about and how its neighbours are; none when that is not beyond doubt.
    #[must_use]
    pub fn neighbourhood(&self, incident: IncidentId) -> Option<Neighbourhood> {
        let (incident, suspects) = (self.state.incidents.get(&incident)?, &self.state.suspects);
        let seat = incident.alerts.iter().find_map(|id| suspects.seat_of(*id))?;
        let on = seat.spots.iter().find(|spot| spot.what == Common::Hypervisor)?;
        let crowd = suspects.crowds.get(on)?;
        let failing = suspects.vms(crowd.alerts.iter()).len() as u32;
        let vms = crowd.vms.max(failing);
        Some(Neighbourhood { vm: seat.name.to_string(), hypervisor: crowd.name.to_string(), vms, failing })
    }
}
