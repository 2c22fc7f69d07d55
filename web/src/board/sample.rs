//! Rows for tests.

use shared::{
    IncidentId, IncidentState, Severity, Timestamp,
    api::{IncidentRow, Proof},
};

pub(crate) fn row(id: i64, severity: Severity, state: IncidentState) -> IncidentRow {
    IncidentRow {
        id: IncidentId(id),
        version: 1,
        state,
        severity,
        title: format!("title {id}"),
        host: Some(format!("db-{id:02}")),
        ip: Some("10.8.3.21".to_owned()),
        hosts: Vec::new(),
        integration: "falcon".into(),
        team: Some("db".into()),
        count: 1,
        alerts: 1,
        flapping: false,
        stale: false,
        firing: 1,
        opened_at: Timestamp::from_ms(id * 1_000),
        updated_at: Timestamp::from_ms(id * 1_000),
        acked_by: None,
        suppressed: Vec::new(),
        ack_until: None,
        snoozed_until: None,
        resolved_at: None,
        next: None,
        exhausted: false,
        proof: Proof { recipients: vec!["li".to_owned()], best: None, delay_ms: None, failed: 0 },
    }
}
