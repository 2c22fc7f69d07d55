//! Text messages and calls against carriers that follow a script: what each is sent, what its refusals mean, and what its own
//! library says of our signatures.

mod oracles;
mod stage;

use serde_json::{Value, json};
use server::channels::{Address, Channels};
use shared::Failure;
use stage::{
    ACK, Carried, NUMBER, accepted, delivery, english, form_of, head_of, json_of, letter, pairs_of, query_of, refused,
    sms, voice,
};

#[tokio::test]
async fn an_open_falcon_gateway_gets_its_form() {
    let (request, outcome) = Carried::gateway(json!({})).answering("200 OK", "ok", &delivery(sms())).await;
    assert_eq!(outcome, accepted(None));
    let head = head_of(&request);
    assert!(head.starts_with("post /sms http/1.1\r\n"), "{request}");
    assert!(head.contains("content-type: application/x-www-form-urlencoded\r\n"), "{request}");
    let body = request.split_once("\r\n\r\n").unwrap().1;
    assert!(body.starts_with("content=P0+db-7+%E7%A3%81%E7%9B%98%E6%BB%A1+disk+full%0A10.1.2.3"), "{body}");
    assert!(body.ends_with("&tos=%2B8613800138000"), "{body}");
    let form = form_of(&request);
    assert_eq!(form.keys().collect::<Vec<_>>(), ["content", "tos"], "nothing else is said");
    assert!(form["content"].ends_with(&format!("\n{ACK}")) && form["content"].chars().count() <= 500, "{form:?}");
}

