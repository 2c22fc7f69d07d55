//! Distributed switches as their vCenter tells them: what they can do, the sessions they have, and who is at their ports.

use super::{
    door::Within,
    planned::{Place, SNAP_LEAST, SNAP_MOST},
    session::Session,
};
use crate::{
    clock,
    inventory::{
        Fault, FaultKind,
        vsphere::{
            machine::unescaped,
            places::vlan_of,
            soap::{Object, PATIENCE, Trouble},
            view,
            xml::{Element, Written},
        },
    },
};
use shared::{
    BackendId,
    mirror::{BackendKind, Capabilities, PortKind, SwitchPort, SwitchView},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// One answer holds all ports of a switch, of which there may be tens of thousands.
const PORTS_PATIENCE: Duration = PATIENCE.saturating_mul(5);
/// A distributed switch has at most 60,000.
const PORTS_MAX: usize = 100_000;
/// Hypervisors, port groups and switches of one vCenter.
const PLACES_MAX: usize = 50_000;
/// Which a vCenter has at most 64 of to a switch, and few people one of.
const SESSIONS_MAX: usize = 10_000;

const SWITCH: (&str, &[&str]) = ("DistributedVirtualSwitch", &["name", "uuid", "config", "capability"]);
const GROUP: (&str, &[&str]) =
    ("DistributedVirtualPortgroup", &["name", "key", "config.type", "config.defaultPortConfig"]);
const HYPERVISOR: (&str, &[&str]) = ("HostSystem", &["name"]);

/// A distributed switch.
pub(super) struct Switch {
    pub(super) object: Object,
    /// As the inventory names it.
    pub(super) uuid: String,
    pub(super) name: String,
    version: String,
    /// Its `configVersion`.
    pub(super) revision: String,
    can: Capabilities,
    pub(super) sessions: Vec<Session>,
    mtu: Option<u32>,
    /// The groups that its uplinks are in.
    uplinks: BTreeSet<String>,
}

/// What ports refer to.
#[derive(Default)]
pub(super) struct Places {
    groups: BTreeMap<String, Group>,
    hypervisors: BTreeMap<String, String>,
}

struct Group {
    name: String,
    ephemeral: bool,
    vlan: Option<u16>,
    promiscuous: Option<bool>,
}

/// All switches, and what their ports refer to.
pub(super) async fn everything(within: &Within) -> Result<(Vec<Switch>, Places), Trouble> {
    let wanted = view::spec(&within.view, &[HYPERVISOR, GROUP, SWITCH]);
    let (mut switches, mut places) = (Vec::new(), Places::default());
    view::each(&within.soap, &within.content, &wanted, PLACES_MAX, |object| {
        switches.extend(Switch::of(object, within));
        places.take(object);
    })
    .await?;
    Ok((switches, places))
}

/// All switches with their sessions, and nothing of their ports.
pub(super) async fn switches(within: &Within) -> Result<Vec<Switch>, Trouble> {
    let wanted = view::spec(&within.view, &[SWITCH]);
    let mut switches = Vec::new();
    let each = view::each(&within.soap, &within.content, &wanted, PLACES_MAX, |object| {
        switches.extend(Switch::of(object, within));
    });
    each.await?;
    Ok(switches)
}

/// Which switch is meant, among all.
pub(super) fn pick(switches: Vec<Switch>, uuid: &str) -> Result<Switch, Trouble> {
    let names = switches.iter().map(|switch| format!("{} ({})", switch.name, switch.uuid)).collect::<Vec<_>>();
    switches.into_iter().find(|switch| switch.uuid == uuid).ok_or_else(|| {
        let message = format!(
            "the vCenter shows our account no distributed switch {uuid}, but {}; give it Read-only on the switch, or mend \
             the mirror's switch",
            if names.is_empty() { "none at all".to_owned() } else { names.join(", ") }
        );
        Fault::new(FaultKind::Refused, message).into()
    })
}

impl Switch {
    /// None for other objects, and for a switch whose configuration is kept from our account.
    fn of(object: &Element, within: &Within) -> Option<Self> {
        // `VmwareDistributedVirtualSwitch` on a real one.
        let own = object.child("obj").map(Object::of).filter(|own| own.kind.ends_with("DistributedVirtualSwitch"))?;
        let text = |name: &str| view::value(object, name).map(|value| value.text.clone()).unwrap_or_default();
        let (uuid, name) = (text("uuid"), unescaped(&text("name")));
        let config = view::value(object, "config");
        let revision = config.and_then(|config| config.text_at("configVersion"));
        let (Some(config), Some(revision)) = (config, revision) else {
            tracing::warn!(switch = name, "a distributed switch's configuration is kept from our account");
            return None;
        };
        let product = config.text_at("productInfo.version").unwrap_or_default();
        let spoken = within.soap.spoken();
        Some(Self {
            object: own,
            uuid,
            name,
            version: if product.is_empty() { spoken.to_owned() } else { product.to_owned() },
            revision: revision.to_owned(),
            can: can(view::value(object, "capability"), |version| within.soap.speaks(version)),
            sessions: config.all("vspanSession").take(SESSIONS_MAX).map(Session::of).collect(),
            mtu: config.text_at("maxMtu").and_then(|text| text.parse().ok()).filter(|mtu| *mtu > 0),
            uplinks: config.all("uplinkPortgroup").map(|group| group.text.clone()).collect(),
        })
    }

    /// Sessions of this mirror.
    pub(super) fn ours(&self, tag: &shared::mirror::MirrorTag) -> Vec<&Session> {
        let is_ours = |session: &&Session| {
            session.tag().is_some_and(|found| found.mirror == tag.mirror && found.instance == tag.instance)
        };
        self.sessions.iter().filter(is_ours).collect()
    }

    /// What it is and can do.
    pub(super) fn place(&self) -> Place<'_> {
        Place { name: &self.name, version: &self.version, can: &self.can }
    }

    /// As its driver shows it.
    pub(super) fn view(&self, backend: &BackendId, ports: Vec<SwitchPort>, sessions_most: u32) -> SwitchView {
        SwitchView {
            backend: backend.clone(),
            kind: BackendKind::Vsphere,
            switch: self.uuid.clone(),
            name: self.name.clone(),
            version: self.version.clone(),
            seen_at: clock::now(),
            revision: self.revision.clone(),
            can: Capabilities { sessions_most, ..self.can },
            ports,
            sessions: self.sessions.iter().map(Session::observed).collect(),
            routes: BTreeMap::new(),
            clock_drift_ms: None,
        }
    }

    /// Its ports that something is plugged into.
    pub(super) async fn ports(&self, within: &Within, places: &Places) -> Result<Vec<SwitchPort>, Trouble> {
        let mut found = Vec::new();
        let criteria = Written::default().text("connected", "true");
        self.fetch(within, &criteria, |element| found.extend(self.port(element, places))).await?;
        let names = within.names(found.iter().filter_map(|(_, vm)| vm.as_deref())).await?;
        let named = found.into_iter().map(|(mut port, vm)| {
            port.vm = vm.and_then(|id| names.get(&id).cloned());
            port
        });
        Ok(named.collect())
    }

    /// Calls `take` with each port that there is of what is asked for.
    pub(super) async fn fetch(
        &self,
        within: &Within,
        criteria: &Written,
        mut take: impl FnMut(&Element),
    ) -> Result<(), Trouble> {
        let arguments = Written::default().inside("criteria", criteria);
        let mut reply = within.soap.call("FetchDVPorts", &self.object, &arguments, PORTS_PATIENCE).await?;
        let mut read = 0_usize;
        while let Some(element) = reply.next(&["returnval"]).await? {
            take(&element);
            read += 1;
            if read > PORTS_MAX {
                let message = format!("the switch `{}` has more than {PORTS_MAX} ports", self.name);
                return Err(Fault::new(FaultKind::Unreadable, message).into());
            }
        }
        Ok(())
    }

    /// A `DistributedVirtualPort`, and the id of the VM behind it.
    fn port(&self, element: &Element, places: &Places) -> Option<(SwitchPort, Option<String>)> {
        let key = element.text_at("key")?.to_owned();
        let entity = element.at("connectee.connectedEntity");
        let vm = entity.filter(|entity| entity.of == "VirtualMachine").map(|entity| entity.text.clone());
        let group_key = element.text_at("portgroupKey").unwrap_or_default();
        let group = places.groups.get(group_key);
        let kind = match element.text_at("connectee.type") {
            _ if vm.is_some() => PortKind::Vm,
            Some("pnic") => PortKind::Uplink,
            _ if self.uplinks.contains(group_key) => PortKind::Uplink,
            Some("hostVmkVnic" | "hostConsoleVnic") => PortKind::Host,
            _ => PortKind::Unknown,
        };
        let setting = element.at("config.setting");
        let port = SwitchPort {
            key,
            name: element.text_at("config.name").map(str::to_owned),
            kind,
            mac: element.text_at("state.runtimeInfo.macAddress").and_then(|mac| mac.parse().ok()),
            group: group.map(|group| group.name.clone()),
            ephemeral: group.is_some_and(|group| group.ephemeral),
            promiscuous: setting.and_then(promiscuous).or_else(|| group?.promiscuous),
            hypervisor: element.text_at("proxyHost").and_then(|id| places.hypervisors.get(id).cloned()),
            vlan: setting.and_then(vlan_of).or_else(|| group?.vlan),
            mtu: self.mtu,
            ..SwitchPort::default()
        };
        Some((port, vm))
    }
}

