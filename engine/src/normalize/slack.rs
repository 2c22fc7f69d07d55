//! Messages for an incoming webhook of Slack, Mattermost or Rocket.Chat: the lowest common denominator of what can send.
//!
//! They are written for people, so an alert is found in them only where it is stated: a level token, a state at the start of
//! the title (`[RESOLVED] …`), a field named so, the three colours that Slack has words for. Members are those of Slack's
//! documentation of incoming webhooks, of message attachments and of Block Kit.

use super::{
    Parsed, Source, Told, bounds, bracket,
    fields::{self, Spans},
    fold,
    json::{Members, Node, Value},
    netdata,
    object::{self, Fields, filled, member, place},
    text, time, words,
};
use shared::{Action, AlertEvent, Flag, Format, Severity};
use std::borrow::Cow;

/// What only such a message has beside its text.
const OWN: [&str; 7] = ["username", "channel", "icon_url", "icon_emoji", "mrkdwn", "link_names", "unfurl_links"];
/// Words before a colon longer than this are a sentence.
const WORD_BYTES: usize = 24;
/// Fields that say a state, and fields that say how bad it is.
const STATES: [&str; 2] = ["status", "state"];
const LEVELS: [&str; 3] = ["priority", "level", "severity"];

/// Reads a message that is known by its shape, or by the address it came to (the server wraps it then).
pub(super) fn read(source: &Source<'_>, members: &Members<'_>, whole: &str) -> Option<Told> {
    let wrapped = member(members, "slack").and_then(Node::members).filter(|_| members.len() == 1);
    let is_message =
        source.format == Some("slack") || (is_message(members) && !object::says_itself(members, &["alias"]));
    let members = wrapped.or_else(|| is_message.then_some(members))?;
    Some(events(source, members, whole))
}

fn is_message(members: &Members<'_>) -> bool {
    let has = |name| member(members, name).is_some();
    let is_attachment = |it: &Members<'_>| {
        ["fallback", "color", "title", "text", "blocks"].iter().any(|name| member(it, name).is_some())
    };
    objects(member(members, "attachments")).any(is_attachment)
        || objects(member(members, "blocks")).any(|it| member(it, "type").is_some())
        || (has("text") && OWN.into_iter().any(has))
}

/// The objects of a list.
fn objects<'n, 'a>(node: Option<&'n Node<'a>>) -> impl Iterator<Item = &'n Members<'a>> {
    let items =
        node.map(|node| &node.value).map(|value| if let Value::Array(items) = value { items.as_slice() } else { &[] });
    items.unwrap_or_default().iter().filter_map(Node::members)
}

/// What a message says, in the order in which people read it.
#[derive(Default)]
struct Said<'n, 'a> {
    title: Option<(&'n Node<'a>, String)>,
    texts: Vec<String>,
    fields: Vec<(String, String)>,
    colors: Vec<&'n str>,
    links: Vec<String>,
    at: Option<&'n str>,
}

impl<'n, 'a> Said<'n, 'a> {
    fn of(members: &'n Members<'a>) -> Self {
        let mut said = Self::default();
        said.add(member(members, "text"));
        said.blocks(members);
        for attachment in objects(member(members, "attachments")) {
            said.attachment(attachment);
        }
        said
    }

    fn add(&mut self, node: Option<&'n Node<'a>>) {
        let Some(text) = node.and_then(filled) else { return };
        let text = self.plain(text);
        if !text.is_empty() && !self.texts.contains(&text) && self.texts.len() < bounds::MEMBERS {
            self.texts.push(text);
        }
    }

    /// A text without Slack's markup of links, which are kept.
    fn plain(&mut self, text: &str) -> String {
        let (plain, mut links) = plain(bounds::prefix(text, bounds::CONTENT_BYTES));
        self.links.append(&mut links);
        plain
    }

    fn titled(&mut self, node: Option<&'n Node<'a>>) {
        if let Some((node, title)) = node.and_then(|node| Some((node, filled(node)?))).filter(|_| self.title.is_none())
        {
            self.title = Some((node, self.plain(title)));
        }
    }

    fn linked(&mut self, node: Option<&Node<'_>>) {
        self.links.extend(node.and_then(filled).map(str::to_owned));
    }

    fn attachment(&mut self, members: &'n Members<'a>) {
        self.add(member(members, "pretext"));
        self.titled(member(members, "title"));
        for name in ["title", "text"] {
            self.add(member(members, name));
        }
        for field in objects(member(members, "fields")) {
            let of = |name| member(field, name).and_then(filled).unwrap_or_default();
            self.field(of("title"), of("value"));
        }
        self.blocks(members);
        for action in objects(member(members, "actions")) {
            self.linked(member(action, "url"));
        }
        self.linked(member(members, "title_link"));
        if self.texts.is_empty() {
            self.add(member(members, "fallback"));
        }
        self.colors.extend(member(members, "color").and_then(filled));
        self.at = self.at.or_else(|| member(members, "ts").and_then(filled));
    }

