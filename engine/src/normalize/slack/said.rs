//! A message for people in its parts, in the order in which they read it: its own text and blocks, then each attachment.

use super::{is_bare, is_trigger, level, objects, plain, state};
use crate::normalize::{
    bounds,
    json::{Members, Node},
    object::{filled, member},
    text, words,
};
use shared::{Action, Severity};

/// Fields that say a state, and fields that say how bad it is.
const STATES: [&str; 2] = ["status", "state"];
pub(super) const LEVELS: [&str; 3] = ["priority", "level", "severity"];

/// What may tell of something else than the other parts.
#[derive(Default)]
pub(super) struct Part<'n, 'a> {
    pub(super) title: Option<(&'n Node<'a>, String)>,
    pub(super) texts: Vec<String>,
    pub(super) fields: Vec<(String, String)>,
    pub(super) color: Option<&'n str>,
    /// It has no words but those of its fields.
    is_of_fields: bool,
}

impl Part<'_, '_> {
    /// What it begins with.
    pub(super) fn head(&self) -> Option<&str> {
        let title = self.title.as_ref().map(|(_, title)| title.as_str());
        title.or_else(|| self.texts.first().map(String::as_str))
    }

    pub(super) fn is_red(&self) -> bool {
        matches!(self.color, Some("danger" | "warning"))
    }

    /// Whether it says that something is wrong.
    pub(super) fn is_bad(&self) -> bool {
        self.is_red() || (!self.is_of_fields && self.texts.iter().any(|text| is_trigger(text)))
    }

    /// What fields of these names say.
    pub(super) fn named(&self, names: &'static [&'static str]) -> impl Iterator<Item = &str> {
        names
            .iter()
            .flat_map(|name| self.fields.iter().filter(move |(it, _)| it.eq_ignore_ascii_case(name)))
            .map(|(_, it)| it.as_str())
    }

    pub(super) fn state_of_field(&self) -> Option<(Action, &str)> {
        self.named(&STATES).find_map(|word| Some((words::action(word)?, word)))
    }

    /// The worst `P<n>` in its texts and fields.
    pub(super) fn level(&self) -> Option<(Severity, bool)> {
        let in_texts = self.texts.iter().filter_map(|text| text::worst_level(text));
        in_texts.chain(self.named(&LEVELS).filter_map(level)).min_by_key(|(level, _)| *level)
    }
}

/// What a message says.
#[derive(Default)]
pub(super) struct Said<'n, 'a> {
    /// The first is the message's own.
    pub(super) parts: Vec<Part<'n, 'a>>,
    pub(super) links: Vec<String>,
    pub(super) at: Option<&'n str>,
    texts: usize,
}

