//! Asking the agents of a segment who has an address, when a lookup finds nothing, or nothing but old.

use super::{App, app::now};
use crate::inventory::may_ask;
use futures_util::future::join_all;
use shared::{
    SourceId,
    agent::PROBES_MAX,
    api::{Found, LookupTerm, TermKind},
    config::Source,
    placement::Trust,
};
use std::{collections::BTreeMap, net::IpAddr, time::Duration};

/// For everything that is asked in one lookup, which is asked at once.
const PATIENCE: Duration = Duration::from_secs(2);

/// Says of each address that is unknown, or known of old, which sources may be asked about it.
pub(super) fn mark(sources: &[Source], terms: &mut [LookupTerm], items: &[Found]) {
    for (number, term) in terms.iter_mut().enumerate() {
        let Some(ip) = address(term) else { continue };
        let mut of_term = items.iter().filter(|it| it.term as usize == number);
        if of_term.any(is_certain) {
            continue;
        }
        term.askable = sources.iter().filter(|it| may_ask(it, ip)).map(|it| it.id.clone()).collect();
    }
}

/// Asks about each address that is marked; gives whether anybody was asked.
pub(super) async fn ask(app: &App, terms: &mut [LookupTerm]) -> bool {
    let mut by_source: BTreeMap<SourceId, Vec<IpAddr>> = BTreeMap::new();
    // An agent sends so many a second.
    for term in terms.iter().filter(|term| !term.askable.is_empty()).take(PROBES_MAX) {
        for source in &term.askable {
            by_source.entry(source.clone()).or_default().extend(address(term));
        }
    }
    let at = now();
    let asking = by_source.iter().map(|(source, ips)| {
        let desk = app.inventory.desk(source);
        async move { desk.ask(source, ips, at, PATIENCE).await }
    });
    for (ip, asked) in join_all(asking).await.into_iter().flatten() {
        terms.iter_mut().filter(|term| address(term) == Some(ip)).for_each(|term| term.asked.push(asked.clone()));
    }
    !by_source.is_empty()
}

fn address(term: &LookupTerm) -> Option<IpAddr> {
    term.value.parse().ok().filter(|_| term.kind == TermKind::Ip)
}

/// Whether the machine is known, by a word that is not old.
fn is_certain(found: &Found) -> bool {
    let placement = &found.placement;
    let is_known = placement.mac.is_some() || placement.hypervisor.is_some() || placement.vm.is_some();
    is_known && placement.hops.first().is_some_and(|hop| hop.trust > Trust::Stale)
}
