//! The few calls of vSphere's web service (SOAP 1.1, `urn:vim25`): envelopes, the session's cookie, and what its faults mean.

use super::xml::{Element, Elements, Written, XmlFault};
use crate::{
    inventory::{
        Fault, FaultKind,
        https::{Body, Https, Question},
    },
    outbound::quote,
};
use reqwest::{
    Method,
    header::{CONTENT_TYPE, COOKIE, HeaderMap, HeaderName, SET_COOKIE},
};
use std::time::Duration;

/// For calls that are answered at once; a busy vCenter takes its time.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
const LOGOUT_PATIENCE: Duration = Duration::from_secs(5);
const FAULT_BYTES: u64 = 256 << 10;
const VERSIONS_BYTES: u64 = 256 << 10;
const COOKIE_BYTES: usize = 4_096;
const COOKIE_NAME: &str = "vmware_soap_session=";
/// Newest first. Everything that is asked here is in the oldest, but for the ids of NSX, which came with 6.0. What mirrors
/// ask of newer ones they ask only where [`Soap::speaks`].
const VERSIONS: [(&str, Version); 4] = [("6.7", (6, 7)), ("6.5", (6, 5)), ("6.0", (6, 0)), ("5.5", (5, 5))];

/// A version of the interface: 6.5 is (6, 5).
pub(crate) type Version = (u32, u32);

/// A managed object: its type and its id, unique within one vCenter or ESXi.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Object {
    pub(crate) kind: String,
    pub(crate) id: String,
}

impl Object {
    pub(crate) fn of(element: &Element) -> Self {
        Self { kind: element.of.clone(), id: element.text.clone() }
    }
}

/// Where the service's parts are.
#[derive(Clone, Debug)]
pub(crate) struct Content {
    pub(crate) root: Object,
    pub(crate) collector: Object,
    pub(crate) views: Object,
    sessions: Object,
}

#[cfg(test)]
impl Content {
    /// All parts in one place, for what asks nobody.
    pub(crate) fn at(object: &Object) -> Self {
        let [root, collector, views, sessions] = std::array::from_fn(|_| object.clone());
        Self { root, collector, views, sessions }
    }
}

/// Why a call has no answer.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// The session, or what was made in it, is gone; a new one can be begun.
    Lost(Fault),
    Fault(Fault),
}

impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<Trouble> for Fault {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Lost(fault) | Trouble::Fault(fault) => fault,
        }
    }
}

/// The web service of one vCenter or ESXi; cheap to clone, with the session of that time.
#[derive(Clone)]
pub(crate) struct Soap {
    https: Https,
    /// As spoken with it; none until it was asked what there is.
    version: Option<(&'static str, Version)>,
    session: Option<Session>,
}

#[derive(Clone)]
struct Session {
    cookie: String,
    manager: Object,
}

/// An answer as it arrives.
pub(crate) struct Reply {
    elements: Elements<Body>,
    what: String,
}

impl Reply {
    /// The next of these elements; none at the end.
    pub(crate) async fn next(&mut self, wanted: &[&str]) -> Result<Option<Element>, Fault> {
        self.elements.next(wanted).await.map_err(|fault| unreadable(&self.what, fault))
    }

    /// The one element that answers a simple call.
    pub(crate) async fn only(mut self, name: &str) -> Result<Element, Fault> {
        let found = self.next(&[name]).await?;
        found.ok_or_else(|| Fault::new(FaultKind::Unreadable, format!("{} without a `{name}`", self.what)))
    }
}

fn unreadable(what: &str, fault: XmlFault) -> Fault {
    match fault {
        XmlFault::Broken(error) => {
            Fault::new(FaultKind::Unreachable, format!("{what}, and the answer was cut off; it is tried again"))
                .because(error)
        }
        fault => Fault::new(FaultKind::Unreadable, format!("{what} what cannot be read: {fault}")),
    }
}

impl Soap {
    pub(crate) fn new(https: Https) -> Self {
        Self { https, version: None, session: None }
    }

