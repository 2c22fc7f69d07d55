//! How pages leave the house: mail server, ntfy server, webhooks, the pace of paging, and what counts as flapping.

use super::{
    AliyunChannel, ApnsChannel, DingTalkChannel, FcmChannel, FeishuChannel, Gateway, GatewayFor, PushChannel,
    SlackChannel, TelegramChannel, TencentChannel, TwilioChannel, WeComChannel,
};
use crate::{Delay, Severity};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Settings of each channel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Channels {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<EmailChannel>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ntfy: Option<NtfyChannel>,
    pub webhook: WebhookChannel,
    pub push: PushChannel,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fcm: Option<FcmChannel>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub apns: Option<ApnsChannel>,
    /// Who writes text messages: `twilio`, `aliyun`, `tencent` or a gateway; the only one there is when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sms: Option<String>,
    /// Who makes calls; the same names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub voice: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub twilio: Option<TwilioChannel>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aliyun: Option<AliyunChannel>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tencent: Option<TencentChannel>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gateways: Vec<Gateway>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slack: Option<SlackChannel>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub telegram: Option<TelegramChannel>,
    pub dingtalk: DingTalkChannel,
    pub feishu: FeishuChannel,
    pub wecom: WeComChannel,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heartbeat: Option<OutboundHeartbeat>,
}

/// Who carries text messages or calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier<'a> {
    Twilio(&'a TwilioChannel),
    Aliyun(&'a AliyunChannel),
    Tencent(&'a TencentChannel),
    Gateway(&'a Gateway),
}

impl Carrier<'_> {
    /// As configuration names it.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Twilio(_) => "twilio",
            Self::Aliyun(_) => "aliyun",
            Self::Tencent(_) => "tencent",
            Self::Gateway(gateway) => &gateway.id,
        }
    }
}