#[tokio::test]
async fn a_gateway_of_any_shape_is_spoken_to_and_what_is_put_in_is_put_in_once() {
    let gateway = json!({
        "format": "json", "token": "canary-token", "success": "\"code\":0",
        "fields": {
            "to": "{to}", "say": "<{what}|{level}|{host}|{ip}>", "key": "{key}", "back": "{callback}", "at": "{link}",
            "raw": "{\"x\": {title}}"
        },
        "headers": {"X-Auth": "Bearer {token}", "X-Host": "{host}"}
    });
    let mut odd = delivery(sms());
    let incident = std::sync::Arc::make_mut(&mut odd.incident);
    incident.title = "{to} {token} full".into();
    incident.host = Some("机\r\n7".into());
    let (request, outcome) = Carried::gateway(gateway).answering("200 OK", r#"{"code":0}"#, &odd).await;
    assert_eq!(outcome, accepted(None));
    let head = head_of(&request);
    assert!(head.contains("x-auth: bearer canary-token\r\n") && head.contains("x-host: %e6%9c%ba"), "{head}");
    let body = json_of(&request);
    assert_eq!(body["say"], "<{to} {token} full|P0|机\n7|10.1.2.3>");
    assert_eq!(body["back"], "https://tocsin.example.org/cb/gateway/own/canary-capability");
    assert_eq!((&body["key"], &body["at"], &body["to"]), (&"page-5-7".into(), &ACK.into(), &NUMBER.into()));
    assert!(body["raw"].as_str().unwrap().starts_with("{\"x\": P0 "), "{body}");
}

#[tokio::test]
async fn a_gateway_that_does_not_say_so_has_not_taken_it() {
    let gateway = json!({"success": "\"code\":0", "token": "canary-token", "fields": {"t": "{token}", "password": "canary-fixed", "tos": "{to}"}});
    let echo = format!("error: canary-token canary-fixed {NUMBER} 13800138000 {ACK}");
    let (_, outcome) = Carried::gateway(gateway.clone()).answering("200 OK", &echo, &delivery(sms())).await;
    assert_eq!(refused(outcome), (false, None));
    for (status, expected) in [("400 Bad", (true, None)), ("500 Oops", (false, None)), ("503 Busy", (false, None))] {
        let (_, outcome) = Carried::gateway(gateway.clone()).answering(status, &echo, &delivery(sms())).await;
        assert_eq!(refused(outcome), expected, "{status}");
    }
}

#[tokio::test]
async fn a_gateway_that_calls_says_the_page() {
    let gateway = json!({"for": "voice", "fields": {"tel": "{to}", "say": "{text}"}});
    let (request, _) = Carried::gateway(gateway).answering("200 OK", "", &english(voice())).await;
    assert_eq!(form_of(&request)["say"], "Alert. P0 db-7 disk full. Incident 42.");
}

#[tokio::test]
async fn twilio_writes_how_to_answer() {
    let taken = r#"{"sid":"SM123","status":"queued"}"#;
    let (request, outcome) = Carried::twilio().answering("201 Created", taken, &delivery(sms())).await;
    assert_eq!(outcome, accepted(Some("SM123")));
    let head = head_of(&request);
    assert!(head.starts_with("post /2010-04-01/accounts/accanaryaccount/messages.json http/1.1\r\n"), "{request}");
    // AC…:canary-token
    assert!(request.contains("authorization: Basic QUNjYW5hcnlhY2NvdW50OmNhbmFyeS10b2tlbg==\r\n"), "{request}");
    let form = form_of(&request);
    assert_eq!((form["To"].as_str(), form["From"].as_str()), (NUMBER, "+15551239999"));
    assert_eq!(form["ValidityPeriod"], "300");
    assert_eq!(form["StatusCallback"], "https://tocsin.example.org/cb/twilio/sms/canary-capability");
    assert_eq!(
        form["Body"],
        format!(
            "P0 db-7 磁盘满 disk full\n10.1.2.3 · 事件 #42 · 第 3 次 · 第 2 级\n虚拟机 web01 位于 esx-07；其上另外 14 台正常\n回复 42a 认领。\n{ACK}"
        )
    );
    assert_eq!(form.len(), 5, "{form:?}");

    let (request, _) = Carried::twilio().answering("201 Created", taken, &english(sms())).await;
    assert_eq!(
        form_of(&request)["Body"],
        format!("P0 db-7 disk full\n10.1.2.3, incident #42, 3 times, level 2\nReply 42a to acknowledge.\n{ACK}")
    );
    let mut tried = english(sms());
    tried.test = true;
    let (request, _) = Carried::twilio().answering("201 Created", taken, &tried).await;
    assert!(form_of(&request)["Body"].starts_with("[TEST] P0 db-7"), "{request}");
}

#[tokio::test]
async fn twilio_calls_and_asks_what_to_say() {
    let (request, outcome) = Carried::twilio().answering("201 Created", r#"{"sid":"CA123"}"#, &delivery(voice())).await;
    assert_eq!(outcome, accepted(Some("CA123")));
    assert!(
        head_of(&request).starts_with("post /2010-04-01/accounts/accanaryaccount/calls.json http/1.1\r\n"),
        "{request}"
    );
    let said: Vec<(String, String)> = pairs_of(&request);
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(
        said,
        [
            pair("To", NUMBER),
            pair("From", "+15551239999"),
            pair("Timeout", "30"),
            pair("Url", "https://tocsin.example.org/cb/twilio/voice/canary-capability"),
            pair("StatusCallback", "https://tocsin.example.org/cb/twilio/call/canary-capability"),
            pair("StatusCallbackEvent", "initiated"),
            pair("StatusCallbackEvent", "ringing"),
            pair("StatusCallbackEvent", "answered"),
            pair("StatusCallbackEvent", "completed"),
        ]
    );
}

#[tokio::test]
async fn a_call_that_cannot_be_answered_is_made_all_the_same() {
    let mut unrecorded = delivery(voice());
    (unrecorded.ack_url, unrecorded.unrecorded) = (None, true);
    let mut hidden = english(voice());
    hidden.base = "http://localhost:8080".into();
    for (delivery, said) in [
        (unrecorded, r#"<Say language="zh-CN">告警。【未入库】P0 db-7 磁盘满 disk full。事件 42。</Say>"#),
        (hidden, r#"<Say language="en-US">Alert. P0 db-7 disk full. Incident 42.</Say>"#),
    ] {
        let (request, outcome) = Carried::twilio().answering("201 Created", r#"{"sid":"CA1"}"#, &delivery).await;
        assert_eq!(outcome, accepted(Some("CA1")));
        let form = form_of(&request);
        assert_eq!(form.keys().collect::<Vec<_>>(), ["From", "Timeout", "To", "Twiml"]);
        assert_eq!(form["Twiml"].matches(said).count(), 2, "{form:?}");
        assert!(form["Twiml"].ends_with("<Hangup/></Response>"), "{form:?}");
    }
}

#[tokio::test]
async fn what_twilio_refuses_has_its_class_and_its_reason() {
    let echo = format!("canary-token {NUMBER} ACcanaryaccount QUNjYW5hcnlhY2NvdW50OmNhbmFyeS10b2tlbg== {ACK}");
    for (status, code, expected, said) in [
        ("400 Bad Request", 21_211, (true, None), "not a telephone number"),
        ("400 Bad Request", 21_610, (true, None), "STOP"),
        ("400 Bad Request", 21_614, (true, None), "no text messages"),
        ("403 Forbidden", 21_408, (true, None), "allow the country"),
        ("401 Unauthorized", 20_003, (true, None), "token is wrong"),
        ("400 Bad Request", 20_429, (false, None), "too many"),
        ("429 Too Many Requests", 20_429, (false, Some(7_000)), "too many"),
        ("400 Bad Request", 12_345, (true, None), "(12345)"),
        ("500 Oops", 20_500, (false, None), "(20500)"),
    ] {
        for address in [sms(), voice()] {
            let answer = json!({"code": code, "message": echo, "status": 400}).to_string();
            let (_, outcome) = Carried::twilio().answering(status, &answer, &delivery(address)).await;
            let detail = outcome.as_ref().unwrap_err().detail.clone();
            assert!(detail.contains(said), "{detail}");
            assert_eq!(refused(outcome), expected, "{code}");
        }
    }
    let (_, outcome) = Carried::twilio().answering("502 Bad Gateway", &echo, &delivery(sms())).await;
    assert_eq!(refused(outcome), (false, None));
}

#[tokio::test]
async fn nobody_is_paged_at_the_number_that_pages() {
    let channels = Carried::twilio().channels("127.0.0.1:9".parse().unwrap());
    let own = Address::Sms { to: "+15551239999".into() };
    let failure: Failure = channels.deliver(&delivery(own)).await.unwrap_err();
    assert!(failure.permanent && failure.detail.contains("nobody hears it"), "{failure:?}");
}

#[tokio::test]
async fn aliyun_writes_in_its_template() {
    let taken = r#"{"Message":"OK","RequestId":"R","Code":"OK","BizId":"932702304080415357^0"}"#;
    let (request, outcome) = Carried::aliyun(false).answering("200 OK", taken, &delivery(sms())).await;
    assert_eq!(outcome, accepted(Some("932702304080415357^0")));
    let said = query_of(&request);
    for (name, value) in [
        ("Action", "SendSms"),
        ("PhoneNumbers", "13800138000"),
        ("SignName", "值班"),
        ("TemplateCode", "SMS_1"),
        ("TemplateParam", r#"{"host":"db-7","ip":"10.1.2.3","level":"P0","what":"磁盘满 disk full"}"#),
        ("OutId", "page-5-7"),
        ("Version", "2017-05-25"),
        ("AccessKeyId", "canary-key-id"),
    ] {
        assert_eq!(said[name], value, "{name}");
    }
    let (request, _) = Carried::aliyun(false).notified("200 OK", taken, &letter(sms())).await;
    let in_template: Value = serde_json::from_str(&query_of(&request)["TemplateParam"]).unwrap();
    assert_eq!(in_template, json!({"level": "通知", "host": "无", "ip": "无", "what": "维护 12 已结束"}));
}

#[tokio::test]
async fn aliyun_calls_and_asks_for_a_key_where_that_is_wanted() {
    let taken = r#"{"Code":"OK","CallId":"116^103"}"#;
    let (request, outcome) = Carried::aliyun(false).answering("200 OK", taken, &delivery(voice())).await;
    assert_eq!(outcome, accepted(Some("116^103")));
    let said = query_of(&request);
    let values =
        ["Action", "TtsCode", "CalledNumber", "PlayTimes", "CalledShowNumber", "OutId"].map(|it| said[it].as_str());
    assert_eq!(values, ["SingleCallByTts", "TTS_1", "13800138000", "2", "057112345678", "page-5-7"]);

    let (request, _) = Carried::aliyun(true).answering("200 OK", taken, &delivery(voice())).await;
    let said = query_of(&request);
    let values =
        ["Action", "StartCode", "MenuKeyMap.1.Key", "MenuKeyMap.1.Code", "Timeout"].map(|it| said[it].as_str());
    assert_eq!(values, ["IvrCall", "TTS_1", "4", "TTS_1", "10000"]);
    assert_eq!(said["StartTtsParams"], said["MenuKeyMap.4.TtsParams"]);
    let mut unrecorded = delivery(voice());
    unrecorded.ack_url = None;
    let (request, _) = Carried::aliyun(true).answering("200 OK", taken, &unrecorded).await;
    assert_eq!(query_of(&request)["Action"], "SingleCallByTts", "what cannot be answered asks for nothing");
}

#[tokio::test]
async fn what_aliyun_refuses_has_its_class() {
    let echo = format!("canary-key-id canary-key-secret PhoneNumbers%3D13800138000 {NUMBER} {ACK}");
    for (status, code, message, expected) in [
        ("200 OK", "isv.BUSINESS_LIMIT_CONTROL", "触发分钟级流控Permits:1", (false, Some(60_000))),
        ("200 OK", "isv.BUSINESS_LIMIT_CONTROL", "触发天级流控Permits:20", (true, None)),
        ("200 OK", "isv.MOBILE_NUMBER_ILLEGAL", "", (true, None)),
        ("200 OK", "isv.SMS_TEMPLATE_ILLEGAL", "", (true, None)),
        ("404 Not Found", "InvalidAccessKeyId.NotFound", "", (true, None)),
        ("400 Bad Request", "SignatureDoesNotMatch", "", (true, None)),
        ("400 Bad Request", "SignatureNonceUsed", "", (false, None)),
        ("400 Bad Request", "Throttling.User", "", (false, None)),
        ("200 OK", "isp.SYSTEM_ERROR", "", (false, None)),
        ("503 Busy", "ServiceUnavailable", "", (false, None)),
        ("500 Oops", "Anything", "", (false, None)),
    ] {
        let answer = json!({"Code": code, "Message": format!("{message} {echo}"), "RequestId": "R"}).to_string();
        for address in [sms(), voice()] {
            let (_, outcome) = Carried::aliyun(true).answering(status, &answer, &delivery(address)).await;
            assert_eq!(refused(outcome), expected, "{code}");
        }
    }
    let (_, outcome) = Carried::aliyun(false).answering("200 OK", "{", &delivery(sms())).await;
    assert!(outcome.unwrap_err().ambiguous, "it may have been taken");
}

#[tokio::test]
async fn tencent_writes_and_calls_in_its_templates() {
    let taken = r#"{"Response":{"SendStatusSet":[{"SerialNo":"5000:1","PhoneNumber":"+8613800138000","Fee":1,"Code":"Ok","Message":"send success"}],"RequestId":"R"}}"#;
    let (request, outcome) = Carried::tencent().answering("200 OK", taken, &delivery(sms())).await;
    assert_eq!(outcome, accepted(Some("5000:1")));
    let head = head_of(&request);
    for line in [
        "post / http/1.1\r\n",
        "x-tc-action: sendsms\r\n",
        "x-tc-version: 2021-01-11\r\n",
        "x-tc-region: ap-guangzhou\r\n",
        "content-type: application/json\r\n",
    ] {
        assert!(head.contains(line), "{line} in {head}");
    }
    let variables = json!(["P0", "db-7", "10.1.2.3", "磁盘满 disk full"]);
    assert_eq!(
        json_of(&request),
        json!({
            "PhoneNumberSet": [NUMBER], "SmsSdkAppId": "1400006666", "SignName": "值班", "TemplateId": "1110",
            "TemplateParamSet": variables, "SessionContext": "page-5-7"
        })
    );
    let called = r#"{"Response":{"SendStatus":{"CallId":"12582bce","SessionContext":"page-5-7"},"RequestId":"R"}}"#;
    let (request, outcome) = Carried::tencent().answering("200 OK", called, &delivery(voice())).await;
    assert_eq!(outcome, accepted(Some("12582bce")));
    assert!(head_of(&request).contains("x-tc-action: sendttsvoice\r\nx-tc-version: 2020-09-02\r\n"), "{request}");
    assert_eq!(
        json_of(&request),
        json!({
            "CalledNumber": NUMBER, "VoiceSdkAppid": "1400007777", "TemplateId": "1111", "TemplateParamSet": variables,
            "PlayTimes": 2, "SessionContext": "page-5-7"
        })
    );
}

#[tokio::test]
async fn what_tencent_refuses_has_its_class() {
    let echo = format!("canary-secret-id canary-secret-key {NUMBER} 13800138000 {ACK}");
    for (code, expected) in [
        ("LimitExceeded.PhoneNumberThirtySecondLimit", (false, Some(60_000))),
        ("LimitExceeded.PhoneNumberOneHourLimit", (false, Some(60_000))),
        ("LimitExceeded.PhoneNumberDailyLimit", (true, None)),
        ("RequestLimitExceeded", (false, None)),
        ("InternalError.Timeout", (false, None)),
        ("FailedOperation.PhoneNumberInBlacklist", (true, None)),
        ("AuthFailure.SignatureFailure", (true, None)),
        ("InvalidParameterValue.IncorrectPhoneNumber", (true, None)),
    ] {
        let error = json!({"Response": {"Error": {"Code": code, "Message": echo}, "RequestId": "R"}}).to_string();
        let status =
            json!({"Response": {"SendStatusSet": [{"Code": code, "Message": echo}], "RequestId": "R"}}).to_string();
        for answer in [error, status] {
            let (_, outcome) = Carried::tencent().answering("200 OK", &answer, &delivery(sms())).await;
            assert_eq!(refused(outcome), expected, "{code}");
        }
    }
    let (_, outcome) = Carried::tencent().answering("502 Bad Gateway", &echo, &delivery(voice())).await;
    assert_eq!(refused(outcome), (false, None));
    let (_, outcome) = Carried::tencent().answering("200 OK", "{}", &delivery(voice())).await;
    assert!(outcome.unwrap_err().ambiguous, "it may have been taken");
}

#[test]
fn settings_that_cannot_work_are_refused_with_a_sentence() {
    let channels = |config: Value| Channels::new(&serde_json::from_value(config).unwrap()).map(|_| ()).unwrap_err();
    let gateway = |fields: Value| json!({"gateways": [{"id": "own", "url": "http://10.0.0.5/", "fields": fields}]});
    assert!(channels(gateway(json!({"x": "{nobody}"}))).contains("`{nobody}` in field `x`"));
    assert!(channels(gateway(json!({"x": "{token}"}))).contains("`token`"));
    let aliyun = json!({"aliyun": {"key_id": "a", "key_secret": "b", "voice_template": "T", "voice_menu": true}});
    assert!(channels(aliyun).contains("aliyun.voice_number"));
    let tencent = json!({"tencent": {"secret_id": "a", "secret_key": "b", "sms_template": "T"}});
    assert!(channels(tencent).contains("tencent.sms_app"));
    let twilio = json!({"twilio": {"account": "AC/../x", "token": "b", "from": "+1555"}});
    assert!(channels(twilio).contains("twilio.account"));
}

#[test]
fn nothing_secret_is_printed_for_debugging() {
    let at = "127.0.0.1:9".parse().unwrap();
    let gateway = json!({"token": "canary-token", "fields": {"a": "canary-fixed", "b": "{token}"}});
    for carried in [Carried::twilio(), Carried::aliyun(true), Carried::tencent(), Carried::gateway(gateway)] {
        let printed = format!("{:?}", carried.channels(at));
        assert!(!printed.contains("canary"), "{printed}");
    }
}
