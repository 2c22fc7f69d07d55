//! Promises about every parser here, each a function of arbitrary bytes that panics when one is broken.
//!
//! libFuzzer calls them (`engine/fuzz`), and so does a seeded runner on the stable compiler (`server/tests/fuzz.rs`).

use super::{
    ALERTMANAGER_API, Normalized, SYSLOG, Source, bounds, check_mapping, decode, form, json, keeping, looks_like_p0,
    normalize, pointer, routing_key, syslog, template,
};
use shared::{
    AlertEvent, Format, Severity, Timestamp,
    config::{Integration, MappedSeverity, MappedStatus, Mapping, Syslog, SyslogRule, Texts},
    timeline::RejectReason,
};

/// Something that is tried with arbitrary bytes.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    pub name: &'static str,
    /// Panics when a promise is broken.
    pub run: fn(&[u8]),
}

/// Every parser of the engine.
pub const TARGETS: &[Target] = &[
    Target { name: "normalize", run: any },
    Target { name: "bracket", run: |data| read(data, &[None, Some("bracket"), Some("text"), Some("falcon")]) },
    Target { name: "falcon-form", run: |data| posted_as(FORM, data, &[None, Some("form"), Some("falcon")]) },
    Target { name: "falcon-callback", run: |data| wrapped("falcon_callback", "callback", data) },
    Target { name: "alertmanager", run: |data| read(data, &[Some(ALERTMANAGER_API), Some("alertmanager"), None]) },
    Target { name: "pagerduty", run: pagerduty },
    Target { name: "opsgenie", run: |data| wrapped("opsgenie", "opsgenie", data) },
    Target { name: "alerta", run: |data| wrapped("alerta", "alerta", data) },
    Target { name: "slack", run: |data| wrapped("slack", "slack", data) },
    Target { name: "gotify", run: |data| wrapped("gotify", "gotify", data) },
    Target { name: "json", run: |data| posted_as("application/json", data, &[None, Some("json")]) },
    Target { name: "text", run: |data| posted_as("text/plain", data, &[None, Some("text")]) },
    Target { name: "syslog", run: syslog_message },
    Target { name: "syslog-frames", run: syslog_frames },
    Target { name: "mapping", run: mapping },
    Target { name: "pointer", run: pointers },
    Target { name: "template", run: templates },
    Target { name: "form", run: forms },
    Target { name: "decode", run: decoded },
];

const FORM: &str = "application/x-www-form-urlencoded";
const TYPES: [Option<&str>; 6] =
    [None, Some("application/json"), Some(FORM), Some("text/plain"), Some(syslog::MESSAGE), Some(syslog::FRAMES)];
const FORMATS: [Option<&str>; 17] = [
    None,
    Some("auto"),
    Some("bracket"),
    Some("falcon"),
    Some("json"),
    Some("text"),
    Some("form"),
    Some("pagerduty"),
    Some("pagerduty-change"),
    Some("opsgenie"),
    Some("callback"),
    Some("alertmanager"),
    Some("alerta"),
    Some("slack"),
    Some("gotify"),
    Some(ALERTMANAGER_API),
    Some(SYSLOG),
];
const CHARSETS: [Option<&str>; 8] =
    [None, None, None, Some("gbk"), Some("gb18030"), Some("big5"), Some("utf-8"), Some("shift_jis")];
const RECEIVED: Timestamp = Timestamp::from_ms(1_795_201_920_000);

/// The first of the bytes picks one; the rest is the body.
fn picked<'d, T: Copy>(data: &'d [u8], from: &[T]) -> Option<(T, &'d [u8])> {
    let (first, rest) = data.split_first()?;
    Some((*from.get(usize::from(*first).checked_rem(from.len())?)?, rest))
}

fn integration(charset: Option<&str>) -> Integration {
    Integration { charset: charset.map(ToOwned::to_owned), ..Integration::undeclared("fuzz".into()) }
}

fn any(data: &[u8]) {
    let Some((content_type, data)) = picked(data, &TYPES) else { return };
    let Some((format, data)) = picked(data, &FORMATS) else { return };
    let Some((charset, body)) = picked(data, &CHARSETS) else { return };
    promises(&integration(charset), content_type, format, body);
}

