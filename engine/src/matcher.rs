//! Conditions on alerts: `severity=P0`, `host=~"db-.*"`, `service!=web`, `labels.rack=r7`, `ip in 10.0.0.0/8`,
//! `time not in office`.

use crate::{
    field::Field,
    window::{Window, Windows},
};
use ipnet::IpNet;
use regex::Regex;
use shared::{
    AlertEvent, IntegrationId, Severity, Timestamp, WindowId,
    config::{Condition, Operator},
    timeline::FailedMatch,
};
use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

/// What is asked of an alert.
#[derive(Clone, Debug)]
pub(crate) enum Test {
    /// The field's text; an absent field reads as empty, as Prometheus has it.
    Text(Field, Text),
    /// The field holds an address of one of these networks.
    Network(Field, Vec<IpNet>),
    /// It is one of these times.
    Time(Vec<(WindowId, Arc<Window>)>),
}

/// How a text is compared.
#[derive(Clone, Debug)]
pub(crate) enum Text {
    Equal(String),
    Like(Regex),
}

/// One compiled condition.
#[derive(Clone, Debug)]
pub struct Matcher {
    pub(crate) test: Test,
    /// `!=`, `!~` and `not in`: the test must fail.
    pub(crate) negated: bool,
    text: String,
}

/// What conditions can see of an alert.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    pub event: &'a AlertEvent,
    pub integration: &'a IntegrationId,
    pub severity: Severity,
    pub now: Timestamp,
}

/// The largest compiled regular expression, so that a configuration cannot exhaust memory.
const REGEX_SIZE_BYTES: usize = 256 * 1024;

impl Matcher {
    /// Compiles a condition that does not depend on the time; the error says what is wrong and how to mend it.
    pub fn parse(text: &str) -> Result<Self, String> {
        Self::parse_with(text, &Windows::new())
    }

    /// Compiles a condition, which may name time windows.
    pub fn parse_with(text: &str, windows: &Windows) -> Result<Self, String> {
        let Condition { field: name, operator, value } = Condition::split(text)?;
        let test = match (operator, Field::named(name)) {
            (Operator::In | Operator::NotIn, Field::Label(label)) if label == "time" => {
                Test::Time(times(text, value, windows)?)
            }
            (Operator::In | Operator::NotIn, field) => Test::Network(field, networks(text, value)?),
            // `severity=p0` means P0: compared as written it would be accepted and never hold.
            (Operator::Equal | Operator::NotEqual, Field::Severity) => {
                let severity = value.parse::<Severity>().map_err(|error| format!("`{text}`: {error}"))?;
                Test::Text(Field::Severity, Text::Equal(severity.as_str().to_owned()))
            }
            (Operator::Equal | Operator::NotEqual, field) => Test::Text(field, Text::Equal(value.to_owned())),
            (Operator::Like | Operator::NotLike, field) => Test::Text(field, Text::Like(regex(text, value)?)),
        };
        Ok(Self { test, negated: operator.is_negated(), text: text.to_owned() })
    }

    /// Whether the condition holds.
    #[must_use]
    pub fn holds(&self, subject: &Subject<'_>) -> bool {
        let positive = match &self.test {
            Test::Text(field, text) => text.holds(field.of(subject).unwrap_or_default()),
            Test::Network(field, networks) => field.of(subject).and_then(address).is_some_and(|it| among(networks, it)),
            Test::Time(windows) => windows.iter().any(|(_, window)| window.contains(subject.now)),
        };
        positive != self.negated
    }

    /// What a condition that does not hold has found instead.
    #[must_use]
    pub fn failure(&self, subject: &Subject<'_>) -> FailedMatch {
        let value = match &self.test {
            Test::Text(field, _) | Test::Network(field, _) => field.of(subject).map(str::to_owned),
            Test::Time(windows) => windows.first().map(|(_, window)| window.local(subject.now)),
        };
        FailedMatch { condition: self.text.clone(), value }
    }

    /// The condition that holds where this one does not.
    #[must_use]
    pub fn opposite(&self) -> Self {
        Self { negated: !self.negated, ..self.clone() }
    }

    /// As written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether the condition looks at nothing but the severity, so that [`Self::admits`] decides it.
    #[must_use]
    pub fn is_about_severity(&self) -> bool {
        matches!(self.test, Test::Text(Field::Severity, _))
    }

    /// Whether the condition can hold for an alert of this severity (other fields are unknown).
    #[must_use]
    pub fn admits(&self, severity: Severity) -> bool {
        match &self.test {
            Test::Text(Field::Severity, text) => text.holds(severity.as_str()) != self.negated,
            _ => true,
        }
    }
}

impl Text {
    pub(crate) fn holds(&self, value: &str) -> bool {
        match self {
            Self::Equal(want) => want == value,
            Self::Like(regex) => regex.is_match(value),
        }
    }
}

pub(crate) fn regex(text: &str, value: &str) -> Result<Regex, String> {
    regex::RegexBuilder::new(&format!(r"\A(?:{value})\z"))
        .size_limit(REGEX_SIZE_BYTES)
        .build()
        .map_err(|error| format!("`{text}`: `{value}` is not a regular expression: {error}"))
}

/// A network, or an address as a network of one.
#[must_use]
pub fn network(text: &str) -> Option<IpNet> {
    let text = text.trim();
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

fn networks(text: &str, value: &str) -> Result<Vec<IpNet>, String> {
    let named = |part: &str| {
        network(part).ok_or_else(|| {
            let part = part.trim();
            format!("`{text}`: `{part}` is not a network; write 10.0.0.0/8, 2001:db8::/32 or an address")
        })
    };
    value.split(',').map(named).collect()
}

fn times(text: &str, value: &str, windows: &Windows) -> Result<Vec<(WindowId, Arc<Window>)>, String> {
    let named = |part: &str| {
        let id = WindowId::from(part.trim());
        let window = windows.get(&id).ok_or_else(|| format!("`{text}`: there is no time window `{id}` here"))?;
        Ok((id, window.clone()))
    };
    value.split(',').map(named).collect()
}

/// An address, also with a port as exporters write it.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    text.parse::<IpAddr>().ok().or_else(with_port).map(|address| address.to_canonical())
}

fn among(networks: &[IpNet], address: IpAddr) -> bool {
    networks.iter().any(|network| network.contains(&address))
}
