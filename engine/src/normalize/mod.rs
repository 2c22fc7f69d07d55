//! Raw bytes to alert events, one parser a format, total and fuzzed.
//!
//! Pure: no clock, no I/O. Total: every body gives events or stated reasons, no body panics or takes
//! more than a few passes over it. Fails open: what cannot be understood but looks like a P0 pages.

mod alerta;
pub mod alertmanager;
mod apprise;
mod bounds;
mod bracket;
mod callback;
mod cloudevents;
mod clouds;
mod decode;
mod documents;
mod falcon;
mod fields;
mod fold;
mod form;
pub mod forward;
pub mod fuzz;
mod github;
mod grafana;
mod json;
mod kuma;
pub mod mail;
mod mapping;
mod mapping_check;
mod nagios;
mod netdata;
mod nightingale;
mod object;
mod opsgenie;
mod pagerduty;
mod pointer;
mod sentry;
mod slack;
mod sns;
pub mod syslog;
mod template;
mod text;
mod time;
mod words;
mod zabbix;

use serde::{Deserialize, Serialize};
use shared::{
    AlertEvent, Flag, Severity, SharedStr, Timestamp,
    alert::FieldSpan,
    api::{Preview, PreviewEvent},
    config::Integration,
    timeline::RejectReason,
};

pub use alerta::{key as alerta_key, resource as alerta_resource};
pub use decode::known_charset;
pub use mapping_check::{check_mapping, is_short};
pub use template::faults as template_faults;
pub use text::looks_like_p0;

/// The format of what Prometheus posts to an Alertmanager.
pub const ALERTMANAGER_API: &str = "alertmanager-api";

/// The format of frames of syslog, one behind the other.
pub const SYSLOG: &str = "syslog";

/// A parameter of a stored content type that keeps the format which only the address said.
const KEPT_FORMAT: &str = "; tocsin-format=";

/// A content type that keeps a format, so that the message is read alike when it is read again.
#[must_use]
pub fn keeping(content_type: &str, format: &str) -> String {
    format!("{content_type}{KEPT_FORMAT}{format}")
}

/// Who sent a body, as what, and when it arrived.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// Gives the default severity and the zone of times without one.
    pub integration: &'a Integration,
    /// The Content-Type header.
    pub content_type: Option<&'a str>,
    /// From `/ingest/{token}/{format}`: auto, bracket, falcon, json, text, form, pagerduty, pagerduty-change, alertmanager, opsgenie,
    /// alerta, slack, gotify, syslog or [`ALERTMANAGER_API`].
    pub format: Option<&'a str>,
    /// The address it came from: of what names no machine, that is the machine.
    pub peer: Option<&'a str>,
    /// When it was received.
    pub received_at: Timestamp,
}

/// How a body was decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Charset {
    /// Strict UTF-8 (or UTF-16 with a byte order mark).
    Utf8,
    /// Chinese: GBK and its superset.
    Gb18030,
    /// Another one, which the settings of the sender state.
    Stated,
    /// None of them; bytes that fit nothing were replaced.
    Lossy,
}

impl Charset {
    /// The name used in storage and on pages.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Utf8 => "utf8",
            Self::Gb18030 => "gb18030",
            Self::Stated => "stated",
            Self::Lossy => "lossy",
        }
    }
}

/// One event and where its fields were found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parsed {
    /// The event.
    pub event: AlertEvent,
    /// Places in [`Normalized::text`].
    pub spans: Vec<FieldSpan>,
}

/// What became of a body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Normalized {
    /// How it was decoded.
    pub charset: Charset,
    /// The decoded body, cut to 64 KiB for display; a form as one `name=value` a line.
    pub text: String,
    /// What was understood.
    pub events: Vec<Parsed>,
    /// Why (parts of) it went into quarantine.
    pub rejected: Vec<RejectReason>,
    /// Messages that were understood and are no events, because nobody asked for them: most of what is logged.
    #[serde(default)]
    pub passed_over: u32,
    /// What the sender calls this message, where it says so in the body: the same name again is the same message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub named: Option<String>,
}

