//! A `VMwareVspanSession` with every field it has, as it is sent and as it is read back.

use crate::inventory::vsphere::xml::{Element, Written};
use shared::mirror::{MirrorTag, Observed, TunnelEnd};
use std::net::IpAddr;

/// A session of a distributed switch. Numbers stay the texts they are, so that nothing is lost of what is not understood;
/// what is empty is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Session {
    /// Given by the vCenter; empty before.
    pub(super) key: String,
    pub(super) name: String,
    pub(super) description: String,
    pub(super) enabled: bool,
    /// Ports whose machines are sent what is copied.
    pub(super) transmitted: Ends,
    /// Ports whose machines send what is copied.
    pub(super) received: Ends,
    pub(super) destination: Ends,
    pub(super) encapsulation_vlan: String,
    pub(super) strip_vlan: bool,
    /// Bytes of each packet that are copied, from 60 on.
    pub(super) packet_bytes: String,
    /// The destination ports go on taking part in their networks.
    pub(super) normal_traffic: bool,
    /// `sessionType`, since 5.1.
    pub(super) kind: String,
    /// One packet of so many, since 5.1.
    pub(super) sampling: String,
    /// `gre`, `erspan2` or `erspan3`, since 6.5 as the three below.
    pub(super) encapsulation: String,
    pub(super) erspan_id: String,
    pub(super) erspan_cos: String,
    pub(super) nanoseconds: Option<bool>,
    /// Since 6.7.
    pub(super) netstack: String,
}

/// A `VMwareVspanPort`: one end of a session, of any kinds at once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Ends {
    pub(super) ports: Vec<String>,
    pub(super) uplinks: Vec<String>,
    /// Everything that is plugged in by this kind of thing.
    pub(super) wildcards: Vec<String>,
    pub(super) vlans: Vec<String>,
    pub(super) addresses: Vec<String>,
}

impl Ends {
    fn of(element: Option<&Element>) -> Self {
        let all = |name: &str| {
            let texts = element.into_iter().flat_map(|element| element.all(name)).map(|it| it.text.clone());
            texts.filter(|text| !text.is_empty()).collect()
        };
        Self {
            ports: all("portKey"),
            uplinks: all("uplinkPortName"),
            wildcards: all("wildcardPortConnecteeType"),
            vlans: all("vlans"),
            addresses: all("ipAddress"),
        }
    }

    fn parts(&self) -> [(&'static str, &Vec<String>); 5] {
        [
            ("portKey", &self.ports),
            ("uplinkPortName", &self.uplinks),
            ("wildcardPortConnecteeType", &self.wildcards),
            ("vlans", &self.vlans),
            ("ipAddress", &self.addresses),
        ]
    }

    fn is_empty(&self) -> bool {
        self.parts().iter().all(|(_, texts)| texts.is_empty())
    }

    fn written(&self) -> Written {
        self.parts()
            .into_iter()
            .fold(Written::default(), |all, (name, texts)| all.texts(name, texts.iter().map(String::as_str)))
    }
}

impl Session {
    /// Reads any element as a session; what it lacks is absent.
    pub(super) fn of(element: &Element) -> Self {
        let text = |name: &str| element.text_at(name).unwrap_or_default().to_owned();
        let truth = |name: &str| element.truth_at(name).unwrap_or_default();
        Self {
            key: text("key"),
            name: text("name"),
            description: text("description"),
            enabled: truth("enabled"),
            transmitted: Ends::of(element.child("sourcePortTransmitted")),
            received: Ends::of(element.child("sourcePortReceived")),
            destination: Ends::of(element.child("destinationPort")),
            encapsulation_vlan: text("encapsulationVlanId"),
            strip_vlan: truth("stripOriginalVlan"),
            packet_bytes: text("mirroredPacketLength"),
            normal_traffic: truth("normalTrafficAllowed"),
            kind: text("sessionType"),
            sampling: text("samplingRate"),
            encapsulation: text("encapType"),
            erspan_id: text("erspanId"),
            erspan_cos: text("erspanCOS"),
            nanoseconds: element.truth_at("erspanGraNanosec"),
            netstack: text("netstack"),
        }
    }

