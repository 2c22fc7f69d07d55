//! Twilio's callbacks: whether it signed them, and what they say.

use super::{CarrierReport, Fate, menu::Key};
use crate::outbound::quote;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use ring::hmac;
use url::Url;

/// The header its signature stands in.
pub const SIGNATURE: &str = "x-twilio-signature";

/// Fields of a form, in the order they came.
pub type Form = [(String, String)];

/// Whether this came from who has the account's token: `url` is the whole address as Twilio was given it.
#[must_use]
pub fn is_signed(token: &str, url: &str, form: &Form, signature: &str) -> bool {
    let Ok(signature) = STANDARD.decode(signature.trim()) else { return false };
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, token.as_bytes());
    let mut fields: Vec<&(String, String)> = form.iter().collect();
    fields.sort();
    fields.dedup();
    let fields: String = fields.into_iter().flat_map(|(name, value)| [name.as_str(), value.as_str()]).collect();
    // It adds or leaves out a port as it likes; each is the same address.
    let addresses = [Some(url.to_owned()), with_port(url), without_port(url)];
    let fits = |address: String| hmac::verify(&key, format!("{address}{fields}").as_bytes(), &signature).is_ok();
    addresses.into_iter().flatten().fold(false, |fitted, address| fits(address) | fitted)
}

fn with_port(url: &str) -> Option<String> {
    let read = Url::parse(url).ok()?;
    let port = read.port_or_known_default()?;
    let (scheme, host, rest) = around(url)?;
    Some(format!("{scheme}://{host}:{port}{rest}"))
}

fn without_port(url: &str) -> Option<String> {
    let (scheme, host, rest) = around(url)?;
    Some(format!("{scheme}://{host}{rest}"))
}

/// Scheme, host without its port, and all that follows.
fn around(url: &str) -> Option<(&str, &str, &str)> {
    let (scheme, rest) = url.split_once("://")?;
    let (authority, rest) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => authority,
    };
    Some((scheme, host, rest))
}

/// What it says of a text message.
#[must_use]
pub fn message_status(form: &Form) -> Option<CarrierReport> {
    let fate = match field(form, "MessageStatus")? {
        "accepted" | "scheduled" | "queued" | "sending" => Fate::Queued,
        "sent" => Fate::Sent,
        "delivered" | "read" => Fate::Delivered,
        "undelivered" | "failed" | "canceled" => Fate::Failed,
        _ => return None,
    };
    let why = field(form, "ErrorCode").filter(|code| !code.is_empty() && *code != "0").map(error);
    Some(receipt(form, "MessageSid", fate, why.filter(|_| fate == Fate::Failed)))
}

/// What it says of a call.
#[must_use]
pub fn call_status(form: &Form) -> Option<CarrierReport> {
    let machine = field(form, "AnsweredBy").is_some_and(|by| by.starts_with("machine") || by == "fax");
    let (fate, why) = match field(form, "CallStatus")? {
        "queued" | "initiated" => (Fate::Queued, None),
        "ringing" => (Fate::Ringing, None),
        "in-progress" | "answered" | "completed" if machine => (Fate::Machine, Some("a machine answered".to_owned())),
        "in-progress" | "answered" => (Fate::Answered, None),
        "completed" => (Fate::Delivered, None),
        "busy" => (Fate::Failed, Some("the line was busy, or the call was rejected".to_owned())),
        "no-answer" => (Fate::Failed, Some("nobody answered".to_owned())),
        "failed" => (Fate::Failed, Some(field(form, "ErrorCode").map_or_else(no_connection, error))),
        "canceled" => (Fate::Failed, Some("the call was cancelled".to_owned())),
        _ => return None,
    };
    Some(receipt(form, "CallSid", fate, why))
}

/// The key somebody pressed during a call.
#[must_use]
pub fn pressed(form: &Form) -> Option<Key> {
    Key::pressed(field(form, "Digits")?)
}

/// Who wrote a text message to us, and what.
#[must_use]
pub fn inbound(form: &Form) -> Option<(&str, &str)> {
    Some((field(form, "From")?, field(form, "Body")?))
}

fn no_connection() -> String {
    "there was no connection to this number".to_owned()
}

fn receipt(form: &Form, id: &str, fate: Fate, why: Option<String>) -> CarrierReport {
    let provider_id = field(form, id).map(|id| quote(id, &[])).filter(|id| !id.is_empty());
    CarrierReport { provider_id, key: None, fate, why, pressed: pressed(form) }
}

fn field<'a>(form: &'a Form, name: &str) -> Option<&'a str> {
    form.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

