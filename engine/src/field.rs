//! The fields of an alert that conditions and group keys name.

use crate::matcher::Subject;

/// A named field. A name that is none of ours is a label.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    Severity,
    /// The sender's own word for the severity, when it stated none of ours.
    SeverityWord,
    Integration,
    Host,
    Ip,
    Mac,
    Service,
    Summary,
    Content,
    Metric,
    /// What identifies the alert within its integration.
    DedupKey,
    Label(String),
    Annotation(String),
}

impl Field {
    /// The field of a name. `labels.host` is the label, where `host` is the field.
    #[must_use]
    pub fn named(name: &str) -> Self {
        match name {
            "severity" => Self::Severity,
            "severity_word" => Self::SeverityWord,
            "integration" => Self::Integration,
            "host" => Self::Host,
            "ip" => Self::Ip,
            "mac" => Self::Mac,
            "service" => Self::Service,
            "summary" | "title" => Self::Summary,
            "content" => Self::Content,
            "metric" => Self::Metric,
            "dedup_key" => Self::DedupKey,
            _ => match name.strip_prefix("annotations.") {
                Some(name) => Self::Annotation(name.to_owned()),
                None => Self::Label(name.strip_prefix("labels.").unwrap_or(name).to_owned()),
            },
        }
    }

    /// What the alert says there; none when it says nothing.
    #[must_use]
    pub fn of<'a>(&self, subject: &Subject<'a>) -> Option<&'a str> {
        let event = subject.event;
        let text = match self {
            Self::Severity => subject.severity.as_str(),
            Self::SeverityWord => event.severity_word.as_deref()?,
            Self::Integration => subject.integration.as_str(),
            Self::Host => event.host.as_deref()?,
            Self::Ip => event.ip.as_deref()?,
            Self::Mac => event.mac.as_deref()?,
            Self::Service => event.service.as_deref()?,
            Self::Summary => &event.summary,
            Self::Content => &event.content,
            Self::Metric => &event.metric.as_ref()?.name,
            Self::DedupKey => &event.dedup_key,
            Self::Label(name) => event.labels.get(name)?,
            Self::Annotation(name) => event.annotations.get(name)?,
        };
        Some(text)
    }
}
