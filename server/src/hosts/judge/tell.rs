//! What the judge has to say, as a message that the pager sends to itself.

use crate::runtime::Arrived;
use engine::threshold::{Bound, Judged, OverBecause};
use shared::{
    Metric, Severity, Timestamp,
    host::{SeriesName, Unit, metric},
};
use std::collections::BTreeMap;

/// A problem, or its end.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Message {
    host: String,
    /// None: it is over.
    severity: Option<Severity>,
    summary: String,
    content: String,
    service: Option<String>,
    labels: BTreeMap<String, String>,
    metric: Option<Metric>,
    at: Timestamp,
}

impl Message {
    pub(super) fn judged(host: &str, series: &str, rule: &Bound, judged: Judged, now: Timestamp) -> Self {
        let name: SeriesName = series.parse().unwrap_or_else(|_| SeriesName::plain(series));
        let value = |value: Option<f64>| value.map_or_else(|| "no data".to_owned(), |it| shown(it, &name.metric));
        let (severity, step, made, told) = match judged {
            Judged::Problem { step, value: made } => (Some(rule.severity), Some(step), made, None),
            Judged::Over { value: made, because: OverBecause::Recovered } => (None, None, made, Some("recovered")),
            Judged::Over { value: made, because: OverBecause::OutsideHours } => {
                (None, None, made, Some("the hours of the rule are over"))
            }
        };
        let what = rule.config.note.clone().unwrap_or_else(|| rule.config.title().to_owned());
        let summary = match rule.when.function.span() {
            Some(_) => format!("{what}: {series} is {}", value(made)),
            None if severity.is_some() => format!("{what}: {series} is not measured any more"),
            None => format!("{what}: {series} is measured again"),
        };
        let mut content = format!("{} of template {}: {}", rule.config.title(), rule.template, rule.when);
        if let Some(told) = told {
            content.push_str("; ");
            content.push_str(told);
        }
        let mut labels = rule.config.labels.clone();
        labels.insert("template".to_owned(), rule.template.to_string());
        labels.insert("rule".to_owned(), rule.config.id.to_string());
        labels.insert("series".to_owned(), series.to_owned());
        let metric = Metric {
            name: name.metric.clone(),
            func: rule.when.function.to_string(),
            left: made.map(plain).unwrap_or_default(),
            op: rule.when.operator.as_str().to_owned(),
            right: plain(rule.when.threshold),
            tags: name.tags.iter().cloned().collect(),
            step,
        };
        let metric = rule.when.function.span().map(|_| metric);
        let (host, service) = (host.to_owned(), rule.config.service.clone());
        Self { host, severity, summary, content, service, labels, metric, at: now }
    }

    /// The rule is no more, or the host or the series is.
    pub(super) fn dropped(host: &str, series: &str, why: &str, now: Timestamp) -> Self {
        Self::over(host, format!("{series}: {why}"), now)
    }

    pub(super) fn silent(host: &str, severity: Severity, heard_at: Timestamp, now: Timestamp) -> Self {
        let minutes = now.ms_since(heard_at) / 60_000;
        Self {
            severity: Some(severity),
            content: format!("Nothing was measured of {host} for {minutes} min. It may be down, or its agent is."),
            ..Self::over(host, format!("{host} is silent"), now)
        }
    }

    pub(super) fn heard(host: &str, why: &str, now: Timestamp) -> Self {
        Self::over(host, format!("{host} is not silent any more: {why}"), now)
    }

    fn over(host: &str, summary: String, now: Timestamp) -> Self {
        Self {
            host: host.to_owned(),
            severity: None,
            summary,
            content: String::new(),
            service: None,
            labels: BTreeMap::new(),
            metric: None,
            at: now,
        }
    }

    /// The message as it arrives, under an identity.
    pub(super) fn arrived(&self, key: &str, now: Timestamp) -> Arrived {
        let mut labels = self.labels.clone();
        // By this the host is known again after a start, whatever characters its name has.
        labels.insert("host_name".to_owned(), self.host.clone());
        let body = serde_json::json!({
            "status": if self.severity.is_some() { "firing" } else { "resolved" },
            "severity": self.severity.unwrap_or(Severity::P4).to_string(),
            "host": self.host, "service": self.service, "summary": self.summary, "content": self.content,
            "dedup_key": key, "labels": labels,
        });
        let mut arrived = Arrived::of_itself(&body, key, now);
        for parsed in &mut arrived.read.events {
            parsed.event.metric = self.metric.clone().map(Box::new);
        }
        arrived
    }
}

/// A value as people read it, with its unit.
fn shown(value: f64, name: &str) -> String {
    let unit = metric(name).map_or(Unit::Plain, |it| it.unit);
    let (value, suffix) = match unit {
        Unit::Percent => (value, " %"),
        Unit::Milliseconds => (value, " ms"),
        Unit::Seconds => (value, " s"),
        Unit::Bytes => return scaled(value, 1_024.0, "iB"),
        Unit::BytesPerSecond => return scaled(value, 1_024.0, "iB/s"),
        Unit::BitsPerSecond => return scaled(value, 1_000.0, "bit/s"),
        Unit::PerSecond => (value, "/s"),
        Unit::Count | Unit::Plain => (value, ""),
    };
    format!("{}{suffix}", plain(value))
}

fn scaled(value: f64, step: f64, unit: &str) -> String {
    let mut value = value;
    for prefix in ["", "K", "M", "G", "T"] {
        if value.abs() < step || prefix == "T" {
            let unit = if prefix.is_empty() { unit.trim_start_matches('i') } else { unit };
            return format!("{} {prefix}{unit}", plain(value));
        }
        value /= step;
    }
    plain(value)
}

/// At most two decimals, and none that say nothing.
fn plain(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_for_people() {
        for (value, name, expected) in [
            (3.0, "cpu.idle", "3 %"),
            (97.126, "cpu.busy", "97.13 %"),
            (1_610_612_736.0, "mem.memused", "1.5 GiB"),
            (512.0, "mem.memused", "512 B"),
            (940_000_000.0, "net.if.in.bits", "940 Mbit/s"),
            (12.5, "disk.io.await", "12.5 ms"),
            (40.0, "nginx.connections", "40"),
        ] {
            assert_eq!(shown(value, name), expected);
        }
    }
}
