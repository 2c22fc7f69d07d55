//! A sender's own JSON, read as somebody said who saw it.
//!
//! What the mapping gives is put over what the general reading of the same object finds, so a mapping may be as short as what
//! that gets wrong. A P0 that is written out stays one, whatever the mapping says, and one that was understood is only made
//! milder by a word the mapping names.

use super::{
    Parsed, Source, bounds,
    documents::Identity,
    fields::{self, Spans},
    json::Members,
    object,
    pointer::{Found, Place},
    text, time, words,
};
use shared::{
    Action, AlertEvent, Flag, Format, Severity,
    config::{MappedSeverity, MappedWhen, Mapping, Texts},
};
use std::collections::BTreeMap;

/// Words for a level that can only mean that there is none any more.
const OVER: [&str; 11] =
    ["ok", "okay", "recovered", "recovery", "resolved", "resolve", "cleared", "恢复", "已恢复", "恢复正常", "已解决"];

/// Whether an object is what the mapping is about.
pub(super) fn fits(mapping: &Mapping, place: Place<'_, '_>) -> bool {
    let holds = |test: &MappedWhen| {
        place.node(&test.at).is_some_and(|node| match object::filled(node) {
            Some(said) => test.is.is_empty() || test.is.iter().any(|word| same(word, said)),
            None => test.is.is_empty() && node.members().is_some(),
        })
    };
    mapping.when.iter().all(holds)
}

/// Puts a mapping over the general reading of an object; nothing when it finds nothing there.
pub(super) fn over(
    source: &Source<'_>,
    mapping: &Mapping,
    place: Place<'_, '_>,
    general: &Parsed,
    identity: Identity,
    whole: &str,
) -> Option<Parsed> {
    let members = place.member.members()?;
    let said = [place.find(&mapping.summary), place.find(&mapping.content)];
    // A line of the bracketed family deep inside says as much as one at the top.
    let is_plain = general.event.format == Format::Json;
    let line = said.iter().flatten().filter(|_| is_plain).find_map(|found| {
        let line = object::said_by_line(source, members, &found.text, whole)?;
        Some((line, found.text.as_ref()))
    });
    let (base, line) = line.map_or_else(|| (general.clone(), None), |(base, line)| (base, Some(line)));
    let has_written = [&general.event.summary, &general.event.content].into_iter().any(|text| is_written_p0(text));
    let mut over =
        Over { source, place, members, spans: Spans::new(whole), event: base.event, found: false, has_written };
    over.spans.list = base.spans;
    if is_urgent(&general.event) && !is_urgent(&over.event) {
        // What stands around a line makes it no milder.
        (over.event.severity, over.event.action) = (Severity::P0, Action::Trigger);
        bounds::flag(&mut over.event, Flag::UrgentAnyway);
    }
    let [summary, content] = &said;
    over.texts(summary.as_ref(), content.as_ref(), line);
    over.machine(mapping);
    over.rest(mapping);
    over.labels(&mapping.labels);
    over.severity(mapping.severity.as_ref());
    over.status(mapping);
    over.key(mapping, identity);
    over.found.then_some(Parsed { event: over.event, spans: over.spans.list })
}

/// An event that is being made, and what it is made of.
struct Over<'s, 'n, 'a, 't> {
    source: &'s Source<'s>,
    place: Place<'n, 'a>,
    members: &'n Members<'a>,
    spans: Spans<'t>,
    event: AlertEvent,
    /// Whether the mapping found anything.
    found: bool,
    /// Whether a text that is found without the mapping writes P0; another may have taken its place.
    has_written: bool,
}

fn is_written_p0(text: &str) -> bool {
    text::level_anywhere(text).is_some_and(|(severity, _)| severity == Severity::P0)
}

/// Whether it states that something is wrong which wakes people.
fn is_urgent(event: &AlertEvent) -> bool {
    let is_stated = !event.flags.contains(&Flag::DefaultSeverity);
    is_stated && event.severity == Severity::P0 && event.action == Action::Trigger
}

impl<'n, 'a> Over<'_, 'n, 'a, '_> {
    fn find(&mut self, field: &str, texts: &Texts) -> Option<Found<'n, 'a>> {
        let found = self.place.find(texts)?;
        self.note(field, &found);
        Some(found)
    }

    /// Where a field was found otherwise does not count any more.
    fn note(&mut self, field: &str, found: &Found<'_, '_>) {
        self.found = true;
        self.spans.list.retain(|span| span.field != field);
        found.parts.iter().for_each(|part| self.spans.map(field, part));
    }

    fn unflag(&mut self, flag: Flag) {
        self.event.flags.retain(|it| *it != flag);
    }

    fn is_line(&self) -> bool {
        matches!(self.event.format, Format::Bracket | Format::Falcon | Format::Combined)
    }

