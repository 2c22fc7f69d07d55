//! The bracketed family: `[P0][PROBLEM][host][ip][text]` and what Open-Falcon makes of it.
//!
//! Anchored left (level, status, host, ip) and right (step and time); brackets in between are never
//! balanced, because contents hold any number of them and SMS gateways cut anywhere.

use super::{
    Parsed, Source, bounds, falcon,
    fields::{self, Spans},
    time, words,
};
use shared::{Action, AlertEvent, Flag, Format, Metric, Severity};

/// A status longer than this is a sentence in brackets.
const STATUS_BYTES: usize = 64;
/// Longest carrier signature, in characters.
const SIGN_CHARS: usize = 20;

/// Which characters are structure, decided by the first bracket of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Brackets {
    Ascii,
    /// Full-width ones, mixed with ASCII as input methods do.
    Any,
}

impl Brackets {
    fn is_open(self, c: char) -> bool {
        c == '[' || (self == Self::Any && matches!(c, '【' | '［'))
    }

    fn is_close(self, c: char) -> bool {
        c == ']' || (self == Self::Any && matches!(c, '】' | '］'))
    }

    /// What follows the opening bracket the text starts with.
    fn open(self, text: &str) -> Option<&str> {
        text.strip_prefix(|c| self.is_open(c))
    }

    /// The text up to the first closing bracket, and what follows it.
    fn until_close(self, text: &str) -> Option<(&str, &str)> {
        match self {
            Self::Ascii => text.split_once(']'),
            Self::Any => text.split_once(|c| self.is_close(c)),
        }
    }

    /// The text up to the last closing bracket, and what follows it.
    fn until_last_close(self, text: &str) -> Option<(&str, &str)> {
        match self {
            Self::Ascii => text.rsplit_once(']'),
            Self::Any => text.rsplit_once(|c| self.is_close(c)),
        }
    }
}

/// The level token a message starts with.
pub(super) struct Head<'a> {
    sign: Option<&'a str>,
    level: &'a str,
    pub(super) stated: (Severity, bool),
    brackets: Brackets,
    rest: &'a str,
}

impl<'a> Head<'a> {
    /// Whether a status follows: a word that is known for one, or any before another bracket.
    fn has_status(&self) -> bool {
        let Some(inside) = self.brackets.open(self.rest.trim_start_matches(is_blank)) else { return false };
        let (status, after) = self.brackets.until_close(inside).unwrap_or((inside, ""));
        words::action(status).is_some() || self.brackets.open(after.trim_start_matches(is_blank)).is_some()
    }

    /// What follows the level.
    pub(super) fn says(&self) -> &'a str {
        self.rest.trim()
    }
}

/// Blanks as they appear inside and between fields on one line.
fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\u{a0}' | '\u{3000}' | '\u{feff}')
}

/// Reads the level token (and a carrier signature before it) at the start of a line.
pub(super) fn head(line: &str) -> Option<Head<'_>> {
    let line = line.trim_start_matches(is_blank);
    if let Some(head) = level_token(line) {
        return Some(head);
    }
    let inside = line.strip_prefix('【')?;
    let (end, _) = inside.char_indices().take(SIGN_CHARS + 1).find(|(_, c)| *c == '】')?;
    let (sign, rest) = inside.split_at_checked(end)?;
    let rest = rest.strip_prefix('】')?.trim_start_matches(is_blank);
    level_token(rest).map(|head| Head { sign: Some(sign.trim()), ..head })
}

/// `[P0]`, `【 p1 】`, `［P2］` at the very start.
pub(super) fn level_token(text: &str) -> Option<Head<'_>> {
    let brackets = match text.chars().next()? {
        '[' => Brackets::Ascii,
        '【' | '［' => Brackets::Any,
        _ => return None,
    };
    let inside = brackets.open(text)?.trim_start_matches(is_blank);
    // `P`, two digits of up to three bytes each: everything longer is text.
    let end = inside.char_indices().take(4).find(|(_, c)| is_blank(*c) || brackets.is_close(*c)).map(|(at, _)| at)?;
    let (level, rest) = inside.split_at_checked(end)?;
    let stated = words::level(level)?;
    let rest = rest.trim_start_matches(is_blank).strip_prefix(|c| brackets.is_close(c))?;
    Some(Head { sign: None, level, stated, brackets, rest })
}

