//! An identity that the settings of a sender put together: a text with names of members in braces, and nothing that runs.
//!
//! It is for senders whose own key is another one each time, or too coarse. An alert and its recovery get the same key when
//! both say the same in these members.

use super::{bounds, fold};
use shared::{Action, AlertEvent, Flag, Format};

/// The longest template.
const BYTES_MAX: usize = 512;
/// Names that a template may hold; severities are none, since a recovery often says another one.
const NAMES: [&str; 7] = ["host", "ip", "mac", "service", "metric", "summary", "dedup_key"];

/// A part of a template.
enum Part<'a> {
    Text(&'a str),
    Member(&'a str),
}

/// The parts of a template; what is no template is one text.
fn parts(template: &str) -> impl Iterator<Item = Part<'_>> {
    let mut rest = template;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (part, after) = match rest.strip_prefix('{').and_then(|inner| inner.split_once('}')) {
            Some((name, after)) => (Part::Member(name.trim()), after),
            None => {
                let end = rest.char_indices().skip(1).find(|(_, c)| *c == '{').map_or(rest.len(), |(at, _)| at);
                let (text, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
                (Part::Text(text), after)
            }
        };
        rest = after;
        Some(part)
    })
}

/// What is wrong with a template.
#[must_use]
pub fn faults(template: &str) -> Vec<String> {
    let mut faults = Vec::new();
    if template.len() > BYTES_MAX {
        faults.push(format!("a template has at most {BYTES_MAX} bytes"));
    }
    let mut names = 0;
    for part in parts(template) {
        match part {
            Part::Text(text) if text.contains(['{', '}']) => {
                faults.push(format!("`{text}` has a brace too few or too many; write {{host}}"));
            }
            Part::Text(_) => {}
            Part::Member(name) => {
                names += 1;
                if !is_name(name) {
                    let known = NAMES.join(", ");
                    let why = "labels.NAME and annotations.NAME";
                    faults.push(format!("`{{{name}}}` is no member; there are {known}, {why}"));
                }
            }
        }
    }
    if names == 0 && faults.is_empty() {
        faults.push(
            "it names no member, so that everything would be one alert; write {host} or {labels.service}".to_owned(),
        );
    }
    faults
}

fn is_name(name: &str) -> bool {
    let below = ["labels.", "annotations."].iter().find_map(|prefix| name.strip_prefix(prefix));
    NAMES.contains(&name) || below.is_some_and(|label| !label.is_empty() && !label.contains('{'))
}

/// What an event says in a member, without blanks around it.
fn member(event: &AlertEvent, name: &str, out: &mut String) {
    let label = |prefix: &str| name.strip_prefix(prefix);
    let text = match name {
        "host" => event.host.as_deref(),
        "ip" => event.ip.as_deref(),
        "mac" => event.mac.as_deref(),
        "service" => event.service.as_deref(),
        "metric" => event.metric.as_deref().map(|metric| metric.name.as_str()),
        "dedup_key" => Some(&*event.dedup_key),
        // That it is up now and that it was down are one thing.
        "summary" => return fold::fold(&event.summary, out),
        _ => match (label("labels."), label("annotations.")) {
            (Some(name), _) => event.labels.get(name).map(String::as_str),
            (_, Some(name)) => event.annotations.get(name).map(String::as_str),
            _ => None,
        },
    };
    out.push_str(text.unwrap_or_default().trim());
}

/// Gives an event the key of a template, and marks it. What has nothing to say in any of its members keeps its own; so does what is
/// told by an interface that speaks of an alert by its key alone, as it ends it.
pub(super) fn apply(template: &str, event: &mut AlertEvent) {
    let by_key = matches!(event.format, Format::PagerDuty | Format::Opsgenie | Format::Alerta);
    if by_key || event.action == Action::Change || event.flags.contains(&Flag::Poison) || !faults(template).is_empty() {
        return;
    }
    let (mut key, mut says_something) = (String::new(), false);
    for part in parts(template) {
        match part {
            Part::Text(text) => key.push_str(text),
            Part::Member(name) => {
                let before = key.len();
                member(event, name, &mut key);
                says_something |= key.len() > before;
            }
        }
    }
    if says_something {
        // What stands before the words of such a key is of nobody's kin.
        event.resolve_by_host &= event.format != Format::CloudEvents;
        event.flags.retain(|flag| *flag != Flag::KeyHashed);
        bounds::set_key(event, key);
        bounds::flag(event, Flag::KeyTemplate);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use shared::Severity;

    fn event() -> AlertEvent {
        let mut event = AlertEvent::blank(Format::Json, Severity::P3);
        (event.host, event.dedup_key) = (Some("db-07".into()), "own".into());
        event.summary = "host is down, loss 100%".into();
        event.labels.insert("service".to_owned(), " mysql ".to_owned());
        event
    }

    fn key(template: &str, event: &AlertEvent) -> (String, Vec<Flag>) {
        let mut event = event.clone();
        apply(template, &mut event);
        (event.dedup_key.to_string(), event.flags.to_vec())
    }

    #[test]
    fn members_stand_where_the_template_names_them_and_missing_ones_are_empty() {
        let marked = vec![Flag::KeyTemplate];
        assert_eq!(key("{host}|{labels.service}", &event()), ("db-07|mysql".to_owned(), marked.clone()));
        assert_eq!(key("{ host }/{ip}/{labels.x}", &event()), ("db-07//".to_owned(), marked.clone()));
        assert_eq!(key("主机 {dedup_key}", &event()), ("主机 own".to_owned(), marked));
        assert_eq!(key("{ip}|{annotations.x}", &event()), ("own".to_owned(), Vec::new()), "nothing is said there");
    }

    #[test]
    fn an_alert_and_its_recovery_get_the_same_key() {
        let mut over = event();
        (over.action, over.severity, over.dedup_key) = (Action::Resolve, Severity::P6, "another".into());
        over.summary = "host is up, loss 0%".into();
        assert_eq!(key("{host}|{summary}", &event()), key("{host}|{summary}", &over));
        // They speak of an alert by its key.
        for format in [Format::PagerDuty, Format::Opsgenie, Format::Alerta] {
            assert_eq!(key("{host}", &AlertEvent { format, ..event() }).0, "own");
        }
    }

    #[test]
    fn a_long_key_is_hashed() {
        let mut long = event();
        long.labels.insert("x".to_owned(), "y".repeat(4_000));
        let (key, flags) = key("{host}{labels.x}", &long);
        assert_eq!((key.len(), flags), (64, vec![Flag::KeyHashed, Flag::KeyTemplate]));
    }

    #[test]
    fn what_is_no_template_is_refused_with_the_reason() {
        for (template, why) in [
            ("", "names no member"),
            ("fixed", "names no member"),
            ("{host", "a brace too few"),
            ("{host}}", "a brace too few"),
            ("{severity}", "`{severity}` is no member"),
            ("{host.name()}", "is no member"),
            ("{labels.}", "is no member"),
            ("{{host}}", "is no member"),
        ] {
            let faults = faults(template);
            assert!(faults.iter().any(|fault| fault.contains(why)), "{template}: {faults:?}");
        }
        assert!(!faults(&format!("{{host}}{}", "x".repeat(600))).is_empty());
        assert_eq!(faults("{host}|{labels.a b}|{annotations.运行}"), Vec::<String>::new());
    }

    proptest! {
        #[test]
        fn no_template_panics_and_a_refused_one_changes_nothing(template in "[{}a-z.| 主]{0,40}") {
            let found = key(&template, &event());
            if !faults(&template).is_empty() {
                prop_assert_eq!(found.0, "own");
            }
        }
    }
}