impl Places {
    fn take(&mut self, object: &Element) {
        let Some(own) = object.child("obj").map(Object::of) else { return };
        let text = |name: &str| view::value(object, name).map(|value| value.text.clone()).unwrap_or_default();
        match own.kind.as_str() {
            "HostSystem" => drop(self.hypervisors.insert(own.id, unescaped(&text("name")))),
            "DistributedVirtualPortgroup" => {
                let setting = view::value(object, "config.defaultPortConfig");
                let group = Group {
                    name: unescaped(&text("name")),
                    ephemeral: text("config.type") == "ephemeral",
                    vlan: setting.and_then(vlan_of),
                    promiscuous: setting.and_then(promiscuous),
                };
                self.groups.insert(text("key"), group);
            }
            _ => {}
        }
    }
}

/// Whether a port may see what is not for it: by the setting of 6.7 or the older one, whichever allows it.
fn promiscuous(setting: &Element) -> Option<bool> {
    let new = setting.truth_at("macManagementPolicy.allowPromiscuous");
    let old = setting.truth_at("securityPolicy.allowPromiscuous.value");
    match (new, old) {
        (Some(new), Some(old)) => Some(new || old),
        (new, old) => new.or(old),
    }
}

/// What a `DVSCapability` says; what it does not say is not possible, nor what our version of the interface lacks.
fn can(capability: Option<&Element>, speaks: impl Fn((u32, u32)) -> bool) -> Capabilities {
    let features = capability.and_then(|capability| capability.at("featuresSupported.vspanCapability"));
    let says = |name: &str| features.and_then(|features| features.truth_at(name)) == Some(true);
    let encapsulated = says("encapRemoteSourceSupported");
    let erspan = encapsulated && says("erspanProtocolSupported") && speaks((6, 5));
    let remote_destination = says("remoteDestSupported");
    let any = says("dvportSupported") || says("remoteSourceSupported") || remote_destination || encapsulated;
    Capabilities {
        span: says("dvportSupported"),
        rspan_source: says("remoteSourceSupported"),
        rspan_destination: remote_destination,
        gre: encapsulated,
        erspan2: erspan,
        erspan3: erspan,
        vlan_source: remote_destination,
        vlan_filter: false,
        snap: any,
        sampling: any,
        netstack: encapsulated && says("mirrorNetstackSupported") && speaks((6, 7)),
        revalidates: true,
        follows: true,
        same_hypervisor: true,
        snap_least: SNAP_LEAST,
        snap_most: SNAP_MOST,
        sessions_most: 0,
    }
}