/// How far into a text a message is looked for.
const SEARCHED_BYTES: usize = 4 * 1024;

/// What of a text is of this family: all of it when it begins with a level, else what begins with a level and a status behind
/// words that may be a header. A level alone may be anything there.
pub(super) fn within(text: &str) -> Option<&str> {
    if head(text).is_some() {
        return Some(text);
    }
    let near = bounds::prefix(text, SEARCHED_BYTES);
    let mut starts = near.match_indices(['[', '【', '［']).filter_map(|(at, _)| text.split_at_checked(at));
    let found = starts.find(|(before, rest)| level_token(rest).is_some_and(|it| it.has_status()) && is_header(before));
    found.map(|(_, rest)| rest)
}

/// Whether words before a message may be its sender's header. Within a quotation, a command or an assignment somebody else
/// tells of the message, and that must page nobody.
fn is_header(before: &str) -> bool {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let within_parentheses = before.matches('(').count() > before.matches(')').count();
    !before.ends_with(is_name) && !before.contains(['\'', '"', '`', '=', '{', '|', '\\']) && !within_parentheses
}

/// Where each message of a body starts: at a level token at the start of a line.
///
/// Everything before the first one is returned too; it is empty for a body of this family.
pub(super) fn split(text: &str) -> (&str, Vec<&str>) {
    let mut starts = Vec::new();
    let first = text.len() - text.trim_start().len();
    if text.get(first..).is_some_and(|line| head(line).is_some()) {
        starts.push(first);
    }
    let mut from = first;
    while let Some(newline) = text.get(from..).and_then(|rest| rest.find('\n')) {
        from += newline + 1;
        if text.get(from..).is_some_and(|line| head(line).is_some()) {
            starts.push(from);
        }
    }
    let before = starts.first().and_then(|start| text.get(..*start)).unwrap_or(text);
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    let messages = starts.iter().zip(ends).filter_map(|(start, end)| text.get(*start..end)).map(str::trim).collect();
    (before, messages)
}

/// The fields of one message, still as slices.
#[derive(Default)]
struct Shape<'a> {
    status: Option<&'a str>,
    host: &'a str,
    ip: &'a str,
    content: &'a str,
    /// Text behind the last bracket.
    tail: &'a str,
    trailer: Option<Trailer<'a>>,
    truncated: bool,
    merged: Option<Merged<'a>>,
}

struct Trailer<'a> {
    step: &'a str,
    time: &'a str,
}

struct Merged<'a> {
    count: &'a str,
    metric: &'a str,
    host: &'a str,
    link: &'a str,
}

/// Parses one message; `None` when it does not start with a level token.
pub(super) fn parse(source: &Source<'_>, message: &str, spans: Spans<'_>) -> Option<Parsed> {
    parse_from(source, message, "", spans)
}

/// The same of a message that came from a machine, which it is about unless it names one.
pub(super) fn parse_from(source: &Source<'_>, message: &str, host: &str, spans: Spans<'_>) -> Option<Parsed> {
    let head = head(message)?;
    let mut shape = shape(head.brackets, head.rest.trim());
    let is_named = !shape.host.is_empty() || !shape.ip.is_empty();
    if !is_named {
        shape.host = host;
    }
    let mut parsed = build(source, message, &head, &shape, spans);
    // Whoever logs about others may not end their own only alert by it.
    parsed.event.resolve_by_host &= is_named;
    Some(parsed)
}

fn shape(brackets: Brackets, text: &str) -> Shape<'_> {
    let mut shape = Shape::default();
    let mut rest = text;
    if let Some(inside) = brackets.open(rest) {
        match brackets.until_close(inside) {
            Some((status, after)) if status.len() <= STATUS_BYTES && !status.contains(|c| brackets.is_open(c)) => {
                shape.status = Some(status.trim());
                rest = after.trim();
            }
            None if inside.len() <= STATUS_BYTES => {
                shape.status = Some(inside.trim());
                shape.truncated = true;
                return shape;
            }
            _ => {}
        }
    }
    rest = take_trailer(brackets, rest, &mut shape);
    if brackets.open(rest).is_some() {
        take_fields(brackets, rest, &mut shape);
    } else if let Some(merged) = merged(rest).filter(|_| shape.status.is_some()) {
        shape.merged = Some(merged);
        shape.content = rest;
    } else {
        push_tail(&mut shape, rest);
    }
    shape
}

