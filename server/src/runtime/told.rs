//! What a sender's open alerts are to us: what it told, what keeps it quiet and who is paged.

use super::{Runtime, Unavailable};
use shared::{Alert, Format, IncidentId, IntegrationId, PolicyId, SharedStr, SilenceId, Timestamp};

/// An open alert of a sender, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    pub alert: Alert,
    pub incident: IncidentId,
    /// The policies that page for it.
    pub policies: Vec<PolicyId>,
    /// The silences that keep it quiet.
    pub silences: Vec<SilenceId>,
    /// The identities of what it follows from.
    pub follows: Vec<SharedStr>,
}

impl Runtime {
    /// When the engine began.
    pub async fn up_since(&self) -> Result<Timestamp, Unavailable> {
        self.ask(|engine| engine.state.up_since).await
    }

    /// The open alerts that a sender told in this format, oldest first, from memory.
    pub async fn told_by(&self, integration: IntegrationId, format: Format) -> Result<Vec<Told>, Unavailable> {
        self.ask(move |engine| {
            let state = &engine.state;
            let of_sender =
                state.alerts.values().filter(|it| it.integration == integration && it.event.format == format);
            let first_key = |incident: IncidentId| {
                let first = state.incidents.get(&incident)?.alerts.first()?;
                Some(state.alerts.get(first)?.event.dedup_key.clone())
            };
            of_sender
                .filter_map(|alert| {
                    let incident = state.incidents.get(&alert.incident)?;
                    Some(Told {
                        alert: Alert::clone(alert),
                        incident: incident.id,
                        policies: incident.escalations.iter().map(|it| it.policy.clone()).collect(),
                        silences: incident.suppressed.iter().filter_map(|it| it.silence()).collect(),
                        follows: incident
                            .suppressed
                            .iter()
                            .filter_map(|it| it.source())
                            .filter_map(first_key)
                            .collect(),
                    })
                })
                .collect()
        })
        .await
    }
}
