//! ntfy: publishes to a topic as JSON; the phone's button calls the capability link back.

use super::{Accepted, Delivery, Letter, Withdrawal};
use crate::outbound::{Outbound, OutboundRequest, permanent, quote};
use serde::{Deserialize, Serialize};
use shared::{Failure, Severity, config::NtfyChannel, text::Language};
use std::{collections::BTreeMap, fmt};
use url::Url;

/// The server turns longer messages into attachments, which no lock screen shows.
const MESSAGE_BYTES: usize = 4_096;
/// Shown in the list, without sound or vibration.
const NOTICE_PRIORITY: u8 = 2;

/// The configured server.
pub(super) struct Ntfy {
    server: Url,
    host: String,
    token: Option<String>,
}

impl fmt::Debug for Ntfy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ntfy").field("host", &self.host).finish_non_exhaustive()
    }
}

impl Ntfy {
    pub(super) fn new(config: &NtfyChannel) -> Result<Self, String> {
        let bad = || "ntfy.server is not a base address; write for example https://ntfy.example.org".to_owned();
        let server = Url::parse(&config.server).map_err(|_| bad())?;
        let host = server.host().ok_or_else(bad)?.to_string();
        if !matches!(server.scheme(), "http" | "https") {
            return Err(bad());
        }
        Ok(Self { server, host, token: config.token.clone() })
    }

    pub(super) fn host(&self) -> &str {
        &self.host
    }

    pub(super) async fn deliver(
        &self,
        outbound: &Outbound,
        delivery: &Delivery,
        topic: &str,
    ) -> Result<Accepted, Failure> {
        self.publish(outbound, &message(delivery, topic), delivery.secrets()).await
    }

    /// A notice, which makes no sound.
    pub(super) async fn tell(&self, outbound: &Outbound, letter: &Letter, topic: &str) -> Result<Accepted, Failure> {
        let (text, label) = match (letter.visible(), letter.language) {
            (text, Language::En) => (text, "Open"),
            (text, Language::Zh) => (text, "打开"),
        };
        let message = Message {
            topic,
            title: text.title,
            message: clip(text.body),
            priority: NOTICE_PRIORITY,
            tags: vec!["information_source".to_owned()],
            click: &letter.url,
            actions: vec![Action::View { label, url: &letter.url }],
            sequence_id: None,
        };
        self.publish(outbound, &message, Vec::new()).await
    }

    /// Changes a message that was published. Servers before 2.16 know no changes: there it is one more, without a sound.
    pub(super) async fn withdraw(
        &self,
        outbound: &Outbound,
        withdrawal: &Withdrawal,
        topic: &str,
        id: &str,
    ) -> Result<(), Failure> {
        let label = match withdrawal.language {
            Language::En => "Open",
            Language::Zh => "打开",
        };
        let message = Message {
            topic,
            title: format!("{}: {}", withdrawal.outcome, withdrawal.title()),
            message: clip(crate::outbound::visible(&withdrawal.text.body)),
            priority: NOTICE_PRIORITY,
            tags: vec!["white_check_mark".to_owned()],
            click: &withdrawal.url,
            actions: vec![Action::View { label, url: &withdrawal.url }],
            sequence_id: Some(id),
        };
        self.publish(outbound, &message, Vec::new()).await.map(drop)
    }

    async fn publish(
        &self,
        outbound: &Outbound,
        message: &Message<'_>,
        mut secrets: Vec<String>,
    ) -> Result<Accepted, Failure> {
        let body = serde_json::to_vec(message).map_err(|_| permanent("the message cannot be written"))?;
        let mut headers = vec![("content-type", "application/json".to_owned())];
        secrets.push(message.topic.to_owned());
        if let Some(token) = &self.token {
            headers.push(("authorization", format!("Bearer {token}")));
            secrets.push(token.clone());
        }
        let request = OutboundRequest { url: self.server.to_string(), headers, body, secrets };
        let answer = outbound.post(request).await?;
        // A web server in front of something else says 200 to anything; the page would be lost in silence.
        if answer.content_type == "text/html" {
            return Err(permanent("a web page answered instead of an ntfy server; check ntfy.server"));
        }
        let published: Published = serde_json::from_slice(&answer.body).unwrap_or_default();
        Ok(Accepted { provider_id: published.id.map(|id| quote(&id, &[])) })
    }
}