    /// Asks which versions are spoken, and where the parts of the service are. Needs no session.
    pub(crate) async fn meet(&mut self) -> Result<Content, Fault> {
        if self.version.is_none() {
            self.version = Some(self.version().await?);
        }
        let service = Object { kind: "ServiceInstance".into(), id: "ServiceInstance".into() };
        let reply = self.call("RetrieveServiceContent", &service, &Written::default(), PATIENCE).await?;
        let content = reply.only("returnval").await?;
        let part = |name: &str| {
            content.child(name).map(Object::of).ok_or_else(|| {
                Fault::new(
                    FaultKind::Unreadable,
                    format!("{} has no `{name}`; is it a vCenter or an ESXi?", self.https.shown()),
                )
            })
        };
        Ok(Content {
            root: part("rootFolder")?,
            collector: part("propertyCollector")?,
            views: part("viewManager")?,
            sessions: part("sessionManager")?,
        })
    }

    async fn version(&self) -> Result<(&'static str, Version), Fault> {
        let question = Question {
            method: Method::GET,
            path: "/sdk/vimServiceVersions.xml".into(),
            headers: Vec::new(),
            body: Vec::new(),
            patience: PATIENCE,
        };
        let shown = self.https.shown();
        let answer = self.https.ask(question).await?;
        if answer.status != 200 {
            let message = format!(
                "{shown} answered {} where a vCenter or an ESXi says which versions it speaks; is the address right?",
                answer.status
            );
            return Err(Fault::new(FaultKind::Unreadable, message));
        }
        let body = answer.read(VERSIONS_BYTES).await?;
        let what = format!("asked which versions it speaks, {shown} answered");
        let mut elements = Elements::new(body.as_slice());
        let mut spoken = Vec::new();
        while let Some(namespace) = elements.next(&["namespace"]).await.map_err(|fault| unreadable(&what, fault))? {
            if namespace.text_at("name") == Some("urn:vim25") {
                let prior = namespace.child("priorVersions").into_iter().flat_map(|prior| prior.all("version"));
                spoken.extend(namespace.child("version").into_iter().chain(prior).map(|version| version.text.clone()));
            }
        }
        VERSIONS.into_iter().find(|(known, _)| spoken.iter().any(|version| version == known)).ok_or_else(|| {
            let known = VERSIONS.map(|(known, _)| known).join(", ");
            let message = format!("{shown} speaks none of the versions {known}; vSphere 5.5 or newer is needed");
            Fault::new(FaultKind::Unreadable, message)
        })
    }

    /// Whether what is said is understood as this version has it.
    pub(crate) fn speaks(&self, version: Version) -> bool {
        self.version.is_some_and(|(_, spoken)| spoken >= version)
    }

    /// The version that is spoken, as it writes it.
    pub(crate) fn spoken(&self) -> &'static str {
        self.version.map_or("", |(name, _)| name)
    }

    /// Begins a session.
    pub(crate) async fn login(&mut self, content: &Content, username: &str, password: &str) -> Result<(), Fault> {
        let arguments = Written::default().text("userName", username).text("password", password);
        let answer = self.send("Login", &content.sessions, &arguments, PATIENCE).await?;
        let (headers, reply) = match answer {
            Ok(answered) => answered,
            Err(refused) if matches!(refused.kind.as_str(), "InvalidLogin" | "NoPermission") => {
                let shown = self.https.shown();
                let user = quote(username, &[password.to_owned()]);
                let why = if refused.kind == "InvalidLogin" {
                    "with this password: user name (with its domain, as in `reader@vsphere.local`) or password is wrong, or \
                     the account is locked"
                } else {
                    "although the password is right: it has no role; give it the role Read-only"
                };
                return Err(Fault::new(FaultKind::Refused, format!("{shown} does not let `{user}` in {why}")));
            }
            Err(refused) => return Err(self.meaning("Login", &refused).into()),
        };
        reply.only("returnval").await?;
        let cookie = cookie(&headers).ok_or_else(|| {
            Fault::new(FaultKind::Unreadable, format!("{} began a session without its cookie", self.https.shown()))
        })?;
        self.session = Some(Session { cookie, manager: content.sessions.clone() });
        Ok(())
    }

