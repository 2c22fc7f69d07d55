//! The outbound heartbeat's way: one POST to the address an administrator configured, wherever it stands.

use crate::outbound::{Deadlines, Outbound, OutboundRequest};
use shared::{
    Delay, Failure,
    config::{OutboundHeartbeat, WebhookChannel},
};
use std::fmt;
use url::Url;

/// A heartbeat more often tells nobody more.
const EVERY_MIN: Delay = Delay::secs(1);

/// The dead-man's switch that is told.
pub(super) struct Heartbeat {
    url: String,
    pub(super) every: Delay,
    outbound: Outbound,
}

impl fmt::Debug for Heartbeat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The address is often a password.
        f.debug_struct("Heartbeat").field("every", &self.every).finish_non_exhaustive()
    }
}

impl Heartbeat {
    pub(super) fn new(
        config: &OutboundHeartbeat,
        limits: &WebhookChannel,
        deadlines: Deadlines,
    ) -> Result<Self, String> {
        let bad = || "heartbeat.url is not an address; write for example https://hc.example.org/ping/KEY".to_owned();
        let url = Url::parse(&config.url).map_err(|_| bad())?;
        let host = url.host().filter(|_| matches!(url.scheme(), "http" | "https")).ok_or_else(bad)?.to_string();
        if config.every < EVERY_MIN {
            return Err("heartbeat.every is too short; write at least 1s".to_owned());
        }
        Ok(Self { url: config.url.clone(), every: config.every, outbound: Outbound::new(limits, &[host], deadlines)? })
    }

    pub(super) async fn beat(&self) -> Result<(), Failure> {
        let request: OutboundRequest =
            OutboundRequest { url: self.url.clone(), headers: Vec::new(), body: Vec::new(), secrets: Vec::new() };
        self.outbound.post(request).await.map(drop)
    }
}
