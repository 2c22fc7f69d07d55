//! Alibaba Cloud's receipts and replies. They carry no signature: whoever knows their address can write them.

use super::{CarrierReport, Fate, Written, members, menu::Key, reason, text};
use serde_json::Value;

/// What it takes for an answer; anything else is sent again after 1, 5 and 10 minutes.
pub const TAKEN: &str = r#"{"code":0,"msg":"ok"}"#;

/// The call was answered.
const ANSWERED: &str = "200000";
/// A key was pressed; told while the call goes on.
const PRESSED: &str = "300000";

/// What became of text messages (`SmsReport`). What cannot be read is left out.
#[must_use]
pub fn sms_reports(body: &[u8]) -> Vec<CarrierReport> {
    let report = |value: &Value| {
        let fate = match text(value, "success")?.as_str() {
            "true" => Fate::Delivered,
            "false" => Fate::Failed,
            _ => return None,
        };
        let why = reason(text(value, "err_code"), text(value, "err_msg"));
        Some(CarrierReport {
            provider_id: text(value, "biz_id"),
            key: text(value, "out_id"),
            fate,
            why: why.filter(|_| fate == Fate::Failed),
            pressed: None,
        })
    };
    members(body).iter().filter_map(report).collect()
}

/// What was written back (`SmsUp`). What cannot be read is left out.
#[must_use]
pub fn replies(body: &[u8]) -> Vec<Written> {
    let written = |value: &Value| {
        let number = text(value, "phone_number")?;
        // A number of the mainland comes without its country.
        let from = if number.len() == 11 && number.starts_with('1') { format!("+86{number}") } else { number };
        Some(Written { from, text: text(value, "content")? })
    };
    members(body).iter().filter_map(written).collect()
}

/// What became of calls (`VoiceReport` at their end, `VoiceCallReport` as they go on).
#[must_use]
pub fn voice_reports(body: &[u8]) -> Vec<CarrierReport> {
    members(body).iter().filter_map(voice_report).collect()
}

fn voice_report(value: &Value) -> Option<CarrierReport> {
    let code = text(value, "status_code")?;
    // Only the report at the end says how long it was.
    let ended = text(value, "duration").is_some() || text(value, "end_time").is_some();
    let fate = match code.as_str() {
        ANSWERED if ended => Fate::Delivered,
        ANSWERED | PRESSED => Fate::Answered,
        _ if ended => Fate::Failed,
        // One of many steps on the way, each with a number of its own.
        _ => Fate::Queued,
    };
    let why = (fate == Fate::Failed).then(|| reason(Some(code), text(value, "status_msg"))).flatten();
    Some(CarrierReport {
        provider_id: text(value, "call_id"),
        key: text(value, "out_id"),
        fate,
        why,
        pressed: text(value, "dtmf").as_deref().and_then(Key::pressed),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reports_of_text_messages_say_why_they_failed() {
        let reports = sms_reports(
            r#"[{"phone_number":"13800138000","send_time":"2024-01-01 03:00:01","report_time":"2024-01-01 03:00:05","success":true,
              "err_code":"DELIVERED","err_msg":"用户接收成功","sms_size":"1","biz_id":"932702304080415357^0","out_id":"page-5-7"},
             {"success":"false","err_code":"MK:0010","err_msg":"空号","biz_id":"9^0"},{"odd":1},7]"#
                .as_bytes(),
        );
        assert_eq!(reports.len(), 2);
        assert_eq!((reports[0].fate, reports[0].why.as_deref()), (Fate::Delivered, None));
        assert_eq!(
            (reports[0].key.as_deref(), reports[0].provider_id.as_deref()),
            (Some("page-5-7"), Some("932702304080415357^0"))
        );
        assert_eq!((reports[1].fate, reports[1].why.as_deref()), (Fate::Failed, Some("空号 (MK:0010)")));
    }

    #[test]
    fn reports_of_calls_name_the_key() {
        let reports = voice_reports(
            r#"[{"call_id":"100001616500^100001871490","status_code":"200000","status_msg":"用户接听","duration":"10","out_id":"page-5-7","dtmf":"4"},
             {"call_id":"1^2","status_code":"200010","status_msg":"关机","duration":"0","end_time":"2024-01-01 03:00:05"},
             {"call_id":"1^3","status_code":300000,"dtmf":4,"out_id":"page-5-7"},
             {"call_id":"1^4","status_code":"200100"}]"#
                .as_bytes(),
        );
        let said: Vec<_> = reports.iter().map(|it| (it.fate, it.pressed)).collect();
        assert_eq!(
            said,
            [
                (Fate::Delivered, Some(Key::Acknowledge)),
                (Fate::Failed, None),
                (Fate::Answered, Some(Key::Acknowledge)),
                (Fate::Queued, None)
            ]
        );
        assert_eq!(reports[1].why.as_deref(), Some("关机 (200010)"));
    }

    #[test]
    fn replies_have_the_country_of_their_number() {
        let replies = replies(
            r#"[{"phone_number":"13800138000","send_time":"2024-01-01 03:00:01","content":"12a","sign_name":"值班","dest_code":"1069","sequence_id":7},
             {"phone_number":"85261234567","content":"认领"},{"phone_number":"13800138000"},{"content":"a"},[]]"#
                .as_bytes(),
        );
        let said: Vec<_> = replies.iter().map(|it| (it.from.as_str(), it.text.as_str())).collect();
        assert_eq!(said, [("+8613800138000", "12a"), ("85261234567", "认领")]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_reports_or_none(body in prop::collection::vec(any::<u8>(), 0..64), code in any::<String>(), dtmf in any::<String>()) {
            let all = [sms_reports(&body), voice_reports(&body)].concat();
            prop_assert!(all.iter().all(|it| it.why.is_none() || it.fate == Fate::Failed));
            prop_assert!(replies(&body).iter().all(|it| !it.from.is_empty() && !it.text.is_empty()));
            let one = serde_json::json!([{ "status_code": code, "dtmf": dtmf, "success": code, "end_time": "x" }]).to_string();
            prop_assert!(voice_reports(one.as_bytes()).len() <= 1 && sms_reports(one.as_bytes()).is_empty());
        }
    }
}
