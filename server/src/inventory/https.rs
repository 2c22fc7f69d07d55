//! The HTTP client of sources: who is spoken to is verified, every wait and every answer is bounded.
//!
//! Sources are named by the operator and mostly private, so where it may connect is not filtered. Redirects are not
//! followed, no proxy is taken from the environment, nothing is retried, and cookies are the caller's.

pub(crate) mod json;
mod trust;

pub use reqwest::{Method, header};
pub use trust::{Fingerprint, NoFingerprint, Trust};

use super::{Fault, FaultKind, OwnCertificate};
use futures_util::TryStreamExt as _;
use reqwest::{
    Client, Url,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
    redirect, retry,
};
use std::{error::Error, fmt, io, pin::Pin, time::Duration};
use tokio::io::{AsyncBufRead, AsyncReadExt as _};
use tokio_util::io::StreamReader;
use trust::Rejected;
use url::Host;

/// For the name, the connection and TLS.
const CONNECT: Duration = Duration::from_secs(10);
/// Kept open between questions; nobody asks more at a time.
const CONNECTIONS: usize = 4;

/// A client of one source; cheap to clone.
#[derive(Clone)]
pub struct Https {
    client: Client,
    base: Url,
    /// The source in faults: scheme, host and port.
    shown: String,
}

impl fmt::Debug for Https {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Https").field(&self.shown).finish()
    }
}

/// What is asked.
pub struct Question {
    pub method: Method,
    /// From the root: `/sdk`.
    pub path: String,
    pub headers: Vec<(HeaderName, String)>,
    pub body: Vec<u8>,
    /// For everything, the answer's last byte included.
    pub patience: Duration,
}

impl Question {
    /// JSON that is posted by the right of a bearer token.
    #[must_use]
    pub fn post_json(path: &str, token: &str, body: Vec<u8>, patience: Duration) -> Self {
        let headers = vec![(AUTHORIZATION, format!("Bearer {token}")), (CONTENT_TYPE, "application/json".to_owned())];
        Self { method: Method::POST, path: path.to_owned(), headers, body, patience }
    }
}

/// An answer of any status, its body not yet read.
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    body: Body,
    shown: String,
}

/// A body as it arrives. Ends with an error when the patience does.
pub type Body = Pin<Box<dyn AsyncBufRead + Send>>;

impl Https {
    /// A client of the source at `url`, of which scheme, host and port count.
    ///
    /// # Errors
    /// When the address is none, when it would send credentials unprotected, or when `trust` is none.
    pub fn new(url: &str, trust: &Trust) -> Result<Self, Fault> {
        Self::proving(url, trust, None)
    }

    /// The same, for a source that may be asked without TLS as long as nothing secret is sent.
    ///
    /// # Errors
    /// As [`Https::new`].
    pub fn asking(url: &str, trust: &Trust, secret: bool) -> Result<Self, Fault> {
        Self::made(base(url, !secret)?, trust, None)
    }

    /// The same client, with the same trust, of another such source.
    ///
    /// # Errors
    /// As [`Https::new`].
    pub fn elsewhere(&self, url: &str, secret: bool) -> Result<Self, Fault> {
        let base = base(url, !secret)?;
        let shown = base.as_str().trim_end_matches('/').to_owned();
        Ok(Self { client: self.client.clone(), base, shown })
    }

    /// The same, for a source that wants to see our own certificate.
    ///
    /// # Errors
    /// As [`Https::new`], and when our certificate or its key cannot be used.
    pub fn proving(url: &str, trust: &Trust, own: Option<&OwnCertificate>) -> Result<Self, Fault> {
        Self::made(base(url, false)?, trust, own)
    }

    fn made(base: Url, trust: &Trust, own: Option<&OwnCertificate>) -> Result<Self, Fault> {
        let shown = base.as_str().trim_end_matches('/').to_owned();
        let own = own.map(OwnCertificate::read).transpose()?;
        let tls = trust::tls(trust, own)
            .map_err(|why| Fault::new(FaultKind::Untrusted, format!("no connection to {shown} was tried: {why}")))?;
        let client = Client::builder()
            .http1_only()
            .user_agent(concat!("tocsin/", env!("CARGO_PKG_VERSION")))
            .tls_backend_preconfigured(tls)
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .no_proxy()
            .referer(false)
            .pool_max_idle_per_host(CONNECTIONS)
            .connect_timeout(CONNECT)
            .build();
        let client = client.map_err(|error| {
            Fault::new(FaultKind::Unreachable, format!("no HTTP client for {shown} can be made")).because(error)
        })?;
        Ok(Self { client, base, shown })
    }

