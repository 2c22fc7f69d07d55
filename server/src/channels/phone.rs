//! What a telephone gets: a text of few characters, a sentence to be said, the variables of an approved template.

use super::message::{About, Answer, Message, clip};
use crate::outbound::visible;
use shared::text::{
    Language,
    phone::{reply_hint, spoken},
};
use std::net::{Ipv4Addr, Ipv6Addr};
use url::{Host, Url};

/// What one variable of a template may hold: longer ones are refused, and the page with them.
const VARIABLE_CHARS: usize = 20;
/// Of a call's code for itself, which comes back with the receipt.
const CALL_CODE_BYTES: usize = 15;

/// A text message of so many characters: the title, as many lines of the text as there is room for, and an ending.
///
/// The ending holds a link, and half a link leads nowhere: it stands whole or not at all.
pub(super) fn written(message: &Message<'_>, ending: &str, chars: usize) -> String {
    let ending = if ending.chars().count() < chars { ending } else { "" };
    let room = chars.saturating_sub(ending.chars().count() + 1);
    let mut text = clip(&message.title, room);
    for line in message.body.lines().map(str::trim).filter(|line| !line.is_empty()) {
        // The title has said what is wrong already.
        if message.title.contains(line) {
            continue;
        }
        if text.chars().count() + 1 + line.chars().count() > room {
            break;
        }
        text.push('\n');
        text.push_str(line);
    }
    if ending.is_empty() { text } else { format!("{text}\n{ending}") }
}

/// Where the message is answered by hand, or else what it leads to.
pub(super) fn link<'a>(message: &Message<'a>) -> &'a str {
    message.ack_url.unwrap_or(message.url)
}

/// How to answer by another text message, where that can be done.
pub(super) fn reply(message: &Message<'_>) -> Option<String> {
    let (page, _) = (message.page.as_ref()?, message.answer?);
    Some(reply_hint(message.language, page.incident))
}

/// The message as it is said.
pub(super) fn said(message: &Message<'_>) -> String {
    match &message.page {
        Some(page) => spoken(message.language, &message.title, page.incident),
        None => message.title.clone(),
    }
}

/// Whom a carrier can tell what became of the message: none when it could not reach us. Carriers refuse messages whose
/// callback is `localhost`, and a page is worth more than its receipt.
pub(super) fn reachable<'a>(message: &Message<'a>) -> Option<Answer<'a>> {
    let answer = message.answer?;
    let base = Url::parse(answer.base).ok()?;
    let public = match base.host()? {
        Host::Domain(name) => {
            let inner = [".localhost", ".local", ".lan", ".internal", ".home.arpa"];
            name.contains('.') && !inner.iter().any(|end| name.ends_with(end))
        }
        Host::Ipv4(at) => is_public_v4(at),
        Host::Ipv6(at) => is_public_v6(at),
    };
    public.then_some(answer)
}

const fn is_public_v4(at: Ipv4Addr) -> bool {
    !(at.is_private() || at.is_loopback() || at.is_link_local() || at.is_unspecified())
}

const fn is_public_v6(at: Ipv6Addr) -> bool {
    !(at.is_loopback() || at.is_unspecified() || at.is_unique_local() || at.is_unicast_link_local())
}

/// What an approved template says: each short, on one line and never empty, for carriers refuse all else.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Variables {
    pub(super) level: String,
    pub(super) host: String,
    pub(super) ip: String,
    pub(super) what: String,
}

impl Variables {
    pub(super) fn of(message: &Message<'_>) -> Self {
        let (notice, none) = match message.language {
            Language::En => ("notice", "none"),
            Language::Zh => ("通知", "无"),
        };
        let some = |text: &str| match variable(text, VARIABLE_CHARS) {
            text if text.is_empty() => none.to_owned(),
            text => text,
        };
        match &message.page {
            Some(page) => Self {
                level: level(page, message.language),
                host: some(page.host),
                ip: some(page.ip),
                what: what(page, message.language),
            },
            None => Self {
                level: notice.to_owned(),
                host: none.to_owned(),
                ip: none.to_owned(),
                what: some(&message.title),
            },
        }
    }
}

/// A template has no place for a mark, and nobody may take a test for an outage.
fn level(page: &About<'_>, language: Language) -> String {
    match (page.test, language) {
        (false, _) => page.severity.to_string(),
        (true, Language::En) => format!("TEST {}", page.severity),
        (true, Language::Zh) => format!("测试 {}", page.severity),
    }
}

