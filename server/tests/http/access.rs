//! Who may do what: every endpoint for every role, foreign pages, signing in, and the ends of sessions.

use super::house::{House, PASSWORD, call, json, request};
use actix_web::http::{Method, StatusCode, header::AUTHORIZATION};
use serde_json::json;
use shared::api::{ENDPOINTS, Endpoint, Role};

fn method(row: &Endpoint) -> &'static str {
    match row.method {
        shared::api::Method::Get => "GET",
        shared::api::Method::Post => "POST",
        shared::api::Method::Put => "PUT",
        shared::api::Method::Delete => "DELETE",
    }
}

fn path(row: &Endpoint) -> String {
    row.path.replace("{id}", "4711").replace("{login}", "nobody-of-this-name").replace("{backend}", "none")
}

#[actix_web::test]
async fn every_endpoint_asks_for_its_role_by_cookie_and_by_token() {
    let house = House::new();
    let service = house.service().await;
    let roles = [Role::Viewer, Role::Responder, Role::Network, Role::Admin];
    for role in roles {
        house.account(role.as_str(), role, Some("li"));
    }
    // So that the last administrator is not the one who is changed.
    house.account("spare", Role::Admin, None);
    let tokens = roles.map(|role| house.api_token(role));
    for row in ENDPOINTS {
        let what = format!("{} {}", method(row), row.path);
        let anonymous = call(&service, request(method(row), &path(row))).await;
        match row.role {
            Some(_) => assert_eq!(
                (anonymous.status, anonymous.code().as_str()),
                (StatusCode::UNAUTHORIZED, "not_signed_in"),
                "{what}"
            ),
            None => {
                assert!(![401, 403, 404, 405, 500].contains(&anonymous.status.as_u16()), "{what}: {}", anonymous.status)
            }
        }
        for (role, token) in roles.iter().zip(&tokens) {
            let by_cookie = request(method(row), &path(row)).cookie(house.cookie(role.as_str()));
            let by_token = request(method(row), &path(row)).insert_header((AUTHORIZATION, format!("Bearer {token}")));
            for (how, answer) in
                [("cookie", call(&service, by_cookie).await), ("token", call(&service, by_token).await)]
            {
                let what = format!("{what} as {} by {how}: {} {}", role.as_str(), answer.status, answer.text);
                if row.role.is_some_and(|least| *role < least) {
                    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::FORBIDDEN, "forbidden"), "{what}");
                } else {
                    assert!(![401, 403, 405, 500, 503].contains(&answer.status.as_u16()), "{what}");
                    assert!(answer.status != 404 || !answer.text.contains("no such endpoint"), "{what}");
                }
            }
        }
    }
}

#[actix_web::test]
async fn a_token_of_a_sender_opens_nothing() {
    let house = House::new();
    let service = house.service().await;
    let header = (AUTHORIZATION, format!("Bearer {}", house.sender));
    assert_eq!(call(&service, request("GET", "/api/v1/incidents").insert_header(header)).await.status, 401);
}

#[actix_web::test]
async fn foreign_pages_change_nothing() {
    let house = House::new();
    let service = house.service().await;
    house.account("admin", Role::Admin, None);
    for row in ENDPOINTS.iter().filter(|row| row.method != shared::api::Method::Get) {
        let foreign = request(method(row), &path(row))
            .cookie(house.cookie("admin"))
            .insert_header(("origin", "https://evil.example"))
            .insert_header(("sec-fetch-site", "cross-site"));
        let answer = call(&service, foreign).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (403, "cross_site"),
            "{} {}",
            method(row),
            row.path
        );
    }
    let token = house.api_token(Role::Admin);
    let program = json("POST", "/api/v1/tokens", &json!({ "name": "x", "role": "viewer" }))
        .insert_header((AUTHORIZATION, format!("Bearer {token}")))
        .insert_header(("origin", "https://tools.example"));
    assert_eq!(call(&service, program).await.status, 201, "a token is sent by no browser on its own");
    let socket = request("GET", "/api/v1/live").cookie(house.cookie("admin"));
    assert_eq!(call(&service, socket).await.code(), "cross_site", "a socket without an origin");
}

