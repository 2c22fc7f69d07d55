//! Apps on phones: let in by a code that works once, as their person and no more, and gone with what let them in; and what
//! they ask twice is done once.

use super::house::{Answer, CONFIG, Doors, House, call, json, request};
use actix_web::{http::header::AUTHORIZATION, test::TestRequest};
use serde_json::{Value, json as value};
use server::{
    auth::token,
    clock,
    http::{Principal, Who},
};
use shared::{
    IncidentId,
    api::Role,
    timeline::{Actor, Happening},
};

/// Li is on call by a schedule, Anna by name; both have an account, as has an administrator.
fn house() -> House {
    let schedule = "[[schedules]]\nid = \"s\"\nname = \"S\"\ntime_zone = \"UTC\"\n\
                    rotations = [{ people = [\"li\"], every = \"week\", handoff = \"09:00\", start = \"2026-01-05\" }]\n";
    let house =
        House::with(&format!("{}\n{schedule}", CONFIG.replace("person:li\"], delay", "schedule:s\"], delay")), None);
    house.account("li", Role::Responder, Some("li"));
    house.account("anna", Role::Responder, Some("anna"));
    house.account("root", Role::Admin, None);
    house
}

async fn offer(house: &House, service: &Doors, login: &str) -> Value {
    let answer = call(service, request("POST", "/api/v1/me/pairings").cookie(house.cookie(login))).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()
}

fn pairing(code: &str) -> Value {
    value!({"code": code, "name": " Li's\u{202e} phone\n", "platform": "android", "provider": "fcm", "token": "canary-fcm:1"})
}

async fn pair(service: &Doors, body: &Value) -> Answer {
    let asked = json("POST", "/api/v1/mobile/pair", body).insert_header(("user-agent", "OurApp/1"));
    call(service, asked.peer_addr("192.0.2.7:1".parse().unwrap())).await
}

/// The token and the number of the device of an app that was just paired.
async fn paired(house: &House, service: &Doors, login: &str) -> (String, i64) {
    let code = offer(house, service, login).await["code"].as_str().unwrap().to_owned();
    let mut body = pairing(&code);
    body["token"] = format!("canary-fcm:{login}").into();
    let answer = pair(service, &body).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let answer = answer.json();
    (answer["token"].as_str().unwrap().to_owned(), answer["device"].as_i64().unwrap())
}

fn by(token: &str, asked: TestRequest) -> TestRequest {
    asked.insert_header((AUTHORIZATION, format!("Bearer {token}")))
}

async fn get(service: &Doors, token: &str, path: &str) -> Answer {
    call(service, by(token, request("GET", path))).await
}

async fn alive(service: &Doors, token: &str) -> bool {
    get(service, token, "/api/v1/session").await.status == 200
}

async fn alert(house: &House, service: &Doors, host: &str) -> i64 {
    let sent = request("POST", &format!("/ingest/{}", house.sender))
        .set_payload(format!("[P1][PROBLEM][{host}][10.0.3.7][disk full]"));
    call(service, sent).await.json()["outcomes"][0]["incident"].as_i64().unwrap()
}

