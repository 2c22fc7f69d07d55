//! Syslog: what is logged anywhere, of which only what was meant to page becomes an event.
//!
//! A port that takes what machines log must not page by accident. So a message is an event when it says `[P0][PROBLEM]…`
//! behind its header, or when a rule of its integration takes it. Everything else is counted and passed over.

mod frames;
mod header;
mod rules;

pub use frames::{FRAME_MAX_BYTES, Frames};

use super::{
    Out, Parsed, SYSLOG, Source, bounds, bracket,
    decode::{self, Decoded},
    fields, text, words,
};
use header::Message;
pub(super) use rules::take;
use shared::{AlertEvent, Flag, Format, SharedStr};
use std::ops::Range;

/// The content type under which one message is stored: a datagram, or a frame of a connection.
pub const MESSAGE: &str = "application/syslog";
/// That of several, framed as over a connection.
pub const FRAMES: &str = "application/syslog-frames";

/// What makes an event of a message that is none.
pub(super) const MEND: &str =
    "a level and a status, as in [P1][PROBLEM], or a rule of its integration (`syslog.events`)";

/// How a body holds messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    One,
    Many,
}

impl Kind {
    /// Whether a body is syslog: as its address says, or as it was stored.
    pub(super) fn of(source: &Source<'_>) -> Option<Self> {
        match (source.format, source.content_type) {
            (Some(SYSLOG), _) | (None, Some(FRAMES)) => Some(Self::Many),
            (None, Some(MESSAGE)) => Some(Self::One),
            _ => None,
        }
    }
}

/// Reads every message of a body.
pub(super) fn read(source: &Source<'_>, kind: Kind, body: &[u8], out: &mut Out) -> Decoded {
    let mut whole = Decoded { text: String::new(), charset: super::Charset::Utf8, flags: Vec::new(), cut: false };
    let mut messages: Vec<(Range<usize>, Vec<Flag>)> = Vec::new();
    let mut add = |frame: &[u8]| {
        let mut decoded = decode::decode(frames::trimmed(frame), source.integration.charset.as_deref());
        if !whole.text.is_empty() {
            whole.text.push('\n');
        }
        let start = whole.text.len();
        whole.text.push_str(&decoded.text);
        whole.charset = whole.charset.max(decoded.charset);
        if frame.len() >= FRAME_MAX_BYTES {
            decoded.flags.push(Flag::Truncated);
        }
        if decoded.cut {
            decoded.flags.push(Flag::CutUtf8);
        }
        messages.push((start..whole.text.len(), decoded.flags));
    };
    match kind {
        Kind::One => add(body.get(..FRAME_MAX_BYTES).unwrap_or(body)),
        Kind::Many => {
            let mut frames = Frames::default();
            frames.push(body);
            frames.by_ref().for_each(|frame| add(&frame));
            frames.rest().iter().for_each(|frame| add(frame));
        }
    }
    if whole.text.trim().is_empty() {
        out.reject(shared::timeline::RejectReason::Empty, "");
        return whole;
    }
    for (place, flags) in messages {
        let frame = whole.text.get(place).unwrap_or_default();
        message(source, frame, &flags, &whole.text, out);
    }
    whole
}

/// Makes what a message is of it: events, or nothing.
fn message(source: &Source<'_>, frame: &str, flags: &[Flag], whole: &str, out: &mut Out) {
    let message = Message::read(frame);
    let mut events = bracketed(source, &message, whole);
    if events.is_empty() {
        events.extend(by_rule(source, &message, whole));
    }
    if events.is_empty() {
        out.passed_over = out.passed_over.saturating_add(1);
    }
    for mut parsed in events {
        if out.events.len() >= bounds::MEMBERS {
            out.overflow(out.events.len() + 1, frame);
            continue;
        }
        flags.iter().for_each(|flag| bounds::flag(&mut parsed.event, *flag));
        out.events.push(parsed);
    }
}

/// The messages of the bracketed family in its text; what stands before them is told along.
fn bracketed(source: &Source<'_>, message: &Message<'_>, whole: &str) -> Vec<Parsed> {
    let Some(family) = bracket::within(message.text) else { return Vec::new() };
    let before = message.text.get(..message.text.len() - family.len()).unwrap_or_default().trim();
    let host = host(source, message).unwrap_or_default();
    let (_, several) = bracket::split(family);
    let parse = |it| bracket::parse_from(source, it, host, fields::Spans::new(whole));
    let mut found: Vec<Parsed> = several.into_iter().filter_map(parse).collect();
    found.iter_mut().for_each(|parsed| describe(message, &mut parsed.event));
    if let Some(first) = found.first_mut().filter(|_| !before.is_empty()) {
        bounds::label(&mut first.event, "preamble", before);
    }
    found
}

