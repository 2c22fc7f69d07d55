//! The XML by which libvirt describes a domain (libvirt's `formatdomain`), as far as a machine's network and disks go.

use crate::inventory::uuid;
use quick_xml::{
    Reader, XmlVersion,
    events::{BytesStart, Event},
};
use shared::inventory::Nic;
use std::collections::BTreeSet;

/// Real ones have about ten.
const DEPTH_MAX: usize = 64;
/// Of interfaces, and of disks.
const DEVICES_MAX: usize = 4_096;
/// The channel that the agent inside talks through.
const AGENT: &str = "org.qemu.guest_agent.0";

/// What is read of a domain.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Domain {
    pub(super) name: String,
    pub(super) uuid: Option<String>,
    pub(super) nics: Vec<Nic>,
    /// Pools and folders its disks lie in.
    pub(super) datastores: BTreeSet<String>,
    /// An agent inside listens.
    pub(super) has_agent: bool,
    /// An interface is in a network of libvirt's own, which may have leased it an address.
    pub(super) has_network: bool,
}

/// Why a description cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum DomainXmlError {
    #[error("its XML is broken: {0}")]
    Broken(#[from] quick_xml::Error),
    #[error("it has an entity that is not known")]
    Entity,
    #[error("its elements are nested too deeply")]
    TooDeep,
    #[error("it has more than {DEVICES_MAX} devices of a kind")]
    TooMany,
    #[error("it is cut off")]
    CutOff,
}

/// Reads a domain's description. What is not known is passed over.
pub(super) fn read(xml: &str) -> Result<Domain, DomainXmlError> {
    let mut reader = Reader::from_str(xml);
    let mut drawing = Drawing::default();
    let mut path = Path::default();
    loop {
        match reader.read_event()? {
            Event::Start(element) => {
                path.enter(element.name().as_ref())?;
                drawing.element(path.as_str(), &element)?;
            }
            Event::Empty(element) => {
                path.enter(element.name().as_ref())?;
                drawing.element(path.as_str(), &element)?;
                path.leave();
            }
            Event::End(_) => path.leave(),
            Event::Text(text) => drawing.text(path.as_str(), &text),
            Event::CData(text) => drawing.text(path.as_str(), &text),
            Event::GeneralRef(entity) => {
                let character = entity.resolve_char_ref()?.map(String::from);
                let known = || quick_xml::escape::resolve_xml_entity(&entity).map(str::to_owned);
                drawing.text(path.as_str(), &character.or_else(known).ok_or(DomainXmlError::Entity)?);
            }
            Event::Eof if path.as_str().is_empty() => return Ok(drawing.done()),
            Event::Eof => return Err(DomainXmlError::CutOff),
            _ => {}
        }
    }
}

/// The names of the elements we are in, as `/domain/devices`.
#[derive(Default)]
struct Path {
    text: String,
    depth: usize,
}

impl Path {
    fn enter(&mut self, name: &str) -> Result<(), DomainXmlError> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(DomainXmlError::TooDeep);
        }
        self.text.push('/');
        self.text.push_str(name);
        Ok(())
    }

    fn leave(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        self.text.truncate(self.text.rfind('/').unwrap_or_default());
    }

    fn as_str(&self) -> &str {
        &self.text
    }
}

/// A domain as far as it has been read.
#[derive(Default)]
struct Drawing {
    domain: Domain,
    uuid: String,
    /// The interface's VLANs: several are a trunk, which has none of its own.
    vlans: Vec<u16>,
    /// Whether the disk at hand is one, and not a drive for what comes and goes.
    is_disk: bool,
}

impl Drawing {
    fn element(&mut self, path: &str, element: &BytesStart<'_>) -> Result<(), DomainXmlError> {
        let value = |name| attribute(element, name);
        match path {
            "/domain/devices/interface" => {
                self.finish_nic();
                if self.domain.nics.len() >= DEVICES_MAX {
                    return Err(DomainXmlError::TooMany);
                }
                self.domain.has_network |= value("type")?.as_deref() == Some("network");
                // A cable is in unless it says otherwise.
                self.domain.nics.push(Nic { connected: Some(true), ..Nic::default() });
            }
            "/domain/devices/interface/vlan/tag" => {
                let tag = value("id")?.and_then(|id| id.parse::<u16>().ok()).filter(|tag| (1..=4_094).contains(tag));
                self.vlans.extend(tag);
            }
            "/domain/devices/disk" => {
                self.is_disk = value("device")?.is_none_or(|device| device == "disk");
            }
            "/domain/devices/disk/source" if self.is_disk => {
                let place = match value("pool")? {
                    Some(pool) => Some(pool),
                    None => value("file")?.and_then(|file| folder(&file)),
                };
                if self.domain.datastores.len() >= DEVICES_MAX {
                    return Err(DomainXmlError::TooMany);
                }
                self.domain.datastores.extend(place);
            }
            "/domain/devices/channel/target" => {
                let is_agent = value("name")?.as_deref() == Some(AGENT);
                self.domain.has_agent |= is_agent && value("state")?.as_deref() == Some("connected");
            }
            _ => {
                let Some(part) = path.strip_prefix("/domain/devices/interface/") else { return Ok(()) };
                let Some(nic) = self.domain.nics.last_mut() else { return Ok(()) };
                interface_part(nic, part, element)?;
            }
        }
        Ok(())
    }

    fn text(&mut self, path: &str, text: &str) {
        match path {
            "/domain/name" => self.domain.name.push_str(text),
            "/domain/uuid" => self.uuid.push_str(text),
            _ => {}
        }
    }

    fn finish_nic(&mut self) {
        if let (Some(nic), [vlan]) = (self.domain.nics.last_mut(), self.vlans.as_slice()) {
            nic.vlan = Some(*vlan);
        }
        self.vlans.clear();
    }

