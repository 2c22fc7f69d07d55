//! What an account or a token may do.

use serde::{Deserialize, Serialize};

/// What an account or API token may do; each role includes the ones before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Sees everything but secrets.
    Viewer,
    /// Also answers, escalates and resolves.
    Responder,
    /// Also looks at the traffic of machines: begins and ends port mirrors.
    Network,
    /// Also changes configuration, accounts and tokens.
    Admin,
}

impl Role {
    /// The name used in configuration, command line and storage.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Responder => "responder",
            Self::Network => "network",
            Self::Admin => "admin",
        }
    }
}

impl std::str::FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "viewer" => Ok(Self::Viewer),
            "responder" => Ok(Self::Responder),
            "network" => Ok(Self::Network),
            "admin" => Ok(Self::Admin),
            _ => Err(format!("`{text}` is not a role; use viewer, responder, network or admin")),
        }
    }
}
