//! Messages for an incoming webhook of Slack, Mattermost or Rocket.Chat: the lowest common denominator of what can send.
//!
//! They are written for people, so an alert is found in them only where it is stated: a level token, a state at the start of
//! the title (`[RESOLVED] …`), a field named so, the three colours that Slack has words for. Members are those of Slack's
//! documentation of incoming webhooks, of message attachments and of Block Kit.

mod said;

use self::said::{LEVELS, Part, Said};
use super::{
    Parsed, Source, Told, bounds, bracket,
    fields::{self, Spans},
    fold,
    json::{Members, Node, Value},
    netdata,
    object::{self, Fields, filled, member, place},
    time, words,
};
use shared::{Action, AlertEvent, Flag, Format, Severity};
use std::borrow::Cow;

/// What only such a message has beside its text.
const OWN: [&str; 7] = ["username", "channel", "icon_url", "icon_emoji", "mrkdwn", "link_names", "unfurl_links"];
/// Words before a colon longer than this are a sentence.
const WORD_BYTES: usize = 24;

/// Reads a message that is known by its shape, or by the address it came to (the server wraps it then).
pub(super) fn read(source: &Source<'_>, members: &Members<'_>, whole: &str) -> Option<Told> {
    let wrapped = member(members, "slack").and_then(Node::members).filter(|_| members.len() == 1);
    let is_message =
        source.format == Some("slack") || (is_message(members) && !object::says_itself(members, &["alias"]));
    let members = wrapped.or_else(|| is_message.then_some(members))?;
    Some(events(source, members, whole))
}

/// The objects of a list.
fn objects<'n, 'a>(node: Option<&'n Node<'a>>) -> impl Iterator<Item = &'n Members<'a>> {
    let items =
        node.map(|node| &node.value).map(|value| if let Value::Array(items) = value { items.as_slice() } else { &[] });
    items.unwrap_or_default().iter().filter_map(Node::members)
}

fn is_message(members: &Members<'_>) -> bool {
    let has = |name| member(members, name).is_some();
    let is_attachment = |it: &Members<'_>| {
        let names = ["fallback", "color", "title", "text", "pretext", "fields", "blocks"];
        names.iter().any(|name| member(it, name).is_some())
    };
    objects(member(members, "attachments")).any(is_attachment)
        || objects(member(members, "blocks")).any(|it| member(it, "type").is_some())
        || (has("text") && OWN.into_iter().any(has))
}

fn events(source: &Source<'_>, members: &Members<'_>, whole: &str) -> Told {
    let mut said = Said::of(members);
    let labels: Vec<_> = said.fields().filter(|(_, value)| !value.is_empty()).cloned().collect();
    let links = std::mem::take(&mut said.links);
    let mut told = lines(source, &mut said, whole);
    if said.texts().next().is_none() {
        said.tell_fields();
    }
    if said.texts().next().is_some() {
        told.push(event(source, members, &said, whole));
    }
    if told.is_empty() {
        // Whoever puts something else here means to say something by it.
        let says = |(name, node): &(Cow<'_, str>, Node<'_>)| {
            let is_list = matches!(&node.value, Value::Array(items) if !items.is_empty());
            !OWN.contains(&name.as_ref()) && (is_list || node.members().is_some() || filled(node).is_some())
        };
        if !members.iter().any(says) {
            return Err(vec!["no_text".to_owned()]);
        }
        told.push(object::event(source, members, None, Format::Slack, whole));
    }
    for Parsed { event, .. } in &mut told {
        labels.iter().for_each(|(name, value)| bounds::label(event, name, value));
        for name in ["channel", "username"] {
            member(members, name).and_then(filled).into_iter().for_each(|value| bounds::label(event, name, value));
        }
        links.iter().for_each(|url| bounds::link(event, url));
    }
    Ok(told)
}