    /// Scheme, host and port, as faults name the source.
    #[must_use]
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// Asks once. Whatever the source answers is an answer; what it means is the caller's.
    ///
    /// # Errors
    /// When nobody answers in time, or somebody else than the one who should.
    pub async fn ask(&self, question: Question) -> Result<Answer, Fault> {
        let url = self.base.join(&question.path).map_err(|error| {
            let message = format!("{} has no place `{}`", self.shown, question.path);
            Fault::new(FaultKind::Unreadable, message).because(error)
        })?;
        let mut headers = HeaderMap::new();
        for (name, text) in question.headers {
            let mut value = HeaderValue::from_str(&text).map_err(|_| {
                let message = format!("the header {name} for {} cannot hold its value; look for line ends", self.shown);
                Fault::new(FaultKind::Refused, message)
            })?;
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        let asking = self.client.request(question.method, url).headers(headers).body(question.body);
        let response = asking.timeout(question.patience).send().await.map_err(|error| self.fault(error))?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = StreamReader::new(response.bytes_stream().map_err(io::Error::other));
        Ok(Answer { status, headers, body: Box::pin(body), shown: self.shown.clone() })
    }

    fn fault(&self, error: reqwest::Error) -> Fault {
        let shown = &self.shown;
        if let Some(rejected) = rejected(&error) {
            let mend = match rejected {
                Rejected::Unknown { .. } => {
                    "compare the fingerprint with the one the machine itself shows, then pin it for this source, or name \
                     the authority that signed the certificate"
                }
                Rejected::Other { .. } => {
                    "if the certificate was renewed, compare the new fingerprint with the one the machine itself shows \
                     and pin that; else somebody stands in between"
                }
            };
            let message = format!("the certificate of {shown} is not trusted: {rejected}; {mend}");
            return Fault::new(FaultKind::Untrusted, message);
        }
        if let Some(rustls::Error::AlertReceived(alert)) = tls_error(&error) {
            let message = format!(
                "{shown} does not accept who we are ({alert:?}); it wants to see a certificate that its authority has signed: \
                 name one as `certificate` and `key`"
            );
            return Fault::new(FaultKind::Refused, message);
        }
        let what = if error.is_timeout() {
            "did not answer in time; is it up, and does a firewall let us through?"
        } else if error.is_connect() {
            "cannot be connected to; is the address right, and is it up?"
        } else {
            "cut the answer off; it is tried again"
        };
        Fault::new(FaultKind::Unreachable, format!("{shown} {what}")).because(error.without_url())
    }
}

impl Answer {
    /// The body to read piece by piece; the reader bounds it.
    #[must_use]
    pub fn into_body(self) -> Body {
        self.body
    }

