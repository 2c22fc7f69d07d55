//! What is asked of a sender beside its token, and what is noted of it: signatures, the pace, tokens that take each other's
//! place, the last requests, and a message that is told again.

use super::house::{Answer, CONFIG, Doors, House, call, json, request};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json as value};
use server::clock;
use sha2::Sha256;
use shared::api::Role;

const FIRING: &str = r#"{"host":"db-07","severity":"P2","status":"firing","summary":"disk is full"}"#;

/// A house whose sender `monitor` has these settings.
fn house(settings: &str) -> House {
    House::with(&format!("{CONFIG}\n[[integrations]]\nid = \"monitor\"\n{settings}\n"), None)
}

async fn ask(house: &House, doors: &Doors, role: Role, method: &str, path: &str, body: Option<Value>) -> Answer {
    let bearer = ("authorization", format!("Bearer {}", house.api_token(role)));
    let asked = body.map_or_else(|| request(method, path), |body| json(method, path, &body));
    call(doors, asked.insert_header(bearer)).await
}

async fn requests(house: &House, doors: &Doors) -> Vec<Value> {
    let found = ask(house, doors, Role::Viewer, "GET", "/api/v1/integrations/monitor/requests", None).await;
    found.json()["items"].as_array().unwrap().clone()
}

async fn stored(house: &House, doors: &Doors) -> usize {
    let found = ask(house, doors, Role::Viewer, "GET", "/api/v1/events?limit=100", None).await;
    found.json()["items"].as_array().unwrap().len()
}

