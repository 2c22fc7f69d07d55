//! What senders say in headers is written around the body before it is stored, so that whoever reads it later, or once more, reads the same.
//!
//! A CloudEvent of the binary mode has its attributes there (CloudEvents, "HTTP protocol binding", 3.1), GitHub which event it is, Sentry
//! which resource. The body stands in it as it came where it is JSON, as a text where it is one, and else in base64.

use super::text_of;
use crate::http::ApiError;
use actix_web::http::{
    StatusCode,
    header::{CONTENT_TYPE, HeaderMap, HeaderName},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use engine::normalize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The ways of writing whole CloudEvents that are read.
const STRUCTURED: &[&str] =
    &["application/cloudevents", "application/cloudevents+json", "application/cloudevents-batch+json"];

/// A body as it is stored, and what it is.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wrapped {
    pub(super) body: Vec<u8>,
    pub(super) content_type: &'static str,
}

/// A body with what its headers say around it; none where they say nothing.
///
/// # Errors
/// When it is a CloudEvent written in a way that is not read.
pub(super) fn wrapped(headers: &HeaderMap, body: &[u8], charset: Option<&str>) -> Result<Option<Wrapped>, ApiError> {
    let made = made(headers, body, charset)?;
    // What is read in a charset of its sender's is written so that it is the same in all of them.
    Ok(made.map(|made| match charset {
        Some(_) => Wrapped { body: escaped(&made.body).into_bytes(), ..made },
        None => made,
    }))
}

