//! JSON bodies: an object, an array of objects, `{"alerts": […]}`, or one object a line.

use super::{
    Out, Parsed, Source, Told, alerta, alertmanager, apprise, bounds, callback,
    json::{DEPTH, Fault, Members, Node, Reader, Value},
    kuma, mapping, nagios, netdata, nightingale, object, opsgenie, pagerduty,
    pointer::{self, Place},
    slack, zabbix,
};
use shared::{
    Action, Flag, Format, Severity, alert::FieldSpan, api::FieldOrigin, config::Mapping, timeline::RejectReason,
};

/// Reads an object that has the shape of a sender; `None` when it has not.
pub(super) type Shape = fn(&Source<'_>, &Members<'_>, &str) -> Option<Told>;

/// The senders that are known by the shape of what they send, each of which no other has.
const SHAPES: &[Shape] = &[
    zabbix::read,
    opsgenie::read,
    nightingale::read,
    kuma::read,
    callback::read,
    nagios::read,
    alerta::read,
    netdata::read,
    apprise::read,
    slack::read,
];

/// Reads every value of a text.
///
/// `declared` says that the sender called it JSON. Otherwise a text without a single good member is
/// taken for plain text: `false` is returned and nothing is recorded.
pub(super) fn read(source: &Source<'_>, text: &str, whole: &str, declared: bool, out: &mut Out) -> bool {
    let mut reader = Reader::new(text);
    let mut batch = Batch { source, whole, found: 0, out: Out::default() };
    while reader.more() {
        let start = reader.at();
        match reader.value() {
            Ok(node) => batch.take(&node),
            Err(fault) => {
                let reason = match fault {
                    Fault::Bad(what) => RejectReason::BadJson { detail: format!("{what} at {}", reader.place()) },
                    Fault::TooDeep => RejectReason::TooDeep { limit: DEPTH },
                };
                // In a file of lines the next line may be fine. Going on behind the fault, not behind
                // the start, keeps this linear.
                let next = reader.rest().find("\n{").map(|next| reader.at() + next + 1);
                batch.out.reject(reason, text.get(start..next.unwrap_or(text.len())).unwrap_or_default());
                if batch.out.events.is_empty() && !declared {
                    return false;
                }
                match next {
                    // The place costs a pass over the text, so a body gets only a few of them.
                    Some(next) if batch.out.rejected.len() < 16 => reader.seek(next),
                    Some(_) | None => break,
                }
            }
        }
    }
    let mut result = batch.out;
    if !declared && result.events.is_empty() {
        return false;
    }
    if result.events.is_empty() && result.rejected.is_empty() {
        result.reject(RejectReason::Empty, "");
    }
    if reader.dirty {
        result.events.iter_mut().for_each(|parsed| bounds::flag(&mut parsed.event, Flag::ControlCharacters));
    }
    out.is_json = true;
    out.events.append(&mut result.events);
    out.rejected.append(&mut result.rejected);
    out.poison = out.poison.take().or(result.poison);
    true
}

struct Batch<'s> {
    source: &'s Source<'s>,
    whole: &'s str,
    found: usize,
    out: Out,
}

