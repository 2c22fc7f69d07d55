//! What is said on the telephone, and how a text message is answered.

use super::Language;
use crate::messages;

messages! {
    page(title: &str, incident: i64) { en: "Alert. {title}. Incident {incident}.", zh: "告警。{title}。事件 {incident}。" }
    reply(incident: i64) { en: "Reply {incident}a to acknowledge.", zh: "回复 {incident}a 认领。" }
    keys() {
        en: "Press 4 to acknowledge. Press 6 to resolve. Press 5 to escalate. Press 1 and you are not called again about this. Press star to hear it again.",
        zh: "认领请按 4。标记恢复请按 6。升级请按 5。不再就此来电请按 1。重听请按星号键。",
    }
    acked() { en: "Acknowledged. Thank you.", zh: "已认领，谢谢。" }
    already_acked(who: &str) { en: "Already acknowledged by {who}.", zh: "已由 {who} 认领。" }
    resolved() { en: "Resolved. Thank you.", zh: "已标记恢复，谢谢。" }
    already_resolved() { en: "It is resolved already. Nothing is left to do.", zh: "已恢复，无需处理。" }
    escalated() { en: "Escalated. The next level is paged now.", zh: "已升级，正在通知下一级。" }
    calls_stopped() { en: "You will not be called again about this.", zh: "不会再就此致电给您。" }
    wait() { en: "One moment.", zh: "请稍候。" }
    unknown_key() { en: "This key means nothing here.", zh: "按键无效。" }
    failed() { en: "That could not be stored. Paging goes on.", zh: "操作未能保存，通知仍在继续。" }
    expired() { en: "This call cannot be answered any more. Please open Tocsin.", zh: "此来电已无法响应，请打开 Tocsin。" }
    good_bye() { en: "No key was pressed. Good-bye.", zh: "没有收到按键，再见。" }
}

/// Something that is said to whoever was called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phrase<'a> {
    /// Which key does what.
    Keys,
    Acked,
    AlreadyAcked {
        who: &'a str,
    },
    Resolved,
    AlreadyResolved,
    Escalated,
    CallsStopped,
    /// The answer is not known yet.
    Wait,
    UnknownKey,
    /// What was asked for could not be stored.
    Failed,
    /// The call belongs to a page that can no longer be answered by it.
    Expired,
    /// Nothing was pressed.
    GoodBye,
}

impl Phrase<'_> {
    /// In words.
    #[must_use]
    pub fn said(self, language: Language) -> String {
        match self {
            Self::Keys => keys(language),
            Self::Acked => acked(language),
            Self::AlreadyAcked { who } => already_acked(language, who),
            Self::Resolved => resolved(language),
            Self::AlreadyResolved => already_resolved(language),
            Self::Escalated => escalated(language),
            Self::CallsStopped => calls_stopped(language),
            Self::Wait => wait(language),
            Self::UnknownKey => unknown_key(language),
            Self::Failed => failed(language),
            Self::Expired => expired(language),
            Self::GoodBye => good_bye(language),
        }
    }
}

/// A page, said; `title` is that of its text.
#[must_use]
pub fn spoken(language: Language, title: &str, incident: i64) -> String {
    page(language, title, incident)
}

/// How a text message is answered by another.
#[must_use]
pub fn reply_hint(language: Language, incident: i64) -> String {
    reply(language, incident)
}
