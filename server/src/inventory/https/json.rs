//! Interfaces that answer in JSON: one question, one bounded answer, and a fault for whatever is none.

use super::{Answer, Body, Https, Question};
use crate::{
    inventory::{Fault, FaultKind},
    outbound::quote,
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{
    Method, Url,
    header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName},
};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::{fmt, time::Duration};

/// For one answer, however long its list is.
const PATIENCE: Duration = Duration::from_secs(60);
/// Of one answer. Lists come in pages; those that an interface does not cut are no larger either.
const ANSWER_BYTES: u64 = 64 << 20;
/// Of what is said beside a status that is no success.
const REASON_BYTES: u64 = 64 << 10;
const JSON: &str = "application/json";

/// What stands in a query or a path as it is.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A text fit to be a part of a query.
pub(crate) fn escaped(text: &str) -> String {
    utf8_percent_encode(text, PLAIN).to_string()
}

/// The path of an address, without a slash at its end.
pub(crate) fn path_of(url: &str) -> String {
    Url::parse(url.trim()).map(|url| url.path().trim_end_matches('/').to_owned()).unwrap_or_default()
}

/// What faults say to whoever can mend them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Words {
    /// What should answer there: `a Kubernetes API server`.
    pub(crate) what: &'static str,
    /// The keys of the configuration that hold the credentials.
    pub(crate) login: &'static str,
    /// What lets an account look.
    pub(crate) rights: &'static str,
}

/// An interface of a source, below a path of its own.
#[derive(Clone)]
pub(crate) struct Api {
    https: Https,
    /// Empty, or begins with a slash and ends without one.
    root: String,
    words: Words,
    /// Of every question.
    headers: Vec<(HeaderName, String)>,
    /// Never repeated, whatever the other side says.
    secrets: Vec<String>,
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api").field("https", &self.https).field("root", &self.root).finish_non_exhaustive()
    }
}

/// Why a question has no answer.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// Of an answer that is no success; none when nobody answered, or not in JSON.
    pub(crate) status: Option<u16>,
    pub(crate) fault: Fault,
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self { status: None, fault }
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        refusal.fault
    }
}

impl Api {
    /// The interface below `root` at the source that `https` speaks with.
    pub(crate) fn new(https: Https, root: &str, words: Words) -> Self {
        // Two slashes at the beginning would name another machine.
        let root = root.trim_matches('/');
        let root = if root.is_empty() { String::new() } else { format!("/{root}") };
        Self { https, root, words, headers: Vec::new(), secrets: Vec::new() }
    }

    /// The same with a header in every question.
    pub(crate) fn sending(mut self, name: HeaderName, value: String) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The same with a text that no fault repeats.
    pub(crate) fn keeping(mut self, secret: &str) -> Self {
        self.secrets.push(secret.to_owned());
        self
    }

    /// Scheme, host and port, as faults name the source.
    pub(crate) fn shown(&self) -> &str {
        self.https.shown()
    }

    /// Asks for what is at `path`, which begins with a slash.
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Refusal> {
        let answer = self.ask(Method::GET, path, Vec::new(), PATIENCE).await?;
        self.read(path, answer).await
    }

    /// Posts a document, and gives the headers of the answer besides.
    pub(crate) async fn post<T: DeserializeOwned>(&self, path: &str, body: &Value) -> Result<(HeaderMap, T), Refusal> {
        let answer = self.ask(Method::POST, path, body.to_string().into_bytes(), PATIENCE).await?;
        let headers = answer.headers.clone();
        Ok((headers, self.read(path, answer).await?))
    }

    /// Asks for an answer that goes on and on, to be read as it arrives.
    pub(crate) async fn open(&self, path: &str, patience: Duration) -> Result<Body, Refusal> {
        Ok(self.ask(Method::GET, path, Vec::new(), patience).await?.into_body())
    }

    /// A fault of an answer that came and says something else than it should.
    pub(crate) fn unreadable(&self, path: &str, why: &str) -> Fault {
        let message = format!(
            "{} answered {} with what is not understood: {why}; is there {}?",
            self.shown(),
            place(path),
            self.words.what
        );
        Fault::new(FaultKind::Unreadable, message)
    }

    async fn ask(&self, method: Method, path: &str, body: Vec<u8>, patience: Duration) -> Result<Answer, Refusal> {
        let mut headers = self.headers.clone();
        headers.push((ACCEPT, JSON.to_owned()));
        if !body.is_empty() {
            headers.push((CONTENT_TYPE, JSON.to_owned()));
        }
        let question = Question { method, path: format!("{}{path}", self.root), headers, body, patience };
        let answer = self.https.ask(question).await?;
        match answer.status {
            200..=299 => Ok(answer),
            status => {
                // What goes wrong while it explains itself is no news.
                let reason = answer.read(REASON_BYTES).await.unwrap_or_default();
                Err(Refusal { status: Some(status), fault: self.refused(status, path, &reason) })
            }
        }
    }

