//! One collector a source of machines: it observes, and decides nothing.
//!
//! A collector is asked again and again for what is new. After it was made, and after each fault, its next observation
//! is the whole; between, it gives what changed, or the whole again where the source cannot tell.

mod agents;
pub mod ansible;
mod endpoint;
mod fault;
mod file;
pub mod https;
mod json_wire;
mod keep;
mod kinds;
pub mod kubernetes;
pub mod libvirt;
mod open;
pub mod openstack;
pub mod ovsdb;
mod pace;
mod place;
pub mod proxmox;
pub mod qemu;
mod ssh;
mod uuid;
mod vendors;
pub mod vsphere;

pub use agents::{Desk, Held, ReportFault, Taken, is_agent_name, may_ask};
pub use endpoint::{Credentials, Endpoint, EndpointError, OwnCertificate, Stream, Wire};
pub use fault::{Fault, FaultKind};
pub use file::machines_of;
pub(crate) use json_wire::JsonWire;
pub use keep::{Inventory, Standing, keep};
pub(crate) use kinds::{Reach, endpoint};
pub use kinds::{check, own_name};
pub use open::{Machine, open_of_each};
pub use place::follow;
pub use ssh::{Ssh, Usual};
pub use vendors::Vendors;

use shared::inventory::Observation;
use std::future::Future;

/// What is asked of a source.
pub trait Collector {
    /// Waits until there is something new to say, or until it is time to look again.
    ///
    /// # Errors
    /// When the source does not answer, refuses, or answers what cannot be read. What it said before stays as it is; the
    /// next call begins anew and gives the whole.
    fn next(&mut self) -> impl Future<Output = Result<Observation, Fault>> + Send;
}
