//! How urgent an alert is, and why we think so.

use crate::{
    compile::Snapshot,
    matcher::{Matcher, Subject},
    route::{self, Fault},
    window::Windows,
};
use shared::{
    AlertEvent, ClassId, Flag, IntegrationId, RouteId, Severity, Timestamp, config::Integration,
    timeline::SeverityReason,
};

/// A compiled rule of an integration.
#[derive(Clone, Debug)]
pub struct Class {
    id: ClassId,
    matchers: Vec<Matcher>,
    severity: Severity,
}

/// Compiles the rules of an integration; faults are collected.
pub(crate) fn compile(integration: &Integration, windows: &Windows, faults: &mut Vec<Fault>) -> Vec<Class> {
    let class = |class: &shared::config::Class| {
        let path = format!("integrations[{}].classes[{}]", integration.id, class.id);
        let matchers = route::conditions(&class.matches, &path, windows, faults);
        Class { id: class.id.clone(), matchers, severity: class.severity }
    };
    integration.classes.iter().map(class).collect()
}

/// The severity of a message before routing. P0 to P6 in the message wins over everything; otherwise the first rule of
/// its integration that matches, then what the sender's word usually means, then the integration's default.
#[must_use]
pub fn classify(config: &Snapshot, integration: &IntegrationId, event: &AlertEvent, now: Timestamp) -> SeverityReason {
    let severity = event.severity;
    let defaulted = event.flags.contains(&Flag::DefaultSeverity);
    if !defaulted && event.severity_word.is_none() {
        return SeverityReason::Stated { severity };
    }
    let subject = Subject { event, integration, severity, now };
    let matches = |class: &&Class| class.matchers.iter().all(|matcher| matcher.holds(&subject));
    match (config.classes.get(integration).and_then(|classes| classes.iter().find(matches)), &event.severity_word) {
        (Some(class), _) => SeverityReason::Class { severity: class.severity, class: class.id.clone(), was: severity },
        (None, Some(word)) if !defaulted => SeverityReason::Word { severity, word: word.to_string() },
        (None, _) => SeverityReason::Default { severity },
    }
}

/// The severity an event would have after routing, without deciding anything: for lanes that P0 has to itself.
#[must_use]
pub fn foresee(config: &Snapshot, integration: &IntegrationId, event: &AlertEvent, now: Timestamp) -> Severity {
    let severity = classify(config, integration, event, now).severity();
    if !route::sets_severity(&config.tree) {
        return severity;
    }
    let routing = route::decide(&config.tree, &Subject { event, integration, severity, now });
    routing.severity.map_or(severity, |(_, severity)| severity)
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
            let received_at = shared::Timestamp::from_ms(1_795_244_400_000);
            let source = crate::normalize::Source {
                integration: &integration,
                content_type: None,
                format: None,
                peer: None,
                received_at,
            };
            let read = crate::normalize::normalize(&source, line.as_bytes());
            foresee(&config, &integration.id, &read.events[0].event, received_at)
        };
        assert_eq!(foreseen("[P2][PROBLEM][pay-1][10.0.0.1][slow]"), Severity::P0);
        assert_eq!(foreseen("[P2][PROBLEM][web-1][10.0.0.2][slow]"), Severity::P2);
    }
}
