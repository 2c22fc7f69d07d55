//! What the rules ask about: the specification beside what there is, looked up once.

use crate::mirror::World;
use shared::{
    MirrorId,
    config::Collector,
    mirror::{
        Mirror, MirrorSource, MirrorSpec, MirrorState, Observed, PortKind, SourcePort, SwitchPort, SwitchView,
        Transport, tag_name,
    },
    net::Mac,
};
use std::{borrow::Cow, net::IpAddr};

/// Interfaces or VLANs of one mirror. Whoever needs more looks at a switch and not at machines.
pub(super) const SOURCES_MOST: usize = 64;

/// A mirror that is described, and what it is about.
pub(super) struct Case<'a> {
    pub(super) spec: &'a MirrorSpec,
    pub(super) world: &'a World,
    pub(super) view: Option<&'a SwitchView>,
    /// The interfaces that are exactly one machine's.
    pub(super) sources: Vec<Source<'a>>,
    /// Sessions besides this one: those of the switch, then ours on every switch.
    pub(super) others: Vec<Other<'a>>,
}

/// An interface that is to be a source.
pub(super) struct Source<'a> {
    /// Its field in the specification.
    pub(super) path: String,
    pub(super) of: &'a SourcePort,
    /// Its port on the switch of the mirror; none when the switch has no such port.
    pub(super) port: Option<&'a SwitchPort>,
}

/// A session besides this one, by what it holds.
pub(super) struct Other<'a> {
    pub(super) name: Cow<'a, str>,
    /// It is on the switch of the mirror: ports and source VLANs can be compared.
    pub(super) here: bool,
    pub(super) from_vm: Vec<&'a str>,
    pub(super) to_vm: Vec<&'a str>,
    pub(super) all_ports: bool,
    /// The ports where its copies come out.
    pub(super) ports: Vec<&'a str>,
    pub(super) output_vlan: Option<u16>,
    pub(super) tunnel: Option<(IpAddr, u32)>,
}

impl<'a> Case<'a> {
    pub(super) fn new(spec: &'a MirrorSpec, world: &'a World) -> Self {
        let view = world.switch.as_ref();
        let mut case = Self { spec, world, view, sources: Vec::new(), others: Vec::new() };
        case.sources = case.macs().filter_map(|(path, mac)| case.source(path, mac)).collect();
        case.others = case.all_others();
        case
    }

    /// The addresses that are to be sources, each with its field.
    pub(super) fn macs(&self) -> impl Iterator<Item = (String, Mac)> + use<'a> {
        let macs: &[Mac] = match &self.spec.source {
            MirrorSource::Nics { macs } => macs,
            MirrorSource::Vlans { .. } => &[],
        };
        macs.iter().take(SOURCES_MOST).enumerate().map(|(i, mac)| (format!("source.macs[{i}]"), *mac))
    }

    /// The VLANs that are to be sources.
    pub(super) fn source_vlans(&self) -> &'a [u16] {
        match &self.spec.source {
            MirrorSource::Nics { .. } => &[],
            MirrorSource::Vlans { vlans } => &vlans[..vlans.len().min(SOURCES_MOST)],
        }
    }

    /// The machines that have an address.
    pub(super) fn machines(&self, mac: Mac) -> &'a [SourcePort] {
        self.world.sources.iter().find(|(it, _)| *it == mac).map_or(&[], |(_, machines)| machines)
    }

    /// The switch that the mirror is on; that of the first source while none is named.
    pub(super) fn switch(&self) -> Option<&'a str> {
        let of_source = || self.macs().find_map(|(_, mac)| self.machines(mac).first()?.switch.as_deref());
        self.view.map(|view| view.switch.as_str()).or(self.spec.switch.as_deref()).or_else(of_source)
    }

    fn source(&self, path: String, mac: Mac) -> Option<Source<'a>> {
        let [of] = self.machines(mac) else { return None };
        let view = self.view.filter(|view| of.switch.as_deref() == Some(&view.switch));
        let port = view.and_then(|view| view.port(of.port.as_deref()?));
        Some(Source { path, of, port })
    }

    /// The port where the copies come out, when it is said.
    pub(super) fn destination(&self) -> Option<&'a str> {
        match &self.spec.transport {
            Transport::Span { port } | Transport::RspanDestination { port } if !port.is_empty() => Some(port),
            _ => None,
        }
    }

    /// That port, when the switch has it.
    pub(super) fn destination_port(&self) -> Option<&'a SwitchPort> {
        self.view?.port(self.destination()?)
    }

    /// The address the copies go to, when it is said.
    pub(super) fn remote(&self) -> Option<IpAddr> {
        match self.spec.transport {
            Transport::Erspan { remote, .. } => Some(remote.to_canonical()).filter(|it| !it.is_unspecified()),
            _ => None,
        }
    }

    /// The VLAN the copies go into, when it is said.
    pub(super) fn output_vlan(&self) -> Option<u16> {
        match self.spec.transport {
            Transport::RspanSource { vlan, .. } => Some(vlan).filter(|vlan| *vlan != 0),
            _ => None,
        }
    }

    /// The machines' ports that are copied, each with its field. VLANs are copied at the ports of machines in them: every
    /// port of a switch is never a source. What arrives in a VLAN of RSPAN comes over its wires, and no port is a source.
    pub(super) fn source_ports(&self) -> Vec<(&str, &'a SwitchPort)> {
        if let Some(view) = self.view
            && !matches!(self.spec.transport, Transport::RspanDestination { .. })
            && matches!(self.spec.source, MirrorSource::Vlans { .. })
        {
            let vlans = self.source_vlans();
            let copied =
                |port: &&SwitchPort| port.kind == PortKind::Vm && port.vlan.is_some_and(|vlan| vlans.contains(&vlan));
            return view.ports.iter().filter(copied).map(|port| ("source.vlans", port)).collect();
        }
        self.sources.iter().filter_map(|source| Some((source.path.as_str(), source.port?))).collect()
    }

    /// Where the copies may come out, as the configuration has it: of a VLAN there may be several.
    pub(super) fn collectors(&self) -> impl Iterator<Item = &'a Collector> {
        self.world.mode.collectors.iter().filter(|it| self.goes_to(it))
    }

    fn goes_to(&self, collector: &Collector) -> bool {
        let place = self.view.map(|view| (view.backend.as_str(), view.switch.as_str()));
        reaches(&self.spec.transport, place, collector)
    }

    /// Ours besides this one; what was read back as gone keeps its destination until that is proved.
    pub(super) fn mirrors(&self) -> impl Iterator<Item = &'a Mirror> {
        let except = self.world.except;
        let mirrors = self.world.mirrors.iter().map(AsRef::as_ref);
        mirrors.filter(move |mirror: &&Mirror| !mirror.is_over() && Some(mirror.id) != except)
    }

    /// Those of them that are in a switch, or will be.
    pub(super) fn running(&self) -> impl Iterator<Item = &'a Mirror> {
        self.mirrors().filter(|mirror| mirror.state != MirrorState::Stopped)
    }

    /// Sessions of the switch besides this one, whoever made them.
    pub(super) fn observed(&self) -> impl Iterator<Item = &'a Observed> {
        let except = self.world.except;
        let sessions = self.view.map_or(&[][..], |view| &view.sessions);
        sessions.iter().filter(move |session| except.is_none_or(|mirror| !self.is_ours(session, mirror)))
    }

    /// Whether a session carries out this mirror of ours.
    pub(super) fn is_ours(&self, session: &Observed, mirror: MirrorId) -> bool {
        session.tag.as_ref().is_some_and(|tag| tag.mirror == mirror && tag.instance == self.world.instance)
    }

    fn all_others(&self) -> Vec<Other<'a>> {
        let ours = self.mirrors().map(|mirror| {
            let name = tag_name(&self.world.instance, mirror.id);
            let here = self.view.is_some_and(|view| view.switch == mirror.plan.switch);
            of_mirror(mirror, name, here)
        });
        self.observed().map(of_session).chain(ours).collect()
    }
}

