//! How urgent an alert is, and why we think so.

use crate::{compile::Snapshot, matcher::Subject, route};
use shared::{AlertEvent, Flag, IntegrationId, RouteId, Severity, timeline::SeverityReason};

/// The severity of a message before routing: stated by it, or the integration's default.
#[must_use]
pub fn classify(event: &AlertEvent) -> SeverityReason {
    if event.flags.contains(&Flag::DefaultSeverity) {
        SeverityReason::Default { severity: event.severity }
    } else {
        SeverityReason::Stated { severity: event.severity }
    }
}

/// The severity an event would have after routing, without deciding anything: for lanes that P0 has to itself.
#[must_use]
pub fn foresee(config: &Snapshot, integration: &IntegrationId, event: &AlertEvent) -> Severity {
    let stated = event.severity;
    if !route::sets_severity(&config.tree) {
        return stated;
    }
    let routing = route::route(&config.tree, &Subject { event, integration, severity: stated });
    routing.severity.map_or(stated, |(_, severity)| severity)
}

/// The severity after routing: a route may overrule what the message said.
#[must_use]
pub fn overruled(reason: SeverityReason, by_route: Option<(&RouteId, Severity)>) -> SeverityReason {
    match by_route {
        Some((route, severity)) if severity != reason.severity() => {
            SeverityReason::Route { severity, route: route.clone(), was: reason.severity() }
        }
        _ => reason,
    }
}
