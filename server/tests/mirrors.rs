//! Port mirrors against what carries them out: the drivers' contract, and what really arrives at the destination of a
//! real Open vSwitch, in namespaces of the tests' own.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

#[path = "mirrors/contract.rs"]
mod contract;
#[path = "mirrors/copies.rs"]
mod copies;
#[path = "mirrors/dry_run.rs"]
mod dry_run;
#[path = "mirrors/frames.rs"]
mod frames;
#[path = "mirrors/ovs.rs"]
mod ovs;
#[path = "mirrors/stage.rs"]
mod stage;
