//! Numbers of requests that say themselves what came of them, so that nothing has to be remembered: clients ask at once, an hour
//! later, and of another server.
//!
//! They are UUIDs of the kind whose meaning is the maker's own (RFC 9562, version 8): when, what was asked, whether it was
//! done, and the number of the alert. They are no secret and no permission: whoever asks still needs the token of the sender
//! whose alert it is.

use shared::{AlertId, Timestamp};

/// What was asked, in Opsgenie's words: of the action, and of what came of it.
const VERBS: &[(&str, &str, &str)] = &[
    ("create", "Create", "Created alert"),
    ("close", "Close", "Closed alert"),
    ("delete", "Delete", "Deleted alert"),
    ("acknowledge", "Acknowledge", "Acknowledged alert"),
    ("unacknowledge", "UnAcknowledge", "Unacknowledged alert"),
    ("snooze", "Snooze", "Snoozed alert"),
    ("notes", "AddNote", "Added note"),
    ("message", "UpdateMessage", "Updated message"),
    ("description", "UpdateDescription", "Updated description"),
    ("priority", "UpdatePriority", "Updated priority"),
    ("tags", "AddTags", "Added tags"),
    ("details", "AddDetails", "Added details"),
    ("escalate", "EscalateToNext", "Escalated alert"),
    ("assign", "Assign", "Assigned alert"),
    ("responders", "AddResponder", "Added responder"),
    ("teams", "AddTeam", "Added team"),
    ("actions", "ExecuteCustomAction", "Executed custom action"),
    ("remove", "Remove", "Removed"),
];

/// What came of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Done {
    pub(super) at: Timestamp,
    verb: u8,
    /// None when there was no such alert.
    pub(super) alert: Option<AlertId>,
}

impl Done {
    /// What was asked must be one of the verbs.
    pub(super) fn new(at: Timestamp, verb: &str, alert: Option<AlertId>) -> Self {
        let verb = VERBS.iter().position(|(known, ..)| *known == verb).unwrap_or_default();
        // There are eighteen.
        Self { at, verb: u8::try_from(verb).unwrap_or_default(), alert }
    }

    /// Whether the end of an address names one.
    pub(super) fn is_verb(what: &[&str]) -> bool {
        what.first().is_some_and(|word| VERBS.iter().any(|(known, ..)| known == word))
    }

    fn words(self) -> (&'static str, &'static str) {
        VERBS.get(usize::from(self.verb)).map_or(("", ""), |(_, action, status)| (action, status))
    }

    /// What was asked.
    pub(super) fn action(self) -> &'static str {
        self.words().0
    }

    /// What came of it.
    pub(super) fn status(self) -> &'static str {
        if self.alert.is_some() { self.words().1 } else { "There is no open alert" }
    }

    /// The number of the request; `salt` makes two of one second differ.
    pub(super) fn id(self, salt: u32) -> String {
        let seconds = self.at.ms().div_euclid(1_000) & 0xffff_ffff;
        let done = u8::from(self.alert.is_some());
        let number = self.alert.map_or(0, |alert| alert.0);
        let (high, low) = (salt >> 16 & 0xfff, salt & 0x3fff);
        format!("{seconds:08x}-{:02x}{done:02x}-8{high:03x}-{:04x}-{number:012x}", self.verb, 0x8000 | low)
    }

    /// Reads such a number; none when it is not one of ours.
    pub(super) fn read(id: &str) -> Option<Self> {
        let parts: Vec<&str> = id.split('-').collect();
        let [seconds, what, version, _, number] = parts.as_slice() else { return None };
        let (true, true, true) = (seconds.len() == 8, what.len() == 4, number.len() == 12) else { return None };
        if !version.starts_with('8') {
            return None;
        }
        let seconds = i64::from_str_radix(seconds, 16).ok()?;
        let what = u16::from_str_radix(what, 16).ok()?;
        let number = i64::from_str_radix(number, 16).ok()?;
        let [verb, done] = what.to_be_bytes();
        let alert = (done == 1).then_some(AlertId(number));
        (usize::from(verb) < VERBS.len()).then_some(Self { at: Timestamp::from_ms(seconds * 1_000), verb, alert })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_says_what_came_of_it() {
        let at = Timestamp::from_ms(1_795_201_800_000);
        for (verb, alert) in [("create", Some(AlertId(812))), ("close", None), ("notes", Some(AlertId(1 << 47)))] {
            let done = Done::new(at, verb, alert);
            let id = done.id(0xdead_beef);
            assert_eq!(Done::read(&id), Some(done), "{id}");
            assert_eq!(id.len(), 36);
        }
        assert_eq!(Done::new(at, "close", None).status(), "There is no open alert");
        for id in ["", "x", "6b00a2e8-0001-4000-8000-00000000032c", "6b00a2e8-ff01-8000-8000-00000000032c", "é-é-é-é-é"]
        {
            assert_eq!(Done::read(id), None, "{id}");
        }
    }
}