/// Text behind the brackets; the piece nearer to them wins when there are two.
fn push_tail<'a>(shape: &mut Shape<'a>, text: &'a str) {
    if !text.is_empty() {
        shape.tail = text;
    }
}

/// Splits `[O3 2026-11-21 03:10:00]` off the right end, also when it was cut.
fn take_trailer<'a>(brackets: Brackets, text: &'a str, shape: &mut Shape<'a>) -> &'a str {
    let Some(at) = text.rfind(|c| brackets.is_open(c)) else { return text };
    let Some((before, token)) = text.split_at_checked(at) else { return text };
    let before = before.trim_end();
    let inside = brackets.open(token).unwrap_or_default().trim_start();
    let (body, tail) = match brackets.until_close(inside) {
        Some((body, tail)) => (body.trim_end(), Some(tail.trim())),
        None => (inside.trim_end(), None),
    };
    let cut_here = tail.is_none() && before.ends_with(|c| brackets.is_close(c));
    if body.is_empty() && cut_here {
        shape.truncated = true;
        return before;
    }
    let Some(numbers) = body.strip_prefix(['O', 'o']) else { return text };
    let digits = numbers.bytes().take_while(u8::is_ascii_digit).count();
    let (step, time) = numbers.split_at_checked(digits).unwrap_or_default();
    let time_like = time.len() <= 24 && time.bytes().all(|b| b.is_ascii_digit() || matches!(b, b' ' | b'-' | b':'));
    let complete = time.trim().len() == "2026-11-21 03:10:00".len();
    match tail {
        Some(tail) if time_like && complete && !step.is_empty() => {
            shape.trailer = Some(Trailer { step, time: time.trim() });
            push_tail(shape, tail);
            before
        }
        None if time_like && cut_here => {
            shape.truncated = true;
            // A cut step or time would be a wrong one.
            let step = if time.is_empty() { "" } else { step };
            shape.trailer = Some(Trailer { step, time: if complete { time.trim() } else { "" } });
            before
        }
        _ => text,
    }
}

/// `[host][ip][content]`, `[host][content]`, `[host][ip]` or `[content]`.
fn take_fields<'a>(brackets: Brackets, rest: &'a str, shape: &mut Shape<'a>) {
    let Some((first, after_first)) = simple_field(brackets, rest) else {
        return take_content(brackets, rest, shape);
    };
    if brackets.open(after_first).is_none() {
        shape.content = first;
        return push_tail(shape, after_first);
    }
    shape.host = first;
    let Some((second, after_second)) = simple_field(brackets, after_first) else {
        return take_content(brackets, after_first, shape);
    };
    if brackets.open(after_second).is_some() {
        shape.ip = second;
        return take_content(brackets, after_second, shape);
    }
    if second.is_empty() || fields::address(second).is_some() {
        shape.ip = second;
    } else {
        shape.content = second;
    }
    push_tail(shape, after_second);
}

/// One closed field without brackets inside, except those of an IPv6 address.
fn simple_field(brackets: Brackets, text: &str) -> Option<(&str, &str)> {
    let inside = brackets.open(text)?.trim_start_matches(is_blank);
    if let Some(inner) = brackets.open(inside) {
        let (address, after) = brackets.until_close(inner)?;
        fields::address(address)?;
        let after = after.trim_start_matches(is_blank).strip_prefix(|c| brackets.is_close(c))?;
        return Some((address.trim(), after.trim_start()));
    }
    let (field, after) = brackets.until_close(inside)?;
    (!field.contains(|c| brackets.is_open(c))).then(|| (field.trim(), after.trim_start()))
}

