//! Open-Falcon's alarm as it sends: three gateways for one event, in forms of any order and charset, and a callback.

use super::house::{House, call, request};
use serde_json::{Value, json as value};

async fn incident(house: &House, id: i64) -> Value {
    let bearer = ("authorization", format!("Bearer {}", house.api_token(shared::api::Role::Viewer)));
    call(&house.service().await, request("GET", &format!("/api/v1/incidents/{id}")).insert_header(bearer)).await.json()
}

/// As Go's `QueryEscape` writes it.
fn escaped(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| if *byte == b' ' { "+".to_owned() } else { format!("%{byte:02X}") }).collect()
}

#[actix_web::test]
async fn three_gateways_tell_one_event() {
    let house = House::new();
    let line = "[P0][PROBLEM][db-07][][磁盘 all(#3) df.bytes.free.percent mount=/data 4.5<5][O1 2026-11-23 08:00:00]";
    // The first two characters of its note, as a gateway in GBK gets them.
    let gbk = escaped(line.as_bytes()).replace(&escaped("磁盘".as_bytes()), &escaped(b"\xb4\xc5\xc5\xcc"));
    let text = escaped(line.as_bytes());
    for (gateway, form) in [
        ("sms", format!("content={gbk}&tos=13800000001")),
        ("im/", format!("tos=li&content={text}")),
        ("mail", format!("subject={text}&tos=li%40example.org&content=PROBLEM%0D%0AP0%0D%0AEndpoint%3Adb-07")),
    ] {
        let asked = request("POST", &format!("/falcon/{}/{gateway}", house.sender));
        let form = asked.insert_header(("content-type", "application/x-www-form-urlencoded")).set_payload(form);
        let answer = call(&house.service().await, form).await;
        assert_eq!((answer.status.as_u16(), answer.text.as_str()), (200, "success"), "{gateway}");
    }
    let found = incident(&house, 1).await;
    assert_eq!(
        (&found["row"]["count"], &found["row"]["severity"], &found["row"]["host"]),
        (&value!(1), &value!("P0"), &value!("db-07"))
    );
    let event = &found["alerts"][0]["event"];
    assert_eq!(event["labels"]["tos"], "13800000001,li,li@example.org");
    assert!(event["content"].as_str().unwrap().contains("Endpoint:db-07"), "{event:#}");
}

#[actix_web::test]
async fn a_callback_opens_and_closes_and_its_answer_tells_nothing() {
    let house = House::new();
    let path = |token: &str, status: &str| {
        format!(
            "/falcon/{token}/callback?mine=1&endpoint=db-07&metric=mysql.slave.lag&status={status}&step=1&priority=0\
             &time=2026-11-23+08%3A00%3A00&tpl_id=7&exp_id=0&stra_id=42&left_value=412&tags=port%3A3306"
        )
    };
    for (status, state) in [("PROBLEM", "triggered"), ("OK", "resolved")] {
        let answer = call(&house.service().await, request("GET", &path(&house.sender, status))).await;
        assert_eq!((answer.status.as_u16(), answer.text.as_str()), (200, "ok"));
        let found = incident(&house, 1).await;
        assert_eq!((&found["row"]["state"], &found["row"]["severity"]), (&value!(state), &value!("P0")), "{found:#}");
    }
    assert_eq!(call(&house.service().await, request("GET", &path("nobody", "OK"))).await.status, 401);
    let empty = call(&house.service().await, request("GET", &format!("/falcon/{}/callback", house.sender))).await;
    assert_eq!((empty.status.as_u16(), empty.code().as_str()), (400, "not_understood"));
    assert!(!empty.text.contains(&house.sender), "{}", empty.text);
    let posted = call(&house.service().await, request("POST", &path(&house.sender, "OK"))).await;
    assert_eq!((posted.status.as_u16(), posted.header("allow")), (405, "GET"));
    let asked = call(&house.service().await, request("GET", &format!("/falcon/{}/sms", house.sender))).await;
    assert_eq!((asked.status.as_u16(), asked.header("allow")), (405, "POST"));
}

#[actix_web::test]
async fn a_callback_in_chinese_is_read_in_whatever_charset_it_was_escaped() {
    // 机房=北京, as UTF-8 and as GBK.
    for tags in ["%E6%9C%BA%E6%88%BF%3A%E5%8C%97%E4%BA%AC", "%BB%FA%B7%BF%3A%B1%B1%BE%A9"] {
        let house = House::new();
        let path = format!(
            "/falcon/{}/callback?endpoint=db-07&metric=m&status=PROBLEM&step=1&priority=1&stra_id=4&left_value=4&tags={tags}",
            house.sender
        );
        let answer = call(&house.service().await, request("GET", &path)).await;
        assert_eq!((answer.status.as_u16(), answer.text.as_str()), (200, "ok"), "{tags}");
        let event = incident(&house, 1).await["alerts"][0]["event"].clone();
        assert_eq!(event["metric"]["tags"], value!({ "机房": "北京" }), "{event:#}");
    }
}
