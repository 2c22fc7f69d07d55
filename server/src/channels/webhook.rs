//! Webhooks, signed by the Standard Webhooks scheme: `webhook-id` is the idempotency key.

use super::{Accepted, Delivery, Letter};
use crate::{
    clock,
    outbound::{Outbound, OutboundRequest, permanent},
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_PAD_INDIFFERENT},
};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::Serialize;
use sha2::Sha256;
use shared::{Failure, IncidentId, IncidentState, PageVia, Severity, SilenceId, Timestamp};
use std::collections::BTreeMap;

const SECRET_PREFIX: &str = "whsec_";

pub(super) async fn deliver(
    outbound: &Outbound,
    delivery: &Delivery,
    url: &str,
    secret: Option<&str>,
    recipient: &str,
) -> Result<Accepted, Failure> {
    let body = serde_json::to_vec(&body(delivery, recipient)).map_err(|_| permanent("the body cannot be written"))?;
    post(outbound, &delivery.key, body, delivery.secrets(), (url, secret)).await
}

/// A notice: `type` tells it from a page.
pub(super) async fn tell(
    outbound: &Outbound,
    letter: &Letter,
    url: &str,
    secret: Option<&str>,
) -> Result<Accepted, Failure> {
    let text = letter.visible();
    let body = NoticeBody {
        r#type: "notice",
        id: &letter.key,
        title: text.title,
        text: text.body,
        silence: letter.about.silence(),
        url: &letter.url,
    };
    let body = serde_json::to_vec(&body).map_err(|_| permanent("the body cannot be written"))?;
    post(outbound, &letter.key, body, Vec::new(), (url, secret)).await
}

#[derive(Serialize)]
struct NoticeBody<'a> {
    r#type: &'static str,
    id: &'a str,
    title: String,
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    silence: Option<SilenceId>,
    url: &'a str,
}

async fn post(
    outbound: &Outbound,
    key: &str,
    body: Vec<u8>,
    mut secrets: Vec<String>,
    (url, secret): (&str, Option<&str>),
) -> Result<Accepted, Failure> {
    let seconds = clock::now().ms() / 1_000;
    let mut headers = vec![
        ("content-type", "application/json".to_owned()),
        ("webhook-id", key.to_owned()),
        ("webhook-timestamp", seconds.to_string()),
    ];
    if let Some(secret) = secret {
        let signature = sign(secret, key, seconds, &body)
            .ok_or_else(|| permanent("the webhook's secret is not `whsec_` and base64"))?;
        headers.push(("webhook-signature", signature));
        secrets.push(secret.to_owned());
    }
    let sent = outbound.post(OutboundRequest { url: url.to_owned(), headers, body, secrets }).await;
    sent.map_err(without_quote)?;
    Ok(Accepted::default())
}

/// People choose these addresses themselves, so what stands there is not shown to them: a status is enough.
pub(super) fn without_quote(mut failure: Failure) -> Failure {
    if let Some((status, _)) = failure.detail.split_once(": “") {
        failure.detail = status.to_owned();
    }
    failure
}

/// `v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`; none when the secret is not one.
fn sign(secret: &str, id: &str, seconds: i64, body: &[u8]) -> Option<String> {
    let key = STANDARD_PAD_INDIFFERENT.decode(secret.strip_prefix(SECRET_PREFIX)?).ok()?;
    let mac = Hmac::<Sha256>::new_from_slice(&key).ok()?;
    let mac = mac.chain_update(format!("{id}.{seconds}.")).chain_update(body);
    Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
}

/// What the receiver reads. Nothing in it changes between tries, so the same key always means the same body
/// unless the incident itself has moved on.
#[derive(Serialize)]
struct Body<'a> {
    r#type: &'static str,
    id: &'a str,
    title: String,
    text: String,
    incident: BodyIncident<'a>,
    /// Every incident the message is about, the one above first; `ack_url` answers for all of them.
    incidents: Vec<BodyPart<'a>>,
    page: BodyPage<'a>,
    ack_url: Option<&'a str>,
    test: bool,
    reminder: bool,
    /// Pages are collected, because so many incidents came at once.
    storm: bool,
    unrecorded: bool,
}

#[derive(Serialize)]
struct BodyIncident<'a> {
    id: IncidentId,
    severity: Severity,
    state: IncidentState,
    title: &'a str,
    host: Option<&'a str>,
    annotations: &'a BTreeMap<String, String>,
    ip: Option<&'a str>,
    count: u32,
    opened_at: Timestamp,
    url: &'a str,
}

#[derive(Serialize)]
struct BodyPart<'a> {
    id: IncidentId,
    severity: Severity,
    title: &'a str,
    host: Option<&'a str>,
}

#[derive(Serialize)]
struct BodyPage<'a> {
    recipient: &'a str,
    /// 1-based, as people count.
    level: u32,
    /// How often the policy had been run through before.
    cycle: u32,
    via: &'a PageVia,
}

fn body<'a>(delivery: &'a Delivery, recipient: &'a str) -> Body<'a> {
    let (incident, page, text) = (&delivery.incident, &delivery.page, delivery.text());
    Body {
        r#type: "page",
        id: &delivery.key,
        title: text.title,
        text: text.body,
        incident: BodyIncident {
            id: incident.id,
            severity: incident.severity,
            state: incident.state,
            title: &incident.title,
            host: incident.host.as_deref(),
            annotations: &incident.annotations,
            ip: incident.ip.as_deref(),
            count: incident.count,
            opened_at: incident.opened_at,
            url: &delivery.incident_url,
        },
        incidents: std::iter::once(incident)
            .chain(&delivery.others)
            .map(|it| BodyPart { id: it.id, severity: it.severity, title: &it.title, host: it.host.as_deref() })
            .collect(),
        storm: delivery.storm,
        page: BodyPage { recipient, level: page.level + 1, cycle: page.cycle, via: &page.via },
        ack_url: delivery.ack_url.as_deref(),
        test: delivery.test,
        reminder: delivery.reminder,
        unrecorded: delivery.unrecorded,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_agrees_with_the_published_vector() {
        let signature = sign(
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            br#"{"test": 2432232314}"#,
        );
        assert_eq!(signature.as_deref(), Some("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="));
    }

    #[test]
    fn a_secret_of_another_shape_is_refused() {
        assert_eq!(sign("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "id", 1, b""), None);
        assert_eq!(sign("whsec_not base64", "id", 1, b""), None);
    }
}
