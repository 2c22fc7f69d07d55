//! JSON bodies: an object, an array of objects, `{"alerts": […]}`, or one object a line.

use super::{
    Out, Parsed, Source, Told, alerta, alertmanager, apprise, bounds, bracket, callback, cloudevents, clouds, github,
    grafana,
    json::{DEPTH, Fault, Members, Node, Reader, Value},
    kuma, mapping, nagios, netdata, nightingale, object, opsgenie, pagerduty,
    pointer::{self, Place},
    sentry, slack, sns, text, zabbix,
};
use shared::{
    Action, AlertEvent, Flag, Format, Severity, alert::FieldSpan, api::FieldOrigin, config::Mapping,
    timeline::RejectReason,
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
    grafana::read,
    github::read,
    sentry::read,
    clouds::cloudwatch,
    clouds::cloud_eye,
    clouds::cms,
];

/// Reads an object that carries what somebody else says; `None` when it does not.
type Carrier = fn(&mut Batch<'_>, &Members<'_>) -> Option<Carried>;

/// What is carried, or what is wrong with what carries it.
pub(super) type Carried = Result<Vec<Said>, Vec<String>>;

/// Those that carry messages, which are read as if they had been posted themselves.
const CARRIERS: &[Carrier] = &[cloudevents::read, sns::read];

/// So deep may messages stand in one another: an event in a notification, and an alert in that.
const NESTED: u8 = 3;

/// Reads every value of a text.
///
/// `declared` says that the sender called it JSON. Otherwise a text without a single good member is
/// taken for plain text: `false` is returned and nothing is recorded.
pub(super) fn read(source: &Source<'_>, text: &str, whole: &str, declared: bool, out: &mut Out) -> bool {
    let mut batch = Batch::new(source, whole);
    if !batch.values(text, declared) || (!declared && batch.told.is_empty()) {
        return false;
    }
    let mut result = batch.out;
    if batch.told.is_empty() && result.rejected.is_empty() {
        result.reject(RejectReason::Empty, "");
    }
    out.is_json = true;
    out.events.extend(batch.told.into_iter().map(|told| told.parsed));
    out.rejected.append(&mut result.rejected);
    out.poison = out.poison.take().or(result.poison);
    out.named = batch.named.filter(|_| batch.posted == 1);
    true
}

/// How an event came by its identity, for whoever carries it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Identity {
    /// Its sender's form has one, or it states one for the alert.
    Own,
    /// By a name that may be that of the message alone, as an `id` may be.
    Named,
    /// Of its words and its machine.
    Made,
    /// The same by a form that has a way of its own with words.
    Worded,
}

impl Identity {
    /// That of what the form of a sender gave; messages for people say by their words what they are about.
    fn of_shape(told: &[Parsed]) -> Self {
        let is_worded = |event: &AlertEvent| {
            matches!(event.format, Format::Slack | Format::Json) && event.host.is_none() && event.ip.is_none()
        };
        if !told.is_empty() && told.iter().all(|it| is_worded(&it.event)) { Self::Worded } else { Self::Own }
    }

    /// That of an event which states none. A line that names no machine is told from another one by who carries it.
    pub(super) fn unstated(event: &AlertEvent) -> Self {
        match event.format {
            Format::Json | Format::Text | Format::Sns => Self::Made,
            Format::Bracket if event.host.is_none() && event.ip.is_none() => Self::Made,
            _ => Self::Own,
        }
    }
}

/// What is read of a member of a body, or of what a member carries.
pub(super) struct Said {
    pub(super) parsed: Parsed,
    pub(super) identity: Identity,
    /// Whether others may stand beside it, whether or not any do.
    pub(super) is_listed: bool,
}

/// A body that is being read.
pub(super) struct Batch<'s> {
    pub(super) source: &'s Source<'s>,
    pub(super) whole: &'s str,
    /// Members so far, those that are carried included.
    found: usize,
    /// Of them those that were posted themselves.
    posted: usize,
    /// In how many carriers the reader is.
    nested: u8,
    named: Option<String>,
    told: Vec<Said>,
    /// What was rejected.
    out: Out,
}