impl Channels {
    /// Who writes text messages, or makes calls.
    ///
    /// # Errors
    /// A sentence that says why nobody does.
    pub fn carrier(&self, of: GatewayFor) -> Result<Carrier<'_>, String> {
        let (key, name) = match of {
            GatewayFor::Sms => ("sms", self.sms.as_deref()),
            GatewayFor::Voice => ("voice", self.voice.as_deref()),
        };
        let template = |sms: &Option<String>, voice: &Option<String>| match of {
            GatewayFor::Sms => sms.is_some(),
            GatewayFor::Voice => voice.is_some(),
        };
        let aliyun = self.aliyun.as_ref().filter(|it| template(&it.sms_template, &it.voice_template));
        let tencent = self.tencent.as_ref().filter(|it| template(&it.sms_template, &it.voice_template));
        let gateways =
            self.gateways.iter().filter(|it| it.sends == of).map(|it| (it.id.as_str(), Carrier::Gateway(it)));
        let known: Vec<(&str, Carrier<'_>)> = [
            self.twilio.as_ref().map(|it| ("twilio", Carrier::Twilio(it))),
            aliyun.map(|it| ("aliyun", Carrier::Aliyun(it))),
            tencent.map(|it| ("tencent", Carrier::Tencent(it))),
        ]
        .into_iter()
        .flatten()
        .chain(gateways)
        .collect();
        let names = || known.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        match (name, known.as_slice()) {
            (Some(name), _) => {
                known.iter().find(|(known, _)| *known == name).map(|(_, carrier)| *carrier).ok_or_else(|| {
                    format!(
                        "`channels.{key}` names `{name}`, and there is only: {}",
                        if known.is_empty() { "nobody".into() } else { names() }
                    )
                })
            }
            (None, [(_, only)]) => Ok(*only),
            (None, []) => Err(format!(
                "nobody is configured who could; add `channels.twilio`, `channels.aliyun`, `channels.tencent` or one of `channels.gateways` for = \"{key}\""
            )),
            (None, _) => Err(format!("several could ({}); say which by `channels.{key}`", names())),
        }
    }

    /// Where secrets stand: the channel, and the key within it. Those of gateways come besides.
    pub const SECRETS: [(&'static str, &'static str); 17] = [
        ("email", "password"),
        ("ntfy", "token"),
        ("fcm", "service_account"),
        ("apns", "signing_key"),
        ("twilio", "token"),
        ("aliyun", "key_secret"),
        ("tencent", "secret_id"),
        ("tencent", "secret_key"),
        ("slack", "token"),
        ("slack", "signing_secret"),
        ("telegram", "token"),
        ("telegram", "secret"),
        ("feishu", "encrypt_key"),
        ("feishu", "verification_token"),
        ("wecom", "secret"),
        ("wecom", "token"),
        ("wecom", "aes_key"),
    ];

    /// The secret that stands there.
    #[must_use]
    pub fn secret(&self, channel: &str, key: &str) -> Option<&str> {
        match (channel, key) {
            ("email", "password") => self.email.as_ref()?.password.as_deref(),
            ("ntfy", "token") => self.ntfy.as_ref()?.token.as_deref(),
            ("fcm", "service_account") => self.fcm.as_ref().map(|it| it.service_account.as_str()),
            ("apns", "signing_key") => self.apns.as_ref().map(|it| it.signing_key.as_str()),
            ("twilio", "token") => self.twilio.as_ref().map(|it| it.token.as_str()),
            ("aliyun", "key_secret") => self.aliyun.as_ref().map(|it| it.key_secret.as_str()),
            ("tencent", "secret_id") => self.tencent.as_ref().map(|it| it.secret_id.as_str()),
            ("tencent", "secret_key") => self.tencent.as_ref().map(|it| it.secret_key.as_str()),
            ("slack", "token") => self.slack.as_ref().map(|it| it.token.as_str()),
            ("slack", "signing_secret") => self.slack.as_ref()?.signing_secret.as_deref(),
            ("telegram", "token") => self.telegram.as_ref().map(|it| it.token.as_str()),
            ("telegram", "secret") => self.telegram.as_ref()?.secret.as_deref(),
            ("feishu", "encrypt_key") => self.feishu.encrypt_key.as_deref(),
            ("feishu", "verification_token") => self.feishu.verification_token.as_deref(),
            ("wecom", "secret") => self.wecom.secret.as_deref(),
            ("wecom", "token") => self.wecom.token.as_deref(),
            ("wecom", "aes_key") => self.wecom.aes_key.as_deref(),
            _ => None,
        }
    }

    /// Looks at each secret of a channel that is there, to put something else in its place.
    pub fn each_secret(&mut self, mut visit: impl FnMut(&mut String)) {
        let Self { email, ntfy, fcm, apns, twilio, aliyun, tencent, slack, telegram, feishu, wecom, .. } = self;
        let optional = [
            email.as_mut().and_then(|it| it.password.as_mut()),
            ntfy.as_mut().and_then(|it| it.token.as_mut()),
            fcm.as_mut().map(|it| &mut it.service_account),
            apns.as_mut().map(|it| &mut it.signing_key),
            twilio.as_mut().map(|it| &mut it.token),
            aliyun.as_mut().map(|it| &mut it.key_secret),
            feishu.encrypt_key.as_mut(),
            feishu.verification_token.as_mut(),
            wecom.secret.as_mut(),
            wecom.token.as_mut(),
            wecom.aes_key.as_mut(),
        ];
        optional.into_iter().flatten().for_each(&mut visit);
        if let Some(tencent) = tencent {
            visit(&mut tencent.secret_id);
            visit(&mut tencent.secret_key);
        }
        if let Some(slack) = slack {
            visit(&mut slack.token);
            slack.signing_secret.iter_mut().for_each(&mut visit);
        }
        if let Some(telegram) = telegram {
            visit(&mut telegram.token);
            telegram.secret.iter_mut().for_each(&mut visit);
        }
    }
}

/// Who is told from time to time that the pager works, and alarms when that stops: a dead-man's switch elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct OutboundHeartbeat {
    /// Called with POST and an empty body.
    pub url: String,
    /// At least a second.
    #[serde(default = "each_minute")]
    pub every: Delay,
}

const fn each_minute() -> Delay {
    Delay::mins(1)
}

/// How the connection to the mail server is protected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum EmailTls {
    /// Plain text; only for a relay on this machine.
    None,
    /// Upgrade after connecting (port 587).
    #[default]
    Starttls,
    /// TLS from the first byte (port 465).
    Tls,
}

