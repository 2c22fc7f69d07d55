//! Addresses of machines as people and programs write them: one canonical form of each, and what a pasted text names.

mod mac;
mod text;
mod vendor;

pub use mac::{Mac, MacFault, MacPart};
pub use text::{Network, Term, What, understand};
pub use vendor::platform;
