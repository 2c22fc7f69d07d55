//! Open-Falcon's push, by its answers to the byte and by what becomes of it.

use super::{
    house::{Answer, House, call, request},
    latest,
};
use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use server::clock;
use std::io::Write as _;

async fn post(house: &House, place: &str, body: Vec<u8>, packed: Option<&str>) -> Answer {
    let mut post = request("POST", &format!("/falcon/{}/{place}", house.sender));
    if let Some(packed) = packed {
        post = post.insert_header(("content-encoding", packed));
    }
    call(&house.service().await, post.set_payload(body)).await
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

fn metric(name: &str, tags: &str, value: Value, kind: &str, at_s: i64) -> Value {
    json!({
        "metric": name, "endpoint": "web01", "tags": tags, "value": value, "counterType": kind, "step": 60, "timestamp": at_s,
    })
}

#[actix_web::test]
async fn answers_are_those_of_an_agent_and_of_transfer_to_the_byte() {
    let house = House::new();
    let good =
        json!([metric("cpu.idle", "", json!(93.5), "GAUGE", 0), metric("", "", json!(1), "GAUGE", 0)]).to_string();
    for (place, body, status, kind, text) in [
        ("v1/push", good.as_str(), 200, "text/plain; charset=utf-8", "success"),
        ("v1/push/", "[]", 200, "text/plain; charset=utf-8", "success"),
        ("v1/push", "", 400, "text/plain; charset=utf-8", "body is blank\n"),
        ("v1/push", "cpu.idle 1", 400, "text/plain; charset=utf-8", "connot decode body\n"),
        ("v1/push", "[{\"step\":\"60\"}]", 400, "text/plain; charset=utf-8", "connot decode body\n"),
        ("api/push", "", 400, "text/plain; charset=utf-8", "blank body\n"),
        ("api/push", "{", 400, "text/plain; charset=utf-8", "decode error\n"),
    ] {
        let answer = post(&house, place, body.into(), None).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("content-type"), answer.text.as_str()),
            (status, kind, text),
            "{body}"
        );
    }
    for (body, packed) in [(good.clone().into_bytes(), None), (gzip(good.as_bytes()), Some("gzip"))] {
        let answer = post(&house, "api/push", body, packed).await;
        assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, "application/json; charset=UTF-8"));
        let latency = answer.json()["data"]["Latency"].as_u64().unwrap();
        let expected = format!(
            "{{\"msg\":\"success\",\"data\":{{\"Message\":\"ok\",\"Total\":2,\"Invalid\":1,\"Latency\":{latency}}}}}"
        );
        assert_eq!(answer.text, expected);
    }
}

#[actix_web::test]
async fn who_has_no_token_and_what_is_too_much_is_refused() {
    let house = House::new();
    for path in ["/falcon/wrong/v1/push", "/falcon/wrong/api/push"] {
        let answer = call(&house.service().await, request("POST", path).set_payload("[]")).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (401, "unknown_token"));
    }
    let got = call(&house.service().await, request("GET", &format!("/falcon/{}/v1/push", house.sender))).await;
    assert_eq!((got.status.as_u16(), got.header("allow")), (405, "POST"));
    let blanks = vec![b' '; (4 << 20) + 1];
    for (body, packed, status, code) in [
        (blanks.clone(), None, 413, "body_too_large"),
        (gzip(&blanks), Some("gzip"), 413, "body_too_large"),
        (b"plain".to_vec(), Some("gzip"), 400, "broken_body"),
        (b"[]".to_vec(), Some("zstd"), 415, "encoded_body"),
    ] {
        let answer = post(&house, "v1/push", body, packed).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (status, code), "{}", answer.text);
    }
}

#[actix_web::test]
async fn what_comes_in_several_requests_is_one_sample_of_one_host() {
    let house = House::new();
    let app = &house.app;
    let now = clock::now();
    let second = now.ms() / 1_000;
    let push = async |at_s: i64, bytes: u64| {
        let one = json!([metric("cpu.idle", "", json!("93.5"), "GAUGE", at_s)]);
        let other = metric("net.if.in.bytes", "iface=eth0", json!(bytes), "COUNTER", at_s * 1_000);
        for body in [one, other] {
            assert_eq!(post(&house, "v1/push", body.to_string().into(), None).await.text, "success");
        }
    };
    push(second - 60, 1_000).await;
    push(second, 61_000).await;
    app.intake.settle(clock::now().plus_ms(2_000));
    assert_eq!(latest(&app.hosts, "web01", "cpu.idle"), Some(93.5));
    assert_eq!(latest(&app.hosts, "web01", "cpu.busy"), Some(6.5));
    assert_eq!(latest(&app.hosts, "web01", "net.if.in.bytes/iface=eth0"), Some(1_000.0));
    assert_eq!(latest(&app.hosts, "web01", "net.if.in.bits/iface=eth0"), Some(8_000.0));
    let known = app.hosts.known();
    let told: Vec<_> = known.iter().map(|it| (it.name.as_str(), it.every_ms, it.seen_at.ms())).collect();
    assert_eq!(told, [("web01", 60_000, second * 1_000)]);
}
