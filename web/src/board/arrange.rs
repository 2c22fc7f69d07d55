//! The order of the list: worst first, what is kept quiet last of its level, unanswered before answered, newest before older; groups keep it.

use super::filter::{Filter, is_alarm};
use crate::order::sorted;
use shared::{IncidentId, IncidentState, Severity, Timestamp, api::IncidentRow};
use std::{cmp::Reverse, collections::HashMap};

/// What a list is grouped by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Grouping {
    #[default]
    None,
    Host,
    Source,
}

impl Grouping {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Host => "host",
            Self::Source => "source",
        }
    }

    pub(crate) fn from_word(word: &str) -> Self {
        match word {
            "host" => Self::Host,
            "source" => Self::Source,
            _ => Self::None,
        }
    }

    fn key(self, row: &IncidentRow) -> String {
        match self {
            Self::None => String::new(),
            Self::Host => row.host.clone().or_else(|| row.ip.clone()).unwrap_or_default(),
            Self::Source => row.integration.to_string(),
        }
    }
}

/// One line of the list.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Item {
    Row(IncidentId),
    Group(Group),
}

/// The heading of a group.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Group {
    pub(crate) name: String,
    pub(crate) worst: Severity,
    pub(crate) count: usize,
    pub(crate) unanswered: usize,
    pub(crate) oldest: Timestamp,
}

impl Item {
    pub(crate) const fn id(&self) -> Option<IncidentId> {
        match self {
            Self::Row(id) => Some(*id),
            Self::Group(_) => None,
        }
    }
}

type Place = (Severity, bool, IncidentState, Reverse<Timestamp>, Reverse<IncidentId>);

fn place(row: &IncidentRow) -> Place {
    (row.severity, !row.suppressed.is_empty(), row.state, Reverse(row.opened_at), Reverse(row.id))
}

/// The rows the filter shows, in order, under group headings.
pub(crate) fn arrange<'a>(rows: impl Iterator<Item = &'a IncidentRow>, filter: &Filter, by: Grouping) -> Vec<Item> {
    let shown: Vec<&IncidentRow> = rows.filter(|row| filter.shows(row)).collect();
    let shown = sorted(shown, |a, b| place(a).cmp(&place(b)));
    if by == Grouping::None {
        return shown.into_iter().map(|row| Item::Row(row.id)).collect();
    }
    let mut at: HashMap<String, usize> = HashMap::new();
    let mut groups: Vec<(Group, Vec<IncidentId>)> = Vec::new();
    for row in shown {
        let name = by.key(row);
        // Rows come worst first, so a group stands where its worst row does.
        let index = *at.entry(name.clone()).or_insert_with(|| {
            groups.push((
                Group { name, worst: row.severity, count: 0, unanswered: 0, oldest: row.opened_at },
                Vec::new(),
            ));
            groups.len() - 1
        });
        let (group, members) = &mut groups[index];
        group.count += 1;
        group.unanswered += usize::from(is_alarm(row));
        group.oldest = group.oldest.min(row.opened_at);
        members.push(row.id);
    }
    let with_heading = |(group, members): (Group, Vec<IncidentId>)| {
        std::iter::once(Item::Group(group)).chain(members.into_iter().map(Item::Row))
    };
    groups.into_iter().flat_map(with_heading).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::{filter::View, sample::row};
    use IncidentState::{Acked, Triggered};
    use Severity::{P0, P1, P3};
    use shared::{SilenceId, SuppressedBy};

    fn ids(items: &[Item]) -> Vec<i64> {
        items.iter().map(|item| item.id().map_or(0, |id| id.0)).collect()
    }

    #[test]
    fn worst_unanswered_newest_first() {
        let rows = [row(1, P1, Triggered), row(2, P0, Acked), row(3, P0, Triggered), row(4, P0, Triggered)];
        let items = arrange(rows.iter(), &Filter::new(View::Open, ""), Grouping::None);
        assert_eq!(ids(&items), [4, 3, 2, 1]);
    }

    #[test]
    fn what_is_kept_quiet_stands_last_of_its_level() {
        let mut rows = [row(1, P0, Triggered), row(2, P0, Acked), row(3, P0, Triggered), row(4, P1, Triggered)];
        rows[2].suppressed = vec![SuppressedBy::Silence { silence: SilenceId(12), until: None }];
        let items = arrange(rows.iter(), &Filter::default(), Grouping::None);
        assert_eq!(ids(&items), [1, 2, 3, 4]);
    }

    #[test]
    fn a_group_stands_where_its_worst_row_does() {
        let mut rows = [row(1, P3, Triggered), row(2, P1, Acked), row(3, P0, Triggered)];
        rows[0].host = rows[2].host.clone();
        let items = arrange(rows.iter(), &Filter::default(), Grouping::Host);
        assert_eq!(ids(&items), [0, 3, 1, 0, 2]);
        let Item::Group(first) = &items[0] else { panic!("a heading comes first") };
        assert_eq!((first.worst, first.count, first.unanswered), (P0, 2, 2));
    }
}