/// An event, when a rule of the integration takes it. It never recovers by itself: nobody logs that nothing is wrong.
fn by_rule(source: &Source<'_>, message: &Message<'_>, whole: &str) -> Option<Parsed> {
    let rules = source.integration.syslog.as_ref().map(|it| it.events.as_slice()).unwrap_or_default();
    if rules.is_empty() || message.text.is_empty() {
        return None;
    }
    let severity = words::severity(message.severity).unwrap_or(source.integration.default_severity);
    let mut event = AlertEvent::blank(Format::Syslog, severity);
    let mut spans = fields::Spans::new(whole);
    event.severity_word = Some(message.severity.into());
    event.host = host(source, message).and_then(|host| bounds::name(&mut event, host));
    event.ip = message.param(&["ip", "host_ip"]).and_then(fields::address).map(|it| it.to_string().into());
    event.mac = message.param(&["mac"]).and_then(fields::mac).map(SharedStr::from);
    bounds::set_text(&mut event, message.text);
    describe(message, &mut event);
    fields::find_addresses(&mut event);
    let named = message.param(&["level", "priority"]).and_then(words::level);
    let stated = named.or_else(|| text::level_anywhere(message.text));
    if stated.is_some() {
        fields::set_severity(&mut event, stated, source);
    }
    if !rules::take(rules, source, &event) {
        return None;
    }
    if stated.is_some() {
        event.severity_word = None;
    }
    let key = fields::folded_key(&event, "syslog:", message.app.unwrap_or_default(), message.text);
    bounds::set_key(&mut event, key);
    for (field, part) in [("host", message.host), ("service", message.app), ("content", Some(message.text))] {
        spans.add(field, part.unwrap_or_default());
    }
    Some(Parsed { event, spans: spans.list })
}

/// Which machine it is about: as it says, or where it was logged, or at least from where it came.
fn host<'m>(source: &Source<'m>, message: &'m Message<'_>) -> Option<&'m str> {
    message.param(&["host", "hostname"]).or(message.host).or(source.peer)
}

