//! A page or a notice as any channel writes it: a title, a text, what can be done about it.

use super::{Delivery, Letter};
use shared::{Severity, text::Language};

/// What is written to somebody.
pub(super) struct Message<'a> {
    /// The idempotency key, the same for every try.
    pub(super) key: &'a str,
    pub(super) language: Language,
    /// One line.
    pub(super) title: String,
    /// Plain text of a few lines.
    pub(super) body: String,
    /// None for a notice, which nobody has to answer.
    pub(super) page: Option<About<'a>>,
    /// Where it can be answered by hand. Opening it does nothing.
    pub(super) ack_url: Option<&'a str>,
    /// The page it leads to.
    pub(super) url: &'a str,
    /// Where this server is reached, and what allows to answer this page as its recipient.
    pub(super) answer: Option<Answer<'a>>,
    /// What must not be seen in the quoted answer of a provider.
    pub(super) secrets: Vec<String>,
}

/// What a page is about, in the few words a template has room for.
pub(super) struct About<'a> {
    pub(super) severity: Severity,
    pub(super) incident: i64,
    pub(super) host: &'a str,
    pub(super) ip: &'a str,
    pub(super) what: &'a str,
    /// So many other incidents it is about as well.
    pub(super) others: usize,
    /// Somebody tries their contact; nothing is wrong.
    pub(super) test: bool,
}

/// Where a provider tells what became of a message, or what was pressed.
#[derive(Clone, Copy)]
pub(super) struct Answer<'a> {
    /// Without a slash at the end.
    pub(super) base: &'a str,
    pub(super) cap: &'a str,
}

impl Answer<'_> {
    /// The address a provider is given to call.
    pub(super) fn callback(&self, provider: &str) -> String {
        format!("{}/cb/{provider}/{}", self.base, self.cap)
    }
}

impl<'a> Message<'a> {
    pub(super) fn page(delivery: &'a Delivery) -> Self {
        let (text, incident) = (delivery.text(), &delivery.incident);
        Self {
            key: &delivery.key,
            language: delivery.language,
            title: text.title,
            body: text.body,
            page: Some(About {
                severity: incident.severity,
                incident: incident.id.0,
                host: incident.host.as_deref().or(incident.ip.as_deref()).unwrap_or(incident.integration.as_str()),
                ip: incident.ip.as_deref().unwrap_or_default(),
                what: &incident.title,
                others: delivery.others.len(),
                test: delivery.test,
            }),
            ack_url: delivery.ack_url.as_deref(),
            url: &delivery.incident_url,
            answer: delivery.answer(),
            secrets: delivery.secrets(),
        }
    }

    pub(super) fn notice(letter: &'a Letter) -> Self {
        let text = letter.visible();
        Self {
            key: &letter.key,
            language: letter.language,
            title: text.title,
            body: text.body,
            page: None,
            ack_url: None,
            url: &letter.url,
            answer: None,
            secrets: Vec::new(),
        }
    }

    /// Title and text as one.
    pub(super) fn whole(&self) -> String {
        if self.body.is_empty() { self.title.clone() } else { format!("{}\n{}", self.title, self.body) }
    }

    /// Whether it is to be loud.
    pub(super) fn is_urgent(&self) -> bool {
        self.page.as_ref().is_some_and(|page| page.severity.is_urgent())
    }

    /// What the way to acknowledge is called.
    pub(super) const fn ack_word(&self) -> &'static str {
        match self.language {
            Language::En => "Acknowledge",
            Language::Zh => "认领",
        }
    }

    /// What the way to its page is called.
    pub(super) const fn open_word(&self) -> &'static str {
        match self.language {
            Language::En => "Open",
            Language::Zh => "打开",
        }
    }
}

/// So many characters of a text; what is cut ends in `…`.
pub(super) fn clip(text: &str, chars: usize) -> String {
    if text.chars().count() <= chars {
        return text.to_owned();
    }
    text.chars().take(chars.saturating_sub(1)).chain(['…']).collect()
}

/// The beginning of a text that takes at most so many bytes; what is cut ends in `…`.
pub(super) fn clip_bytes(text: &str, bytes: usize) -> String {
    if text.len() <= bytes {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(bytes.saturating_sub('…'.len_utf8()));
    format!("{}…", text.get(..end).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!((clip("磁盘已满", 3), clip("abc", 3)), ("磁盘…".to_owned(), "abc".to_owned()));
        assert_eq!((clip_bytes("磁盘已满", 9), clip_bytes("abc", 3)), ("磁盘…".to_owned(), "abc".to_owned()));
        assert_eq!(clip_bytes("磁盘已满", 8), "磁…");
    }
}
