//! A copy of a page that needs no answer any more: its button goes, and who answered takes its place. In chats and by ntfy the
//! message itself is changed; on people's devices another one takes its place, without a sound.

use super::{Channels, Room, message::Message};
use crate::outbound;
use shared::{
    Failure, IncidentId, PersonId,
    config::ContactKind,
    text::{Language, PageText},
};

/// Where a copy is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Copied {
    /// In a chat, which called the message this when it took it.
    Message(String),
    /// In a topic of ntfy, whose server called the message this.
    Topic { topic: String, id: String },
    /// On the screens of somebody's devices.
    Devices(PersonId),
}

/// One message, as it is to read from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Withdrawal {
    pub kind: ContactKind,
    pub copied: Copied,
    pub incident: IncidentId,
    pub language: Language,
    /// The page as it was.
    pub text: PageText,
    /// What became of it.
    pub outcome: String,
    /// The page it leads to.
    pub url: String,
}

impl Withdrawal {
    /// What the chat called the message.
    pub(super) fn message_id(&self) -> Option<&str> {
        if let Copied::Message(id) = &self.copied { Some(id) } else { None }
    }

    pub(super) fn message(&self) -> Message<'_> {
        Message {
            key: self.message_id().unwrap_or_default(),
            language: self.language,
            title: self.title(),
            body: format!("{}\n{}", outbound::visible(&self.text.body), self.outcome),
            page: None,
            ack_url: None,
            url: &self.url,
            answer: None,
            secrets: Vec::new(),
        }
    }

    pub(super) fn title(&self) -> String {
        outbound::visible(&self.text.title).replace('\n', " ")
    }

    /// The room of the message, by the chat's own name for it.
    pub(super) fn room(&self, to: &str) -> Room {
        Room { kind: self.kind, to: to.to_owned(), secret: None, mention: None }
    }
}

impl Channels {
    /// Changes a message once. Nothing depends on it.
    ///
    /// # Errors
    /// As for a page.
    pub async fn withdraw(&self, withdrawal: &Withdrawal) -> Result<(), Failure> {
        match &withdrawal.copied {
            Copied::Message(_) => self.chat.withdraw(&self.to_own, withdrawal).await,
            Copied::Devices(person) => self.push.withdraw(&self.to_push, withdrawal, person).await,
            Copied::Topic { topic, id } => match &self.ntfy {
                Some(ntfy) => ntfy.withdraw(&self.to_own, withdrawal, topic, id).await,
                None => Err(outbound::barred("no ntfy server is configured")),
            },
        }
    }
}