/// What the header and the structured data say besides.
fn describe(message: &Message<'_>, event: &mut AlertEvent) {
    if event.service.is_none() {
        event.service = message.app.and_then(|app| bounds::name(event, app));
    }
    let own = [
        ("facility", Some(message.facility)),
        ("severity", Some(message.severity)),
        ("pid", message.pid),
        ("msgid", message.id),
        // Not the time of the event: many machines' clocks are behind one integration, most of them without a zone, and by
        // such times a recovery or a rise would be passed over as old.
        ("sent_at", message.sent),
    ];
    for (name, value) in own {
        if let Some(value) = value {
            bounds::label(event, name, value);
        }
    }
    for (name, value) in &message.params {
        bounds::label(event, name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::normalize::{Normalized, normalize};
    use shared::{
        Action, Severity, Timestamp,
        config::{Integration, Syslog, SyslogRule},
    };

    fn heard(rules: &[&[&str]], frame: &str) -> Normalized {
        heard_from(None, rules, frame)
    }

    fn heard_from(peer: Option<&str>, rules: &[&[&str]], frame: &str) -> Normalized {
        let mut integration = Integration::undeclared("switches".into());
        let rule = |it: &&[&str]| SyslogRule { matches: it.iter().map(|it| (*it).to_owned()).collect() };
        integration.syslog = Some(Syslog { events: rules.iter().map(rule).collect(), ..Syslog::default() });
        let received_at = Timestamp::from_ms(1_795_201_920_000);
        let source = Source { integration: &integration, content_type: Some(MESSAGE), format: None, peer, received_at };
        normalize(&source, frame.as_bytes())
    }

    fn event(rules: &[&[&str]], frame: &str) -> Option<AlertEvent> {
        let heard = heard(rules, frame);
        assert_eq!(heard.events.len() + heard.passed_over as usize, 1, "{heard:?}");
        heard.events.into_iter().next().map(|parsed| parsed.event)
    }

    const PANIC: &str =
        "<2>1 2026-11-21T03:10:00+08:00 vm-7 kernel 12 - [origin ip=\"10.8.3.21\"] Out of memory: killed 812";

    #[test]
    fn a_rule_makes_an_event_that_is_known_again_by_machine_program_and_text() {
        let made = event(&[&["severity_word=~emerg|alert|crit", "service=kernel"]], PANIC).unwrap();
        assert_eq!((made.format, made.action, made.severity), (Format::Syslog, Action::Trigger, Severity::P1));
        assert_eq!((made.host.as_deref(), made.ip.as_deref()), (Some("vm-7"), Some("10.8.3.21")));
        assert_eq!(&*made.dedup_key, "syslog:vm-7|kernel|out of memory: killed #");
        assert_eq!(
            (&*made.summary, made.labels.get("facility").unwrap().as_str()),
            ("Out of memory: killed 812", "kern")
        );
        assert_eq!(made.labels.get("sent_at").unwrap(), "2026-11-21T03:10:00+08:00");
        assert_eq!(made.occurred_at, None);
        assert!(!made.resolve_by_host && made.severity_word.as_deref() == Some("crit"));
    }

    #[test]
    fn one_rule_is_enough_and_all_of_its_conditions_must_hold() {
        fn any(rules: &[&[&str]]) -> bool {
            event(rules, PANIC).is_some()
        }

        assert!(any(&[&["service=sshd"], &["labels.facility=kern", "host=~vm-.*", "summary=~Out of memory.*"]]));
        for rules in ["", "service=kernel, severity_word=err", "host=~("] {
            let rule: Vec<&str> = rules.split(", ").filter(|it| !it.is_empty()).collect();
            assert!(!any(&[&rule]), "{rules}");
        }
        assert!(!any(&[]));
        // Rules that change are compiled anew.
        for word in ["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"] {
            let condition = format!("severity_word={word}");
            assert_eq!(any(&[&[condition.as_str()]]), word == "crit");
        }
    }

    #[test]
    fn every_severity_of_syslog_is_one_of_ours_and_a_level_in_the_message_counts_more() {
        let severity = |frame: &str| event(&[&["host!=nobody"]], frame).unwrap().severity;
        let all: Vec<Severity> = (0..8).map(|it| severity(&format!("<{it}>x: y"))).collect();
        let [p0, p1, p2, p3, p4, p5] =
            [Severity::P0, Severity::P1, Severity::P2, Severity::P3, Severity::P4, Severity::P5];
        assert_eq!(all, [p0, p1, p1, p2, p3, p4, p4, p5]);
        assert_eq!(severity("without a priority"), p4);
        let stated = event(&[&["severity_word=debug"]], "<7>x: it is [P2] now").unwrap();
        assert_eq!((stated.severity, stated.severity_word), (p2, None));
        assert_eq!(severity("<7>1 - - - - - [a@1 level=\"P1\"] y"), p1);
        assert!(event(&[&["host!=nobody"]], "<0>1 - - - - - -").is_none(), "there is nothing to say");
    }

    #[test]
    fn rules_see_what_the_event_will_say() {
        let said = "<10>Nov 21 03:10:00 10.8.3.21 kernel: Oops";
        assert!(event(&[&["ip in 10.8.0.0/16"]], said).is_some() && event(&[&["ip in 10.9.0.0/16"]], said).is_none());
        let said = "<11>app: it is [P0] now";
        assert!(event(&[&["severity=P0"]], said).is_some() && event(&[&["severity=P2"]], said).is_none());
    }

    #[test]
    fn a_machine_that_does_not_name_itself_is_known_by_its_address() {
        let key = |peer, frame| {
            let heard = heard_from(Some(peer), &[&["service=kernel"]], frame);
            let event = heard.events[0].event.clone();
            (event.host.unwrap().to_string(), event.ip.map(|it| it.to_string()), event.dedup_key.to_string())
        };
        let of = |peer: &str, key: &str| (peer.to_owned(), Some(peer.to_owned()), key.to_owned());
        for peer in ["10.0.0.7", "10.0.0.8", "2001:db8::7"] {
            let bracketed = key(peer, "<11>[P0][PROBLEM][][][disk full]");
            assert_eq!(bracketed, of(peer, &format!("host:{peer}|disk full")));
            assert_eq!(key(peer, "<2>kernel: Oops"), of(peer, &format!("syslog:{peer}|kernel|oops")));
        }
        // A relay is not the machine that its messages name.
        for named in [
            "<11>[P0][PROBLEM][db-7][][x]",
            "<11>Nov 21 03:10:00 db-7 app: [P0][PROBLEM][][][x]",
            "<11>1 - - - - - [a@1 host=\"db-7\"] [P0][PROBLEM][][][x]",
            "<2>Nov 21 03:10:00 db-7 kernel: Oops",
        ] {
            assert_eq!((key("10.0.0.7", named).0, key("10.0.0.7", named).1), ("db-7".to_owned(), None), "{named}");
        }
    }

    #[test]
    fn a_frame_that_was_cut_says_so() {
        let long = format!("<0>x: {}", "y".repeat(FRAME_MAX_BYTES));
        let made = event(&[&["service=x"]], &long).unwrap();
        assert!(made.flags.contains(&Flag::Truncated) && made.content.len() <= bounds::CONTENT_BYTES);
    }
}