/// The rest is content: minus its outer brackets, with whatever stands behind them.
fn take_content<'a>(brackets: Brackets, text: &'a str, shape: &mut Shape<'a>) {
    let Some(inside) = brackets.open(text) else { return push_tail(shape, text) };
    let Some((content, tail)) = brackets.until_last_close(inside) else {
        shape.truncated = true;
        shape.content = inside;
        return;
    };
    let tail = tail.trim();
    // The last bracket closes the content, or only something within a content that was cut.
    let count = |is: fn(Brackets, char) -> bool| inside.chars().filter(|c| is(brackets, *c)).count();
    if tail.is_empty() || count(Brackets::is_close) > count(Brackets::is_open) {
        shape.content = content;
        push_tail(shape, tail);
    } else {
        shape.truncated = true;
        shape.content = inside;
    }
}

/// `12 cpu.idle e.g. web-07 <link>`, `12 cpu.idle.  e.g. web-07. detail in email`, `12 cpu.idle`.
fn merged(text: &str) -> Option<Merged<'_>> {
    let mut words = text.split_whitespace();
    let count = words.next().filter(|word| word.len() <= 9 && word.bytes().all(|b| b.is_ascii_digit()))?;
    let metric = words.next()?;
    let metric = metric.strip_suffix('.').unwrap_or(metric);
    let mut merged = Merged { count, metric, host: "", link: "" };
    match words.next() {
        None => {}
        Some("e.g.") => {
            let host = words.next().unwrap_or_default();
            merged.host = host.strip_suffix('.').unwrap_or(host);
            merged.link = words.next().unwrap_or_default();
        }
        Some(_) => return None,
    }
    (!metric.is_empty()).then_some(merged)
}

fn build(source: &Source<'_>, message: &str, head: &Head<'_>, shape: &Shape<'_>, mut spans: Spans<'_>) -> Parsed {
    let mut event = AlertEvent::blank(Format::Bracket, head.stated.0);
    fields::set_severity(&mut event, Some(head.stated), source);
    spans.add("severity", head.level);
    set_status(&mut event, shape.status, &mut spans);
    if let Some(sign) = head.sign.filter(|sign| !sign.is_empty()) {
        bounds::label(&mut event, "sms_sign", sign);
    }
    for (set, flag) in [(shape.truncated, Flag::Truncated), (!shape.tail.is_empty(), Flag::TrailingText)] {
        if set {
            bounds::flag(&mut event, flag);
        }
    }
    set_host(&mut event, shape, &mut spans);
    let step = set_trailer(&mut event, shape, source, &mut spans);
    if let Some(merged) = &shape.merged {
        build_merged(&mut event, merged, shape.content, &mut spans);
        return Parsed { event, spans: spans.list };
    }
    match falcon::expression(shape.content) {
        Some(expression) => build_falcon(&mut event, &expression, shape, step, &mut spans),
        None => build_plain(&mut event, message, shape, &mut spans),
    }
    Parsed { event, spans: spans.list }
}

fn set_status(event: &mut AlertEvent, status: Option<&str>, spans: &mut Spans<'_>) {
    let status = status.unwrap_or_default();
    spans.add("status", status);
    event.status_raw = bounds::name(event, status);
    match words::action(status) {
        Some(action) => event.action = action,
        // Fail open: a word nobody knows pages.
        None => bounds::flag(event, Flag::UnknownStatus),
    }
}

fn set_host(event: &mut AlertEvent, shape: &Shape<'_>, spans: &mut Spans<'_>) {
    if !shape.host.is_empty() {
        spans.add("host", shape.host);
        let bare =
            shape.host.split_once('%').filter(|(host, _)| host.contains(':')).map_or(shape.host, |(host, _)| host);
        event.host = bounds::name(event, bare);
    }
    if !shape.ip.is_empty() {
        spans.add("ip", shape.ip);
        match fields::address(shape.ip) {
            Some(address) => event.ip = Some(address.to_string().into()),
            None => {
                bounds::label(event, "ip_field", shape.ip);
                bounds::flag(event, Flag::BadIp);
            }
        }
    }
}

fn set_trailer(event: &mut AlertEvent, shape: &Shape<'_>, source: &Source<'_>, spans: &mut Spans<'_>) -> Option<u32> {
    let trailer = shape.trailer.as_ref()?;
    spans.add("step", trailer.step);
    if let Some(at) = time::zoneless(trailer.time, &source.integration.time_zone) {
        spans.add("time", trailer.time);
        time::judge(event, at, false, source);
    }
    trailer.step.parse().ok()
}

