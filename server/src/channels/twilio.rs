//! Twilio: text messages that can be replied to, calls that can be answered by a key.

use super::{
    Accepted, chat,
    message::{Answer, Message},
    phone,
};
use crate::{
    answers::menu,
    outbound::{Outbound, OutboundAnswer, OutboundRequest, permanent, quote},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;
use shared::{Failure, Fault, Severity, config::TwilioChannel};
use std::fmt;
use url::{Url, form_urlencoded};

/// Two segments of a plain text …
const PLAIN_CHARS: usize = 306;
/// … and three of any other: each segment is paid for, and more of them arrive late or not at all.
const WIDE_CHARS: usize = 201;
/// How long it rings: shorter than most mailboxes wait.
const RING_SECONDS: &str = "30";
/// What is told of a call as it goes on.
const CALL_EVENTS: [&str; 4] = ["initiated", "ringing", "answered", "completed"];
/// Twilio's own number for what HTTP calls 429.
const TOO_MANY: i64 = 20_429;

/// The configured account.
pub(super) struct Twilio {
    base: Url,
    account: String,
    token: String,
    from: String,
    messaging_service: Option<String>,
}

impl fmt::Debug for Twilio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Twilio").field("from", &self.from).finish_non_exhaustive()
    }
}

impl Twilio {
    pub(super) fn new(config: &TwilioChannel) -> Result<Self, String> {
        if config.account.is_empty() || !config.account.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err("twilio.account is not the id of one; it begins with AC".to_owned());
        }
        Ok(Self {
            base: chat::base("twilio.base", &config.base)?,
            account: config.account.clone(),
            token: config.token.clone(),
            from: config.from.clone(),
            messaging_service: config.messaging_service.clone(),
        })
    }

    pub(super) fn base(&self) -> &Url {
        &self.base
    }

    /// A text message.
    pub(super) async fn write(
        &self,
        outbound: &Outbound,
        message: &Message<'_>,
        to: &str,
    ) -> Result<Accepted, Failure> {
        let seconds = valid_seconds(message).to_string();
        let sender = match &self.messaging_service {
            Some(service) => ("MessagingServiceSid", service.as_str()),
            None => ("From", self.from.as_str()),
        };
        let mut form = Form::new([("To", to), sender]);
        form.add("Body", &text(message)).add("ValidityPeriod", &seconds);
        if let Some(answer) = phone::reachable(message) {
            form.add("StatusCallback", &answer.callback("twilio/sms"));
        }
        self.post(outbound, message, to, ("Messages.json", form)).await
    }

    /// A call.
    pub(super) async fn call(&self, outbound: &Outbound, message: &Message<'_>, to: &str) -> Result<Accepted, Failure> {
        let mut form = Form::new([("To", to), ("From", &self.from), ("Timeout", RING_SECONDS)]);
        match phone::reachable(message) {
            Some(answer) => follow(&mut form, answer),
            // Nobody is there to be asked what to say: it is said all the same, and answered in another way.
            None => {
                form.add("Twiml", &menu::announcement(message.language, &phone::said(message)));
            }
        }
        self.post(outbound, message, to, ("Calls.json", form)).await
    }

    async fn post(
        &self,
        outbound: &Outbound,
        message: &Message<'_>,
        to: &str,
        (resource, form): (&str, Form),
    ) -> Result<Accepted, Failure> {
        // It would answer itself, and each answer would be read as a reply.
        if digits(to) == digits(&self.from) {
            return Err(permanent("this is the number that pages come from; nobody hears it"));
        }
        let credentials = STANDARD.encode(format!("{}:{}", self.account, self.token));
        let mut secrets = vec![self.token.clone(), self.account.clone(), credentials.clone()];
        secrets.extend(self.messaging_service.clone());
        secrets.extend(phone::forms(to).into_iter().chain(phone::forms(&self.from)));
        secrets.extend(message.secrets.iter().cloned());
        let base = self.base.as_str().trim_end_matches('/');
        let headers = vec![
            ("content-type", "application/x-www-form-urlencoded".to_owned()),
            ("authorization", format!("Basic {credentials}")),
        ];
        let url = format!("{base}/2010-04-01/Accounts/{}/{resource}", self.account);
        let answer = outbound.post_raw(OutboundRequest { url, headers, body: form.finish(), secrets }).await?;
        outcome(&answer)
    }
}

/// Lets Twilio ask us what to say, and tell us how the call goes.
fn follow(form: &mut Form, answer: Answer<'_>) {
    form.add("Url", &answer.callback("twilio/voice")).add("StatusCallback", &answer.callback("twilio/call"));
    for event in CALL_EVENTS {
        form.add("StatusCallbackEvent", event);
    }
}

