//! libvirt: the virtual machines of one hypervisor, over libvirt's own protocol and mostly its read-only socket.
//!
//! Its events would not say what changed about an interface, so the whole is read again and again: two calls a machine,
//! a third of a millisecond in all.

mod domain_xml;
mod wire;
mod xdr;

use super::{Collector, Endpoint, Fault, FaultKind, pace::Pace, uuid};
use domain_xml::Domain;
use shared::{
    inventory::{Hypervisor, IpHow, Nic, NicIp, Observation, Power, Vm},
    net::Mac,
};
use std::{fmt, net::IpAddr, time::Duration};
use wire::{CallError, Refusal, Wire};
use xdr::{Reader, Writer, XdrError};

/// libvirt's port by TLS.
pub const USUAL_PORT: u16 = 16514;
/// Whoever may open this socket may look, and change nothing.
pub const USUAL_SOCKET: &str = "/run/libvirt/libvirt-sock-ro";
/// The driver that is meant where nothing else is said.
pub const USUAL_URI: &str = "qemu:///system";

/// For a call that needs nobody else.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// For what an agent inside a machine must answer: one that hangs must not hold up the others.
const AGENT_WITHIN: Duration = Duration::from_secs(2);
/// The protocol's own limit of lists of domains.
const DOMAINS_MAX: usize = 16_384;
/// The protocol's own limit of interfaces, and of addresses of each.
const ADDRESSES_MAX: usize = 2_048;

/// Numbers of procedures (libvirt's `remote_protocol.x`).
mod procedure {
    pub(super) const OPEN: i32 = 1;
    pub(super) const DOMAIN_XML: i32 = 14;
    pub(super) const HOSTNAME: i32 = 59;
    pub(super) const AUTH_LIST: i32 = 66;
    pub(super) const DOMAIN_STATE: i32 = 212;
    pub(super) const ALL_DOMAINS: i32 = 273;
    pub(super) const DOMAIN_HOSTNAME: i32 = 277;
    pub(super) const INTERFACE_ADDRESSES: i32 = 353;
}

/// Flag of opening: to look only.
const READ_ONLY: u32 = 1;
/// No authentication is asked for.
const AUTH_NONE: i32 = 0;
/// `virErrorNumber`: the domain is not there.
const NO_DOMAIN: i32 = 42;
/// `virErrorNumber`: denied, authentication failed, cancelled or not to be had, access denied.
const NOT_ALLOWED: [i32; 5] = [29, 45, 79, 80, 88];
/// `virDomainInterfaceAddressesSource`: what libvirt's own DHCP server leased, and what the agent inside says.
const LEASE: u32 = 0;
const AGENT: u32 = 1;
/// `virDomainGetHostnameFlags`: ask the agent.
const HOSTNAME_BY_AGENT: u32 = 2;

/// How a hypervisor is observed.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Mostly [`USUAL_SOCKET`].
    pub endpoint: Endpoint,
    /// Which of the daemon's drivers; mostly [`USUAL_URI`].
    pub uri: String,
    /// How often it is asked.
    pub every: Duration,
    /// Whether to ask for the addresses of machines too. libvirt lets only those who may change things speak to the
    /// agents inside: on the read-only socket just its own DHCP leases are known.
    pub ask_guests: bool,
}

/// Observes the domains of one hypervisor.
pub struct Libvirt {
    settings: Settings,
    pace: Pace,
    /// The open connection between two looks.
    wire: Option<Wire>,
}

impl Libvirt {
    /// Connects when it is asked first.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let pace = Pace::new(settings.every);
        Self { settings, pace, wire: None }
    }
}

impl fmt::Debug for Libvirt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Libvirt").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Collector for Libvirt {
    async fn next(&mut self) -> Result<Observation, Fault> {
        self.pace.wait().await;
        // Taken out: after a fault, or when the caller gives up in the middle, the next look connects anew.
        let mut look = match self.wire.take() {
            Some(wire) => Look { settings: &self.settings, wire },
            None => match Look::begin(&self.settings).await {
                Ok(look) => look,
                Err(fault) => {
                    self.pace.begin_anew();
                    return Err(fault);
                }
            },
        };
        let whole = look.whole().await;
        let wire = look.wire;
        match &whole {
            Ok(_) => self.wire = Some(wire),
            Err(_) => self.pace.begin_anew(),
        }
        whole
    }
}

/// One look at everything.
struct Look<'a> {
    settings: &'a Settings,
    wire: Wire,
}

/// A domain as libvirt names it in calls.
#[derive(Debug, PartialEq, Eq)]
struct Handle {
    name: String,
    uuid: [u8; 16],
    /// Negative while it is off.
    id: i32,
}

impl Handle {
    fn read(reader: &mut Reader<'_>) -> Result<Self, XdrError> {
        Ok(Self { name: reader.text()?, uuid: reader.bytes()?, id: reader.i32()? })
    }

    fn write(&self) -> Writer {
        Writer::default().text(&self.name).fixed(&self.uuid).i32(self.id)
    }
}

