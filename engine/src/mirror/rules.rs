//! The 23 rules: pure functions over what is asked for and what there is.

use super::World;
use shared::{
    config::MirrorMode,
    mirror::{MirrorFinding, MirrorSpec},
    placement::PlacedVm,
};

/// How much would be copied, and how much its way has room for, in bits a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Projection {
    pub copied_bps: u64,
    pub room_bps: Option<u64>,
}

/// What every rule says, in the order of the rules.
#[must_use]
pub fn check(_spec: &MirrorSpec, _world: &World) -> Vec<MirrorFinding> {
    Vec::new()
}

/// Whether a second person must agree before somebody looks at this VM's traffic.
#[must_use]
pub fn sensitive(_mode: &MirrorMode, _vm: &PlacedVm, _cluster: Option<&str>) -> bool {
    false
}

/// How much would be copied, where the ports' counters tell.
#[must_use]
pub fn project(_spec: &MirrorSpec, _world: &World) -> Option<Projection> {
    None
}