#[actix_web::test]
async fn an_app_is_paired_once_by_what_a_browser_shows() {
    let house = house();
    let service = house.service().await;
    let offered = offer(&house, &service, "li").await;
    let code = offered["code"].as_str().unwrap();
    assert!(code.len() >= 3 + 128 / 6, "{code}");
    assert_eq!(offered["url"], format!("http://127.0.0.1:8080/pair#{code}"));
    assert!(offered["svg"].as_str().unwrap().contains("<svg"));
    // A camera that opens the address is told what it is for, and keeps the code to itself.
    assert!(call(&service, request("GET", "/pair")).await.text.contains("This code is for an app"));
    let left = offered["expires_at"].as_i64().unwrap() - clock::now().ms();
    assert!((1..=600_000).contains(&left), "{left}");
    let mut wrong = pairing(&code.replace("tp_", "tp-"));
    assert_eq!(pair(&service, &wrong).await.code(), "wrong_pairing_code");
    // What the app says wrong costs no code.
    for (field, with) in [("provider", "web"), ("provider", "unifiedpush"), ("token", ""), ("token", "../../x")] {
        wrong = pairing(code);
        wrong[field] = with.into();
        assert_eq!(pair(&service, &wrong).await.code(), "invalid", "{field} {with}");
    }
    let answer = pair(&service, &pairing(code)).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let app = answer.json();
    assert_eq!((&app["login"], &app["person"], &app["role"]), (&"li".into(), &"li".into(), &"responder".into()));
    assert_eq!((&app["server"], &app["public_url"]), (&"127.0.0.1".into(), &"http://127.0.0.1:8080".into()));
    assert_eq!(pair(&service, &pairing(code)).await.code(), "wrong_pairing_code", "it was used");
    let token = app["token"].as_str().unwrap();
    assert_eq!(get(&service, token, "/api/v1/session").await.json()["login"], "li");
    let own = get(&service, token, "/api/v1/me/devices").await;
    assert!(!own.text.contains("canary-fcm"), "{}", own.text);
    let row = &own.json()["items"][0];
    assert_eq!((&row["label"], &row["kind"], &row["service"]), (&"Li's phone".into(), &"fcm".into(), &"fcm".into()));
    assert_eq!((&row["platform"], &row["user_agent"]), (&"android".into(), &"OurApp/1".into()));
    // It is no cookie, and a cookie is no token.
    let cookie = actix_web::cookie::Cookie::new("tocsin", token.to_owned());
    assert_eq!(call(&service, request("GET", "/api/v1/session").cookie(cookie)).await.status, 401);
    assert!(!alive(&service, house.cookie("li").value()).await);
    let record = house.store(|store| store.audit_list(None, 50)).unwrap();
    for (action, object) in [("device.offer", "li"), ("device.pair", "li")] {
        assert!(record.iter().any(|it| it.action == action && it.object == object && it.actor == "li"), "{action}");
    }
}

#[actix_web::test]
async fn codes_are_not_guessed_and_end_with_what_they_were_given_for() {
    let house = house();
    let service = house.service().await;
    let code = |offered: &Value| offered["code"].as_str().unwrap().to_owned();
    let (first, second) = (offer(&house, &service, "li").await, offer(&house, &service, "li").await);
    assert_eq!(
        pair(&service, &pairing(&code(&first))).await.code(),
        "wrong_pairing_code",
        "a newer one took its place"
    );
    house.store(|store| store.sessions_end("li", None)).unwrap();
    assert_eq!(pair(&service, &pairing(&code(&second))).await.code(), "wrong_pairing_code", "its browser signed out");
    let nobody = call(&service, request("POST", "/api/v1/me/pairings").cookie(house.cookie("root"))).await;
    assert_eq!(nobody.code(), "no_person");
    let (token, _) = paired(&house, &service, "li").await;
    let another = call(&service, by(&token, request("POST", "/api/v1/me/pairings"))).await;
    assert_eq!((another.status.as_u16(), another.code().as_str()), (409, "not_a_browser"), "an app lets nobody in");
    let mut codes = Vec::new();
    for _ in 0..12 {
        codes.push(pair(&service, &pairing("tp_guess")).await.code());
    }
    assert!(codes.contains(&"throttled".to_owned()) && codes[0] == "wrong_pairing_code", "{codes:?}");
}