fn build_merged(event: &mut AlertEvent, merged: &Merged<'_>, text: &str, spans: &mut Spans<'_>) {
    event.format = Format::Combined;
    for (field, part) in [("count", merged.count), ("metric", merged.metric), ("host", merged.host)] {
        spans.add(field, part);
    }
    bounds::set_text(event, text);
    bounds::flag(event, Flag::Merged);
    bounds::label(event, "count", merged.count);
    event.host = bounds::name(event, merged.host);
    bounds::link(event, merged.link);
    let name = bounds::name(event, merged.metric).unwrap_or_default();
    let key = format!("combined:{}:{name}", event.severity);
    event.metric = Some(Box::new(Metric { name: name.to_string(), ..Metric::default() }));
    bounds::set_key(event, key);
}

fn build_falcon(
    event: &mut AlertEvent,
    read: &falcon::Expression<'_>,
    shape: &Shape<'_>,
    step: Option<u32>,
    spans: &mut Spans<'_>,
) {
    event.format = Format::Falcon;
    spans.add("content", shape.content);
    for (field, part) in [
        ("note", read.note),
        ("func", read.func),
        ("metric", read.metric),
        ("tags", read.tags),
        ("left", read.left),
        ("op", read.op),
        ("right", read.right),
    ] {
        spans.add(field, part);
    }
    let title = [read.note, read.metric, read.tags, read.left].iter().filter(|part| !part.is_empty()).fold(
        String::with_capacity(shape.content.len()),
        |mut title, part| {
            if !title.is_empty() {
                title.push(' ');
            }
            title.push_str(part);
            title
        },
    );
    event.summary = bounds::one_line(&(title + read.op + read.right)).into();
    set_whole_content(event, shape);
    fields::find_addresses(event);
    let metric = read.to_metric(step);
    let host = event.host.as_deref().or(event.ip.as_deref()).unwrap_or_default();
    let mut key = String::with_capacity(shape.content.len() + host.len() + 16);
    key.push_str("falcon:");
    fields::push_lower(&mut key, host);
    for part in ["|", &metric.name, "|"] {
        key.push_str(part);
    }
    for (index, (tag, value)) in metric.tags.iter().enumerate() {
        for part in [if index == 0 { "" } else { "," }, tag, "=", value] {
            key.push_str(part);
        }
    }
    for part in ["|", &metric.func, "|", &metric.op, &metric.right] {
        key.push_str(part);
    }
    event.metric = Some(Box::new(metric));
    bounds::set_key(event, key);
}

/// The content as it was sent, with the text behind the brackets.
fn set_whole_content(event: &mut AlertEvent, shape: &Shape<'_>) {
    if shape.tail.is_empty() {
        bounds::set_content(event, shape.content.trim());
    } else {
        let whole = format!("{} {}", bounds::prefix(shape.content, bounds::CONTENT_BYTES), shape.tail);
        bounds::set_content(event, whole.trim());
    }
}

fn build_plain(event: &mut AlertEvent, message: &str, shape: &Shape<'_>, spans: &mut Spans<'_>) {
    spans.add("content", shape.content);
    spans.add("trailing", shape.tail);
    set_whole_content(event, shape);
    let whole = std::mem::take(&mut event.content);
    if whole.is_empty() {
        bounds::flag(event, Flag::NoContent);
        let stated = [Some(shape.host), Some(shape.ip), shape.status];
        let mut summary = String::new();
        for part in stated.into_iter().flatten().filter(|part| !part.is_empty()) {
            summary.push_str(if summary.is_empty() { "" } else { " " });
            summary.push_str(part);
        }
        bounds::set_text(event, if summary.is_empty() { message } else { &summary });
    } else {
        event.summary = bounds::one_line(&whole).into();
        if event.summary != whole {
            event.content.clone_from(&whole);
        }
    }
    fields::find_addresses(event);
    // A resolve closes by host only when the host itself was stated, not guessed from running text.
    let named = event.host.is_some() || !shape.ip.is_empty();
    event.resolve_by_host = event.action == Action::Resolve && named;
    let text = if whole.is_empty() { shape.status.unwrap_or_default() } else { &whole };
    let key = fields::folded_key(event, "host:", "", text);
    bounds::set_key(event, key);
}
