//! Firebase Cloud Messaging, HTTP v1: pushes to an app of the operator's, under a token that Google gives a service account
//! for what it signed (RFC 7523).

use super::{native, payload::Parcel, sign::Key};
use crate::{
    clock,
    db::Device,
    outbound::{Outbound, OutboundAnswer, OutboundRequest, permanent, transient},
};
use serde::Deserialize;
use serde_json::json;
use shared::{Failure, Timestamp, config::FcmChannel};
use std::{fmt, time::Duration};
use tokio::{sync::Mutex, time::timeout};
use url::Url;

const SCOPE: &str = "https://www.googleapis.com/auth/firebase.messaging";
const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// As long as Google lets an assertion live.
const ASSERTION_S: i64 = 3_600;
/// Together with the message itself it ends well before the lease of a delivery does.
const TOKEN_PATIENCE: Duration = Duration::from_secs(5);
/// A token is not used in its last minute.
const MARGIN: Duration = Duration::from_secs(60);

/// What an answer means for the device.
pub(super) enum Refused {
    /// Nobody has this token any more.
    Gone(String),
    /// The device is as good as before.
    Ours(Failure),
    Theirs(Failure),
}

pub(super) struct Fcm {
    base: Url,
    critical: bool,
    account: Result<Account, String>,
    token: Mutex<Option<Token>>,
}

struct Account {
    project: String,
    email: String,
    key_id: String,
    token_uri: Url,
    key: Key,
}

struct Token {
    text: String,
    /// By the clock that nobody sets.
    until: Duration,
}

impl fmt::Debug for Fcm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fcm").field("project", &self.account.as_ref().map(|it| &it.project)).finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct ServiceAccount {
    project_id: String,
    client_email: String,
    private_key: String,
    #[serde(default)]
    private_key_id: String,
    token_uri: String,
}

#[derive(Deserialize)]
struct Issued {
    access_token: String,
    expires_in: u64,
}

/// What is wrong with the key of a service account, if anything is.
///
/// # Errors
/// A sentence for the operator.
pub fn service_account(text: &str) -> Result<(), String> {
    Account::read(text).map(drop)
}

impl Account {
    fn read(text: &str) -> Result<Self, String> {
        let read: ServiceAccount = serde_json::from_str(text).map_err(|_| {
            "this is no key of a service account: it is a JSON document with project_id, client_email, private_key and \
             token_uri"
                .to_owned()
        })?;
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | ':' | '.');
        if read.project_id.is_empty() || !read.project_id.chars().all(fits) {
            return Err("its project_id is none".to_owned());
        }
        Ok(Self {
            project: read.project_id,
            email: read.client_email,
            key_id: read.private_key_id,
            token_uri: Url::parse(&read.token_uri).map_err(|_| "its token_uri is no address".to_owned())?,
            key: Key::rsa(&read.private_key).ok_or("its private_key is no RSA key in PEM")?,
        })
    }

    /// What Google gives a token for.
    fn assertion(&self, now: Timestamp) -> Option<String> {
        let at = now.ms() / 1_000;
        let claims = json!({
            "iss": self.email,
            "scope": SCOPE,
            "aud": self.token_uri.as_str(),
            "iat": at,
            "exp": at + ASSERTION_S,
        });
        self.key.token(&self.key_id, &claims)
    }
}

impl Fcm {
    pub(super) fn new(config: &FcmChannel) -> Result<Self, String> {
        let base = Url::parse(&config.base).map_err(|_| "fcm.base: it is no address".to_owned())?;
        let account = Account::read(&config.service_account);
        Ok(Self { base, critical: config.critical, account, token: Mutex::default() })
    }

    /// Hosts that are the operator's choice.
    pub(super) fn hosts(&self) -> Vec<String> {
        let token = self.account.as_ref().ok().and_then(|it| it.token_uri.host_str());
        self.base.host_str().into_iter().chain(token).map(str::to_owned).collect()
    }