#[actix_web::test]
async fn an_app_may_what_its_account_may_and_ends_with_its_rights() {
    let house = house();
    let service = house.service().await;
    let (token, id) = paired(&house, &service, "li").await;
    assert_eq!(get(&service, &token, "/api/v1/accounts").await.code(), "forbidden");
    let change = async |login: &str, body: Value| {
        let asked = json("PUT", &format!("/api/v1/accounts/{login}"), &body).cookie(house.cookie("root"));
        assert_eq!(call(&service, asked).await.status, 200, "{body}");
    };
    // An open socket asks this of whoever opened it.
    let (known, _) =
        house.store(|store| store.device_session_find(&token::hash_hex(&token), clock::now())).unwrap().unwrap();
    let who = Who::Device {
        login: "li".into(),
        name: "li".into(),
        person: Some("li".into()),
        session: known.id,
        device: known.device,
        label: known.label,
    };
    let socket = Principal { role: Role::Responder, who, peer: [192, 0, 2, 7].into() };
    assert!(socket.still_holds(&house.app).await.unwrap());
    change("li", value!({"role": "viewer"})).await;
    assert!(!alive(&service, &token).await);
    assert!(!socket.still_holds(&house.app).await.unwrap());
    assert_eq!(house.app.devices.live(&"li".into()).len(), 1, "pages still come");
    // Paired again with the same token of its provider, it is the same device.
    let (token, again) = paired(&house, &service, "li").await;
    assert_eq!(again, id);
    change("li", value!({"password": "five gold rings sing"})).await;
    assert!(!alive(&service, &token).await);
    let (token, _) = paired(&house, &service, "li").await;
    change("li", value!({"disabled": true})).await;
    assert!(!alive(&service, &token).await);
    assert_eq!(house.app.devices.of(&"li".into()), []);
    let (token, id) = paired(&house, &service, "anna").await;
    let path = format!("/api/v1/devices/{id}");
    assert_eq!(call(&service, by(&token, request("DELETE", &path))).await.code(), "forbidden");
    let all = call(&service, request("GET", "/api/v1/devices").cookie(house.cookie("root"))).await.json();
    assert_eq!((&all["items"][0]["person"], &all["items"][0]["device"]["id"]), (&"anna".into(), &id.into()));
    assert_eq!(call(&service, request("DELETE", &path).cookie(house.cookie("root"))).await.status, 204);
    assert_eq!(call(&service, request("DELETE", &path).cookie(house.cookie("root"))).await.status, 404);
    assert!(!alive(&service, &token).await);
    // Its owner revokes it, or it signs out: either way nothing is pushed to it.
    for signs_out in [false, true] {
        let (token, id) = paired(&house, &service, "anna").await;
        let ended = if signs_out {
            call(&service, by(&token, request("DELETE", "/api/v1/session"))).await
        } else {
            call(&service, request("DELETE", &format!("/api/v1/me/devices/{id}")).cookie(house.cookie("anna"))).await
        };
        assert_eq!(ended.status, 204);
        assert!(!alive(&service, &token).await && house.app.devices.of(&"anna".into()).is_empty());
    }
}

#[actix_web::test]
async fn a_token_is_changed_without_being_lost_on_the_way() {
    let house = house();
    let service = house.service().await;
    let (first, _) = paired(&house, &service, "li").await;
    let rotate = async |token: &str| {
        let answer = call(&service, by(token, request("POST", "/api/v1/mobile/session/rotate"))).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()["token"].as_str().unwrap().to_owned()
    };
    let lost = rotate(&first).await;
    let second = rotate(&first).await;
    assert!(!alive(&service, &lost).await, "it never arrived, so it never counts");
    assert!(alive(&service, &first).await, "until the next is used");
    assert!(alive(&service, &second).await);
    assert!(!alive(&service, &first).await);
    let browser = request("POST", "/api/v1/mobile/session/rotate").cookie(house.cookie("li"));
    assert_eq!(call(&service, browser).await.code(), "not_a_device");
    let moved = json("PUT", "/api/v1/mobile/push", &value!({"provider": "apns", "token": "ab".repeat(32)}));
    let row = call(&service, by(&second, moved)).await.json();
    assert_eq!((&row["kind"], &row["dead_at"]), (&"apns".into(), &Value::Null));
    let none = json("PUT", "/api/v1/mobile/push", &value!({"provider": "none"}));
    assert_eq!(call(&service, by(&second, none)).await.json()["kind"], "none");
    assert_eq!(house.app.devices.live(&"li".into()), [], "nothing is pushed to it");
    assert!(alive(&service, &second).await);
}

