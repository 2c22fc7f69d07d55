//! Which values of a document are sealed in the store, and their rewriting: secrets, and addresses whoever knows may use.

use super::secrets::{each_secret, each_table, id_of, replace};
use std::fmt;
use toml_edit::{DocumentMut, Item, TableLike, Value};

/// What a sealed value begins with, wherever it stands.
pub const SEALED: &str = "sealed:v1:";

/// A value as it stands in a text.
#[derive(Clone, Copy)]
pub struct Held<'a> {
    /// Such as `webhooks[noc].secret`; empty for a whole text that is no TOML.
    pub path: &'a str,
    /// As it is written, with its quotation marks.
    pub literal: &'a str,
    /// The value, when it looks like a sealed one.
    pub sealed: Option<&'a str>,
}

/// What is to stand there instead.
pub enum Put {
    /// A literal, with its quotation marks.
    Literal(String),
    Sealed(String),
}

/// Both may be secret.
impl fmt::Debug for Put {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Literal(_) => "Literal",
            Self::Sealed(_) => "Sealed",
        })
    }
}

/// The text with every value that is sealed in the store replaced; the rest of it stays as it is to the byte. A text that
/// is no TOML is one such value.
///
/// # Errors
/// Whatever `change` returns.
pub fn rewrite_secrets<E>(text: &str, mut change: impl FnMut(Held<'_>) -> Result<Put, E>) -> Result<String, E> {
    let Ok(mut document) = text.parse::<DocumentMut>() else {
        let sealed = text.starts_with(SEALED).then_some(text);
        return change(Held { path: "", literal: text, sealed }).map(|put| match put {
            Put::Literal(text) | Put::Sealed(text) => text,
        });
    };
    let (mut failed, mut changed) = (None, false);
    each_sealed(&mut document, &mut |path, value| {
        if failed.is_some() {
            return;
        }
        let literal = value.clone().decorated("", "").to_string();
        let sealed = value.as_str().filter(|text| text.starts_with(SEALED));
        match change(Held { path: &path, literal: &literal, sealed }) {
            // What was sealed as a literal is one; anything else is put there as a text.
            Ok(Put::Literal(new)) if new != literal => {
                let new = new.parse::<Value>().unwrap_or_else(|_| Value::from(new));
                replace(value, new);
                changed = true;
            }
            Ok(Put::Literal(_)) => {}
            Ok(Put::Sealed(new)) => {
                replace(value, Value::from(new));
                changed = true;
            }
            Err(error) => failed = Some(error),
        }
    });
    match failed {
        Some(error) => Err(error),
        None => Ok(if changed { document.to_string() } else { text.to_owned() }),
    }
}

type Visit<'a> = dyn FnMut(String, &mut Value) + 'a;

/// Secrets, and addresses that are one: whoever knows the address of a webhook, an ntfy topic or a private calendar may
/// use it.
fn each_sealed(document: &mut DocumentMut, visit: &mut Visit<'_>) {
    each_secret(document, &mut |place, secret| visit(place.path(), secret));
    if let Some(channels) = document.get_mut("channels").and_then(Item::as_table_like_mut)
        && let Some(heartbeat) = channels.get_mut("heartbeat").and_then(Item::as_table_like_mut)
    {
        address(heartbeat, "channels.heartbeat", "url", visit);
    }
    entries(document.get_mut("people"), "people", &mut |path, person| {
        entries(person.get_mut("contacts"), &format!("{path}.contacts"), &mut |path, contact| {
            // Robots are known by their address alone.
            for key in ["webhook", "ntfy", "slack", "teams", "dingtalk", "feishu", "wecom"] {
                address(contact, path, key, visit);
            }
        });
    });
    entries(document.get_mut("webhooks"), "webhooks", &mut |path, hook| address(hook, path, "url", visit));
    entries(document.get_mut("schedules"), "schedules", &mut |path, schedule| {
        entries(schedule.get_mut("layers"), &format!("{path}.layers"), &mut |path, layer| {
            address(layer, path, "ical_url", visit);
        });
    });
}

fn entries(list: Option<&mut Item>, name: &str, visit: &mut dyn FnMut(&str, &mut dyn TableLike)) {
    if let Some(list) = list {
        each_table(list, &mut |table| {
            let path = format!("{name}[{}]", id_of(table));
            visit(&path, table);
        });
    }
}

fn address(table: &mut dyn TableLike, path: &str, key: &str, visit: &mut Visit<'_>) {
    if let Some(value) = table.get_mut(key).and_then(Item::as_value_mut) {
        visit(format!("{path}.{key}"), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value as Json;
    use std::{collections::BTreeSet, convert::Infallible};

    const TEXT: &str = r#"# ours
[channels.email]
host = "mail"
from = "a@b"
password = 'ge"heim-1' # rotated yearly
[channels.ntfy]
server = "https://ntfy"
token = "geheim-2"
[channels.heartbeat]
url = "https://dead.example/geheim-3"

[[people]]
id = "li"
name = "Li"
contacts = [{ id = "hook", webhook = "https://x/geheim-4", secret = "geheim-5" }, { id = "phone", ntfy = "geheim-6" }]

[[webhooks]]
id = "noc"
url = "https://z/geheim-7"
secret = """geheim-8"""

[[sources]]
id = "vc"
kind = "file"
address = "/srv/machines.csv"
password = "geheim-9"

[[hosts.scrapes]]
address = "https://web01:9100/metrics"
username = "reader"
password = "geheim-11"

[[schedules]]
id = "s"
[[schedules.layers]]
id = "theirs"
ical_url = "https://calendar.example/geheim-10"
"#;

    fn seal(text: &str, paths: &mut Vec<String>) -> String {
        rewrite_secrets(text, |held| {
            paths.push(held.path.to_owned());
            Ok::<_, Infallible>(Put::Sealed(format!("{SEALED}{}", hex(held.literal))))
        })
        .unwrap()
    }

    fn open(text: &str) -> String {
        rewrite_secrets(text, |held| {
            let sealed = held.sealed.and_then(|text| text.strip_prefix(SEALED));
            Ok::<_, Infallible>(Put::Literal(sealed.map_or_else(|| held.literal.to_owned(), unhex)))
        })
        .unwrap()
    }

    fn hex(text: &str) -> String {
        text.bytes().map(|byte| format!("{byte:02x}")).collect()
    }

    fn unhex(text: &str) -> String {
        let bytes = (0..text.len() / 2).map(|at| u8::from_str_radix(&text[at * 2..at * 2 + 2], 16).unwrap()).collect();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn what_is_sealed_comes_back_to_the_byte() {
        let mut paths = Vec::new();
        let sealed = seal(TEXT, &mut paths);
        assert!(!sealed.contains("heim"), "{sealed}");
        assert!(
            sealed.contains("# ours") && sealed.contains("# rotated yearly") && sealed.contains("address = \"/srv")
        );
        assert_eq!(open(&sealed), TEXT);
        assert_eq!(paths.len(), 11, "{paths:?}");
        for path in
            ["channels.email.password", "people[li].contacts[hook].webhook", "schedules[s].layers[theirs].ical_url"]
        {
            assert!(paths.iter().any(|it| it == path), "{path} is not in {paths:?}");
        }
    }

    /// Every key of the document that sounds like a secret, such as `webhooks[].secret`.
    fn secret_keys() -> BTreeSet<String> {
        fn walk(root: &Json, schema: &Json, path: &str, depth: u32, found: &mut BTreeSet<String>) {
            const WORDS: [&str; 11] = [
                "password",
                "secret",
                "shared_key",
                "token",
                "passphrase",
                "community",
                "credential",
                "encrypt_key",
                "aes_key",
                "signing_key",
                "service_account",
            ];
            if depth > 8 {
                return;
            }
            if let Some(name) = schema["$ref"].as_str().and_then(|name| name.strip_prefix("#/$defs/")) {
                walk(root, &root["$defs"][name], path, depth, found);
            }
            for one in schema["anyOf"].as_array().into_iter().flatten() {
                walk(root, one, path, depth, found);
            }
            if !schema["items"].is_null() {
                walk(root, &schema["items"], &format!("{path}[]"), depth, found);
            }
            for (name, below) in schema["properties"].as_object().into_iter().flatten() {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                // The name of a file is no secret; what is in it is not in the document.
                if !name.ends_with("_file") && WORDS.iter().any(|word| name.contains(word)) {
                    found.insert(path.clone());
                }
                walk(root, below, &path, depth + 1, found);
            }
        }
        let schema = schemars::schema_for!(shared::config::Document).to_value();
        let mut found = BTreeSet::new();
        walk(&schema, &schema, "", 0, &mut found);
        found
    }

    /// `people[li].name` as `people[].name`.
    fn kind_of(path: &str) -> String {
        path.split('[')
            .map(|part| part.split_once(']').map_or_else(|| part.to_owned(), |it| format!("[]{}", it.1)))
            .collect()
    }

    #[test]
    fn every_secret_of_the_schema_is_sealed_and_has_a_canary() {
        const CANARIES: &str = include_str!("../../tests/canaries.toml");
        let mut sealed = BTreeSet::new();
        rewrite_secrets(CANARIES, |held| {
            let is_canary = held.literal.contains("canary-") || held.literal.contains("whsec_Y2FuYXJ5");
            assert!(is_canary, "{} holds no canary", held.path);
            sealed.insert(kind_of(held.path));
            Ok::<_, Infallible>(Put::Literal(held.literal.to_owned()))
        })
        .unwrap();
        let secrets = secret_keys();
        assert!(secrets.contains("webhooks[].secret") && secrets.contains("channels.email.password"), "{secrets:?}");
        assert!(secrets.is_subset(&sealed), "not sealed, or without a canary: {:?}", secrets.difference(&sealed));
        assert_eq!(
            seal(CANARIES, &mut Vec::new()).matches("anary-").count(),
            0,
            "a canary stands where nothing is sealed"
        );
        assert_eq!(super::super::hide(CANARIES).matches(super::super::KEPT).count(), secrets.len());
        super::super::parse(CANARIES).unwrap();
    }

    #[test]
    fn a_value_that_only_looks_sealed_and_a_text_that_is_no_toml_come_back_too() {
        let text = format!("[channels.ntfy]\nserver = \"x\"\ntoken = \"{SEALED}mine\"\n");
        assert_eq!(open(&seal(&text, &mut Vec::new())), text);
        let sealed = seal("geheim: no toml", &mut Vec::new());
        assert!(sealed.starts_with(SEALED) && !sealed.contains("geheim"));
        assert_eq!(open(&sealed), "geheim: no toml");
    }

    proptest! {
        #[test]
        fn any_text_and_any_secret_comes_back(text in "\\PC{0,80}", secret in any::<String>()) {
            // A whole text that begins so is taken for sealed, and is none of these.
            prop_assert_eq!(open(&seal(&text, &mut Vec::new())), text);
            let document = format!("[channels.ntfy]\nserver = \"x\"\ntoken = {} # why\n", Value::from(secret.as_str()));
            prop_assert_eq!(open(&seal(&document, &mut Vec::new())), document);
        }
    }
}
