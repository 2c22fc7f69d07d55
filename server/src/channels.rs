//! How pages leave: each channel delivers one page once and says what came of it; it never retries by itself.
//!
//! The outcome is accepted, or a [`Failure`] that is permanent (no retry can help), transient, or ambiguous (it
//! may have arrived). After an ambiguous one the same key is used again, so that whoever honours keys shows the
//! page once.

mod aliyun;
mod carriers;
mod chat;
mod dingtalk;
mod email;
mod feishu;
mod gateway;
mod heartbeat;
mod markup;
mod message;
mod ntfy;
mod phone;
mod provider;
mod push;
mod room;
mod slack;
mod smtp;
mod teams;
mod telegram;
mod tencent;
mod twilio;
mod webhook;
mod wecom;
mod withdrawal;

pub use provider::provider;
pub use withdrawal::{Copied, Withdrawal};

pub use push::{check_service_account, endpoint as push_endpoint, is_apns_key, keys as push_keys};

use crate::{
    devices::Devices,
    outbound::{self, Deadlines, Outbound, OutboundRequest},
};
use carriers::Carriers;
use chat::Chat;
use message::{Answer, Message};
use shared::{
    AttemptId, ContactId, Delay, Failure, Fault, Incident, Page, PersonId, SilenceId, Timestamp,
    config::{self, ContactKind},
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
    /// Where this server is reached, without a slash at the end.
    pub base: String,
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

/// What a notice is about: those about the same hang together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LetterAbout {
    Silence(SilenceId),
    /// A contact of the recipient's that does not work.
    Contact(ContactId),
    /// A shift that begins then.
    Shift(Timestamp),
}

impl LetterAbout {
    /// The silence it is about.
    #[must_use]
    pub const fn silence(&self) -> Option<SilenceId> {
        match self {
            Self::Silence(id) => Some(*id),
            Self::Contact(_) | Self::Shift(_) => None,
        }
    }

    /// Whether it makes a sound where a channel can choose: what asks for an answer does.
    const fn is_heard(&self) -> bool {
        matches!(self, Self::Shift(_))
    }

    /// In one word, for what tells threads apart.
    fn thread(&self) -> String {
        match self {
            Self::Silence(id) => format!("silence-{id}"),
            Self::Contact(contact) => {
                let plain: String = contact.as_str().chars().filter(char::is_ascii_alphanumeric).collect();
                format!("contact-{plain}")
            }
            Self::Shift(from) => format!("shift-{}", from.ms()),
        }
    }
}

/// One try of one notice: nobody has to answer it.
#[derive(Debug)]
pub struct Letter {
    /// The same for every try.
    pub key: String,
    pub about: LetterAbout,
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
    Email {
        to: String,
        name: String,
    },
    Ntfy {
        topic: String,
    },
    Webhook {
        url: String,
        secret: Option<String>,
        recipient: String,
    },
    /// A telephone number, for a text message.
    Sms {
        to: String,
    },
    /// A telephone number, to be called.
    Voice {
        to: String,
    },
    Chat(Room),
    /// Every device that the person registered, or one of them.
    Push {
        person: PersonId,
        only: Option<i64>,
    },
}

/// A place in a chat: a room, or a person there.
#[derive(Clone, PartialEq, Eq)]
pub struct Room {
    pub kind: ContactKind,
    /// As the configuration has it.
    pub to: String,
    pub secret: Option<String>,
    /// Telephone number of somebody to be called by name there.
    pub mention: Option<String>,
}

impl Address {
    /// A failure with its fault: who refuses an address that somebody wrote themselves refuses that address, and not us.
    fn blamed(&self, failure: Failure) -> Failure {
        let own = match self {
            Self::Webhook { .. } => true,
            Self::Chat(room) => {
                room.to.contains("://") || matches!(room.kind, ContactKind::DingTalk | ContactKind::Feishu)
            }
            Self::Email { .. } | Self::Ntfy { .. } | Self::Sms { .. } | Self::Voice { .. } | Self::Push { .. } => false,
        };
        if own && failure.fault == Fault::Provider { Failure { fault: Fault::Method, ..failure } } else { failure }
    }

