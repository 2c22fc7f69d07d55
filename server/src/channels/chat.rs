//! Chats: which one a room is in.

use super::{
    Accepted, Room, Withdrawal, dingtalk::DingTalk, feishu::Feishu, message::Message, slack::Slack, teams,
    telegram::Telegram, wecom::WeCom,
};
use crate::outbound::{Outbound, barred, permanent};
use shared::{
    Failure,
    config::{Channels, ContactKind},
};
use url::Url;

/// Every chat that can be written to.
#[derive(Debug)]
pub(super) struct Chat {
    slack: Slack,
    telegram: Option<Telegram>,
    dingtalk: DingTalk,
    feishu: Feishu,
    wecom: WeCom,
}

impl Chat {
    pub(super) fn new(config: &Channels) -> Result<Self, String> {
        Ok(Self {
            slack: Slack::new(config.slack.as_ref())?,
            telegram: config.telegram.as_ref().map(Telegram::new).transpose()?,
            dingtalk: DingTalk::new(&config.dingtalk)?,
            feishu: Feishu::new(&config.feishu)?,
            wecom: WeCom::new(&config.wecom)?,
        })
    }

    /// Where they answer: an administrator's choice.
    pub(super) fn hosts(&self) -> Vec<String> {
        let bases = [
            self.slack.base(),
            self.telegram.as_ref().map(Telegram::base),
            Some(self.dingtalk.base()),
            Some(self.feishu.base()),
            Some(self.wecom.base()),
        ];
        bases.into_iter().flatten().filter_map(|base| Some(base.host()?.to_string())).collect()
    }

    pub(super) async fn say(
        &self,
        outbound: &Outbound,
        message: &Message<'_>,
        room: &Room,
    ) -> Result<Accepted, Failure> {
        match room.kind {
            ContactKind::Slack => self.slack.say(outbound, message, room).await,
            ContactKind::Teams => teams::say(outbound, message, room).await,
            ContactKind::Telegram => match &self.telegram {
                Some(telegram) => telegram.say(outbound, message, room).await,
                None => Err(barred("no Telegram bot is configured")),
            },
            ContactKind::DingTalk => self.dingtalk.say(outbound, message, room).await,
            ContactKind::Feishu => self.feishu.say(outbound, message, room).await,
            ContactKind::WeCom => self.wecom.say(outbound, message, room).await,
            _ => Err(permanent("this is not a chat")),
        }
    }

    pub(super) async fn withdraw(&self, outbound: &Outbound, withdrawal: &Withdrawal) -> Result<(), Failure> {
        match (withdrawal.kind, &self.telegram) {
            (ContactKind::Slack, _) => self.slack.withdraw(outbound, withdrawal).await,
            (ContactKind::Telegram, Some(telegram)) => telegram.withdraw(outbound, withdrawal).await,
            _ => Err(permanent("what is written there cannot be changed")),
        }
    }
}

/// A base address as it is configured; `key` names it in the sentence for the operator.
pub(super) fn base(key: &str, text: &str) -> Result<Url, String> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.host().is_some());
    url.ok_or_else(|| format!("{key} `{text}` is not a web address; write for example https://chat.example.org"))
}
