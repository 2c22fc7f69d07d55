//! Why a source could not be observed, in words that say how to mend it.

use std::{error::Error, fmt};

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
