//! A copy of a page that needs no answer any more: its button goes, and who answered takes its place.

use super::{Channels, Room, message::Message};
use crate::outbound;
use shared::{
    Failure,
    config::ContactKind,
    text::{Language, PageText},
};

/// One message of a chat, as it is to read from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Withdrawal {
    pub kind: ContactKind,
    /// What the chat called the message when it took it.
    pub provider_id: String,
    pub language: Language,
    /// The page as it was, and what became of it below.
    pub text: PageText,
    /// The page it leads to.
    pub url: String,
}

impl Withdrawal {
    /// Whether messages of this kind can be changed once they are written.
    #[must_use]
    pub const fn is_possible(kind: ContactKind) -> bool {
        matches!(kind, ContactKind::Slack | ContactKind::Telegram)
    }

    pub(super) fn message(&self) -> Message<'_> {
        Message {
            key: &self.provider_id,
            language: self.language,
            title: outbound::visible(&self.text.title).replace('\n', " "),
            body: outbound::visible(&self.text.body),
            page: None,
            ack_url: None,
            url: &self.url,
            answer: None,
            secrets: Vec::new(),
        }
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
        self.chat.withdraw(&self.to_own, withdrawal).await
    }
}