    /// Ends the session if there is one; whether that works is of no interest to anybody.
    pub(crate) async fn logout(&mut self) {
        if let Some(session) = self.session.clone() {
            self.call("Logout", &session.manager, &Written::default(), LOGOUT_PATIENCE).await.ok();
        }
        self.session = None;
    }

    pub(crate) const fn is_in(&self) -> bool {
        self.session.is_some()
    }

    /// Calls a method of an object.
    pub(crate) async fn call(
        &self,
        method: &str,
        this: &Object,
        arguments: &Written,
        patience: Duration,
    ) -> Result<Reply, Trouble> {
        match self.send(method, this, arguments, patience).await? {
            Ok((_, reply)) => Ok(reply),
            Err(refused) => Err(self.meaning(method, &refused)),
        }
    }

    /// Calls a method that may be refused for reasons that its caller knows better. A session that has ended is still
    /// [`Trouble::Lost`], and then nothing was done.
    pub(crate) async fn attempt(
        &self,
        method: &str,
        this: &Object,
        arguments: &Written,
    ) -> Result<Result<Reply, Refused>, Trouble> {
        match self.send(method, this, arguments, PATIENCE).await? {
            Ok((_, reply)) => Ok(Ok(reply)),
            Err(refused) => match self.meaning(method, &refused) {
                lost @ Trouble::Lost(_) => Err(lost),
                Trouble::Fault(_) => Ok(Err(refused)),
            },
        }
    }

    /// Calls a method that answers with one reference.
    pub(crate) async fn make(&self, method: &str, this: &Object, arguments: &Written) -> Result<Object, Trouble> {
        let made = self.call(method, this, arguments, PATIENCE).await?.only("returnval").await?;
        Ok(Object::of(&made))
    }

    async fn send(
        &self,
        method: &str,
        this: &Object,
        arguments: &Written,
        patience: Duration,
    ) -> Result<Result<(HeaderMap, Reply), Refused>, Fault> {
        let mut headers: Vec<(HeaderName, String)> = vec![
            (CONTENT_TYPE, "text/xml; charset=utf-8".into()),
            (HeaderName::from_static("soapaction"), format!("\"urn:vim25/{}\"", self.spoken())),
        ];
        headers.extend(self.session.iter().map(|session| (COOKIE, session.cookie.clone())));
        let body = envelope(method, this, arguments).into_bytes();
        let question = Question { method: Method::POST, path: "/sdk".into(), headers, body, patience };
        let answer = self.https.ask(question).await?;
        let shown = self.https.shown();
        let what = format!("asked for {method}, {shown} answered");
        match answer.status {
            200 => {
                let headers = answer.headers.clone();
                Ok(Ok((headers, Reply { elements: Elements::new(answer.into_body()), what })))
            }
            // SOAP 1.1 over HTTP: a fault has status 500.
            500 => {
                let body = answer.read(FAULT_BYTES).await?;
                let fault = Elements::new(body.as_slice()).next(&["Fault"]).await;
                let fault = fault.map_err(|fault| unreadable(&what, fault))?;
                let fault =
                    fault.ok_or_else(|| Fault::new(FaultKind::Unreadable, format!("{what} 500 without a reason")))?;
                Ok(Err(Refused::of(&fault)))
            }
            503 => Err(Fault::new(
                FaultKind::Unreachable,
                format!("{what} 503: it is starting, or overloaded; it is tried again"),
            )),
            code @ (401 | 403) => {
                Err(Fault::new(FaultKind::Refused, format!("{what} {code}: something before it lets nobody in")))
            }
            code => Err(Fault::new(
                FaultKind::Unreadable,
                format!("{what} {code}; is there a vCenter or an ESXi behind this address?"),
            )),
        }
    }

