//! Monitoring systems of the demo: they post what goes wrong to their ingest addresses, again while it lasts, and that it is over.

use super::{
    dice::Dice,
    trouble::{TROUBLES, Trouble},
};
use crate::{
    http::App,
    live::BoardFilter,
    outbound::{Deadlines, Outbound, OutboundRequest},
};
use actix_web::web;
use shared::{IntegrationId, config::WebhookChannel};
use std::{collections::BTreeMap, time::Duration};

/// With fewer open incidents at the start, a whole bad morning is sent at once.
const QUIET: u32 = 15;
/// With more than these, only recoveries are sent.
const BUSY: u32 = 45;
/// Seconds between two messages.
const PAUSE_S: (u64, u64) = (3, 11);

/// The way to our own addresses, as any sender would go: through the socket.
pub(super) struct House {
    outbound: Outbound,
    base: String,
}

struct Senders {
    house: House,
    tokens: BTreeMap<IntegrationId, String>,
    /// By place in the cast: how often it was sent.
    lasting: BTreeMap<usize, u32>,
    dice: Dice,
}

impl House {
    /// None when no way out can be made; that is said.
    pub(super) fn new(app: &App) -> Option<Self> {
        let limits =
            WebhookChannel { allow_networks: vec!["127.0.0.0/8".to_owned(), "::1/128".to_owned()], allow_http: true };
        match Outbound::new(&limits, &["localhost".to_owned()], Deadlines::default()) {
            Ok(outbound) => Some(Self { outbound, base: app.instance.own_url.clone() }),
            Err(error) => {
                tracing::warn!(error, "the demo's senders cannot begin");
                None
            }
        }
    }

    pub(super) async fn post(&self, path: &str, token: &str, body: String, content_type: &'static str) {
        let request = OutboundRequest {
            url: format!("{}{path}", self.base),
            headers: vec![("content-type", content_type.to_owned())],
            body: body.into_bytes(),
            secrets: vec![token.to_owned()],
        };
        if let Err(failure) = self.outbound.post(request).await {
            tracing::debug!(failure.detail, "a demo message was not taken");
        }
    }
}

pub(super) async fn run(app: web::Data<App>, house: House, tokens: Vec<(IntegrationId, String)>, dice: Dice) {
    let mut senders = Senders { house, tokens: tokens.into_iter().collect(), lasting: BTreeMap::new(), dice };
    // Let the people see the page before the house catches fire.
    pause(Duration::from_secs(1)).await;
    if app.board.list(&everything(), crate::clock::now()).total < QUIET {
        senders.bad_morning().await;
    }
    loop {
        pause(Duration::from_secs(senders.dice.between(PAUSE_S.0, PAUSE_S.1))).await;
        let open = app.board.list(&everything(), crate::clock::now()).total;
        senders.something_happens(open).await;
    }
}

impl Senders {
    /// Nearly everything at once, some of it several times, some of it over already.
    async fn bad_morning(&mut self) {
        for place in 0..TROUBLES.len() {
            self.begins(place).await;
            for _ in 0..self.dice.below(4) {
                self.begins(place).await;
            }
            pause(Duration::from_millis(120)).await;
        }
        for _ in 0..3 {
            self.one_is_over().await;
        }
    }

    async fn something_happens(&mut self, open: u32) {
        let chance = self.dice.below(100);
        if open > BUSY || chance < 25 {
            self.one_is_over().await;
        } else if chance < 60 {
            // What lasts is sent again and again.
            let lasting: Vec<usize> = self.lasting.keys().copied().collect();
            if let Some(place) = self.dice.pick(&lasting).copied() {
                self.begins(place).await;
            }
        } else {
            let place = self.dice.below(TROUBLES.len());
            self.begins(place).await;
        }
    }

    async fn begins(&mut self, place: usize) {
        let Some(trouble) = TROUBLES.get(place) else { return };
        let again = self.lasting.entry(place).or_default();
        let (body, content_type) = trouble.body(false, *again);
        *again += 1;
        self.post(trouble, body, content_type).await;
    }

    async fn one_is_over(&mut self) {
        let lasting: Vec<usize> = self.lasting.keys().copied().collect();
        let Some(place) = self.dice.pick(&lasting).copied() else { return };
        self.lasting.remove(&place);
        if let Some(trouble) = TROUBLES.get(place) {
            let (body, content_type) = trouble.body(true, 0);
            self.post(trouble, body, content_type).await;
        }
    }

    async fn post(&self, trouble: &Trouble, body: String, content_type: &'static str) {
        if let Some(token) = self.tokens.get(&IntegrationId::from(trouble.sender)) {
            self.house.post(&format!("/ingest/{token}"), token, body, content_type).await;
        }
    }
}

pub(super) async fn pause(length: Duration) {
    tokio::time::sleep(length).await;
}

/// As much as a list gives at once.
fn everything() -> BoardFilter {
    BoardFilter { limit: 500, ..BoardFilter::default() }
}
