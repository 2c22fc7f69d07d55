//! The swim-lane: a lane for each recipient and contact, its deliveries placed along the time since opening.

use crate::order::sorted;
use shared::{
    Attempt, AttemptState, Page, Recipient, Throttle, Timestamp, Waits, api::IncidentDetail, config::ContactKind,
};

/// One recipient reached by one contact.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Lane {
    pub(crate) recipient: Recipient,
    /// Nothing for a level still to come.
    pub(crate) contact: Option<(String, ContactKind)>,
    pub(crate) marks: Vec<Mark>,
    /// Older deliveries that are not drawn.
    pub(crate) hidden: usize,
}

/// One delivery, or a ghost of one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Mark {
    /// From the left edge, in percent of the lane.
    pub(crate) left: f64,
    pub(crate) at: Timestamp,
    pub(crate) what: What,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum What {
    Delivery {
        state: AttemptState,
        tries: u32,
        delay_ms: Option<i64>,
        proof: Option<Proven>,
        why: Option<Why>,
        waits: Option<Wait>,
    },
    Level {
        policy: String,
        level: u32,
        one_of: bool,
    },
}

/// The strongest sign that a delivery arrived.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Proven {
    pub(crate) stage: Stage,
    /// Since it was sent.
    pub(crate) after_ms: i64,
    /// What showed it.
    pub(crate) device: Option<String>,
}

/// How far a delivery is known to have come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    Delivered,
    /// A call that somebody, or something, answered.
    Answered,
    Shown,
    Opened,
}

/// Why a delivery has not begun.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Wait {
    Hours(Waits),
    Others(Throttle),
}

/// Why a delivery failed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Why {
    pub(crate) detail: String,
    pub(crate) permanent: bool,
    pub(crate) ambiguous: bool,
}

impl Mark {
    const fn width(&self) -> f64 {
        match self.what {
            What::Delivery { .. } => MARK_WIDTH,
            What::Level { .. } => LEVEL_WIDTH,
        }
    }
}

/// All lanes over one stretch of time.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Lanes {
    pub(crate) from: Timestamp,
    pub(crate) until: Timestamp,
    /// Where "now" is, while there is something to come.
    pub(crate) now: Option<f64>,
    pub(crate) lanes: Vec<Lane>,
}

/// More deliveries of one lane than this would only cover each other.
const MOST_MARKS: usize = 4;
/// A mark takes about this share of a lane; the next one starts after it.
const MARK_WIDTH: f64 = 20.0;
/// A coming level says more.
const LEVEL_WIDTH: f64 = 30.0;
const SHORTEST_MS: i64 = 60_000;

pub(crate) fn lanes(detail: &IncidentDetail) -> Lanes {
    let incident = &detail.incident;
    let from = incident.opened_at;
    let attempts = || incident.pages.iter().flat_map(|page| &page.attempts);
    let last_seen = attempts().map(moment).max().unwrap_or(from);
    let last_to_come = detail.upcoming.iter().map(|level| level.at).max();
    let last = last_to_come.map_or(last_seen, |at| at.max(last_seen)).max(from.plus_ms(SHORTEST_MS));
    let until = from.plus_ms(last.ms_since(from) * 100 / 84);
    let is_waiting = last_to_come.is_some() || attempts().any(|attempt| !attempt.state.is_final());
    let place = |at: Timestamp| share(at, from, until);
    let mut lanes: Vec<Lane> = Vec::new();
    for page in &incident.pages {
        for attempt in &page.attempts {
            let contact = Some((attempt.contact.to_string(), attempt.channel));
            let lane = lane_of(&mut lanes, &page.recipient, contact);
            let at = moment(attempt);
            lane.marks.push(Mark { left: place(at), at, what: delivery(attempt, page) });
        }
    }
    for level in &detail.upcoming {
        for recipient in &level.recipients {
            let what = What::Level { policy: level.policy.to_string(), level: level.level + 1, one_of: level.one_of };
            let mark = Mark { left: place(level.at), at: level.at, what };
            // A lane of its own: which contact will be used is not decided yet.
            lane_of(&mut lanes, recipient, None).marks.push(mark);
        }
    }
    lanes.iter_mut().for_each(spread);
    let now = is_waiting.then(|| place(detail.now)).filter(|left| *left < 100.0);
    Lanes { from, until, now, lanes }
}

fn share(at: Timestamp, from: Timestamp, until: Timestamp) -> f64 {
    let whole = until.ms_since(from).max(1) as f64;
    (at.ms_since(from).max(0) as f64 / whole * 100.0).min(100.0)
}

/// When a delivery is drawn: when it was tried, or when it will be.
fn moment(attempt: &Attempt) -> Timestamp {
    let waits = throttle(attempt).map_or(attempt.due, |throttle| throttle.until.max(attempt.due));
    attempt.first_sent_at.unwrap_or(waits)
}

/// What a delivery that has not begun waits for.
fn throttle(attempt: &Attempt) -> Option<Throttle> {
    attempt.bundling.as_ref().filter(|_| attempt.state == AttemptState::Planned)?.waits
}

