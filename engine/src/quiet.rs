//! When a person is not to be rung: their own quiet hours, and the night that lesser severities wait out.

use crate::window::Window;
use shared::{
    PersonId, Severity, Timestamp, Waits, WaitsFor,
    config::{Paging, Person, TimeSpan, TimeWindow},
};

/// Changes looked at before hours count as ones that never end.
const CHANGES_MAX: usize = 100;

/// The hours of one person.
#[derive(Clone, Debug, Default)]
pub struct Quiet {
    hours: Option<Window>,
    /// The night, and the severities that wait it out.
    night: Option<(Window, Vec<Severity>)>,
    /// Who is paged for a P0 or P1 within the quiet hours.
    pub hand_over_to: Option<PersonId>,
}

impl Quiet {
    /// Reads a person's hours; none when nothing ever waits. The error is (path within the person, message).
    pub fn compile(person: &Person, paging: &Paging) -> Result<Option<Self>, (String, String)> {
        let quiet = &person.quiet_hours;
        let window = |zone: &str, spans: Vec<TimeSpan>| {
            Window::compile(&TimeWindow { id: "quiet".into(), time_zone: zone.to_owned(), windows: spans })
        };
        let Some(zone) = person.time_zone.as_deref() else {
            let message = "quiet hours are on the person's own wall clock; write `time_zone` too".to_owned();
            return if quiet.is_empty() { Ok(None) } else { Err(("quiet_hours".to_owned(), message)) };
        };
        if quiet.times.is_empty() && quiet.hand_over_to.is_some() {
            let message = "nothing is handed over without quiet hours; name some in `times`".to_owned();
            return Err(("quiet_hours.times".to_owned(), message));
        }
        let hours = if quiet.times.is_empty() {
            None
        } else {
            let fault = |(path, message): (String, String)| match path.strip_prefix("windows") {
                Some(rest) => (format!("quiet_hours.times{rest}"), message),
                None => (path, message),
            };
            Some(window(zone, quiet.times.clone()).map_err(fault)?)
        };
        let night = paging.defer.as_ref().and_then(|defer| {
            let (from, until) = (Some(defer.from.clone()), Some(defer.until.clone()));
            // What is wrong with the hours is said once, where they are written.
            let night = window(zone, vec![TimeSpan { from, until, ..TimeSpan::default() }]).ok()?;
            Some((night, defer.severity.clone()))
        });
        let some = hours.is_some() || night.is_some();
        Ok(some.then(|| Self { hours, night, hand_over_to: quiet.hand_over_to.clone() }))
    }

    /// Whether these are the person's own quiet hours.
    #[must_use]
    pub fn has_quiet_hours(&self, now: Timestamp) -> bool {
        self.hours.as_ref().is_some_and(|hours| hours.contains(now))
    }

    /// Until when a page of this severity waits, and why; none when it rings at once. A P0 never waits, and nothing waits
    /// for hours that never end.
    #[must_use]
    pub fn waits(&self, severity: Severity, now: Timestamp) -> Option<Waits> {
        let hours = self.hours.as_ref().filter(|_| severity != Severity::P0);
        let night =
            self.night.as_ref().filter(|(_, severities)| severities.contains(&severity)).map(|(night, _)| night);
        let inside = |window: &Option<&Window>, at: Timestamp| window.is_some_and(|window| window.contains(at));
        let because = if inside(&hours, now) { WaitsFor::QuietHours } else { WaitsFor::Morning };
        let mut until = now;
        for _ in 0..CHANGES_MAX {
            let holds = hours.filter(|it| it.contains(until)).or_else(|| night.filter(|it| it.contains(until)));
            match holds {
                None => return (until > now).then_some(Waits { until, because }),
                Some(window) => until = window.changes_after(until)?,
            }
        }
        None
    }
}
