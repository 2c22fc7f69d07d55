//! What an app of the operator's is pushed: the same message as a browser's, in the words of Apple and of Google.

use super::payload::Parcel;
use crate::channels::message::clip_bytes;
use serde_json::{Map, Value, json};
use shared::{Severity, Timestamp, text::Language};

/// Both providers take 4,096 bytes; what they add of their own is unknown.
const BYTES_MOST: usize = 3_800;
/// Bodies that are tried, the longest first.
const BODY_BYTES: [usize; 7] = [900, 700, 500, 300, 150, 60, 0];
const TITLE_BYTES: usize = 240;
const HOST_BYTES: usize = 120;
/// Of Apple's collapse id.
const COLLAPSE_BYTES: usize = 64;

/// `json` of the longest body with which it is short enough.
pub(super) fn fitting(body: &str, json: impl Fn(&str) -> Value) -> Vec<u8> {
    let mut written = Vec::new();
    for bytes in BODY_BYTES {
        let body = if bytes == 0 { String::new() } else { clip_bytes(body, bytes) };
        written = json(&body).to_string().into_bytes();
        if written.len() <= BYTES_MOST {
            break;
        }
    }
    written
}

/// What only the app reads, by short names: the same as a browser's worker.
pub(super) fn ours(parcel: &Parcel, device: i64) -> Map<String, Value> {
    let ours = &parcel.ours;
    let mut all = Map::new();
    let mut put = |name: &str, value: Value| drop(all.insert(name.to_owned(), value));
    put("d", json!(ours.d));
    put("v", json!(device));
    put("navigate", json!(parcel.navigate));
    put("tag", json!(parcel.tag));
    if let Some(cap) = &ours.cap {
        put("cap", json!(cap));
    }
    if let Some(severity) = ours.sev {
        put("sev", json!(severity));
    }
    if !ours.host.is_empty() {
        put("host", json!(clip_bytes(&ours.host, HOST_BYTES)));
    }
    if let Some(incident) = ours.i {
        put("i", json!(incident));
    }
    if ours.n > 0 {
        put("n", json!(ours.n));
    }
    if ours.urgent {
        put("urgent", json!(true));
    }
    if ours.over {
        put("over", json!(true));
    }
    all
}

/// What Apple's devices show by themselves. Only an app that Apple allowed to may ring on a silent phone.
pub(super) fn aps(parcel: &Parcel, body: &str, critical: bool) -> Value {
    let severity = parcel.ours.sev;
    let mut aps = json!({
        "alert": { "title": clip_bytes(&parcel.title, TITLE_BYTES), "body": body },
        "interruption-level": level(severity, critical),
        "thread-id": parcel.tag,
        "category": if parcel.ours.cap.is_some() { "PAGE" } else { "NOTICE" },
        // An extension of the app may tell us that it is shown, before it is.
        "mutable-content": 1,
    });
    if severity == Some(Severity::P0) && critical {
        aps["sound"] = json!({ "critical": 1, "name": "default", "volume": 1.0 });
    } else if !parcel.silent {
        aps["sound"] = json!("default");
    }
    if parcel.badge > 0 {
        aps["badge"] = json!(parcel.badge);
    }
    aps
}

fn level(severity: Option<Severity>, critical: bool) -> &'static str {
    match severity {
        Some(Severity::P0) if critical => "critical",
        Some(Severity::P0 | Severity::P1) => "time-sensitive",
        Some(Severity::P2) => "active",
        _ => "passive",
    }
}

/// How Apple carries it.
pub(super) fn apple_headers(parcel: &Parcel, now: Timestamp) -> Vec<(&'static str, String)> {
    vec![
        ("apns-push-type", "alert".to_owned()),
        // 5 lets a phone that saves its battery wait.
        ("apns-priority", if parcel.silent { "5" } else { "10" }.to_owned()),
        ("apns-expiration", (now.ms() / 1_000 + parcel.ttl_s).to_string()),
        ("apns-collapse-id", clip_bytes(&parcel.tag, COLLAPSE_BYTES)),
    ]
}

/// The message as Google takes it, for one token. An Android app gets data alone, so that it chooses how loud to be.
pub(super) fn fcm(parcel: &Parcel, token: &str, device: i64, critical: bool, now: Timestamp) -> Vec<u8> {
    fitting(&parcel.body, |body| {
        let title = clip_bytes(&parcel.title, TITLE_BYTES);
        let mut data: Map<String, Value> = ours(parcel, device)
            .into_iter()
            // Nothing but texts is taken.
            .map(|(name, value)| (name, json!(value.as_str().map_or_else(|| value.to_string(), str::to_owned))))
            .collect();
        data.insert("title".to_owned(), json!(title));
        data.insert("body".to_owned(), json!(body));
        data.insert("lang".to_owned(), json!(language(parcel.language)));
        let mut android = json!({
            "priority": if parcel.silent { "NORMAL" } else { "HIGH" },
            "ttl": format!("{}s", parcel.ttl_s),
            // Before the phone was unlocked for the first time, too.
            "direct_boot_ok": !parcel.silent,
        });
        // Four at most are kept for a phone that is away, so no page has one of its own.
        if parcel.silent {
            android["collapse_key"] = json!("digest");
        }
        let headers: Map<String, Value> =
            apple_headers(parcel, now).into_iter().map(|(name, value)| (name.to_owned(), json!(value))).collect();
        let apns = json!({ "headers": headers, "payload": { "aps": aps(parcel, body, critical) } });
        json!({ "message": { "token": token, "data": data, "android": android, "apns": apns } })
    })
}

/// The message as Apple takes it.
pub(super) fn apns(parcel: &Parcel, device: i64, critical: bool) -> Vec<u8> {
    fitting(&parcel.body, |body| {
        let mut ours = ours(parcel, device);
        ours.insert("lang".to_owned(), json!(language(parcel.language)));
        json!({ "aps": aps(parcel, body, critical), "tocsin": ours })
    })
}

const fn language(language: Language) -> &'static str {
    match language {
        Language::En => "en",
        Language::Zh => "zh-CN",
    }
}
