//! Rules about how much: sessions at once, and copies beside the traffic that was there before.

use super::{Case, Said, case::reaches};
use crate::mirror::World;
use shared::{
    config::Collector,
    mirror::{About, Egress, Mirror, MirrorSource, MirrorSpec, PortKind, SwitchPort, SwitchView, Transport},
    timeline::Actor,
};

/// How much would be copied, and how much its way has room for, in bits a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Projection {
    pub copied_bps: u64,
    /// None where no speed on the way is known.
    pub room_bps: Option<u64>,
}

/// 16: neither the switch nor whoever asks nor the collector has too many. A switch takes one too many without a word, and
/// copies nothing.
pub(super) fn quota(case: &Case<'_>, said: &mut Said) {
    let mode = &case.world.mode;
    if let Some(view) = case.view {
        let ours: Vec<&Mirror> = case.running().filter(|mirror| mirror.plan.switch == view.switch).collect();
        let to_come = ours.iter().filter(|it| !case.observed().any(|session| case.is_ours(session, it.id))).count();
        let backend = mode.backends.iter().find(|it| it.id == view.backend);
        let configured = backend.and_then(|it| it.sessions);
        let takes = Some(view.can.sessions_most).filter(|most| *most > 0).or(configured);
        let full = takes.filter(|most| case.observed().count() + to_come >= *most as usize);
        let enough = Some(mode.per_switch).filter(|most| ours.len() >= *most as usize);
        if let Some(most) = full.into_iter().chain(enough).min() {
            said.blocks("switch", About::TooManyOnSwitch { most });
        }
    }
    let of_person = case.running().filter(|mirror| name_of(&mirror.by) == Some(case.world.asks.as_str())).count();
    if of_person >= mode.per_person as usize {
        said.blocks("", About::TooManyOfPerson { most: mode.per_person });
    }
    for collector in case.collectors() {
        if sending_to(case, collector).count() >= collector.at_once as usize {
            let (collector, most) = (collector.title().to_owned(), collector.at_once);
            said.blocks("transport", About::TooManyAtCollector { collector, most });
        }
    }
}

/// The name of an account or a token.
fn name_of(by: &Actor) -> Option<&str> {
    match by {
        Actor::Token { name } => Some(name),
        by => by.login(),
    }
}

/// Ours besides this one that send to a collector.
fn sending_to<'a>(case: &Case<'a>, collector: &'a Collector) -> impl Iterator<Item = &'a Mirror> {
    case.running().filter(|mirror| {
        let place = (mirror.plan.backend.as_str(), mirror.plan.switch.as_str());
        reaches(&mirror.spec.transport, Some(place), collector)
    })
}

/// 18: the copies leave enough of their way to the traffic that was there before.
pub(super) fn bandwidth(case: &Case<'_>, said: &mut Said) {
    const PATH: &str = "transport";
    let Some(view) = case.view else { return };
    if !is_complete(case) {
        return;
    }
    let Some(Projection { copied_bps, room_bps: Some(room_bps) }) = projection(case, view) else {
        said.warns(PATH, About::RateUnknown);
        return;
    };
    let mode = &case.world.mode;
    let reaches = |percent: u32| u128::from(copied_bps) * 100 >= u128::from(room_bps) * u128::from(percent);
    if copied_bps == 0 || !reaches(mode.warn_percent) {
        return;
    }
    let percent = u128::from(copied_bps) * 100 / u128::from(room_bps.max(1));
    let about = About::TooMuch { copied_bps, room_bps, percent: percent.min(999) as u32 };
    if reaches(mode.block_percent) { said.blocks(PATH, about) } else { said.warns(PATH, about) }
}

/// Whether it is said what is copied and where to; what is missing has findings of its own.
fn is_complete(case: &Case<'_>) -> bool {
    let sources = match &case.spec.source {
        MirrorSource::Nics { macs } => {
            !macs.is_empty() && case.sources.len() == macs.len() && case.sources.iter().all(|it| it.port.is_some())
        }
        MirrorSource::Vlans { vlans } => !vlans.is_empty(),
    };
    let destination = match &case.spec.transport {
        Transport::Span { .. } | Transport::RspanDestination { .. } => case.destination_port().is_some(),
        Transport::RspanSource { .. } => case.output_vlan().is_some(),
        Transport::Erspan { .. } => case.remote().is_some(),
        Transport::Legacy => false,
    };
    sources && destination
}

/// How much would be copied, where the ports' counters tell.
#[must_use]
pub fn project(spec: &MirrorSpec, world: &World) -> Option<Projection> {
    let case = Case::new(spec, world);
    projection(&case, case.view.filter(|_| is_complete(&case))?)
}

fn projection(case: &Case<'_>, view: &SwitchView) -> Option<Projection> {
    // What RSPAN brings is counted at no port of its own.
    if matches!(case.spec.transport, Transport::RspanDestination { .. }) {
        return None;
    }
    let mut whole = 0_u64;
    for (_, port) in case.source_ports() {
        whole = whole.saturating_add(port.mirrored_bps(case.spec.direction)?);
    }
    let copied_bps = whole / u64::from(case.spec.sampling.unwrap_or(1).max(1));
    let out = ways_out(case, view).into_iter().filter_map(room_of_port);
    let taken = case.collectors().filter_map(|it| room_of_collector(case, it));
    Some(Projection { copied_bps, room_bps: out.chain(taken).min() })
}

/// The ports through which copies leave the switch.
fn ways_out<'a>(case: &Case<'a>, view: &'a SwitchView) -> Vec<&'a SwitchPort> {
    let wires = || view.ports.iter().filter(|port| port.kind == PortKind::Uplink);
    match &case.spec.transport {
        Transport::Span { .. } | Transport::RspanDestination { .. } => case.destination_port().into_iter().collect(),
        Transport::RspanSource { uplinks, .. } => {
            wires().filter(|port| uplinks.is_empty() || uplinks.contains(&port.key)).collect()
        }
        Transport::Erspan { remote, .. } => match view.routes.get(remote) {
            Some(Egress::Port { port }) => match view.port(port) {
                // The host's own door has no speed; what it sends goes out over the wires.
                Some(port) if port.kind != PortKind::Host => vec![port],
                _ => wires().collect(),
            },
            _ => Vec::new(),
        },
        Transport::Legacy => Vec::new(),
    }
}

/// What a port has left, in bits a second: what goes out through it now is what is sent to whoever is behind it.
fn room_of_port(port: &SwitchPort) -> Option<u64> {
    Some(bits(port.speed_mbps?).saturating_sub(port.to_vm_bps.unwrap_or(0)))
}

/// What a collector still takes beside what our other mirrors send to it.
fn room_of_collector(case: &Case<'_>, collector: &Collector) -> Option<u64> {
    let sent = sending_to(case, collector).fold(0_u64, |sum, mirror| sum.saturating_add(mirror.evidence.bps));
    Some(bits(collector.speed_mbps?).saturating_sub(sent))
}

fn bits(mbps: u32) -> u64 {
    u64::from(mbps) * 1_000_000
}