/// What an object is read with: the sender's mapping, and the whole value it is in.
type With<'n, 'a> = Option<(&'n Mapping, &'n Node<'a>)>;

impl<'s> Batch<'s> {
    fn new(source: &'s Source<'s>, whole: &'s str) -> Self {
        let (told, out) = (Vec::new(), Out::default());
        Self { source, whole, found: 0, posted: 0, nested: 0, named: None, told, out }
    }

    /// Keeps what the sender calls the message that is read now; what it carries has no say in that.
    pub(super) fn name(&mut self, name: String) {
        if self.nested == 0 {
            self.named = Some(name);
        }
    }

    /// Remembers a P0 in what is refused.
    pub(super) fn suspect(&mut self, text: &str) {
        self.out.suspect(text);
    }

    /// Records what is wrong with a part of what is read all the same.
    pub(super) fn refuse(&mut self, fault: String) {
        self.out.reject(RejectReason::BadEvent { faults: vec![fault] }, "");
    }

    /// Whether the object that is read now was posted itself.
    pub(super) fn is_posted(&self) -> bool {
        self.nested == 0
    }

    /// Reads values; `false` when the first of them is no JSON and nobody says that it is.
    fn values(&mut self, text: &str, declared: bool) -> bool {
        let mut reader = Reader::new(text);
        while reader.more() {
            let start = reader.at();
            match reader.value() {
                Ok(node) => self.take(&node),
                Err(fault) => {
                    if self.told.is_empty() && !declared {
                        return false;
                    }
                    let reason = match fault {
                        Fault::Bad(what) => RejectReason::BadJson { detail: format!("{what} at {}", reader.place()) },
                        Fault::TooDeep => RejectReason::TooDeep { limit: DEPTH },
                    };
                    // In a file of lines the next line may be fine. Going on behind the fault, not behind
                    // the start, keeps this linear.
                    let next = reader.rest().find("\n{").map(|next| reader.at() + next + 1);
                    self.out.reject(reason, text.get(start..next.unwrap_or(text.len())).unwrap_or_default());
                    match next {
                        // The place costs a pass over the text, so a body gets only a few of them.
                        Some(next) if self.out.rejected.len() < 16 => reader.seek(next),
                        Some(_) | None => break,
                    }
                }
            }
        }
        if reader.dirty {
            self.told.iter_mut().for_each(|said| bounds::flag(&mut said.parsed.event, Flag::ControlCharacters));
        }
        true
    }

    /// What a text says that the object read now carries: JSON, messages of the bracketed family, or anything else. It is read,
    /// and what is wrong with it is recorded, as if it had been posted itself.
    pub(super) fn carried(&mut self, text: &str) -> Vec<Said> {
        let start = text.trim_start();
        if start.is_empty() {
            return Vec::new();
        }
        let before = std::mem::take(&mut self.told);
        // Too deep, it is a text, in which a P0 is still seen.
        let is_json = bracket::head(start).is_none() && start.starts_with(['{', '[']) && self.nested < NESTED;
        if !is_json || !self.carried_json(text) {
            self.carried_lines(text);
        }
        std::mem::replace(&mut self.told, before)
    }

    /// `false` when it is no JSON, or none that could be an event.
    fn carried_json(&mut self, text: &str) -> bool {
        let (found, rejected, had_poison) = (self.found, self.out.rejected.len(), self.out.poison.is_some());
        // What is carried takes the place of what carries it.
        self.found = found.saturating_sub(1);
        self.nested += 1;
        let is_read = self.values(text, false);
        self.nested -= 1;
        let is_object = |reason: &RejectReason| !matches!(reason, RejectReason::NotAnObject { .. });
        let is_event = !self.told.is_empty() || self.out.rejected.iter().skip(rejected).any(is_object);
        self.found = self.found.max(found);
        if is_read && is_event {
            return true;
        }
        self.found = found;
        self.out.rejected.truncate(rejected);
        if !had_poison {
            self.out.poison = None;
        }
        false
    }

    fn carried_lines(&mut self, text: &str) {
        let mut read = Out::default();
        text::lines(self.source, text, self.whole, &mut read);
        // The first one takes the place of what carries it.
        let room = (bounds::MEMBERS + 1).saturating_sub(self.found);
        let found = self.found + read.events.len().saturating_sub(1);
        if read.events.len() > room {
            read.events.truncate(room);
            self.out.overflow(found, text);
        }
        self.out.rejected.append(&mut read.rejected);
        self.out.poison = self.out.poison.take().or(read.poison);
        self.found = found;
        self.told.extend(read.events.into_iter().map(|parsed| {
            // A line may stand among others tomorrow.
            let is_listed = parsed.event.format != Format::Text;
            Said { identity: Identity::unstated(&parsed.event), parsed, is_listed }
        }));
    }

    fn take(&mut self, node: &Node<'_>) {
        // A mapping is of what is posted, in which what is carried stands.
        let mapping = self.source.integration.mapping.as_deref().filter(|_| self.is_posted());
        let Some(mapping) = mapping else { return self.general(node, None) };
        let Some(each) = mapping.each.as_deref() else { return self.general(node, Some((mapping, node))) };
        let each = each.strip_prefix('$').unwrap_or(each);
        let around = pointer::around(node, each);
        match pointer::at(node, each).map(|found| (&found.value, found)) {
            Some((Value::Array(items), _)) => self.each(mapping, node, items, around),
            Some((Value::Object(_), found)) => self.each(mapping, node, std::slice::from_ref(found), around),
            _ => {
                let before = self.told.len();
                self.general(node, None);
                self.unmapped(before);
            }
        }
    }

    /// The members a mapping names. A P0 around them still counts.
    fn each<'a>(&mut self, mapping: &Mapping, root: &Node<'a>, members: &[Node<'a>], around: Option<&Node<'a>>) {
        let before = self.told.len();
        let group = around.and_then(Node::members);
        members.iter().for_each(|member| self.object(member, group, Some((mapping, root)), true));
        if members.is_empty() {
            self.out.reject(RejectReason::Empty, root.raw);
        }
        if items(root).is_some_and(|(items, _)| std::ptr::eq(items, members)) {
            return;
        }
        let mut whole = Batch::new(self.source, self.whole);
        whole.general(root, None);
        let told: Vec<_> = self.told.iter().skip(before).filter(|it| is_p0(it)).filter_map(level_at).collect();
        whole.told.retain(|it| {
            let is_stated = is_p0(it) && !it.parsed.event.flags.contains(&Flag::DefaultSeverity);
            // What its members took their level from is said.
            is_stated && !level_at(it).is_some_and(|at| told.contains(&at))
        });
        let before = self.told.len();
        self.told.append(&mut whole.told);
        self.unmapped(before);
        self.out.poison = self.out.poison.take().or(whole.out.poison);
    }

    fn unmapped(&mut self, before: usize) {
        for said in self.told.iter_mut().skip(before) {
            bounds::flag(&mut said.parsed.event, Flag::Unmapped);
        }
    }

    fn general(&mut self, node: &Node<'_>, with: With<'_, '_>) {
        match items(node) {
            Some((items, group)) => items.iter().for_each(|item| self.object(item, group, with, true)),
            None => self.object(node, None, with, false),
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

    /// What it carries for somebody else.
    fn carriers(&mut self, members: &Members<'_>) -> Option<Carried> {
        let is_plain = self.source.format == Some("json");
        CARRIERS.iter().filter(|_| !is_plain).find_map(|read| read(self, members))
    }

    fn object(&mut self, node: &Node<'_>, group: Option<&Members<'_>>, with: With<'_, '_>, is_listed: bool) {
        self.found += 1;
        if self.nested == 0 {
            self.posted += 1;
        }
        if self.found > bounds::MEMBERS {
            return self.out.overflow(self.found, node.raw);
        }
        let Some(members) = node.members() else {
            return self.out.reject(RejectReason::NotAnObject { found: node.kind().to_owned() }, node.raw);
        };
        let (source, whole) = (self.source, self.whole);
        let mut identity = Identity::Own;
        // How what is carried came by its identity, and whether it stands in a list.
        let mut inner = (Identity::Own, false);
        let told = if self.is_pagerduty(members) {
            let is_change = source.format == Some("pagerduty-change");
            pagerduty::event(source, members, is_change, self.found, whole).map(|it| vec![it])
        } else if let Some(carried) = self.carriers(members) {
            carried.map(|said| {
                inner = said.first().map_or(inner, |it| (it.identity, it.is_listed));
                said.into_iter().map(|it| it.parsed).collect()
            })
        } else if let Some(mut told) = self.shaped(members) {
            told.iter_mut().for_each(|told| keep_p0(members, told));
            identity = told.as_deref().map_or(identity, Identity::of_shape);
            told
        } else if self.is_prometheus(members, group) {
            Ok(vec![alertmanager::told(source, members, group, whole)])
        } else {
            let parsed = object::event(source, members, group, Format::Json, whole);
            identity = object::identity(members, &parsed.event);
            Ok(vec![parsed])
        };
        let told = match with {
            Some((mapping, whole)) => self.mapped(mapping, Place { member: node, whole }, group, inner, told),
            None => told,
        };
        match told {
            Ok(events) => {
                self.told.extend(events.into_iter().map(|parsed| Said { parsed, identity, is_listed }));
            }
            Err(faults) => self.out.reject(RejectReason::BadEvent { faults }, node.raw),
        }
    }

    /// What a mapping makes of an object, over what is found without it. What stands for several alerts stays that.
    fn mapped(
        &mut self,
        mapping: &Mapping,
        place: Place<'_, '_>,
        group: Option<&Members<'_>>,
        (identity, is_listed): (Identity, bool),
        told: Told,
    ) -> Told {
        let (source, whole) = (self.source, self.whole);
        let general = match told.as_deref() {
            Ok([one]) if !is_listed => Some(one.clone()),
            Ok(_) => None,
            Err(_) => place.member.members().map(|it| object::event(source, it, group, Format::Json, whole)),
        };
        let over = general
            .filter(|_| mapping::fits(mapping, place))
            .and_then(|general| mapping::over(source, mapping, place, &general, identity, whole));
        if let Some(parsed) = over {
            if told.is_err() && parsed.event.severity != Severity::P0 {
                // What its sender's own form refuses may hold more than was mapped.
                self.out.suspect(place.member.raw);
            }
            return Ok(vec![parsed]);
        }
        told.map(|mut events| {
            events.iter_mut().for_each(|parsed| bounds::flag(&mut parsed.event, Flag::Unmapped));
            events
        })
    }
}

/// A P0 that is written by its name stays one, although the form of its sender has no such member.
fn keep_p0(members: &Members<'_>, told: &mut [Parsed]) {
    let mut triggers =
        told.iter_mut().map(|it| &mut it.event).filter(|event| event.action == Action::Trigger).peekable();
    if triggers.peek().is_none() || !object::writes_p0(members, None) {
        return;
    }
    for event in triggers.filter(|event| event.severity != Severity::P0) {
        event.severity = Severity::P0;
        event.flags.retain(|flag| *flag != Flag::DefaultSeverity);
        bounds::flag(event, Flag::UrgentAnyway);
    }
}

fn is_p0(said: &Said) -> bool {
    said.parsed.event.severity == Severity::P0 && said.parsed.event.action == Action::Trigger
}

/// Where the level stands that an event was given; without a place of its own, the text that says it.
fn level_at(said: &Said) -> Option<(u32, u32)> {
    let of = |name: &str| said.parsed.spans.iter().find(|span| span.field == name).map(|span| (span.start, span.end));
    of("severity").or_else(|| of("summary"))
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
