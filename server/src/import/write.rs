//! TOML as people would write it: one key a line, comments above what they are about.

use toml::Value;

/// Collects a document.
#[derive(Debug, Default)]
pub(super) struct Writer {
    text: String,
}

impl Writer {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// A comment, a line a line.
    pub(super) fn comment(&mut self, text: &str) {
        for line in text.lines() {
            self.text.push_str("# ");
            // No control character may end the comment or hide in it.
            self.text.extend(line.chars().filter(|c| !c.is_control()));
            self.text.push('\n');
        }
    }

    /// `[[path]]`.
    pub(super) fn item(&mut self, path: &str) {
        self.text.push_str(&format!("[[{path}]]\n"));
    }

    /// `key = value`.
    pub(super) fn key(&mut self, key: &str, value: impl Into<Value>) {
        self.text.push_str(&format!("{key} = {}\n", value.into()));
    }

    /// `key = ["…", "…"]`.
    pub(super) fn texts<T: AsRef<str>>(&mut self, key: &str, texts: &[T]) {
        let items: Vec<String> = texts.iter().map(|text| Value::from(text.as_ref()).to_string()).collect();
        let line = format!("{key} = [{}]", items.join(", "));
        if line.chars().count() <= 120 {
            self.text.push_str(&line);
        } else {
            self.text.push_str(&format!("{key} = [\n    {},\n]", items.join(",\n    ")));
        }
        self.text.push('\n');
    }

    /// `key = value` with the value written already.
    pub(super) fn raw(&mut self, key: &str, value: &str) {
        self.text.push_str(&format!("{key} = {value}\n"));
    }

    pub(super) fn gap(&mut self) {
        self.text.push('\n');
    }

    pub(super) fn finish(self) -> String {
        format!("{}\n", self.text.trim_end())
    }
}

pub(super) fn head(toml: &mut Writer) {
    toml.comment(
        "Made of an alertmanager.yml by `tocsin import alertmanager`. What does not mean the same was printed beside it.\n\
         Each receiver is an empty team and a policy that pages it: put people into `[[people]]` and name them in\n\
         `members`, then `tocsin check FILE` says what is missing. Without `fallback` a P0 may reach nobody, and the\n\
         document is refused.\n\
         fallback = [\"person:ID\"]",
    );
    toml.gap();
}

/// Names as our document takes them, each given once.
#[derive(Debug, Default)]
pub(super) struct Ids {
    taken: std::collections::BTreeSet<String>,
}

/// A name has at most 64 bytes; this leaves room for a number.
const NAME_BYTES: usize = 56;

impl Ids {
    pub(super) fn keep(&mut self, name: &str) {
        self.taken.insert(name.to_owned());
    }

    /// The text as a name nobody has yet.
    pub(super) fn name(&mut self, text: &str, otherwise: &str) -> String {
        let mut name = String::new();
        for c in text.chars() {
            let fits = c.is_alphanumeric() || matches!(c, '_' | '.');
            match (fits, name.ends_with('-') || name.is_empty()) {
                (true, _) => name.push(c),
                (false, false) => name.push('-'),
                (false, true) => {}
            }
        }
        name.truncate(name.floor_char_boundary(NAME_BYTES));
        let name = name.trim_end_matches('-');
        let name = if name.is_empty() { otherwise } else { name };
        let mut numbered = name.to_owned();
        let mut number = 1;
        while !self.taken.insert(numbered.clone()) {
            number += 1;
            numbered = format!("{name}-{number}");
        }
        numbered
    }
}
