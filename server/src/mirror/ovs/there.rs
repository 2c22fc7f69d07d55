//! What a bridge has of a mirror, compared with what it is to have.

use super::{
    tables::{Bridge, Interface, Mirror, Port},
    tag,
    wanted::{Output, OwnPort, Wanted},
};
use shared::mirror::{MirrorTag, Presence};
use std::collections::BTreeSet;

/// Everything of one mirror that is on a bridge.
#[derive(Clone, Copy, Debug)]
pub(super) struct There<'a> {
    bridge: &'a Bridge,
    pub(super) mirror: Option<&'a Mirror>,
    pub(super) port: Option<&'a Port>,
}

impl<'a> There<'a> {
    pub(super) fn find(bridge: &'a Bridge, wanted: &MirrorTag) -> Self {
        let is_of = |ids| tag::read(ids).is_some_and(|it| tag::is_of(&it, wanted));
        Self {
            bridge,
            mirror: bridge.mirrors.iter().find(|mirror| is_of(&mirror.ids)),
            port: bridge.ports.iter().find(|port| is_of(&port.ids)),
        }
    }

    /// How that compares with what is wanted.
    pub(super) fn presence(&self, wanted: &Wanted) -> Presence {
        let Some(mirror) = self.mirror else {
            return match self.port {
                Some(port) => Presence::Changed(format!("its Mirror is gone, and its Port {} is not", port.name)),
                None => Presence::Absent,
            };
        };
        if let Some(what) = self.changed(mirror, wanted) {
            return Presence::Changed(what);
        }
        let missing = |wanted: &BTreeSet<String>, there: &BTreeSet<String>| {
            let there = self.bridge.names(there);
            wanted.iter().any(|name| !there.contains(name.as_str()))
        };
        // A port that was plugged out takes its place in the selection along, and does not bring it back.
        let is_disarmed = if wanted.any_port {
            mirror.from.is_empty() && mirror.to.is_empty()
        } else {
            missing(&wanted.from, &mirror.from) || missing(&wanted.to, &mirror.to)
        };
        if is_disarmed { Presence::SourceGone } else { Presence::AsPlanned }
    }

    fn changed(&self, mirror: &Mirror, wanted: &Wanted) -> Option<String> {
        let differs = |what: &str, is: String, should: String| {
            (is != should).then(|| format!("its {what} is {is} and should be {should}"))
        };
        let added = |what: &str, wanted: &BTreeSet<String>, there: &BTreeSet<String>| {
            let there = self.bridge.names(there);
            let more = there.into_iter().find(|name| !wanted.contains(*name));
            more.map(|name| format!("its {what} has {name} besides"))
        };
        if mirror.all {
            return Some("it copies every port".to_owned());
        }
        let ports = || {
            added("select_src_port", &wanted.from, &mirror.from)
                .or_else(|| added("select_dst_port", &wanted.to, &mirror.to))
        };
        let output_vlan = match wanted.output {
            Output::Vlan(vlan) => Some(vlan),
            Output::Port(_) | Output::Tunnel => None,
        };
        (!wanted.any_port)
            .then(ports)
            .flatten()
            .or_else(|| differs("select_vlan", format!("{:?}", mirror.vlans), format!("{:?}", wanted.vlans)))
            .or_else(|| differs("snaplen", shown(mirror.snap), shown(wanted.snap)))
            .or_else(|| differs("output_vlan", shown(mirror.output_vlan), shown(output_vlan)))
            .or_else(|| self.flood(output_vlan))
            .or_else(|| wanted.own.as_ref().and_then(|own| self.own_port(own)))
            .or_else(|| differs("output_port", self.output(mirror), self.output_wanted(wanted)))
    }

    fn flood(&self, vlan: Option<u16>) -> Option<String> {
        let vlan = vlan.filter(|vlan| !self.bridge.flood_vlans.contains(vlan))?;
        Some(format!("the bridge learns addresses of copies in VLAN {vlan}, as its flood_vlans lacks it"))
    }

    fn output(&self, mirror: &Mirror) -> String {
        let name = |id: &String| self.bridge.port_of_id(id).map(|port| port.name.clone());
        shown(mirror.output_port.as_ref().and_then(name))
    }

    fn output_wanted(&self, wanted: &Wanted) -> String {
        match (&wanted.output, &wanted.own) {
            (Output::Port(port), _) => port.clone(),
            (Output::Tunnel, Some(own)) => own.name.clone(),
            (Output::Tunnel, None) | (Output::Vlan(_), _) => shown::<String>(None),
        }
    }

    fn own_port(&self, own: &OwnPort) -> Option<String> {
        let Some(port) = self.port else { return Some(format!("its Port {} is gone", own.name)) };
        let [interface] = port.interfaces.as_slice() else {
            return Some(format!("its Port {} has not one Interface", port.name));
        };
        let is_same = port.name == own.name && interface.kind == own.kind && interface.options == own.options;
        (!is_same).then(|| format!("its Interface is not as it was made: {} {:?}", interface.kind, interface.options))
    }

    /// Why the switch does not carry it out though its database has it.
    pub(super) fn trouble(&self, wanted: &Wanted) -> Option<String> {
        let interface: &Interface = self.port?.interfaces.first()?;
        if wanted.output != Output::Tunnel {
            // The other port leads nowhere, which is what it is for, and an error.
            return None;
        }
        // Where the switch says which way the tunnel takes.
        let leaves = interface.status.get("tunnel_egress_iface");
        let is_here = |name: &String| self.bridge.ports.iter().flat_map(|it| &it.interfaces).any(|it| it.name == *name);
        if let Some(name) = leaves.filter(|name| is_here(name)) {
            return Some(format!("its tunnel leaves through {name} of the same bridge, so its copies could be copied"));
        }
        match (interface.error.as_str(), interface.ofport) {
            ("", Some(-1)) => Some(format!("ovs-vswitchd could not plug in {}; its log says why", interface.name)),
            ("", _) => None,
            (error, _) => Some(format!("ovs-vswitchd says of {}: {error}", interface.name)),
        }
    }
}

fn shown<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(|| "none".to_owned(), |value| value.to_string())
}