    pub(super) async fn send(&self, outbound: &Outbound, parcel: &Parcel, device: &Device) -> Result<(), Refused> {
        let account = self
            .account
            .as_ref()
            .map_err(|why| Refused::Ours(permanent(format!("channels.fcm.service_account cannot be used: {why}"))))?;
        let token = timeout(TOKEN_PATIENCE, self.token(outbound, account)).await;
        let token = token.unwrap_or_else(|_| Err(transient("there was no access token in time")));
        let token = token.map_err(Refused::Ours)?;
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(["v1", "projects", &account.project, "messages:send"]);
        }
        let authorization = format!("Bearer {token}");
        let request = OutboundRequest {
            url: url.to_string(),
            headers: vec![("authorization", authorization.clone()), ("content-type", "application/json".to_owned())],
            body: native::fcm(parcel, &device.endpoint, device.id, self.critical, clock::now()),
            secrets: vec![authorization, token.clone(), device.endpoint.clone()],
        };
        let answer = outbound.post_raw(request).await.map_err(Refused::Theirs)?;
        if answer.status == 401 {
            // It ran out early, so the next try asks for another. Whoever has it locked is doing that already.
            if let Ok(mut known) = self.token.try_lock() {
                known.take_if(|known| known.text == token);
            }
        }
        judged(&answer)
    }

    /// The token that is there, or a new one; whoever comes meanwhile waits for it.
    async fn token(&self, outbound: &Outbound, account: &Account) -> Result<String, Failure> {
        let mut known = self.token.lock().await;
        if let Some(token) = known.as_ref().filter(|token| clock::uptime() < token.until) {
            return Ok(token.text.clone());
        }
        let issued = issue(outbound, account).await?;
        let until = clock::uptime() + Duration::from_secs(issued.expires_in).saturating_sub(MARGIN);
        *known = Some(Token { text: issued.access_token.clone(), until });
        Ok(issued.access_token)
    }
}

async fn issue(outbound: &Outbound, account: &Account) -> Result<Issued, Failure> {
    let assertion = account.assertion(clock::now()).ok_or_else(|| transient("nothing could be signed for a token"))?;
    let form = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", GRANT)
        .append_pair("assertion", &assertion)
        .finish();
    let request = OutboundRequest {
        url: account.token_uri.to_string(),
        headers: vec![("content-type", "application/x-www-form-urlencoded".to_owned())],
        body: form.into_bytes(),
        secrets: vec![assertion],
    };
    // However it failed: nothing was pushed.
    let answer = outbound.post_raw(request).await.map_err(|failure| Failure { ambiguous: false, ..failure })?;
    if !answer.is_success() {
        let refusal = answer.refusal();
        let detail = format!("there was no access token ({}); check channels.fcm.service_account", refusal.detail);
        return Err(Failure { detail, ..refusal });
    }
    serde_json::from_slice(&answer.body).map_err(|_| {
        permanent("whoever answered gave no access token; check token_uri of channels.fcm.service_account")
    })
}

/// Google's own word for what is wrong, which stands beside the status.
fn error_code(answer: &OutboundAnswer) -> String {
    let read: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let details = read["error"]["details"].as_array();
    let code = details.and_then(|all| all.iter().find_map(|it| it["errorCode"].as_str()));
    answer.quote(code.or_else(|| read["error"]["status"].as_str()).unwrap_or_default())
}

fn judged(answer: &OutboundAnswer) -> Result<(), Refused> {
    if answer.is_success() {
        return Ok(());
    }
    let (code, refusal) = (error_code(answer), answer.refusal());
    Err(match answer.status {
        404 if code == "UNREGISTERED" => Refused::Gone(format!("Google says {code}")),
        401 => Refused::Ours(transient(format!("Google does not take this server's token ({code})"))),
        403 => Refused::Ours(permanent(format!(
            "Google does not let this server push to the app ({code}): check channels.fcm.service_account"
        ))),
        404 => Refused::Ours(permanent(format!(
            "Google knows no such project ({code}): check channels.fcm.service_account"
        ))),
        _ => Refused::Theirs(refusal),
    })
}