impl<'a> Look<'a> {
    async fn begin(settings: &'a Settings) -> Result<Self, Fault> {
        let wire = Wire::connect(&settings.endpoint, ANSWER_WITHIN).await?;
        let mut look = Self { settings, wire };
        let ways = look.ask(procedure::AUTH_LIST, Writer::default()).await?;
        let ways = look.read(&ways, |reader| reader.list(20, Reader::i32))?;
        if !ways.contains(&AUTH_NONE) {
            let message = format!(
                "{} wants a login (SASL or polkit); use the read-only socket {USUAL_SOCKET}, or run this server as an \
                 account of the group libvirt",
                settings.endpoint
            );
            return Err(Fault::new(FaultKind::Refused, message));
        }
        // Agents answer only those who may change things; without them we want to be unable to.
        let flags = if settings.ask_guests { 0 } else { READ_ONLY };
        look.ask(procedure::OPEN, Writer::default().some_text(&settings.uri).u32(flags)).await?;
        Ok(look)
    }

    async fn whole(&mut self) -> Result<Observation, Fault> {
        let hostname = self.ask(procedure::HOSTNAME, Writer::default()).await?;
        let hostname = self.read(&hostname, Reader::text)?;
        let domains = self.ask(procedure::ALL_DOMAINS, Writer::default().i32(1).u32(0)).await?;
        let domains = self.read(&domains, |reader| reader.list(DOMAINS_MAX, Handle::read))?;
        let mut vms = Vec::with_capacity(domains.len());
        for domain in &domains {
            if let Some(mut vm) = self.vm(domain).await? {
                vm.hypervisor = Some(hostname.clone());
                vms.push(vm);
            }
        }
        let hypervisor = Hypervisor { key: hostname.clone(), name: hostname, ..Hypervisor::default() };
        Ok(Observation { whole: true, hypervisors: vec![hypervisor], vms, ..Observation::default() })
    }

    /// One machine; none when it vanished since it was listed.
    async fn vm(&mut self, handle: &Handle) -> Result<Option<Vm>, Fault> {
        let Some(xml) = self.ask_of_domain(procedure::DOMAIN_XML, handle.write().u32(0)).await? else {
            return Ok(None);
        };
        let Some(state) = self.ask_of_domain(procedure::DOMAIN_STATE, handle.write().u32(0)).await? else {
            return Ok(None);
        };
        let power = power(self.read(&state, Reader::i32)?);
        let xml = self.read(&xml, Reader::text)?;
        let mut domain = domain_xml::read(&xml).map_err(|error| {
            let message =
                format!("what {} says of the domain {} cannot be read: {error}", self.endpoint(), handle.name);
            Fault::new(FaultKind::Unreadable, message).because(error)
        })?;
        let hostname = if power == Power::On { self.ask_guest(handle, &mut domain).await? } else { None };
        let uuid = domain.uuid.unwrap_or_else(|| uuid::of_bytes(handle.uuid));
        Ok(Some(Vm {
            key: uuid.clone(),
            name: domain.name,
            uuid: Some(uuid),
            hostname,
            power,
            datastores: domain.datastores.into_iter().collect(),
            nics: domain.nics,
            ..Vm::default()
        }))
    }

    /// Adds the addresses of a running machine, as leased and as the agent inside says, and gives the name it calls
    /// itself. Who does not answer is left out.
    async fn ask_guest(&mut self, handle: &Handle, domain: &mut Domain) -> Result<Option<String>, Fault> {
        if !self.settings.ask_guests {
            return Ok(None);
        }
        let addresses = |source| handle.write().u32(source).u32(0);
        if domain.has_network {
            let leased = self.try_to_ask(procedure::INTERFACE_ADDRESSES, addresses(LEASE), ANSWER_WITHIN).await?;
            self.add_addresses(&mut domain.nics, leased, IpHow::Assigned)?;
        }
        if !domain.has_agent {
            return Ok(None);
        }
        let reported = self.try_to_ask(procedure::INTERFACE_ADDRESSES, addresses(AGENT), AGENT_WITHIN).await?;
        if reported.is_none() {
            // One that hangs or may not be asked is not asked again.
            return Ok(None);
        }
        self.add_addresses(&mut domain.nics, reported, IpHow::Guest)?;
        let name = handle.write().u32(HOSTNAME_BY_AGENT);
        let Some(name) = self.try_to_ask(procedure::DOMAIN_HOSTNAME, name, AGENT_WITHIN).await? else {
            return Ok(None);
        };
        self.read(&name, Reader::text).map(Some)
    }

    fn add_addresses(&self, nics: &mut [Nic], answer: Option<Vec<u8>>, how: IpHow) -> Result<(), Fault> {
        let Some(answer) = answer else { return Ok(()) };
        for (mac, ip) in self.read(&answer, interface_addresses)? {
            let address = NicIp { ip, how };
            for nic in nics.iter_mut().filter(|nic| nic.mac == Some(mac) && !nic.ips.contains(&address)) {
                nic.ips.push(address);
            }
        }
        Ok(())
    }