/// Of the server's answer.
#[derive(Default, Deserialize)]
struct Published {
    id: Option<String>,
}

#[derive(Serialize)]
struct Message<'a> {
    topic: &'a str,
    title: String,
    message: String,
    priority: u8,
    tags: Vec<String>,
    click: &'a str,
    actions: Vec<Action<'a>>,
    /// The message that this one takes the place of.
    #[serde(skip_serializing_if = "Option::is_none")]
    sequence_id: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(tag = "action", rename_all = "lowercase")]
enum Action<'a> {
    Http {
        label: &'static str,
        url: &'a str,
        method: &'static str,
        headers: BTreeMap<&'static str, &'static str>,
        body: &'static str,
        /// The notification goes away once the server has said yes.
        clear: bool,
    },
    View {
        label: &'static str,
        url: &'a str,
    },
}

fn message<'a>(delivery: &'a Delivery, topic: &'a str) -> Message<'a> {
    let (text, incident) = (delivery.text(), &delivery.incident);
    let (ack, open) = match delivery.language {
        Language::En => ("Ack", "Open"),
        Language::Zh => ("认领", "打开"),
    };
    let mut actions = Vec::new();
    if let Some(url) = delivery.ack_url.as_deref() {
        actions.push(Action::Http {
            label: ack,
            url,
            method: "POST",
            headers: BTreeMap::from([("Content-Type", "application/x-www-form-urlencoded")]),
            body: "action=ack",
            clear: true,
        });
    }
    actions.push(Action::View { label: open, url: &delivery.incident_url });
    let mut tags = vec![emoji(incident.severity).to_owned(), incident.severity.to_string()];
    if delivery.test {
        tags.push("test".to_owned());
    }
    Message {
        topic,
        title: text.title,
        message: clip(text.body),
        priority: priority(incident.severity),
        tags,
        click: &delivery.incident_url,
        actions,
        sequence_id: None,
    }
}

/// 5 may break through silence if the phone's owner lets it; 1 makes no sound.
const fn priority(severity: Severity) -> u8 {
    match severity {
        Severity::P0 => 5,
        Severity::P1 => 4,
        Severity::P2 => 3,
        Severity::P3 => 2,
        Severity::P4 | Severity::P5 | Severity::P6 => 1,
    }
}

/// ntfy shows these names as pictures in front of the title.
const fn emoji(severity: Severity) -> &'static str {
    match severity {
        Severity::P0 | Severity::P1 => "rotating_light",
        Severity::P2 | Severity::P3 => "warning",
        Severity::P4 | Severity::P5 | Severity::P6 => "information_source",
    }
}

fn clip(mut text: String) -> String {
    if text.len() > MESSAGE_BYTES {
        text.truncate(text.floor_char_boundary(MESSAGE_BYTES - "…".len()));
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_message_is_cut_between_characters() {
        assert_eq!(clip("a".repeat(4_096)).len(), 4_096);
        let cut = clip("字".repeat(2_000));
        assert!(cut.len() <= MESSAGE_BYTES && cut.ends_with("字…"), "{}", cut.len());
    }

    #[test]
    fn urgency_falls_with_severity_and_never_leaves_1_to_5() {
        assert_eq!(Severity::ALL.map(priority), [5, 4, 3, 2, 1, 1, 1]);
    }

    #[test]
    fn a_server_that_is_not_one_is_refused_at_start() {
        for server in ["ntfy.example.org", "ftp://x", "", "unix:/x"] {
            assert!(Ntfy::new(&NtfyChannel { server: server.into(), token: None }).is_err(), "{server}");
        }
        let ntfy = Ntfy::new(&NtfyChannel { server: "http://[::1]:80".into(), token: Some("tk_secret".into()) });
        assert_eq!(ntfy.as_ref().map(|n| n.host().to_owned()), Ok("[::1]".to_owned()));
        assert!(!format!("{ntfy:?}").contains("tk_secret"));
    }
}