    fn blocks(&mut self, members: &'n Members<'a>) {
        for block in objects(member(members, "blocks")) {
            let inner = |name| member(block, name).and_then(Node::members);
            let text = inner("text").and_then(|it| member(it, "text"));
            if member(block, "type").and_then(filled) == Some("header") {
                self.titled(text);
            }
            self.add(text);
            for field in objects(member(block, "fields")).filter_map(|it| member(it, "text").and_then(filled)) {
                // `*Name*` and the value below it.
                let (name, value) = field.split_once('\n').unwrap_or((field, ""));
                self.field(name.trim_matches(['*', ':', ' ']), value);
            }
            for element in objects(member(block, "elements")) {
                self.add(member(element, "text").filter(|node| node.members().is_none()));
                self.linked(member(element, "url"));
            }
            self.linked(inner("accessory").and_then(|it| member(it, "url")));
        }
    }

    fn field(&mut self, name: &str, value: &str) {
        let name = name.trim().trim_end_matches(':');
        if !name.is_empty() && self.fields.len() < bounds::MEMBERS {
            let value = self.plain(value);
            self.fields.push((name.to_owned(), value));
        }
    }

    /// What fields of these names say.
    fn named(&self, names: &'static [&'static str]) -> impl Iterator<Item = &str> {
        names
            .iter()
            .filter_map(|name| self.fields.iter().find(|(it, _)| it.eq_ignore_ascii_case(name)))
            .map(|(_, it)| it.as_str())
    }
}

fn events(source: &Source<'_>, members: &Members<'_>, whole: &str) -> Told {
    let said = Said::of(members);
    // A line of the bracketed family says what it says.
    let lines = said.texts.iter().filter(|text| bracket::head(text).is_some());
    let mut told: Vec<Parsed> = lines
        .flat_map(|text| bracket::split(text).1)
        .take(bounds::MEMBERS)
        .filter_map(|line| bracket::parse(source, line, Spans::new(whole)))
        .collect();
    if told.is_empty() {
        told.push(event(source, members, &said, whole)?);
    }
    for Parsed { event, .. } in &mut told {
        for (name, value) in said.fields.iter().filter(|(_, value)| !value.is_empty()) {
            bounds::label(event, name, value);
        }
        for name in ["channel", "username"] {
            member(members, name).and_then(filled).into_iter().for_each(|value| bounds::label(event, name, value));
        }
        said.links.iter().for_each(|url| bounds::link(event, url));
    }
    Ok(told)
}

fn event(source: &Source<'_>, members: &Members<'_>, said: &Said<'_, '_>, whole: &str) -> Result<Parsed, Vec<String>> {
    let mut spans = Spans::new(whole);
    let mut event = AlertEvent::blank(Format::Slack, source.integration.default_severity);
    let first = said.texts.first().ok_or_else(|| vec!["no_text".to_owned()])?;
    let title = said.title.as_ref().map_or(first, |(_, title)| title);
    // Of several that are told of in one message, what burns comes first.
    let burning = said.texts.iter().find(|text| is_trigger(text)).filter(|_| !is_trigger(title));
    let title = burning.unwrap_or(title);
    let node = said.title.as_ref().map(|(node, _)| *node).or_else(|| member(members, "text"));
    node.into_iter().for_each(|node| spans.add("summary", place(node)));
    let line = bounds::one_line(title);
    event.summary = match line.trim_matches(['*', '_', '`', ' ']) {
        "" => line.as_str().into(),
        bare => bare.into(),
    };
    let is_all = said.texts.len() == 1 && *first == line;
    if !is_all {
        bounds::set_content(&mut event, &said.texts.join("\n"));
    }
    let heads = || [title].into_iter().chain(&said.texts);
    let stated = heads().find_map(|text| state(text)).map(|(action, word, _)| (action, word));
    set_action(&mut event, said, stated);
    set_severity(&mut event, said, stated.is_some(), source);
    let pairs: Members<'_> =
        said.fields.iter().map(|(name, value)| (Cow::Borrowed(name.as_str()), said_as(value))).collect();
    let none = Members::new();
    object::set_machine(&mut event, &Fields::of(&none, Some(&pairs)), &mut spans);
    let of = |name| member(members, name).and_then(filled);
    let netdata = of("username").or_else(|| of("alias")).and_then(|name| name.strip_prefix("netdata on "));
    match (netdata, said.fields.first()) {
        (Some(host), Some((chart, _))) => {
            event.host = bounds::name(&mut event, host);
            bounds::label(&mut event, "chart", chart);
            bounds::set_key(&mut event, netdata::key(host, chart, netdata::name(title)));
        }
        _ => set_key(&mut event, title, &said.texts),
    }
    fields::find_addresses(&mut event);
    if let Some(at) = said.at.and_then(|text| time::any(text, &source.integration.time_zone)) {
        time::judge(&mut event, at, false, source);
    }
    Ok(Parsed { event, spans: spans.list })
}

