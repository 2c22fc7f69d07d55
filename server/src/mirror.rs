//! Port mirrors on real switches: carries out what the engine decides, and compares what is with what should be.
//!
//! Nothing here decides how long a mirror lasts, but one thing: what stands tagged in a switch past its end is removed,
//! whatever the engine or the store know of it.

mod desk;
mod draft;
mod driver;
pub mod dry_run;
mod kinds;
pub mod lease;
mod needs;
mod orders;
pub mod ovs;
mod sweep;
mod vsphere;
pub mod watchdog;

pub use desk::carry_out;
pub use desk::{Desk, Held, Standing};
pub use draft::{Asked, Draft, name_of, seal, sources, world};
pub use driver::{Driver, Order, Outcome, Picked, Quiet, Removed};
pub use kinds::{Kind, check};
pub use lease::Lease;
pub use orders::Orders;
pub use sweep::{keep, standing};
pub use vsphere::VsphereMirrors;
