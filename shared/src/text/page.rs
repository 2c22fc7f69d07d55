//! What a page says on a lock screen: how bad, what, where, within the first characters.

use super::{Language, span};
use crate::Incident;

/// Title and body of a page, plain text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageText {
    /// At most 40 characters where the host's name allows it; severity and host come first.
    pub title: String,
    pub body: String,
}

/// The text of a page about `incident`; `level` is 0-based.
#[must_use]
pub fn page_text(language: Language, incident: &Incident, level: u32, reminder: bool) -> PageText {
    let place = incident.host.as_deref().or(incident.ip.as_deref()).unwrap_or(incident.integration.as_str());
    let title = clip(&format!("{} {place} {}", incident.severity, incident.title), 80);
    let mut parts: Vec<String> = Vec::new();
    if let Some(ip) = incident.ip.as_deref().filter(|ip| Some(*ip) != incident.host.as_deref()) {
        parts.push(ip.to_owned());
    }
    let id = incident.id;
    parts.push(match language {
        Language::En => format!("incident #{id}"),
        Language::Zh => format!("事件 #{id}"),
    });
    if incident.count > 1 {
        let count = incident.count;
        parts.push(match language {
            Language::En => format!("{count} times"),
            Language::Zh => format!("第 {count} 次"),
        });
    }
    if incident.firing > 1 {
        let alerts = incident.firing;
        parts.push(match language {
            Language::En => format!("{alerts} alerts"),
            Language::Zh => format!("{alerts} 条告警"),
        });
    }
    if incident.flapping.is_some() {
        parts.push(match language {
            Language::En => "flapping".to_owned(),
            Language::Zh => "抖动".to_owned(),
        });
    }
    if let Some(stale) = &incident.stale {
        let silent = span(language, stale.since.ms_since(stale.heard_at));
        let closes = stale.closes_at.map(|at| span(language, at.ms_since(stale.since)));
        parts.push(match (language, closes) {
            (Language::En, None) => format!("stale: nothing heard for {silent}"),
            (Language::Zh, None) => format!("失联：{silent}未再收到"),
            (Language::En, Some(closes)) => format!("stale: nothing heard for {silent}, closes in {closes}"),
            (Language::Zh, Some(closes)) => format!("失联：{silent}未再收到，{closes}后关闭"),
        });
    }
    if let Some(again) = &incident.again {
        let times = again.times;
        parts.push(match language {
            Language::En => format!("{times} times in 24 h"),
            Language::Zh => format!("24 小时内第 {times} 次"),
        });
    }
    let level = level + 1;
    parts.push(match (language, reminder) {
        (Language::En, false) => format!("level {level}"),
        (Language::Zh, false) => format!("第 {level} 级"),
        (Language::En, true) => "still nobody has answered".to_owned(),
        (Language::Zh, true) => "仍无人响应".to_owned(),
    });
    let said: String = incident.annotations.iter().map(|(name, text)| format!("\n{name}: {text}")).collect();
    PageText { title, body: format!("{}\n{}{said}", incident.title, parts.join(" · ")) }
}

/// Incidents a message lists by name; of the rest it says how many.
const LISTED_MAX: usize = 10;

/// The text of one message about several incidents, the most severe first.
#[must_use]
pub fn bundle_text(language: Language, incidents: &[&Incident], storm: bool) -> PageText {
    let lines = incidents.iter().take(LISTED_MAX).map(|incident| clip(&line(incident), 100));
    let mut lines: Vec<String> = lines.collect();
    let (all, more) = (incidents.len(), incidents.len().saturating_sub(LISTED_MAX));
    if more > 0 {
        lines.push(match language {
            Language::En => format!("and {more} more incidents"),
            Language::Zh => format!("以及另外 {more} 个事件"),
        });
    }
    let first = incidents.first().map_or_else(String::new, |incident| {
        let place = incident.host.as_deref().or(incident.ip.as_deref()).unwrap_or(incident.integration.as_str());
        clip(&format!("{} {place} {}", incident.severity, incident.title), 50)
    });
    let others = all.saturating_sub(1);
    let title = match (language, storm) {
        (Language::En, false) => format!("{first} + {others} more"),
        (Language::Zh, false) => format!("{first} 等 {all} 个事件"),
        (Language::En, true) => format!("Storm: {all} incidents, {first}"),
        (Language::Zh, true) => format!("告警风暴：{all} 个事件，{first}"),
    };
    PageText { title, body: lines.join("\n") }
}

fn line(incident: &Incident) -> String {
    let place = incident.host.as_deref().or(incident.ip.as_deref()).unwrap_or(incident.integration.as_str());
    format!("#{} {} {place} {}", incident.id, incident.severity, incident.title)
}

fn clip(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most - 1).chain(['…']).collect()
}