/// A number of its list, in plain words.
fn error(code: &str) -> String {
    let meaning = match code {
        "13224" => "this number cannot be called",
        "13225" | "13227" => "the account may not call there; allow the country in its console",
        "30001" => "too many messages waited",
        "30002" => "the account is suspended",
        "30003" => "the telephone cannot be reached: off, or without reception",
        "30004" => "the network or the recipient blocks it",
        "30005" => "there is no such number any more",
        "30006" => "this number receives no text messages",
        "30007" => "the network took it for spam",
        "30008" => "the network does not say why",
        "30022" | "30023" => "the network takes no more messages today or this minute",
        "30034" => "the sending number is not registered with the networks",
        "30036" => "it could not be delivered while it was still of use",
        "21610" => "the recipient has replied STOP",
        _ => return format!("error {}", quote(code, &[])),
    };
    format!("{meaning} ({code})")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn form(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    const URL: &str = "https://oncall.example.org/cb/twilio/voice?m=1";
    const VECTOR: &str = "nLbFjUxhF/JBluhsaQlV9Pn6m9g=";

    fn pressed_four() -> Vec<(String, String)> {
        form(&[("CallSid", "CA1"), ("To", "+15551239999"), ("From", "+15551230000"), ("Digits", "4")])
    }

    #[test]
    fn the_signature_agrees_with_its_own_library() {
        assert!(is_signed("12345", URL, &pressed_four(), VECTOR));
        assert!(is_signed("12345", "https://oncall.example.org:443/cb/twilio/voice?m=1", &pressed_four(), VECTOR));
        for (token, url) in [("12346", URL), ("12345", "https://oncall.example.org/cb/twilio/voice?m=2")] {
            assert!(!is_signed(token, url, &pressed_four(), VECTOR));
        }
        let mut forged = pressed_four();
        forged[3].1 = "6".into();
        assert!(!is_signed("12345", URL, &forged, VECTOR));
        assert!(!is_signed("12345", URL, &pressed_four(), "") && !is_signed("12345", URL, &pressed_four(), "AAAA"));
    }

    #[test]
    fn a_text_message_goes_its_way() {
        let status = |status: &str, code: &str| {
            let form = form(&[("MessageSid", "SM1"), ("MessageStatus", status), ("ErrorCode", code)]);
            message_status(&form).map(|it| (it.fate, it.why))
        };
        assert_eq!(status("queued", ""), Some((Fate::Queued, None)));
        assert_eq!(status("sent", ""), Some((Fate::Sent, None)));
        assert_eq!(status("delivered", ""), Some((Fate::Delivered, None)));
        let unreachable = "the telephone cannot be reached: off, or without reception (30003)";
        assert_eq!(status("undelivered", "30003"), Some((Fate::Failed, Some(unreachable.into()))));
        assert_eq!(status("failed", "30999"), Some((Fate::Failed, Some("error 30999".into()))));
        assert_eq!(status("else", ""), None);
    }

    #[test]
    fn a_machine_that_answers_is_not_somebody() {
        let status = |pairs: &[(&str, &str)]| call_status(&form(pairs)).map(|it| it.fate);
        assert_eq!(status(&[("CallStatus", "in-progress")]), Some(Fate::Answered));
        assert_eq!(status(&[("CallStatus", "completed"), ("AnsweredBy", "human")]), Some(Fate::Delivered));
        assert_eq!(status(&[("CallStatus", "completed"), ("AnsweredBy", "machine_start")]), Some(Fate::Machine));
        for failed in ["busy", "no-answer", "failed", "canceled"] {
            let receipt = call_status(&form(&[("CallStatus", failed), ("CallSid", "CA1")])).unwrap();
            assert_eq!((receipt.fate, receipt.provider_id.as_deref()), (Fate::Failed, Some("CA1")));
            assert!(receipt.why.is_some());
        }
        assert_eq!(status(&[]), None);
    }

    proptest! {
        #[test]
        fn any_form_is_read_or_not(pairs in prop::collection::vec((any::<String>(), any::<String>()), 0..6), value in any::<String>(), url in any::<String>(), signature in any::<String>()) {
            let mut form = pairs;
            prop_assert!(!is_signed("token", &url, &form, &signature));
            form.extend(["MessageStatus", "CallStatus", "ErrorCode", "Digits", "MessageSid"].map(|name| (name.to_owned(), value.clone())));
            for receipt in [message_status(&form), call_status(&form)].into_iter().flatten() {
                prop_assert_eq!(receipt.pressed, pressed(&form));
                prop_assert!(receipt.why.is_none() || matches!(receipt.fate, Fate::Failed | Fate::Machine));
            }
        }
    }
}
