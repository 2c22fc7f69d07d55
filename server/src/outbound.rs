//! The one HTTP client for everything that leaves: where we may connect, how long we wait, what an answer means.
//!
//! Addresses are judged at connect time, by the resolver that hands them to the socket, so a name that answers
//! differently the second time gains nothing. Redirects are not followed, no proxy is taken from the environment,
//! no connection is reused (a dead one would make failures ambiguous) and nothing is retried here.

mod fetch;
mod reach;

pub use fetch::{Fetch, Fetched};

use crate::clock::{self, Stopwatch};
use reach::{Blocked, FilteringResolver, Reach};
use reqwest::{
    Client, ClientBuilder, RequestBuilder, Response, Url,
    header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER},
    redirect, retry,
};
use shared::{Failure, Fault, config::WebhookChannel};
use std::{
    error::Error,
    fmt,
    sync::Arc,
    time::{Duration, UNIX_EPOCH},
};
use tokio::time::timeout;

const BODY_BYTES: usize = 64 * 1024;
/// The status has decided; the body only tells an id or a reason and is not worth a long wait.
const BODY_PATIENCE: Duration = Duration::from_secs(1);
/// Of a stranger's text, quoted in a failure.
const QUOTED_CHARS: usize = 100;
/// Shorter texts are not secrets, and removing them would make a quotation unreadable.
pub(crate) const SHORTEST_SECRET: usize = 6;
pub(crate) const LONGEST_RETRY_AFTER_MS: i64 = 3_600_000;

/// How long we wait; both are shorter than the lease of a delivery.
#[derive(Clone, Copy, Debug)]
pub struct Deadlines {
    /// For the name, the connection and TLS.
    pub connect: Duration,
    /// For everything.
    pub total: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self { connect: Duration::from_secs(3), total: Duration::from_secs(8) }
    }
}

/// A POST. Names of headers are ours, unless they are configured.
pub struct OutboundRequest<Name = &'static str> {
    pub url: String,
    pub headers: Vec<(Name, String)>,
    pub body: Vec<u8>,
    /// Removed from what is quoted of the answer: a receiver may echo what it was sent.
    pub secrets: Vec<String>,
}

impl<Name: AsRef<str>> fmt::Debug for OutboundRequest<Name> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Address, headers and body carry secrets.
        let headers: Vec<_> = self.headers.iter().map(|(name, _)| name.as_ref()).collect();
        f.debug_struct("OutboundRequest").field("headers", &headers).finish_non_exhaustive()
    }
}

/// What was answered.
#[derive(Clone)]
pub struct OutboundAnswer {
    pub status: u16,
    /// Lower case, without parameters.
    pub content_type: String,
    /// What arrived of it in time, at most 64 KiB. Never shown to anybody as it is.
    pub body: Vec<u8>,
    retry_after_ms: Option<i64>,
    secrets: Vec<String>,
}

impl fmt::Debug for OutboundAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The body may echo what it was sent.
        f.debug_struct("OutboundAnswer").field("status", &self.status).finish_non_exhaustive()
    }
}

impl OutboundAnswer {
    /// Whether its status is 2xx.
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// What its status means by itself, when it is not 2xx.
    pub(crate) fn refusal(&self) -> Failure {
        refusal(self.status, self.retry_after_ms, &self.quote(&String::from_utf8_lossy(&self.body)))
    }

    /// The beginning of a text that stands in it, fit to be shown and without what was secret in the request.
    pub(crate) fn quote(&self, text: &str) -> String {
        quote(text, &self.secrets)
    }
}

/// The client; cheap to clone.
#[derive(Clone, Debug)]
pub struct Outbound {
    client: Client,
    reach: Arc<Reach>,
    deadlines: Deadlines,
}

impl Outbound {
    /// `own_hosts` are hosts the operator configured by name or address, such as the ntfy server's: they may be
    /// private and spoken to without TLS. Fails when a network is not one.
    pub fn new(limits: &WebhookChannel, own_hosts: &[String], deadlines: Deadlines) -> Result<Self, String> {
        Self::speaking(limits, own_hosts, deadlines, ClientBuilder::http1_only)
    }

    /// The same for those who speak HTTP/2 and nothing else.
    pub(crate) fn over_http2(
        limits: &WebhookChannel,
        own_hosts: &[String],
        deadlines: Deadlines,
    ) -> Result<Self, String> {
        Self::speaking(limits, own_hosts, deadlines, ClientBuilder::http2_prior_knowledge)
    }

    fn speaking(
        limits: &WebhookChannel,
        own_hosts: &[String],
        deadlines: Deadlines,
        version: fn(ClientBuilder) -> ClientBuilder,
    ) -> Result<Self, String> {
        let reach = Arc::new(Reach::new(limits, own_hosts)?);
        // Already installed by somebody else is as good.
        rustls::crypto::ring::default_provider().install_default().ok();
        let builder = || {
            version(Client::builder())
                .user_agent(concat!("tocsin/", env!("CARGO_PKG_VERSION")))
                .dns_resolver(FilteringResolver(Arc::clone(&reach)))
                .redirect(redirect::Policy::none())
                .retry(retry::never())
                .no_proxy()
                .referer(false)
                .pool_max_idle_per_host(0)
                .connect_timeout(deadlines.connect)
        };
        let client = builder().build().or_else(|error| {
            // A machine without root certificates can still page by plain HTTP and by mail.
            tracing::warn!(reason = %root_cause(&error), "no root certificates: pages over https will fail");
            builder().tls_certs_only([]).build()
        });
        let client = client.map_err(|error| format!("the HTTP client cannot be made: {}", root_cause(&error)))?;
        Ok(Self { client, reach, deadlines })
    }

