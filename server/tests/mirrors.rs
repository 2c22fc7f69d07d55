//! Port mirrors against what carries them out: the drivers' contract, and what really arrives at the destination of a
//! real Open vSwitch, in namespaces of the tests' own.

mod contract;
mod copies;
mod dry_run;
mod frames;
mod ovs;
mod stage;
