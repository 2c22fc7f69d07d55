//! Why a source could not be observed, in words that say how to mend it.

use std::{error::Error, fmt};

/// Faults of one look that are told; of the others only how many.
const TOLD: usize = 3;

/// Which kind of trouble it is; decides how soon to try again, and who can mend it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// Nobody answered, or not in time.
    Unreachable,
    /// The other side is not who it should be: its certificate is not trusted.
    Untrusted,
    /// It does not accept our credentials, or they may not look.
    Refused,
    /// It answered what cannot be read, or is of a version that is not understood.
    Unreadable,
}

/// Why a source could not be observed. Never holds a credential.
#[derive(Debug)]
pub struct Fault {
    pub kind: FaultKind,
    /// What was tried, what happened, and how to mend it where that is known.
    pub message: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl Fault {
    #[must_use]
    pub fn new(kind: FaultKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None }
    }

    /// The faults of a look as one, of the first's kind.
    pub(crate) fn one_of(faults: Vec<Self>) -> Option<Self> {
        let kind = faults.first()?.kind;
        let told: Vec<&str> = faults.iter().take(TOLD).map(|fault| fault.message.as_str()).collect();
        let more = match faults.len().saturating_sub(TOLD) {
            0 => String::new(),
            more => format!(" (and {more} more)"),
        };
        Some(Self::new(kind, told.join("; ") + &more))
    }

    /// The same with what caused it.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Fault {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_faults_are_told_shortly() {
        assert!(Fault::one_of(Vec::new()).is_none());
        let faults = ["a", "b", "c", "d", "e"].map(|text| Fault::new(FaultKind::Unreachable, text)).into();
        assert_eq!(Fault::one_of(faults).unwrap().message, "a; b; c (and 2 more)");
    }
}
