//! What the agents of one source said last, which of them are silent, and what they are asked.

use super::{
    line::{Line, Put, answers},
    report::{Own, ReportFault, checked},
};
use futures_util::future::join_all;
use shared::{
    SourceId, Timestamp,
    agent::{AgentReport, HOLD_MAX_MS, NEIGHBOURS_MAX, PROBES_MAX, ProbeOutcome},
    api::{AgentRow, Asked, AskedOutcome},
    inventory::{Neighbour, Observation, RouterPart},
    net::Mac,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    pin::pin,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{Notify, watch},
    time::sleep,
};

/// So many agents report for one source.
const AGENTS_MAX: usize = 2_048;
/// An agent that misses so many reports is silent.
const MISSED: i64 = 3;
/// One that is silent for so long is forgotten, with what it said.
const FORGOTTEN_MS: i64 = 86_400_000;
/// So many agents are asked for one address.
const ASKED_MAX: usize = 3;
/// Confirmed longer ago than this is as old as can be; ages are no clocks.
const AGE_MAX_MS: u64 = 30 * 86_400_000;

/// The agents of one source.
#[derive(Debug)]
pub struct Desk {
    agents: Mutex<Agents>,
    changed: Notify,
    closing: watch::Receiver<bool>,
}

/// All that was said, and what follows from it for all.
#[derive(Debug, Default)]
struct Agents {
    by_name: BTreeMap<String, Agent>,
    routers: Routers,
}

/// What one agent said last.
#[derive(Debug)]
struct Agent {
    own: Own,
    run: u64,
    heard_at: Timestamp,
    /// By interface and address.
    table: BTreeMap<(String, IpAddr), Entry>,
    line: Line,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    mac: Mac,
    seen_at: Timestamp,
    /// A route leads over it.
    router: bool,
}

/// The routers of a source's segments, by what any of its agents says, and how often it is said: one agent's word is taken
/// back without asking all others.
#[derive(Debug, Default)]
struct Routers {
    macs: BTreeMap<Mac, usize>,
    /// Their addresses, and those of the agents themselves: one of them may be a router for others.
    ips: BTreeMap<IpAddr, usize>,
    /// Rises when one comes or goes.
    changes: u64,
}

/// A report that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// With which its answer may be held.
    pub ticket: u64,
    /// The report was not understood without the one before: the next is to be the whole.
    pub whole: bool,
}

/// Why an answer is no longer held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Held {
    /// Look for these; none: nothing was asked for so long.
    Probe(Vec<IpAddr>),
    /// A newer report has come under the same name.
    Superseded,
}

impl Desk {
    /// Begins with what was stored: who said it stands in each segment's name.
    pub(super) fn new(stored: Vec<Neighbour>, seen_at: Timestamp, closing: watch::Receiver<bool>) -> Self {
        let mut agents: BTreeMap<String, Agent> = BTreeMap::new();
        for seen in stored {
            let Some((agent, interface)) = seen.segment.split_once('/') else { continue };
            let entry = Entry { mac: seen.mac, seen_at: seen.seen_at, router: seen.router == Some(RouterPart::Own) };
            let agent = agents.entry(agent.to_owned()).or_insert_with(|| Agent::new(seen_at));
            agent.table.insert((interface.to_owned(), seen.ip), entry);
        }
        let mut routers = Routers::default();
        agents.values().for_each(|agent| routers.add(agent));
        Self { agents: Mutex::new(Agents { by_name: agents, routers }), changed: Notify::new(), closing }
    }

    fn agents(&self) -> MutexGuard<'_, Agents> {
        self.agents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a report; `tell` is given what it changes, in the order in which reports are taken.
    ///
    /// # Errors
    /// When it holds what cannot be, or too much of it. Nothing of it is taken then.
    pub(super) fn take(
        &self,
        report: AgentReport,
        now: Timestamp,
        tell: impl FnOnce(Observation),
    ) -> Result<Taken, ReportFault> {
        let own = checked(&report)?;
        let mut held = self.agents();
        let Agents { by_name: agents, routers } = &mut *held;
        let changes = routers.changes;
        let mut told = forget_old(agents, routers, now);
        let (is_new, n) = (!agents.contains_key(&report.agent), agents.len());
        if is_new && n >= AGENTS_MAX {
            return Err(ReportFault::TooManyAgents(AGENTS_MAX));
        }
        let agent = agents.entry(report.agent.clone()).or_insert_with(|| Agent::new(now));
        let said = agent.said(&report.agent, routers);
        agent.line.ticket += 1;
        agent.line.wake.notify_waiters();
        let grows = agent.table.len() + report.neighbours.len() > NEIGHBOURS_MAX;
        let whole = !report.whole && (agent.run != report.run || grows);
        agent.heard_at = now;
        let before = agent.routing();
        agent.own = own;
        if !whole {
            agent.run = report.run;
            agent.apply(&report, now);
        }
        let ticket = agent.line.ticket;
        routers.replace(&before, &agent.routing());
        let says = agent.said(&report.agent, routers);
        told.gone.extend(said.keys().filter(|key| !says.contains_key(*key)).cloned());
        // With other routers what is said means something else; all of it is said again.
        let anew = routers.changes != changes;
        told.neighbours
            .extend(says.into_iter().filter(|(key, it)| anew || said.get(key) != Some(it)).map(|(_, it)| it));
        if anew {
            let others = agents.iter().filter(|(name, _)| **name != report.agent);
            told.neighbours.extend(others.flat_map(|(name, agent)| agent.said(name, routers).into_values()));
        }
        // Who was forgotten just now, and is back, says the same again.
        let says: BTreeSet<String> = told.neighbours.iter().map(Neighbour::key).collect();
        told.gone.retain(|key| !says.contains(key));
        tell(told);
        // Who waits for an outcome looks it up at once, so it is told of before.
        if let Some(agent) = agents.get(&report.agent) {
            for probed in &report.probed {
                agent.line.answered(probed.ip, agent.outcome(probed.ip, probed.outcome, routers));
            }
        }
        self.changed.notify_one();
        Ok(Taken { ticket, whole })
    }

