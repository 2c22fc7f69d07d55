//! A report as it was sent, made sure of: bounded, with addresses that are some.

use super::prefix;
use ipnet::IpNet;
use shared::{
    agent::{AgentReport, HOLD_MAX_MS, INTERFACES_MAX, NEIGHBOURS_MAX, PROBES_MAX},
    net::Mac,
};

/// Longer names are no machine's.
const NAME_MAX: usize = 64;
/// An agent that reports more often than this is taken to do so, however fast it is.
const EVERY_MIN_MS: u64 = 1_000;

/// Why a report is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReportFault {
    #[error("`{0}` is not the name of an agent; use 1 to 64 letters, digits, dots, hyphens and underscores")]
    Name(String),
    #[error("the name of an interface is empty, too long, or has characters that no interface's has")]
    Interface,
    #[error("`version` is longer than 64 characters")]
    Version,
    #[error("there are {n} {what} in one report; {most} are taken")]
    TooMany { what: &'static str, n: usize, most: usize },
    #[error("{0}")]
    Prefix(String),
    #[error("{0} agents report for this source already; make another source for others")]
    TooManyAgents(usize),
}

/// What an agent says of its own machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Own {
    pub(super) version: String,
    pub(super) every_ms: i64,
    /// Where it may look for an address, by its own settings.
    pub(super) limits: Vec<IpNet>,
    pub(super) interfaces: Vec<Interface>,
}

/// One of its interfaces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Interface {
    pub(super) name: String,
    pub(super) mac: Option<Mac>,
    /// Its addresses, each with the prefix it is on.
    pub(super) nets: Vec<IpNet>,
}

/// Whether this may be the name of an agent.
#[must_use]
pub fn is_agent_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    (1..=NAME_MAX).contains(&name.len()) && name.bytes().all(fits)
}

/// Linux allows 15 bytes without slashes and spaces; a little more does no harm.
fn is_interface(name: &str) -> bool {
    (1..=32).contains(&name.len()) && !name.contains(|c: char| c == '/' || c.is_whitespace() || c.is_control())
}

/// Refuses what cannot be; gives what the agent says of itself.
pub(super) fn checked(report: &AgentReport) -> Result<Own, ReportFault> {
    if !is_agent_name(&report.agent) {
        return Err(ReportFault::Name(report.agent.chars().take(NAME_MAX).collect()));
    }
    if report.version.chars().count() > NAME_MAX {
        return Err(ReportFault::Version);
    }
    let few = |what, n, most| if n > most { Err(ReportFault::TooMany { what, n, most }) } else { Ok(()) };
    few("neighbours", report.neighbours.len(), NEIGHBOURS_MAX)?;
    few("neighbours that are gone", report.gone.len(), NEIGHBOURS_MAX)?;
    few("interfaces", report.interfaces.len(), INTERFACES_MAX)?;
    few("prefixes", report.probe.len(), super::PREFIXES_MAX)?;
    few("outcomes", report.probed.len(), 16 * PROBES_MAX)?;
    let mut interfaces = Vec::with_capacity(report.interfaces.len());
    for it in &report.interfaces {
        few("addresses of an interface", it.ips.len(), INTERFACES_MAX)?;
        let nets: Result<_, _> = it.ips.iter().map(|text| prefix(text)).collect();
        let nets = nets.map_err(ReportFault::Prefix)?;
        interfaces.push(Interface { name: it.name.clone(), mac: it.mac, nets });
    }
    let named = report.interfaces.iter().map(|it| &it.name).chain(report.neighbours.iter().map(|it| &it.interface));
    if !named.chain(report.gone.iter().map(|it| &it.interface)).all(|name| is_interface(name)) {
        return Err(ReportFault::Interface);
    }
    let limits: Result<_, _> = report.probe.iter().map(|text| prefix(text)).collect();
    let every_ms = report.every_ms.clamp(EVERY_MIN_MS, HOLD_MAX_MS).cast_signed();
    Ok(Own { version: report.version.clone(), every_ms, limits: limits.map_err(ReportFault::Prefix)?, interfaces })
}
