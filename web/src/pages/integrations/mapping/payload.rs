//! A captured payload as a tree, and the pointers by which a mapping names its members.

use serde::de::IgnoredAny;
use shared::config::{Mapping, Texts};

/// Deeper than the server reads.
const MOST_DEEP: usize = 64;

/// A value of JSON, its members in the order written and its numbers as they are: a browser's own would lose digits.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Tree {
    Leaf {
        text: String,
        quoted: bool,
    },
    /// `null`: the member is there and says nothing.
    Nothing,
    List(Vec<Tree>),
    Object(Vec<(String, Tree)>),
}

impl Tree {
    /// The first value of a text; nothing when it has none.
    pub(super) fn read(text: &str) -> Option<Self> {
        let mut values = serde_json::Deserializer::from_str(text).into_iter::<IgnoredAny>();
        values.next()?.ok()?;
        let mut reader = Reader { left: text.get(..values.byte_offset())? };
        reader.value(MOST_DEEP).filter(|it| matches!(it, Self::List(_) | Self::Object(_)))
    }

    pub(super) fn at(&self, pointer: &str) -> Option<&Self> {
        pointer.split('/').skip(1).try_fold(self, |tree, name| match tree {
            Self::Leaf { .. } | Self::Nothing => None,
            Self::List(items) => items.get(name.parse::<usize>().ok()?),
            Self::Object(members) => {
                let name = name.replace("~1", "/").replace("~0", "~");
                members.iter().rev().find(|(known, _)| *known == name).map(|(_, tree)| tree)
            }
        })
    }

    /// A text, number or truth value.
    pub(super) fn leaf(&self) -> Option<&str> {
        match self {
            Self::Leaf { text, .. } => Some(text),
            Self::List(_) | Self::Object(_) | Self::Nothing => None,
        }
    }

    /// How many alerts it could be one each of.
    pub(super) fn objects(&self) -> usize {
        match self {
            Self::List(items) if items.iter().all(|it| matches!(it, Self::Object(_))) => items.len(),
            _ => 0,
        }
    }
}

/// The pointer to a member.
pub(super) fn below(pointer: &str, name: &str) -> String {
    format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// Reads a text that is JSON.
struct Reader<'a> {
    left: &'a str,
}

impl<'a> Reader<'a> {
    fn value(&mut self, deep: usize) -> Option<Tree> {
        let deep = deep.checked_sub(1)?;
        if self.takes('{') {
            let mut members = Vec::new();
            while !self.takes('}') {
                self.takes(',');
                let name = serde_json::from_str(self.string()?).ok()?;
                self.takes(':');
                members.push((name, self.value(deep)?));
            }
            return Some(Tree::Object(members));
        }
        if self.takes('[') {
            let mut items = Vec::new();
            while !self.takes(']') {
                self.takes(',');
                items.push(self.value(deep)?);
            }
            return Some(Tree::List(items));
        }
        if self.left.starts_with('"') {
            return Some(Tree::Leaf { text: serde_json::from_str(self.string()?).ok()?, quoted: true });
        }
        let is_end = |c: char| c.is_ascii_whitespace() || matches!(c, ',' | ']' | '}');
        match self.cut(self.left.find(is_end).unwrap_or(self.left.len()))? {
            "" => None,
            "null" => Some(Tree::Nothing),
            text => Some(Tree::Leaf { text: text.to_owned(), quoted: false }),
        }
    }

    /// Whether that is next, which is then read.
    fn takes(&mut self, letter: char) -> bool {
        self.left = self.left.trim_start();
        let behind = self.left.strip_prefix(letter);
        self.left = behind.unwrap_or(self.left).trim_start();
        behind.is_some()
    }

    /// A string with its quotation marks.
    fn string(&mut self) -> Option<&'a str> {
        self.left = self.left.trim_start();
        let mut is_escaped = true;
        let end = self.left.find(|c: char| {
            let is_end = c == '"' && !is_escaped;
            // The first one opens it.
            is_escaped = c == '\\' && !is_escaped;
            is_end
        });
        self.cut(end? + 1)
    }

    fn cut(&mut self, at: usize) -> Option<&'a str> {
        let (text, left) = self.left.split_at_checked(at)?;
        self.left = left;
        Some(text)
    }
}