fn read(data: &[u8], formats: &[Option<&'static str>]) {
    let Some((format, data)) = picked(data, formats) else { return };
    let Some((charset, body)) = picked(data, &CHARSETS) else { return };
    promises(&integration(charset), None, format, body);
}

fn posted_as(content_type: &str, data: &[u8], formats: &[Option<&'static str>]) {
    let Some((format, data)) = picked(data, formats) else { return };
    let Some((charset, body)) = picked(data, &CHARSETS) else { return };
    promises(&integration(charset), Some(content_type), format, body);
}

fn pagerduty(data: &[u8]) {
    read(data, &[Some("pagerduty"), Some("pagerduty-change")]);
    if let Some(key) = routing_key(data) {
        assert!(!key.trim().is_empty(), "a routing key that says nothing");
    }
}

/// What an interface puts around what it was told; at times something else is there.
fn wrapped(name: &str, format: &'static str, data: &[u8]) {
    let Some((as_it_is, body)) = picked(data, &[true, false, false]) else { return };
    let put_around = [format!("{{\"{name}\":").as_bytes(), body, b"}"].concat();
    let body = if as_it_is { body } else { &put_around };
    promises(&integration(None), Some("application/json"), Some(format), body);
}

/// What holds for every result, whatever the body was; what is broken of it.
#[must_use]
pub fn out_of_bounds(got: &Normalized) -> Option<String> {
    let bad_char = |text: &str| text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'));
    if got.events.is_empty() && got.rejected.is_empty() && got.passed_over == 0 {
        return Some("neither events nor a reason, and nothing was passed over".to_owned());
    }
    if got.text.len() > bounds::TEXT_BYTES || bad_char(&got.text) || got.events.len() > bounds::MEMBERS + 1 {
        return Some("the text or the number of events is out of bounds".to_owned());
    }
    let spans = got.events.iter().flat_map(|parsed| &parsed.spans);
    let mut torn = spans.filter(|span| got.text.get(span.start as usize..span.end as usize).is_none());
    if let Some(span) = torn.next() {
        return Some(format!("span {span:?} is not a place in the text"));
    }
    got.events.iter().find_map(|parsed| event_out_of_bounds(&parsed.event, &bad_char))
}

fn event_out_of_bounds(event: &AlertEvent, bad_char: &dyn Fn(&str) -> bool) -> Option<String> {
    let fits = event.summary.chars().count() <= bounds::SUMMARY_CHARS
        && !event.summary.is_empty()
        && !event.summary.contains(['\n', '\r', '\t'])
        && event.content.len() <= bounds::CONTENT_BYTES
        && event.labels.len() <= 128
        && event.labels.iter().all(|(name, value)| name.len() <= 256 && value.len() <= 4096)
        && event.annotations.len() <= 128
        && event.annotations.iter().all(|(name, value)| name.len() <= 256 && value.len() <= 4096)
        && event.links.len() <= 16
        && (1..=255).contains(&event.dedup_key.len());
    let names = [&event.host, &event.service, &event.status_raw].into_iter().flatten();
    if !fits || bad_char(&event.summary) || bad_char(&event.content) || names.clone().any(|name| name.len() > 256) {
        return Some(format!("out of bounds: {event:?}"));
    }
    if bad_char(&event.dedup_key) || names.clone().any(|name| bad_char(name)) {
        return Some(format!("control characters: {event:?}"));
    }
    None
}

/// An Alertmanager takes no alerts at all for what it is.
#[must_use]
pub fn is_no_alerts(format: Option<&str>, text: &str) -> bool {
    let text = text.trim_start();
    let is_empty = |rest: &str| rest.trim_start().starts_with(']');
    format == Some(ALERTMANAGER_API) && (text.starts_with("null") || text.strip_prefix('[').is_some_and(is_empty))
}

/// Bounds, no P0 lost, and the same when it is read again as it was stored.
fn promises(integration: &Integration, content_type: Option<&str>, format: Option<&str>, body: &[u8]) -> Normalized {
    let source = Source { integration, content_type, format, peer: Some("192.0.2.7"), received_at: RECEIVED };
    let got = normalize(&source, body);
    if !is_no_alerts(format, &got.text) {
        let broken = out_of_bounds(&got);
        assert!(broken.is_none(), "{broken:?}");
    }
    let is_p0 = |got: &Normalized| got.events.iter().any(|parsed| parsed.event.severity == Severity::P0);
    // Reading it in another charset than it was written in may well say something else.
    if integration.charset.is_none() && !matches!(got.rejected[..], [] | [RejectReason::Empty]) && looks_like_p0(body) {
        assert!(is_p0(&got), "a P0 was lost: {got:?}");
    }
    let is_syslog = syslog::Kind::of(&source).is_some();
    if body.starts_with(b"[P0][PROBLEM]") && !is_syslog && format != Some(ALERTMANAGER_API) {
        assert!(is_p0(&got), "a line of the family with a P0 was lost: {got:?}");
    }
    let kept = format.filter(|_| !is_syslog).map(|it| keeping(content_type.unwrap_or_default(), it));
    let stored =
        Source { content_type: kept.as_deref().or(content_type), format: format.filter(|_| is_syslog), ..source };
    assert_eq!(normalize(&stored, body), got, "it is read otherwise when it is read again");
    got
}

fn rules() -> Integration {
    let rule = SyslogRule { matches: vec!["summary=~.*".to_owned()] };
    let mut integration = integration(None);
    integration.syslog = Some(Syslog { events: vec![rule], ..Syslog::default() });
    integration
}

fn syslog_message(data: &[u8]) {
    let Some((with_rule, body)) = picked(data, &[false, true]) else { return };
    let settings = if with_rule { rules() } else { integration(None) };
    promises(&settings, Some(syslog::MESSAGE), None, body);
    // Whatever header it is, what stands behind it as a message of the family pages. What is quoted is no header.
    let is_plain = |byte: &u8| {
        byte.is_ascii_alphanumeric()
            || matches!(byte, b' ' | b':' | b'.' | b',' | b'-' | b'/' | b'@' | b'#' | b'<' | b'>')
    };
    let header: Vec<u8> = body.iter().copied().filter(is_plain).take(200).collect();
    let message = [b"<11>1 - - - - - - ", header.as_slice(), b"\n[P0][PROBLEM][db-07][10.1.2.3][down]"].concat();
    let got = promises(&settings, Some(syslog::MESSAGE), None, &message);
    let is_p0 = got.events.iter().any(|parsed| parsed.event.severity == Severity::P0);
    assert!(is_p0, "a P0 behind a header was lost: {got:?}");
}

/// Frames are the same however the bytes arrive; none is longer than it may be; memory is bounded.
fn syslog_frames(data: &[u8]) {
    let Some((step, body)) = picked(data, &[1_usize, 2, 3, 7, 64, 1_000]) else { return };
    let whole = frames([body]);
    assert_eq!(frames(body.chunks(step)), whole, "frames depend on how the bytes arrive");
    assert!(whole.iter().all(|frame| (1..=syslog::FRAME_MAX_BYTES).contains(&frame.len())), "a frame out of bounds");
    assert!(whole.iter().map(Vec::len).sum::<usize>() <= body.len(), "more comes out than went in");
    promises(&integration(None), Some(syslog::FRAMES), None, body);
    // A line that ends before it is one frame, whatever was said before, unless something claims to be longer.
    let lines: Vec<u8> = body.iter().copied().filter(|byte| !byte.is_ascii_digit()).collect();
    let told = b"<8>db-07 app: [P0][PROBLEM][db-07][10.1.2.3][down]";
    let said = [lines.as_slice(), b"\n", told, b"\n"].concat();
    assert!(frames([said.as_slice()]).iter().any(|frame| frame == told), "the last line is no frame of its own");
}

fn frames<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Vec<u8>> {
    let mut frames = syslog::Frames::default();
    let mut found = Vec::new();
    for piece in pieces {
        frames.push(piece);
        found.extend(frames.by_ref());
    }
    found.extend(frames.rest());
    found
}

/// The first line is a pointer or a text with gaps, the rest a body; what the settings refuse must do no harm either.
fn halves(data: &[u8]) -> (String, &[u8]) {
    let end = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let (first, rest) = data.split_at_checked(end).unwrap_or((data, &[]));
    (String::from_utf8_lossy(first).into_owned(), rest.get(1..).unwrap_or_default())
}

fn mapping(data: &[u8]) {
    let (first, body) = halves(data);
    let mut texts = first.split('|').map(ToOwned::to_owned);
    let mut next = || Texts(texts.next().into_iter().filter(|it| !it.is_empty()).collect());
    let mapping = Mapping {
        summary: next(),
        host: next(),
        key: next(),
        time: next(),
        severity: Some(MappedSeverity { from: next(), words: [("crit".to_owned(), Severity::P0)].into() }),
        status: Some(MappedStatus { from: next(), ..MappedStatus::default() }),
        each: texts.next().filter(|it| !it.is_empty()),
        ..Mapping::default()
    };
    let faults = check_mapping(&mapping, "mapping");
    assert_eq!(check_mapping(&mapping, "mapping"), faults);
    let settings = Integration { mapping: Some(Box::new(mapping)), ..integration(None) };
    promises(&settings, Some("application/json"), None, body);
}

fn pointers(data: &[u8]) {
    let (text, body) = halves(data);
    let body = decode::decode(body, None).text;
    let mut reader = json::Reader::new(&body);
    let Some(root) = reader.more().then(|| reader.value().ok()).flatten() else { return };
    let found = pointer::at(&root, &text);
    assert_eq!(found.map(|node| node.raw), pointer::at(&root, &text).map(|node| node.raw));
    if let Some(node) = found {
        assert!(pointer::fault(&text).is_none(), "what finds something is a pointer: {text}");
        // The way back leads to the innermost value there, which holds the same text.
        let back = pointer::to(&root, node.raw);
        let again = back.as_deref().and_then(|it| pointer::at(&root, it));
        assert!(again.is_none_or(|it| it.raw.contains(node.raw) || node.raw.contains(it.raw)), "{back:?} for {text}");
    }
    if let Ok(pieces) = pointer::pieces(&text) {
        let length = |piece: &pointer::Piece<'_>| match piece {
            pointer::Piece::Words(words) => words.len(),
            pointer::Piece::Gap(pointer) => pointer.len(),
        };
        assert!(pieces.iter().map(length).sum::<usize>() <= text.len());
    }
}

fn templates(data: &[u8]) {
    let (text, body) = halves(data);
    let faults = template::faults(&text);
    let mut event = AlertEvent::blank(Format::Text, Severity::P3);
    bounds::set_text(&mut event, &decode::decode(body, None).text);
    event.host = bounds::name(&mut event, "db-07");
    bounds::set_key(&mut event, "own".to_owned());
    let before = event.clone();
    template::apply(&text, &mut event);
    assert!((1..=255).contains(&event.dedup_key.len()), "a key out of bounds: {}", event.dedup_key);
    if !faults.is_empty() {
        assert_eq!(event, before, "a template with faults changes nothing");
    }
    let mut again = before;
    template::apply(&text, &mut again);
    assert_eq!(again, event);
}

fn forms(data: &[u8]) {
    let Some((charset, body)) = picked(data, &CHARSETS) else { return };
    let Some(fields) = super::form(body, charset) else { return };
    assert_eq!(super::form(body, charset).as_ref(), Some(&fields));
    let said: usize = fields.iter().map(|(name, value)| name.len() + value.len()).sum();
    // A byte becomes a replacement character of three at the worst; of GB18030 and Big5 some two become four.
    assert!(said <= 3 * body.len(), "{said} bytes of {}", body.len());
    let text = form::read(body, charset).text;
    assert!(!text.contains('\0'), "a control character in a form");
}

/// What was decoded is decoded already, and a P0 of the family is seen in any charset that holds its letters.
fn decoded(data: &[u8]) {
    let Some((charset, body)) = picked(data, &CHARSETS) else { return };
    let got = decode::decode(body, charset);
    let again = decode::decode(got.text.as_bytes(), None);
    assert_eq!(again.text, got.text, "decoding it again changes it");
    assert!(again.flags.is_empty() && !again.cut);
    let line = [b"[P0][PROBLEM][db-07][10.1.2.3][", body].concat();
    let text = decode::decode(&line, charset).text;
    assert!(text.starts_with("[P0][PROBLEM][db-07][10.1.2.3]"), "the head of a line is lost: {text:?}");
}

/// A text as it is written in GBK, for cases.
#[must_use]
pub fn in_gbk(text: &str) -> Vec<u8> {
    encoding_rs::GBK.encode(text).0.into_owned()
}
