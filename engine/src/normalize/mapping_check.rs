//! What is wrong with a mapping, member by member, in words that say how to mend it.

use super::pointer;
use shared::config::{Finding, Mapping, Texts};

/// Longest pointer, text or word, in bytes.
const TEXT_BYTES: usize = 1024;
/// Most texts of which the first counts.
const TEXTS: usize = 8;
const WHEN: usize = 16;
const WORDS: usize = 64;
const LABELS: usize = 64;

/// Every fault of a mapping; its path begins with `path`.
#[must_use]
pub fn check_mapping(mapping: &Mapping, path: &str) -> Vec<Finding> {
    let mut check = Check { path, findings: Vec::new() };
    let Mapping { each, when, summary, content, host, ip, mac, service, key, time, url, severity, status, labels } =
        mapping;
    if let Some(each) = each {
        check.pointer("each", each);
    }
    check.most("when", when.len(), WHEN);
    for (i, test) in when.iter().enumerate() {
        check.pointer(&format!("when[{i}].at"), &test.at);
        check.words(&format!("when[{i}].is"), test.is.iter());
    }
    let fields = [
        ("summary", summary),
        ("content", content),
        ("host", host),
        ("ip", ip),
        ("mac", mac),
        ("service", service),
        ("key", key),
        ("time", time),
        ("url", url),
    ];
    for (name, texts) in fields {
        check.texts(name, texts);
    }
    if let Some(severity) = severity {
        check.some("severity.from", &severity.from);
        check.words("severity.words", severity.words.keys());
    }
    if let Some(status) = status {
        check.some("status.from", &status.from);
        check.words("status.words", status.words.keys());
    }
    check.most("labels", labels.len(), LABELS);
    for (name, texts) in labels {
        if name.trim().is_empty() {
            check.fault("labels", "a label has no name".to_owned());
        }
        check.some(&format!("labels.{name}"), texts);
    }
    let says_nothing = fields.iter().all(|(_, texts)| texts.is_empty())
        && (severity.is_none() && status.is_none() && labels.is_empty());
    if says_nothing {
        check.fault(
            "",
            "the mapping gives no field; name one, as `host = \"/labels/host\"`, or leave it out".to_owned(),
        );
    }
    check.findings
}

/// Whether a mapping is no longer than what is tried: one that is refused anyway shall not keep a server busy.
#[must_use]
pub fn is_short(mapping: &Mapping) -> bool {
    let Mapping { each, when, summary, content, host, ip, mac, service, key, time, url, severity, status, labels } =
        mapping;
    let fields = [summary, content, host, ip, mac, service, key, time, url];
    let levels = severity.iter().map(|it| (&it.from, it.words.len()));
    let states = status.iter().map(|it| (&it.from, it.words.len()));
    let is_short = |texts: &Texts| texts.0.len() <= TEXTS && texts.0.iter().all(|text| text.len() <= TEXT_BYTES);
    each.as_ref().is_none_or(|each| each.len() <= TEXT_BYTES)
        && when.len() <= WHEN
        && when.iter().all(|test| test.is.len() <= WORDS && test.at.len() <= TEXT_BYTES)
        && labels.len() <= LABELS
        && fields.into_iter().chain(labels.values()).all(is_short)
        && levels.chain(states).all(|(from, words)| words <= WORDS && is_short(from))
}

struct Check<'p> {
    path: &'p str,
    findings: Vec<Finding>,
}

impl Check<'_> {
    fn fault(&mut self, name: &str, message: String) {
        let dot = if name.is_empty() { "" } else { "." };
        self.findings.push(Finding { path: format!("{}{dot}{name}", self.path), message, fatal: true });
    }

    fn most(&mut self, name: &str, found: usize, limit: usize) {
        if found > limit {
            self.fault(name, format!("there are {found}; at most {limit} are read"));
        }
    }

    fn length(&mut self, name: &str, text: &str) {
        if text.len() > TEXT_BYTES {
            self.fault(name, format!("it is {} bytes long; at most {TEXT_BYTES} are read", text.len()));
        }
    }

    fn pointer(&mut self, name: &str, text: &str) {
        self.length(name, text);
        if let Some(fault) = pointer::fault(text) {
            self.fault(name, fault);
        }
    }

    fn words<'w>(&mut self, name: &str, words: impl ExactSizeIterator<Item = &'w String>) {
        self.most(name, words.len(), WORDS);
        for word in words {
            self.length(name, word);
            if word.trim().is_empty() {
                self.fault(name, "a word is empty".to_owned());
            }
        }
    }

    fn texts(&mut self, name: &str, texts: &Texts) {
        self.most(name, texts.0.len(), TEXTS);
        for (i, text) in texts.0.iter().enumerate() {
            let name = if texts.0.len() == 1 { name.to_owned() } else { format!("{name}[{i}]") };
            self.length(&name, text);
            match pointer::pieces(text) {
                Ok(_) if text.trim().is_empty() => self.fault(&name, "it is empty".to_owned()),
                Ok(_) => {}
                Err(fault) => self.fault(&name, fault),
            }
        }
    }

    fn some(&mut self, name: &str, texts: &Texts) {
        if texts.is_empty() {
            self.fault(name, "it names no place; write a pointer as `/level`".to_owned());
        }
        self.texts(name, texts);
    }
}