    /// What the general reading took for the text stays below a text that does not hold it.
    fn texts(&mut self, summary: Option<&Found<'_, '_>>, content: Option<&Found<'_, '_>>, line: Option<&str>) {
        let is_line = |found: &Found<'_, '_>| line == Some(found.text.as_ref());
        let before = (self.event.summary.clone(), self.event.content.clone());
        let had_text = !self.event.flags.contains(&Flag::NoContent);
        if let Some(found) = summary {
            self.note("summary", found);
            let text = bounds::one_line(&found.text);
            if !is_line(found) && !text.is_empty() {
                let told = text == found.text.trim();
                self.event.summary = text.into();
                self.unflag(Flag::NoContent);
                let own = if told { "" } else { found.text.trim() };
                let others = [before.0.as_str(), before.1.as_str()];
                let kept = others.into_iter().filter(|it| had_text && !it.is_empty() && !found.text.contains(*it));
                let all: Vec<&str> = std::iter::once(own).chain(kept).filter(|it| !it.is_empty()).collect();
                bounds::set_content(&mut self.event, &all.join("\n"));
            }
        }
        if let Some(found) = content {
            self.note("content", found);
            if !is_line(found) {
                bounds::set_content(&mut self.event, found.text.trim());
                if summary.is_none() && !had_text {
                    self.event.summary = bounds::one_line(&found.text).into();
                    self.unflag(Flag::NoContent);
                }
            }
        }
        // A level in a text counts as stated, as it does in texts that are found by their names.
        let said = text::level_anywhere(&self.event.summary).or_else(|| text::level_anywhere(&self.event.content));
        if let Some((severity, clamped)) = said.filter(|_| self.event.flags.contains(&Flag::DefaultSeverity)) {
            self.state(severity, clamped);
        }
    }

    fn machine(&mut self, mapping: &Mapping) {
        if let Some(found) = self.find("host", &mapping.host) {
            self.event.host = bounds::name(&mut self.event, &fields::bare_host(&found.text));
            // An address that was read out of a text, or out of what was taken for the host, is the host's only if it names none.
            if self.event.format == Format::Json && !self.spans.list.iter().any(|span| span.field == "ip") {
                self.event.ip = None;
            }
        }
        if let Some(found) = self.find("ip", &mapping.ip) {
            match fields::address(&found.text) {
                Some(address) => {
                    self.event.ip = Some(address.to_string().into());
                    self.unflag(Flag::BadIp);
                }
                None => {
                    bounds::label(&mut self.event, "ip_field", &found.text);
                    bounds::flag(&mut self.event, Flag::BadIp);
                }
            }
        }
        if let Some(mac) = self.place.find(&mapping.mac).filter(|found| fields::mac(&found.text).is_some()) {
            self.note("mac", &mac);
            self.event.mac = fields::mac(&mac.text).map(Into::into);
        }
        fields::find_addresses(&mut self.event);
    }

    fn rest(&mut self, mapping: &Mapping) {
        if let Some(found) = self.find("service", &mapping.service) {
            self.event.service = bounds::name(&mut self.event, &found.text);
        }
        let zone = &self.source.integration.time_zone;
        if let Some(found) = self.place.find(&mapping.time)
            && let Some(at) = time::any(&found.text, zone)
        {
            self.note("time", &found);
            self.unflag(Flag::ClockSkew);
            self.unflag(Flag::Stale);
            // Nobody says whether it is a beginning, which may be long ago.
            time::judge(&mut self.event, at, true, self.source);
        }
        if let Some(found) = self.find("link", &mapping.url) {
            let others = std::mem::take(&mut self.event.links);
            bounds::link(&mut self.event, &found.text);
            others.iter().for_each(|url| bounds::link(&mut self.event, url));
        }
    }

    fn labels(&mut self, labels: &BTreeMap<String, Texts>) {
        for (name, texts) in labels {
            if let Some(found) = self.find(&format!("labels.{name}"), texts) {
                bounds::own_label(&mut self.event, name, &found.text);
            }
        }
    }

    fn severity(&mut self, mapped: Option<&MappedSeverity>) {
        let Some(mapped) = mapped else { return };
        let Some(found) = self.find("severity", &mapped.from) else { return };
        let word = found.text.trim();
        let named = mapped.words.iter().find(|(known, _)| same(known, word)).map(|(_, severity)| (*severity, false));
        let by_word = || words::severity(word).map(|severity| (severity, false));
        let usual = || words::level(word).or_else(|| words::rank(word)).or_else(by_word);
        let before = self.event.severity;
        let was_stated = !self.event.flags.contains(&Flag::DefaultSeverity);
        let Some((severity, clamped)) = named.or_else(usual) else {
            // A rule may know the word.
            if !was_stated {
                self.event.severity_word = bounds::name(&mut self.event, word);
            }
            return;
        };
        let is_p0 = was_stated && before == Severity::P0;
        if severity != Severity::P0 && is_p0 && (named.is_none() || self.writes_p0(&found)) {
            return bounds::flag(&mut self.event, Flag::UrgentAnyway);
        }
        self.state(severity, clamped);
        if named.is_none() && words::level(word).is_none() {
            self.event.severity_word = bounds::name(&mut self.event, word);
        }
    }