/// From where the pointers of a mapping count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Base {
    /// From each member of the list there.
    Each(String),
    /// From the object there.
    Object(String),
}

impl Base {
    /// As the server takes a payload apart.
    pub(super) fn of(tree: &Tree, each: Option<&str>) -> Self {
        if let Some(each) = each {
            let each = each.strip_prefix('$').unwrap_or(each).to_owned();
            return match tree.at(&each) {
                Some(Tree::List(_)) => Self::Each(each),
                _ => Self::Object(each),
            };
        }
        match tree {
            Tree::List(_) => Self::Each(String::new()),
            Tree::Object(members) => {
                let alerts = members.iter().rev().find(|(name, _)| name.eq_ignore_ascii_case("alerts"));
                match alerts {
                    Some((name, Tree::List(_))) => Self::Each(below("", name)),
                    _ => Self::Object(String::new()),
                }
            }
            Tree::Leaf { .. } | Tree::Nothing => Self::Object(String::new()),
        }
    }

    /// What a mapping calls a place of the whole.
    pub(super) fn relative(&self, whole: &str) -> String {
        let inside = match self {
            Self::Object(at) => whole.strip_prefix(at.as_str()),
            Self::Each(at) => whole.strip_prefix(at.as_str()).and_then(|rest| {
                let rest = rest.strip_prefix('/')?;
                let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
                rest.get(digits..).filter(|_| digits > 0)
            }),
        };
        inside.filter(|rest| rest.starts_with('/')).map_or_else(|| format!("${whole}"), str::to_owned)
    }

    /// The place in the whole that a mapping names, in the first or another of the members.
    pub(super) fn absolute(&self, pointer: &str, index: usize) -> String {
        if let Some(whole) = pointer.strip_prefix('$') {
            return whole.to_owned();
        }
        match self {
            Self::Object(at) => format!("{at}{pointer}"),
            Self::Each(at) => format!("{at}/{index}{pointer}"),
        }
    }
}

/// Changes every pointer in a text: the text itself, or those in its braces.
pub(super) fn repointed(text: &str, change: &dyn Fn(&str) -> String) -> String {
    if text.strip_prefix('$').unwrap_or(text).starts_with('/') {
        return change(text);
    }
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, inside)) = rest.split_once('{') {
        out.push_str(before);
        out.push('{');
        rest = inside;
        if let Some((pointer, behind)) = inside.split_once('}').filter(|(it, _)| it.starts_with(['/', '$'])) {
            out.push_str(&change(pointer));
            out.push('}');
            rest = behind;
        }
    }
    out + rest
}