impl<'n, 'a> Said<'n, 'a> {
    pub(super) fn of(members: &'n Members<'a>) -> Self {
        let (mut said, mut part) = (Self::default(), Part::default());
        said.add(&mut part, member(members, "text"));
        said.blocks(&mut part, members);
        said.parts.push(part);
        for attachment in objects(member(members, "attachments")).take(bounds::MEMBERS) {
            let part = said.attachment(attachment);
            said.parts.push(part);
        }
        said
    }

    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().flat_map(|part| &part.texts).map(String::as_str)
    }

    pub(super) fn fields(&self) -> impl Iterator<Item = &(String, String)> {
        self.parts.iter().flat_map(|part| &part.fields)
    }

    pub(super) fn is_of_fields(&self) -> bool {
        self.parts.iter().any(|part| part.is_of_fields)
    }

    /// The state that a text starts with; names of fields (`Alert: DiskFull`) are none.
    pub(super) fn state<'t>(&self, text: &'t str) -> Option<(Action, &'t str, &'t str)> {
        if self.is_of_fields() { None } else { state(text) }
    }

    /// The states that fields say.
    pub(super) fn states(&self) -> impl Iterator<Item = (Action, &str)> {
        self.parts.iter().filter_map(Part::state_of_field)
    }

    /// Whether all that stands below the message's own text belongs to it and is green.
    pub(super) fn is_all_green_below(&self) -> bool {
        let below = self.parts.get(1..).unwrap_or_default();
        !below.is_empty()
            && below.iter().all(|part| part.color == Some("good") && part.title.is_none() && !part.is_bad())
    }

    /// Where there are no other words, those of the fields are the text, without what they say of level and state.
    pub(super) fn tell_fields(&mut self) {
        for part in &mut self.parts {
            let is_other = |name: &str| !STATES.iter().chain(&LEVELS).any(|known| name.eq_ignore_ascii_case(known));
            let line = |is_wanted: &dyn Fn(&str) -> bool| {
                let told = part.fields.iter().filter(|(name, _)| is_wanted(name));
                let told =
                    told.map(|(name, value)| if value.is_empty() { name.clone() } else { format!("{name}: {value}") });
                Some(told.collect::<Vec<_>>().join(", ")).filter(|line| !line.is_empty())
            };
            if let Some(line) = line(&is_other).or_else(|| line(&|_| true)) {
                part.texts.push(bounds::prefix(&line, bounds::CONTENT_BYTES).to_owned());
                part.is_of_fields = true;
            }
        }
    }

    fn add(&mut self, part: &mut Part<'n, 'a>, node: Option<&'n Node<'a>>) {
        node.and_then(filled).into_iter().for_each(|text| self.add_text(part, text));
    }

    fn add_text(&mut self, part: &mut Part<'n, 'a>, text: &str) {
        let text = self.plain(text);
        let is_new = || !self.texts().any(|known| known == text) && !part.texts.contains(&text);
        if !text.is_empty() && self.texts < bounds::MEMBERS && is_new() {
            part.texts.push(text);
            self.texts += 1;
        }
    }

    /// A text without Slack's markup of links, which are kept.
    fn plain(&mut self, text: &str) -> String {
        let (plain, mut links) = plain(bounds::prefix(text, bounds::CONTENT_BYTES));
        self.links.append(&mut links);
        plain
    }

    fn titled(&mut self, part: &mut Part<'n, 'a>, node: Option<&'n Node<'a>>) {
        if let Some((node, title)) = node.and_then(|node| Some((node, filled(node)?))).filter(|_| part.title.is_none())
        {
            let title = self.plain(title);
            part.title = Some((node, title)).filter(|(_, title)| !title.is_empty() && !is_bare(title));
        }
    }

    fn linked(&mut self, node: Option<&Node<'_>>) {
        self.links.extend(node.and_then(filled).map(str::to_owned));
    }

    fn attachment(&mut self, members: &'n Members<'a>) -> Part<'n, 'a> {
        let mut part = Part::default();
        self.add(&mut part, member(members, "pretext"));
        self.titled(&mut part, member(members, "title"));
        for name in ["title", "text"] {
            self.add(&mut part, member(members, name));
        }
        for field in objects(member(members, "fields")) {
            let of = |name| member(field, name).and_then(filled).unwrap_or_default();
            self.field(&mut part, of("title"), of("value"));
        }
        self.blocks(&mut part, members);
        for action in objects(member(members, "actions")) {
            self.linked(member(action, "url"));
        }
        self.linked(member(members, "title_link"));
        if part.texts.is_empty() {
            self.add(&mut part, member(members, "fallback"));
        }
        part.color = member(members, "color").and_then(filled);
        self.at = self.at.or_else(|| member(members, "ts").and_then(filled));
        part
    }

    fn blocks(&mut self, part: &mut Part<'n, 'a>, members: &'n Members<'a>) {
        for block in objects(member(members, "blocks")) {
            let inner = |name| member(block, name).and_then(Node::members);
            // That of a `markdown` block is a text.
            let text = member(block, "text").and_then(|it| it.members().map_or(Some(it), |it| member(it, "text")));
            if member(block, "type").and_then(filled) == Some("header") {
                self.titled(part, text);
            }
            self.add(part, text);
            for field in objects(member(block, "fields")).filter_map(|it| member(it, "text").and_then(filled)) {
                // `*Name*` and the value below it.
                let (name, value) = field.split_once('\n').unwrap_or((field, ""));
                self.field(part, name.trim_matches(['*', ':', ' ']), value);
            }
            let is_rich = member(block, "type").and_then(filled) == Some("rich_text");
            for element in objects(member(block, "elements")) {
                if is_rich {
                    let mut text = String::new();
                    self.rich(element, &mut text);
                    self.add_text(part, &text);
                    continue;
                }
                self.add(part, member(element, "text").filter(|node| node.members().is_none()));
                self.linked(member(element, "url"));
            }
            self.linked(inner("accessory").and_then(|it| member(it, "url")));
        }
    }

    /// The words of a section, a list or a quotation of rich text; nesting is bounded by the reader of JSON.
    fn rich(&mut self, members: &Members<'_>, out: &mut String) {
        for element in objects(member(members, "elements")) {
            if out.len() > bounds::CONTENT_BYTES {
                return;
            }
            let (words, url) = (member(element, "text"), member(element, "url"));
            // Blanks at the ends are between words here.
            out.push_str(words.or(url).and_then(Node::scalar).unwrap_or_default());
            self.linked(url);
            self.rich(element, out);
            if member(element, "elements").is_some() {
                out.push('\n');
            }
        }
    }

    fn field(&mut self, part: &mut Part<'n, 'a>, name: &str, value: &str) {
        let name = name.trim().trim_end_matches(':');
        if !name.is_empty() && part.fields.len() + self.fields().count() < bounds::MEMBERS {
            let value = self.plain(value);
            part.fields.push((name.to_owned(), value));
        }
    }
}
