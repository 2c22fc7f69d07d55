//! Tencent Cloud's callbacks. They carry no signature: whoever knows their address can write them.

use super::{CarrierReport, Fate, Written, members, menu::Key, reason, text};
use serde_json::Value;

/// What it takes for an answer.
pub const TAKEN: &str = r#"{"result":0,"errmsg":"OK"}"#;

/// What became of text messages: an array, one for each number.
#[must_use]
pub fn sms_statuses(body: &[u8]) -> Vec<CarrierReport> {
    let status = |value: &Value| {
        let fate = match text(value, "report_status")?.as_str() {
            "SUCCESS" => Fate::Delivered,
            "FAIL" => Fate::Failed,
            _ => return None,
        };
        let why = reason(text(value, "errmsg"), text(value, "description"));
        Some(CarrierReport {
            provider_id: text(value, "sid"),
            key: text(value, "ext"),
            fate,
            why: why.filter(|_| fate == Fate::Failed),
            pressed: None,
        })
    };
    members(body).iter().filter_map(status).collect()
}

/// What was written back.
#[must_use]
pub fn replies(body: &[u8]) -> Vec<Written> {
    let written = |value: &Value| {
        let number = text(value, "mobile")?;
        let from = match text(value, "nationcode") {
            Some(country) if !number.starts_with('+') => format!("+{country}{number}"),
            _ => number,
        };
        Some(Written { from, text: text(value, "text")? })
    };
    members(body).iter().filter_map(written).collect()
}

/// What became of a call, or which key was pressed during it.
#[must_use]
pub fn voice_callback(body: &[u8]) -> Option<CarrierReport> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let of = |value: &Value, fate, why, pressed| CarrierReport {
        provider_id: text(value, "callid"),
        key: None,
        fate,
        why,
        pressed,
    };
    if let Some(value) = body.get("voicekey_callback") {
        let key = Key::pressed(&text(value, "keypress")?);
        return Some(of(value, Fate::Answered, None, key));
    }
    if let Some(value) = body.get("voice_failure_callback") {
        let why = reason(text(value, "failure_code"), text(value, "failure_reason"));
        return Some(of(value, Fate::Failed, why, None));
    }
    let value = body.get("voice_prompt_callback")?;
    let (fate, why) = match text(value, "result")?.as_str() {
        "0" => (Fate::Delivered, None),
        "1" => (Fate::Failed, Some("nobody answered".to_owned())),
        "2" => (Fate::Failed, Some("the call did not come about".to_owned())),
        other => (Fate::Failed, Some(format!("result {other}"))),
    };
    Some(of(value, fate, why, None))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn statuses_of_text_messages_say_why_they_failed() {
        let statuses = sms_statuses(
            r#"[{"user_receive_time":"2024-01-01 03:00:05","nationcode":"86","mobile":"13800138000","report_status":"SUCCESS",
              "errmsg":"DELIVRD","description":"用户短信送达成功","sid":"2019:1"},
             {"report_status":"FAIL","errmsg":"MK:0001","description":"空号","sid":"2019:2"},{}]"#
                .as_bytes(),
        );
        assert_eq!(statuses.len(), 2);
        assert_eq!((statuses[0].fate, statuses[0].provider_id.as_deref()), (Fate::Delivered, Some("2019:1")));
        assert_eq!((statuses[1].fate, statuses[1].why.as_deref()), (Fate::Failed, Some("空号 (MK:0001)")));
    }

    #[test]
    fn replies_have_the_country_of_their_number() {
        let read = |text: &str| replies(text.as_bytes()).into_iter().map(|it| (it.from, it.text)).collect::<Vec<_>>();
        let whole =
            r#"{"extend":"","mobile":"13800138000","nationcode":"86","sign":"值班","text":"12a","time":1457336869}"#;
        assert_eq!(read(whole), [("+8613800138000".to_owned(), "12a".to_owned())]);
        assert_eq!(
            read(r#"{"mobile":"+491511","nationcode":"49","text":"aa"}"#),
            [("+491511".to_owned(), "aa".to_owned())]
        );
        assert_eq!(read(r#"{"mobile":"13800138000","nationcode":"86","time":1}"#), []);
    }

    #[test]
    fn callbacks_of_calls_name_the_key() {
        let read = |text: &str| voice_callback(text.as_bytes()).map(|it| (it.provider_id, it.fate, it.why, it.pressed));
        let id = Some("c-1".to_owned());
        let answered = r#"{"voice_prompt_callback":{"result":"0","callid":"c-1","mobile":"13800138000","fee":"1"}}"#;
        assert_eq!(read(answered), Some((id.clone(), Fate::Delivered, None, None)));
        let nobody = r#"{"voice_prompt_callback":{"result":1,"callid":"c-1"}}"#;
        assert_eq!(read(nobody), Some((id.clone(), Fate::Failed, Some("nobody answered".into()), None)));
        let key = r#"{"voicekey_callback":{"callid":"c-1","keypress":"4","mobile":"13800138000"}}"#;
        assert_eq!(read(key), Some((id.clone(), Fate::Answered, None, Some(Key::Acknowledge))));
        let failure = r#"{"voice_failure_callback":{"callid":"c-1","failure_code":8,"failure_reason":"空号"}}"#;
        assert_eq!(read(failure), Some((id, Fate::Failed, Some("空号 (8)".into()), None)));
        assert_eq!((read("{}"), read("[]"), read("")), (None, None, None));
    }

    proptest! {
        #[test]
        fn any_bytes_are_callbacks_or_none(body in prop::collection::vec(any::<u8>(), 0..64), said in any::<String>()) {
            let one = serde_json::json!({ "voice_prompt_callback": { "result": said }, "report_status": said }).to_string();
            for body in [body.as_slice(), one.as_bytes()] {
                let all = sms_statuses(body).into_iter().chain(voice_callback(body));
                prop_assert!(all.into_iter().all(|it| it.why.is_none() || it.fate == Fate::Failed));
                prop_assert!(replies(body).iter().all(|it| !it.from.is_empty() && !it.text.is_empty()));
            }
        }
    }
}
