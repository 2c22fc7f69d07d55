//! What a host's page asked of series, and what it told the server to tell: so that nothing is missing of a chart that comes
//! back into sight, and no value is taken for another series'.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Looks that answers may still be on their way of.
const TURNS_KEPT: usize = 8;

/// One question and when it was asked, among others of the same round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ticket {
    round: u32,
    number: u32,
}

/// What was asked of series.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked {
    /// Of another range, or another connection, is another round.
    round: u32,
    number: u32,
    of: BTreeSet<String>,
    /// Which question each was answered by.
    answered: BTreeMap<String, u32>,
    pub(crate) at: i64,
}

impl Asked {
    /// Everything is to be asked for anew, and no answer counts that is on its way.
    pub(crate) fn begin_anew(&mut self) {
        *self = Self { round: self.round + 1, number: self.number, ..Self::default() };
    }

    /// What was asked for and is no longer in sight is asked for again when it comes back: what is measured meanwhile is
    /// not told.
    pub(crate) fn keep(&mut self, wanted: &BTreeSet<String>) {
        self.of.retain(|name| wanted.contains(name));
    }

    pub(crate) fn missing(&self, wanted: &BTreeSet<String>) -> BTreeSet<String> {
        wanted.difference(&self.of).cloned().collect()
    }

    pub(crate) fn ask(&mut self, of: &BTreeSet<String>, now: i64) -> Ticket {
        self.of.extend(of.iter().cloned());
        self.at = now;
        self.number += 1;
        Ticket { round: self.round, number: self.number }
    }

    pub(crate) const fn counts(&self, ticket: Ticket) -> bool {
        self.round == ticket.round
    }

    /// Which of the names an answer is the newest of.
    pub(crate) fn take(&mut self, ticket: Ticket, of: BTreeSet<String>) -> Vec<String> {
        let is_newest = |name: &String| self.answered.get(name).is_none_or(|known| *known < ticket.number);
        let newest: Vec<String> = of.into_iter().filter(is_newest).collect();
        self.answered.extend(newest.iter().map(|name| (name.clone(), ticket.number)));
        newest
    }

    /// It was not answered: all of it is asked for again.
    pub(crate) fn forget(&mut self) {
        self.of.clear();
    }
}

/// What the server was told is on screen. Values come without names, in the order of the look whose turn they bear.
#[derive(Clone, Debug, Default)]
pub(crate) struct Told {
    turns: VecDeque<(u32, Vec<String>)>,
}

impl Told {
    /// The turn of a look at these series, and each of them once.
    pub(crate) fn turn_to(&mut self, wanted: &[String]) -> (u32, Vec<String>) {
        let mut known = BTreeSet::new();
        let series: Vec<String> = wanted.iter().filter(|name| known.insert(*name)).cloned().collect();
        let (turn, is_new) = match self.turns.back() {
            Some((turn, before)) => (if *before == series { *turn } else { turn + 1 }, *before != series),
            None => (1, true),
        };
        if is_new {
            self.turns.push_back((turn, series.clone()));
        }
        while self.turns.len() > TURNS_KEPT {
            self.turns.pop_front();
        }
        (turn, series)
    }

    /// The series that the values of a turn are of; none where that is not known any more.
    pub(crate) fn of(&self, turn: u32) -> Vec<String> {
        let own = self.turns.iter().find(|(it, _)| *it == turn);
        own.map(|(_, series)| series.clone()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    fn set(text: &str) -> BTreeSet<String> {
        words(text).into_iter().collect()
    }

    #[test]
    fn what_was_out_of_sight_is_asked_for_again() {
        let mut asked = Asked::default();
        asked.ask(&set("cpu load shared"), 5);
        assert_eq!((asked.missing(&set("cpu load shared")), asked.at), (BTreeSet::new(), 5));
        // The chart of `cpu` was scrolled away; another in sight has `shared` too.
        asked.keep(&set("load shared"));
        assert_eq!(asked.missing(&set("cpu load shared")), set("cpu"));
    }

    #[test]
    fn an_older_answer_does_not_overwrite_a_newer_one() {
        let mut asked = Asked::default();
        let (first, second) = (asked.ask(&set("a b"), 1), asked.ask(&set("a"), 2));
        assert_eq!(asked.take(second, set("a")), ["a"]);
        assert_eq!(asked.take(first, set("a b")), ["b"]);
        assert!(asked.counts(first));
        asked.begin_anew();
        assert!(!asked.counts(first));
        let third = asked.ask(&set("a"), 3);
        assert_eq!(asked.take(third, set("a")), ["a"]);
    }

    #[test]
    fn values_on_their_way_are_of_the_look_whose_turn_they_bear() {
        let mut told = Told::default();
        assert_eq!(told.turn_to(&words("a b")), (1, words("a b")));
        assert_eq!(told.turn_to(&words("a b")), (1, words("a b")), "nothing changed");
        assert_eq!(told.turn_to(&words("c d c")), (2, words("c d")), "each once");
        assert_eq!((told.of(1), told.of(2), told.of(9)), (words("a b"), words("c d"), Vec::new()));
        for n in 0..20 {
            told.turn_to(&words(&format!("s{n}")));
        }
        assert_eq!((told.of(1), told.of(22)), (Vec::new(), words("s19")));
    }
}
