//! Tencent Cloud: text messages and calls, in the words of approved templates.

use super::{
    Accepted, chat,
    message::{Message, clip_bytes},
    phone::{self, Variables},
};
use crate::{
    clock,
    outbound::{Outbound, OutboundAnswer, OutboundRequest, ambiguous, permanent, quote},
};
use ring::{digest, hmac};
use serde::Deserialize;
use shared::{Failure, Fault, Timestamp, config::TencentChannel};
use std::fmt;
use url::Url;

/// A template is heard twice: the first time somebody wakes up.
const PLAY_TIMES: u8 = 2;
/// Of what comes back with the answer.
const SESSION_BYTES: usize = 512;
/// To one number it writes twice a minute at most.
const LIMIT_MS: i64 = 60_000;
const JSON: &str = "application/json";

/// One of its interfaces.
struct Interface {
    service: &'static str,
    action: &'static str,
    version: &'static str,
}

const SMS: Interface = Interface { service: "sms", action: "SendSms", version: "2021-01-11" };
const VOICE: Interface = Interface { service: "vms", action: "SendTtsVoice", version: "2020-09-02" };

/// The configured account.
pub(super) struct Tencent {
    sms: Url,
    voice: Url,
    config: TencentChannel,
}

impl fmt::Debug for Tencent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tencent").finish_non_exhaustive()
    }
}

impl Tencent {
    pub(super) fn new(config: &TencentChannel) -> Result<Self, String> {
        if config.sms_template.is_some() && (config.sms_app.is_none() || config.sign_name.is_none()) {
            return Err("tencent.sms_template needs tencent.sms_app and tencent.sign_name".to_owned());
        }
        if config.voice_template.is_some() && config.voice_app.is_none() {
            return Err("tencent.voice_template needs tencent.voice_app".to_owned());
        }
        Ok(Self {
            sms: chat::base("tencent.sms_base", &config.sms_base)?,
            voice: chat::base("tencent.voice_base", &config.voice_base)?,
            config: config.clone(),
        })
    }

    pub(super) fn bases(&self) -> [&Url; 2] {
        [&self.sms, &self.voice]
    }

    /// A text message.
    pub(super) async fn write(
        &self,
        outbound: &Outbound,
        message: &Message<'_>,
        to: &str,
    ) -> Result<Accepted, Failure> {
        let body = serde_json::json!({
            "PhoneNumberSet": [to],
            "SmsSdkAppId": self.config.sms_app,
            "SignName": self.config.sign_name,
            "TemplateId": self.config.sms_template,
            "TemplateParamSet": in_template(message),
            "SessionContext": clip_bytes(message.key, SESSION_BYTES),
        });
        self.post(outbound, message, to, (&SMS, &self.sms, body.to_string())).await
    }

    /// A call.
    pub(super) async fn call(&self, outbound: &Outbound, message: &Message<'_>, to: &str) -> Result<Accepted, Failure> {
        let body = serde_json::json!({
            "CalledNumber": to,
            "VoiceSdkAppid": self.config.voice_app,
            "TemplateId": self.config.voice_template,
            "TemplateParamSet": in_template(message),
            "PlayTimes": PLAY_TIMES,
            "SessionContext": clip_bytes(message.key, SESSION_BYTES),
        });
        self.post(outbound, message, to, (&VOICE, &self.voice, body.to_string())).await
    }

    async fn post(
        &self,
        outbound: &Outbound,
        message: &Message<'_>,
        to: &str,
        (interface, base, body): (&Interface, &Url, String),
    ) -> Result<Accepted, Failure> {
        let now = clock::now();
        let host = host(base).ok_or_else(|| permanent("the address of Tencent Cloud names no host"))?;
        let signed = [("content-type", JSON), ("host", host.as_str())];
        let authorization = self.authorization(interface.service, &signed, &body, now)?;
        let mut secrets = vec![self.config.secret_key.clone(), self.config.secret_id.clone()];
        secrets.extend(phone::forms(to));
        secrets.extend(message.secrets.iter().cloned());
        let headers = vec![
            ("content-type", JSON.to_owned()),
            ("authorization", authorization),
            ("x-tc-action", interface.action.to_owned()),
            ("x-tc-version", interface.version.to_owned()),
            ("x-tc-region", self.config.region.clone()),
            ("x-tc-timestamp", seconds(now).to_string()),
        ];
        // What is signed is the path `/`.
        let mut url = base.clone();
        url.set_path("/");
        url.set_query(None);
        let request = OutboundRequest { url: url.to_string(), headers, body: body.into_bytes(), secrets };
        outcome(&outbound.post_raw(request).await?)
    }

