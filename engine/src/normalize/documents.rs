//! JSON bodies: an object, an array of objects, `{"alerts": […]}`, or one object a line.

use super::{
    Out, Source, Told, alerta, alertmanager, apprise, bounds, callback,
    json::{DEPTH, Fault, Members, Node, Reader, Value},
    kuma, nagios, netdata, nightingale, object, opsgenie, pagerduty, slack, zabbix,
};
use shared::{Flag, Format, timeline::RejectReason};

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

impl Batch<'_> {
    fn take(&mut self, node: &Node<'_>) {
        match &node.value {
            Value::Array(items) => items.iter().for_each(|item| self.object(item, None)),
            Value::Object(members) => match object::member(members, "alerts").map(|node| &node.value) {
                Some(Value::Array(items)) => items.iter().for_each(|item| self.object(item, Some(members))),
                _ => self.object(node, None),
            },
            _ => self.object(node, None),
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

    fn object(&mut self, node: &Node<'_>, group: Option<&Members<'_>>) {
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
        match told {
            Ok(mut events) => self.out.events.append(&mut events),
            Err(faults) => self.out.reject(RejectReason::BadEvent { faults }, node.raw),
        }
    }
}
