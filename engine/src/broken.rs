//! Contacts that do not work any more: when one counts as broken, and when it is forgotten.
//!
//! Only a refusal for good that is about the contact breaks it; what is the provider's fault, or may pass, does not. The next
//! message that is taken mends it, and so does another address.

use shared::{ContactId, Failure, Fault, PersonId, Timestamp, config::ContactKind};

/// A contact that refused for good what was sent to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    pub person: PersonId,
    pub contact: ContactId,
    pub channel: ContactKind,
    /// Stands for the address; another one is another contact.
    pub address: String,
    /// When it was refused first.
    pub at: Timestamp,
    pub why: String,
    /// Its owner was told by another contact.
    pub told: bool,
}

/// What became of something sent to a contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard<'a> {
    Taken,
    Failed(&'a Failure),
}

/// What follows for a contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It stands as it did.
    Stays,
    /// It is broken from now on, and its owner is to be told.
    Breaks,
    /// It works, or nothing is known of its new address.
    Mends,
}

/// What follows when something was heard of a contact that has this address now. `was` is how it is known to be broken.
#[must_use]
pub fn judged(was: Option<&Broken>, address: &str, heard: Heard<'_>) -> Verdict {
    let is_known = was.is_some_and(|it| it.address == address);
    match heard {
        Heard::Failed(failure) if failure.permanent && failure.fault == Fault::Method => {
            if is_known {
                Verdict::Stays
            } else {
                Verdict::Breaks
            }
        }
        Heard::Taken if was.is_some() => Verdict::Mends,
        // It was about another address.
        Heard::Failed(_) if was.is_some() && !is_known => Verdict::Mends,
        Heard::Taken | Heard::Failed(_) => Verdict::Stays,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn broken(address: &str) -> Broken {
        Broken {
            person: "li".into(),
            contact: "text".into(),
            channel: ContactKind::Sms,
            address: address.to_owned(),
            at: Timestamp::from_ms(1),
            why: "nobody has this number".to_owned(),
            told: false,
        }
    }

    fn failure(permanent: bool, fault: Fault) -> Failure {
        Failure { permanent, ambiguous: false, detail: String::new(), retry_after_ms: None, fault }
    }

    #[test]
    fn a_contact_breaks_by_its_own_fault_alone_and_mends_by_what_is_taken() {
        use Verdict::{Breaks, Mends, Stays};
        let was = broken("a");
        for (was, address, permanent, fault, expected) in [
            (None, "a", true, Fault::Method, Breaks),
            (None, "a", true, Fault::Provider, Stays),
            (None, "a", true, Fault::Unknown, Stays),
            (None, "a", false, Fault::Method, Stays),
            (Some(&was), "a", true, Fault::Method, Stays),
            (Some(&was), "a", true, Fault::Provider, Stays),
            (Some(&was), "a", false, Fault::Unknown, Stays),
            // Another address: what was known of the old one says nothing.
            (Some(&was), "b", true, Fault::Method, Breaks),
            (Some(&was), "b", true, Fault::Provider, Mends),
            (Some(&was), "b", false, Fault::Unknown, Mends),
        ] {
            let failure = failure(permanent, fault);
            assert_eq!(judged(was, address, Heard::Failed(&failure)), expected, "{was:?} {address} {failure:?}");
        }
        assert_eq!(judged(None, "a", Heard::Taken), Stays);
        assert_eq!(judged(Some(&was), "a", Heard::Taken), Mends);
    }

    /// What is known after a verdict.
    fn after(was: Option<Broken>, address: &str, verdict: &Verdict) -> Option<Broken> {
        match verdict {
            Verdict::Stays => was,
            Verdict::Breaks => Some(broken(address)),
            Verdict::Mends => None,
        }
    }

    proptest! {
        #[test]
        fn it_is_broken_exactly_while_its_own_last_word_was_a_refusal(
            story in proptest::collection::vec((0..2_u8, 0..4_u8), 0..40),
        ) {
            let (mut known, mut told) = (None, 0);
            let mut expected: Option<&str> = None;
            for (address, what) in story {
                let address = if address == 0 { "a" } else { "b" };
                let (failure, breaks) = match what {
                    0 => (None, false),
                    1 => (Some(failure(true, Fault::Method)), true),
                    2 => (Some(failure(true, Fault::Provider)), false),
                    _ => (Some(failure(false, Fault::Unknown)), false),
                };
                let verdict = judged(known.as_ref(), address, failure.as_ref().map_or(Heard::Taken, Heard::Failed));
                told += u32::from(verdict == Verdict::Breaks);
                if breaks {
                    prop_assert_eq!(verdict == Verdict::Breaks, expected != Some(address), "it is told once");
                }
                known = after(known, address, &verdict);
                expected = match (breaks, failure.is_some()) {
                    (true, _) => Some(address),
                    (false, true) => expected.filter(|it| *it == address),
                    (false, false) => None,
                };
                prop_assert_eq!(known.as_ref().map(|it| it.address.as_str()), expected);
            }
            prop_assert!(told <= 40);
        }
    }
}