/// The lines of the bracketed family, each of which says what it says. Of all else that stays in `said` which is a problem of its
/// own: a part without lines that states one, or a level that is worse than those of the lines beside it.
fn lines(source: &Source<'_>, said: &mut Said<'_, '_>, whole: &str) -> Vec<Parsed> {
    let mut told: Vec<Parsed> = Vec::new();
    let mut kept = Vec::new();
    let is_over_all = said.is_all_green_below();
    for (at, mut part) in std::mem::take(&mut said.parts).into_iter().enumerate() {
        let (before, is_over) = (told.len(), part.color == Some("good") || (at == 0 && is_over_all));
        let is_over = is_over || matches!(part.state_of_field(), Some((Action::Resolve, _)));
        let found = part.texts.iter().filter(|text| is_line(text)).flat_map(|text| bracket::split(text).1);
        for line in found.take(bounds::MEMBERS - before.min(bounds::MEMBERS)) {
            let Some(mut parsed) = bracket::parse(source, line, Spans::new(whole)) else { continue };
            let words = bracket::head(line).map(|head| head.says()).unwrap_or_default();
            let is_over = is_over || matches!(state(words), Some((Action::Resolve, ..)));
            if is_over && !is_trigger(words) && !part.is_bad() {
                object::settle(&mut parsed.event, Action::Resolve);
            }
            told.push(parsed);
        }
        let worst = told.get(before..).unwrap_or_default().iter().map(|it| it.event.severity).min();
        if worst.is_some() {
            part.title = part.title.filter(|(_, title)| !is_line(title));
            part.texts.retain(|text| !is_line(text));
            part.fields.clear();
            part.color = None;
        }
        let level = part.level().map(|(level, _)| level);
        let has_words = worst.is_none() && part.texts.iter().any(|text| !is_bare(text));
        // Fields without words may be those of a line above.
        let above = worst.or_else(|| told.iter().map(|it| it.event.severity).min());
        let is_worse = level.is_some_and(|level| above.is_none_or(|above| level < above));
        let is_stated = level.is_some() || part.texts.iter().any(|text| is_trigger(text));
        let is_own = is_worse || (has_words && (is_stated || (part.is_red() && part.title.is_some())));
        kept.push((is_own, part));
    }
    let is_alone = told.is_empty();
    // The first stays the message's own.
    said.parts =
        kept.into_iter().map(|(is_own, part)| if is_own || is_alone { part } else { Part::default() }).collect();
    told
}

fn is_line(text: &str) -> bool {
    bracket::head(text).is_some_and(|head| head.says().contains(char::is_alphanumeric))
}

/// A level and nothing else.
fn is_bare(text: &str) -> bool {
    bracket::head(text).is_some() && !is_line(text)
}

