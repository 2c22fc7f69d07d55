//! People of a simulated house: they answer late or never, resolve, snooze, escalate from stale screens.

use super::world::Chance;
use crate::event::Act;
use shared::{Delay, Incident, IncidentId, Timestamp, config::Target};

/// What somebody whose device rang does, and after how long; nothing when they sleep through it.
pub(super) fn answer(chance: &mut Chance, incident: &Incident, now: Timestamp) -> Vec<(Delay, Act)> {
    if chance.one_in(3) {
        return Vec::new();
    }
    let slow = chance.one_in(4);
    let think = Delay::secs(chance.between(5, if slow { 3_000 } else { 400 }) as i64);
    let later = |chance: &mut Chance| think.0 + chance.between(10, 3_600) as i64 * 1_000;
    let until = now.after(think).after(Delay::mins(chance.between(1, 120) as i64));
    let mut acts = match chance.below(20) {
        0 => vec![(think, Act::Snooze { until })],
        1 => vec![(think, Act::Resolve)],
        2 => {
            // The screen shows the version of now; somebody may act before the button is pressed.
            let level = chance.one_in(3).then(|| chance.below(5) as u32);
            let version = (!chance.one_in(4)).then_some(incident.version);
            vec![(think, Act::Escalate { policy: None, level, version })]
        }
        3 => vec![(think, Act::Reassign { to: format!("p{}", chance.below(8)).as_str().into() })],
        4 => vec![(think, Act::Ack { until: Some(until) })],
        6 => vec![(think, Act::ApplyPolicy { version: None })],
        5 => {
            let targets = vec![
                Target::Person(format!("p{}", chance.below(8)).as_str().into()),
                Target::Schedule(format!("s{}", chance.below(4)).as_str().into()),
            ];
            let help = Act::AddResponders { targets, version: None };
            vec![(think, Act::Ack { until: None }), (Delay(later(chance)), help)]
        }
        7 => {
            let into = IncidentId(incident.id.0 - chance.between(1, 6) as i64);
            vec![(think, Act::Merge { into, version: chance.one_in(2).then_some(incident.version) })]
        }
        8 if incident.alerts.len() > 1 => match chance.pick(&incident.alerts) {
            Some(alert) => vec![(think, Act::Detach { alert: *alert, version: None })],
            None => Vec::new(),
        },
        _ => vec![(think, Act::Ack { until: None })],
    };
    match chance.below(8) {
        0 => acts.push((Delay(later(chance)), Act::Unack)),
        1 | 2 => acts.push((Delay(later(chance)), Act::Resolve)),
        3 => acts.push((Delay(later(chance)), Act::Note { text: "looking".to_owned() })),
        _ => {}
    }
    acts
}