    /// The channel's name in metrics and logs.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Email { .. } => "email",
            Self::Ntfy { .. } => "ntfy",
            Self::Webhook { .. } => "webhook",
            Self::Sms { .. } => "sms",
            Self::Voice { .. } => "voice",
            Self::Chat(room) => room.kind.as_str(),
            Self::Push { .. } => "push",
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
        PageText {
            title: format!("{}{}", self.mark(), outbound::visible(&text.title).replace('\n', " ")),
            body: outbound::visible(&text.body),
        }
    }

    /// What stands before a title that is not to be taken as any other.
    const fn mark(&self) -> &'static str {
        match (self.test, self.unrecorded, self.language) {
            (false, false, _) => "",
            (true, _, Language::En) => "[TEST] ",
            (true, _, Language::Zh) => "【测试】",
            (false, true, Language::En) => "[UNRECORDED] ",
            (false, true, Language::Zh) => "【未入库】",
        }
    }

    /// How a provider answers for the recipient.
    fn answer(&self) -> Option<Answer<'_>> {
        let cap = self.ack_url.as_deref().and_then(|url| url.rsplit('/').next())?;
        Some(Answer { base: &self.base, cap })
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
    /// For servers an administrator configured, wherever they stand.
    to_own: Outbound,
    email: Option<email::Email>,
    ntfy: Option<ntfy::Ntfy>,
    carriers: Carriers,
    chat: Chat,
    push: push::Push,
    /// For push services.
    to_push: Outbound,
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
        let (carriers, chat) = (Carriers::new(config)?, Chat::new(config)?);
        let push = push::Push::new(config, deadlines)?;
        let hosts = ntfy.iter().map(|ntfy| ntfy.host().to_owned());
        let own_hosts: Vec<String> = hosts.chain(carriers.hosts()).chain(chat.hosts()).collect();
        Ok(Self {
            outbound: Outbound::new(&config.webhook, &[], deadlines)?,
            to_own: Outbound::new(&config.webhook, &own_hosts, deadlines)?,
            email: config.email.as_ref().map(|email| email::Email::new(email, deadlines)).transpose()?,
            to_push: Outbound::new(&config.webhook, &push.hosts(), deadlines)?,
            push,
            ntfy,
            carriers,
            chat,
            heartbeat,
        })
    }

    /// The same, with the devices that pushes go to; without them web push says that there is none.
    #[must_use]
    pub fn with_devices(mut self, devices: Arc<Devices>) -> Self {
        self.push.use_devices(devices);
        self
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
        let told = self.hand_over(delivery).await;
        told.map_err(|failure| delivery.address.blamed(failure))
    }

    async fn hand_over(&self, delivery: &Delivery) -> Result<Accepted, Failure> {
        match &delivery.address {
            Address::Email { to, name } => match &self.email {
                Some(email) => email.deliver(delivery, to, name).await,
                None => Err(outbound::barred("no mail server is configured")),
            },
            Address::Ntfy { topic } => match &self.ntfy {
                Some(ntfy) => ntfy.deliver(&self.to_own, delivery, topic).await,
                None => Err(outbound::barred("no ntfy server is configured")),
            },
            Address::Webhook { url, secret, recipient } => {
                webhook::deliver(&self.outbound, delivery, url, secret.as_deref(), recipient).await
            }
            Address::Sms { to } => self.carriers.write(&self.to_own, &Message::page(delivery), to).await,
            Address::Voice { to } => self.carriers.call(&self.to_own, &Message::page(delivery), to).await,
            Address::Chat(room) => self.say(&Message::page(delivery), room).await,
            Address::Push { person, only } => self.push.deliver(&self.to_push, delivery, person, *only).await,
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
                None => Err(outbound::barred("no mail server is configured")),
            },
            Address::Ntfy { topic } => match &self.ntfy {
                Some(ntfy) => ntfy.tell(&self.to_own, letter, topic).await,
                None => Err(outbound::barred("no ntfy server is configured")),
            },
            Address::Webhook { url, secret, .. } => webhook::tell(&self.outbound, letter, url, secret.as_deref()).await,
            Address::Sms { to } => self.carriers.write(&self.to_own, &Message::notice(letter), to).await,
            Address::Voice { .. } => Err(outbound::permanent("nobody is called for a notice")),
            Address::Chat(room) => self.say(&Message::notice(letter), room).await,
            Address::Push { person, .. } => self.push.tell(&self.to_push, letter, person).await,
        }
    }

    /// Posts JSON to an address that a provider gave with what it signed.
    ///
    /// # Errors
    /// As for a page.
    pub async fn say_back(&self, url: String, body: &serde_json::Value) -> Result<(), Failure> {
        let headers = vec![("content-type", "application/json".to_owned())];
        let request = OutboundRequest { url, headers, body: body.to_string().into_bytes(), secrets: Vec::new() };
        self.outbound.post(request).await.map(drop)
    }

    /// Whole addresses are people's own choice, and what answers there is shown to nobody; names lead to where an
    /// administrator's configuration does.
    async fn say(&self, message: &Message<'_>, room: &Room) -> Result<Accepted, Failure> {
        if room.to.contains("://") {
            return self.chat.say(&self.outbound, message, room).await.map_err(webhook::without_quote);
        }
        self.chat.say(&self.to_own, message, room).await
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
            Self::Sms { to } => write!(f, "Sms({to})"),
            Self::Voice { to } => write!(f, "Voice({to})"),
            Self::Chat(room) => write!(f, "Chat({})", room.kind.as_str()),
            Self::Push { person, .. } => write!(f, "Push({person})"),
        }
    }
}