/// How far the vCenter's clock is from ours, in ms; its answer's way here counts for half.
pub(super) async fn drift_ms(within: &Within) -> Result<Option<i64>, Trouble> {
    let service = Object { kind: "ServiceInstance".into(), id: "ServiceInstance".into() };
    let asked = clock::now().ms();
    let reply = within.soap.call("CurrentTime", &service, &Written::default(), PATIENCE).await?;
    let told = reply.only("returnval").await?;
    let theirs = told.text.parse::<jiff::Timestamp>().ok();
    let ours = asked.midpoint(clock::now().ms());
    Ok(theirs.map(|theirs| theirs.as_millisecond() - ours))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaf(name: &str, text: &str) -> Element {
        Element { name: name.into(), text: text.into(), ..Element::default() }
    }

    fn node(name: &str, children: Vec<Element>) -> Element {
        Element { name: name.into(), children, ..Element::default() }
    }

    fn capability(said: &[(&str, &str)]) -> Element {
        let said = said.iter().map(|(name, text)| leaf(name, text)).collect();
        node("val", vec![node("featuresSupported", vec![node("vspanCapability", said)])])
    }

    const ALL: [(&str, &str); 6] = [
        ("dvportSupported", "true"),
        ("remoteSourceSupported", "true"),
        ("remoteDestSupported", "true"),
        ("encapRemoteSourceSupported", "true"),
        ("erspanProtocolSupported", "true"),
        ("mirrorNetstackSupported", "true"),
    ];

    #[test]
    fn what_is_not_said_is_not_possible() {
        for capability in
            [None, Some(node("val", vec![])), Some(capability(&[])), Some(capability(&[("dvportSupported", "maybe")]))]
        {
            let can = can(capability.as_ref(), |_| true);
            assert!(
                !can.span && !can.rspan_source && !can.rspan_destination && !can.gre && !can.erspan2 && !can.erspan3
            );
            assert!(!can.snap && !can.sampling && !can.netstack && !can.vlan_source && !can.vlan_filter);
        }
        let without = |left_out: &str| {
            let said: Vec<_> = ALL.into_iter().filter(|(name, _)| *name != left_out).collect();
            can(Some(&capability(&said)), |_| true)
        };
        let all = without("nothing");
        assert!(all.span && all.rspan_source && all.rspan_destination && all.gre && all.erspan2 && all.erspan3);
        assert!(all.netstack && all.snap && all.sampling);
        assert!(!without("dvportSupported").span && !without("remoteSourceSupported").rspan_source);
        assert!(!without("remoteDestSupported").rspan_destination);
        let plain = without("erspanProtocolSupported");
        assert!(plain.gre && !plain.erspan2 && !plain.erspan3);
        let none = without("encapRemoteSourceSupported");
        assert!(!none.gre && !none.erspan2 && !none.netstack && none.span);
        assert!(!without("mirrorNetstackSupported").netstack);
    }

    #[test]
    fn what_our_version_of_the_interface_lacks_is_not_possible() {
        let at = |spoken: (u32, u32)| can(Some(&capability(&ALL)), |version| spoken >= version);
        let fields = |can: Capabilities| (can.gre, can.erspan2, can.erspan3, can.netstack);
        assert_eq!(fields(at((6, 0))), (true, false, false, false));
        assert_eq!(fields(at((6, 5))), (true, true, true, false));
        assert_eq!(fields(at((6, 7))), (true, true, true, true));
    }

    #[test]
    fn either_setting_makes_a_port_promiscuous() {
        let new = |value: &str| node("macManagementPolicy", vec![leaf("allowPromiscuous", value)]);
        let old = |value: &str| node("securityPolicy", vec![node("allowPromiscuous", vec![leaf("value", value)])]);
        let of = |settings: Vec<Element>| promiscuous(&node("setting", settings));
        assert_eq!(of(vec![]), None);
        assert_eq!((of(vec![new("true")]), of(vec![old("true")])), (Some(true), Some(true)));
        assert_eq!((of(vec![new("false")]), of(vec![old("false")])), (Some(false), Some(false)));
        assert_eq!(
            (of(vec![new("false"), old("true")]), of(vec![new("true"), old("false")])),
            (Some(true), Some(true))
        );
    }
}
