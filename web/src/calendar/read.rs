//! What the calendar reads of a range: the server's answer without the parts that are not drawn, and the reason of a
//! duty as one flat thing, because only its change is looked at. A typed tree of reasons costs the page 10 kB.

use serde::Deserialize;
use shared::{
    LayerId, PersonId, Timestamp,
    api::{Gap, OverrideRange, PersonLoad, TemporaryRange},
};
use std::collections::BTreeMap;

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Range {
    pub(crate) from: Timestamp,
    pub(crate) recorded_until: Timestamp,
    pub(crate) stretches: Vec<Stretch>,
    pub(crate) layers: Vec<Layer>,
    pub(crate) overrides: Vec<OverrideRange>,
    pub(crate) temporary: Vec<TemporaryRange>,
    pub(crate) holidays: Vec<Gap>,
    pub(crate) gaps: Vec<Gap>,
    pub(crate) load: Vec<PersonLoad>,
    pub(crate) names: BTreeMap<PersonId, String>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Layer {
    /// None: the schedule's own rotations.
    pub(crate) layer: Option<LayerId>,
    pub(crate) stretches: Vec<Stretch>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Stretch {
    pub(crate) from: Timestamp,
    pub(crate) until: Timestamp,
    pub(crate) duties: Vec<Duty>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Duty {
    pub(crate) person: PersonId,
    pub(crate) reason: Reason,
    /// When it ends by itself, perhaps after the range.
    pub(crate) until: Timestamp,
}

/// The parts of every kind of reason, each there or not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct Reason {
    kind: String,
    layer: Option<String>,
    rotation: Option<u32>,
    turn: Option<i64>,
    event: Option<String>,
    place: Option<u32>,
    pub(crate) replaces: Option<PersonId>,
}

impl Reason {
    /// Made by somebody for a while, and not by the turns.
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.kind.as_str(), "override" | "temporary")
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use shared::api::{self, DutyReason, ScheduleRange};

    /// A range in which nothing is, as the server sends it.
    pub(crate) fn nothing(from: Timestamp, until: Timestamp) -> ScheduleRange {
        ScheduleRange {
            schedule: "db".into(),
            name: "Databases".to_owned(),
            time_zone: "Europe/Berlin".to_owned(),
            from,
            until,
            recorded_until: from,
            stretches: vec![],
            layers: vec![],
            overrides: vec![],
            temporary: vec![],
            holidays: vec![],
            gaps: vec![],
            load: vec![],
            next_handoff: None,
            clock_changes: vec![],
            names: [("li".into(), "Li Wei".to_owned())].into(),
        }
    }

    pub(crate) fn read(range: &ScheduleRange) -> Range {
        crate::api::json::read(&serde_json::to_string(range).unwrap()).unwrap()
    }

    fn read_reason(reason: DutyReason) -> Reason {
        let duty = api::Duty { person: "li".into(), reason, until: Timestamp::from_ms(9) };
        let stretch = api::Stretch { from: Timestamp::from_ms(1), until: Timestamp::from_ms(9), duties: vec![duty] };
        let sent = ScheduleRange { stretches: vec![stretch], ..nothing(Timestamp::from_ms(1), Timestamp::from_ms(9)) };
        read(&sent).stretches.remove(0).duties.remove(0).reason
    }

    #[test]
    fn every_reason_of_the_server_is_told_apart() {
        let turn = |layer: Option<&str>, rotation, turn| DutyReason::Turn {
            layer: layer.map(Into::into),
            rotation,
            turn,
            stands_in_for: vec![],
        };
        let event = |event: &str| DutyReason::Calendar { layer: "l".into(), event: event.to_owned() };
        let cover = |place, replaces: Option<&str>| DutyReason::Override {
            place,
            does: shared::config::OverrideKind::Replace,
            id: None,
            replaces: replaces.map(Into::into),
            by: None,
        };
        let reasons = [
            turn(None, 0, 1),
            turn(None, 0, 2),
            turn(None, 1, 1),
            turn(Some("l"), 0, 1),
            event("a"),
            event("b"),
            cover(0, None),
            cover(1, None),
            cover(0, Some("ann")),
            DutyReason::Temporary { place: 0 },
            DutyReason::Temporary { place: 1 },
        ]
        .map(read_reason);
        for (n, one) in reasons.iter().enumerate() {
            assert_eq!(one.is_over(), n >= 6, "{one:?}");
            assert!(reasons[n + 1..].iter().all(|other| other != one), "{one:?}");
        }
        assert_eq!(reasons[8].replaces, Some("ann".into()));
    }
}
