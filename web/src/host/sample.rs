//! Hosts for tests.

use shared::{
    Severity, Timestamp,
    api::HostRow,
    host::{Feed, HostState, Vitals},
};

pub(crate) fn host(name: &str, cpu: f32) -> HostRow {
    HostRow {
        name: name.to_owned(),
        state: HostState::Live,
        seen_at: Timestamp::from_ms(1_000),
        every_ms: 10_000,
        feeds: vec![Feed::Agent],
        ip: "10.0.0.7".parse().ok(),
        cpus: 4,
        groups: vec![],
        hypervisor: None,
        cluster: None,
        vitals: Vitals { cpu_busy: Some(cpu), ..Vitals::default() },
        severity: None,
        incidents: 0,
        worst: None,
    }
}

pub(crate) fn bad(name: &str, severity: Severity) -> HostRow {
    HostRow { severity: Some(severity), incidents: 1, ..host(name, 50.0) }
}