    /// Its elements in the order of the schema, which a vCenter minds. Three are mandatory there and always written.
    pub(super) fn written(&self) -> Written {
        let truth = |value: bool| if value { "true" } else { "false" };
        let text = |all: Written, name: &str, text: &str| if text.is_empty() { all } else { all.text(name, text) };
        let ends = |all: Written, name: &str, ends: &Ends| {
            if ends.is_empty() { all } else { all.inside(name, &ends.written()) }
        };
        let all = text(Written::default(), "key", &self.key);
        let all = text(all, "name", &self.name);
        let all = text(all, "description", &self.description).text("enabled", truth(self.enabled));
        let all = ends(all, "sourcePortTransmitted", &self.transmitted);
        let all = ends(all, "sourcePortReceived", &self.received);
        let all = ends(all, "destinationPort", &self.destination);
        let all = text(all, "encapsulationVlanId", &self.encapsulation_vlan);
        let all = all.text("stripOriginalVlan", truth(self.strip_vlan));
        let all = text(all, "mirroredPacketLength", &self.packet_bytes);
        let all = all.text("normalTrafficAllowed", truth(self.normal_traffic));
        let all = text(all, "sessionType", &self.kind);
        let all = text(all, "samplingRate", &self.sampling);
        let all = text(all, "encapType", &self.encapsulation);
        let all = text(all, "erspanId", &self.erspan_id);
        let all = text(all, "erspanCOS", &self.erspan_cos);
        let all = match self.nanoseconds {
            Some(nanoseconds) => all.text("erspanGraNanosec", truth(nanoseconds)),
            None => all,
        };
        text(all, "netstack", &self.netstack)
    }

    /// What it says of itself if it is a Tocsin's: its description is a tag, and its name is that tag's.
    pub(super) fn tag(&self) -> Option<MirrorTag> {
        MirrorTag::parse(&self.description).filter(|tag| tag.name() == self.name)
    }

    /// What is different from it in what was read back, in the vendor's words; empty when nothing is. The key does not
    /// count, nor the order of ports. A field that was left out may be answered with what leaving it out means.
    pub(super) fn differences(&self, found: &Self) -> Vec<String> {
        let theirs = found.fields();
        let both = self.fields().into_iter().zip(theirs);
        let differing = both.filter(|((.., ours), (.., theirs))| ours != theirs);
        let told = |text: String| if text.is_empty() { "nothing".to_owned() } else { format!("`{text}`") };
        differing.map(|((name, ours), (_, theirs))| format!("{name}: {}, was {}", told(theirs), told(ours))).collect()
    }

    /// All fields but the key with what their absence means.
    fn fields(&self) -> Vec<(String, String)> {
        let mut fields = self.said();
        for (name, text) in &mut fields {
            let meaning = match (name.as_str(), text.as_str()) {
                // 0 is no VLAN and no length: neither can be asked for.
                ("encapsulationVlanId" | "mirroredPacketLength", "0") => "",
                ("sessionType", "") => LEGACY,
                ("samplingRate", "" | "0") => "1",
                ("encapType", "") => GRE,
                ("erspanId" | "erspanCOS", "") => "0",
                ("erspanGraNanosec", "") => "false",
                _ => continue,
            };
            meaning.clone_into(text);
        }
        fields
    }