/// The mapping with its alerts elsewhere, and everything it names where it was.
pub(super) fn rebased(mapping: &Mapping, tree: &Tree, each: Option<String>) -> Mapping {
    let (old, new) = (Base::of(tree, mapping.each.as_deref()), Base::of(tree, each.as_deref()));
    let change = |pointer: &str| new.relative(&old.absolute(pointer, 0));
    let texts = |texts: &Texts| Texts(texts.0.iter().map(|text| repointed(text, &change)).collect());
    let mut moved = mapping.clone();
    moved.each = each;
    for test in &mut moved.when {
        test.at = change(&test.at);
    }
    for field in [
        &mut moved.summary,
        &mut moved.content,
        &mut moved.host,
        &mut moved.ip,
        &mut moved.mac,
        &mut moved.service,
        &mut moved.key,
        &mut moved.time,
        &mut moved.url,
    ] {
        *field = texts(field);
    }
    if let Some(severity) = &mut moved.severity {
        severity.from = texts(&severity.from);
    }
    if let Some(status) = &mut moved.status {
        status.from = texts(&status.from);
    }
    for label in moved.labels.values_mut() {
        *label = texts(label);
    }
    moved
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"{"z":1,"env":"prod","data":{"items":[{"n":"a","x/y":true},{"n":"b"}]}}"#;

    #[test]
    fn a_payload_keeps_its_order_and_what_follows_it_is_left() {
        let tree = Tree::read(&format!("{TEXT}\n{{}}")).unwrap();
        let Tree::Object(members) = &tree else { panic!() };
        assert_eq!(members.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["z", "env", "data"]);
        assert_eq!(tree.at("/data/items/0/x~1y").and_then(Tree::leaf), Some("true"));
        assert_eq!(tree.at("/data/items").map(Tree::objects), Some(2));
        for none in ["", "7", "[P0] down", "{\"a\":"] {
            assert_eq!(Tree::read(none), None, "{none}");
        }
    }

    #[test]
    fn numbers_are_as_written_and_null_is_no_word() {
        let tree =
            Tree::read(r#"{"a":9007199254740993,"b":1.0,"c":1e400,"d":-0,"e":null,"f":"\u4e2d\"","g":0.30}"#).unwrap();
        for (at, text) in [("/a", "9007199254740993"), ("/b", "1.0"), ("/c", "1e400"), ("/d", "-0"), ("/g", "0.30")] {
            assert_eq!(tree.at(at), Some(&Tree::Leaf { text: text.to_owned(), quoted: false }), "{at}");
        }
        assert_eq!((tree.at("/e"), tree.at("/e").and_then(Tree::leaf)), (Some(&Tree::Nothing), None));
        assert_eq!(tree.at("/f").and_then(Tree::leaf), Some("中\""));
        let odd = Tree::read(" { \"a\\\\\" : [ ] , \"b\\\"\":[1 ,\"]\", { } ] } ").unwrap();
        assert_eq!((odd.at("/a\\"), odd.at("/b\"/0").and_then(Tree::leaf)), (Some(&Tree::List(Vec::new())), Some("1")));
        assert_eq!(
            (odd.at("/b\"/1").and_then(Tree::leaf), odd.at("/b\"/2")),
            (Some("]"), Some(&Tree::Object(Vec::new())))
        );
        let deep = |levels: usize| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
        assert!(Tree::read(&deep(40)).is_some() && Tree::read(&deep(50_000)).is_none());
    }

    #[test]
    fn pointers_count_from_the_member_and_others_from_the_whole() {
        let tree = Tree::read(TEXT).unwrap();
        let each = Base::of(&tree, Some("/data/items"));
        for (whole, own) in [("/data/items/1/n", "/n"), ("/env", "$/env"), ("/data/items", "$/data/items")] {
            assert_eq!(each.relative(whole), own);
        }
        assert_eq!(each.absolute("/n", 1), "/data/items/1/n");
        assert_eq!(each.absolute("$/env", 1), "/env");
        assert_eq!(Base::of(&tree, None).relative("/env"), "/env");
        assert_eq!(Base::of(&Tree::read("[{}]").unwrap(), None).relative("/0/a"), "/a");
        assert_eq!(Base::of(&Tree::read("{\"Alerts\":[]}").unwrap(), None), Base::Each("/Alerts".to_owned()));
    }

    #[test]
    fn what_is_named_stays_when_the_alerts_are_elsewhere() {
        let tree = Tree::read(TEXT).unwrap();
        let mapping = Mapping {
            host: "/data/items/0/n".into(),
            summary: "{/data/items/0/n} in {/env} {{x}}".into(),
            ..Mapping::default()
        };
        let each = rebased(&mapping, &tree, Some("/data/items".to_owned()));
        assert_eq!((each.host.0[0].as_str(), each.summary.0[0].as_str()), ("/n", "{/n} in {$/env} {{x}}"));
        assert_eq!(rebased(&each, &tree, None), mapping);
        assert_eq!(repointed("{/a}-{$/b}{c} }", &|it| it.to_uppercase()), "{/A}-{$/B}{c} }");
    }
}