fn delivery(attempt: &Attempt, page: &Page) -> What {
    let why = attempt.failure.as_ref().map(|failure| Why {
        detail: failure.detail.clone(),
        permanent: failure.permanent,
        ambiguous: failure.ambiguous,
    });
    let delay_ms =
        attempt.finished_at.filter(|_| attempt.state == AttemptState::Accepted).map(|at| at.ms_since(page.begins_at()));
    let hours = page.waits.as_deref().copied().filter(|_| attempt.state == AttemptState::Planned);
    let waits = throttle(attempt).map(Wait::Others).or(hours.map(Wait::Hours));
    What::Delivery { state: attempt.state, tries: attempt.tries, delay_ms, proof: proven(attempt), why, waits }
}

fn proven(attempt: &Attempt) -> Option<Proven> {
    let (proof, sent_at) = (attempt.proof.as_deref()?, attempt.first_sent_at?);
    let first = if attempt.channel == ContactKind::Voice { Stage::Answered } else { Stage::Delivered };
    let stages = [(proof.seen_at, Stage::Opened), (proof.shown_at, Stage::Shown), (proof.delivered_at, first)];
    let (at, stage) = stages.into_iter().find_map(|(at, stage)| Some((at?, stage)))?;
    Some(Proven { stage, after_ms: at.ms_since(sent_at), device: proof.device.as_deref().map(str::to_owned) })
}

fn lane_of<'a>(
    lanes: &'a mut Vec<Lane>,
    recipient: &Recipient,
    contact: Option<(String, ContactKind)>,
) -> &'a mut Lane {
    let known = lanes.iter().position(|lane| lane.recipient == *recipient && lane.contact == contact);
    let index = known.unwrap_or_else(|| {
        lanes.push(Lane { recipient: recipient.clone(), contact, marks: Vec::new(), hidden: 0 });
        lanes.len() - 1
    });
    &mut lanes[index]
}

/// Keeps the newest marks and moves them apart, so that none covers another.
fn spread(lane: &mut Lane) {
    lane.marks = sorted(std::mem::take(&mut lane.marks), |a, b| a.at.cmp(&b.at));
    lane.hidden = lane.marks.len().saturating_sub(MOST_MARKS);
    lane.marks.drain(..lane.hidden);
    let mut least = 0.0_f64;
    for mark in &mut lane.marks {
        mark.left = mark.left.max(least);
        least = mark.left + mark.width();
    }
    let mut right = 100.0_f64;
    for mark in lane.marks.iter_mut().rev() {
        mark.left = mark.left.min(right - mark.width()).max(0.0);
        right = mark.left;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(left: f64, at: i64) -> Mark {
        let what = What::Delivery {
            state: AttemptState::Accepted,
            tries: 1,
            delay_ms: None,
            proof: None,
            why: None,
            waits: None,
        };
        Mark { left, at: Timestamp::from_ms(at), what }
    }

    fn lane(marks: Vec<Mark>) -> Lane {
        Lane { recipient: Recipient::Person("li".into()), contact: None, marks, hidden: 0 }
    }

    #[test]
    fn marks_never_cover_each_other_nor_leave_the_lane() {
        let mut lane = lane(vec![mark(0.0, 1), mark(1.0, 2), mark(99.0, 3), mark(99.5, 4)]);
        spread(&mut lane);
        let lefts: Vec<f64> = lane.marks.iter().map(|mark| mark.left).collect();
        assert!(lefts.windows(2).all(|pair| pair[1] - pair[0] >= MARK_WIDTH - 0.001), "{lefts:?}");
        assert!(lefts.iter().all(|left| (0.0..=100.0 - MARK_WIDTH + 0.001).contains(left)), "{lefts:?}");
    }

    #[test]
    fn only_the_newest_marks_are_drawn_and_the_rest_is_counted() {
        let mut lane = lane((0..30).map(|n| mark(f64::from(n) * 3.0, i64::from(n))).collect());
        spread(&mut lane);
        assert_eq!((lane.marks.len(), lane.hidden), (MOST_MARKS, 26));
        assert_eq!(lane.marks.last().unwrap().at, Timestamp::from_ms(29));
    }

    #[test]
    fn the_strongest_proof_counts_from_when_it_was_sent() {
        let mut attempt = Attempt::planned(shared::AttemptId(1), "p".into(), ContactKind::Voice, Timestamp::from_ms(0));
        assert_eq!(proven(&attempt), None);
        attempt.first_sent_at = Some(Timestamp::from_ms(100));
        let mut proof = shared::Proof { delivered_at: Some(Timestamp::from_ms(600)), ..shared::Proof::default() };
        attempt.proof = Some(Box::new(proof.clone()));
        assert_eq!(proven(&attempt).map(|it| (it.stage, it.after_ms)), Some((Stage::Answered, 500)));
        proof.seen_at = Some(Timestamp::from_ms(1_100));
        attempt.proof = Some(Box::new(proof));
        assert_eq!(proven(&attempt).map(|it| (it.stage, it.after_ms)), Some((Stage::Opened, 1_000)));
    }

    #[test]
    fn a_moment_is_placed_between_the_edges() {
        let (from, until) = (Timestamp::from_ms(0), Timestamp::from_ms(200));
        assert_eq!(share(Timestamp::from_ms(50), from, until), 25.0);
        assert_eq!(share(Timestamp::from_ms(-5), from, until), 0.0);
        assert_eq!(share(Timestamp::from_ms(500), from, until), 100.0);
    }
}