fn event(source: &Source<'_>, members: &Members<'_>, said: &Said<'_, '_>, whole: &str) -> Parsed {
    let mut spans = Spans::new(whole);
    let mut event = AlertEvent::blank(Format::Slack, source.integration.default_severity);
    let first = said.texts().find(|text| !is_bare(text)).or_else(|| said.texts().next()).unwrap_or_default();
    let titled = said.parts.iter().find_map(|part| part.title.as_ref());
    let title = titled.map_or(first, |(_, title)| title);
    // Of several that are told of in one message, what burns comes first.
    let burning = burning(said, title, first);
    let is_over = burning.is_none() && is_over(said, title, first);
    let title = burning.unwrap_or(title);
    let node = titled.map(|(node, _)| *node).or_else(|| member(members, "text"));
    node.into_iter().for_each(|node| spans.add("summary", place(node)));
    let line = bounds::one_line(title);
    event.summary = match line.trim_matches(['*', '_', '`', ' ']) {
        "" => line.as_str().into(),
        bare => bare.into(),
    };
    let texts: Vec<&str> = said.texts().collect();
    if texts.as_slice() != [line.as_str()] {
        bounds::set_content(&mut event, &texts.join("\n"));
    }
    event.action = if is_over { Action::Resolve } else { Action::Trigger };
    let stated = said.state(title).or_else(|| said.state(first)).filter(|(action, ..)| *action == event.action);
    let of_field = || said.states().find(|(action, _)| *action == event.action).map(|(_, word)| word);
    event.status_raw =
        stated.map(|(_, word, _)| word).or_else(of_field).and_then(|word| bounds::name(&mut event, word));
    set_severity(&mut event, said, stated.is_some(), source);
    // The machine is that of the part which the title is of, where another is named, too.
    let is_own = |part: &&Part<'_, '_>| part.head() == Some(title);
    let (own, others): (Vec<_>, Vec<_>) = said.parts.iter().partition(is_own);
    let fields = others.iter().chain(&own).flat_map(|part| &part.fields);
    let pairs: Members<'_> = fields.map(|(name, value)| (Cow::Borrowed(name.as_str()), said_as(value))).collect();
    let none = Members::new();
    object::set_machine(&mut event, &Fields::of(&none, Some(&pairs)), &mut spans);
    let of = |name| member(members, name).and_then(filled);
    let netdata = of("username").or_else(|| of("alias")).and_then(|name| name.strip_prefix("netdata on "));
    match (netdata, said.fields().next()) {
        (Some(host), Some((chart, _))) => {
            event.host = bounds::name(&mut event, host);
            bounds::label(&mut event, "chart", chart);
            bounds::set_key(&mut event, netdata::key(host, chart, netdata::name(title)));
        }
        _ => set_key(&mut event, title, &texts),
    }
    fields::find_addresses(&mut event);
    if let Some(at) = said.at.and_then(|text| time::any(text, &source.integration.time_zone)) {
        time::judge(&mut event, at, false, source);
    }
    Parsed { event, spans: spans.list }
}

/// Whether a text begins with a problem; `*Alert:* disk is full` only names one, as many templates do in recoveries, too.
fn is_trigger(text: &str) -> bool {
    let names = ["alert", "alarm", "告警", "报警"];
    state(text).is_some_and(|(action, word, _)| {
        action == Action::Trigger && !names.iter().any(|name| name.eq_ignore_ascii_case(word))
    })
}

fn said_as(text: &str) -> Node<'_> {
    Node { value: Value::Text(Cow::Borrowed(text)), raw: "" }
}

/// What is said of a problem, where the title says nothing of one: a text that begins with it, or beside a title that is a
/// recovery's the head of another part, which is red or states a level.
fn burning<'s>(said: &'s Said<'_, '_>, title: &str, first: &str) -> Option<&'s str> {
    if said.state(title).is_some_and(|(action, ..)| action == Action::Trigger) || said.is_of_fields() {
        return None;
    }
    let is_calm = said.state(title).is_some() || is_over(said, title, first);
    let against = |part: &&Part<'_, '_>| {
        let head = part.head().filter(|head| *head != title && !is_bare(head));
        let is_bad = part.is_red() || (part.color != Some("good") && part.level().is_some());
        head.is_some_and(|head| is_bad && state(head).is_none())
    };
    let other = || said.parts.iter().filter(|_| is_calm).find(against).and_then(Part::head);
    said.texts().find(|text| is_trigger(text)).or_else(other)
}

/// Whether nothing speaks against a recovery that the title (or the first text), a field or the colours state.
fn is_over(said: &Said<'_, '_>, title: &str, first: &str) -> bool {
    let action_of = |text| said.state(text).map(|(action, ..)| action);
    if action_of(title) == Some(Action::Trigger) {
        return false;
    }
    let is_stated = action_of(title).or_else(|| action_of(first)) == Some(Action::Resolve);
    let of_fields = || said.states().map(|(action, _)| action);
    let is_green = || {
        let mut colors = said.parts.iter().filter_map(|part| part.color).peekable();
        colors.peek().is_some() && colors.all(|color| color == "good")
    };
    let is_over = if of_fields().any(|action| action == Action::Trigger) {
        is_stated
    } else {
        is_stated || of_fields().next().is_some() || is_green()
    };
    is_over && !said.parts.iter().any(Part::is_bad)
}

/// The first word of `P0 - critical` or `[P0]`.
fn word(text: &str) -> &str {
    text.split(|c: char| !c.is_alphanumeric()).find(|word| !word.is_empty()).unwrap_or_default()
}

