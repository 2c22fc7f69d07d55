//! How pages leave: each channel delivers one page once and says what came of it; it never retries by itself.
//!
//! The outcome is accepted, or a [`Failure`] that is permanent (no retry can help), transient, or ambiguous (it
//! may have arrived). After an ambiguous one the same key is used again, so that whoever honours keys shows the
//! page once.

mod email;
mod heartbeat;
mod ntfy;
mod smtp;
mod webhook;

use crate::outbound::{self, Deadlines, Outbound};
use shared::{
    AttemptId, Delay, Failure, Incident, Page, SilenceId, config,
    placement::Neighbourhood,
    text::{Language, PageText, bundle_text, neighbourhood, page_text},
};
use std::{fmt, sync::Arc};

/// One try of one delivery, with everything a channel needs to know.
pub struct Delivery {
    /// The idempotency key, the same for every try.
    pub key: String,
    pub attempt: AttemptId,
    /// 1 for the first.
    pub try_number: u32,
    pub incident: Arc<Incident>,
    pub page: Page,
    pub language: Language,
    pub address: Address,
    /// The capability link by which the recipient can acknowledge.
    pub ack_url: Option<String>,
    pub incident_url: String,
    /// Somebody tries their contact; nothing is wrong.
    pub test: bool,
    /// All levels are used up and still nobody has answered.
    pub reminder: bool,
    /// Other incidents the message is about, the most severe first.
    pub others: Vec<Arc<Incident>>,
    /// Pages are collected, because so many incidents came at once.
    pub storm: bool,
    /// How the neighbours of its machine are; said of one incident alone.
    pub near: Option<Neighbourhood>,
    /// The store takes nothing: the decision to page is not recorded, and the incident may not be found later.
    pub unrecorded: bool,
}

/// One try of one notice: nobody has to answer it.
#[derive(Debug)]
pub struct Letter {
    /// The same for every try.
    pub key: String,
    pub silence: SilenceId,
    pub text: PageText,
    pub language: Language,
    pub address: Address,
    /// The page it leads to.
    pub url: String,
}

impl Letter {
    /// Fit to be shown anywhere as plain text.
    fn visible(&self) -> PageText {
        PageText {
            title: outbound::visible(&self.text.title).replace('\n', " "),
            body: outbound::visible(&self.text.body),
        }
    }
}

/// Where a delivery goes.
#[derive(Clone, PartialEq, Eq)]
pub enum Address {
    Email { to: String, name: String },
    Ntfy { topic: String },
    Webhook { url: String, secret: Option<String>, recipient: String },
}

impl Address {
    /// The channel's name in metrics and logs.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Email { .. } => "email",
            Self::Ntfy { .. } => "ntfy",
            Self::Webhook { .. } => "webhook",
        }
    }
}

/// The provider took it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accepted {
    /// The provider's own id of the message, if it gave one.
    pub provider_id: Option<String>,
}

impl Delivery {
    /// Title and body, fit to be shown anywhere as plain text.
    fn text(&self) -> PageText {
        let text = if self.others.is_empty() {
            let mut text = page_text(self.language, &self.incident, self.page.level, self.reminder);
            if let Some(near) = &self.near {
                text.body = format!("{}\n{}", text.body, neighbourhood(self.language, near));
            }
            text
        } else {
            let all: Vec<&Incident> = std::iter::once(&self.incident).chain(&self.others).map(|it| &**it).collect();
            bundle_text(self.language, &all, self.storm)
        };
        let mark = match (self.test, self.unrecorded, self.language) {
            (false, false, _) => "",
            (true, _, Language::En) => "[TEST] ",
            (true, _, Language::Zh) => "【测试】",
            (false, true, Language::En) => "[UNRECORDED] ",
            (false, true, Language::Zh) => "【未入库】",
        };
        PageText {
            title: format!("{mark}{}", outbound::visible(&text.title).replace('\n', " ")),
            body: outbound::visible(&text.body),
        }
    }

    /// What must not be seen in the quoted answer of a provider.
    fn secrets(&self) -> Vec<String> {
        // The capability alone as well: an echo may write the rest of the link in another way.
        let capability = self.ack_url.as_deref().and_then(|url| url.rsplit('/').next());
        self.ack_url.as_deref().into_iter().chain(capability).map(str::to_owned).collect()
    }
}