    /// Sends once and classifies what came of it. `Ok` is any 2xx.
    pub async fn post<Name: AsRef<str>>(&self, request: OutboundRequest<Name>) -> Result<OutboundAnswer, Failure> {
        self.post_and_read(request, |_, _| ()).await
    }

    /// The same, for those whose refusals say more than their status does: `correct` reads the body of one and makes
    /// the failure what it really is.
    pub(crate) async fn post_and_read<Name: AsRef<str>>(
        &self,
        request: OutboundRequest<Name>,
        correct: impl FnOnce(&[u8], &mut Failure),
    ) -> Result<OutboundAnswer, Failure> {
        let answer = self.post_raw(request).await?;
        if answer.is_success() {
            return Ok(answer);
        }
        let mut refused = answer.refusal();
        correct(&answer.body, &mut refused);
        Err(refused)
    }

    /// Sends once. `Ok` is an answer of any status, for whoever knows what its body says of a refusal.
    pub async fn post_raw<Name: AsRef<str>>(&self, request: OutboundRequest<Name>) -> Result<OutboundAnswer, Failure> {
        let url = self.reach.check(&request.url)?;
        let headers = header_map(&request.headers)?;
        let asked = self.client.post(url.clone()).headers(headers).body(request.body);
        self.ask(&url, asked, request.secrets).await
    }

    /// Asks an address once, and goes nowhere it may lead. `Ok` is any 2xx; `secrets` are not quoted.
    ///
    /// # Errors
    /// Why there is no such answer.
    pub async fn get(&self, url: &str, secrets: Vec<String>) -> Result<OutboundAnswer, Failure> {
        let url = self.reach.check(url)?;
        let answer = self.ask(&url, self.client.get(url.clone()), secrets).await?;
        if answer.is_success() { Ok(answer) } else { Err(answer.refusal()) }
    }

    async fn ask(&self, url: &Url, asked: RequestBuilder, mut secrets: Vec<String>) -> Result<OutboundAnswer, Failure> {
        // "Cannot POST /…" is a common answer, and the path of a webhook is often its password.
        secrets.extend([url.path(), url.query().unwrap_or_default()].map(str::to_owned));
        secrets.retain(|secret| secret.len() >= SHORTEST_SECRET);
        let watch = Stopwatch::start();
        let response = match timeout(self.deadlines.total, asked.send()).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => return Err(classify(&error)),
            Err(_) => return Err(ambiguous("there was no answer in time")),
        };
        let status = response.status().as_u16();
        let content_type = content_type(response.headers());
        let retry_after_ms = retry_after_ms(response.headers());
        let spent = Duration::from_millis(u64::try_from(watch.elapsed_ms()).unwrap_or(u64::MAX));
        let patience = self.deadlines.total.saturating_sub(spent).min(BODY_PATIENCE);
        let body = read_body(response, patience).await;
        Ok(OutboundAnswer { status, content_type, body, retry_after_ms, secrets })
    }
}

fn header_map<Name: AsRef<str>>(headers: &[(Name, String)]) -> Result<HeaderMap, Failure> {
    let mut map = HeaderMap::new();
    for (name, text) in headers {
        let name = name.as_ref();
        let mut value = HeaderValue::from_str(text)
            .map_err(|_| permanent(format!("the header {name} cannot hold its configured value")))?;
        value.set_sensitive(true);
        let name = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| permanent(format!("`{name}` cannot be the name of a header")))?;
        map.insert(name, value);
    }
    Ok(map)
}

fn content_type(headers: &HeaderMap) -> String {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// Reads until the end, the cap, or the end of patience; a broken body does not undo the status.
async fn read_body(mut response: Response, patience: Duration) -> Vec<u8> {
    let mut body = Vec::new();
    let reading = async {
        while let Ok(Some(chunk)) = response.chunk().await {
            let room = BODY_BYTES.saturating_sub(body.len());
            body.extend(chunk.iter().take(room));
            if room <= chunk.len() {
                break;
            }
        }
    };
    // Running out of patience is one of the ways it ends.
    timeout(patience, reading).await.ok();
    body
}

/// What an answer other than 2xx means.
fn refusal(status: u16, retry_after_ms: Option<i64>, quoted: &str) -> Failure {
    let again = matches!(status, 408 | 425 | 429 | 500..=599);
    let detail = match status {
        300..=399 => format!("it answered {status}: redirects are not followed"),
        code if quoted.is_empty() => format!("it answered {code}"),
        code => format!("it answered {code}: “{quoted}”"),
    };
    let waits = matches!(status, 429 | 503);
    // Who is called by an address of the configuration does not know us, or has moved.
    let fault = if matches!(status, 401 | 403 | 404 | 410) { Fault::Provider } else { Fault::Unknown };
    Failure { permanent: !again, ambiguous: false, detail, retry_after_ms: retry_after_ms.filter(|_| waits), fault }
}

/// Seconds or a date; never more than an hour, which the engine shortens further.
fn retry_after_ms(headers: &HeaderMap) -> Option<i64> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let ms = match text.parse::<i64>() {
        Ok(seconds) => seconds.saturating_mul(1_000),
        Err(_) => {
            let at = UNIX_EPOCH.max(text.parse::<actix_web::http::header::HttpDate>().ok()?.into());
            let at = i64::try_from(at.duration_since(UNIX_EPOCH).ok()?.as_millis()).ok()?;
            at.saturating_sub(clock::now().ms())
        }
    };
    Some(ms.clamp(0, LONGEST_RETRY_AFTER_MS))
}