fn level(text: &str) -> Option<(Severity, bool)> {
    words::level(word(text))
}

/// A level anywhere, the worst of all; in parts where none is stated a field; the words in the parentheses that end the titles of
/// Alertmanager and Grafana; the colour, which says no more than the state where the title states one.
fn set_severity(event: &mut AlertEvent, said: &Said<'_, '_>, is_stated: bool, source: &Source<'_>) {
    let word_of = |text: &str| {
        let of_words = || words::severity(text).or_else(|| words::severity(word(text)));
        words::rank(text).filter(|(_, is_clamped)| !is_clamped).or_else(|| Some((of_words()?, false)))
    };
    let explicit = said.parts.iter().filter_map(Part::level).min_by_key(|(level, _)| *level).map(|it| (it, None));
    let above = said.parts.first().and_then(Part::level);
    let color = |part: &Part<'_, '_>| match part.color.filter(|_| !is_stated)? {
        color @ "danger" => Some(((Severity::P1, false), Some(color.to_owned()))),
        color @ "warning" => Some(((Severity::P3, false), Some(color.to_owned()))),
        _ => None,
    };
    let of_part = |part: &Part<'_, '_>| {
        let field = part.named(&LEVELS).find_map(|word| Some((word_of(word)?, Some(word.to_owned()))));
        field.or_else(|| color(part))
    };
    let unstated = said.parts.iter().filter(|part| above.is_none() && part.level().is_none());
    let words = unstated.filter_map(of_part);
    // Without parentheses all labels are those of the group, the alert's name first.
    let listed = || {
        let (_, _, rest) = state(&event.summary).filter(|_| is_stated)?;
        let rest = rest.trim();
        let inner = rest.strip_suffix(')').and_then(|rest| rest.rsplit_once('(')).map(|(_, inner)| inner);
        let values = inner.or_else(|| rest.split_once(' ').map(|(_, values)| values))?;
        let known = values.split_whitespace().filter_map(|word| match level(word) {
            Some(level) => Some((level, None)),
            None => Some(((words::severity(word)?, false), Some(word.to_owned()))),
        });
        let is_plain = |word: &Option<String>| !word.as_ref().is_some_and(|it| it.contains(char::is_uppercase));
        known.filter(|(_, word)| inner.is_some() || is_plain(word)).min_by_key(|((it, _), _)| *it)
    };
    let stated = explicit.into_iter().chain(words).min_by_key(|((level, _), _)| *level).or_else(listed);
    if let Some(word) = stated.as_ref().and_then(|(_, word)| word.as_deref()) {
        event.severity_word = bounds::name(event, word);
    }
    fields::set_severity(event, stated.map(|(level, _)| level), source);
}

/// A title that states its state names the alert, since the rest of it stays; other titles may be the same for all there is,
/// so the first line below takes part.
fn set_key(event: &mut AlertEvent, title: &str, texts: &[&str]) {
    let mut key = "slack:".to_owned();
    let machine = event.host.as_deref().or(event.ip.as_deref()).unwrap_or_default();
    match state(title).filter(|(_, _, rest)| rest.contains(char::is_alphanumeric)) {
        Some((_, word, rest)) => {
            // The same title may be of several machines.
            let is_part = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
            let is_named = machine.contains(':') && rest.contains(machine)
                || rest.split(|c| !is_part(c)).any(|it| it.trim_matches(['.', '-', '_']).eq_ignore_ascii_case(machine));
            if !machine.is_empty() && !is_named {
                fields::push_lower(&mut key, machine);
                key.push('|');
            }
            match word {
                "FIRING" | "RESOLVED" => fold::labels(rest, &mut key),
                _ => fold::named(rest, &mut key),
            }
        }
        None => {
            fields::push_lower(&mut key, machine);
            key.push('|');
            let title = title.lines().next().unwrap_or_default().trim();
            fold::fold(title, &mut key);
            let lines = texts.iter().flat_map(|text| text.lines()).map(str::trim);
            if let Some(below) = lines.into_iter().find(|line| !line.is_empty() && *line != title) {
                key.push('|');
                fold::fold(below, &mut key);
            }
        }
    }
    event.flags.retain(|flag| *flag != Flag::KeyHashed);
    bounds::set_key(event, key);
}

