//! Alibaba Cloud: text messages and calls within mainland China, in the words of approved templates.

use super::{
    Accepted, chat,
    message::{Message, clip_bytes},
    phone::{self, Variables},
};
use crate::{
    answers::menu::Key,
    clock, entropy,
    outbound::{Outbound, OutboundAnswer, OutboundRequest, ambiguous, permanent, quote},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use ring::hmac;
use serde::Deserialize;
use shared::{Failure, Fault, Timestamp, config::AliyunChannel};
use std::{collections::BTreeMap, fmt};
use url::Url;

/// Of both interfaces.
const VERSION: &str = "2017-05-25";
/// A template is heard twice: the first time somebody wakes up.
const PLAY_TIMES: &str = "2";
/// How long a key is waited for, in milliseconds.
const KEY_PATIENCE: &str = "10000";
/// Of a message's code for itself, which comes back with the receipt.
const CODE_BYTES: usize = 256;
/// To one number it writes, and calls, once a minute.
const LIMIT_MS: i64 = 60_000;
/// All but what RFC 3986 calls unreserved.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

type Parameters = BTreeMap<String, String>;

/// The configured account.
pub(super) struct Aliyun {
    sms: Url,
    voice: Url,
    config: AliyunChannel,
}

impl fmt::Debug for Aliyun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Aliyun").finish_non_exhaustive()
    }
}

impl Aliyun {
    pub(super) fn new(config: &AliyunChannel) -> Result<Self, String> {
        if config.sms_template.is_some() && config.sign_name.is_none() {
            return Err("aliyun.sms_template needs aliyun.sign_name, the approved signature".to_owned());
        }
        if config.voice_menu && config.voice_number.is_none() {
            return Err("aliyun.voice_menu needs aliyun.voice_number: shared numbers ask for no key".to_owned());
        }
        Ok(Self {
            sms: chat::base("aliyun.sms_base", &config.sms_base)?,
            voice: chat::base("aliyun.voice_base", &config.voice_base)?,
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
        let (Some(sign), Some(template)) = (&self.config.sign_name, &self.config.sms_template) else {
            return Err(permanent("aliyun.sign_name and aliyun.sms_template are not configured"));
        };
        let parameters = parameters([
            ("Action", "SendSms"),
            ("PhoneNumbers", &phone::domestic(to)),
            ("SignName", sign),
            ("TemplateCode", template),
            ("TemplateParam", &in_template(message)),
            ("OutId", &clip_bytes(message.key, CODE_BYTES)),
        ]);
        self.post(outbound, message, to, (&self.sms, parameters)).await
    }

    /// A call.
    pub(super) async fn call(&self, outbound: &Outbound, message: &Message<'_>, to: &str) -> Result<Accepted, Failure> {
        let Some(template) = &self.config.voice_template else {
            return Err(permanent("aliyun.voice_template is not configured"));
        };
        // What cannot be answered asks for no key.
        let menu = self.config.voice_menu && message.answer.is_some();
        let said = in_template(message);
        let mut parameters = parameters([
            ("CalledNumber", phone::domestic(to).as_str()),
            ("PlayTimes", PLAY_TIMES),
            ("OutId", phone::call_code(message.key)),
        ]);
        let more: &[(&str, &str)] = if menu {
            &[("Action", "IvrCall"), ("StartCode", template), ("StartTtsParams", &said), ("Timeout", KEY_PATIENCE)]
        } else {
            &[("Action", "SingleCallByTts"), ("TtsCode", template), ("TtsParam", &said)]
        };
        parameters.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        if let Some(number) = &self.config.voice_number {
            parameters.insert("CalledShowNumber".to_owned(), number.clone());
        }
        if menu {
            parameters.extend(keys(template, &said));
        }
        self.post(outbound, message, to, (&self.voice, parameters)).await
    }

    async fn post(
        &self,
        outbound: &Outbound,
        message: &Message<'_>,
        to: &str,
        (base, mut parameters): (&Url, Parameters),
    ) -> Result<Accepted, Failure> {
        let nonce: String = entropy::bytes::<16>().iter().map(|byte| format!("{byte:02x}")).collect();
        common(&mut parameters, &self.config.key_id, clock::now(), &nonce)?;
        let query = signed("POST", &parameters, &self.config.key_secret);
        let mut secrets = vec![self.config.key_secret.clone(), self.config.key_id.clone()];
        secrets.extend(phone::forms(to));
        secrets.extend(self.config.voice_number.clone());
        secrets.extend(message.secrets.iter().cloned());
        // Its own clients put everything into the address; what must not be seen of that, `Outbound` leaves out.
        let url = format!("{}/?{query}", base.as_str().trim_end_matches('/'));
        let headers = vec![("content-type", "application/x-www-form-urlencoded".to_owned())];
        let answer = outbound.post_raw(OutboundRequest { url, headers, body: Vec::new(), secrets }).await?;
        outcome(&answer)
    }
}

fn parameters<const N: usize>(pairs: [(&str, &str); N]) -> Parameters {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// What the template says.
fn in_template(message: &Message<'_>) -> String {
    let Variables { level, host, ip, what } = Variables::of(message);
    serde_json::json!({ "level": level, "host": host, "ip": ip, "what": what }).to_string()
}

/// The keys that mean something; each is confirmed by hearing the message once more, for no other template is known.
fn keys(template: &str, said: &str) -> Parameters {
    let key = |(i, key): (usize, Key)| {
        let of = move |name: &str, value: String| (format!("MenuKeyMap.{}.{name}", i + 1), value);
        [of("Key", key.digit().to_string()), of("Code", template.to_owned()), of("TtsParams", said.to_owned())]
    };
    [Key::Acknowledge, Key::Resolve, Key::Escalate, Key::StopCalls].into_iter().enumerate().flat_map(key).collect()
}

/// What every request of theirs says.
fn common(parameters: &mut Parameters, key_id: &str, now: Timestamp, nonce: &str) -> Result<(), Failure> {
    let at = jiff::Timestamp::from_second(now.ms().div_euclid(1_000)).map_err(|_| permanent("the clock is wrong"))?;
    parameters.extend(self::parameters([
        ("AccessKeyId", key_id),
        ("Format", "JSON"),
        ("RegionId", "cn-hangzhou"),
        ("SignatureMethod", "HMAC-SHA1"),
        ("SignatureNonce", nonce),
        ("SignatureVersion", "1.0"),
        ("Timestamp", &at.to_string()),
        ("Version", VERSION),
    ]));
    Ok(())
}

fn encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// The query of a request with its signature.
fn signed(method: &str, parameters: &Parameters, secret: &str) -> String {
    let pairs = parameters.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value)));
    let query = pairs.collect::<Vec<_>>().join("&");
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, format!("{secret}&").as_bytes());
    let signature = hmac::sign(&key, format!("{method}&%2F&{}", encode(&query)).as_bytes());
    format!("{query}&Signature={}", encode(&STANDARD.encode(signature)))
}

