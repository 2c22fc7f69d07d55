//! Whether a level of a policy runs: the severity, the hour and the number of alerts it asks for.
//!
//! Time windows are looked up when the level is due, as people are: a policy that an incident keeps names them only.

use crate::window::Windows;
use shared::{Severity, Timestamp, config::LevelWhen, timeline::Unmet};

/// What a level's conditions can see of an incident.
#[derive(Clone, Copy, Debug)]
pub struct Standing {
    pub severity: Severity,
    /// How many of its alerts fire.
    pub firing: u32,
    pub now: Timestamp,
}

/// The first condition that does not hold; none when the level runs. A time window that is not configured any more keeps
/// nobody from being paged.
#[must_use]
pub fn unmet(when: &LevelWhen, at: Standing, windows: &Windows) -> Option<Unmet> {
    if !when.severity.is_empty() && !when.severity.contains(&at.severity) {
        return Some(Unmet::Severity { is: at.severity, wanted: when.severity.clone() });
    }
    if let Some(wanted) = when.alerts.filter(|wanted| at.firing < *wanted) {
        return Some(Unmet::Alerts { firing: at.firing, wanted });
    }
    let inside = |window: &shared::WindowId| windows.get(window).map(|window| window.contains(at.now));
    if !when.during.is_empty() && when.during.iter().all(|window| inside(window) == Some(false)) {
        return Some(Unmet::Outside { windows: when.during.clone() });
    }
    let window = when.except.iter().find(|window| inside(window) == Some(true))?;
    Some(Unmet::Inside { window: window.clone() })
}