    fn state(&mut self, severity: Severity, clamped: bool) {
        self.unflag(Flag::DefaultSeverity);
        self.unflag(Flag::LevelOutOfRange);
        self.event.severity = severity;
        self.event.severity_word = None;
        if clamped {
            bounds::flag(&mut self.event, Flag::LevelOutOfRange);
        }
    }

    /// Whether P0 is written elsewhere than where the level stands.
    fn writes_p0(&self, found: &Found<'_, '_>) -> bool {
        self.is_line()
            || self.has_written
            || is_written_p0(&self.event.summary)
            || is_written_p0(&self.event.content)
            || object::writes_p0(self.members, found.parts.first().copied())
    }

    fn status(&mut self, mapping: &Mapping) {
        let found = mapping.status.as_ref().and_then(|mapped| Some((mapped, self.find("status", &mapped.from)?)));
        let Some((mapped, found)) = found else { return self.status_of_level(mapping) };
        let word = found.text.trim();
        let named = mapped.words.iter().find(|(known, _)| same(known, word)).map(|(_, action)| *action);
        // A line says itself whether it is over.
        let settled = self.is_line() && self.event.severity == Severity::P0 && self.event.action == Action::Trigger;
        if named.is_none() && settled {
            return;
        }
        self.event.status_raw = bounds::name(&mut self.event, word);
        match named.or_else(|| words::action(word)) {
            Some(action) => {
                self.unflag(Flag::UnknownStatus);
                self.event.action = action;
            }
            None => {
                bounds::flag(&mut self.event, Flag::UnknownStatus);
                self.event.action = Action::Trigger;
            }
        }
        self.event.ends_at = self.event.ends_at.filter(|_| self.event.action == Action::Trigger);
    }

    /// `"level": "ok"` is a state, not a severity, wherever it stands; one that is stated as such goes before.
    fn status_of_level(&mut self, mapping: &Mapping) {
        let Some(mapped) = &mapping.severity else { return };
        let Some(found) = self.place.find(&mapped.from) else { return };
        let word = found.text.trim();
        let is_named = mapped.words.keys().any(|known| same(known, word));
        let is_stated = self.event.status_raw.is_some() || self.is_line() || self.writes_p0(&found);
        // An importance is often `normal`, and so is what is wrong with a thing that is `closed`.
        let is_over = OVER.iter().any(|known| same(known, word));
        if !is_named && !is_stated && is_over && !is_urgent(&self.event) {
            self.note("status", &found);
            self.event.status_raw = bounds::name(&mut self.event, word);
            self.event.action = Action::Resolve;
            self.event.ends_at = None;
        }
    }

    fn key(&mut self, mapping: &Mapping, identity: Identity) {
        let is_worded = identity == Identity::Made && matches!(self.event.format, Format::CloudEvents | Format::Sns);
        let is_stated = |this: &Self| this.spans.list.iter().any(|span| span.field == "dedup_key");
        if let Some(found) = self.find("dedup_key", &mapping.key) {
            self.unflag(Flag::KeyHashed);
            self.event.resolve_by_host = false;
            bounds::set_key(&mut self.event, found.text.trim().to_owned());
        } else if self.event.format == Format::Json && !is_stated(self) {
            // Of what it is about now, and not of what it was taken for.
            self.unflag(Flag::KeyHashed);
            object::fold_key(&mut self.event);
        } else if is_worded && !is_stated(self) {
            // What carries it stands before that: the source and the type, or the topic.
            let kin = self.event.dedup_key.rsplit_once('|').map_or("", |(kin, _)| kin).to_owned();
            let service = self.event.service.clone().unwrap_or_default();
            let words = self.event.summary.replace('|', " ");
            let key = fields::folded_key(&self.event, &format!("{kin}|"), &service, &words);
            self.unflag(Flag::KeyHashed);
            bounds::set_key(&mut self.event, fields::kept_kin(key));
        }
    }
}

/// Words are compared without case and the blanks around them.
fn same(known: &str, word: &str) -> bool {
    let (known, word) = (known.trim(), word.trim());
    known.eq_ignore_ascii_case(word) || known.to_lowercase() == word.to_lowercase()
}