    /// A call without which there is nothing to say.
    async fn ask(&mut self, procedure: i32, arguments: Writer) -> Result<Vec<u8>, Fault> {
        match self.wire.call(procedure, &arguments.done(), ANSWER_WITHIN).await {
            Ok(answer) => Ok(answer),
            Err(CallError::Refused(refusal)) => Err(self.refused(&refusal)),
            Err(CallError::Late) => Err(wire::silent(self.endpoint(), ANSWER_WITHIN)),
            Err(CallError::Lost(fault)) => Err(fault),
        }
    }

    /// A call about a domain; none when the domain is no longer there.
    async fn ask_of_domain(&mut self, procedure: i32, arguments: Writer) -> Result<Option<Vec<u8>>, Fault> {
        match self.wire.call(procedure, &arguments.done(), ANSWER_WITHIN).await {
            Err(CallError::Refused(refusal)) if refusal.code == NO_DOMAIN => Ok(None),
            Ok(answer) => Ok(Some(answer)),
            Err(CallError::Refused(refusal)) => Err(self.refused(&refusal)),
            Err(CallError::Late) => Err(wire::silent(self.endpoint(), ANSWER_WITHIN)),
            Err(CallError::Lost(fault)) => Err(fault),
        }
    }

    /// A call that may be refused or come to nothing.
    async fn try_to_ask(
        &mut self,
        procedure: i32,
        arguments: Writer,
        within: Duration,
    ) -> Result<Option<Vec<u8>>, Fault> {
        match self.wire.call(procedure, &arguments.done(), within).await {
            Ok(answer) => Ok(Some(answer)),
            Err(CallError::Refused(_) | CallError::Late) => Ok(None),
            Err(CallError::Lost(fault)) => Err(fault),
        }
    }

    fn read<'b, T>(
        &self,
        answer: &'b [u8],
        read: impl FnOnce(&mut Reader<'b>) -> Result<T, XdrError>,
    ) -> Result<T, Fault> {
        read(&mut Reader::new(answer)).map_err(|error| wire::unreadable(self.endpoint(), &error))
    }

    fn refused(&self, refusal: &Refusal) -> Fault {
        let kind = if NOT_ALLOWED.contains(&refusal.code) { FaultKind::Refused } else { FaultKind::Unreadable };
        let message = format!("{} says no (libvirt error {}): {}", self.endpoint(), refusal.code, refusal.message);
        Fault::new(kind, message)
    }

    fn endpoint(&self) -> &'a Endpoint {
        &self.settings.endpoint
    }
}

/// Of `remote_domain_interface_addresses_ret`, the addresses of interfaces that have a hardware address.
fn interface_addresses(reader: &mut Reader<'_>) -> Result<Vec<(Mac, IpAddr)>, XdrError> {
    let interfaces = reader.list(ADDRESSES_MAX, |reader| {
        // As the system inside, or the hypervisor, calls it.
        reader.text()?;
        let mac = reader.maybe(Reader::text)?;
        let addresses = reader.list(ADDRESSES_MAX, |reader| {
            reader.i32()?;
            let address = reader.text()?;
            reader.u32()?;
            Ok(address)
        })?;
        Ok((mac, addresses))
    })?;
    let mut found = Vec::new();
    for (mac, addresses) in interfaces {
        let Some(mac) = mac.and_then(|mac| mac.parse::<Mac>().ok()) else { continue };
        found.extend(addresses.iter().filter_map(|address| Some((mac, address.parse().ok()?))));
    }
    Ok(found)
}

/// `virDomainState`.
const fn power(state: i32) -> Power {
    match state {
        // Running, blocked on a resource, shutting down.
        1 | 2 | 4 => Power::On,
        // Paused, suspended by the system inside.
        3 | 7 => Power::Paused,
        // Shut off, crashed.
        5 | 6 => Power::Off,
        _ => Power::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn addresses_are_those_of_real_interfaces() {
        let address = |writer: Writer, text: &str| writer.i32(0).text(text).u32(24);
        let written = Writer::default().u32(3).text("lo").some_text("00:00:00:00:00:00").u32(1);
        let written = address(written, "127.0.0.1").text("eth0").some_text("52:54:00:12:34:56").u32(2);
        let written = address(address(written, "192.0.2.7"), "fe80::1").text("tun0").u32(0).u32(0);
        let mac: Mac = "52:54:00:12:34:56".parse().unwrap();
        let expected = vec![(mac, "192.0.2.7".parse().unwrap()), (mac, "fe80::1".parse().unwrap())];
        assert_eq!(interface_addresses(&mut Reader::new(&written.done())), Ok(expected));
    }

    #[test]
    fn a_handle_is_written_as_it_is_read() {
        let handle = Handle { name: "web".into(), uuid: [7; 16], id: -1 };
        assert_eq!(Handle::read(&mut Reader::new(&handle.write().done())), Ok(handle));
    }

    proptest! {
        #[test]
        fn any_answer_is_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..120)) {
            interface_addresses(&mut Reader::new(&bytes)).ok();
            Reader::new(&bytes).list(DOMAINS_MAX, Handle::read).ok();
        }
    }
}
