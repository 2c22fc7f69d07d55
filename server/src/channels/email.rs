//! E-mail: writes the message; `smtp` hands it over.

use super::{Accepted, Delivery, Letter, smtp::Relay};
use crate::{
    clock,
    outbound::{Deadlines, permanent, quote},
};
use lettre::{
    Message,
    message::{
        Mailbox, MessageBuilder, MultiPart,
        header::{HeaderName, HeaderValue},
    },
};
use sha2::{Digest as _, Sha256};
use shared::{Failure, config::EmailChannel, text::Language};
use std::{
    fmt::Write as _,
    time::{Duration, UNIX_EPOCH},
};

/// The configured mail server and sender.
#[derive(Debug)]
pub(super) struct Email {
    from: Mailbox,
    relay: Relay,
}

impl Email {
    pub(super) fn new(config: &EmailChannel, deadlines: Deadlines) -> Result<Self, String> {
        let from = config.from.parse().map_err(|_| {
            format!("email.from `{}` is not an address; write for example Tocsin <tocsin@example.org>", config.from)
        })?;
        Ok(Self { from, relay: Relay::new(config, deadlines)? })
    }

    pub(super) async fn deliver(&self, delivery: &Delivery, to: &str, name: &str) -> Result<Accepted, Failure> {
        let to = mailbox(to, name)?;
        let message = self.message(delivery, to).map_err(|_| permanent("the message cannot be written"))?;
        let reply = self.relay.send(message.envelope(), &message.formatted(), delivery.secrets()).await?;
        Ok(Accepted { provider_id: (!reply.is_empty()).then_some(reply) })
    }

    /// A notice, without urgency; those about one silence hang together.
    pub(super) async fn tell(&self, letter: &Letter, to: &str, name: &str) -> Result<Accepted, Failure> {
        let domain = self.from.email.domain();
        let (text, thread) = (letter.visible(), format!("<{}@{domain}>", letter.about.thread()));
        let open = match letter.language {
            Language::En => "Open",
            Language::Zh => "打开",
        };
        let links = [(open, letter.url.as_str())];
        let message = self
            .envelope(&letter.key, mailbox(to, name)?, &text.title, thread)
            .multipart(MultiPart::alternative_plain_html(
                plain(&text.title, &text.body, &links),
                html(letter.language, &text.title, &text.body, &links),
            ))
            .map_err(|_| permanent("the message cannot be written"))?;
        let reply = self.relay.send(message.envelope(), &message.formatted(), Vec::new()).await?;
        Ok(Accepted { provider_id: (!reply.is_empty()).then_some(reply) })
    }

    /// What every mail says of itself.
    fn envelope(&self, key: &str, to: Mailbox, subject: &str, thread: String) -> MessageBuilder {
        let now = UNIX_EPOCH + Duration::from_millis(u64::try_from(clock::now().ms()).unwrap_or_default());
        Message::builder()
            .from(self.from.clone())
            .to(to)
            .date(now)
            .message_id(Some(message_id(key, self.from.email.domain())))
            .in_reply_to(thread.clone())
            .references(thread)
            .subject(subject)
            .raw_header(header("Auto-Submitted", "auto-generated"))
    }

    fn message(&self, delivery: &Delivery, to: Mailbox) -> Result<Message, lettre::error::Error> {
        let (incident, text, domain) = (&delivery.incident, delivery.text(), self.from.email.domain());
        // All mails about an incident hang under one that was never sent: mail programs show them as one thread.
        let thread = format!("<incident-{}@{domain}>", incident.id);
        let mut builder = self
            .envelope(&delivery.key, to, &text.title, thread)
            .raw_header(header("X-Tocsin-Incident", &incident.id.to_string()));
        if incident.severity.is_urgent() && !delivery.test {
            builder = builder.raw_header(header("Importance", "high")).raw_header(header("X-Priority", "1"));
        }
        let links = links(delivery);
        builder.multipart(MultiPart::alternative_plain_html(
            plain(&text.title, &text.body, &links),
            html(delivery.language, &text.title, &text.body, &links),
        ))
    }
}

fn mailbox(to: &str, name: &str) -> Result<Mailbox, Failure> {
    let to = to.parse().map_err(|_| permanent("the contact is not an e-mail address"))?;
    let name = quote(name, &[]);
    Ok(Mailbox::new((!name.is_empty()).then_some(name), to))
}

/// The same for every try of a delivery: a mail server that already took it can drop the second copy.
fn message_id(key: &str, domain: &str) -> String {
    let mut id = String::from("<");
    for byte in Sha256::digest(key.as_bytes()).iter().take(16) {
        // Writing to a String cannot fail.
        write!(id, "{byte:02x}").ok();
    }
    format!("{id}@{domain}>")
}

fn header(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

/// What can be done about it, most useful first. Opening a link acknowledges nothing: mail scanners open them too.
fn links(delivery: &Delivery) -> Vec<(&'static str, &str)> {
    let (ack, open) = match delivery.language {
        Language::En => ("Acknowledge", "Open the incident"),
        Language::Zh => ("认领", "打开事件"),
    };
    let ack = delivery.ack_url.as_deref().map(|url| (ack, url));
    ack.into_iter().chain([(open, delivery.incident_url.as_str())]).collect()
}

fn plain(title: &str, body: &str, links: &[(&str, &str)]) -> String {
    let links = links.iter().fold(String::new(), |text, (label, url)| text + &format!("{label}:\n{url}\n\n"));
    format!("{title}\n\n{body}\n\n{links}")
}

fn html(language: Language, title: &str, body: &str, links: &[(&str, &str)]) -> String {
    let lang = match language {
        Language::En => "en",
        Language::Zh => "zh-CN",
    };
    let (title, body) = (escape(title), escape(body).replace('\n', "<br>"));
    let links = links.iter().fold(String::new(), |text, (label, url)| {
        text + &format!("<p><a href=\"{}\" style=\"font-size:20px\">{}</a></p>\n", escape(url), escape(label))
    });
    format!(
        "<!doctype html>\n<html lang=\"{lang}\"><head><meta charset=\"utf-8\"><title>{title}</title></head>\n\
         <body style=\"font-family:sans-serif;font-size:16px\">\n<h1 style=\"font-size:20px\">{title}</h1>\n\
         <p>{body}</p>\n{links}</body></html>\n"
    )
}

/// Alert text is data: nothing in it may become markup.
fn escape(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alert_text_cannot_become_markup() {
        let page =
            html(Language::En, "<script>", "a & \"b\"\n<img src=x onerror='x'>", &[("Go", "https://e/?a=1&b=\"")]);
        assert!(!page.contains("<script") && !page.contains("<img") && page.contains("&lt;script&gt;"), "{page}");
        assert!(page.contains("a &amp; &quot;b&quot;<br>") && page.contains("href=\"https://e/?a=1&amp;b=&quot;\""));
    }

    #[test]
    fn one_key_one_message_id() {
        assert_eq!(message_id("k1", "example.org"), message_id("k1", "example.org"));
        assert_ne!(message_id("k1", "example.org"), message_id("k2", "example.org"));
        assert!(message_id("a b<>\r\n", "example.org").is_ascii());
    }
}
