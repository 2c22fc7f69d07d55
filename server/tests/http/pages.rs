//! What is served beside the interface: the application's files, the headers on everything, and honest refusals.

use super::house::{House, boxed, call, json, request};
use actix_web::{App as ActixApp, middleware::from_fn, test::init_service, web};
use shared::api::Role;

#[actix_web::test]
async fn every_answer_has_its_headers() {
    let house = House::with("", Some("https://tocsin.example.org"));
    let service = house.service().await;
    for path in [
        "/",
        "/incidents/1",
        "/api/v1/incidents",
        "/api/v1/nothing",
        "/healthz",
        "/a/x",
        "/sw.js",
        "/api/openapi.json",
        "/assets/none.js",
    ] {
        let answer = call(&service, request("GET", path)).await;
        let policy = answer.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{path}: {policy}"
        );
        assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"), "{path}: {policy}");
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("cross-origin-opener-policy", "same-origin"),
            ("strict-transport-security", "max-age=31536000"),
        ] {
            assert_eq!(answer.header(name), value, "{path} {name}");
        }
        assert!(!answer.header("referrer-policy").is_empty() && !answer.header("cache-control").is_empty(), "{path}");
    }
    let plain = House::new();
    let service = plain.service().await;
    assert_eq!(call(&service, request("GET", "/")).await.header("strict-transport-security"), "");
}

#[actix_web::test]
async fn an_unknown_address_is_the_application_only_where_it_may_be() {
    let house = House::new();
    let service = house.service().await;
    for path in ["/", "/incidents/4", "/settings/accounts", "/index.html"] {
        let page = call(&service, request("GET", path)).await;
        assert_eq!((page.status.as_u16(), page.header("content-type")), (200, "text/html; charset=utf-8"), "{path}");
        assert!(page.text.contains("Tocsin"));
    }
    for path in [
        "/api",
        "/api/v2/x",
        "/api/v1/x",
        "/ingest/x/json/y",
        "/falcon/x/pager",
        "/v2/enqueue/x",
        "/assets/app-0.js",
        "/a",
        "/sw.js.br",
        "/old.js",
        "/am",
    ] {
        let answer = call(&service, request("GET", path)).await;
        if path != "/sw.js.br" {
            assert_eq!(answer.status, 404, "{path}");
            assert_eq!(answer.header("content-type"), "application/problem+json", "{path}");
        }
    }
    assert_eq!(call(&service, request("POST", "/incidents/4")).await.status, 405);
    let wrong = call(&service, request("PATCH", "/api/v1/session")).await;
    assert_eq!(
        (wrong.status.as_u16(), wrong.code().as_str(), wrong.header("allow")),
        (405, "method_not_allowed", "POST, GET, DELETE")
    );
    // Where senders post there is never a page and never a redirect.
    for path in ["/ingest", "/ingest/x", "/v2/enqueue", "/v2/change/enqueue/"] {
        assert_eq!(call(&service, request("GET", path)).await.status, 405, "{path}");
    }
    let am = call(&service, request("GET", "/am/x/nothing")).await;
    assert_eq!((am.status.as_u16(), am.header("content-type")), (401, "application/json"));
}

#[actix_web::test]
async fn bad_requests_are_problems() {
    let house = House::new();
    let service = house.service().await;
    house.account("admin", Role::Admin, None);
    let cookie = || house.cookie("admin");
    for (request, status, code) in [
        (request("GET", "/api/v1/incidents/abc").cookie(cookie()), 404, "not_found"),
        (request("GET", "/api/v1/incidents?limit=x").cookie(cookie()), 400, "bad_query"),
        (request("GET", "/api/v1/incidents?state=closed").cookie(cookie()), 422, "invalid"),
        (json("POST", "/api/v1/session", &serde_json::json!([])), 400, "bad_json"),
        (request("POST", "/api/v1/session").set_payload("{}"), 415, "not_json"),
        (
            json("POST", "/api/v1/incidents/1/ack", &serde_json::json!({ "version": 1, "odd": 2 })).cookie(cookie()),
            400,
            "bad_json",
        ),
        (
            json("POST", "/api/v1/session", &serde_json::json!({ "login": "x".repeat(300_000), "password": "" })),
            413,
            "too_large",
        ),
    ] {
        let answer = call(&service, request).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (status, code), "{}", answer.text);
    }
}

