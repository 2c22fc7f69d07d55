//! Records of Fluentd's forward protocol: what is logged anywhere, of which only what was meant to page becomes an event.
//!
//! As with syslog, a port that takes logs must not page by accident. So a record is an event when its text says
//! `[P0][PROBLEM]…`, or when a rule of its integration takes it; that is then read as JSON is, by the integration's mapping where
//! it has one. A mapping says where things stand and not which records matter, so by itself it takes none.

use super::{
    Out, Parsed, Source, bounds, bracket, documents, fields,
    json::{Members, Node, Reader},
    object::{self, filled, member},
    syslog, text,
};
use shared::{AlertEvent, Flag, Format, timeline::RejectReason};

/// The content type under which one record is stored: an object with `tag`, `time` and `record`.
pub const RECORD: &str = "application/x-fluent-forward";

/// Members that may hold a text that was logged, the most usual first.
const TEXTS: [&str; 8] = ["message", "log", "msg", "text", "content", "summary", "title", "description"];

/// Whether a body is such a record, as it was stored.
pub(super) fn is_record(source: &Source<'_>) -> bool {
    source.format.is_none() && source.content_type == Some(RECORD)
}

/// Makes what a record is of it: events, or nothing.
pub(super) fn read(source: &Source<'_>, whole: &str, out: &mut Out) {
    let root = Reader::new(whole).value();
    let parts = root.as_ref().ok().and_then(Node::members);
    let Some((parts, record)) = parts.and_then(|parts| Some((parts, member(parts, "record")?))) else {
        return out.reject(RejectReason::BadJson { detail: "this is no record".to_owned() }, whole);
    };
    let Some(members) = record.members() else {
        return out.reject(RejectReason::NotAnObject { found: record.kind().to_owned() }, whole);
    };
    let said = |name| member(parts, name).and_then(filled);
    let record = Record { source, whole, node: record, members, tag: said("tag"), sent: said("time") };
    let mut events = record.bracketed();
    if events.is_empty() {
        events = record.by_rule();
        out.is_json = true;
    }
    if events.is_empty() {
        out.passed_over = out.passed_over.saturating_add(1);
    }
    let found = events.len();
    for (at, parsed) in events.into_iter().enumerate() {
        if at >= bounds::MEMBERS {
            out.overflow(found, whole);
            break;
        }
        out.events.push(parsed);
    }
}

struct Record<'s, 'n, 'a> {
    source: &'s Source<'s>,
    whole: &'s str,
    node: &'n Node<'a>,
    members: &'n Members<'a>,
    tag: Option<&'n str>,
    sent: Option<&'n str>,
}

