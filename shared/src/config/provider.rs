//! Whoever carries text messages, calls, pushes and chat: accounts, and where each answers.
//!
//! Each has a base address, so that a company's own gateway, or a test, can stand in its place.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Web push: browsers, and whatever else speaks RFC 8030.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct PushChannel {
    /// Whom a push service can write to when something is wrong with our pushes: `mailto:` or `https://`. Apple refuses
    /// what is no real one. The public address when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
    /// Hosts of push services besides those of the browsers' makers, such as an own UnifiedPush server.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
}

/// Firebase Cloud Messaging, for an app of one's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct FcmChannel {
    /// The key of a service account that may send, as the console gives it: a JSON document.
    pub service_account: String,
    /// The app has Apple's permission for critical alerts: a P0 rings on an iPhone that is silent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub critical: bool,
    #[serde(default = "fcm", skip_serializing_if = "is_fcm")]
    pub base: String,
}

fn fcm() -> String {
    "https://fcm.googleapis.com".to_owned()
}

fn is_fcm(base: &String) -> bool {
    *base == fcm()
}

/// Apple's push service, for an app of one's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ApnsChannel {
    /// The text of the `.p8` file, …
    pub signing_key: String,
    /// … the ten letters it is known by, …
    pub key_id: String,
    /// … and those of the team it belongs to.
    pub team_id: String,
    /// The app's bundle id.
    pub topic: String,
    /// The app has Apple's permission for critical alerts: a P0 rings on an iPhone that is silent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub critical: bool,
    /// `https://api.sandbox.push.apple.com` for apps that were not installed from a store.
    #[serde(default = "apns", skip_serializing_if = "is_apns")]
    pub base: String,
}

fn apns() -> String {
    "https://api.push.apple.com".to_owned()
}

fn is_apns(base: &String) -> bool {
    *base == apns()
}

/// Twilio, for text messages and calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TwilioChannel {
    /// `AC…`
    pub account: String,
    /// The account's token; also what its requests to us are signed with.
    pub token: String,
    /// The number that writes and calls.
    pub from: String,
    /// `MG…`: writes instead of the number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub messaging_service: Option<String>,
    #[serde(default = "twilio", skip_serializing_if = "is_twilio")]
    pub base: String,
}

fn twilio() -> String {
    "https://api.twilio.com".to_owned()
}

fn is_twilio(base: &String) -> bool {
    *base == twilio()
}

/// Alibaba Cloud, for text messages and calls within mainland China. Both say only what stands in a template it approved:
/// `level`, `host`, `ip` and `what` are given to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AliyunChannel {
    pub key_id: String,
    pub key_secret: String,
    /// The approved signature of text messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sign_name: Option<String>,
    /// The approved template of text messages, `SMS_…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sms_template: Option<String>,
    /// The number calls come from; the account's shared numbers when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voice_number: Option<String>,
    /// The approved template of calls, `TTS_…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voice_template: Option<String>,
    /// Whether a key on the phone is asked for (`IvrCall`), so that a call can be answered by it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub voice_menu: bool,
    #[serde(default = "aliyun_sms")]
    pub sms_base: String,
    #[serde(default = "aliyun_voice")]
    pub voice_base: String,
}

fn aliyun_sms() -> String {
    "https://dysmsapi.aliyuncs.com".to_owned()
}

fn aliyun_voice() -> String {
    "https://dyvmsapi.aliyuncs.com".to_owned()
}

/// Tencent Cloud, for text messages and calls. Both say only what stands in a template it approved: its variables `{1}` to
/// `{4}` are the level, the host, the address and what is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TencentChannel {
    pub secret_id: String,
    pub secret_key: String,
    #[serde(default = "tencent_region")]
    pub region: String,
    /// The application of text messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sms_app: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sign_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sms_template: Option<String>,
    /// The application of calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voice_app: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voice_template: Option<String>,
    #[serde(default = "tencent_sms")]
    pub sms_base: String,
    #[serde(default = "tencent_voice")]
    pub voice_base: String,
}

fn tencent_region() -> String {
    "ap-guangzhou".to_owned()
}

fn tencent_sms() -> String {
    "https://sms.tencentcloudapi.com".to_owned()
}

fn tencent_voice() -> String {
    "https://vms.tencentcloudapi.com".to_owned()
}

/// What a gateway sends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum GatewayFor {
    #[default]
    Sms,
    Voice,
}

/// How a gateway is spoken to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum GatewayFormat {
    /// `application/x-www-form-urlencoded`
    #[default]
    Form,
    Json,
}

/// Any HTTP interface that writes text messages or makes calls. As it stands it speaks Open-Falcon's: a form of `tos` and
/// `content`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Gateway {
    /// What `channels.sms` or `channels.voice` names it by.
    pub id: String,
    pub url: String,
    #[serde(default, rename = "for")]
    pub sends: GatewayFor,
    #[serde(default)]
    pub format: GatewayFormat,
    /// What is posted. In the values stand `{to}`, `{text}`, `{title}`, `{level}`, `{host}`, `{ip}`, `{what}`, `{link}`,
    /// `{key}` (the same for every try), `{callback}` (where the gateway may tell what became of it) and `{token}`.
    #[serde(default = "falcon")]
    pub fields: BTreeMap<String, String>,
    /// The same, for headers.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// What `{token}` stands for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// Must stand in the answer: many gateways say 200 to what they refuse.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub success: Option<String>,
}

fn falcon() -> BTreeMap<String, String> {
    [("tos", "{to}"), ("content", "{text}")].into_iter().map(|(name, it)| (name.to_owned(), it.to_owned())).collect()
}

/// An app in a Slack workspace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SlackChannel {
    /// `xoxb-…`
    pub token: String,
    /// What Slack signs the presses of buttons with; without it messages have a link instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signing_secret: Option<String>,
    #[serde(default = "slack")]
    pub base: String,
}

fn slack() -> String {
    "https://slack.com".to_owned()
}

/// A bot on Telegram.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TelegramChannel {
    /// `123456:ABC…`
    pub token: String,
    /// What Telegram names with each press of a button (`secret_token` of its `setWebhook`); without it messages have a
    /// link instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    #[serde(default = "telegram")]
    pub base: String,
}

fn telegram() -> String {
    "https://api.telegram.org".to_owned()
}

/// Robots of DingTalk's groups.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct DingTalkChannel {
    pub base: String,
}

impl Default for DingTalkChannel {
    fn default() -> Self {
        Self { base: "https://oapi.dingtalk.com".to_owned() }
    }
}

/// Robots of Feishu's (Lark's) groups.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct FeishuChannel {
    pub base: String,
    /// What the presses of buttons are signed with; without it messages have a link instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encrypt_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verification_token: Option<String>,
}

impl Default for FeishuChannel {
    fn default() -> Self {
        Self { base: "https://open.feishu.cn".to_owned(), encrypt_key: None, verification_token: None }
    }
}

/// Robots of WeCom's groups, and an app that writes to members.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct WeComChannel {
    pub base: String,
    /// Of the app: the company, …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub corp_id: Option<String>,
    /// … the app's number …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<i64>,
    /// … and its secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// What the app's callbacks are signed and encrypted with; without them messages have a link instead of a button.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aes_key: Option<String>,
}

impl Default for WeComChannel {
    fn default() -> Self {
        Self {
            base: "https://qyapi.weixin.qq.com".to_owned(),
            corp_id: None,
            agent_id: None,
            secret: None,
            token: None,
            aes_key: None,
        }
    }
}
