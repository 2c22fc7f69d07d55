//! Which message a carrier's report is about, by what the carrier was given or gave itself.

use super::{Runtime, Unavailable};
use shared::{AttemptId, IncidentId, PersonId, Recipient, config::ContactKind};

/// How a report names a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The key of the delivery, or its end.
    pub key: Option<String>,
    /// The carrier's own id.
    pub provider_id: Option<String>,
}

impl Named {
    /// The number of the message: keys end in it.
    fn message(&self) -> Option<AttemptId> {
        let (_, number) = self.key.as_deref()?.rsplit_once('-')?;
        number.bytes().all(|b| b.is_ascii_digit()).then(|| number.parse().ok().map(AttemptId))?
    }
}

/// A message that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reported {
    pub incident: IncidentId,
    pub person: PersonId,
    pub message: AttemptId,
    /// Somebody has touched it before.
    pub is_seen: bool,
}

impl Runtime {
    /// Finds messages about what is open, in the order in which they are named; by one look at all of it.
    pub async fn reported(
        &self,
        channel: ContactKind,
        names: Vec<Named>,
    ) -> Result<Vec<Option<Reported>>, Unavailable> {
        self.ask(move |engine| {
            let mut found = vec![None; names.len()];
            let pages = engine.state.incidents.values().flat_map(|it| it.pages.iter().map(|page| (it.id, page)));
            for (incident, page) in pages {
                let Recipient::Person(person) = &page.recipient else { continue };
                for attempt in page.attempts.iter().filter(|it| it.channel == channel && it.tries > 0) {
                    let proof = attempt.proof.as_deref();
                    let known = proof.and_then(|proof| proof.provider_id.as_deref());
                    let is_seen = proof.is_some_and(|proof| proof.seen_at.is_some());
                    for (name, found) in names.iter().zip(&mut found) {
                        let is_it = match (known, name.provider_id.as_deref()) {
                            // Two servers with one account may have the same numbers.
                            (Some(known), Some(named)) => known == named,
                            // A report may overtake the carrier's own answer.
                            _ => name.message() == Some(attempt.message()),
                        };
                        if is_it && found.is_none() {
                            let (person, message) = (person.clone(), attempt.message());
                            *found = Some(Reported { incident, person, message, is_seen });
                        }
                    }
                }
            }
            found
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_ends_in_the_number_of_its_message() {
        let number = |key: &str| {
            let named = Named { key: Some(key.to_owned()), provider_id: None };
            named.message().map(|it| it.0)
        };
        assert_eq!((number("a-b_c-12"), number("-7"), number("x-unrecorded-3-9")), (Some(12), Some(7), Some(9)));
        for key in ["", "12", "a-", "a-1…", "a-+1", "a-99999999999999999999"] {
            assert_eq!(number(key), None, "{key}");
        }
    }
}