    fn meaning(&self, method: &str, refused: &Refused) -> Trouble {
        let (shown, kind, text) = (self.https.shown(), &refused.kind, quote(&refused.text, &[]));
        match kind.as_str() {
            "NotAuthenticated" | "InvalidCollectorVersion" | "ManagedObjectNotFound" => {
                let message = format!("{shown} ended our session ({method}: {kind}); a new one is begun");
                Trouble::Lost(Fault::new(FaultKind::Refused, message))
            }
            "NoPermission" | "InvalidLogin" => {
                let lacking =
                    refused.detail.text_at("privilegeId").map_or_else(|| kind.clone(), |name| quote(name, &[]));
                let message = format!(
                    "{shown} does not permit {method} ({lacking}); give the account the role Read-only on the topmost \
                     object, with “propagate to children”"
                );
                Trouble::Fault(Fault::new(FaultKind::Refused, message))
            }
            _ => {
                let message = format!("{shown} failed at {method}: {kind}, “{text}”");
                Trouble::Fault(Fault::new(FaultKind::Unreadable, message))
            }
        }
    }
}

/// A fault as the service tells it.
#[derive(Debug)]
pub(crate) struct Refused {
    /// The fault's type: `InvalidLogin`.
    pub(crate) kind: String,
    pub(crate) text: String,
    /// What the type adds: `privilegeId`, `portKey`.
    pub(crate) detail: Element,
}

impl Refused {
    fn of(fault: &Element) -> Self {
        let detail = fault.child("detail").and_then(|detail| detail.children.first());
        let kind = match detail {
            Some(detail) if !detail.kind.is_empty() => detail.kind.clone(),
            Some(detail) => detail.name.trim_end_matches("Fault").to_owned(),
            None => fault.text_at("faultcode").unwrap_or("a fault without a name").to_owned(),
        };
        let text = fault.text_at("faultstring").unwrap_or_default().to_owned();
        Self { kind: quote(&kind, &[]), text, detail: detail.cloned().unwrap_or_default() }
    }
}

fn envelope(method: &str, this: &Object, arguments: &Written) -> String {
    let this = Written::default().reference("_this", &this.kind, &this.id);
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
         <soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><soapenv:Body><{method} xmlns=\"urn:vim25\">{}{}</{method}>\
         </soapenv:Body></soapenv:Envelope>",
        this.as_str(),
        arguments.as_str()
    )
}

/// The session's cookie as it is sent back: quotes belong to it.
fn cookie(headers: &HeaderMap) -> Option<String> {
    let mut all = headers.get_all(SET_COOKIE).iter().filter_map(|header| header.to_str().ok());
    let set = all.find(|text| text.starts_with(COOKIE_NAME))?;
    let pair = set.split(';').next().unwrap_or_default().trim();
    (pair.len() > COOKIE_NAME.len() && pair.len() <= COOKIE_BYTES).then(|| pair.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_written_as_the_schema_has_it() {
        let this = Object { kind: "SessionManager".into(), id: "Session<Manager>".into() };
        let call = envelope("Login", &this, &Written::default().text("userName", "a&b").text("password", "<\"'>"));
        assert!(
            call.ends_with(
                "<soapenv:Body><Login xmlns=\"urn:vim25\"><_this type=\"SessionManager\">Session&lt;Manager&gt;</_this>\
                 <userName>a&amp;b</userName><password>&lt;&quot;&apos;&gt;</password></Login></soapenv:Body></soapenv:Envelope>"
            ),
            "{call}"
        );
    }

    #[test]
    fn the_cookie_is_the_first_pair_with_its_quotes() {
        let read = |texts: &[&'static str]| {
            let headers = texts.iter().map(|text| (SET_COOKIE, text.parse().unwrap())).collect::<Vec<_>>();
            cookie(&HeaderMap::from_iter(headers))
        };
        let set = "vmware_soap_session=\"52ab\"; Path=/; HttpOnly; Secure; ";
        assert_eq!(read(&["other=1", set]).as_deref(), Some("vmware_soap_session=\"52ab\""));
        assert_eq!((read(&["vmware_soap_session=; Path=/"]), read(&[]), read(&["other=1"])), (None, None, None));
    }
}