    async fn read<T: DeserializeOwned>(&self, path: &str, answer: Answer) -> Result<T, Refusal> {
        let body = answer.read(ANSWER_BYTES).await?;
        serde_json::from_slice(&body).map_err(|error| {
            let why = quote(&error.to_string(), &self.secrets);
            self.unreadable(path, &why).because(error).into()
        })
    }

    fn refused(&self, status: u16, path: &str, body: &[u8]) -> Fault {
        let Words { what, login, rights } = self.words;
        let (kind, mend) = match status {
            401 => (FaultKind::Refused, format!("it does not accept the credentials; check {login}")),
            403 => (FaultKind::Refused, format!("the account may not look there; give it {rights}")),
            300..=399 => (
                FaultKind::Unreadable,
                "it leads elsewhere, where nobody follows; write the address it leads to".to_owned(),
            ),
            404 | 405 => (FaultKind::Unreadable, format!("is there {what}, and is the address right?")),
            408 | 429 | 500..=599 => {
                (FaultKind::Unreachable, "it is overloaded, starting or broken; it is tried again".to_owned())
            }
            _ => (FaultKind::Unreadable, "that is not understood".to_owned()),
        };
        let reason = reason(body).map(|text| quote(&text, &self.secrets)).filter(|text| !text.is_empty());
        let reason = reason.map(|text| format!(" (“{text}”)")).unwrap_or_default();
        Fault::new(kind, format!("{} answered {status}{reason} to {}: {mend}", self.shown(), place(path)))
    }
}

/// A path as people read it: without its query.
fn place(path: &str) -> &str {
    path.split('?').next().unwrap_or_default()
}

/// What the other side says of a failure: `message`, at the top or one step below, as all of these interfaces have it.
fn reason(body: &[u8]) -> Option<String> {
    let said: Value = serde_json::from_slice(body).ok()?;
    let said = said.as_object()?;
    let below = said.values().filter_map(Value::as_object).map(|inner| inner.get("message"));
    let message = [said.get("message")].into_iter().chain(below).flatten().find_map(Value::as_str);
    message.map(str::to_owned)
}

/// Any JSON, with the words in it that readers look for.
#[cfg(test)]
pub(crate) fn any_json() -> impl proptest::strategy::Strategy<Value = Value> {
    use proptest::prelude::*;
    const WORDS: [&str; 24] = [
        "id",
        "name",
        "status",
        "type",
        "url",
        "endpoints",
        "interface",
        "public",
        "net0",
        "virtio",
        "data",
        "result",
        "items",
        "metadata",
        "spec",
        "ip",
        "ips",
        "mac",
        "10.0.0.7",
        "fe80::1/64",
        "52:54:00:12:34:56",
        "true",
        "",
        "null",
    ];
    let word = || prop::sample::select(&WORDS[..]).prop_map(str::to_owned);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 48, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(word(), inner, 0..6).prop_map(|fields| fields.into_iter().collect()),
        ]
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::https::Trust;
    use proptest::prelude::*;

    fn api(root: &str) -> Api {
        let words = Words { what: "a cloud", login: "`password`", rights: "the role reader" };
        let https =
            Https::new("http://127.0.0.1:1", &Trust::Certificate(crate::inventory::https::Fingerprint([0; 32])));
        Api::new(https.unwrap(), root, words).keeping("canary").keeping("zebra")
    }

    #[test]
    fn a_root_stays_on_its_machine() {
        for (root, kept) in [("", ""), ("/", ""), ("//elsewhere/v3/", "/elsewhere/v3"), ("identity/v3", "/identity/v3")]
        {
            assert_eq!(api(root).root, kept);
        }
    }

    #[test]
    fn an_address_has_a_path() {
        assert_eq!(path_of(" https://a/identity/v3/?x"), "/identity/v3");
        assert_eq!(path_of("https://a"), "");
        assert_eq!(path_of("no address"), "");
    }

    #[test]
    fn what_the_other_side_says_is_told_without_secrets() {
        for (status, body, told) in [
            (
                401,
                r#"{"error": {"message": "no\ncanary zebra", "code": 401}}"#,
                "401 (“no … …”) to /x: it does not accept the credentials; check `password`",
            ),
            (
                403,
                r#"{"kind": "Status", "message": "pods is forbidden"}"#,
                "(“pods is forbidden”) to /x: the account may not look there; give it the role reader",
            ),
            (404, "<html>", "404 to /x: is there a cloud"),
            (302, "", "write the address it leads to"),
            (503, "null", "tried again"),
            (418, "[]", "not understood"),
        ] {
            let fault = api("").refused(status, "/x?token=canary", body.as_bytes());
            assert!(fault.message.contains(told), "{fault}");
            assert!(!fault.message.contains("canary") && !fault.message.contains("zebra"), "{fault}");
        }
    }

    proptest! {
        #[test]
        fn any_reason_is_read_or_left_out(body in prop::collection::vec(any::<u8>(), 0..200), status in 100_u16..700) {
            reason(&body);
            prop_assert!(!api("").refused(status, "/x", &body).message.is_empty());
        }
    }
}