/// Of its answers.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Said {
    code: String,
    message: String,
    biz_id: Option<String>,
    call_id: Option<String>,
}

fn outcome(answer: &OutboundAnswer) -> Result<Accepted, Failure> {
    let said: Said = serde_json::from_slice(&answer.body).unwrap_or_default();
    match said.code.as_str() {
        "OK" if answer.is_success() => {
            Ok(Accepted { provider_id: said.biz_id.or(said.call_id).map(|id| quote(&id, &[])) })
        }
        "" if !answer.is_success() => Err(answer.refusal()),
        "" if answer.content_type == "text/html" => {
            Err(permanent("a web page answered instead of Alibaba Cloud; check aliyun.sms_base and aliyun.voice_base"))
        }
        "" => Err(ambiguous("the answer does not say whether it was taken")),
        code => Err(refused(answer, code, &said.message)),
    }
}

fn refused(answer: &OutboundAnswer, code: &str, message: &str) -> Failure {
    let detail = format!("Alibaba Cloud refused it ({}): “{}”", answer.quote(code), answer.quote(message));
    let limited = code == "isv.BUSINESS_LIMIT_CONTROL";
    // Its limits are a minute's, an hour's and a day's; the last one outlives every retry.
    let over_for_today = limited && message.contains("天级");
    let busy = limited
        || code.starts_with("Throttling")
        || code.starts_with("ServiceUnavailable")
        // A number it has seen; the next try has another.
        || matches!(code, "isp.SYSTEM_ERROR" | "InternalError" | "SignatureNonceUsed")
        || !answer.is_success() && !answer.refusal().permanent;
    Failure {
        permanent: over_for_today || !busy,
        retry_after_ms: (limited && !over_for_today).then_some(LIMIT_MS),
        fault: if busy { Fault::Unknown } else { fault(code) },
        ..permanent(detail)
    }
}

/// Whom a refusal is about.
fn fault(code: &str) -> Fault {
    const OURS: [&str; 9] = [
        "InvalidAccessKeyId",
        "SignatureDoesNotMatch",
        "Forbidden",
        "isv.AMOUNT_NOT_ENOUGH",
        "isv.OUT_OF_SERVICE",
        "isv.ACCOUNT",
        "isv.SMS_SIGNATURE",
        "isv.SMS_TEMPLATE",
        "isv.PRODUCT",
    ];
    if code.starts_with("isv.MOBILE_NUMBER_ILLEGAL") || code.starts_with("isv.BLACK_KEY") {
        Fault::Method
    } else if OURS.iter().any(|ours| code.starts_with(ours)) {
        Fault::Provider
    } else {
        Fault::Unknown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_manual_is_signed_as_it_says() {
        let mut parameters = parameters([
            ("Action", "SendSms"),
            ("OutId", "123"),
            ("PhoneNumbers", "15300000001"),
            ("SignName", "阿里云短信测试专用"),
            ("TemplateCode", "SMS_71390007"),
            ("TemplateParam", r#"{"customer":"test"}"#),
        ]);
        let nonce = "45e25e9b-0a6f-4070-8c85-2956eda1b466";
        common(&mut parameters, "testId", Timestamp::from_ms(1_499_827_339_500), nonce).unwrap();
        assert_eq!(parameters["Timestamp"], "2017-07-12T02:42:19Z");
        // The manual asks for another format.
        parameters.insert("Format".into(), "XML".into());
        let query = signed("GET", &parameters, "testSecret");
        assert!(query.ends_with("&Signature=zJDF%2BLrzhj%2FThnlvIToysFRq6t4%3D"), "{query}");
    }

    #[test]
    fn every_key_of_the_menu_is_told_apart() {
        let keys = keys("TTS_1", "{}");
        assert_eq!(keys.len(), 12);
        assert_eq!((keys["MenuKeyMap.1.Key"].as_str(), keys["MenuKeyMap.4.Key"].as_str()), ("4", "1"));
    }
}
