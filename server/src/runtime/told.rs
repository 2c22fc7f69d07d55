//! What a sender's open alerts are to us: what it told, what keeps it quiet and who is paged.

use super::{Runtime, Unavailable};
use engine::{State, dedup};
use shared::{
    Alert, AlertEvent, Format, IncidentId, IncidentState, IntegrationId, PolicyId, SharedStr, SilenceId, Timestamp,
};

/// An open alert of a sender, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    pub alert: Alert,
    pub incident: IncidentId,
    /// Where that stands.
    pub state: IncidentState,
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

    /// The open alerts of a sender, of one format or of all, oldest first, from memory.
    pub async fn told_by(&self, integration: IntegrationId, format: Option<Format>) -> Result<Vec<Told>, Unavailable> {
        self.ask(move |engine| {
            let of_sender =
                engine.state.alerts.values().filter(|it| {
                    it.integration == integration && format.is_none_or(|format| it.event.format == format)
                });
            of_sender.filter_map(|alert| Told::of(&engine.state, alert)).collect()
        })
        .await
    }

    /// Whether nothing but alerts of this sender fires in an incident: what is done to it concerns nobody else.
    pub async fn is_only_of(&self, incident: IncidentId, integration: IntegrationId) -> Result<bool, Unavailable> {
        self.ask(move |engine| {
            let of = |id: &shared::AlertId| engine.state.alerts.get(id).map(|it| &it.integration);
            let found = engine.state.incidents.get(&incident);
            found.is_some_and(|it| it.alerts.iter().filter_map(of).all(|it| *it == integration))
        })
        .await
    }

    /// The open alert of a sender with this identity.
    pub async fn told_under(&self, integration: IntegrationId, key: String) -> Result<Option<Told>, Unavailable> {
        self.ask(move |engine| {
            let state = &engine.state;
            let known = dedup::open(state, &integration, &key).and_then(|id| state.alerts.get(&id));
            known.and_then(|alert| Told::of(state, alert))
        })
        .await
    }

    /// The open alert of a sender with this identity, or else the first that is another name for it.
    pub async fn told_as(
        &self,
        integration: IntegrationId,
        key: String,
        is_same: impl Fn(&AlertEvent) -> bool + Send + 'static,
    ) -> Result<Option<Told>, Unavailable> {
        self.ask(move |engine| {
            let state = &engine.state;
            let known = dedup::open(state, &integration, &key).and_then(|id| state.alerts.get(&id));
            let same = || state.alerts.values().find(|it| it.integration == integration && is_same(&it.event));
            known.or_else(same).and_then(|alert| Told::of(state, alert))
        })
        .await
    }
}

impl Told {
    fn of(state: &State, alert: &Alert) -> Option<Self> {
        let first_key = |incident: IncidentId| {
            let first = state.incidents.get(&incident)?.alerts.first()?;
            Some(state.alerts.get(first)?.event.dedup_key.clone())
        };
        let incident = state.incidents.get(&alert.incident)?;
        Some(Self {
            alert: alert.clone(),
            incident: incident.id,
            state: incident.state,
            policies: incident.escalations.iter().map(|it| it.policy.clone()).collect(),
            silences: incident.suppressed.iter().filter_map(|it| it.silence()).collect(),
            follows: incident.suppressed.iter().filter_map(|it| it.source()).filter_map(first_key).collect(),
        })
    }
}