impl From<Normalized> for Preview {
    fn from(read: Normalized) -> Self {
        let origins = documents::origins(&read.text, &read.events);
        let events = read.events.into_iter().zip(origins).map(|(Parsed { event, spans }, origins)| PreviewEvent {
            action: event.action,
            severity: event.severity,
            format: event.format,
            host: event.host.as_ref().map(SharedStr::to_string),
            ip: event.ip.as_ref().map(SharedStr::to_string),
            mac: event.mac.as_ref().map(SharedStr::to_string),
            summary: event.summary.to_string(),
            dedup_key: event.dedup_key.to_string(),
            flags: event.flags.to_vec(),
            fields: spans,
            origins,
            event,
        });
        let charset = read.charset.as_str().to_owned();
        let mut rejected = read.rejected;
        if read.passed_over > 0 {
            // Who tries it wants to know why nothing comes of it.
            let faults = vec![format!("{} of its messages: {}", read.passed_over, syslog::MEND)];
            rejected.push(RejectReason::BadEvent { faults });
        }
        Self { events: events.collect(), rejected, charset, text: read.text }
    }
}

/// What an object of a sender says, or what is wrong with it in the sender's own words.
type Told = Result<Vec<Parsed>, Vec<String>>;

/// What the parsers collect.
#[derive(Debug, Default)]
struct Out {
    events: Vec<Parsed>,
    rejected: Vec<RejectReason>,
    /// The first rejected part that looks like a P0.
    poison: Option<String>,
    passed_over: u32,
    /// It was read as JSON, with the sender's mapping if it has one.
    is_json: bool,
    /// What the sender calls the message.
    named: Option<String>,
}

/// Whether the sender (or the path) calls the body this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Declared {
    Json,
    Form,
    Text,
    Nothing,
}

/// The token that a sender put into its body, as those of PagerDuty do; found in whatever charset it is written.
#[must_use]
pub fn routing_key(body: &[u8]) -> Option<String> {
    let decoded = decode::decode(body, None);
    let mut reader = json::Reader::new(&decoded.text);
    let node = reader.more().then(|| reader.value().ok())??;
    let members = node.members()?;
    let named = ["routing_key", "service_key"].iter().find_map(|name| object::member(members, name));
    named.and_then(object::filled).map(str::to_owned)
}

/// The names and values of a form, in the charset that is stated, or in whatever they are written; none where the body is no form.
#[must_use]
pub fn form(body: &[u8], charset: Option<&str>) -> Option<Vec<(String, String)>> {
    form::is_form(body).then(|| form::read(body, charset).named())
}

/// The text of a body, in the charset that is stated, or in whatever it is written.
#[must_use]
pub fn decoded(body: &[u8], charset: Option<&str>) -> String {
    decode::decode(body, charset).text
}

/// The identity that a key of the sender's own becomes: as it stands, or its hash when it is long.
#[must_use]
pub fn key_of(key: &str) -> String {
    let (clean, _) = bounds::clean(key.into());
    bounds::short(clean.trim().to_owned())
}

/// The address by which the subscription that a body asks about is confirmed: Amazon's SNS and Huawei's SMN ask once.
#[must_use]
pub fn subscription(body: &[u8]) -> Option<String> {
    let decoded = decode::decode(body, None);
    let mut reader = json::Reader::new(&decoded.text);
    let node = reader.more().then(|| reader.value().ok())??;
    sns::subscription(node.members()?)
}