#[actix_web::test]
async fn an_app_shows_what_is_its_persons_and_what_changed_of_it() {
    let house = house();
    let service = house.service().await;
    let ((li, _), (anna, _)) = (paired(&house, &service, "li").await, paired(&house, &service, "anna").await);
    let ids = |list: &Value| -> Vec<i64> {
        list.as_array().unwrap().iter().map(|it| it["incident"]["id"].as_i64().unwrap()).collect()
    };
    let one = alert(&house, &service, "db-1").await;
    let two = alert(&house, &service, "db-2").await;
    house.app.board.publish(clock::now());
    let all = get(&service, &li, "/api/v1/mobile/incidents").await.json();
    assert_eq!(ids(&all["items"]), [two, one], "the newest first");
    assert_eq!((&all["items"][0]["paged"], &all["items"][0]["on_call"]), (&true.into(), &true.into()));
    let annas = get(&service, &anna, "/api/v1/mobile/incidents").await.json();
    assert_eq!((&annas["items"][0]["paged"], &annas["items"][0]["on_call"]), (&false.into(), &true.into()));
    let path = |cursor: &Value| format!("/api/v1/mobile/sync?cursor={}", cursor.as_str().unwrap());
    let quiet = get(&service, &li, &path(&all["cursor"])).await.json();
    assert_eq!(quiet["gone"], value!([]));
    let resolve = by(&li, request("POST", &format!("/api/v1/incidents/{one}/resolve")));
    assert_eq!(call(&service, resolve).await.status, 200);
    let three = alert(&house, &service, "db-3").await;
    house.app.board.publish(clock::now());
    let next = get(&service, &li, &path(&quiet["cursor"])).await.json();
    // How deliveries fare changes incidents too.
    let changed = ids(&next["changed"]);
    assert!(changed.contains(&three) && !changed.contains(&one), "{changed:?}");
    assert_eq!(next["gone"], value!([one]));
    assert_eq!(get(&service, &li, &path(&next["cursor"])).await.json()["gone"], value!([]));
    // Another person's cursor, none, and one from before the server was started.
    for cursor in [annas["cursor"].clone(), "".into(), "nonsense".into(), value!(format!("1-{}", "0".repeat(16)))] {
        let refused = get(&service, &li, &path(&cursor)).await;
        assert_eq!((refused.status.as_u16(), refused.code().as_str()), (410, "full_resync"), "{cursor}");
    }
    let duty = get(&service, &li, "/api/v1/mobile/oncall").await.json();
    assert_eq!((&duty["on_call"], &duty["schedules"][0]["schedule"]), (&true.into(), &"s".into()));
    assert_eq!(duty["schedules"][0]["on_call"][0]["person"], "li");
    let duty = get(&service, &anna, "/api/v1/mobile/oncall").await.json();
    assert_eq!((&duty["on_call"], &duty["schedules"]), (&false.into(), &value!([])));
}