impl Record<'_, '_, '_> {
    /// The messages of the bracketed family in its texts.
    fn bracketed(&self) -> Vec<Parsed> {
        let found = TEXTS.into_iter().find_map(|name| {
            let text = member(self.members, name).and_then(filled)?;
            Some((name, text, bracket::within(text)?))
        });
        let Some((name, text, family)) = found else { return Vec::new() };
        let mut machine = AlertEvent::blank(Format::Bracket, self.source.integration.default_severity);
        object::set_machine(&mut machine, &object::Fields::of(self.members, None), &mut fields::Spans::new(self.whole));
        let host = machine.host.as_deref().or(self.source.peer).unwrap_or_default();
        let parse = |it| bracket::parse_from(self.source, it, host, fields::Spans::new(self.whole));
        let (_, several) = bracket::split(family);
        let mut found: Vec<Parsed> = several.into_iter().filter_map(parse).collect();
        for parsed in &mut found {
            let event = &mut parsed.event;
            event.ip = event.ip.take().or_else(|| machine.ip.clone());
            self.describe(event);
            for (other, node) in self.members.iter().rev().filter(|(other, _)| *other != name) {
                node.scalar().into_iter().for_each(|value| bounds::label(event, other, value));
            }
        }
        let before = text.get(..text.len() - family.len()).unwrap_or_default().trim();
        if let Some(first) = found.first_mut().filter(|_| !before.is_empty()) {
            bounds::label(&mut first.event, "preamble", before);
        }
        found
    }

    /// What the record says as JSON, when a rule of the integration takes it.
    fn by_rule(&self) -> Vec<Parsed> {
        let rules = self.source.integration.forward.as_ref().map(|it| it.events.as_slice()).unwrap_or_default();
        if rules.is_empty() {
            return Vec::new();
        }
        // It is plain JSON: nobody logs what another interface is told.
        let plain = Source { format: Some("json"), ..*self.source };
        let mut read = Out::default();
        documents::read(&plain, self.node.raw, self.whole, true, &mut read);
        let made = read.events.into_iter().map(|parsed| self.completed(parsed));
        made.filter(|parsed| syslog::take(rules, self.source, &parsed.event)).collect()
    }

    /// What Docker and its kin call a text, the machine it came from, and the tag.
    fn completed(&self, mut parsed: Parsed) -> Parsed {
        let event = &mut parsed.event;
        let is_general = event.format == Format::Json;
        let logged = member(self.members, "log").and_then(filled).filter(|_| event.flags.contains(&Flag::NoContent));
        if let Some(logged) = logged {
            event.flags.retain(|flag| *flag != Flag::NoContent);
            bounds::set_text(event, logged);
            let stated = text::level_anywhere(logged).filter(|_| event.flags.contains(&Flag::DefaultSeverity));
            if stated.is_some() {
                event.flags.retain(|flag| *flag != Flag::DefaultSeverity);
                fields::set_severity(event, stated, self.source);
            }
        }
        let is_unnamed = event.host.is_none() && event.ip.is_none();
        if let Some(peer) = self.source.peer.filter(|_| is_unnamed) {
            event.host = bounds::name(event, peer);
        }
        fields::find_addresses(event);
        let is_keyed = parsed.spans.iter().any(|span| span.field == "dedup_key");
        if is_general && !is_keyed && (is_unnamed || logged.is_some()) {
            event.flags.retain(|flag| *flag != Flag::KeyHashed);
            object::fold_key(event);
        }
        self.describe(event);
        if is_general {
            event.format = Format::Forward;
        }
        parsed
    }

    fn describe(&self, event: &mut AlertEvent) {
        if event.service.is_none() {
            event.service = self.tag.and_then(|tag| bounds::name(event, tag));
        }
        // As with syslog, its clock decides nothing: many machines' clocks are behind one sender.
        for (name, value) in [("tag", self.tag), ("sent_at", self.sent)] {
            value.into_iter().for_each(|value| bounds::label(event, name, value));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::normalize::{Normalized, normalize};
    use shared::{
        Action, Severity, Timestamp,
        config::{Forward, Integration, SyslogRule},
    };

    fn heard(rules: &[&str], record: &serde_json::Value) -> Normalized {
        let mut integration = Integration::undeclared("apps".into());
        let rule = |it: &&str| SyslogRule { matches: vec![(*it).to_owned()] };
        integration.forward = Some(Forward { events: rules.iter().map(rule).collect(), ..Forward::default() });
        let received_at = Timestamp::from_ms(1_795_201_920_000);
        let source = Source {
            integration: &integration,
            content_type: Some(RECORD),
            format: None,
            peer: Some("10.0.0.9"),
            received_at,
        };
        let body = serde_json::json!({ "tag": "app.web", "time": "2026-11-21T03:10:00Z", "record": record });
        normalize(&source, body.to_string().as_bytes())
    }

    fn event(rules: &[&str], record: &serde_json::Value) -> Option<AlertEvent> {
        let heard = heard(rules, record);
        assert_eq!(heard.events.len() + heard.passed_over as usize, 1, "{heard:?}");
        heard.events.into_iter().next().map(|parsed| parsed.event)
    }

    #[test]
    fn a_line_of_the_family_is_an_event_wherever_the_text_stands() {
        for name in TEXTS {
            let record =
                serde_json::json!({ name: "[P0][PROBLEM][db-07][10.8.3.21][it is down]", "pid": 7, "id": "x" });
            let made = event(&[], &record).unwrap();
            assert_eq!((made.severity, made.host.as_deref()), (Severity::P0, Some("db-07")), "{name}");
            assert_eq!(&*made.dedup_key, "host:db-07|it is ~", "what a record calls itself is no identity of the line");
            assert_eq!((made.labels["pid"].as_str(), made.labels["tag"].as_str()), ("7", "app.web"));
            assert_eq!(
                (made.service.as_deref(), made.labels["sent_at"].as_str()),
                (Some("app.web"), "2026-11-21T03:10:00Z")
            );
            assert_eq!(made.occurred_at, None);
        }
        let record = serde_json::json!({ "message": "ERROR pay: [P1][PROBLEM][][][slow]", "hostname": "vm-7" });
        let made = event(&[], &record).unwrap();
        assert_eq!((made.host.as_deref(), made.labels["preamble"].as_str()), (Some("vm-7"), "ERROR pay:"));
        let made = event(&[], &serde_json::json!({ "log": "[P1][OK][][][slow]" })).unwrap();
        assert_eq!((made.action, made.host.as_deref()), (Action::Resolve, Some("10.0.0.9")));
        assert!(!made.resolve_by_host, "it names no machine");
    }

    #[test]
    fn what_is_merely_logged_pages_nobody_whatever_it_calls_itself() {
        for record in [
            serde_json::json!({ "message": "everything is lost", "severity": "P0", "status": "firing" }),
            serde_json::json!({ "message": "curl -d '[P0][PROBLEM][db][][x]'", "level": "emergency" }),
            serde_json::json!({ "log": "see [P0] for what that means" }),
            serde_json::json!({ "alerts": [{ "severity": "P0", "message": "x" }] }),
            serde_json::json!({}),
        ] {
            assert_eq!(event(&[], &record), None, "{record}");
        }
    }

    #[test]
    fn a_rule_takes_records_and_they_are_read_as_json() {
        let record = serde_json::json!({ "message": "took 812 ms", "level": "critical", "host": "vm-7", "shard": "3" });
        let made = event(&["severity_word=critical"], &record).unwrap();
        assert_eq!((made.format, made.severity, made.action), (Format::Forward, Severity::P1, Action::Trigger));
        assert_eq!((made.host.as_deref(), made.labels["shard"].as_str()), (Some("vm-7"), "3"));
        assert_eq!(&*made.dedup_key, "json:vm-7|took # ms");
        assert!(event(&["severity_word=error", "service=other"], &record).is_none());
        assert!(event(&["service=app.web"], &record).is_some() && event(&["labels.shard=3"], &record).is_some());
        let made = event(&["service=app.web"], &serde_json::json!({ "log": "the disk is [P2] full" })).unwrap();
        assert_eq!((made.severity, made.summary.as_str()), (Severity::P2, "the disk is [P2] full"));
        assert_eq!(made.host.as_deref(), Some("10.0.0.9"));
        let over =
            serde_json::json!({ "message": "took 9 ms", "level": "critical", "host": "vm-7", "status": "resolved" });
        let over = event(&["host=vm-7"], &over).unwrap();
        assert_eq!((over.action, &*over.dedup_key), (Action::Resolve, "json:vm-7|took # ms"));
    }

    #[test]
    fn a_body_that_is_no_record_is_told_so() {
        let integration = Integration::undeclared("apps".into());
        let received_at = Timestamp::from_ms(1_795_201_920_000);
        let content_type = Some(RECORD);
        let source = Source { integration: &integration, content_type, format: None, peer: None, received_at };
        for body in ["", "{}", "[]", "{\"record\":7}", "{\"record\":"] {
            let read = normalize(&source, body.as_bytes());
            assert!(read.events.is_empty() && read.rejected.len() == 1, "{body}: {read:?}");
        }
    }
}