/// A state at the start, `[FIRING:2] …` or `Resolved: …`, the word for it, and what follows.
pub(in crate::normalize) fn state(text: &str) -> Option<(Action, &str, &str)> {
    let mut text = text.trim_start_matches(|c: char| !c.is_alphanumeric() && !matches!(c, '[' | ':'));
    // `:white_check_mark:`
    while let Some((name, rest)) = text.strip_prefix(':').and_then(|rest| rest.split_once(':')) {
        if name.len() > 64 || name.contains(char::is_whitespace) {
            break;
        }
        text = rest.trim_start_matches(|c: char| !c.is_alphanumeric() && !matches!(c, '[' | ':'));
    }
    let (word, rest) = match text.strip_prefix('[') {
        Some(inside) => {
            let (inner, rest) = inside.split_once(']')?;
            (inner.split_once(':').map_or(inner, |(word, _)| word), rest)
        }
        None => bounds::prefix(text, WORD_BYTES)
            .find([':', '|'])
            .and_then(|at| text.split_at_checked(at))
            .map(|(word, rest)| (word, rest.trim_start_matches([':', '|'])))?,
    };
    let word = word.trim_matches(|c: char| !c.is_alphanumeric());
    let action = words::action(word).or_else(|| words::action(&word.replace(' ', "_")));
    Some((action?, word, rest.trim_start_matches(['*', '_', ' '])))
}

/// A text of Slack's markup: `<https://…|words>` are the words, those who are called are left out, entities are characters.
fn plain(text: &str) -> (String, Vec<String>) {
    let (mut plain, mut links, mut rest) = (String::with_capacity(text.len()), Vec::new(), text);
    while let Some((before, tail)) = rest.split_once('<') {
        plain.push_str(before);
        rest = tail;
        if !["http", "mailto:", "!", "@", "#"].iter().any(|start| tail.starts_with(start)) {
            plain.push('<');
            continue;
        }
        let Some((inside, after)) = tail.split_once('>') else {
            plain.push('<');
            break;
        };
        let (to, words) =
            inside.split_once('|').unwrap_or((inside, if inside.starts_with("http") { inside } else { "" }));
        plain.push_str(words);
        if to.starts_with("http") {
            links.push(to.replace("&amp;", "&"));
        }
        rest = after;
    }
    plain.push_str(rest);
    if plain.contains('&') {
        plain = plain.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    }
    (plain.trim().to_owned(), links)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_what_a_text_starts_with() {
        for (text, action, rest) in [
            ("[FIRING:2] TargetDown (critical)", Action::Trigger, "TargetDown (critical)"),
            ("[FIRING:1, RESOLVED:3] x", Action::Trigger, "x"),
            ("[RESOLVED] TargetDown (critical)", Action::Resolve, "TargetDown (critical)"),
            ("[No Data] x", Action::Trigger, "x"),
            (":white_check_mark: *Resolved:* disk", Action::Resolve, "disk"),
            ("✅ OK: disk", Action::Resolve, "disk"),
        ] {
            assert_eq!(state(text).map(|(action, _, rest)| (action, rest)), Some((action, rest)), "{text}");
        }
        for text in ["", "[", "[P0] x", "the disk is ok: fine", "http://x", ":", "::::", "db-07: down"] {
            assert_eq!(state(text), None, "{text}");
        }
    }

    #[test]
    fn markup_becomes_words_and_links() {
        let (words, links) = plain("<!channel> see <https://a/?b&amp;c|the board> &lt;now&gt; 1 < 2 <https://x");
        assert_eq!(
            (words.as_str(), links),
            ("see the board <now> 1 < 2 <https://x", vec!["https://a/?b&c".to_owned()])
        );
    }
}