    /// `TC3-HMAC-SHA256`: a key made for this day and service, over what is sent.
    fn authorization(
        &self,
        service: &str,
        signed: &[(&str, &str)],
        body: &str,
        now: Timestamp,
    ) -> Result<String, Failure> {
        let at = jiff::Timestamp::from_second(seconds(now)).map_err(|_| permanent("the clock is wrong"))?;
        let date = at.strftime("%Y-%m-%d").to_string();
        let names = signed.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
        let headers: String = signed.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let request = format!("POST\n/\n\n{headers}\n{names}\n{}", sha256(body));
        let scope = format!("{date}/{service}/tc3_request");
        let text = format!("TC3-HMAC-SHA256\n{}\n{scope}\n{}", seconds(now), sha256(&request));
        let key = format!("TC3{}", self.config.secret_key);
        let key = [&date, service, "tc3_request"].into_iter().fold(key.into_bytes(), |key, part| mac(&key, part));
        let id = &self.config.secret_id;
        Ok(format!(
            "TC3-HMAC-SHA256 Credential={id}/{scope}, SignedHeaders={names}, Signature={}",
            hex(&mac(&key, &text))
        ))
    }
}

fn seconds(now: Timestamp) -> i64 {
    now.ms().div_euclid(1_000)
}

/// As it stands in the request.
fn host(base: &Url) -> Option<String> {
    let host = base.host()?;
    Some(base.port().map_or_else(|| host.to_string(), |port| format!("{host}:{port}")))
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec()
}

fn sha256(text: &str) -> String {
    hex(digest::digest(&digest::SHA256, text.as_bytes()).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What the template says, in the order of its variables.
fn in_template(message: &Message<'_>) -> [String; 4] {
    let Variables { level, host, ip, what } = Variables::of(message);
    [level, host, ip, what]
}

/// Of its answers.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Said {
    response: Response,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Response {
    error: Option<Status>,
    /// Of text messages: one for each number.
    send_status_set: Vec<Status>,
    /// Of a call.
    send_status: Option<Called>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Status {
    code: String,
    message: String,
    serial_no: String,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Called {
    call_id: String,
}

fn outcome(answer: &OutboundAnswer) -> Result<Accepted, Failure> {
    let Said { response } = serde_json::from_slice(&answer.body).unwrap_or_default();
    let accepted = |id: String| Accepted { provider_id: Some(quote(&id, &[])).filter(|id| !id.is_empty()) };
    // It answers 200 to what it refuses; another status is of something in between.
    match (response.error, response.send_status_set.into_iter().next(), response.send_status) {
        (Some(error), _, _) => Err(refused(answer, &error)),
        _ if !answer.is_success() => Err(answer.refusal()),
        (None, Some(status), _) if status.code == "Ok" => Ok(accepted(status.serial_no)),
        (None, Some(status), _) => Err(refused(answer, &status)),
        (None, None, Some(called)) => Ok(accepted(called.call_id)),
        (None, None, None) if answer.content_type == "text/html" => Err(permanent(
            "a web page answered instead of Tencent Cloud; check tencent.sms_base and tencent.voice_base",
        )),
        (None, None, None) => Err(ambiguous("the answer does not say whether it was taken")),
    }
}

fn refused(answer: &OutboundAnswer, status: &Status) -> Failure {
    let code = status.code.as_str();
    let detail = format!("Tencent Cloud refused it ({}): “{}”", answer.quote(code), answer.quote(&status.message));
    // Limits of a day outlive every retry; those of half a minute and of an hour may not.
    let limited = code.starts_with("LimitExceeded") && !code.contains("Daily");
    let busy = limited || code.starts_with("RequestLimitExceeded") || code.starts_with("InternalError");
    let fault = if busy { Fault::Unknown } else { fault(code) };
    Failure { permanent: !busy, retry_after_ms: limited.then_some(LIMIT_MS), fault, ..permanent(detail) }
}

/// Whom a refusal is about.
fn fault(code: &str) -> Fault {
    const OURS: [&str; 6] =
        ["AuthFailure", "UnauthorizedOperation", "Insufficient", "Unapproved", "SdkAppId", "SignatureIncorrect"];
    if code.contains("PhoneNumber") && !code.contains("Limit") {
        Fault::Method
    } else if OURS.iter().any(|ours| code.contains(ours)) {
        Fault::Provider
    } else {
        Fault::Unknown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_manual_are_signed_as_it_says() {
        let config = serde_json::json!({
            "secret_id": "AKIDz8krbsJ5yKBZQpn74WFkmLPx3*******", "secret_key": "Gu5t9xGARNpq86cd98joQYCN3*******"
        });
        let tencent = Tencent::new(&serde_json::from_value(config).unwrap()).unwrap();
        let body = r#"{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}"#;
        let headers = [
            ("content-type", "application/json; charset=utf-8"),
            ("host", "cvm.tencentcloudapi.com"),
            ("x-tc-action", "describeinstances"),
        ];
        for (signed, signature) in [
            (2, "2230eefd229f582d8b1b891af7107b91597240707d778ab3738f756258d7652c"),
            (3, "be4f67d323c78ab9acb7395e43c0dbcf822a9cfac32fea2449a7bc7726b770a3"),
        ] {
            let now = Timestamp::from_ms(1_551_113_065_000);
            let authorization = tencent.authorization("cvm", &headers[..signed], body, now).unwrap();
            assert!(authorization.ends_with(&format!("Signature={signature}")), "{authorization}");
            assert!(authorization.contains("/2019-02-25/cvm/tc3_request, SignedHeaders=content-type;host"));
        }
    }
}