#[actix_web::test]
async fn what_an_app_does_twice_under_one_key_is_done_once_and_names_the_device() {
    let house = house();
    let service = house.service().await;
    let (li, _) = paired(&house, &service, "li").await;
    let (anna, _) = paired(&house, &service, "anna").await;
    let id = alert(&house, &service, "db-1").await;
    let note = |token: &str, key: &str, text: &str| {
        let asked = json("POST", &format!("/api/v1/incidents/{id}/note"), &value!({"text": text}));
        by(token, asked).insert_header(("idempotency-key", key.to_owned()))
    };
    let first = call(&service, note(&li, "k1", "on it")).await;
    assert_eq!(first.status, 200, "{}", first.text);
    let again = call(&service, note(&li, "k1", "on it")).await;
    assert_eq!((again.status, again.text.as_str()), (first.status, first.text.as_str()));
    assert_eq!((first.header("idempotent-replayed"), again.header("idempotent-replayed")), ("", "true"));
    let other = call(&service, note(&li, "k1", "something else")).await;
    assert_eq!((other.status.as_u16(), other.code().as_str()), (422, "idempotency_key_reused"));
    assert_eq!(call(&service, note(&anna, "k1", "me too")).await.status, 200, "another device chose it by chance");
    assert_eq!(call(&service, note(&li, "", "x")).await.code(), "bad_idempotency_key");
    // A refusal is an answer too.
    let refused = [call(&service, note(&li, "k2", " ")).await, call(&service, note(&li, "k2", " ")).await];
    assert!(refused.iter().all(|it| it.status == 422 && it.code() == "invalid"));
    assert_eq!(refused[1].header("content-type"), "application/problem+json");
    let ack =
        || by(&li, request("POST", &format!("/api/v1/incidents/{id}/ack"))).insert_header(("idempotency-key", "k3"));
    let (one, two) = futures_util::join!(call(&service, ack()), call(&service, ack()));
    let mut statuses = [one.status.as_u16(), two.status.as_u16()];
    statuses.sort_unstable();
    assert!(statuses == [200, 200] || statuses == [200, 409], "{statuses:?}: {} {}", one.text, two.text);
    assert_eq!(call(&service, ack()).await.json()["acked_by"], "li");
    let timeline = house.store(|store| store.timeline(IncidentId(id))).unwrap();
    let notes = timeline.iter().filter(|it| matches!(it.what, Happening::Note { .. })).count();
    assert_eq!(notes, 2);
    let acked: Vec<&Actor> =
        timeline.iter().filter(|it| matches!(it.what, Happening::Acked { .. })).map(|it| &it.actor).collect();
    assert_eq!(acked, [&Actor::Device { login: "li".into(), device: "Li's phone".into() }]);
}

#[actix_web::test]
async fn an_app_says_what_became_of_its_own_pages_alone() {
    let house = house();
    let service = house.service().await;
    let ((li, _), (anna, _)) = (paired(&house, &service, "li").await, paired(&house, &service, "anna").await);
    let id = alert(&house, &service, "db-1").await;
    let incident = house.app.runtime.incident(IncidentId(id)).await.unwrap().unwrap();
    let attempt = incident.pages[0].attempts[0].id;
    let soon = clock::now().plus_ms(60_000);
    let cap = house.app.runtime.links().cap(IncidentId(id), &"li".into(), attempt, soon);
    let batch = value!({"receipts": [
        {"kind": "shown", "incident": id, "attempt": attempt},
        {"kind": "opened", "cap": cap},
        {"kind": "shown", "incident": 999, "attempt": 1},
        {"kind": "shown", "incident": id, "attempt": 999},
        {"kind": "shown", "cap": "forged"},
        {"kind": "shown"},
    ]});
    let say = async |token: &str| {
        let answer = call(&service, by(token, json("POST", "/api/v1/mobile/receipts", &batch))).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let answer = answer.json();
        let refused = answer["refused"].as_array().unwrap().iter().map(|it| it["index"].as_u64().unwrap());
        (answer["taken"].as_u64().unwrap(), refused.collect::<Vec<_>>())
    };
    assert_eq!(say(&anna).await, (1, vec![0, 1, 3, 4, 5]));
    for _ in 0..2 {
        assert_eq!(say(&li).await, (3, vec![3, 4, 5]));
    }
    house.app.runtime.incident(IncidentId(id)).await.unwrap();
    let told = || {
        let timeline = house.store(|store| store.timeline(IncidentId(id))).unwrap();
        let devices = timeline.into_iter().filter_map(|entry| match entry.what {
            Happening::DeliveryReceipt { device, .. } => Some(device.map(|it| it.to_string())),
            _ => None,
        });
        devices.collect::<Vec<_>>()
    };
    for _ in 0..200 {
        if told().len() >= 2 {
            break;
        }
        actix_web::rt::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(told(), [Some("Li's phone".to_owned()), Some("Li's phone".to_owned())]);
    let own = get(&service, &li, "/api/v1/me/devices").await.json();
    assert!(own["items"][0]["shown_at"].is_i64() && own["items"][0]["opened_at"].is_i64());
    let flood = value!({"receipts": vec![value!({"kind": "shown"}); 101]});
    assert_eq!(call(&service, by(&li, json("POST", "/api/v1/mobile/receipts", &flood))).await.code(), "invalid");
}
