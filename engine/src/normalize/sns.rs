//! Notifications of Amazon's SNS and Huawei's SMN: the message in them is read as if it had been posted itself.
//!
//! The two say the same under names that differ in case and underscores (SNS, "HTTP/HTTPS notification JSON format"; SMN, "HTTP(S)
//! message format"). Before anything comes, each asks whether it is welcome: that is kept for somebody to read, and the
//! address in it is never fetched by itself.

use super::{
    Parsed, Source, bounds,
    documents::{Batch, Carried, Identity, Said},
    fields::{self, Spans},
    json::Members,
    object::{self, filled, member, place},
    text, time,
};
use shared::{Action, AlertEvent, Flag, Format, Pairs, Severity};

const ASKS: &str = "SubscriptionConfirmation";
const ENDS: &str = "UnsubscribeConfirmation";
const TOPIC: [&str; 2] = ["topic_arn", "topic_urn"];

/// Reads an object that has a topic, a number and a type.
pub(super) fn read(batch: &mut Batch<'_>, members: &Members<'_>) -> Option<Carried> {
    let of = |name| member(members, name).and_then(filled);
    let topic = TOPIC.into_iter().find_map(of)?;
    let (kind, id) = (of("type")?, of("message_id")?);
    let is_told = kind == "Notification";
    if !is_told && !matches!(kind, ASKS | ENDS) {
        return None;
    }
    batch.name(id.to_owned());
    if is_told {
        return Some(Ok(notification(batch, members, topic)));
    }
    let parsed = asked(batch.source, members, topic, batch.whole);
    Some(Ok(vec![Said { parsed, identity: Identity::Own, is_listed: false }]))
}

/// Where the subscription that an object asks about is confirmed.
pub(super) fn subscription(members: &Members<'_>) -> Option<String> {
    let of = |name| member(members, name).and_then(filled);
    TOPIC.into_iter().find_map(of)?;
    of("type").filter(|kind| *kind == ASKS)?;
    of("subscribe_url").map(ToOwned::to_owned)
}

fn notification(batch: &mut Batch<'_>, members: &Members<'_>, topic: &str) -> Vec<Said> {
    let of = |name| member(members, name).and_then(filled);
    let (message, subject) = (of("message").unwrap_or_default(), of("subject"));
    let mut said = batch.carried(message);
    if said.iter().all(|it| it.parsed.event.format == Format::Text) {
        // A text: the subject belongs to it, and may be a message of the bracketed family.
        said = vec![written(batch.source, members, said.first().map(|it| &it.parsed.event), batch.whole)];
    }
    for it in &mut said {
        let event = &mut it.parsed.event;
        if let Some(subject) = subject.filter(|_| event.flags.contains(&Flag::NoContent)) {
            event.summary = bounds::one_line(subject).into();
            event.flags.retain(|flag| *flag != Flag::NoContent);
        }
        if it.identity == Identity::Worded {
            bounds::set_key(event, format!("sns:{topic}|{}", event.dedup_key));
        } else if it.identity == Identity::Made {
            let line = if event.format == Format::Sns { bounds::one_line(message) } else { String::new() };
            let words = format!("{}\n{line}", event.summary);
            let service = event.service.as_deref().map(|service| format!("|{service}")).unwrap_or_default();
            event.flags.retain(|flag| *flag != Flag::KeyHashed);
            let key = fields::folded_key(event, "sns:", &format!("{topic}{service}"), words.trim());
            bounds::set_key(event, key);
        }
        if event.format == Format::Json {
            event.format = Format::Sns;
        }
        let is_stated = !event.flags.contains(&Flag::DefaultSeverity);
        if let Some((severity, _)) = subject.and_then(text::level_anywhere) {
            // A P0 in the subject is no milder for what the message says of itself.
            let is_urgent = severity == Severity::P0 && event.action == Action::Trigger && event.severity != severity;
            if is_stated && is_urgent {
                bounds::flag(event, Flag::UrgentAnyway);
            }
            if !is_stated || is_urgent {
                event.severity = severity;
                event.flags.retain(|flag| *flag != Flag::DefaultSeverity);
            }
        }
        let at = of("timestamp").filter(|_| event.occurred_at.is_none()).and_then(|text| time::any(text, "UTC"));
        at.into_iter().for_each(|at| time::judge(event, at, false, batch.source));
        bounds::label(event, "topic", topic);
    }
    said
}

/// A message that is no JSON, with its subject; `alone` is what it was read as without.
fn written(source: &Source<'_>, members: &Members<'_>, alone: Option<&AlertEvent>, whole: &str) -> Said {
    let mut parsed = object::event(source, members, None, Format::Sns, whole);
    let event = &mut parsed.event;
    // Signatures and numbers; and by one of the addresses anybody can end the subscription.
    event.labels = Pairs::default();
    event.links.clear();
    let is_stated = |event: &AlertEvent| !event.flags.contains(&Flag::DefaultSeverity);
    // A subject makes nothing milder.
    if let Some(alone) =
        alone.filter(|alone| is_stated(alone) && (!is_stated(event) || alone.severity < event.severity))
    {
        event.severity = alone.severity;
        event.flags.retain(|flag| *flag != Flag::DefaultSeverity);
        if alone.flags.contains(&Flag::Poison) {
            bounds::flag(event, Flag::Poison);
        }
    }
    Said { identity: Identity::unstated(event), parsed, is_listed: false }
}

/// Whether we want to be told, or that we are not told any more: nothing is wrong, and somebody has to look.
fn asked(source: &Source<'_>, members: &Members<'_>, topic: &str, whole: &str) -> Parsed {
    let mut spans = Spans::new(whole);
    let mut event = AlertEvent::blank(Format::Sns, source.integration.default_severity);
    fields::set_severity(&mut event, None, source);
    event.action = Action::Change;
    if let Some(node) = member(members, "type") {
        spans.add("status", place(node));
        event.status_raw = filled(node).and_then(|kind| bounds::name(&mut event, kind));
    }
    let name = topic.rsplit(':').next().unwrap_or(topic);
    let summary = match event.status_raw.as_deref() {
        Some(ASKS) => format!("{name} asks whether to send its messages here: confirm it, or open the link"),
        _ => format!("{name} sends nothing here any more; open the link to subscribe again"),
    };
    event.summary = bounds::one_line(&summary).into();
    let of = |name| member(members, name).and_then(filled);
    of("message").into_iter().for_each(|message| bounds::set_content(&mut event, message));
    of("subscribe_url").into_iter().for_each(|url| bounds::link(&mut event, url));
    bounds::label(&mut event, "topic", topic);
    bounds::set_key(&mut event, format!("sns:{topic}"));
    Parsed { event, spans: spans.list }
}