/// Makes events of a body.
#[must_use]
pub fn normalize(source: &Source<'_>, body: &[u8]) -> Normalized {
    let kept = || source.content_type.and_then(|it| it.rsplit_once(KEPT_FORMAT)).map(|(_, format)| format);
    let source = &Source { format: source.format.or_else(kept), ..*source };
    let mut out = Out::default();
    let charset = source.integration.charset.as_deref();
    if let Some(kind) = syslog::Kind::of(source) {
        let decoded = syslog::read(source, kind, body, &mut out);
        return finish(source, out, decoded, body);
    }
    if forward::is_record(source) || mail::is_mail(source) {
        // It was put together by us, whatever it was written in.
        let decoded = decode::decode(body, Some("utf-8"));
        if forward::is_record(source) {
            forward::read(source, &decoded.text, &mut out);
        } else {
            mail::read(source, &decoded.text, &mut out);
        }
        return finish(source, out, decoded, body);
    }
    let decoded = decode::decode(body, charset);
    let declared = declared(source);
    let start = decoded.text.trim_start();
    let is_line = bracket::head(start).is_some();
    let json_start = matches!(start.bytes().next(), Some(b'{' | b'['));
    if source.format == Some(ALERTMANAGER_API) {
        alertmanager::api(source, &decoded.text, &mut out);
    } else if start.is_empty() {
        out.rejected.push(RejectReason::Empty);
    } else if is_line {
        // A level token first: the family, whatever the content type says and whatever follows.
        text::lines(source, &decoded.text, &decoded.text, &mut out);
    } else if declared == Declared::Text {
        text::lines(source, &decoded.text, &decoded.text, &mut out);
    } else if declared == Declared::Json {
        documents::read(source, &decoded.text, &decoded.text, true, &mut out);
    } else if json_start && documents::read(source, &decoded.text, &decoded.text, false, &mut out) {
        // syslog-ng sends JSON as a form.
    } else if declared == Declared::Form && !json_start && form::is_form(body) {
        let form = form::read(body, charset);
        form.events(source, &mut out);
        let (flags, cut) = (form.flags, form.cut);
        let decoded = decode::Decoded { text: form.text, charset: form.charset, flags, cut };
        return finish(source, out, decoded, body);
    } else {
        text::lines(source, &decoded.text, &decoded.text, &mut out);
    }
    finish(source, out, decoded, body)
}

fn declared(source: &Source<'_>) -> Declared {
    match source.format {
        Some("json" | "alerta" | "alertmanager" | "callback" | "opsgenie" | "pagerduty" | "pagerduty-change") => {
            return Declared::Json;
        }
        Some("form") => return Declared::Form,
        Some("text") => return Declared::Text,
        _ => {}
    }
    let Some(content_type) = source.content_type else { return Declared::Nothing };
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if essence == "application/x-www-form-urlencoded" {
        Declared::Form
    } else if essence.ends_with("json") {
        Declared::Json
    } else {
        Declared::Nothing
    }
}

/// Adds what holds for the whole body and keeps the promises on sizes.
fn finish(source: &Source<'_>, mut out: Out, decoded: decode::Decoded, body: &[u8]) -> Normalized {
    let decode::Decoded { mut text, charset, flags, cut } = decoded;
    // What states a level may also be torn apart by the fault: then the whole body is the suspect.
    let has_mapping = source.integration.mapping.is_some() && source.format != Some(ALERTMANAGER_API);
    for parsed in out.events.iter_mut().filter(|_| has_mapping && !out.is_json) {
        bounds::flag(&mut parsed.event, Flag::Unmapped);
    }
    let no_p0 = !out.events.iter().any(|parsed| parsed.event.severity == Severity::P0);
    let has_text = !text.trim().is_empty();
    if let Some(template) = &source.integration.dedup_key {
        out.events.iter_mut().for_each(|parsed| template::apply(template, &mut parsed.event));
    }
    if out.poison.is_none() && has_text && !out.rejected.is_empty() && no_p0 && looks_like_p0(body) {
        out.poison = Some(bounds::prefix(&text, bounds::TEXT_BYTES).to_owned());
    }
    if let Some(part) = &out.poison {
        // One page is enough for a body.
        out.events.push(text::poison(part));
    }
    for parsed in &mut out.events {
        flags.iter().for_each(|flag| bounds::flag(&mut parsed.event, *flag));
    }
    if let Some(last) = out.events.last_mut().filter(|_| cut) {
        bounds::flag(&mut last.event, Flag::CutUtf8);
    }
    if text.len() > bounds::TEXT_BYTES {
        text.truncate(text.floor_char_boundary(bounds::TEXT_BYTES));
        for parsed in &mut out.events {
            parsed.spans.retain(|span| usize::try_from(span.end).is_ok_and(|end| end <= text.len()));
        }
    }
    let Out { events, rejected, passed_over, named, .. } = out;
    Normalized { charset, text, events, rejected, passed_over, named }
}