    /// Holds the answer to a report until there is something to ask, or it was held for long enough.
    pub async fn hold(&self, agent: &str, ticket: u64, most: Duration) -> Held {
        let Some(wake) = self.agents().by_name.get(agent).map(|agent| agent.line.wake.clone()) else {
            return Held::Superseded;
        };
        let mut over = pin!(sleep(most.min(Duration::from_millis(HOLD_MAX_MS))));
        let mut closing = self.closing.clone();
        loop {
            let mut woken = pin!(wake.notified());
            // From here on no call is missed.
            woken.as_mut().enable();
            match self.agents().by_name.get_mut(agent) {
                Some(agent) if agent.line.ticket == ticket => {
                    let probe = agent.line.hand_out(PROBES_MAX);
                    if !probe.is_empty() {
                        return Held::Probe(probe);
                    }
                }
                _ => return Held::Superseded,
            }
            tokio::select! {
                () = woken => {}
                () = &mut over => return Held::Probe(Vec::new()),
                _ = closing.wait_for(|closing| *closing) => return Held::Probe(Vec::new()),
            }
        }
    }

    /// Asks who has each of these addresses, until somebody answered or `patience` is over.
    pub async fn ask(
        &self,
        source: &SourceId,
        ips: &[IpAddr],
        now: Timestamp,
        patience: Duration,
    ) -> Vec<(IpAddr, Asked)> {
        let asking = self.put(ips, now).into_iter().map(|(ip, put)| async move {
            let asked = answers(source, put, now, patience).await;
            asked.into_iter().map(move |asked| (ip, asked))
        });
        join_all(asking).await.into_iter().flatten().collect()
    }

    /// Puts the questions to those who stand on the segment and may ask: all of them before anybody takes one.
    fn put(&self, ips: &[IpAddr], now: Timestamp) -> Vec<(IpAddr, Vec<Put>)> {
        let mut agents = self.agents();
        let put = |ip: &IpAddr| {
            let may = agents.by_name.iter_mut().filter(|(_, agent)| !agent.is_silent(now) && agent.may_look_for(*ip));
            let put = may.take(ASKED_MAX).map(|(name, agent)| (name.clone(), agent.line.ask(*ip, now)));
            (*ip, put.collect())
        };
        ips.iter().map(put).collect()
    }

    /// Waits until something was reported since the last call.
    pub(in crate::inventory) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Its agents, in the order of their names.
    pub fn rows(&self, now: Timestamp) -> Vec<AgentRow> {
        let row = |(name, agent): (&String, &Agent)| AgentRow {
            name: name.clone(),
            version: agent.own.version.clone(),
            heard_at: agent.heard_at,
            silent: agent.is_silent(now),
            neighbours: u32::try_from(agent.table.len()).unwrap_or(u32::MAX),
            probe: agent.own.limits.iter().map(ToString::to_string).collect(),
        };
        self.agents().by_name.iter().map(row).collect()
    }
}

/// Those that nobody heard for a day are gone, with everything they said.
fn forget_old(agents: &mut BTreeMap<String, Agent>, routers: &mut Routers, now: Timestamp) -> Observation {
    let mut told = Observation::default();
    agents.retain(|name, agent| {
        let keep = now.ms_since(agent.heard_at) < FORGOTTEN_MS;
        if !keep {
            told.gone.extend(agent.said(name, &Routers::default()).into_keys());
            routers.replace(&agent.routing(), &Routing::default());
        }
        keep
    });
    told
}

/// What one agent says of routers.
#[derive(Debug, Default, PartialEq, Eq)]
struct Routing {
    macs: Vec<Mac>,
    ips: Vec<IpAddr>,
}

impl Routers {
    fn add(&mut self, agent: &Agent) {
        self.replace(&Routing::default(), &agent.routing());
    }