    /// The whole body.
    ///
    /// # Errors
    /// When it has more than `most_bytes`, or is cut off.
    pub async fn read(self, most_bytes: u64) -> Result<Vec<u8>, Fault> {
        let mut body = Vec::new();
        let mut limited = self.body.take(most_bytes.saturating_add(1));
        limited.read_to_end(&mut body).await.map_err(|error| {
            let message = format!("{} cut the answer off; it is tried again", self.shown);
            Fault::new(FaultKind::Unreachable, message).because(error)
        })?;
        if u64::try_from(body.len()).is_ok_and(|bytes| bytes <= most_bytes) {
            return Ok(body);
        }
        let message = format!("{} answered more than {} KiB where less is usual", self.shown, most_bytes / 1_024);
        Err(Fault::new(FaultKind::Unreadable, message))
    }
}

/// The address without path, query and what a person may have put in front of the host; `plain` where nothing that is sent
/// is secret.
fn base(text: &str, plain: bool) -> Result<Url, Fault> {
    let refuse = |why: &str| Fault::new(FaultKind::Unreachable, format!("the address {why}"));
    let text = text.trim();
    let full = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
    // The text may hold a password, so it is not repeated.
    let url = Url::parse(&full).map_err(|_| refuse("is not a URL; write https://vcenter.example.org"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refuse("has a user or a password in it; they have places of their own"));
    }
    let here = match url.host() {
        Some(Host::Ipv4(v4)) => v4.is_loopback(),
        Some(Host::Ipv6(v6)) => v6.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => return Err(refuse("names no machine; write https://vcenter.example.org")),
    };
    match url.scheme() {
        "https" => {}
        "http" if here || plain => {}
        "http" => return Err(refuse("is http://, which would send the password in the clear; write https://")),
        _ => return Err(refuse("is neither https:// nor, on this machine, http://")),
    }
    let mut base = url;
    base.set_path("/");
    base.set_query(None);
    base.set_fragment(None);
    Ok(base)
}

/// The verdict of our own judge.
fn rejected<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a Rejected> {
    match tls_error(error)? {
        rustls::Error::InvalidCertificate(rustls::CertificateError::Other(other)) => other.0.downcast_ref(),
        _ => None,
    }
}

/// What TLS says, which lies inside errors of several libraries. An I/O error does not name the error it holds among its
/// sources, so it is asked apart.
fn tls_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    let mut next = Some(error);
    while let Some(cause) = next {
        if let Some(found) = cause.downcast_ref() {
            return Some(found);
        }
        next = match cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(held) => Some(held),
            None => cause.source(),
        };
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_the_machine_and_nothing_else() {
        for (text, shown) in [
            ("vc.example.org", "https://vc.example.org"),
            (" https://vc.example.org/ui?x=1#y ", "https://vc.example.org"),
            ("https://vc.example.org:8443/sdk", "https://vc.example.org:8443"),
            ("http://127.0.0.1:8989/sdk", "http://127.0.0.1:8989"),
            ("http://[::1]:80", "http://[::1]"),
        ] {
            assert_eq!(Https::new(text, &Trust::Certificate(Fingerprint([0; 32]))).unwrap().shown(), shown, "{text}");
        }
    }

    #[test]
    fn an_address_that_is_none_says_why_and_repeats_no_password() {
        for (text, told) in [
            ("http://vc.example.org", "in the clear"),
            ("https://root:canary@vc.example.org", "have places of their own"),
            ("ftp://vc.example.org", "neither https"),
            ("https://:canary", "not a URL"),
            ("", "not a URL"),
        ] {
            let fault = Https::new(text, &Trust::System).unwrap_err();
            assert!(fault.message.contains(told) && !fault.message.contains("canary"), "{text}: {fault}");
        }
    }

    /// A server for one connection that says `said` and then keeps it open until the other side hangs up.
    fn saying(said: &'static str) -> String {
        use std::io::{Read as _, Write as _};
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            // An answer before the question would be an error of its own.
            assert!(stream.read(&mut [0; 1_024]).unwrap() > 0);
            stream.write_all(said.as_bytes()).unwrap();
            stream.read_to_end(&mut Vec::new()).unwrap();
        });
        url
    }

    async fn ask(url: &str) -> Result<Vec<u8>, Fault> {
        let https = Https::new(url, &Trust::Certificate(Fingerprint([0; 32])))?;
        let patience = Duration::from_millis(200);
        let question =
            Question { method: Method::GET, path: "/x".into(), headers: Vec::new(), body: Vec::new(), patience };
        https.ask(question).await?.read(10).await
    }

    #[tokio::test]
    async fn every_wait_and_every_answer_is_bounded() {
        const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Length: ";
        let said = |length: &str, body: &str| -> &'static str {
            Box::leak(format!("{HEAD}{length}\r\n\r\n{body}").into_boxed_str())
        };
        for (said, kind, told) in [
            ("", FaultKind::Unreachable, "did not answer in time"),
            ("HTTP/1.1 200 OK\r\n", FaultKind::Unreachable, "did not answer in time"),
            (said("10", "12345"), FaultKind::Unreachable, "cut the answer off"),
            (said("11", "12345678901"), FaultKind::Unreadable, "where less is usual"),
            (said("999999", "1234567890123456789"), FaultKind::Unreadable, "where less is usual"),
        ] {
            let fault = ask(&saying(said)).await.unwrap_err();
            assert!(fault.kind == kind && fault.message.contains(told), "{said}: {fault}");
        }
        assert_eq!(ask(&saying(said("10", "1234567890"))).await.unwrap(), b"1234567890");
    }
}