/// Every channel that is configured.
#[derive(Debug)]
pub struct Channels {
    /// For addresses people write themselves: no host is trusted for its name.
    outbound: Outbound,
    /// For the ntfy server an administrator configured, wherever it stands.
    to_ntfy: Outbound,
    email: Option<email::Email>,
    ntfy: Option<ntfy::Ntfy>,
    heartbeat: Option<heartbeat::Heartbeat>,
}

impl Channels {
    /// Fails with a sentence for the operator when a setting cannot work.
    pub fn new(config: &config::Channels) -> Result<Self, String> {
        Self::with_deadlines(config, Deadlines::default())
    }

    /// The same, less patient; for tests.
    pub fn with_deadlines(config: &config::Channels, deadlines: Deadlines) -> Result<Self, String> {
        let ntfy = config.ntfy.as_ref().map(ntfy::Ntfy::new).transpose()?;
        let heartbeat = config.heartbeat.as_ref();
        let heartbeat = heartbeat.map(|it| heartbeat::Heartbeat::new(it, &config.webhook, deadlines)).transpose()?;
        let own_hosts: Vec<String> = ntfy.iter().map(|ntfy| ntfy.host().to_owned()).collect();
        Ok(Self {
            outbound: Outbound::new(&config.webhook, &[], deadlines)?,
            to_ntfy: Outbound::new(&config.webhook, &own_hosts, deadlines)?,
            email: config.email.as_ref().map(|email| email::Email::new(email, deadlines)).transpose()?,
            ntfy,
            heartbeat,
        })
    }

    /// How often the outbound heartbeat is due, if there is one.
    #[must_use]
    pub fn heartbeat_every(&self) -> Option<Delay> {
        self.heartbeat.as_ref().map(|heartbeat| heartbeat.every)
    }

    /// Sends the outbound heartbeat once, if there is one.
    pub async fn beat(&self) -> Result<(), Failure> {
        match &self.heartbeat {
            Some(heartbeat) => heartbeat.beat().await,
            None => Ok(()),
        }
    }

    /// Tries once. Ends within the deadlines, whatever the other side does.
    pub async fn deliver(&self, delivery: &Delivery) -> Result<Accepted, Failure> {
        match &delivery.address {
            Address::Email { to, name } => match &self.email {
                Some(email) => email.deliver(delivery, to, name).await,
                None => Err(outbound::permanent("no mail server is configured")),
            },
            Address::Ntfy { topic } => match &self.ntfy {
                Some(ntfy) => ntfy.deliver(&self.to_ntfy, delivery, topic).await,
                None => Err(outbound::permanent("no ntfy server is configured")),
            },
            Address::Webhook { url, secret, recipient } => {
                webhook::deliver(&self.outbound, delivery, url, secret.as_deref(), recipient).await
            }
        }
    }
}

impl Channels {
    /// Tells somebody something that is no page, by one try.
    ///
    /// # Errors
    /// As for a page.
    pub async fn tell(&self, letter: &Letter) -> Result<Accepted, Failure> {
        match &letter.address {
            Address::Email { to, name } => match &self.email {
                Some(email) => email.tell(letter, to, name).await,
                None => Err(outbound::permanent("no mail server is configured")),
            },
            Address::Ntfy { topic } => match &self.ntfy {
                Some(ntfy) => ntfy.tell(&self.to_ntfy, letter, topic).await,
                None => Err(outbound::permanent("no ntfy server is configured")),
            },
            Address::Webhook { url, secret, .. } => webhook::tell(&self.outbound, letter, url, secret.as_deref()).await,
        }
    }
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not `ack_url`: whoever holds it can acknowledge.
        f.debug_struct("Delivery")
            .field("attempt", &self.attempt)
            .field("try_number", &self.try_number)
            .field("incident", &self.incident.id)
            .field("address", &self.address)
            .field("test", &self.test)
            .field("reminder", &self.reminder)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A topic and a webhook's address are as good as a password to whoever knows them.
        match self {
            Self::Email { to, .. } => write!(f, "Email({to})"),
            Self::Ntfy { .. } => f.write_str("Ntfy"),
            Self::Webhook { recipient, .. } => write!(f, "Webhook({recipient})"),
        }
    }
}