/// A form whose names may repeat.
struct Form(Vec<(&'static str, String)>);

impl Form {
    fn new<const N: usize>(pairs: [(&'static str, &str); N]) -> Self {
        Self(pairs.map(|(name, value)| (name, value.to_owned())).to_vec())
    }

    fn add(&mut self, name: &'static str, value: &str) -> &mut Self {
        self.0.push((name, value.to_owned()));
        self
    }

    fn finish(self) -> Vec<u8> {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(self.0).finish().into_bytes()
    }
}

/// What is written: how to answer stands last, where it is still seen below a long text.
fn text(message: &Message<'_>) -> String {
    let link = phone::link(message);
    let ending = phone::reply(message).map_or_else(|| link.to_owned(), |reply| format!("{reply}\n{link}"));
    let plain = narrow(&phone::written(message, &ending, PLAIN_CHARS));
    if plain.is_ascii() { plain } else { phone::written(message, &ending, WIDE_CHARS) }
}

/// Without the two signs of ours that alone would halve the room: one character that is not of the plain alphabet makes
/// every character of a text message twice as wide.
fn narrow(text: &str) -> String {
    text.replace(" · ", ", ").replace('…', ".")
}

/// After this long it is not delivered any more: who turns their phone on tomorrow is not woken by yesterday.
const fn valid_seconds(message: &Message<'_>) -> u32 {
    match &message.page {
        Some(page) => match page.severity {
            Severity::P0 => 300,
            Severity::P1 => 900,
            _ => 3_600,
        },
        None => 3_600,
    }
}

fn digits(number: &str) -> String {
    number.chars().filter(char::is_ascii_digit).collect()
}

/// Of its answers.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Said {
    sid: Option<String>,
    code: Option<i64>,
    message: String,
}

fn outcome(answer: &OutboundAnswer) -> Result<Accepted, Failure> {
    let said: Said = serde_json::from_slice(&answer.body).unwrap_or_default();
    if answer.is_success() {
        return match answer.content_type.as_str() {
            "text/html" => Err(permanent("a web page answered instead of Twilio; check twilio.base")),
            _ => Ok(Accepted { provider_id: said.sid.map(|sid| quote(&sid, &[])) }),
        };
    }
    let failure = answer.refusal();
    let Some(code) = said.code else { return Err(failure) };
    let why = match meaning(code) {
        Some(meaning) => meaning.to_owned(),
        None => format!("“{}”", answer.quote(&said.message)),
    };
    let permanent = failure.permanent && code != TOO_MANY;
    let fault = if permanent { fault(code) } else { Fault::Unknown };
    Err(Failure { permanent, detail: format!("Twilio refused it ({code}): {why}"), fault, ..failure })
}

/// Whom a refusal is about.
const fn fault(code: i64) -> Fault {
    match code {
        21_211 | 21_214 | 21_217 | 21_610 | 21_612 | 21_614 => Fault::Method,
        20_003 | 20_005 | 21_212 | 21_215 | 21_216 | 21_219 | 21_408 | 21_606 | 21_608 | 21_659 => Fault::Provider,
        _ => Fault::Unknown,
    }
}

/// Refusals that somebody here can do something about.
const fn meaning(code: i64) -> Option<&'static str> {
    Some(match code {
        20_003 => "the account or its token is wrong",
        20_005 => "the account is not active",
        TOO_MANY => "too many requests at once",
        21_211 | 21_217 => "this is not a telephone number",
        21_212 => "twilio.from is not a number that may be used",
        21_214 => "this number cannot be reached",
        21_215 | 21_216 => "the account may not call there; allow the country in its console",
        21_219 | 21_608 => "a trial account reaches verified numbers only",
        21_408 => "the account may not write there; allow the country in its console",
        21_606 | 21_659 => "twilio.from is not a number of this account that can write",
        21_609 | 21_205 => "Twilio cannot call the public address of this server",
        21_610 => "the recipient has replied STOP; they must reply START first",
        21_612 => "this number cannot be written to from twilio.from",
        21_614 => "this number receives no text messages",
        21_617 => "the text is too long",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channels::message::About;
    use shared::text::Language;

    fn message(title: &str, body: &str) -> Message<'static> {
        let about =
            About { severity: Severity::P0, incident: 42, host: "h", ip: "", what: "w", others: 0, test: false };
        Message {
            key: "k",
            language: Language::En,
            title: title.to_owned(),
            body: body.to_owned(),
            page: Some(about),
            ack_url: Some("https://pager.example.org/a/0123456789abcdef0123456789abcdef"),
            url: "https://pager.example.org/incidents/42",
            answer: Some(Answer { base: "https://pager.example.org", cap: "0123456789abcdef0123456789abcdef" }),
            secrets: Vec::new(),
        }
    }

    #[test]
    fn a_text_fits_few_segments_and_ends_with_how_to_answer() {
        let short = text(&message("P0 db-7 disk full", "disk full\n10.1.2.3 · incident #42 · level 1"));
        assert_eq!(
            short,
            "P0 db-7 disk full\n10.1.2.3, incident #42, level 1\nReply 42a to acknowledge.\nhttps://pager.example.org/a/0123456789abcdef0123456789abcdef"
        );
        for (title, most) in [("disk ", PLAIN_CHARS), ("磁盘", WIDE_CHARS)] {
            let long = text(&message(&title.repeat(200), &"line\n".repeat(100)));
            assert!(long.chars().count() <= most && long.ends_with("89abcdef"), "{long}");
        }
    }

    #[test]
    fn old_news_is_not_delivered() {
        let mut page = message("", "");
        assert_eq!(valid_seconds(&page), 300);
        page.page.iter_mut().for_each(|page| page.severity = Severity::P1);
        assert_eq!(valid_seconds(&page), 900);
        assert_eq!(valid_seconds(&Message { page: None, ..page }), 3_600);
    }
}