    /// What an agent said before counts no more, and what it says now does.
    fn replace(&mut self, before: &Routing, after: &Routing) {
        if before == after {
            return;
        }
        let come = add_all(&mut self.macs, &after.macs) + add_all(&mut self.ips, &after.ips);
        let gone = drop_all(&mut self.macs, &before.macs) + drop_all(&mut self.ips, &before.ips);
        self.changes += (come + gone) as u64;
    }

    fn part(&self, ip: IpAddr, mac: Mac) -> Option<RouterPart> {
        let is_own = || if self.ips.contains_key(&ip) { RouterPart::Own } else { RouterPart::Behind };
        self.macs.contains_key(&mac).then(is_own)
    }
}

/// Counts them once more, and gives how many were new.
fn add_all<K: Ord + Copy>(counts: &mut BTreeMap<K, usize>, keys: &[K]) -> usize {
    let before = counts.len();
    keys.iter().for_each(|key| *counts.entry(*key).or_default() += 1);
    counts.len() - before
}

/// Counts them once less, and gives how many are no more.
fn drop_all<K: Ord + Copy>(counts: &mut BTreeMap<K, usize>, keys: &[K]) -> usize {
    let before = counts.len();
    for key in keys {
        let Some(count) = counts.get_mut(key) else { continue };
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
    before - counts.len()
}

impl Agent {
    /// The routers it knows, and its own addresses.
    fn routing(&self) -> Routing {
        let routers = || self.table.iter().filter(|(_, entry)| entry.router);
        let own = self.own.interfaces.iter().flat_map(|it| &it.nets).map(ipnet::IpNet::addr);
        Routing {
            macs: routers().map(|(_, entry)| entry.mac).collect(),
            ips: routers().map(|((_, ip), _)| *ip).chain(own).collect(),
        }
    }

    fn new(heard_at: Timestamp) -> Self {
        let own = Own { every_ms: HOLD_MAX_MS.cast_signed(), ..Own::default() };
        Self { own, run: 0, heard_at, table: BTreeMap::new(), line: Line::default() }
    }

    fn is_silent(&self, now: Timestamp) -> bool {
        now.ms_since(self.heard_at) > MISSED * self.own.every_ms
    }

    fn apply(&mut self, report: &AgentReport, now: Timestamp) {
        if report.whole {
            self.table.clear();
        }
        for gone in &report.gone {
            self.table.remove(&(gone.interface.clone(), gone.ip));
        }
        for it in &report.neighbours {
            let seen_at = now.plus_ms(-it.age_ms.min(AGE_MAX_MS).cast_signed());
            self.table.insert((it.interface.clone(), it.ip), Entry { mac: it.mac, seen_at, router: it.router });
        }
    }

    /// Everything it says, by the keys of the index. Its own addresses are among it: nobody knows them better.
    fn said(&self, name: &str, routers: &Routers) -> BTreeMap<String, Neighbour> {
        let own = self.own.interfaces.iter().flat_map(|it| {
            let nets = it.mac.map(|mac| it.nets.iter().map(move |net| (net.addr(), mac)));
            nets.into_iter().flatten().map(|(ip, mac)| (&it.name, ip, mac, self.heard_at))
        });
        let seen = self.table.iter().map(|((interface, ip), entry)| (interface, *ip, entry.mac, entry.seen_at));
        let each = seen.chain(own).map(|(interface, ip, mac, seen_at)| {
            let segment = format!("{name}/{interface}");
            let it = Neighbour { ip, mac, segment, seen_at, router: routers.part(ip, mac) };
            (it.key(), it)
        });
        each.collect()
    }

    /// Whether the address is on a segment of its own, and its own settings let it look there.
    fn may_look_for(&self, ip: IpAddr) -> bool {
        let mut nets = self.own.interfaces.iter().flat_map(|it| &it.nets);
        nets.any(|net| net.contains(&ip) && net.addr() != ip) && self.own.limits.iter().any(|limit| limit.contains(&ip))
    }

    fn outcome(&self, ip: IpAddr, outcome: ProbeOutcome, routers: &Routers) -> AskedOutcome {
        let seen = self.table.iter().filter(|((_, it), _)| *it == ip).map(|(_, entry)| entry);
        match (outcome, seen.max_by_key(|entry| entry.seen_at)) {
            (ProbeOutcome::Answered, Some(entry)) => match routers.part(ip, entry.mac) {
                Some(RouterPart::Behind) => AskedOutcome::Router { mac: entry.mac },
                Some(RouterPart::Own) | None => AskedOutcome::Answered { mac: entry.mac },
            },
            (ProbeOutcome::Answered, None) | (ProbeOutcome::Nobody, _) => AskedOutcome::Nobody,
            (ProbeOutcome::Confirming, _) => AskedOutcome::Confirming,
            (ProbeOutcome::NotAllowed | ProbeOutcome::NotOnLink, _) => AskedOutcome::Refused,
            (ProbeOutcome::NotSent, _) => AskedOutcome::NotSent,
        }
    }
}

#[cfg(test)]
mod tests;
