//! What the engine promises, seen from outside. One program: each more would be linked with everything for itself.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails where it stands")]

mod copies;
mod found_by;
mod heartbeats;
mod leases;
mod lint;
mod mappings;
mod mirror_rules;
mod mirror_sim;
mod mirrors;
mod normalize;
mod notices;
mod placement;
mod proof;
mod properties;
mod reordered;
mod replay;
mod restart;
mod routing;
mod scenarios;
mod schedules;
mod silences;
mod sim;
mod suspects;
mod thresholds;
mod trial;
mod windows;
mod zones;
