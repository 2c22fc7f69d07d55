//! What an operator sets: the process's own settings, and the one document about people, schedules and routes.
//!
//! Settings come from flags, then `TOCSIN_*` variables, then defaults; no other module reads the environment.
//! The document is TOML text in the store: it is read, checked, compared and changed here, and stored by `db`.

mod check;
mod edit;
mod nouns;
mod overrides;
mod parse;
mod plan;
mod sealed;
mod secrets;
mod sections;
mod settings;

pub use check::{Checked, Refused, check, check_document, report};
pub use edit::{EditError, add_agents, add_heartbeat, replace_person};
pub use nouns::{NounText, noun, policy as policy_of, route as route_of};
pub use overrides::{add_overrides, remove_override};
pub use parse::{parse, read, to_toml};
pub use plan::plan;
pub use sealed::{Held, Put, SEALED, rewrite_secrets};
pub use secrets::{KEPT, hide, restore, restore_person, without_secrets};
pub use sections::draft_text;
pub use settings::{LogFormat, Serve, Storage, fallback_url};

/// Every key with its default, as documentation.
pub const DEFAULTS: &str = include_str!("../config.default.toml");

#[cfg(test)]
mod tests {
    use super::*;
    use shared::{Timestamp, config::Document};

    #[test]
    fn the_defaults_are_what_the_program_takes_for_granted() {
        assert_eq!(parse(DEFAULTS).unwrap(), Document::default());
    }

    #[test]
    fn uncommented_they_are_an_organisation_that_works() {
        let uncommented: String = DEFAULTS
            .lines()
            .map(|line| {
                let rest = line.strip_prefix("# ").unwrap_or(line);
                let key = rest.split(" = ").next().unwrap_or_default();
                let is_key = rest.contains(" = ")
                    && key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_' || b.is_ascii_digit());
                format!("{}\n", if is_key || rest.starts_with('[') { rest } else { line })
            })
            .collect();
        let checked = check(&uncommented, 1, std::sync::Arc::default(), Timestamp::from_ms(1_795_000_000_000));
        let checked = checked.unwrap_or_else(|refused| panic!("{:#?}", refused.findings));
        let mut document = checked.document;
        assert!(checked.tests.len() == 1 && checked.tests[0].passed);
        // Every section is shown, and everything in it that has a default is shown with another value or as it is.
        let shown = [document.people.len(), document.teams.len(), document.schedules.len(), document.webhooks.len()];
        assert_eq!(shown, [2, 1, 1, 1]);
        assert!(document.channels.email.is_some() && document.channels.ntfy.is_some() && document.public_url.is_some());
        let text = to_toml(&document);
        assert_eq!(parse(&text).unwrap(), document, "{text}");
        document.people.clear();
        assert_ne!(parse(&text).unwrap(), document);
    }

    /// Every key that any type of the document knows stands in the file.
    #[test]
    fn no_key_is_left_out() {
        let schema = schemars::schema_for!(Document).to_value().to_string();
        let schema: serde_json::Value = serde_json::from_str(&schema).unwrap();
        let types = schema["$defs"].as_object().unwrap().values().chain([&schema]);
        for key in types.filter_map(|it| it["properties"].as_object()).flat_map(|it| it.keys()) {
            let named = [format!("{key} = "), format!("[[{key}]]"), format!("[{key}"), format!(".{key}]")];
            assert!(named.iter().any(|form| DEFAULTS.contains(form)), "`{key}` is not in config.default.toml");
        }
    }
}
