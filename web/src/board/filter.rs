//! Which rows a person asked for: a chip, and words such as `host:db -web P0`.

use crate::browser::lower;
use shared::{IncidentState, Severity, api::IncidentRow};

/// The chips above the list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum View {
    #[default]
    Open,
    Unacked,
    Acked,
    /// P0 and P1.
    Urgent,
    /// What fires and pages nobody, by a silence or because it follows from something larger.
    Quiet,
    /// From the server, not part of the live board.
    Resolved,
    /// Over before anybody who was paged answered; from the server too.
    Missed,
}

impl View {
    pub(crate) const ALL: [Self; 7] =
        [Self::Open, Self::Unacked, Self::Acked, Self::Urgent, Self::Quiet, Self::Resolved, Self::Missed];

    /// The word in the address bar; nothing for the default.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Open => "",
            Self::Unacked => "unacked",
            Self::Acked => "acked",
            Self::Urgent => "urgent",
            Self::Quiet => "quiet",
            Self::Resolved => "resolved",
            Self::Missed => "missed",
        }
    }

    /// Where what is over comes from.
    pub(crate) const fn address(self) -> Option<&'static str> {
        match self {
            Self::Resolved => Some("/api/v1/incidents?state=resolved&limit=200"),
            Self::Missed => Some("/api/v1/incidents?missed=true&limit=200"),
            _ => None,
        }
    }

    pub(crate) fn from_word(word: &str) -> Self {
        Self::ALL.into_iter().find(|view| view.word() == word).unwrap_or_default()
    }

    fn shows(self, row: &IncidentRow) -> bool {
        match self {
            Self::Open | Self::Resolved | Self::Missed => true,
            Self::Unacked => is_alarm(row),
            Self::Acked => matches!(row.state, IncidentState::Acked | IncidentState::Snoozed),
            Self::Urgent => row.severity.is_urgent(),
            Self::Quiet => !row.suppressed.is_empty(),
        }
    }
}

/// Whether it asks for an answer: it fires, and nothing keeps it quiet.
pub(crate) fn is_alarm(row: &IncidentRow) -> bool {
    row.state == IncidentState::Triggered && row.suppressed.is_empty()
}

/// Everything that decides which rows are shown.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Filter {
    pub(crate) view: View,
    words: Vec<Word>,
}

#[derive(Clone, Debug, PartialEq)]
struct Word {
    negated: bool,
    test: Test,
}

#[derive(Clone, Debug, PartialEq)]
enum Test {
    Anywhere(String),
    Severity(Vec<Severity>),
    Host(String),
    Team(String),
    Source(String),
    Who(String),
    Number(i64),
}

impl Filter {
    pub(crate) fn new(view: View, text: &str) -> Self {
        let words = plain(text).split_whitespace().filter_map(Word::read).collect();
        Self { view, words }
    }

    pub(crate) fn shows(&self, row: &IncidentRow) -> bool {
        self.view.shows(row) && self.words.iter().all(|word| word.holds(row))
    }
}