fn what(page: &About<'_>, language: Language) -> String {
    let more = match (page.others, language) {
        (0, _) => String::new(),
        (others, Language::En) => format!(" +{others}"),
        (others, Language::Zh) => format!("等{}个", others + 1),
    };
    format!("{}{more}", variable(page.what, VARIABLE_CHARS.saturating_sub(more.chars().count())))
}

/// Brackets would be taken for the sender's signature, braces for variables of the template.
fn variable(text: &str, chars: usize) -> String {
    let plain: String = visible(text).chars().filter(|c| !matches!(c, '【' | '】' | '{' | '}' | '$')).collect();
    clip(&plain.split_whitespace().collect::<Vec<_>>().join(" "), chars)
}

/// A number as carriers in mainland China read it: their own without the country, others with it, none with `+`.
pub(super) fn domestic(to: &str) -> String {
    match to.strip_prefix("+86") {
        Some(mobile) if mobile.len() == 11 && mobile.starts_with('1') => mobile.to_owned(),
        // Trunk lines are dialled with a nought.
        Some(line) => format!("0{line}"),
        None => to.trim_start_matches('+').to_owned(),
    }
}

/// A number in each way in which an answer may echo it.
pub(super) fn forms(to: &str) -> [String; 3] {
    [to.to_owned(), to.trim_start_matches('+').to_owned(), to.trim_start_matches("+86").to_owned()]
}

/// The end of a key, which tells tries apart, where there is room for no more.
pub(super) fn call_code(key: &str) -> &str {
    key.get(key.ceil_char_boundary(key.len().saturating_sub(CALL_CODE_BYTES))..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(title: &str, body: &str) -> Message<'static> {
        Message {
            key: "k",
            language: Language::Zh,
            title: title.to_owned(),
            body: body.to_owned(),
            page: None,
            ack_url: None,
            url: "https://t.example.org/x",
            answer: None,
            secrets: Vec::new(),
        }
    }

    #[test]
    fn a_text_keeps_its_link_whole_and_says_nothing_twice() {
        let long = message("P0 db-7 磁盘满", "磁盘满\n10.1.2.3 · 事件 #42\n很长的一行很长的一行");
        assert_eq!(
            written(&long, "https://t/a", 60),
            "P0 db-7 磁盘满\n10.1.2.3 · 事件 #42\n很长的一行很长的一行\nhttps://t/a"
        );
        assert_eq!(written(&long, "https://t/a", 45), "P0 db-7 磁盘满\n10.1.2.3 · 事件 #42\nhttps://t/a");
        assert_eq!(written(&long, "https://t/a", 18), "P0 db…\nhttps://t/a");
        assert_eq!(written(&long, "https://t/a", 8), "P0 db-…");
    }

    #[test]
    fn a_variable_is_short_plain_and_never_empty() {
        let variables = Variables::of(&message("【测试】 维护 12\n已结束，一切都恢复了正常，谢谢", ""));
        assert_eq!((variables.level.as_str(), variables.ip.as_str()), ("通知", "无"));
        assert_eq!(variables.what, "测试 维护 12 已结束，一切都恢复了…");
        let about = About {
            severity: shared::Severity::P0,
            incident: 1,
            host: "h",
            ip: "",
            what: "${x}磁盘满磁盘满磁盘满磁盘满磁盘满磁盘满磁盘满",
            others: 4,
            test: true,
        };
        let page = Message { page: Some(about), ..message("", "") };
        let variables = Variables::of(&page);
        assert_eq!(
            (variables.level.as_str(), variables.what.as_str()),
            ("测试 P0", "x磁盘满磁盘满磁盘满磁盘满磁盘满…等5个")
        );
        assert_eq!(variables.what.chars().count(), VARIABLE_CHARS);
    }

    #[test]
    fn numbers_are_written_as_each_carrier_reads_them() {
        assert_eq!(domestic("+8613800138000"), "13800138000");
        assert_eq!(domestic("+8657188773344"), "057188773344");
        assert_eq!(domestic("+15551230000"), "15551230000");
        assert_eq!(call_code("0f1e2d3c4b5a69788796a5b4-1234"), "788796a5b4-1234");
        assert_eq!(call_code("page-5-7"), "page-5-7");
    }

    #[test]
    fn nobody_outside_is_told_to_call_back_an_inner_address() {
        let at = |base: &'static str| {
            let told = Message { answer: Some(Answer { base, cap: "c" }), ..message("", "") };
            reachable(&told).is_some()
        };
        assert!(at("https://pager.example.org") && at("http://203.0.113.7:8080") && at("https://[2001:db8::1]"));
        for inner in
            ["http://localhost:8080", "http://pager", "http://pager.lan", "http://10.0.0.7", "http://[fd00::1]", "x"]
        {
            assert!(!at(inner), "{inner}");
        }
    }
}
