//! What carriers' own libraries say of our signatures, and we of theirs.

use super::stage::{Carried, delivery, english, head_of, pairs_of, query_of, sms, voice};
use e2e::oracle::ask;
use serde_json::{Value, json};
use server::{answers::twilio::is_signed, channels::Delivery};
use std::collections::BTreeMap;

/// Asks the carriers' own libraries.
fn oracle(questions: &Value) -> Vec<Value> {
    let answers = ask(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oracles/phone.py"), questions).unwrap();
    answers.as_array().unwrap().clone()
}

#[tokio::test]
async fn the_carriers_own_libraries_sign_as_we_do() {
    let mut sent: Vec<(Value, Value)> = Vec::new();
    for (menu, delivery) in [(false, delivery(sms())), (true, delivery(voice())), (false, english(voice()))] {
        sent.push(asked_of_aliyun(menu, &delivery).await);
    }
    for (service, delivery) in [("sms", delivery(sms())), ("vms", delivery(voice())), ("sms", english(sms()))] {
        sent.push(asked_of_tencent(service, &delivery).await);
    }
    let questions: Vec<&Value> = sent.iter().map(|(question, _)| question).collect();
    for (theirs, (_, ours)) in oracle(&json!(questions)).iter().zip(&sent) {
        assert_eq!(theirs, ours);
    }
}

/// The question, and the answer that we gave ourselves.
async fn asked_of_aliyun(menu: bool, delivery: &Delivery) -> (Value, Value) {
    let (request, _) = Carried::aliyun(menu).answering("200 OK", r#"{"Code":"OK"}"#, delivery).await;
    let mut parameters = query_of(&request);
    let question =
        json!({"of": "aliyun", "key_id": "canary-key-id", "secret": "canary-key-secret", "parameters": parameters});
    let signature = parameters.remove("Signature").unwrap();
    (question, json!({"parameters": parameters, "signature": signature}))
}

async fn asked_of_tencent(service: &str, delivery: &Delivery) -> (Value, Value) {
    let (request, _) = Carried::tencent().answering("200 OK", "{}", delivery).await;
    let header = |name: &str| {
        let lines = request.lines().filter_map(|line| line.split_once(": "));
        lines.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).unwrap().1.to_owned()
    };
    let body = request.split_once("\r\n\r\n").unwrap().1;
    let timestamp: i64 = header("x-tc-timestamp").parse().unwrap();
    let question = json!({
        "of": "tencent", "id": "canary-secret-id", "key": "canary-secret-key", "region": header("x-tc-region"),
        "service": service, "action": header("x-tc-action"), "version": header("x-tc-version"), "host": header("host"),
        "timestamp": timestamp, "body": body
    });
    let names =
        ["Content-Type", "Host", "X-TC-Action", "X-TC-Timestamp", "X-TC-Version", "X-TC-Region", "Authorization"];
    let headers: BTreeMap<&str, String> = names.into_iter().map(|name| (name, header(name))).collect();
    (question, json!({"headers": headers, "body": body}))
}

#[tokio::test]
async fn twilios_own_library_asks_for_the_same() {
    let mut sent: Vec<(Value, Value)> = Vec::new();
    for (resource, delivery) in
        [("messages", english(sms())), ("messages", delivery(sms())), ("calls", delivery(voice()))]
    {
        let (request, _) = Carried::twilio().answering("201 Created", r#"{"sid":"SM1"}"#, &delivery).await;
        let form = pairs_of(&request);
        let authorization = request.lines().find_map(|line| line.strip_prefix("authorization: ")).unwrap();
        let question = json!({
            "of": "twilio_request", "account": "ACcanaryaccount", "token": "canary-token", "resource": resource, "form": form
        });
        let path = head_of(&request).split(' ').nth(1).unwrap().to_owned();
        sent.push((question, json!({"path": path, "form": form, "authorization": authorization})));
    }
    let questions: Vec<&Value> = sent.iter().map(|(question, _)| question).collect();
    for (mut theirs, (_, mut ours)) in oracle(&json!(questions)).into_iter().zip(sent) {
        // An order of its own; and our path was made lower case with the head.
        for side in [&mut theirs, &mut ours] {
            let form = side["form"].as_array_mut().unwrap();
            form.sort_by_key(ToString::to_string);
            side["path"] = side["path"].as_str().unwrap().to_lowercase().into();
        }
        assert_eq!(theirs, ours);
    }
}

#[test]
fn what_twilio_signs_is_known_as_its_own_and_nothing_else_is() {
    let forms = [
        (
            "https://tocsin.example.org/cb/twilio/voice/c",
            vec![("Digits", "4"), ("CallSid", "CA1"), ("From", "+15551230000")],
        ),
        (
            "https://tocsin.example.org:8443/cb/twilio/sms/c?x=1&y=%20",
            vec![("Body", "认领 12 & <ü>"), ("MessageSid", "SM1")],
        ),
        ("http://pager.example.org/cb/twilio/call/c", vec![("CallStatus", "no-answer"), ("A", ""), ("a", "b")]),
    ];
    let questions: Vec<Value> = forms
        .iter()
        .map(|(url, form)| json!({"of": "twilio", "token": "canary-token", "url": url, "form": form.iter().copied().collect::<BTreeMap<_, _>>()}))
        .collect();
    for ((url, form), theirs) in forms.iter().zip(oracle(&json!(questions))) {
        let mut form: Vec<(String, String)> =
            form.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let signature = theirs["signature"].as_str().unwrap();
        assert_eq!(theirs["taken"], true, "{url}");
        assert!(is_signed("canary-token", url, &form, signature), "{url}");
        assert!(!is_signed("canary-other", url, &form, signature), "{url}");
        form[0].1.push('5');
        assert!(!is_signed("canary-token", url, &form, signature), "{url}");
    }
}