    fn done(mut self) -> Domain {
        self.finish_nic();
        self.domain.uuid = uuid::usual(&self.uuid);
        self.domain
    }
}

/// What an element inside an interface says of it.
fn interface_part(nic: &mut Nic, part: &str, element: &BytesStart<'_>) -> Result<(), DomainXmlError> {
    let value = |name| attribute(element, name);
    match part {
        "mac" => nic.mac = value("address")?.and_then(|mac| mac.parse().ok()),
        "source" => {
            // A network names its bridge besides; a macvtap has the hypervisor's interface and no switch.
            let (network, bridge) = (value("network")?, value("bridge")?);
            let network = if network.is_some() { network } else { bridge.clone() };
            nic.network = if network.is_some() { network } else { value("dev")? };
            nic.switch = bridge;
        }
        "target" => nic.port = value("dev")?,
        "virtualport/parameters" => nic.iface_id = value("interfaceid")?,
        "alias" => nic.label = value("name")?.unwrap_or_default(),
        "link" => nic.connected = Some(value("state")?.as_deref() != Some("down")),
        _ => {}
    }
    Ok(())
}

/// The value of an attribute; none where it is missing or empty.
fn attribute(element: &BytesStart<'_>, name: &str) -> Result<Option<String>, DomainXmlError> {
    let mut attributes = element.attributes();
    // The daemon writes no name twice; if it does, the first counts.
    let found = attributes.with_checks(false).find_map(|attribute| match attribute {
        Ok(attribute) if attribute.key.as_ref() == name => Some(Ok(attribute)),
        Ok(_) => None,
        Err(error) => Some(Err(error)),
    });
    let Some(found) = found else { return Ok(None) };
    let found = found.map_err(quick_xml::Error::from)?;
    let value = found.normalized_value(XmlVersion::Implicit1_0)?;
    Ok(Some(value.into_owned()).filter(|value| !value.is_empty()))
}

/// The folder of a file.
fn folder(file: &str) -> Option<String> {
    let (folder, _) = file.rsplit_once('/')?;
    (!folder.is_empty()).then(|| folder.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const WEB: &str = r#"<?xml version="1.0"?>
<domain type='qemu' id='1' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <name>web &amp; &#x6d;ore</name>
  <uuid>6fa459ea-ee8a-3ca4-894e-db77e160355e</uuid>
  <metadata><x:name xmlns:x="urn:x">other</x:name><name>other</name></metadata>
  <devices>
    <disk type='file' device='disk'><source file='/srv/images/web.qcow2'/></disk>
    <disk type='volume' device='disk'><source pool='fast' volume='web'/></disk>
    <disk type='file' device='cdrom'><source file='/srv/iso/debian.iso'/></disk>
    <interface type='bridge'>
      <mac address='52:54:00:12:34:56'/>
      <source bridge='br0'/>
      <vlan><tag id='42'/></vlan>
      <virtualport type='openvswitch'><parameters interfaceid='ab12'/></virtualport>
      <target dev='vnet3'/>
      <link state='down'/>
      <alias name='net0'/>
    </interface>
    <interface type='network'>
      <mac address='52:54:00:12:34:57'/>
      <source network='default' portid='x' bridge='virbr0'/>
      <vlan trunk='yes'><tag id='1'/><tag id='2'/></vlan>
    </interface>
    <interface type='direct'><source dev='eth0' mode='bridge'/></interface>
    <channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0' state='connected'/></channel>
  </devices>
</domain>"#;

    #[test]
    fn a_domain_is_read() {
        let domain = read(WEB).unwrap();
        assert_eq!(domain.name, "web & more");
        assert_eq!(domain.uuid.as_deref(), Some("6fa459ea-ee8a-3ca4-894e-db77e160355e"));
        assert_eq!(domain.datastores.iter().collect::<Vec<_>>(), ["/srv/images", "fast"]);
        assert!(domain.has_agent && domain.has_network);
        let first = Nic {
            mac: "52:54:00:12:34:56".parse().ok(),
            label: "net0".into(),
            ips: Vec::new(),
            network: Some("br0".into()),
            vlan: Some(42),
            switch: Some("br0".into()),
            port: Some("vnet3".into()),
            iface_id: Some("ab12".into()),
            connected: Some(false),
        };
        let second = Nic {
            mac: "52:54:00:12:34:57".parse().ok(),
            network: Some("default".into()),
            switch: Some("virbr0".into()),
            connected: Some(true),
            ..Nic::default()
        };
        let third = Nic { network: Some("eth0".into()), connected: Some(true), ..Nic::default() };
        assert_eq!(domain.nics, [first, second, third]);
    }

    #[test]
    fn what_is_broken_is_refused() {
        let deep = "<a>".repeat(DEPTH_MAX + 1);
        let many = format!("<domain><devices>{}", "<interface/>".repeat(DEVICES_MAX + 1));
        let entity = "<!DOCTYPE a [<!ENTITY b 'c'>]><domain><name>&b;</name></domain>";
        for xml in ["<domain>", "<domain></name>", deep.as_str(), many.as_str(), entity] {
            assert!(read(xml).is_err(), "{xml:.40}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,200}") {
            read(&text).ok();
        }

        #[test]
        fn a_description_with_anything_in_it_is_read_or_refused(at in 0..WEB.len(), length in 0..30_usize, text in ".{0,9}") {
            let end = (at + length).min(WEB.len());
            prop_assume!(WEB.is_char_boundary(at) && WEB.is_char_boundary(end));
            read(&format!("{}{text}{}", &WEB[..at], &WEB[end..])).ok();
        }
    }
}
