//! Mail: the subject says what it is about, and how that stands; the text says the rest.
//!
//! A line of the bracketed family counts in the subject and at the beginning of a line of the text. The text never makes milder
//! or ends what the subject says. What answers a mail (a bounce, an absence note, somebody's reply) is kept and pages nobody.

use super::{Out, Parsed, Source, bounds, bracket, fields, fields::Spans, fold, nagios, slack, text, words};
use shared::{Action, AlertEvent, Flag, Format, Severity, timeline::RejectReason};

/// The content type under which a mail is stored: what is read of it, in UTF-8.
pub const MAIL: &str = "text/x-mail";

/// How much of a text is searched for fields.
const FIELDS_BYTES: usize = 8 * 1024;
/// Prefixes that mailers put before the subject of what is answered, and of what is sent on.
const ANSWERED: [&str; 6] = ["re:", "aw:", "sv:", "回复:", "回复：", "答复:"];
const SENT_ON: [&str; 6] = ["fwd:", "fw:", "wg:", "转发:", "转发：", "tr:"];
const HOSTS: [&str; 8] = ["host", "hostname", "host name", "instance", "node", "endpoint", "主机", "主机名"];
const IPS: [&str; 5] = ["address", "ip", "host ip", "ip address", "host address"];
const SERVICES: [&str; 2] = ["service", "job"];
const LEVELS: [&str; 7] = ["severity", "priority", "level", "state", "级别", "告警级别", "严重性"];

/// A mail as it is kept: without those to whom it was sent, whose addresses are secret here, and without what is attached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mail {
    pub from: String,
    pub subject: String,
    /// As the sender writes it.
    pub date: String,
    /// The names of what is attached.
    pub attachments: Vec<String>,
    /// That it answers another mail, and how.
    pub answer: Option<Answer>,
    pub text: String,
}

/// A mail that another mail caused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// By a machine: an absence note.
    Automatic,
    /// It could not be delivered.
    Bounce,
    /// By somebody who replied.
    Reply,
}

impl Answer {
    const ALL: [Self; 3] = [Self::Automatic, Self::Bounce, Self::Reply];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Automatic => "automatic",
            Self::Bounce => "bounce",
            Self::Reply => "reply",
        }
    }
}

impl Mail {
    /// As it is stored: a field a line, an empty line, and the text.
    #[must_use]
    pub fn write(&self) -> String {
        let answer = self.answer.map(Answer::as_str).unwrap_or_default();
        let fields = [("From", &*self.from), ("Date", &*self.date), ("Answer", answer), ("Subject", &*self.subject)];
        let attached = self.attachments.iter().map(|name| ("Attached", name.as_str()));
        let mut written = String::new();
        for (name, value) in fields.into_iter().chain(attached) {
            let value = value.split_whitespace().collect::<Vec<_>>().join(" ");
            if !value.is_empty() {
                written.push_str(name);
                written.push_str(": ");
                written.push_str(&value);
                written.push('\n');
            }
        }
        written.push('\n');
        written.push_str(&self.text.replace("\r\n", "\n"));
        written
    }
}

/// The same as it is read, in its own text.
#[derive(Default)]
struct Read<'t> {
    from: &'t str,
    subject: &'t str,
    date: &'t str,
    attached: Vec<&'t str>,
    answer: Option<Answer>,
    text: &'t str,
}

impl<'t> Read<'t> {
    fn of(whole: &'t str) -> Self {
        let mut read = Self::default();
        let mut rest = whole;
        while let Some((line, after)) = rest.split_once('\n') {
            rest = after;
            if line.is_empty() {
                break;
            }
            match line.split_once(": ") {
                Some(("From", value)) => read.from = value,
                Some(("Date", value)) => read.date = value,
                Some(("Subject", value)) => read.subject = value,
                Some(("Attached", value)) => read.attached.push(value),
                Some(("Answer", value)) => read.answer = Answer::ALL.into_iter().find(|it| it.as_str() == value),
                _ => {}
            }
        }
        read.text = rest.trim();
        read
    }