impl Other<'_> {
    /// Whether it copies what goes in or out of a port.
    pub(super) fn copies(&self, port: &str) -> bool {
        self.here && (self.all_ports || self.from_vm.contains(&port) || self.to_vm.contains(&port))
    }

    /// Whether it copies what a machine is sent.
    pub(super) fn copies_to(&self, port: &str) -> bool {
        self.here && (self.all_ports || self.to_vm.contains(&port))
    }

    /// Whether its copies come out of a port.
    pub(super) fn comes_out_of(&self, port: &str) -> bool {
        self.here && self.ports.contains(&port)
    }
}

fn of_session(session: &Observed) -> Other<'_> {
    let name = if session.name.is_empty() { &session.key } else { &session.name };
    Other {
        name: Cow::Borrowed(name),
        here: true,
        from_vm: session.from_vm.iter().map(String::as_str).collect(),
        to_vm: session.to_vm.iter().map(String::as_str).collect(),
        all_ports: session.all_ports,
        ports: session.ports.iter().map(String::as_str).collect(),
        output_vlan: session.output_vlan,
        tunnel: session.tunnel.as_ref().and_then(|end| Some((end.remote.to_canonical(), end.session?))),
    }
}

fn of_mirror(mirror: &Mirror, name: String, here: bool) -> Other<'_> {
    let Mirror { spec, plan, .. } = mirror;
    let sources = |wanted: bool| -> Vec<&str> {
        if wanted { plan.sources.iter().map(|(_, port)| port.as_str()).collect() } else { Vec::new() }
    };
    let mut other = Other {
        name: Cow::Owned(name),
        here,
        from_vm: sources(spec.direction.takes_from()),
        to_vm: sources(spec.direction.takes_to()),
        all_ports: false,
        ports: Vec::new(),
        output_vlan: None,
        tunnel: None,
    };
    match &spec.transport {
        Transport::Span { port } | Transport::RspanDestination { port } => other.ports.push(port),
        Transport::RspanSource { vlan, .. } => other.output_vlan = Some(*vlan),
        Transport::Erspan { remote, session, .. } => other.tunnel = Some((remote.to_canonical(), *session)),
        Transport::Legacy => {}
    }
    other
}

/// Whether copies that travel so come to a collector; `place` is the backend and the switch they begin on.
pub(super) fn reaches(transport: &Transport, place: Option<(&str, &str)>, collector: &Collector) -> bool {
    match transport {
        Transport::Span { port } | Transport::RspanDestination { port } => place.is_some_and(|(backend, switch)| {
            collector.port.as_ref() == Some(port)
                && collector.backend.as_ref().is_some_and(|it| it.as_str() == backend)
                && collector.switch.as_deref().is_none_or(|it| it == switch)
        }),
        Transport::RspanSource { vlan, .. } => collector.vlan == Some(*vlan),
        Transport::Erspan { remote, .. } => collector.ip.is_some_and(|ip| ip.to_canonical() == remote.to_canonical()),
        Transport::Legacy => false,
    }
}
