//! Apple's push service over HTTP/2: pushes to an app of the operator's, under a token that their own key signs.

use super::{fcm::Refused, native, payload::Parcel, sign::Key};
use crate::{
    clock,
    db::Device,
    outbound::{Deadlines, Outbound, OutboundAnswer, OutboundRequest, permanent, transient},
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use shared::{
    Timestamp,
    config::{ApnsChannel, WebhookChannel},
};
use std::{
    fmt,
    sync::{Mutex, PoisonError},
};
use url::Url;

/// Apple takes a token for an hour, and no new one every few minutes.
const TOKEN_LIVES_MS: i64 = 40 * 60_000;

pub(super) struct Apns {
    base: Url,
    topic: String,
    key_id: String,
    team_id: String,
    critical: bool,
    key: Option<Key>,
    /// When it was signed, and the token.
    signed: Mutex<Option<(Timestamp, String)>>,
    outbound: Outbound,
}

impl fmt::Debug for Apns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Apns").field("topic", &self.topic).finish_non_exhaustive()
    }
}

/// Whether a text is the key of a `.p8` file.
#[must_use]
pub fn is_key(text: &str) -> bool {
    Key::p256(text).is_some()
}

impl Apns {
    pub(super) fn new(config: &ApnsChannel, limits: &WebhookChannel, deadlines: Deadlines) -> Result<Self, String> {
        let base = Url::parse(&config.base).map_err(|_| "apns.base: it is no address".to_owned())?;
        for (name, text) in [("key_id", &config.key_id), ("team_id", &config.team_id)] {
            if text.len() != 10 || !text.chars().all(|c| c.is_ascii_alphanumeric()) {
                return Err(format!("apns.{name}: it has ten letters and digits"));
            }
        }
        if config.topic.is_empty() || !config.topic.chars().all(|c| c.is_ascii_graphic()) {
            return Err("apns.topic: write the app's bundle id, such as org.example.pager".to_owned());
        }
        let host = base.host_str().unwrap_or_default().to_owned();
        Ok(Self {
            topic: config.topic.clone(),
            key_id: config.key_id.clone(),
            team_id: config.team_id.clone(),
            critical: config.critical,
            key: Key::p256(&config.signing_key),
            signed: Mutex::default(),
            outbound: Outbound::over_http2(limits, &[host], deadlines)?,
            base,
        })
    }

    pub(super) async fn send(&self, parcel: &Parcel, device: &Device) -> Result<(), Refused> {
        let now = clock::now();
        let token = self.token(now).ok_or_else(|| {
            Refused::Ours(permanent("channels.apns.signing_key cannot be used: it is no key of a .p8 file"))
        })?;
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(["3", "device", &device.endpoint]);
        }
        let authorization = format!("bearer {token}");
        let mut headers = native::apple_headers(parcel, now);
        headers.extend([
            ("authorization", authorization.clone()),
            ("apns-topic", self.topic.clone()),
            ("apns-id", id(&parcel.ours.d, device.id)),
            ("content-type", "application/json".to_owned()),
        ]);
        let secrets = vec![authorization, token.clone(), device.endpoint.clone()];
        let body = native::apns(parcel, device.id, self.critical);
        let request = OutboundRequest { url: url.to_string(), headers, body, secrets };
        let answer = self.outbound.post_raw(request).await.map_err(Refused::Theirs)?;
        self.judged(&answer, &token)
    }

    /// The token that is there, or a new one.
    fn token(&self, now: Timestamp) -> Option<String> {
        let mut signed = self.signed.lock().unwrap_or_else(PoisonError::into_inner);
        // Also when the clock was set back: a token from the future is refused.
        if let Some((_, token)) = signed.as_ref().filter(|(at, _)| (0..TOKEN_LIVES_MS).contains(&now.ms_since(*at))) {
            return Some(token.clone());
        }
        let claims = json!({ "iss": self.team_id, "iat": now.ms() / 1_000 });
        let token = self.key.as_ref()?.token(&self.key_id, &claims)?;
        *signed = Some((now, token.clone()));
        Some(token)
    }

    fn judged(&self, answer: &OutboundAnswer, token: &str) -> Result<(), Refused> {
        if answer.is_success() {
            return Ok(());
        }
        let read: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let reason = answer.quote(read["reason"].as_str().unwrap_or_default());
        let mend = "check channels.apns: signing_key, key_id, team_id and topic";
        Err(match (answer.status, reason.as_str()) {
            (410, _) => Refused::Gone(format!("Apple says {reason}")),
            (403, "ExpiredProviderToken") => {
                let mut signed = self.signed.lock().unwrap_or_else(PoisonError::into_inner);
                signed.take_if(|(_, signed)| signed == token);
                Refused::Ours(transient("Apple says that the token is too old: is this server's clock right?"))
            }
            (401 | 403, _) => {
                Refused::Ours(permanent(format!("Apple does not take this server's token ({reason}): {mend}")))
            }
            // A token of the other environment looks like one that never was: that must not cost everybody their device.
            (400, "BadDeviceToken" | "DeviceTokenNotForTopic" | "BadTopic" | "TopicDisallowed" | "MissingTopic") => {
                Refused::Ours(permanent(format!(
                    "Apple knows no such device of the app ({reason}): check channels.apns.topic, and that base is the \
                     one of the app's environment"
                )))
            }
            _ => Refused::Theirs(answer.refusal()),
        })
    }
}

/// The same for every try of one delivery to one device: a UUID, as Apple wants it.
fn id(delivery: &str, device: i64) -> String {
    let digest = Sha256::digest(format!("{delivery} {device}"));
    let hex: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    let part = |from, until| hex.get(from..until).unwrap_or_default();
    [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
}