/// No answer: what is known about whether the request arrived.
fn classify(error: &reqwest::Error) -> Failure {
    if let Some(blocked) = sources(error).find_map(|cause| cause.downcast_ref::<Blocked>()) {
        return permanent(blocked.to_string());
    }
    if error.is_builder() {
        return permanent("the request cannot be made of what is configured");
    }
    if error.is_connect() {
        let why = if error.is_timeout() {
            "there was no connection in time".to_owned()
        } else if error.is_dns() {
            "the host's name was not found".to_owned()
        } else {
            // The system's or the TLS library's words, not the other side's.
            format!("there was no connection ({})", quote(&root_cause(error), &[]))
        };
        return transient(why);
    }
    if error.is_timeout() { ambiguous("there was no answer in time") } else { ambiguous("the answer was cut off") }
}

fn sources<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    let mut next = Some(error);
    std::iter::from_fn(move || {
        let cause = next?;
        next = cause.source();
        Some(cause)
    })
}

/// The innermost reason; unlike the outer ones it does not name the address, which may hold a secret.
fn root_cause(error: &reqwest::Error) -> String {
    sources(error).skip(1).last().map_or_else(|| "unknown".to_owned(), ToString::to_string)
}

/// No retry can help.
pub(crate) fn permanent(detail: impl Into<String>) -> Failure {
    Failure { permanent: true, ambiguous: false, detail: detail.into(), retry_after_ms: None, fault: Fault::Unknown }
}

/// No retry can help, and it is about the contact: others are reached as before.
pub(crate) fn gone(detail: impl Into<String>) -> Failure {
    Failure { fault: Fault::Method, ..permanent(detail) }
}

/// No retry can help, and it is about our account or what is configured: nobody is reached that way.
pub(crate) fn barred(detail: impl Into<String>) -> Failure {
    Failure { fault: Fault::Provider, ..permanent(detail) }
}

/// It did not arrive; another try may help.
pub(crate) fn transient(detail: impl Into<String>) -> Failure {
    Failure { permanent: false, ..permanent(detail) }
}

/// It may have arrived.
pub(crate) fn ambiguous(detail: impl Into<String>) -> Failure {
    Failure { ambiguous: true, ..transient(detail) }
}

/// The beginning of a stranger's text, fit to be shown: one line, nothing invisible, none of `secrets`.
pub(crate) fn quote(text: &str, secrets: &[String]) -> String {
    let mut text = text.to_owned();
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        text = text.replace(secret.as_str(), "…");
    }
    let line = visible(&text.replace(['\n', '\r', '\t'], " "));
    line.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(QUOTED_CHARS).collect()
}

/// Without control characters (line ends stay) and without those that turn the direction of text around.
pub(crate) fn visible(text: &str) -> String {
    text.chars()
        .filter(|c| *c == '\n' || !c.is_control())
        .filter(|c| !matches!(*c, '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{fffd}'))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_its_class() {
        for code in 300..600 {
            let failure = refusal(code, Some(5), "");
            let again = [408, 425, 429].contains(&code) || code >= 500;
            assert_eq!((failure.permanent, failure.ambiguous), (!again, false), "{code}");
            assert_eq!(failure.retry_after_ms.is_some(), [429, 503].contains(&code), "{code}");
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_and_is_capped() {
        let read = |text: &str| retry_after_ms(&HeaderMap::from_iter([(RETRY_AFTER, text.parse().unwrap())]));
        assert_eq!((read("7"), read("-3"), read("99999999999999999")), (Some(7_000), Some(0), Some(3_600_000)));
        assert_eq!((read("Sun, 06 Nov 1994 08:49:37 GMT"), read("soon")), (Some(0), None));
        assert_eq!(read("Sat, 06 Nov 2094 08:49:37 GMT"), Some(3_600_000));
    }

    #[test]
    fn what_is_quoted_is_short_visible_and_without_secrets() {
        let quoted = quote("\u{202e}a\u{1b}[31m\r\nb token=abc \u{0}", &["abc".to_owned()]);
        assert_eq!(quoted, "a[31m b token=…");
        assert_eq!(quote(&"字".repeat(500), &[]).chars().count(), 100);
    }
}