#[actix_web::test]
async fn the_first_administrator_is_made_once() {
    let house = House::with("", None);
    let service = house.service().await;
    let now = server::clock::now();
    let old = house.store(|store| server::http::new_code(store, now)).unwrap().unwrap();
    let code = house.store(|store| server::http::new_code(store, now)).unwrap().unwrap();
    let set_up = |code: &str, login: &str, password: &str| {
        json("POST", "/api/v1/setup", &json!({ "code": code, "login": login, "name": "", "password": password }))
    };
    assert_eq!(call(&service, request("GET", "/api/v1/setup")).await.json()["needed"], true);
    assert_eq!(call(&service, set_up(&code, "root", "short")).await.code(), "invalid");
    assert_eq!(call(&service, set_up("guess", "root", PASSWORD)).await.code(), "wrong_setup_code");
    assert_eq!(call(&service, set_up(&old, "root", PASSWORD)).await.code(), "wrong_setup_code");
    // Two people click at once.
    let (one, other) = futures_util::join!(
        call(&service, set_up(&code, "one", PASSWORD)),
        call(&service, set_up(&code, "two", PASSWORD))
    );
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
    let winner = if one.status == 200 { one } else { other };
    assert!(winner.header("set-cookie").starts_with("tocsin=ts_"));
    assert_eq!(winner.json()["role"], "admin");
    assert_eq!(call(&service, request("GET", "/api/v1/setup")).await.json()["needed"], false);
    assert_eq!(house.store(|store| server::http::new_code(store, now)).unwrap(), None);
    assert_eq!(house.store(|store| store.accounts()).unwrap().len(), 1);
}

#[actix_web::test]
async fn a_setup_code_ends_after_a_day() {
    let house = House::with("", None);
    let service = house.service().await;
    let long_ago = server::clock::now().plus_ms(-server::http::CODE_LIFETIME.0);
    let code = house.store(|store| server::http::new_code(store, long_ago)).unwrap().unwrap();
    let body = json!({ "code": code, "login": "root", "name": "", "password": PASSWORD });
    assert_eq!(call(&service, json("POST", "/api/v1/setup", &body)).await.code(), "wrong_setup_code");
}

fn sign_in(login: &str, password: &str) -> actix_web::test::TestRequest {
    json("POST", "/api/v1/session", &json!({ "login": login, "password": password }))
        .peer_addr("192.0.2.1:9".parse().unwrap())
}

#[actix_web::test]
async fn signing_in_is_slowed_down_for_every_spelling_of_a_login() {
    let house = House::new();
    let service = house.service().await;
    house.account("li", Role::Responder, Some("li"));
    for login in ["li", "LI", " li ", "Li", "lI"] {
        assert_eq!(call(&service, sign_in(login, "wrong wrong wrong")).await.code(), "wrong_login");
    }
    let answer = call(&service, sign_in("LI ", PASSWORD)).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (429, "throttled"));
    assert!(answer.header("retry-after").parse::<u32>().unwrap() > 0);
}