/// The mail server pages are sent through.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct EmailChannel {
    pub host: String,
    /// 25, 465 or 587 by `tls` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    #[serde(default)]
    pub tls: EmailTls,
    /// The sender's address, for example `Tocsin <tocsin@example.org>`.
    pub from: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
}

/// The ntfy server pages are published to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NtfyChannel {
    /// Base address, for example `https://ntfy.example.org`.
    pub server: String,
    /// Access token, when the server asks for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

/// Limits on where webhooks (and ntfy) may connect.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct WebhookChannel {
    /// Networks that may be reached although they are private or loopback, such as `10.20.0.0/16`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allow_networks: Vec<String>,
    /// Whether `http://` targets are accepted.
    pub allow_http: bool,
}

/// The pace of paging, for what a policy does not say itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Paging {
    /// An acknowledged P0 is triggered again after this long; `0s` switches it off.
    pub ack_timeout_p0: Delay,
    /// The same for P1.
    pub ack_timeout_p1: Delay,
    /// The same for the severities below, which have none otherwise.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub ack_timeouts: BTreeMap<Severity, Delay>,
    /// A P0 that a channel took which tells when something is shown, a push, and that is not shown anywhere after this
    /// long: the next contact is used now. `0s` switches it off.
    pub shown_p0: Delay,
    /// The same for P1.
    pub shown_p1: Delay,
    /// The same for channels that cannot tell, such as e-mail.
    pub unproven_p0: Delay,
    /// The same for P1.
    pub unproven_p1: Delay,
    /// Between reminders to the last level once a P0 or P1 has used up its policy.
    pub reminder: Delay,
    /// So long before a silence ends its owner is told, if something still fires under it; `0s` switches it off.
    pub silence_reminder: Delay,
    /// Pages that wait for the recipient's morning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub defer: Option<Defer>,
    /// How often a delivery is tried at most.
    pub tries: u32,
    /// Before the second try; doubled for each further one, with jitter.
    pub retry_after: Delay,
    /// No try begins later than this after the delivery was due.
    pub give_up_after: Delay,
    /// How long an answer of a provider is waited for before the delivery counts as ambiguous.
    pub lease: Delay,
    /// Pages to one contact of a person that come due within this time of its last message become one message.
    pub bundle: Delay,
    /// Deliveries under way at once.
    pub in_flight: u32,
    /// Of those, reserved for P0.
    pub in_flight_p0: u32,
    /// Deliveries under way at once to one target.
    pub in_flight_per_target: u32,
}

/// Pages of lesser severities wait out the night of whoever they are for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Defer {
    /// `HH:MM` on the wall clock of the recipient's `time_zone`.
    pub from: String,
    /// `HH:MM`, when they go out.
    pub until: String,
    pub severity: Vec<Severity>,
}

impl Default for Defer {
    fn default() -> Self {
        let severity = vec![Severity::P3, Severity::P4, Severity::P5, Severity::P6];
        Self { from: "18:00".to_owned(), until: "09:00".to_owned(), severity }
    }
}

impl Default for Paging {
    fn default() -> Self {
        Self {
            ack_timeout_p0: Delay::mins(15),
            ack_timeout_p1: Delay::mins(30),
            ack_timeouts: BTreeMap::new(),
            shown_p0: Delay::secs(20),
            shown_p1: Delay::secs(60),
            unproven_p0: Delay::secs(60),
            unproven_p1: Delay::ZERO,
            reminder: Delay::mins(15),
            silence_reminder: Delay::mins(15),
            defer: None,
            tries: 5,
            retry_after: Delay::secs(5),
            give_up_after: Delay::mins(10),
            lease: Delay::secs(15),
            bundle: Delay::secs(30),
            in_flight: 256,
            in_flight_p0: 64,
            in_flight_per_target: 8,
        }
    }
}

/// When an alert that fires and recovers again and again is kept open as one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct FlapDetection {
    /// It flaps when it has opened so often …
    pub times: u32,
    /// … within this time.
    pub within: Delay,
    /// It has calmed down when it neither fired nor recovered for this long.
    pub calm: Delay,
}

impl Default for FlapDetection {
    fn default() -> Self {
        Self { times: 4, within: Delay::mins(15), calm: Delay::mins(10) }
    }
}
