//! Identity: whether a message opens an alert, repeats one, closes one, or concerns nothing.

use crate::state::{Key, State};
use shared::{Action, AlertEvent, AlertId, IntegrationId, timeline::RecoveryMatch};

/// What a message is to the alerts that are open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identity {
    New,
    Repeat(AlertId),
    Recovery(AlertId, RecoveryMatch),
    /// A recovery of nothing that is open.
    Unmatched,
}

/// Finds the alert a message is about. Recoveries match by identity, never by severity or route; the
/// five-field form, whose text may differ on recovery, also matches the only open alert of its host.
#[must_use]
pub fn identify(state: &State, integration: &IntegrationId, event: &AlertEvent) -> Identity {
    let key: Key = (integration.clone(), event.dedup_key.clone());
    match (event.action, state.open.get(&key)) {
        (Action::Trigger, Some(alert)) => Identity::Repeat(*alert),
        (Action::Trigger, None) => Identity::New,
        (Action::Resolve, Some(alert)) => Identity::Recovery(*alert, RecoveryMatch::Key),
        (Action::Resolve, None) if event.resolve_by_host => only_alert_of_host(state, integration, event),
        (Action::Resolve, None) => Identity::Unmatched,
    }
}

fn only_alert_of_host(state: &State, integration: &IntegrationId, event: &AlertEvent) -> Identity {
    let Some(host) = place(event) else { return Identity::Unmatched };
    let alerts = state.by_host.get(&(integration.clone(), host));
    match alerts.map(|alerts| (alerts.len(), alerts.first())) {
        Some((1, Some(alert))) => Identity::Recovery(*alert, RecoveryMatch::OnlyAlertOfHost),
        _ => Identity::Unmatched,
    }
}

/// The host (or address) that groups alerts of one machine; lower case, since senders differ in it.
pub(crate) fn place(event: &AlertEvent) -> Option<String> {
    event.host.as_ref().or(event.ip.as_ref()).map(|host| host.to_lowercase())
}