/// What an object is read with: the sender's mapping, and the whole value it is in.
type With<'n, 'a> = Option<(&'n Mapping, &'n Node<'a>)>;

impl Batch<'_> {
    fn take(&mut self, node: &Node<'_>) {
        let Some(mapping) = self.source.integration.mapping.as_deref() else { return self.general(node, None) };
        let Some(each) = mapping.each.as_deref() else { return self.general(node, Some((mapping, node))) };
        let each = each.strip_prefix('$').unwrap_or(each);
        let around = pointer::around(node, each);
        match pointer::at(node, each).map(|found| (&found.value, found)) {
            Some((Value::Array(items), _)) => self.each(mapping, node, items, around),
            Some((Value::Object(_), found)) => self.each(mapping, node, std::slice::from_ref(found), around),
            _ => {
                let before = self.out.events.len();
                self.general(node, None);
                self.unmapped(before);
            }
        }
    }

    /// The members a mapping names. A P0 around them still counts.
    fn each<'a>(&mut self, mapping: &Mapping, root: &Node<'a>, members: &[Node<'a>], around: Option<&Node<'a>>) {
        let before = self.out.events.len();
        let group = around.and_then(Node::members);
        members.iter().for_each(|member| self.object(member, group, Some((mapping, root))));
        if members.is_empty() {
            self.out.reject(RejectReason::Empty, root.raw);
        }
        let is_p0 = |parsed: &Parsed| parsed.event.severity == Severity::P0 && parsed.event.action == Action::Trigger;
        let general = items(root).map(|(items, _)| items);
        let is_told = match general {
            Some(items) => std::ptr::eq(items, members),
            // The object around them is the same message.
            None => self.out.events.iter().skip(before).any(is_p0),
        };
        if is_told {
            return;
        }
        let mut whole = Batch { source: self.source, whole: self.whole, found: 0, out: Out::default() };
        whole.general(root, None);
        let stated = |parsed: &Parsed| is_p0(parsed) && !parsed.event.flags.contains(&Flag::DefaultSeverity);
        let before = self.out.events.len();
        self.out.events.extend(whole.out.events.into_iter().filter(stated));
        self.unmapped(before);
        self.out.poison = self.out.poison.take().or(whole.out.poison);
    }

    fn unmapped(&mut self, before: usize) {
        for parsed in self.out.events.iter_mut().skip(before) {
            bounds::flag(&mut parsed.event, Flag::Unmapped);
        }
    }

    fn general(&mut self, node: &Node<'_>, with: With<'_, '_>) {
        match items(node) {
            Some((items, group)) => items.iter().for_each(|item| self.object(item, group, with)),
            None => self.object(node, None, with),
        }
    }

    fn is_pagerduty(&self, members: &Members<'_>) -> bool {
        match self.source.format {
            Some("pagerduty" | "pagerduty-change") => true,
            Some("json") => false,
            _ => pagerduty::is_event(members),
        }
    }

    /// Who calls it plain JSON means that.
    fn shaped(&self, members: &Members<'_>) -> Option<Told> {
        let is_plain = self.source.format == Some("json");
        SHAPES.iter().filter(|_| !is_plain).find_map(|read| read(self.source, members, self.whole))
    }

    fn is_prometheus(&self, members: &Members<'_>, group: Option<&Members<'_>>) -> bool {
        let has_labels = object::member(members, "labels").is_some_and(|node| node.members().is_some());
        match self.source.format {
            Some("alertmanager") => has_labels,
            Some("json") => false,
            _ => has_labels && group.is_some_and(alertmanager::is_group),
        }
    }

    fn object(&mut self, node: &Node<'_>, group: Option<&Members<'_>>, with: With<'_, '_>) {
        self.found += 1;
        if self.found > bounds::MEMBERS {
            return self.out.overflow(self.found, node.raw);
        }
        let Some(members) = node.members() else {
            return self.out.reject(RejectReason::NotAnObject { found: node.kind().to_owned() }, node.raw);
        };
        let (source, whole) = (self.source, self.whole);
        let told = if self.is_pagerduty(members) {
            let is_change = source.format == Some("pagerduty-change");
            pagerduty::event(source, members, is_change, self.found, whole).map(|it| vec![it])
        } else if let Some(told) = self.shaped(members) {
            told
        } else if self.is_prometheus(members, group) {
            Ok(vec![alertmanager::told(source, members, group, whole)])
        } else {
            Ok(vec![object::event(source, members, group, Format::Json, whole)])
        };
        let told = match with {
            Some((mapping, whole)) => self.mapped(mapping, Place { member: node, whole }, group, told),
            None => told,
        };
        match told {
            Ok(mut events) => self.out.events.append(&mut events),
            Err(faults) => self.out.reject(RejectReason::BadEvent { faults }, node.raw),
        }
    }

    /// What a mapping makes of an object, over what is found without it. What stands for several alerts stays that.
    fn mapped(&self, mapping: &Mapping, place: Place<'_, '_>, group: Option<&Members<'_>>, told: Told) -> Told {
        let (source, whole) = (self.source, self.whole);
        let general = match told.as_deref() {
            Ok([one]) => Some(one.clone()),
            Ok(_) => None,
            Err(_) => place.member.members().map(|it| object::event(source, it, group, Format::Json, whole)),
        };
        let over = general
            .filter(|_| mapping::fits(mapping, place))
            .and_then(|general| mapping::over(source, mapping, place, &general, whole));
        if let Some(parsed) = over {
            return Ok(vec![parsed]);
        }
        told.map(|mut events| {
            events.iter_mut().for_each(|parsed| bounds::flag(&mut parsed.event, Flag::Unmapped));
            events
        })
    }
}

/// The members that are one alert each, and what is around them.
fn items<'n, 'a>(node: &'n Node<'a>) -> Option<(&'n [Node<'a>], Option<&'n Members<'a>>)> {
    match &node.value {
        Value::Array(items) => Some((items, None)),
        Value::Object(members) => match &object::member(members, "alerts")?.value {
            Value::Array(items) => Some((items, Some(members))),
            _ => None,
        },
        _ => None,
    }
}

/// Where in a text of JSON the fields of events stand.
pub(super) fn origins(text: &str, events: &[Parsed]) -> Vec<Vec<FieldOrigin>> {
    let mut reader = Reader::new(text);
    let mut roots = Vec::new();
    while reader.more() && text.trim_start().starts_with(['{', '[']) {
        match reader.value() {
            Ok(root) => roots.push(root),
            Err(_) => break,
        }
    }
    let origin = |span: &FieldSpan| {
        let part = text.get(usize::try_from(span.start).ok()?..usize::try_from(span.end).ok()?)?;
        let at = roots.iter().find_map(|root| pointer::to(root, part))?;
        Some(FieldOrigin { field: span.field.clone(), at, mapped: span.mapped })
    };
    events.iter().map(|parsed| parsed.spans.iter().filter_map(origin).collect()).collect()
}
