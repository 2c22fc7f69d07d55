//! What a browser is pushed: one message that a service worker reads, and that a browser which knows declarative web push
//! shows by itself should our worker fail.

use crate::channels::{Delivery, Letter, Withdrawal, message::clip_bytes};
use serde::Serialize;
use shared::{Severity, Timestamp, messages, text::Language};
use std::borrow::Cow;

messages! {
    hidden_incident(mark: &str, severity: Severity, id: i64) { en: "{mark}{severity} · incident #{id}", zh: "{mark}{severity} · 事件 #{id}" }
    hidden_test(mark: &str, severity: Severity) { en: "{mark}{severity} · test page", zh: "{mark}{severity} · 测试通知" }
    hidden_notice() { en: "A note from Tocsin", zh: "Tocsin 提醒" }
    hidden_body() { en: "Open Tocsin to read it: this device hides what pages say.", zh: "请打开 Tocsin 查看：此设备隐藏通知内容。" }
}

/// The mark of a declarative message: the number of the standard.
const DECLARATIVE: u16 = 8030;
/// Of the message before it is encrypted; every push service takes nearly twice as much.
const BYTES_MOST: usize = 2_048;
const TITLE_BYTES: usize = 240;
const HOST_BYTES: usize = 120;
/// Bodies that are tried, the longest first. What a text takes in JSON is known once it is written.
const BODY_BYTES: [usize; 8] = [1_400, 1_100, 850, 600, 400, 250, 120, 0];

/// A P0 is worth nothing once the next step has begun; this at least, and this at most.
const P0_TTL_S: (i64, i64) = (30, 300);
const P1_TTL_S: i64 = 900;
const P2_TTL_S: i64 = 3_600;
const CALM_TTL_S: i64 = 14_400;

/// A message and how it is carried; the same for every device but for the device's number in it.
#[derive(Clone)]
pub(super) struct Parcel {
    /// How long a push service keeps it for a browser that is away.
    pub(super) ttl_s: i64,
    pub(super) urgency: &'static str,
    /// What is kept is replaced by the next of the same topic: at most 32 characters of base64url.
    pub(super) topic: Option<String>,
    pub(super) title: String,
    pub(super) body: String,
    /// Instead of title and body where others can see the screen.
    pub(super) hidden_title: String,
    pub(super) navigate: String,
    pub(super) language: Language,
    pub(super) tag: String,
    pub(super) silent: bool,
    pub(super) badge: usize,
    pub(super) ours: Ours,
}

/// What only our own worker reads. A browser that reads the message itself hands on nothing of it but the notification, so
/// it stands in there.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Ours {
    /// The key of the delivery, the same for every try.
    pub(super) d: String,
    /// The device.
    v: i64,
    /// Allows to answer for the recipient and to say what became of the message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cap: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sev: Option<Severity>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) host: String,
    /// The incident's number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) i: Option<i64>,
    /// So many other incidents it is about as well.
    #[serde(skip_serializing_if = "is_zero")]
    pub(super) n: usize,
    /// Rings again although its predecessor is still shown.
    #[serde(skip_serializing_if = "is_false")]
    pub(super) r: bool,
    /// Stays until somebody touches it.
    #[serde(skip_serializing_if = "is_false")]
    pub(super) urgent: bool,
    /// Nothing is left to answer: open windows stop ringing.
    #[serde(skip_serializing_if = "is_false")]
    pub(super) over: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
const fn is_zero(number: &usize) -> bool {
    *number == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
const fn is_false(is: &bool) -> bool {
    !*is
}

#[derive(Serialize)]
struct Declared<'a> {
    web_push: u16,
    /// Our worker is asked first where there is one: it tells us that the message is shown.
    mutable: bool,
    #[serde(skip_serializing_if = "is_zero")]
    app_badge: usize,
    notification: Notification<'a>,
}

#[derive(Serialize)]
struct Notification<'a> {
    title: &'a str,
    body: &'a str,
    navigate: &'a str,
    lang: &'a str,
    tag: &'a str,
    #[serde(skip_serializing_if = "is_false")]
    silent: bool,
    data: Ours,
}

