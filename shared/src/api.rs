//! The HTTP interface: every endpoint once, with the role it asks for, and the bodies it takes and gives.

mod account;
mod analytics;
mod delivery;
mod device;
mod endpoint;
mod host;
mod incident;
mod ingest;
mod inventory;
mod mirror;
mod mobile;
mod oncall;
mod rehearsal;
mod replay;
mod role;
mod silence;
mod version;
mod why_not;

pub use account::*;
pub use analytics::*;
pub use delivery::*;
pub use device::*;
pub use endpoint::{ENDPOINTS, Endpoint, Method};
pub use host::*;
pub use incident::*;
pub use ingest::*;
pub use inventory::*;
pub use mirror::*;
pub use mobile::*;
pub use oncall::*;
pub use rehearsal::*;
pub use replay::*;
pub use role::Role;
pub use silence::*;
pub use version::*;
pub use why_not::*;

use serde::{Deserialize, Serialize};

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct List<T> {
    pub items: Vec<T>,
    /// Pass it as `after` to get the next page; none at the end.
    pub next: Option<String>,
}