fn mac(secret: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let mac = Hmac::<Sha256>::new_from_slice(secret).unwrap();
    parts.iter().fold(mac, |mac, part| mac.chain_update(part)).finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// As Standard Webhooks signs.
fn standard(key: &[u8], id: &str, body: &str) -> [(&'static str, String); 3] {
    let at = (clock::now().ms() / 1_000).to_string();
    let signature = BASE64_STANDARD.encode(mac(key, &[format!("{id}.{at}.").as_bytes(), body.as_bytes()]));
    [("webhook-id", id.to_owned()), ("webhook-timestamp", at), ("webhook-signature", format!("v1,{signature}"))]
}

#[actix_web::test]
async fn what_is_not_signed_is_stored_at_no_address_that_a_sender_has() {
    let house = house("signature = { kind = \"github\", secret = \"sesame\" }");
    let doors = house.service().await;
    let token = &house.sender;
    let push = r#"[{"endpoint":"db-07","metric":"m","value":1,"timestamp":1,"step":60,"counterType":"GAUGE"}]"#;
    let pd = format!(
        r#"{{"routing_key":"{token}","event_action":"trigger","payload":{{"summary":"x","source":"y","severity":"critical"}}}}"#
    );
    let p0 = "[P0][PROBLEM][db-07][10.1.2.3][host is down]";
    let am = r#"[{"labels":{"alertname":"Down"}}]"#;
    let silence = r#"{"matchers":[{"name":"a","value":"b","isRegex":false}],"startsAt":"2026-01-01T00:00:00Z","endsAt":"2099-01-01T00:00:00Z","createdBy":"x","comment":"y"}"#;
    let alerta = r#"{"resource":"db-07","event":"Down","environment":"p","severity":"critical"}"#;
    let at_each: Vec<(&str, String, &str)> = [
        ("POST", format!("/ingest/{token}"), p0),
        ("POST", format!("/ingest/{token}/json/"), FIRING),
        ("POST", format!("/ingest?token={token}"), FIRING),
        ("POST", format!("/falcon/{token}/sms"), "tos=1&content=%5BP0%5D%5BPROBLEM%5D%5Bx%5D"),
        ("GET", format!("/falcon/{token}/callback?endpoint=db-07&status=PROBLEM&priority=0"), ""),
        ("POST", format!("/falcon/{token}/v1/push"), push),
        ("POST", format!("/falcon/{token}/api/push"), push),
        ("POST", "/v2/enqueue".to_owned(), &pd),
        ("POST", "/generic/2010-04-15/create_event.json".to_owned(), &pd),
        ("POST", format!("/am/{token}/api/v2/alerts"), am),
        ("POST", format!("/am/{token}/api/v2/silences"), silence),
        ("GET", format!("/am/{token}/api/v2/alerts"), ""),
        ("DELETE", format!("/am/{token}/api/v2/silence/746f6373-696e-8000-8000-000000000001"), ""),
        ("POST", format!("/v2/alerts?apiKey={token}"), r#"{"message":"x"}"#),
        ("GET", format!("/v2/alerts?apiKey={token}"), ""),
        (
            "POST",
            format!("/v1/json/integrations/webhooks/netdata?apiKey={token}"),
            r#"{"host":"x","status":"CRITICAL"}"#,
        ),
        ("POST", format!("/alerta/{token}/alert"), alerta),
        ("PUT", format!("/alerta/{token}/alert/1/status"), r#"{"status":"ack"}"#),
        ("POST", format!("/slack/{token}"), r#"{"text":"[P0] down"}"#),
        ("POST", format!("/hooks/{token}"), r#"{"text":"[P0] down"}"#),
        ("POST", format!("/message?token={token}"), r#"{"message":"[P0] down","priority":10}"#),
    ]
    .into();
    let wrong = format!("sha256={}", "0".repeat(64));
    for (method, path, body) in &at_each {
        for signature in [None, Some(&wrong)] {
            let mut asked = request(method, path).insert_header(("content-type", "application/json"));
            if let Some(signature) = signature {
                asked = asked.insert_header(("x-hub-signature-256", signature.as_str()));
            }
            let said = call(&doors, asked.set_payload((*body).to_owned())).await;
            assert_eq!(said.status, 401, "{method} {path}: {}", said.text);
            let names = said.text.contains("-signature-256") || said.text.contains("no signature covers");
            assert!(names, "{method} {path}: {}", said.text);
        }
    }
    // What counts as written in a body that is read before its sender is known, as remote write.
    let write = request("POST", &format!("/prom/{token}/api/v1/write"))
        .insert_header(("content-type", "application/x-protobuf"))
        .insert_header(("content-encoding", "snappy"));
    assert_eq!(call(&doors, write.set_payload(vec![0_u8])).await.status, 401);
    assert_eq!(stored(&house, &doors).await, 0);
    let noted = requests(&house, &doors).await;
    assert_eq!(noted.len(), 2 * at_each.len() + 1);
    // And each is told what is wrong: none, another one, or an address that no signature covers.
    let reasons: std::collections::BTreeSet<&str> = noted.iter().filter_map(|it| it["reason"].as_str()).collect();
    assert_eq!(reasons.into_iter().collect::<Vec<_>>(), ["signature", "signature_address", "signature_missing"]);
    assert!(noted.iter().all(|it| it["status"] == 401), "{noted:#?}");
    // Signed it is taken, by each that says all in its body.
    for path in [format!("/ingest/{token}"), format!("/slack/{token}")] {
        let body = r#"{"text":"disk is full"}"#;
        let signature = format!("sha256={}", hex(&mac(b"sesame", &[body.as_bytes()])));
        let asked = request("POST", &path).insert_header(("x-hub-signature-256", signature));
        assert_eq!(call(&doors, asked.set_payload(body)).await.status, 200, "{path}");
    }
    assert_eq!(stored(&house, &doors).await, 2);
}

#[actix_web::test]
async fn a_signed_message_is_taken_once_under_the_name_that_was_signed() {
    let secrets =
        "secret = \"whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz\", next_secret = \"whsec_YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4\"";
    let house = house(&format!("signature = {{ kind = \"standard_webhooks\", {secrets} }}"));
    let doors = house.service().await;
    let path = format!("/ingest/{}", house.sender);
    let send = async |headers: &[(&'static str, String)], body: &str| {
        let asked = request("POST", &path).insert_header(("content-type", "application/json"));
        let asked = headers.iter().fold(asked, |asked, header| asked.append_header(header.clone()));
        call(&doors, asked.set_payload(body.to_owned())).await
    };
    let headers = standard(b"012345678901234567890123", "msg_1", FIRING);
    let first = send(&headers, FIRING).await;
    assert_eq!((first.status.as_u16(), &first.json()["accepted"]), (200, &value!(1)), "{}", first.text);
    // Whoever overheard it and sends it again gives it no other name.
    let named = [headers.as_slice(), &[("idempotency-key", "another".to_owned())]].concat();
    assert_eq!(send(&named, FIRING).await.json()["event"], first.json()["event"]);
    // The same document in another order was signed by nobody.
    let reordered = r#"{"status":"firing","host":"db-07","severity":"P2","summary":"disk is full"}"#;
    let refused = send(&headers, reordered).await;
    assert_eq!((refused.status.as_u16(), refused.code().as_str()), (401, "bad_signature"));
    assert_eq!(refused.header("content-type"), "application/problem+json");
    // The next secret counts already; a third does not.
    let next = standard(b"abcdefghijklmnopqrstuvwx", "msg_2", FIRING);
    assert_eq!(send(&next, FIRING).await.status, 200);
    assert_eq!(send(&standard(b"another", "msg_3", FIRING), FIRING).await.status, 401);
    // Signed rightly, and long ago.
    let at = clock::now().ms() / 1_000 - 301;
    let old = mac(b"012345678901234567890123", &[format!("msg_4.{at}.").as_bytes(), FIRING.as_bytes()]);
    let old = [
        ("webhook-id", "msg_4".to_owned()),
        ("webhook-timestamp", at.to_string()),
        ("webhook-signature", format!("v1,{}", BASE64_STANDARD.encode(old))),
    ];
    let refused = send(&old, FIRING).await;
    assert!(refused.status == 401 && refused.text.contains("look at both clocks"), "{}", refused.text);
    assert_eq!(stored(&house, &doors).await, 2);
}

#[actix_web::test]
async fn the_bytes_that_came_are_what_is_signed_also_when_they_are_packed() {
    use std::io::Write as _;
    let house = house("signature = { kind = \"hmac_sha256\", secret = \"sesame\", header = \"X-Own\" }");
    let doors = house.service().await;
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(FIRING.as_bytes()).unwrap();
    let packed = packer.finish().unwrap();
    for (signed, status) in [(packed.as_slice(), 200), (FIRING.as_bytes(), 401)] {
        let asked = request("POST", &format!("/ingest/{}", house.sender))
            .insert_header(("content-encoding", "gzip"))
            .insert_header(("x-own", hex(&mac(b"sesame", &[signed]))));
        assert_eq!(call(&doors, asked.set_payload(packed.clone())).await.status, status);
    }
}

#[actix_web::test]
async fn secrets_of_senders_are_shown_to_nobody_and_kept_by_whoever_puts_the_stars_back() {
    let house = house("signature = { kind = \"sentry\", secret = \"sesame\" } # of May");
    let doors = house.service().await;
    let shown = ask(&house, &doors, Role::Admin, "GET", "/api/v1/config", None).await;
    let text = shown.json()["toml"].as_str().unwrap().to_owned();
    assert!(text.contains("secret = \"********\"") && !shown.text.contains("sesame"), "{text}");
    let document = ask(&house, &doors, Role::Admin, "GET", "/api/v1/config/document", None).await;
    assert!(document.status == 200 && !document.text.contains("sesame"));
    // With another one beside it.
    let stars = "kind = \"sentry\", secret = \"********\"";
    let text = text.replace(stars, &format!("{stars}, next_secret = \"open\""));
    let version = shown.json()["version"].clone();
    let put = value!({ "version": version, "toml": text });
    let applied = ask(&house, &doors, Role::Admin, "PUT", "/api/v1/config", Some(put)).await;
    assert!(applied.status == 200 && applied.json()["applied"] == true, "{}", applied.text);
    let signature = hex(&mac(b"sesame", &[FIRING.as_bytes()]));
    let asked =
        request("POST", &format!("/ingest/{}", house.sender)).insert_header(("sentry-hook-signature", signature));
    assert_eq!(call(&doors, asked.set_payload(FIRING)).await.status, 200);
    let file = house.store(|store| store.config_current().unwrap().unwrap().1);
    assert!(file.contains("sesame"), "what is in force is opened");
}

#[actix_web::test]
async fn over_its_limit_a_sender_is_told_when_to_come_back_and_a_p0_is_taken() {
    let house = house("rate_limit = { messages = 2, within = \"1h\" }");
    let doors = house.service().await;
    let send = async |path: String, agent: &str, body: &str| {
        let asked = request("POST", &path).insert_header(("user-agent", agent.to_owned()));
        call(&doors, asked.set_payload(body.to_owned())).await
    };
    let ingest = format!("/ingest/{}", house.sender);
    for number in 0..2 {
        assert_eq!(send(ingest.clone(), "curl", &FIRING.replace("db-07", &format!("db-{number}"))).await.status, 200);
    }
    let refused = send(ingest.clone(), "curl", FIRING).await;
    assert_eq!((refused.status.as_u16(), refused.code().as_str()), (429, "rate_limited"));
    let wait: u32 = refused.header("retry-after").parse().unwrap();
    assert!((3_500..=3_600).contains(&wait), "{wait}");
    // Each is refused as its interface says it, and Alertmanager with what it tries again.
    assert_eq!(send(ingest.clone(), "Alertmanager/0.27.0", FIRING).await.status, 503);
    let pd = format!(
        r#"{{"routing_key":"{}","event_action":"trigger","payload":{{"summary":"x","source":"y","severity":"error"}}}}"#,
        house.sender
    );
    assert_eq!(send("/v2/enqueue".to_owned(), "", &pd).await.status, 429);
    let slack = send(format!("/slack/{}", house.sender), "", r#"{"text":"slow"}"#).await;
    assert!(slack.status == 429 && slack.text.starts_with("rate_limited"), "{}", slack.text);
    for number in 0..5 {
        let p0 = format!("[P0][PROBLEM][db-{number}][10.1.2.{number}][host is down]");
        assert_eq!(send(ingest.clone(), "curl", &p0).await.status, 200, "a P0 is never too much");
    }
    assert_eq!(stored(&house, &doors).await, 7);
    let noted = requests(&house, &doors).await;
    assert_eq!(noted.iter().filter(|it| it["reason"] == "rate_limit").count(), 4);
    // Another sender has its own.
    let other = house.another_sender("other");
    assert_eq!(send(format!("/ingest/{other}"), "curl", FIRING).await.status, 200);
}

#[actix_web::test]
async fn the_last_requests_say_what_became_of_each_and_show_no_token() {
    let house = house("");
    let doors = house.service().await;
    let token = &house.sender;
    let asked =
        request("POST", &format!("/ingest/{token}/json?access_token={token}")).insert_header(("user-agent", "probe/1"));
    let taken = call(&doors, asked.set_payload(FIRING)).await;
    let empty = call(&doors, request("POST", &format!("/ingest/{token}"))).await;
    let odd = call(&doors, request("POST", &format!("/ingest/{token}/nothing"))).await;
    let list = call(&doors, request("GET", &format!("/am/{token}/api/v2/alerts"))).await;
    let opsgenie = request("POST", "/v2/alerts").insert_header(("authorization", format!("GenieKey {token}")));
    let opsgenie = call(&doors, opsgenie.set_payload(r#"{"message":"disk is full","alias":"a"}"#)).await;
    assert_eq!([&taken, &empty, &odd, &list, &opsgenie].map(|it| it.status.as_u16()), [200, 400, 404, 200, 202]);
    // What nobody is known by is nobody's.
    assert_eq!(call(&doors, request("POST", "/ingest/tin_nobody")).await.status, 401);
    let noted = requests(&house, &doors).await;
    let text = value!(noted).to_string();
    assert!(!text.contains(token.as_str()), "{text}");
    let short: Vec<Value> = noted
        .iter()
        .rev()
        .map(|it| value!([it["method"], it["path"], it["status"], it["format"], it["event"], it["reason"]]))
        .collect();
    let members: Vec<_> = noted.iter().rev().map(|it| (it["accepted"].clone(), it["rejected"].clone())).collect();
    let counted = [(1, 0), (0, 1), (0, 0), (0, 0), (1, 0)].map(|(taken, not)| (value!(taken), value!(not)));
    assert_eq!(members, counted);
    assert_eq!(
        value!(short),
        value!([
            ["POST", "/ingest/…/json", 200, "json", taken.json()["event"], null],
            ["POST", "/ingest/…", 400, null, 2, "not_understood"],
            ["POST", "/ingest/…/nothing", 404, null, null, "format"],
            ["GET", "/am/…/api/v2/alerts", 200, null, null, null],
            ["POST", "/v2/alerts", 202, "opsgenie", 3, null],
        ])
    );
    assert_eq!((&noted[4]["user_agent"], &noted[4]["bytes"]), (&value!("probe/1"), &value!(FIRING.len())));
    assert!(noted[2]["detail"].as_str().is_some_and(|it| it.contains("`nothing` is not one of")), "{}", noted[2]);
    for _ in 0..60 {
        call(&doors, request("GET", &format!("/am/{token}/-/ready"))).await;
    }
    assert_eq!(requests(&house, &doors).await.len(), 50);
}

#[actix_web::test]
async fn another_token_takes_the_place_of_one_that_goes_on_until_a_time() {
    let house = house("");
    let doors = house.service().await;
    let path = "/api/v1/integrations/monitor/tokens";
    let until = clock::now().plus_ms(3_600_000);
    let made = ask(&house, &doors, Role::Admin, "POST", path, Some(value!({ "old_until": until }))).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let new = made.json()["token"].as_str().unwrap().to_owned();
    let send = async |token: &str| call(&doors, request("POST", &format!("/ingest/{token}")).set_payload(FIRING)).await;
    assert_eq!((send(&house.sender).await.status.as_u16(), send(&new).await.status.as_u16()), (200, 200));
    let list = ask(&house, &doors, Role::Viewer, "GET", "/api/v1/integrations", None).await.json();
    let row = list["items"].as_array().unwrap().iter().find(|row| row["id"] == "monitor").unwrap().clone();
    assert_eq!(row["tokens"].as_array().unwrap().len(), 2, "{row}");
    assert_eq!(row["ending"], value!([{ "hint": &house.sender[..8], "until": until }]));
    // At once, because it is known where it should not be: both old ones end, and say so.
    let made = ask(&house, &doors, Role::Admin, "POST", path, Some(value!({ "old_until": clock::now() }))).await;
    assert_eq!(made.status, 422, "what is over when it arrives is a mistake: {}", made.text);
    let soon = clock::now().plus_ms(1_000);
    let made = ask(&house, &doors, Role::Admin, "POST", path, Some(value!({ "old_until": soon }))).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let newest = made.json()["token"].as_str().unwrap().to_owned();
    house.store(|store| store.tokens_end(&"monitor".into(), clock::now().plus_ms(-1)).unwrap());
    house.app.keyring.read(&house.app.readers).unwrap();
    for token in [&house.sender, &new, &newest] {
        let refused = send(token).await;
        assert_eq!((refused.status.as_u16(), refused.code().as_str()), (401, "expired_token"));
    }
    let audit = ask(&house, &doors, Role::Admin, "GET", "/api/v1/audit", None).await.json();
    let acts = audit["items"].as_array().unwrap().iter().filter(|row| row["action"] == "integration.token").count();
    assert_eq!(acts, 2);
    // Nobody there, too far away, and not by somebody who may not.
    let nobody = "/api/v1/integrations/nobody/tokens";
    assert_eq!(ask(&house, &doors, Role::Admin, "POST", nobody, Some(value!({}))).await.status, 404);
    let far = value!({ "old_until": clock::now().plus_ms(91 * 86_400_000) });
    assert_eq!(ask(&house, &doors, Role::Admin, "POST", path, Some(far)).await.status, 422);
    assert_eq!(ask(&house, &doors, Role::Network, "POST", path, Some(value!({}))).await.status, 403);
    // A sender of the configuration that has none any more gets one; and a limit to how many.
    for _ in 0..10 {
        assert_eq!(ask(&house, &doors, Role::Admin, "POST", path, Some(value!({}))).await.status, 201);
    }
    let full = ask(&house, &doors, Role::Admin, "POST", path, Some(value!({}))).await;
    assert!(full.status == 422 && full.text.contains("10 tokens"), "{}", full.text);
}

#[actix_web::test]
async fn a_stored_message_is_told_again_as_a_new_one_and_the_record_says_who_did_it() {
    let house = house("");
    let doors = house.service().await;
    let keyed = request("POST", &format!("/ingest/{}", house.sender)).insert_header(("idempotency-key", "once"));
    let first = call(&doors, keyed.set_payload(FIRING)).await.json()["event"].as_i64().unwrap();
    let path = format!("/api/v1/events/{first}/replay");
    for (number, count) in [(2, 2), (3, 3)] {
        let again = ask(&house, &doors, Role::Responder, "POST", &path, None).await;
        assert_eq!((again.status.as_u16(), &again.json()["event"]), (200, &value!(number)), "{}", again.text);
        let incident = ask(&house, &doors, Role::Viewer, "GET", "/api/v1/incidents/1", None).await.json();
        assert_eq!(incident["row"]["count"], value!(count), "it repeats what is open");
    }
    // It is read as it was: who sent it is part of what some say.
    let first_kept = ask(&house, &doors, Role::Viewer, "GET", "/api/v1/events/1", None).await.json();
    let kept = ask(&house, &doors, Role::Viewer, "GET", "/api/v1/events/3", None).await.json();
    assert_eq!((&kept["peer"], &kept["integration"]), (&first_kept["peer"], &value!("monitor")));
    // Once it is over it opens another one.
    let over = FIRING.replace("firing", "resolved");
    call(&doors, request("POST", &format!("/ingest/{}", house.sender)).set_payload(over)).await;
    ask(&house, &doors, Role::Responder, "POST", &path, None).await;
    let incident = ask(&house, &doors, Role::Viewer, "GET", "/api/v1/incidents/2", None).await;
    assert_eq!(incident.json()["row"]["state"], "triggered", "{}", incident.text);
    // What says itself that it is older than a day wakes nobody.
    let old =
        r#"{"host":"db-09","severity":"P2","status":"firing","summary":"old","timestamp":"2020-01-01T00:00:00Z"}"#;
    let old = call(&doors, request("POST", &format!("/ingest/{}", house.sender)).set_payload(old)).await.json();
    let again =
        ask(&house, &doors, Role::Responder, "POST", &format!("/api/v1/events/{}/replay", old["event"]), None).await;
    assert!(again.text.contains("stale"), "{}", again.text);
    let audit = ask(&house, &doors, Role::Admin, "GET", "/api/v1/audit", None).await.json();
    let acts: Vec<&Value> =
        audit["items"].as_array().unwrap().iter().filter(|it| it["action"] == "event.replay").collect();
    assert!(acts.len() == 4 && acts[3]["object"] == "1" && acts[3]["detail"] == "as message 2", "{acts:#?}");
    assert_eq!(ask(&house, &doors, Role::Viewer, "POST", &path, None).await.status, 403);
    assert_eq!(ask(&house, &doors, Role::Responder, "POST", "/api/v1/events/999/replay", None).await.status, 404);
}

#[actix_web::test]
async fn a_template_makes_one_alert_of_what_a_sender_names_anew_each_time_and_ends_it() {
    let house = house("dedup_key = \"{host}|{labels.service}\"");
    let doors = house.service().await;
    let send = async |body: Value| {
        let asked = json("POST", &format!("/ingest/{}", house.sender), &body);
        call(&doors, asked).await.json()
    };
    let told = |id: u32, status: &str| {
        value!({ "host": "db-07", "dedup_key": format!("run-{id}"), "status": status, "summary": format!("run {id}"),
                 "severity": "P2", "labels": { "service": "mysql" } })
    };
    for id in 1..=3 {
        send(told(id, "firing")).await;
    }
    let row = ask(&house, &doors, Role::Viewer, "GET", "/api/v1/incidents/1", None).await.json();
    assert_eq!((&row["row"]["count"], &row["alerts"][0]["event"]["dedup_key"]), (&value!(3), &value!("db-07|mysql")));
    assert_eq!(row["alerts"][0]["event"]["flags"], value!(["key_template"]));
    send(told(4, "resolved")).await;
    let row = ask(&house, &doors, Role::Viewer, "GET", "/api/v1/incidents/1", None).await.json();
    assert_eq!(row["row"]["state"], "resolved");
}

#[actix_web::test]
async fn a_stated_charset_is_read_whatever_it_looks_like_and_at_the_interfaces_too() {
    let house = house("charset = \"gbk\"");
    let doors = house.service().await;
    // These bytes are good UTF-8, for another letter.
    let body = [b"[P2][PROBLEM][db-07][][".as_slice(), &[0xc2, 0xa9], b"]"].concat();
    let told = request("POST", &format!("/ingest/{}", house.sender)).set_payload(body);
    assert_eq!(call(&doors, told).await.status, 200);
    let body = [br#"{"message":""#.as_slice(), &[0xc2, 0xa9], br#""}"#].concat();
    let told = request("POST", "/v2/alerts").insert_header(("authorization", format!("GenieKey {}", house.sender)));
    assert_eq!(call(&doors, told.set_payload(body)).await.status, 202);
    for (id, title) in [(1, "漏"), (2, "漏")] {
        let row = ask(&house, &doors, Role::Viewer, "GET", &format!("/api/v1/incidents/{id}"), None).await.json();
        assert_eq!(row["alerts"][0]["event"]["summary"], title);
    }
}

#[actix_web::test]
async fn settings_of_a_sender_that_cannot_work_are_named() {
    let house = House::new();
    let doors = house.service().await;
    let text = format!(
        "{CONFIG}\n[[integrations]]\nid = \"a\"\ncharset = \"gbk2\"\ndedup_key = \"{{severity}}\"\n\
         rate_limit = {{ messages = 0, within = \"1m\" }}\nsignature = {{ kind = \"standard_webhooks\", secret = \"plain\" }}\n"
    );
    let checked =
        ask(&house, &doors, Role::Admin, "POST", "/api/v1/config/check", Some(value!({ "toml": text, "version": 1 })))
            .await;
    for path in ["charset", "dedup_key", "rate_limit.messages", "signature.secret"] {
        assert!(checked.text.contains(&format!("integrations[a].{path}")), "{path}: {}", checked.text);
    }
}

#[actix_web::test]
async fn what_only_the_address_said_is_known_when_a_message_is_told_again_and_no_token_is_shown() {
    let house = house("");
    let doors = house.service().await;
    let at = |ms: i64| jiff::Timestamp::from_millisecond(server::clock::now().plus_ms(ms).ms()).unwrap().to_string();
    let labels = value!({ "alertname": "Down", "severity": "critical", "instance": "db-07" });
    let firing = value!([{ "labels": labels, "startsAt": at(-60_000) }]);
    let over = value!([{ "labels": labels, "startsAt": at(-60_000), "endsAt": at(-1_000) }]);
    for told in [&firing, &over] {
        let path = format!("/am/{}/api/v2/alerts", house.sender);
        assert_eq!(call(&doors, json("POST", &path, told)).await.status, 200);
    }
    let again = ask(&house, &doors, Role::Responder, "POST", "/api/v1/events/2/replay", None).await;
    assert_eq!(again.status, 200, "{}", again.text);
    let change = value!({ "routing_key": house.sender, "payload": { "summary": "release 2.1" } });
    let told = call(&doors, json("POST", "/v2/change/enqueue", &change)).await;
    assert_eq!(told.status, 202, "{}", told.text);
    let again = ask(&house, &doors, Role::Responder, "POST", "/api/v1/events/4/replay", None).await;
    assert_eq!(again.status, 200, "{}", again.text);
    for number in 4..=5 {
        let kept = ask(&house, &doors, Role::Viewer, "GET", &format!("/api/v1/events/{number}"), None).await;
        assert!(kept.text.contains("release 2.1") && !kept.text.contains(&house.sender), "{}", kept.text);
    }
    let board = ask(&house, &doors, Role::Viewer, "GET", "/api/v1/incidents?state=open,resolved", None).await.json();
    assert_eq!(board["items"].as_array().map(Vec::len), Some(1), "{board:#}");
    assert_eq!(board["items"][0]["state"], "resolved");
}
