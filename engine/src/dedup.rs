//! Identity: whether a message opens an alert, repeats one, closes one, or concerns nothing.

use crate::state::State;
use shared::{Action, AlertEvent, AlertId, Format, IntegrationId, timeline::RecoveryMatch};

/// What a message is to the alerts that are open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identity {
    New,
    Repeat(AlertId),
    /// More is said of an alert.
    Update(AlertId),
    Acknowledgement(AlertId),
    Recovery(AlertId, RecoveryMatch),
    /// A recovery of nothing that is open, an answer to it or news of it.
    Unmatched,
    /// It is about no alert at all.
    Change,
}

/// Finds the alert a message is about. Recoveries match by identity, never by severity or route; the
/// five-field form, whose text may differ on recovery, also matches the only open alert of its host; an event
/// whose type says that it is over, the only one of its host and type.
#[must_use]
pub fn identify(state: &State, integration: &IntegrationId, event: &AlertEvent) -> Identity {
    match (event.action, open(state, integration, &event.dedup_key)) {
        (Action::Trigger, Some(alert)) => Identity::Repeat(alert),
        (Action::Trigger, None) => Identity::New,
        (Action::Resolve, Some(alert)) => Identity::Recovery(alert, RecoveryMatch::Key),
        (Action::Resolve, None) if event.resolve_by_host => only_alert_of_host(state, integration, event),
        (Action::Acknowledge, Some(alert)) => Identity::Acknowledgement(alert),
        (Action::Update, Some(alert)) => Identity::Update(alert),
        (Action::Resolve | Action::Acknowledge | Action::Update, None) => Identity::Unmatched,
        (Action::Change, _) => Identity::Change,
    }
}

/// The open alert with this identity.
#[must_use]
pub fn open(state: &State, integration: &IntegrationId, key: &str) -> Option<AlertId> {
    state
        .open
        .candidates(integration, key)
        .find(|id| state.alerts.get(id).is_some_and(|it| it.integration == *integration && it.event.dedup_key == key))
}

fn only_alert_of_host(state: &State, integration: &IntegrationId, event: &AlertEvent) -> Identity {
    let Some(host) = place(event) else { return Identity::Unmatched };
    let could_be = |id: &AlertId| state.alerts.get(id).is_some_and(|alert| is_kin(event, &alert.event));
    let mut alerts = of_host(state, integration, &host).filter(could_be);
    match (alerts.next(), alerts.next()) {
        (Some(only), None) if !is_said_again(state, integration, event) => {
            Identity::Recovery(only, RecoveryMatch::OnlyAlertOfHost)
        }
        _ => Identity::Unmatched,
    }
}

/// Whether a recovery could be of this one: an event of CloudEvents also says of which source and type, which stand in its identity
/// before the words.
fn is_kin(recovery: &AlertEvent, open: &AlertEvent) -> bool {
    let kin = |event: &AlertEvent| event.dedup_key.rsplit_once('|').map(|(kin, _)| kin.to_owned());
    recovery.format != Format::CloudEvents || kin(recovery).is_some_and(|of| kin(open) == Some(of))
}

/// Whether what an event of CloudEvents names is over already: then it is of nothing else.
fn is_said_again(state: &State, integration: &IntegrationId, event: &AlertEvent) -> bool {
    let key = || (integration.clone(), event.dedup_key.clone());
    event.format == Format::CloudEvents && state.recent.contains_key(&key())
}

/// The open alerts of a machine, oldest first.
pub(crate) fn of_host<'a>(
    state: &'a State,
    integration: &'a IntegrationId,
    host: &'a str,
) -> impl Iterator<Item = AlertId> + 'a {
    state.by_host.candidates(integration, host).filter(move |id| {
        let same =
            |alert: &shared::Alert| alert.integration == *integration && place(&alert.event).as_deref() == Some(host);
        state.alerts.get(id).is_some_and(|alert| same(alert))
    })
}

/// The host (or address) that groups alerts of one machine; lower case, since senders differ in it.
pub(crate) fn place(event: &AlertEvent) -> Option<String> {
    event.host.as_ref().or(event.ip.as_ref()).map(|host| host.to_lowercase())
}