/// JSON in ASCII: what is none can only stand in texts.
fn escaped(json: &[u8]) -> String {
    let mut out = String::with_capacity(json.len());
    for c in String::from_utf8_lossy(json).chars() {
        if c.is_ascii() {
            out.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    out
}

fn made(headers: &HeaderMap, body: &[u8], charset: Option<&str>) -> Result<Option<Wrapped>, ApiError> {
    let named = |name: &'static str| text_of(headers, &HeaderName::from_static(name)).filter(|it| !it.is_empty());
    if let Some(event) = named("x-github-event") {
        let body = field(form_payload(body).as_deref().unwrap_or(body), charset);
        let delivery = named("x-github-delivery").unwrap_or_default();
        return Ok(Some(around("github", [("event", event), ("delivery", delivery)], &body)));
    }
    if let Some(resource) = named("sentry-hook-resource") {
        return Ok(Some(around("sentry", [("resource", resource)], &field(body, charset))));
    }
    let written = named("content-type").unwrap_or_default();
    let essence = written.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if STRUCTURED.contains(&essence.as_str()) {
        return Ok(None);
    }
    if essence.starts_with("application/cloudevents") {
        let title = "CloudEvents are not read in this format";
        return Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unknown_event_format", title)
            .detail(format!("`{essence}` is none of {}.", STRUCTURED.join(", "))));
    }
    let is_event = named("ce-specversion").is_some() || (named("ce-id").is_some() && named("ce-type").is_some());
    // It is stored as what it is, so that one that lacks something is asked for that, and not read as something else.
    Ok(is_event.then(|| Wrapped { body: binary(headers, body, charset), content_type: "application/cloudevents+json" }))
}

/// One object with what the headers say, and the body as a member.
fn around<const N: usize>(sender: &str, said: [(&str, String); N], body: &Field) -> Wrapped {
    let said = said.into_iter().map(|(name, value)| (name.to_owned(), Value::from(value)));
    let inner = joined(&said.collect(), &body.member("body"));
    Wrapped { body: format!("{{\"{sender}\":{inner}}}").into_bytes(), content_type: "application/json" }
}

/// A CloudEvent of the binary mode as one of the structured mode.
fn binary(headers: &HeaderMap, body: &[u8], charset: Option<&str>) -> Vec<u8> {
    let mut attributes = BTreeMap::new();
    for (name, value) in headers {
        let Some(name) = name.as_str().strip_prefix("ce-").filter(|name| !name.is_empty()) else { continue };
        // No attribute may take the place of the data.
        if !matches!(name, "data" | "data_base64") {
            attributes.insert(name.to_owned(), Value::from(value_of(value.as_bytes(), charset)));
        }
    }
    if let Some(written) = text_of(headers, &CONTENT_TYPE).filter(|it| !it.is_empty()) {
        attributes.insert("datacontenttype".to_owned(), written.into());
    }
    let attributes: Map<String, Value> = attributes.into_iter().collect();
    let data = match field(body, charset) {
        Field::Nothing => String::new(),
        Field::Bytes(text) => Field::Text(text).member("data_base64"),
        data => data.member("data"),
    };
    joined(&attributes, &data).into_bytes()
}

/// The value of a header with an attribute: perhaps in quotes, percent-encoded.
fn value_of(raw: &[u8], charset: Option<&str>) -> String {
    let text = normalize::decoded(raw, charset.filter(|_| !raw.is_ascii()));
    let text = text.trim();
    let inner = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let plain = inner.map_or_else(|| text.to_owned(), |inner| inner.replace("\\\"", "\"").replace("\\\\", "\\"));
    percent_encoding::percent_decode_str(&plain).decode_utf8_lossy().into_owned()
}

/// An object of these members and one more that is written already.
fn joined(members: &Map<String, Value>, last: &str) -> String {
    let mut text = Value::from(members.clone()).to_string();
    if !last.is_empty() {
        text.pop();
        if !members.is_empty() {
            text.push(',');
        }
        text.push_str(last);
        text.push('}');
    }
    text
}

/// A body as the value of a member.
enum Field {
    Nothing,
    /// JSON, as it came.
    Json(String),
    Text(String),
    /// In base64.
    Bytes(String),
}

impl Field {
    fn member(&self, name: &str) -> String {
        match self {
            Self::Nothing => format!("\"{name}\":null"),
            Self::Json(raw) => format!("\"{name}\":{raw}"),
            Self::Text(text) => format!("\"{name}\":{}", Value::from(text.as_str())),
            Self::Bytes(text) => format!("\"{name}_base64\":{}", Value::from(text.as_str())),
        }
    }
}

fn field(body: &[u8], charset: Option<&str>) -> Field {
    let text = std::str::from_utf8(body).ok();
    let json = text.map(|text| text.trim_start_matches('\u{feff}').trim());
    // In a charset of its own, or with what would be written six times as long, a text stands as its bytes are.
    let is_plain = body.is_ascii() || charset.is_none();
    let has_controls = body.iter().any(|byte| byte.is_ascii_control() && !byte.is_ascii_whitespace());
    match (text, json) {
        (_, Some("")) => Field::Nothing,
        (_, Some(json)) if serde_json::from_str::<IgnoredAny>(json).is_ok() => Field::Json(json.to_owned()),
        (Some(text), _) if is_plain && !has_controls => Field::Text(text.to_owned()),
        _ => Field::Bytes(BASE64_STANDARD.encode(body)),
    }
}

/// What GitHub sends as a form holds the same in one field.
fn form_payload(body: &[u8]) -> Option<Vec<u8>> {
    let raw = body.strip_prefix(b"payload=")?;
    let raw = raw.split(|byte| *byte == b'&').next()?;
    let spaced: Vec<u8> = raw.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    Some(percent_encoding::percent_decode(&spaced).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn stored(headers: &[(&'static str, &str)], body: &[u8]) -> Value {
        let request = headers.iter().fold(TestRequest::default(), |request, header| request.insert_header(*header));
        serde_json::from_slice(&wrapped(request.to_http_request().headers(), body, None).unwrap().unwrap().body)
            .unwrap()
    }

    #[test]
    fn a_binary_event_becomes_a_structured_one_and_loses_nothing() {
        let said = [("ce-specversion", "1.0"), ("ce-id", "\"a \\\"1\\\"\""), ("ce-type", "x"), ("ce-data", "no")];
        let of = |more: (&'static str, &str), body: &[u8]| stored(&[&said[..], &[more]].concat(), body);
        let event = of(("ce-subject", "%E7%A3%81%E7%9B%98%20%25"), "{\"a\":1.50,\"a\":\"磁\"}\n".as_bytes());
        assert_eq!((&event["subject"], &event["id"]), (&Value::from("磁盘 %"), &Value::from("a \"1\"")));
        assert_eq!(event["data"]["a"], "磁");
        let text = of(("content-type", "text/plain"), b"[P0] x");
        assert_eq!((&text["data"], &text["datacontenttype"]), (&Value::from("[P0] x"), &Value::from("text/plain")));
        assert_eq!(of(("ce-source", "/m"), b"\xb4\xc5\xc5\xcc")["data_base64"], "tMXFzA==");
        assert_eq!(of(("ce-source", "/m"), b" ").get("data"), None);
        // Whatever an extension is called, but what would take the place of the data.
        let extended = of(("ce-datacenter", "bj-1"), b"x");
        assert_eq!((&extended["datacenter"], &extended["data"]), (&Value::from("bj-1"), &Value::from("x")));
        let raw = wrapped(
            TestRequest::default().insert_header(("ce-specversion", "1.0")).to_http_request().headers(),
            b"{\"n\":1.50,\"n\":2}",
            None,
        );
        let raw = raw.unwrap().unwrap();
        assert_eq!(raw.content_type, "application/cloudevents+json");
        assert!(String::from_utf8(raw.body).unwrap().ends_with("\"data\":{\"n\":1.50,\"n\":2}}"));
    }

    #[test]
    fn what_is_wrapped_reads_alike_in_the_charset_of_its_sender() {
        let headers = |of: &[(&'static str, &[u8])]| {
            let request = of.iter().fold(TestRequest::default(), |request, (name, value)| {
                request.insert_header((*name, actix_web::http::header::HeaderValue::from_bytes(value).unwrap()))
            });
            request.to_http_request().headers().clone()
        };
        let of = |subject: &[u8], body: &[u8]| {
            let said = headers(&[("ce-specversion", b"1.0"), ("ce-subject", subject)]);
            wrapped(&said, body, Some("gbk")).unwrap().unwrap().body
        };
        // Percent-encoded it is UTF-8; as it came it is what the sender writes.
        for subject in [&b"%E7%A3%81%E7%9B%98%22"[..], b"\xb4\xc5\xc5\xcc\""] {
            let event = of(subject, "{\"a\":\"磁盘\u{1f514}\"}".as_bytes());
            assert!(event.is_ascii());
            let event: Value = serde_json::from_slice(&event).unwrap();
            assert_eq!(
                (&event["subject"], &event["data"]["a"]),
                (&Value::from("磁盘\""), &Value::from("磁盘\u{1f514}"))
            );
        }
        let event: Value = serde_json::from_slice(&of(b"x", b"\xb4\xc5\xc5\xcc")).unwrap();
        assert_eq!(event["data_base64"], "tMXFzA==");
        // What would be six times as long as it came.
        assert!(of(b"x", &[1; 600]).len() < 1_000);
    }

    #[test]
    fn a_body_stands_in_what_its_headers_say() {
        let github = [("x-github-event", "push"), ("x-github-delivery", "72d3")];
        let want = serde_json::json!({"github": {"event": "push", "delivery": "72d3", "body": {"a": "b c+d"}}});
        assert_eq!(stored(&github, br#"{"a":"b c+d"}"#), want);
        assert_eq!(stored(&github, b"payload=%7B%22a%22%3A%22b+c%2Bd%22%7D"), want);
        assert_eq!(stored(&github, b"payload")["github"]["body"], "payload");
        let sentry = [("sentry-hook-resource", "issue")];
        assert_eq!(stored(&sentry, b"{}"), serde_json::json!({"sentry": {"resource": "issue", "body": {}}}));
        assert_eq!(stored(&sentry, b"\xff")["sentry"]["body_base64"], "/w==");
    }

    #[test]
    fn all_else_is_stored_as_it_came() {
        for header in
            [("content-type", "application/json"), ("content-type", "application/cloudevents+json"), ("ce-id", "1")]
        {
            let request = TestRequest::default().insert_header(header).to_http_request();
            assert_eq!(wrapped(request.headers(), b"{ }", None).unwrap(), None);
        }
        let avro =
            TestRequest::default().insert_header(("content-type", "application/cloudevents+avro")).to_http_request();
        assert_eq!(wrapped(avro.headers(), b"", None).unwrap_err().code(), "unknown_event_format");
    }
}