fn is_trigger(text: &str) -> bool {
    matches!(state(text), Some((Action::Trigger, ..)))
}

fn said_as(text: &str) -> Node<'_> {
    Node { value: Value::Text(Cow::Borrowed(text)), raw: "" }
}

/// What stands at the start, then a field, then the colour: all is well only where everything is green, and nothing that is said
/// speaks against it.
fn set_action(event: &mut AlertEvent, said: &Said<'_, '_>, stated: Option<(Action, &str)>) {
    let is_red = said.colors.iter().any(|color| matches!(*color, "danger" | "warning"));
    let is_titled = matches!(state(&event.summary), Some((Action::Resolve, ..)));
    let is_bad = said.texts.iter().any(|text| is_trigger(text)) || (is_red && !is_titled);
    if is_bad && stated.is_none_or(|(action, _)| action == Action::Resolve) {
        return;
    }
    let of_field = || said.named(&STATES).find_map(|word| Some((words::action(word)?, word)));
    if let Some((action, word)) = stated.or_else(of_field) {
        event.action = action;
        event.status_raw = bounds::name(event, word);
    } else if !said.colors.is_empty() && said.colors.iter().all(|color| *color == "good") {
        event.action = Action::Resolve;
    }
}

/// A level anywhere; a field; the words in the parentheses that end the titles of Alertmanager and Grafana; then the colour,
/// which says no more than the state where the title states one.
fn set_severity(event: &mut AlertEvent, said: &Said<'_, '_>, is_stated: bool, source: &Source<'_>) {
    let level = |word: &str| words::level(word).or_else(|| Some((words::severity(word)?, false)));
    let in_text = said.texts.iter().find_map(|text| text::level_anywhere(text));
    let field = || said.named(&LEVELS).find_map(|word| Some((level(word)?, word.to_owned())));
    // Without parentheses all labels are those of the group, the alert's name first.
    let listed = || {
        let (_, _, rest) = state(&event.summary).filter(|_| is_stated)?;
        let rest = rest.trim();
        let inner = rest.strip_suffix(')').and_then(|rest| rest.rsplit_once('(')).map(|(_, inner)| inner);
        let values = inner.or_else(|| rest.split_once(' ').map(|(_, values)| values))?;
        let known = values.split_whitespace().filter_map(|word| Some((level(word)?, word.to_owned())));
        known.filter(|(_, word)| inner.is_some() || !word.contains(char::is_uppercase)).min_by_key(|((it, _), _)| *it)
    };
    let color = || {
        let of = |color: &&str| match *color {
            "danger" => Some(Severity::P1),
            "warning" => Some(Severity::P3),
            _ => None,
        };
        let worst = said.colors.iter().filter_map(of).min().filter(|_| !is_stated)?;
        Some(((worst, false), if worst == Severity::P1 { "danger" } else { "warning" }.to_owned()))
    };
    let stated = if in_text.is_some() { None } else { field().or_else(listed).or_else(color) };
    if let Some((_, word)) = stated.as_ref().filter(|(_, word)| words::level(word).is_none()) {
        event.severity_word = bounds::name(event, word);
    }
    fields::set_severity(event, in_text.or(stated.map(|(level, _)| level)), source);
}

/// A title that states its state names the alert, since the rest of it stays; other titles may be the same for all there is,
/// so the first line below takes part.
fn set_key(event: &mut AlertEvent, title: &str, texts: &[String]) {
    let mut key = "slack:".to_owned();
    match state(title).filter(|(_, _, rest)| rest.contains(char::is_alphanumeric)) {
        // These words of Alertmanager's and Grafana's have names and labels of alerts behind them, which may be `Down` or `101`.
        Some((_, "FIRING" | "RESOLVED", rest)) => {
            for (at, word) in bounds::prefix(rest, bounds::CONTENT_BYTES).split_whitespace().enumerate() {
                if at > 0 {
                    key.push(' ');
                }
                fields::push_lower(&mut key, word);
            }
        }
        Some((_, _, rest)) => fold::fold(rest, &mut key),
        None => {
            fields::push_lower(&mut key, event.host.as_deref().unwrap_or_default());
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
pub(super) fn state(text: &str) -> Option<(Action, &str, &str)> {
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