impl Parcel {
    pub(super) fn page(delivery: &Delivery, now: Timestamp) -> Self {
        let (text, incident) = (delivery.text(), &delivery.incident);
        let severity = incident.severity;
        let id = incident.id.0;
        let host = incident.host.as_deref().or(incident.ip.as_deref()).unwrap_or_default();
        let name = if delivery.test { "test".to_owned() } else { format!("i{id}") };
        let (l, mark) = (delivery.language, delivery.mark());
        let hidden_title =
            if delivery.test { hidden_test(l, mark, severity) } else { hidden_incident(l, mark, severity, id) };
        Self {
            hidden_title,
            ttl_s: ttl_s(severity, incident.escalations.iter().filter_map(|it| it.due).min(), now),
            urgency: urgency(severity),
            topic: Some(if severity > Severity::P2 { "digest".to_owned() } else { name.clone() }),
            title: text.title,
            body: text.body,
            navigate: delivery.incident_url.clone(),
            language: delivery.language,
            tag: name,
            silent: severity > Severity::P2,
            badge: delivery.others.len() + 1,
            ours: Ours {
                d: delivery.key.clone(),
                v: 0,
                cap: delivery.answer().map(|answer| answer.cap.to_owned()),
                sev: Some(severity),
                host: crate::outbound::visible(host),
                i: (!delivery.test).then_some(id),
                n: delivery.others.len(),
                r: severity.is_urgent(),
                urgent: severity.is_urgent(),
                over: false,
            },
        }
    }

    pub(super) fn notice(letter: &Letter) -> Self {
        let text = letter.visible();
        Self {
            ttl_s: CALM_TTL_S,
            urgency: if letter.about.is_heard() { "normal" } else { "low" },
            topic: None,
            title: text.title,
            body: text.body,
            hidden_title: hidden_notice(letter.language),
            navigate: letter.url.clone(),
            language: letter.language,
            tag: letter.about.silence().map_or_else(|| letter.about.thread(), |id| format!("s{id}")),
            silent: !letter.about.is_heard(),
            badge: 0,
            ours: Ours { d: letter.key.clone(), ..Ours::default() },
        }
    }

    /// Takes the place of the page about an incident: nothing is left to answer, and nothing sounds.
    pub(super) fn withdrawn(withdrawal: &Withdrawal) -> Self {
        let Withdrawal { incident, language, text, outcome, url, .. } = withdrawal;
        let name = format!("i{incident}");
        Self {
            ttl_s: P1_TTL_S,
            urgency: "normal",
            // A page that still waits for the device need not come at all.
            topic: Some(name.clone()),
            title: format!("{outcome}: {}", withdrawal.title()),
            body: crate::outbound::visible(&text.body),
            hidden_title: format!("{outcome} · #{incident}"),
            navigate: url.clone(),
            language: *language,
            tag: name,
            silent: true,
            badge: 0,
            ours: Ours { i: Some(incident.0), over: true, ..Ours::default() },
        }
    }

    /// Whether a device tells what becomes of it.
    pub(super) const fn asks(&self) -> bool {
        self.ours.cap.is_some()
    }

    /// As a device may have it: a private one is told where to look, and nothing of what is wrong where.
    pub(super) fn on_screen(&self, private: bool) -> Cow<'_, Self> {
        if !private {
            return Cow::Borrowed(self);
        }
        let mut hidden = self.clone();
        hidden.title.clone_from(&self.hidden_title);
        hidden.body = hidden_body(self.language);
        hidden.ours.host.clear();
        Cow::Owned(hidden)
    }

    /// As a browser is sent it.
    pub(super) fn written(&self, device: i64) -> Vec<u8> {
        let title = clip_bytes(&self.title, TITLE_BYTES);
        let data = Ours { v: device, host: clip_bytes(&self.ours.host, HOST_BYTES), ..self.ours.clone() };
        let mut written = Vec::new();
        for bytes in BODY_BYTES {
            let notification = Notification {
                title: &title,
                body: &if bytes == 0 { String::new() } else { clip_bytes(&self.body, bytes) },
                navigate: &self.navigate,
                lang: match self.language {
                    Language::En => "en",
                    Language::Zh => "zh-CN",
                },
                tag: &self.tag,
                silent: self.silent,
                data: data.clone(),
            };
            let declared = Declared { web_push: DECLARATIVE, mutable: true, app_badge: self.badge, notification };
            // Of texts and numbers: it can always be written.
            written = serde_json::to_vec(&declared).unwrap_or_default();
            if written.len() <= BYTES_MOST {
                break;
            }
        }
        written
    }
}