    /// All fields but the key as texts, in the order of the schema; what is absent is empty.
    pub(super) fn said(&self) -> Vec<(String, String)> {
        let ends = |name: &'static str, ends: &Ends| {
            ends.parts().map(|(part, texts)| {
                let mut texts = texts.clone();
                texts.sort_unstable();
                (format!("{name}.{part}"), texts.join(", "))
            })
        };
        let nanoseconds = self.nanoseconds.map(|value| value.to_string()).unwrap_or_default();
        let field = |name: &str, text: &str| (name.to_owned(), text.to_owned());
        let mut said = vec![
            field("name", &self.name),
            field("description", &self.description),
            field("enabled", &self.enabled.to_string()),
        ];
        said.extend(ends("sourcePortTransmitted", &self.transmitted));
        said.extend(ends("sourcePortReceived", &self.received));
        said.extend(ends("destinationPort", &self.destination));
        said.extend([
            field("encapsulationVlanId", &self.encapsulation_vlan),
            field("stripOriginalVlan", &self.strip_vlan.to_string()),
            field("mirroredPacketLength", &self.packet_bytes),
            field("normalTrafficAllowed", &self.normal_traffic.to_string()),
            field("sessionType", &self.kind),
            field("samplingRate", &self.sampling),
            field("encapType", &self.encapsulation),
            field("erspanId", &self.erspan_id),
            field("erspanCOS", &self.erspan_cos),
            field("erspanGraNanosec", &nanoseconds),
            field("netstack", &self.netstack),
        ]);
        said
    }

    /// As everybody is shown it, whoever made it.
    pub(super) fn observed(&self) -> Observed {
        let destination = &self.destination;
        let mut addresses = destination.addresses.iter();
        let first = addresses.next().and_then(|text| text.parse::<IpAddr>().ok());
        let session = (!self.encapsulation.is_empty() && self.encapsulation != GRE)
            .then(|| self.erspan_id.parse().unwrap_or_default());
        // Ports, uplinks, and the addresses for which there is no room beside the first.
        let others = if first.is_some() { addresses } else { destination.addresses.iter() };
        let ports = destination.ports.iter().chain(&destination.uplinks).chain(others);
        let vlans = self.received.vlans.iter().chain(&self.transmitted.vlans);
        let of = |ends: &Ends| ends.ports.iter().chain(&ends.uplinks).cloned().collect();
        Observed {
            key: self.key.clone(),
            name: self.name.clone(),
            tag: self.tag(),
            kind: if self.kind.is_empty() { LEGACY.to_owned() } else { self.kind.clone() },
            from_vm: of(&self.received),
            to_vm: of(&self.transmitted),
            all_ports: !self.received.wildcards.is_empty() || !self.transmitted.wildcards.is_empty(),
            vlans: vlans.filter_map(|vlan| vlan.parse().ok()).collect(),
            ports: ports.cloned().collect(),
            output_vlan: self.encapsulation_vlan.parse().ok().filter(|vlan| *vlan != 0),
            tunnel: first.map(|remote| TunnelEnd { remote, session }),
            enabled: self.enabled,
            counters: None,
            fault: None,
        }
    }
}

