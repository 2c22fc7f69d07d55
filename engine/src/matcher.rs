//! Conditions on alerts: `severity=P0`, `host=~"db-.*"`, `service!=web`, `labels.rack=r7`.

use regex::Regex;
use shared::{AlertEvent, IntegrationId, Severity, timeline::FailedMatch};
use std::borrow::Cow;

/// How a field is compared.
#[derive(Clone, Debug)]
enum Test {
    Equal(String),
    NotEqual(String),
    Like(Regex),
    NotLike(Regex),
}

/// One compiled condition.
#[derive(Clone, Debug)]
pub struct Matcher {
    field: String,
    test: Test,
    text: String,
}

/// What conditions can see of an alert.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    pub event: &'a AlertEvent,
    pub integration: &'a IntegrationId,
    pub severity: Severity,
}

/// The largest compiled regular expression, so that a configuration cannot exhaust memory.
const REGEX_SIZE_BYTES: usize = 256 * 1024;

impl Matcher {
    /// Compiles a condition; the error says what is wrong and how to mend it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let at = text.find(['=', '!']).ok_or_else(|| {
            format!("`{text}` is not a condition; write field=value, field!=value, field=~regex or field!~regex")
        })?;
        let (field, rest) = text.split_at(at);
        let (operator, value) = ["=~", "!~", "!=", "="]
            .into_iter()
            .find_map(|operator| rest.strip_prefix(operator).map(|value| (operator, value)))
            .ok_or_else(|| format!("`{text}`: after `{field}` one of =, !=, =~ and !~ must follow"))?;
        let field = field.trim();
        if field.is_empty() {
            return Err(format!("`{text}`: the field's name is missing before `{operator}`"));
        }
        let value = unquote(value.trim());
        let regex = |value: &str| {
            regex::RegexBuilder::new(&format!(r"\A(?:{value})\z"))
                .size_limit(REGEX_SIZE_BYTES)
                .build()
                .map_err(|error| format!("`{text}`: `{value}` is not a regular expression: {error}"))
        };
        // `severity=p0` means P0: compared as written it would be accepted and never hold.
        let value = if field == "severity" && matches!(operator, "=" | "!=") {
            value.parse::<Severity>().map_err(|error| format!("`{text}`: {error}"))?.as_str()
        } else {
            value
        };
        let test = match operator {
            "=" => Test::Equal(value.to_owned()),
            "!=" => Test::NotEqual(value.to_owned()),
            "=~" => Test::Like(regex(value)?),
            _ => Test::NotLike(regex(value)?),
        };
        Ok(Self { field: field.to_owned(), test, text: text.to_owned() })
    }

    /// `Ok` when the condition holds, otherwise what was found. An absent field equals nothing.
    pub fn check(&self, subject: &Subject<'_>) -> Result<(), FailedMatch> {
        let value = lookup(&self.field, subject);
        let holds = match (&self.test, value.as_deref()) {
            (Test::Equal(want), Some(value)) => value == want,
            (Test::Equal(want), None) => want.is_empty(),
            (Test::NotEqual(want), Some(value)) => value != want,
            (Test::NotEqual(want), None) => !want.is_empty(),
            (Test::Like(regex), Some(value)) => regex.is_match(value),
            (Test::Like(_), None) => false,
            (Test::NotLike(regex), Some(value)) => !regex.is_match(value),
            (Test::NotLike(_), None) => true,
        };
        if holds {
            Ok(())
        } else {
            Err(FailedMatch { condition: self.text.clone(), value: value.map(Cow::into_owned) })
        }
    }

    /// Whether the condition looks at nothing but the severity, so that [`Self::admits`] decides it.
    #[must_use]
    pub fn is_about_severity(&self) -> bool {
        self.field == "severity"
    }

    /// Whether the condition can hold for an alert of this severity (other fields are unknown).
    #[must_use]
    pub fn admits(&self, severity: Severity) -> bool {
        if self.field != "severity" {
            return true;
        }
        match &self.test {
            Test::Equal(want) => want.eq_ignore_ascii_case(severity.as_str()),
            Test::NotEqual(want) => !want.eq_ignore_ascii_case(severity.as_str()),
            Test::Like(regex) => regex.is_match(severity.as_str()),
            Test::NotLike(regex) => !regex.is_match(severity.as_str()),
        }
    }
}

fn unquote(text: &str) -> &str {
    text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text)
}

fn lookup<'a>(field: &str, subject: &Subject<'a>) -> Option<Cow<'a, str>> {
    let event = subject.event;
    let plain = |value: &'a Option<String>| value.as_deref().map(Cow::Borrowed);
    match field {
        "severity" => Some(Cow::Borrowed(subject.severity.as_str())),
        "integration" => Some(Cow::Borrowed(subject.integration.as_str())),
        "host" => plain(&event.host),
        "ip" => plain(&event.ip),
        "mac" => plain(&event.mac),
        "service" => plain(&event.service),
        "summary" | "title" => Some(Cow::Borrowed(&event.summary)),
        "content" => Some(Cow::Borrowed(&event.content)),
        "metric" => event.metric.as_ref().map(|metric| Cow::Borrowed(metric.name.as_str())),
        _ => {
            event.labels.get(field.strip_prefix("labels.").unwrap_or(field)).map(|value| Cow::Borrowed(value.as_str()))
        }
    }
}
