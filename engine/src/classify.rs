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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_p0_by_its_route_is_foreseen() {
        let text = r#"
            [[policies]]
            id = "p"
            levels = [{ notify = [], delay = "5m" }]
            [[routes]]
            id = "payments"
            match = ["host=~\"pay-.*\""]
            policy = "p"
            severity = "P0"
        "#;
        let config = Snapshot::compile(1, toml::from_str(text).unwrap()).unwrap();
        let integration = shared::config::Integration::undeclared("shop".into());
        let foreseen = |line: &str| {
            let received_at = shared::Timestamp(1_795_244_400_000);
            let source =
                crate::normalize::Source { integration: &integration, content_type: None, format: None, received_at };
            let read = crate::normalize::normalize(&source, line.as_bytes());
            foresee(&config, &integration.id, &read.events[0].event)
        };
        assert_eq!(foreseen("[P2][PROBLEM][pay-1][10.0.0.1][slow]"), Severity::P0);
        assert_eq!(foreseen("[P2][PROBLEM][web-1][10.0.0.2][slow]"), Severity::P2);
    }
}
