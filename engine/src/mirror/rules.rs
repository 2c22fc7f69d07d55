//! The 23 rules: pure functions over what is asked for and what there is.

mod capability;
mod case;
mod destination;
mod load;
mod people;
mod source;
mod time;
mod tunnel;
mod vlan;

pub use load::{Projection, project};
pub(crate) use tunnel::{forbidden, is_public};

use super::World;
use case::Case;
use shared::mirror::{About, MirrorFinding, MirrorSpec, Rule, Weight};

/// Findings of one rule and weight that are said; more of the same tell nobody anything.
const SAID_MOST: usize = 20;

type Ask = fn(&Case<'_>, &mut Said);

/// Each rule with what asks it, in order.
const RULES: [(Rule, Ask); 23] = [
    (Rule::Expiry, time::expiry),
    (Rule::SourceKnown, source::known),
    (Rule::SameSession, destination::same_session),
    (Rule::DestinationTaken, destination::taken),
    (Rule::Promiscuous, destination::promiscuous),
    (Rule::Ephemeral, destination::ephemeral),
    (Rule::DestinationMarked, destination::marked),
    (Rule::SourceKind, source::kind),
    (Rule::Loop, tunnel::loops),
    (Rule::CollectorAllowed, tunnel::collector),
    (Rule::TunnelFields, tunnel::fields),
    (Rule::RspanVlan, vlan::vlans),
    (Rule::Snap, capability::snap),
    (Rule::Sampling, capability::sampling),
    (Rule::Capability, capability::capability),
    (Rule::Quota, load::quota),
    (Rule::SameHypervisor, destination::same_hypervisor),
    (Rule::Bandwidth, load::bandwidth),
    (Rule::Mtu, tunnel::mtu),
    (Rule::Accountable, people::accountable),
    (Rule::Revalidation, capability::revalidation),
    (Rule::Unsettled, source::unsettled),
    (Rule::Clock, time::clock),
];

/// What every rule says, in the order of the rules. A field that somebody has still to fill in is one finding: what depends
/// on it is not asked.
#[must_use]
pub fn check(spec: &MirrorSpec, world: &World) -> Vec<MirrorFinding> {
    let case = Case::new(spec, world);
    let mut found = Vec::new();
    for (rule, ask) in RULES {
        let mut said = Said { rule, blocks: Vec::new(), warns: Vec::new() };
        ask(&case, &mut said);
        found.append(&mut said.blocks);
        found.append(&mut said.warns);
    }
    found
}

/// What one rule has said so far.
struct Said {
    rule: Rule,
    blocks: Vec<MirrorFinding>,
    warns: Vec<MirrorFinding>,
}

impl Said {
    /// The mirror may not begin.
    fn blocks(&mut self, path: impl Into<String>, about: About) {
        add(&mut self.blocks, MirrorFinding { rule: self.rule, weight: Weight::Blocks, path: path.into(), about });
    }

    /// Somebody must see it first.
    fn warns(&mut self, path: impl Into<String>, about: About) {
        add(&mut self.warns, MirrorFinding { rule: self.rule, weight: Weight::Warns, path: path.into(), about });
    }
}

fn add(found: &mut Vec<MirrorFinding>, finding: MirrorFinding) {
    if found.len() < SAID_MOST && !found.contains(&finding) {
        found.push(finding);
    }
}