/// What a session without a type is: ports and uplinks mixed, as before 5.1.
pub(super) const LEGACY: &str = "mixedDestMirror";
/// What an encapsulated session without a named encapsulation is sent in.
pub(super) const GRE: &str = "gre";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::vsphere::xml::Elements;
    use proptest::prelude::*;

    fn read(xml: &str) -> Option<Element> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(Elements::new(xml.as_bytes()).next(&["vspanSession"])).ok().flatten()
    }

    /// What real ones have in them, put together in any way.
    const NAMES: [&str; 24] = [
        "key",
        "name",
        "description",
        "enabled",
        "sourcePortTransmitted",
        "sourcePortReceived",
        "destinationPort",
        "encapsulationVlanId",
        "stripOriginalVlan",
        "mirroredPacketLength",
        "normalTrafficAllowed",
        "sessionType",
        "samplingRate",
        "encapType",
        "erspanId",
        "erspanCOS",
        "erspanGraNanosec",
        "netstack",
        "portKey",
        "uplinkPortName",
        "wildcardPortConnecteeType",
        "vlans",
        "ipAddress",
        "vspanSession",
    ];

    fn element() -> impl Strategy<Value = Element> {
        let name = prop::sample::select(NAMES.as_slice());
        let text = prop_oneof![
            "\\PC{0,12}",
            "[0-9]{1,12}",
            "true|false|1|gre|erspan2|10\\.77\\.0\\.9|tocsin mirror=1 .{0,20}"
        ];
        let leaf =
            (name.clone(), text).prop_map(|(name, text)| Element { name: name.into(), text, ..Element::default() });
        leaf.prop_recursive(3, 40, 20, move |inner| {
            (name.clone(), prop::collection::vec(inner, 0..20)).prop_map(|(name, children)| Element {
                name: name.into(),
                children,
                ..Element::default()
            })
        })
    }

    fn texts() -> impl Strategy<Value = Vec<String>> {
        prop::collection::vec("[ -~]{1,8}", 0..3)
    }

    fn ends() -> impl Strategy<Value = Ends> {
        (texts(), texts(), texts(), texts(), texts()).prop_map(|(ports, uplinks, wildcards, vlans, addresses)| Ends {
            ports,
            uplinks,
            wildcards,
            vlans,
            addresses,
        })
    }

    proptest! {
        #[test]
        fn any_element_is_read_shown_and_compared(element in element(), other in element()) {
            let (session, other) = (Session::of(&element), Session::of(&other));
            session.observed();
            session.differences(&other);
            prop_assert!(session.differences(&session).is_empty());
        }

        #[test]
        fn any_text_is_a_session_or_none(xml in "(<vspanSession>|</vspanSession>|<name>|</name>|<destinationPort>|</destinationPort>|<portKey/>|&lt;|\\PC){0,30}") {
            if let Some(element) = read(&xml) {
                Session::of(&element).observed();
            }
        }

        #[test]
        fn what_is_written_is_read_back(
            texts in prop::collection::vec("[ -~]{0,10}", 11),
            (transmitted, received, destination) in (ends(), ends(), ends()),
            truths in any::<[bool; 3]>(),
            nanoseconds in any::<Option<bool>>(),
        ) {
            let [key, name, description, vlan, bytes, kind, sampling, encapsulation, id, cos, netstack] =
                <[String; 11]>::try_from(texts).unwrap();
            let session = Session {
                key, name, description, enabled: truths[0], transmitted, received, destination, encapsulation_vlan: vlan,
                strip_vlan: truths[1], packet_bytes: bytes, normal_traffic: truths[2], kind, sampling, encapsulation,
                erspan_id: id, erspan_cos: cos, nanoseconds, netstack,
            };
            let xml = Written::default().inside("vspanSession", &session.written());
            prop_assert_eq!(Session::of(&read(xml.as_str()).unwrap()), session);
        }
    }

    #[test]
    fn what_leaving_a_field_out_means_is_no_difference_and_everything_else_is() {
        let sent = Session { name: "a".into(), kind: "dvPortMirror".into(), ..Session::default() };
        let answered = Session {
            key: "7".into(),
            packet_bytes: "0".into(),
            sampling: "1".into(),
            encapsulation: GRE.into(),
            erspan_id: "0".into(),
            erspan_cos: "0".into(),
            nanoseconds: Some(false),
            encapsulation_vlan: "0".into(),
            ..sent.clone()
        };
        assert_eq!(sent.differences(&answered), Vec::<String>::new());
        let changed = Session { sampling: "10".into(), enabled: true, netstack: "mirror".into(), ..answered };
        let told = sent.differences(&changed);
        assert_eq!(
            told,
            ["enabled: `true`, was `false`", "samplingRate: `10`, was `1`", "netstack: `mirror`, was nothing"]
        );
    }

    #[test]
    fn a_tag_under_another_name_is_nobodys() {
        let description = "tocsin mirror=7 instance=ab12 expires=1000 plan=0f owner=eve".to_owned();
        let ours = Session { name: "tocsin-ab12-7".into(), description, ..Session::default() };
        assert!(ours.tag().is_some());
        assert!(Session { name: "tocsin-ab12-8".into(), ..ours.clone() }.tag().is_none());
        assert!(Session { description: "notes".into(), ..ours }.tag().is_none());
    }
}