#[actix_web::test]
async fn a_session_begins_anew_and_its_cookie_is_safe() {
    let house = House::with("", Some("https://tocsin.example.org"));
    let service = house.service().await;
    house.account("li", Role::Responder, None);
    let first = call(&service, sign_in("LI", PASSWORD)).await;
    assert_eq!(first.status, 200);
    assert_eq!(first.json()["login"], "li");
    let cookie = first.header("set-cookie");
    for part in ["__Host-tocsin=ts_", "HttpOnly", "SameSite=Strict", "Secure", "Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(first.header("strict-transport-security").contains("max-age"));
    let text = |cookie: &str| cookie.split(['=', ';']).nth(1).unwrap().to_owned();
    let old = actix_web::cookie::Cookie::new("__Host-tocsin", text(cookie));
    let second = call(&service, sign_in("li", PASSWORD).cookie(old.clone())).await;
    assert_ne!(text(second.header("set-cookie")), text(cookie));
    assert_eq!(call(&service, request("GET", "/api/v1/session").cookie(old)).await.status, 401, "rotated");
}

#[actix_web::test]
async fn sessions_end_with_what_they_were_given_for() {
    let house = House::new();
    let service = house.service().await;
    house.account("admin", Role::Admin, None);
    house.account("li", Role::Responder, Some("li"));
    let alive = async |cookie: &actix_web::cookie::Cookie<'static>| {
        call(&service, request("GET", "/api/v1/session").cookie(cookie.clone())).await.status == 200
    };
    let change = |body: serde_json::Value| json("PUT", "/api/v1/accounts/li", &body).cookie(house.cookie("admin"));
    for body in
        [json!({ "role": "viewer" }), json!({ "password": "five gold rings sing" }), json!({ "disabled": true })]
    {
        let cookie = house.cookie("li");
        assert!(alive(&cookie).await);
        assert_eq!(call(&service, change(body.clone())).await.status, 200, "{body}");
        assert!(!alive(&cookie).await, "{body}");
    }
    let enabled = call(&service, change(json!({ "disabled": false, "person": "" }))).await.json();
    assert_eq!((&enabled["disabled"], &enabled["person"]), (&json!(false), &json!(null)));
    // The own password: the other sessions end, this one goes on with another token.
    let (here, elsewhere) = (house.cookie("li"), house.cookie("li"));
    let body = json!({ "old": "five gold rings sing", "new": "six geese a-laying" });
    let changed = call(&service, json("PUT", "/api/v1/me/password", &body).cookie(here.clone())).await;
    assert_eq!((changed.status.as_u16(), changed.text.as_str()), (204, ""));
    assert!(!alive(&here).await && !alive(&elsewhere).await);
    let fresh = changed.header("set-cookie").split(['=', ';']).nth(1).unwrap().to_owned();
    assert!(alive(&actix_web::cookie::Cookie::new("tocsin", fresh)).await);
    // One of several, and signing out.
    let (one, other) = (house.cookie("li"), house.cookie("li"));
    let list = call(&service, request("GET", "/api/v1/sessions").cookie(one.clone())).await.json();
    let ended = list["items"].as_array().unwrap().iter().filter(|row| row["current"] == false);
    for row in ended {
        let path = format!("/api/v1/sessions/{}", row["id"]);
        assert_eq!(call(&service, request("DELETE", &path).cookie(one.clone())).await.status, 204);
    }
    assert!(alive(&one).await && !alive(&other).await);
    let out = call(&service, request("DELETE", "/api/v1/session").cookie(one.clone())).await;
    assert!(out.header("set-cookie").contains("Max-Age=0"));
    assert!(!alive(&one).await);
}

#[actix_web::test]
async fn the_last_administrator_stays_and_everything_is_recorded() {
    let house = House::new();
    let service = house.service().await;
    house.account("admin", Role::Admin, None);
    let refused = json("PUT", "/api/v1/accounts/admin", &json!({ "role": "viewer" })).cookie(house.cookie("admin"));
    assert_eq!(call(&service, refused).await.code(), "last_admin");
    let made = json!({ "login": "New", "name": "", "role": "viewer", "password": PASSWORD });
    let make = |body: &serde_json::Value| json("POST", "/api/v1/accounts", body).cookie(house.cookie("admin"));
    assert_eq!(call(&service, make(&made)).await.status, 201);
    assert_eq!(
        call(&service, make(&json!({ "login": "nEW", "name": "", "role": "viewer", "password": PASSWORD })))
            .await
            .code(),
        "login_taken"
    );
    let audit = call(&service, request("GET", "/api/v1/audit?limit=3").cookie(house.cookie("admin"))).await.json();
    let rows: Vec<(&str, &str, bool)> = audit["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["action"].as_str().unwrap(), row["object"].as_str().unwrap(), row["outcome"] == "ok"))
        .collect();
    assert_eq!(
        rows,
        [("account.create", "nEW", false), ("account.create", "New", true), ("account.change", "admin", false)]
    );
    assert!(!audit.to_string().contains(PASSWORD));
}

#[test]
fn methods_are_spelled_as_http_spells_them() {
    for row in ENDPOINTS {
        assert!(Method::from_bytes(method(row).as_bytes()).is_ok());
    }
}
