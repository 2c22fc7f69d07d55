//! Spans of time that do not touch each other, in order: holidays, time off, nights.

use shared::Timestamp;
use std::collections::BTreeSet;

/// Disjoint spans in order; each holds its beginning and not its end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spans(Vec<(Timestamp, Timestamp)>);

impl Spans {
    /// Puts spans in order and joins those that touch; empty ones are left out.
    #[must_use]
    pub fn new(mut spans: Vec<(Timestamp, Timestamp)>) -> Self {
        spans.retain(|(from, until)| from < until);
        spans.sort_unstable();
        let mut joined: Vec<(Timestamp, Timestamp)> = Vec::with_capacity(spans.len());
        for (from, until) in spans {
            match joined.last_mut().filter(|last| from <= last.1) {
                Some(last) => last.1 = last.1.max(until),
                None => joined.push((from, until)),
            }
        }
        Self(joined)
    }

    /// The span an instant lies in.
    #[must_use]
    pub fn at(&self, now: Timestamp) -> Option<(Timestamp, Timestamp)> {
        let place = self.0.partition_point(|(from, _)| *from <= now).checked_sub(1)?;
        self.0.get(place).copied().filter(|(_, until)| now < *until)
    }

    /// The next instant after `now` at which one begins or ends.
    #[must_use]
    pub fn next_edge(&self, now: Timestamp) -> Option<Timestamp> {
        match self.at(now) {
            Some((_, until)) => Some(until),
            None => self.0.get(self.0.partition_point(|(from, _)| *from <= now)).map(|(from, _)| *from),
        }
    }

    /// Those that touch a range, cut to it.
    pub fn within(&self, from: Timestamp, until: Timestamp) -> impl Iterator<Item = (Timestamp, Timestamp)> {
        let first = self.0.partition_point(|span| span.1 <= from);
        let touching = self.0.iter().skip(first).take_while(move |span| span.0 < until);
        touching.map(move |span| (span.0.max(from), span.1.min(until)))
    }

    /// How much of a range they cover, in milliseconds.
    #[must_use]
    pub fn covered_ms(&self, from: Timestamp, until: Timestamp) -> i64 {
        self.within(from, until).map(|(from, until)| until.ms_since(from)).sum()
    }

    pub(super) fn edges(&self, from: Timestamp, until: Timestamp, edges: &mut BTreeSet<Timestamp>) {
        edges.extend(self.within(from, until).flat_map(|span| [span.0, span.1]));
    }
}