#[actix_web::test]
async fn a_panic_is_an_answer_too() {
    let service = init_service(ActixApp::new().wrap(from_fn(server::http::outermost)).route(
        "/",
        web::get().to(|| async {
            if true {
                panic!("on purpose");
            }
            ""
        }),
    ))
    .await;
    let service = boxed(service);
    let answer = call(&service, request("GET", "/")).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (500, "internal"));
    assert!(!answer.text.contains("on purpose"));
}

#[actix_web::test]
async fn the_process_says_how_it_is() {
    let house = House::new();
    let service = house.service().await;
    assert_eq!(call(&service, request("GET", "/healthz")).await.text, "ok\n");
    assert_eq!(call(&service, request("GET", "/readyz")).await.text, "ready\n");
    assert_eq!(call(&service, request("HEAD", "/healthz")).await.status, 200);
    assert_eq!(call(&service, request("GET", "/metrics")).await.status, 200);
    let openapi = call(&service, request("GET", "/api/openapi.json")).await;
    assert_eq!(openapi.json()["openapi"], "3.1.0");
    let again = request("GET", "/api/openapi.json").insert_header(("if-none-match", openapi.header("etag").to_owned()));
    assert_eq!(call(&service, again).await.status, 304);
}

/// Only where the application was built before the tests were.
#[actix_web::test]
async fn files_are_compressed_tagged_and_kept() {
    if !server::http::is_built() {
        return;
    }
    let house = House::new();
    let service = house.service().await;
    let page = call(&service, request("GET", "/").insert_header(("accept-encoding", "identity"))).await;
    assert_eq!(page.header("cache-control"), "no-cache");
    assert!(page.header("content-security-policy").contains("script-src 'self' 'wasm-unsafe-eval'"));
    let script = page.text.split("src=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let plain = call(&service, request("GET", &script)).await;
    assert_eq!(plain.header("cache-control"), "public, max-age=31536000, immutable");
    assert_eq!(plain.header("content-type"), "text/javascript; charset=utf-8");
    let packed = call(&service, request("GET", "/").insert_header(("accept-encoding", "gzip, br"))).await;
    assert_eq!((packed.header("content-encoding"), packed.header("vary")), ("br", "Accept-Encoding"));
    assert_ne!(packed.header("etag"), page.header("etag"));
    let again = request("GET", "/").insert_header(("if-none-match", page.header("etag").to_owned()));
    assert_eq!(call(&service, again).await.status, 304);
    assert_eq!(call(&service, request("GET", "/sw.js")).await.header("cache-control"), "no-cache");
}

/// Only where the application was built before the tests were.
#[actix_web::test]
async fn a_linked_incident_is_readable_before_any_script_runs() {
    if !server::http::is_built() {
        return;
    }
    let house = House::new();
    let service = house.service().await;
    house.account("li", Role::Responder, Some("li"));
    house.account("v", Role::Viewer, Some("anna"));
    let sent = request("POST", &format!("/ingest/{}", house.sender))
        .set_payload("[P0][PROBLEM][db-07][10.0.3.7][<b>down</b>]");
    let id = call(&service, sent).await.json()["outcomes"][0]["incident"].as_i64().unwrap();
    let path = format!("/incidents/{id}");
    let stranger = call(&service, request("GET", &path)).await;
    assert!(!stranger.text.contains("db-07") && stranger.header("cache-control") == "no-cache");
    let page = call(&service, request("GET", &path).cookie(house.cookie("li"))).await;
    assert!(page.text.contains("&lt;b&gt;down") && !page.text.contains("tocsin:card"), "{}", page.text);
    assert_eq!(page.header("cache-control"), "no-store");
    // Whoever may only look gets no button; the button acknowledges without a script.
    let viewer = call(&service, request("GET", &path).cookie(house.cookie("v"))).await;
    assert!(viewer.text.contains("db-07") && !viewer.text.contains("<form"));
    let link = page.text.split("action=\"").nth(1).unwrap().split('"').next().unwrap();
    assert_eq!(call(&service, request("POST", link)).await.status, 303);
    let incident = house.app.runtime.incident(shared::IncidentId(id)).await.unwrap().unwrap();
    assert_eq!(incident.state, shared::IncidentState::Acked);
}