impl Word {
    fn read(text: &str) -> Option<Self> {
        let (negated, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        if text.is_empty() {
            return None;
        }
        let test = match text.split_once(':') {
            Some(("sev" | "severity", value)) => Test::Severity(severities(value)),
            Some(("host" | "ip", value)) => Test::Host(value.to_owned()),
            Some(("team", value)) => Test::Team(value.to_owned()),
            Some(("src" | "source", value)) => Test::Source(value.to_owned()),
            Some(("who", value)) => Test::Who(value.to_owned()),
            _ => match (severities(text), text.strip_prefix('#').and_then(|id| id.parse().ok())) {
                (_, Some(id)) => Test::Number(id),
                (levels, _) if !levels.is_empty() => Test::Severity(levels),
                _ => Test::Anywhere(text.to_owned()),
            },
        };
        Some(Self { negated, test })
    }

    fn holds(&self, row: &IncidentRow) -> bool {
        let within = |part: &str, whole: &str| plain(whole).contains(part);
        let any = |part: &str, whole: &Option<String>| whole.as_deref().is_some_and(|whole| within(part, whole));
        let team = |part: &str| row.team.as_ref().is_some_and(|team| within(part, team.as_str()));
        let others = |part: &str| row.hosts.iter().any(|host| within(part, host));
        let host = |part: &str| any(part, &row.host) || any(part, &row.ip) || others(part);
        let found = match &self.test {
            Test::Severity(levels) => levels.contains(&row.severity),
            Test::Number(id) => row.id.0 == *id,
            Test::Host(part) => host(part),
            Test::Team(part) => team(part),
            Test::Source(part) => within(part, row.integration.as_str()),
            Test::Who(part) => any(part, &row.acked_by) || row.proof.recipients.iter().any(|name| within(part, name)),
            Test::Anywhere(part) => {
                within(part, &row.title)
                    || host(part)
                    || team(part)
                    || within(part, row.integration.as_str())
                    || any(part, &row.acked_by)
            }
        };
        found != self.negated
    }
}

fn severities(text: &str) -> Vec<Severity> {
    let levels: Result<Vec<Severity>, _> = text.split(',').map(str::parse).collect();
    levels.unwrap_or_default()
}

/// Lower case, and full-width characters (as Chinese keyboards type them) as ordinary ones.
fn plain(text: &str) -> String {
    let narrow = |c: char| match c {
        '\u{3000}' => ' ',
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        _ => c,
    };
    lower(text.chars().map(narrow).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::sample::row;
    use IncidentState::{Acked, Triggered};
    use shared::{SilenceId, SuppressedBy};

    fn shown(text: &str, row: &IncidentRow) -> bool {
        Filter::new(View::Open, text).shows(row)
    }

    #[test]
    fn words_are_all_needed_and_minus_excludes() {
        let row = row(7, Severity::P0, Triggered);
        for text in
            ["", "title", "TITLE 7", "host:db-07", "p0", "sev:P0,P1", "#7", "team:db", "-web", "10.8.3", "who:li"]
        {
            assert!(shown(text, &row), "{text}");
        }
        for text in ["nothing", "-title", "sev:p3", "#8", "host:web", "title nothing", "src:other"] {
            assert!(!shown(text, &row), "{text}");
        }
    }

    #[test]
    fn a_group_is_found_by_each_of_its_machines() {
        let row = IncidentRow { hosts: vec!["web-11".to_owned()], ..row(7, Severity::P0, Triggered) };
        assert!(["web-11", "WEB", "host:web-11", "host:db-07"].into_iter().all(|text| shown(text, &row)));
        assert!(!shown("web-12", &row) && !shown("-web-11", &row));
    }

    #[test]
    fn full_width_text_finds_the_same() {
        let row = row(7, Severity::P0, Triggered);
        assert!(shown("ｈｏｓｔ：ｄｂ－０７", &row));
    }

    #[test]
    fn chips_pick_states_and_levels() {
        let (open, acked) = (row(1, Severity::P3, Triggered), row(2, Severity::P0, Acked));
        let shows = |view, row| Filter::new(view, "").shows(row);
        assert!(shows(View::Unacked, &open) && !shows(View::Unacked, &acked));
        assert!(!shows(View::Acked, &open) && shows(View::Acked, &acked));
        assert!(!shows(View::Urgent, &open) && shows(View::Urgent, &acked));
    }

    #[test]
    fn what_is_kept_quiet_asks_for_no_answer_but_stays_in_sight() {
        let by = SuppressedBy::Silence { silence: SilenceId(12), until: None };
        let quiet = IncidentRow { suppressed: vec![by], ..row(1, Severity::P0, Triggered) };
        let shows = |view, row: &IncidentRow| Filter::new(view, "").shows(row);
        assert!(shows(View::Open, &quiet) && shows(View::Quiet, &quiet) && !shows(View::Unacked, &quiet));
        assert!(!shows(View::Quiet, &row(2, Severity::P0, Triggered)));
    }

    #[test]
    fn a_chip_survives_the_address_bar() {
        for view in View::ALL {
            assert_eq!(View::from_word(view.word()), view);
        }
    }
}
