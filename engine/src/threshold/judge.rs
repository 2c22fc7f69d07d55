//! How a rule stands with one series of one host, and what that tells: a problem, again, or that it is over.

use super::{Bound, Made, points::Course};
use shared::{Delay, Timestamp, api::RuleState};

/// What was judged last.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Standing {
    pub state: RuleState,
    /// Since when it is in this state.
    pub since: Timestamp,
    /// What the rule made of the series.
    pub value: Option<f64>,
    /// How often the problem was told.
    pub steps: u32,
    told_at: Timestamp,
    /// The newest point that was told of: nothing is told twice of one.
    point_at: Timestamp,
}

/// What is to be told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Judged {
    Problem {
        /// 1 at first.
        step: u32,
        value: Option<f64>,
    },
    Over {
        value: Option<f64>,
        because: OverBecause,
    },
}

/// Why a problem is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OverBecause {
    /// The condition holds no longer, or that for the end does.
    Recovered,
    /// The hours in which it counts are over.
    OutsideHours,
}

impl Standing {
    /// Nothing was judged yet.
    #[must_use]
    pub const fn new(now: Timestamp) -> Self {
        Self { state: RuleState::Unknown, since: now, value: None, steps: 0, told_at: now, point_at: now }
    }

    /// An alert is open from before this server began.
    #[must_use]
    pub const fn restored(since: Timestamp, steps: u32, now: Timestamp) -> Self {
        Self { state: RuleState::Firing, since, value: None, steps, told_at: now, point_at: now }
    }

    /// Judges by what was measured.
    pub fn judge(&mut self, rule: &Bound, course: &Course, now: Timestamp) -> Option<Judged> {
        if !rule.counts_at(now) {
            return self.stop(now);
        }
        let at = course.newest_at().unwrap_or(now);
        // An end of its own may look less far back than the problem did.
        let clear = rule.clear.as_ref().filter(|_| self.state == RuleState::Firing);
        let cleared = clear.map(|clear| clear.ask(course).is_some_and(|it| it.holds));
        let Some(Made { holds, value }) = rule.when.ask(course) else {
            if cleared == Some(true) {
                return self.step(rule, false, true, at, now);
            }
            // What fires goes on: no news is no recovery.
            if self.state != RuleState::Firing {
                self.turn(RuleState::Unknown, now);
            }
            return None;
        };
        let over = cleared.unwrap_or(!holds);
        self.value = value;
        self.step(rule, holds, over, at, now)
    }

    /// Judges by when something was heard last; for `nodata`.
    pub fn judge_silence(&mut self, rule: &Bound, heard_at: Timestamp, now: Timestamp) -> Option<Judged> {
        if !rule.counts_at(now) {
            return self.stop(now);
        }
        let holds = rule.when.is_without_data(heard_at, now)?;
        self.step(rule, holds, !holds, now, now)
    }

    fn step(&mut self, rule: &Bound, holds: bool, over: bool, at: Timestamp, now: Timestamp) -> Option<Judged> {
        if self.state == RuleState::Firing {
            if over {
                self.turn(RuleState::Fine, now);
                return Some(Judged::Over { value: self.value, because: OverBecause::Recovered });
            }
            let again = holds && self.steps < rule.max_steps && at > self.point_at;
            return (again && now.ms_since(self.told_at) >= rule.every.0).then(|| self.tell(at, now));
        }
        if !holds {
            self.turn(RuleState::Fine, now);
            return None;
        }
        if self.state != RuleState::Holding {
            // By the measured time, which is the same however late it comes.
            self.turn(RuleState::Holding, at.min(now));
        }
        if at.ms_since(self.since) < rule.hold.0 || rule.max_steps == 0 {
            return None;
        }
        self.turn(RuleState::Firing, now);
        self.steps = 0;
        Some(self.tell(at, now))
    }

    const fn tell(&mut self, at: Timestamp, now: Timestamp) -> Judged {
        self.steps = self.steps.saturating_add(1);
        self.told_at = now;
        self.point_at = at;
        Judged::Problem { step: self.steps, value: self.value }
    }

    /// The rule does not count now.
    pub fn stop(&mut self, now: Timestamp) -> Option<Judged> {
        let fired = self.state == RuleState::Firing;
        self.turn(RuleState::Unknown, now);
        fired.then_some(Judged::Over { value: self.value, because: OverBecause::OutsideHours })
    }

    fn turn(&mut self, state: RuleState, at: Timestamp) {
        if self.state != state {
            self.state = state;
            self.since = at;
        }
    }
}

/// An alert that a rule would have raised.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Forecast {
    pub from: Timestamp,
    /// None: it would still last.
    pub until: Option<Timestamp>,
    pub value: Option<f64>,
    pub steps: u32,
}

/// What a rule would have done with a series, judged as each point came.
///
/// `nodata` is judged at every beat until `until`, as it would have been.
#[must_use]
pub fn forecast(rule: &Bound, points: &[(Timestamp, f32)], step: Delay, until: Timestamp) -> Vec<Forecast> {
    let mut told = Vec::new();
    let Some((first, _)) = points.first() else { return told };
    let mut standing = Standing::new(*first);
    let mut note = |judged: Option<Judged>, at: Timestamp| match judged {
        Some(Judged::Problem { step: 1, value }) => told.push(Forecast { from: at, until: None, value, steps: 1 }),
        Some(Judged::Problem { step, .. }) => {
            if let Some(last) = told.last_mut() {
                last.steps = step;
            }
        }
        Some(Judged::Over { .. }) => {
            if let Some(last) = told.last_mut() {
                last.until = Some(at);
            }
        }
        None => {}
    };
    if rule.when.is_without_data(*first, *first).is_some() {
        let (mut heard, mut next) = (*first, 0);
        let mut now = *first;
        while now <= until {
            while let Some((at, _)) = points.get(next).filter(|(at, _)| *at <= now) {
                (heard, next) = (*at, next + 1);
            }
            note(standing.judge_silence(rule, heard, now), now);
            now = now.plus_ms(step.0.max(1_000));
        }
        return told;
    }
    let reach_ms = rule.reach(step).0.saturating_add(step.0.saturating_mul(2));
    let mut from = 0;
    for (n, (at, _)) in points.iter().enumerate() {
        while points.get(from).is_some_and(|(it, _)| at.ms_since(*it) > reach_ms) {
            from += 1;
        }
        let course = Course::of(points.get(from..=n).unwrap_or_default(), step);
        note(standing.judge(rule, &course, *at), *at);
    }
    told
}