    /// The values of fields in the text: `Host: db-07`, `severity = critical`.
    fn named(&self, names: &'static [&'static str]) -> impl Iterator<Item = &'t str> {
        let lines = bounds::prefix(self.text, FIELDS_BYTES).lines();
        lines.filter_map(move |line| {
            let (name, value) = line.split_once([':', '=', '：'])?;
            let name = name.trim_matches(|c: char| !c.is_alphanumeric());
            let value = value.trim_matches(|c: char| c.is_whitespace() || matches!(c, '*' | '"'));
            (names.iter().any(|it| it.eq_ignore_ascii_case(name)) && !value.is_empty()).then_some(value)
        })
    }

    /// The one value of such fields; several are of several things.
    fn only(&self, names: &'static [&'static str]) -> Option<&'t str> {
        let mut all = self.named(names);
        let first = all.next()?;
        all.all(|other| other == first).then_some(first)
    }
}

/// Whether a body is a mail, as it was stored.
pub(super) fn is_mail(source: &Source<'_>) -> bool {
    source.format.is_none() && source.content_type == Some(MAIL)
}

/// Whether a subject is that of a reply.
#[must_use]
pub fn is_reply(subject: &str) -> bool {
    let subject = subject.trim_start();
    ANSWERED.iter().any(|prefix| without(subject, prefix).is_some())
}

/// Makes events of a mail.
pub(super) fn read(source: &Source<'_>, whole: &str, out: &mut Out) {
    let mail = Read::of(whole);
    if mail.subject.is_empty() && mail.text.is_empty() {
        return out.reject(RejectReason::Empty, "");
    }
    let subject = bare(mail.subject);
    if let Some(answer) = mail.answer {
        let mut parsed = event(source, &mail, subject, whole);
        // Whatever it quotes.
        (parsed.event.action, parsed.event.severity) = (Action::Change, Severity::P5);
        bounds::label(&mut parsed.event, "answer", answer.as_str());
        return out.events.push(parsed);
    }
    let spans = || Spans::new(whole);
    let mut found: Vec<Parsed> = Vec::new();
    let own = bracket::within(subject).and_then(|line| bracket::parse(source, line, spans()));
    let headed = own.as_ref().map(|it| (it.event.dedup_key.clone(), it.event.action));
    let said = stand(subject).filter(|it| it.rest.contains(char::is_alphanumeric) && headed.is_none());
    let action = headed.as_ref().map(|(_, action)| *action).or(said.map(|it| it.action));
    let is_problem = action == Some(Action::Trigger);
    if let Some(mut parsed) = own {
        tell(&mut parsed.event, &mail);
        found.push(parsed);
    }
    let (_, lines) = bracket::split(mail.text);
    let count = lines.len();
    for (at, line) in lines.into_iter().enumerate() {
        if at >= bounds::MEMBERS - 2 {
            out.overflow(count, line);
            break;
        }
        // What is written below a line that is whole is not of it.
        let own = line.lines().next().filter(|own| own.trim_end().ends_with([']', '】', '］']));
        let Some(mut parsed) = bracket::parse(source, own.unwrap_or(line), spans()) else { continue };
        let (key, action, severity) = (&parsed.event.dedup_key, parsed.event.action, parsed.event.severity);
        let last = found.iter().rev().map(|it| &it.event).find(|it| it.dedup_key == *key);
        let is_told = last.is_some_and(|last| last.action == action && last.severity <= severity);
        // A recovery quotes its problem; whose problem it is that goes on, its text does not end.
        let is_quoted = headed.as_ref().is_some_and(|(own, action)| own == key && *action == Action::Resolve);
        let would_end = is_problem && action == Action::Resolve;
        if !is_told && !is_quoted && !would_end {
            describe(&mut parsed.event, &mail);
            found.push(parsed);
        }
    }
    // What the subject says counts unless a line says at least as much.
    let is_stated = is_problem || text::level_anywhere(subject).is_some();
    if found.is_empty() || (is_stated && headed.is_none()) {
        let of_subject = event(source, &mail, subject, whole);
        let worst = of_subject.event.severity;
        if !found.iter().any(|it| it.event.action == Action::Trigger && it.event.severity <= worst) {
            found.insert(0, of_subject);
        }
    }
    out.events.append(&mut found);
}