fn ttl_s(severity: Severity, next_step: Option<Timestamp>, now: Timestamp) -> i64 {
    match severity {
        Severity::P0 => {
            let left_s = next_step.map_or(P0_TTL_S.1, |due| due.ms_since(now) / 1_000);
            left_s.clamp(P0_TTL_S.0, P0_TTL_S.1)
        }
        Severity::P1 => P1_TTL_S,
        Severity::P2 => P2_TTL_S,
        _ => CALM_TTL_S,
    }
}

/// Apple delivers reliably only what is of high urgency; phones that sleep wait with what is of low.
const fn urgency(severity: Severity) -> &'static str {
    match severity {
        Severity::P0 | Severity::P1 => "high",
        Severity::P2 => "normal",
        _ => "low",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channels::Address;
    use crate::channels::LetterAbout;
    use proptest::prelude::*;
    use shared::{AttemptId, Incident, SilenceId, text::PageText};
    use std::sync::Arc;

    const NOW: Timestamp = Timestamp::from_ms(1_700_000_000_000);

    fn delivery(title: &str, host: &str, severity: Severity) -> Delivery {
        let incident: Incident = serde_json::from_value(serde_json::json!({
            "id": i64::MAX, "version": 1, "state": "triggered", "severity": severity, "title": title,
            "integration": "zabbix", "host": host, "ip": "10.1.2.3", "alerts": [9], "firing": 1, "count": 3,
            "opened_at": 1_700_000_000_000_i64, "updated_at": 1_700_000_000_000_i64, "escalations": [], "timeline": 1
        }))
        .unwrap();
        let page = serde_json::json!({
            "id": 5, "recipient": {"person": "li"}, "via": {"kind": "direct"}, "policy": "p", "level": 1, "cycle": 0,
            "created_at": 1_700_000_000_000_i64, "attempts": []
        });
        Delivery {
            key: format!("{}-{}", "k".repeat(32), i64::MAX),
            attempt: AttemptId(7),
            try_number: 1,
            incident: Arc::new(incident),
            page: serde_json::from_value(page).unwrap(),
            language: Language::Zh,
            address: Address::Push { person: "li".into(), only: None },
            ack_url: Some(format!("https://tocsin.example.org/a/{}", "c".repeat(200))),
            base: "https://tocsin.example.org".into(),
            incident_url: format!("https://tocsin.example.org/incidents/{}", i64::MAX),
            test: false,
            unrecorded: false,
            others: Vec::new(),
            storm: false,
            near: None,
            reminder: false,
        }
    }

    fn read(parcel: &Parcel) -> serde_json::Value {
        serde_json::from_slice(&parcel.written(3)).unwrap()
    }

    #[test]
    fn a_device_that_others_see_is_told_neither_where_nor_what() {
        for (test, title) in [(false, "P0 · 事件 #7"), (true, "【测试】P0 · 测试通知")] {
            let mut page = Delivery { test, ..delivery("disk full on db-7", "db-7", Severity::P0) };
            Arc::make_mut(&mut page.incident).id = shared::IncidentId(7);
            let written = String::from_utf8(Parcel::page(&page, NOW).on_screen(true).written(3)).unwrap();
            assert!(["db-7", "10.1.2.3", "disk"].iter().all(|secret| !written.contains(secret)), "{written}");
            let message: serde_json::Value = serde_json::from_str(&written).unwrap();
            assert_eq!(message["notification"]["title"], title);
            assert!(message["notification"]["data"]["cap"].is_string(), "it can be answered all the same");
        }
    }

    #[test]
    fn how_a_message_is_carried_follows_its_severity() {
        let carried = Severity::ALL.map(|severity| {
            let parcel = Parcel::page(&delivery("x", "db-7", severity), NOW);
            (parcel.ttl_s, parcel.urgency, parcel.topic.unwrap(), parcel.silent)
        });
        let topic = format!("i{}", i64::MAX);
        assert!(topic.len() <= 32);
        assert_eq!(carried[0], (300, "high", topic.clone(), false));
        assert_eq!(carried[1], (900, "high", topic.clone(), false));
        assert_eq!(carried[2], (3_600, "normal", topic, false));
        assert!(carried[3..].iter().all(|it| *it == (14_400, "low", "digest".to_owned(), true)));
        let due = |s: i64| ttl_s(Severity::P0, Some(NOW.plus_ms(s * 1_000)), NOW);
        assert_eq!((due(-5), due(60), due(9_000)), (30, 60, 300));
    }

    #[test]
    fn a_page_is_a_declarative_message_with_ours_in_it() {
        let message = read(&Parcel::page(&delivery("磁盘满", "db-7", Severity::P0), NOW));
        assert_eq!((&message["web_push"], &message["mutable"]), (&8030.into(), &true.into()));
        assert_eq!(message["app_badge"], 1);
        let shown = &message["notification"];
        assert_eq!((shown["title"].as_str(), shown["lang"].as_str()), (Some("P0 db-7 磁盘满"), Some("zh-CN")));
        assert!(shown["body"].as_str().unwrap().contains("10.1.2.3"));
        assert_eq!(shown["tag"], format!("i{}", i64::MAX));
        let ours = &shown["data"];
        assert_eq!(
            (&ours["v"], &ours["sev"], &ours["urgent"], &ours["r"]),
            (&3.into(), &"P0".into(), &true.into(), &true.into())
        );
        assert_eq!((ours["cap"].as_str().unwrap().len(), &ours["host"]), (200, &"db-7".into()));
        let calm = read(&Parcel::page(&delivery("x", "db-7", Severity::P4), NOW));
        assert_eq!(calm["notification"]["silent"], true);
        assert!(calm["notification"]["data"].get("urgent").is_none());
    }

    #[test]
    fn a_notice_is_silent_and_allows_nothing() {
        let letter = Letter {
            key: "k".into(),
            about: LetterAbout::Silence(SilenceId(12)),
            text: PageText { title: "t".into(), body: "b".into() },
            language: Language::En,
            address: Address::Push { person: "li".into(), only: None },
            url: "https://tocsin.example.org/silences/12".into(),
        };
        let message = read(&Parcel::notice(&letter));
        assert_eq!(message["notification"]["tag"], "s12");
        assert_eq!(message["notification"]["data"], serde_json::json!({"d": "k", "v": 3}));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_longer_than_is_allowed(
            title in "[\u{4e00}-\u{9fff}\"\\\\\n a-z]{0,3000}",
            host in any::<String>(),
            near in "[\u{4e00}-\u{9fff}\"\\\\]{0,2000}",
        ) {
            let mut page = delivery(&title, &host, Severity::P0);
            Arc::make_mut(&mut page.incident).title = format!("{title}{near}").as_str().into();
            let written = Parcel::page(&page, NOW).written(i64::MAX);
            prop_assert!(written.len() <= BYTES_MOST, "{}", written.len());
            let letter = Letter {
                key: page.key.clone(),
                about: LetterAbout::Silence(SilenceId(1)),
                text: PageText { title: title.clone(), body: format!("{near}\n{title}") },
                language: Language::Zh,
                address: Address::Push { person: "li".into(), only: None },
                url: page.incident_url.clone(),
            };
            let parcel = Parcel::notice(&letter);
            let written = parcel.written(1);
            prop_assert!(written.len() <= BYTES_MOST, "{}", written.len());
            let read: serde_json::Value = serde_json::from_slice(&written).unwrap();
            let body = read["notification"]["body"].as_str().unwrap();
            prop_assert!(body == parcel.body || body.ends_with('…') || body.is_empty());
        }
    }
}