fn without<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    let (head, rest) = text.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then(|| rest.trim_start())
}

/// A subject without what mailers put before it.
fn bare(subject: &str) -> &str {
    let mut subject = subject.trim();
    while let Some(rest) = ANSWERED.iter().chain(&SENT_ON).find_map(|prefix| without(subject, prefix)) {
        subject = rest;
    }
    subject
}

/// The text of a mail whose subject is a line.
fn tell(event: &mut AlertEvent, mail: &Read<'_>) {
    if !mail.text.is_empty() {
        let both =
            if event.content.is_empty() { mail.text.to_owned() } else { format!("{}\n{}", event.content, mail.text) };
        bounds::set_content(event, &both);
    }
    describe(event, mail);
}

fn describe(event: &mut AlertEvent, mail: &Read<'_>) {
    let attached = mail.attached.join(", ");
    // As with syslog the sender's clock decides nothing.
    for (name, value) in [("from", mail.from), ("sent_at", mail.date), ("attached", attached.as_str())] {
        if !value.is_empty() {
            bounds::label(event, name, value);
        }
    }
}

/// How something stands, as a subject says.
struct Stand<'t> {
    action: Action,
    /// The sender's own word.
    word: &'t str,
    /// The state at its end.
    state: &'t str,
    severity: Option<Severity>,
    /// What it is about.
    rest: &'t str,
}

/// `** PROBLEM Service Alert: db-07/disk is CRITICAL **`, `[FIRING:1] …`, `Resolved in 5m: …`, `…is OK`.
fn stand(subject: &str) -> Option<Stand<'_>> {
    let is_starred = subject.starts_with("**");
    let subject = subject.trim_matches(['*', ' ', '!']);
    let (about, state) = match subject.rsplit_once(" is ") {
        Some((about, state @ ("OK" | "UP" | "CRITICAL" | "DOWN" | "WARNING" | "UNKNOWN" | "UNREACHABLE"))) => {
            (about, state)
        }
        _ => (subject, ""),
    };
    let severity = nagios::severity(state).filter(|_| !matches!(state, "OK" | "UP"));
    let ends_well = matches!(state, "OK" | "UP");
    let starred = about.split_once(' ').filter(|(word, _)| is_starred && word.bytes().all(|b| b.is_ascii_uppercase()));
    if let Some((word, rest)) = starred {
        return Some(Stand { action: nagios::action(word, state), word, state, severity, rest });
    }
    let resolved = without(about, "resolved in ").and_then(|rest| rest.split_once(": "));
    if let Some((_, rest)) = resolved {
        return Some(Stand { action: Action::Resolve, word: "Resolved", state, severity, rest });
    }
    let full_width = about.strip_prefix('【').and_then(|inside| inside.split_once('】'));
    let full_width = full_width.and_then(|(word, rest)| Some((words::action(word)?, word, rest.trim_start())));
    if let Some((action, word, rest)) = full_width.or_else(|| slack::state(about)) {
        let rest = match word {
            // What the alerts of a group have in common changes with them.
            "FIRING" | "RESOLVED" => rest.split_once(" (").map_or(rest, |(group, _)| group),
            _ => rest,
        };
        return Some(Stand { action, word, state, severity, rest });
    }
    let action = if ends_well { Action::Resolve } else { Action::Trigger };
    (!state.is_empty()).then_some(Stand { action, word: state, state, severity, rest: about })
}

/// Anything but a line.
fn event(source: &Source<'_>, mail: &Read<'_>, subject: &str, whole: &str) -> Parsed {
    let mut event = AlertEvent::blank(Format::Mail, source.integration.default_severity);
    let mut spans = Spans::new(whole);
    let title = if subject.is_empty() { mail.text } else { subject };
    event.summary = bounds::one_line(title).into();
    bounds::set_content(&mut event, mail.text);
    spans.add("summary", subject);
    spans.add("content", mail.text);
    let stand = stand(subject).filter(|it| it.rest.contains(char::is_alphanumeric));
    if let Some(stand) = &stand {
        event.action = stand.action;
        event.status_raw = bounds::name(&mut event, stand.word);
        spans.add("status", stand.word);
    }
    if let Some(host) = mail.only(&HOSTS) {
        event.host = bounds::name(&mut event, &fields::bare_host(host));
        spans.add("host", host);
    }
    let address = mail.only(&IPS).and_then(fields::address);
    event.ip = address.map(|ip| ip.to_string().into());
    event.service = mail.only(&SERVICES).and_then(|service| bounds::name(&mut event, service));
    let named = event.host.is_some();
    fields::find_addresses(&mut event);
    severity(&mut event, mail, subject, stand.as_ref(), source);
    describe(&mut event, mail);
    let mut key = String::from("mail:");
    fields::push_lower(&mut key, mail.from);
    key.push('|');
    if let Some(host) = event.host.as_deref().filter(|_| named) {
        fields::push_lower(&mut key, host);
        key.push('|');
    }
    match &stand {
        // It says by itself how it stands, so the rest is a name: `PSU 1` is not `PSU 2`.
        Some(stand) => fold::labels(stand.rest, &mut key),
        None => fold::fold(bounds::one_line(title).as_str(), &mut key),
    }
    bounds::set_key(&mut event, key);
    event.flags.retain(|flag| *flag != Flag::NoContent);
    Parsed { event, spans: spans.list }
}

/// A level in the subject or the text, the worst; then words: of the state, of a field, and in the parentheses that end the
/// subjects of Alertmanager and Grafana.
fn severity(event: &mut AlertEvent, mail: &Read<'_>, subject: &str, stand: Option<&Stand<'_>>, source: &Source<'_>) {
    let levels = [text::worst_level(subject), text::worst_level(mail.text)];
    let fields = mail.named(&LEVELS).filter_map(|value| words::level(value.split_whitespace().next()?));
    let stated = levels.into_iter().flatten().chain(fields).min_by_key(|(level, _)| *level);
    if stated.is_some() {
        return fields::set_severity(event, stated, source);
    }
    let of_word = |word: &'_ str| Some((words::severity(word)?, word.to_owned()));
    let first = |text: &'_ str| text.split(|c: char| !c.is_alphanumeric()).find(|it| !it.is_empty()).and_then(of_word);
    let of_fields = mail.named(&LEVELS).filter_map(first);
    let of_state = stand.and_then(|stand| Some((stand.severity?, stand.state.to_owned())));
    let is_listed = stand.is_some_and(|stand| matches!(stand.word, "FIRING" | "RESOLVED"));
    let inner = subject.trim_end().strip_suffix(')').and_then(|text| text.rsplit_once('(')).filter(|_| is_listed);
    let listed = inner.into_iter().flat_map(|(_, inner)| inner.split_whitespace()).filter_map(of_word);
    let found = of_state.into_iter().chain(of_fields).chain(listed).min_by_key(|(level, _)| *level);
    if let Some((_, word)) = &found {
        event.severity_word = bounds::name(event, word);
    }
    fields::set_severity(event, found.map(|(level, _)| (level, false)), source);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn spaced(text: &str) -> String {
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    proptest! {
        /// What is stored comes back, and nothing in a field can be taken for another one or for the text.
        #[test]
        fn what_is_written_is_read(from in "[a-z@.\n: ]{0,20}", subject in "(\\PC|\n|: ){0,60}", text in "(\\PC|\n){0,120}", attached in prop::collection::vec("[a-z\n.]{1,9}", 0..4)) {
            let mail = Mail { from, subject, text, answer: Some(Answer::Bounce), attachments: attached, ..Mail::default() };
            let written = mail.write();
            let read = Read::of(&written);
            prop_assert_eq!((read.from, read.subject), (&*spaced(&mail.from), &*spaced(&mail.subject)));
            prop_assert_eq!((read.text, read.answer, read.date), (mail.text.trim(), Some(Answer::Bounce), ""));
            let attached = mail.attachments.iter().map(|name| spaced(name)).filter(|name| !name.is_empty());
            prop_assert_eq!(read.attached, attached.collect::<Vec<_>>());
        }
    }
}
