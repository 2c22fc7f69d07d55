//! What the vCenter's faults about sessions mean, in words that say how to mend them.

use crate::{
    inventory::vsphere::{soap::Refused, xml::Element},
    outbound::quote,
};

/// Why the vCenter did not do it. Nothing of it was done.
#[derive(Debug)]
pub(super) struct Refusal {
    /// The fault's type: `VspanDestPortConflict`.
    pub(super) kind: String,
    text: String,
    detail: Element,
}

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Self {
        Self { kind: refused.kind, text: refused.text, detail: refused.detail }
    }
}

impl Refusal {
    /// Of a task's `info.error`, a `LocalizedMethodFault`.
    pub(super) fn of_task(error: &Element) -> Self {
        let detail = error.child("fault").cloned().unwrap_or_default();
        let text = error.text_at("localizedMessage").unwrap_or_default().to_owned();
        Self { kind: quote(&detail.kind, &[]), text, detail }
    }

    /// Somebody else changed the switch after it was looked at.
    pub(super) fn is_stale(&self) -> bool {
        self.kind == "ConcurrentAccess"
    }

    /// What happened, and how to mend it.
    pub(super) fn told(&self, switch: &str) -> String {
        let of = |name: &str| self.detail.text_at(name).map_or_else(|| "?".to_owned(), |text| quote(text, &[]));
        let port = || of("portKey");
        let sessions = || format!("{} and {}", of("vspanSessionKey1"), of("vspanSessionKey2"));
        let what = match self.kind.as_str() {
            "VspanSameSessionPortConflict" => {
                format!("port {} would be source and destination of one session; take another destination", port())
            }
            "VspanPortConflict" => format!(
                "port {} would be the destination of one session and a source of what is sent to a machine in another \
                 ({}); take another destination, or end the other session",
                port(),
                sessions()
            ),
            "VspanDestPortConflict" => format!(
                "port {} is the destination of another session already ({}); take another one, or end that session",
                port(),
                sessions()
            ),
            "VspanPromiscuousPortNotSupported" => format!(
                "port {} is promiscuous, and such a port is neither a destination nor a source of what is sent to it; \
                 copy only what the machine sends, or take a port of a group without promiscuous mode. Tocsin never \
                 changes that mode",
                port()
            ),
            "VspanPortPromiscChangeFault" => {
                format!("port {} is of a session, so its promiscuous mode cannot change; end the session first", port())
            }
            "VspanPortgroupPromiscChangeFault" => format!(
                "a port of the group {} is of a session, so the group's promiscuous mode cannot change; end the session \
                 first",
                of("portgroupName")
            ),
            "VspanPortgroupTypeChangeFault" => format!(
                "a port of the group {} is of a session, so the group cannot become ephemeral; end the session first",
                of("portgroupName")
            ),
            "VspanPortMoveFault" => format!(
                "port {} is of a session, so it cannot move from the group {} to {}; end the session first",
                port(),
                of("srcPortgroupName"),
                of("destPortgroupName")
            ),
            "NoPermission" | "DvsNotAuthorized" => format!(
                "the account lacks the privilege {}; give it a role with DVSwitch.Vspan (“Distributed switch > VSPAN \
                 operation”) on the switch or its folder",
                self.detail.text_at("privilegeId").map_or_else(|| "DVSwitch.Vspan".to_owned(), |text| quote(text, &[]))
            ),
            "ConcurrentAccess" => "somebody else changes the switch again and again; try later".to_owned(),
            "InvalidArgument" => {
                format!("it does not accept the field {}; look at the plan", of("invalidProperty"))
            }
            "LimitExceeded" => "it has as many sessions as it takes; end one first".to_owned(),
            "NotSupported" => "it cannot do that with a switch of this version".to_owned(),
            "ResourceInUse" => {
                "something of it is in use by something else; see the vCenter's own task list".to_owned()
            }
            "DvsOperationBulkFault" => format!(
                "hypervisors of it could not take it over: {}; mend them, or take them off the switch",
                self.hypervisors()
            ),
            _ => format!("{}; see the vCenter's own task list", self.kind),
        };
        let text = quote(&self.text, &[]);
        let text = if text.is_empty() || text == self.kind { String::new() } else { format!(" (“{text}”)") };
        format!("{switch} refused it: {what}{text}")
    }

    /// Whom a bulk fault names, and each one's fault.
    fn hypervisors(&self) -> String {
        const TOLD: usize = 3;
        let of_each = self.detail.all("hostFault").take(TOLD).map(|host| {
            let kind = host.at("fault.fault").map_or("?", |fault| fault.kind.as_str());
            format!("{} ({})", quote(host.text_at("host").unwrap_or("?"), &[]), quote(kind, &[]))
        });
        let told: Vec<String> = of_each.collect();
        if told.is_empty() { "none is named".to_owned() } else { told.join(", ") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn leaf(name: &str, text: &str) -> Element {
        Element { name: name.into(), text: text.into(), ..Element::default() }
    }

    fn refusal(kind: &str, children: Vec<Element>) -> Refusal {
        let fault = Element { name: "fault".into(), kind: kind.into(), children, ..Element::default() };
        let error = Element {
            name: "error".into(),
            children: vec![fault, leaf("localizedMessage", "As told.")],
            ..Element::default()
        };
        Refusal::of_task(&error)
    }

    #[test]
    fn every_fault_says_what_is_in_the_way_and_what_to_do() {
        for (kind, children, told) in [
            ("VspanSameSessionPortConflict", vec![leaf("portKey", "12")], "port 12 would be source and destination"),
            (
                "VspanPortConflict",
                vec![leaf("portKey", "12"), leaf("vspanSessionKey1", "5"), leaf("vspanSessionKey2", "6")],
                "5 and 6",
            ),
            ("VspanDestPortConflict", vec![leaf("portKey", "12")], "port 12 is the destination of another session"),
            ("VspanPromiscuousPortNotSupported", vec![leaf("portKey", "12")], "Tocsin never changes that mode"),
            ("VspanPortPromiscChangeFault", vec![leaf("portKey", "12")], "end the session first"),
            ("VspanPortgroupPromiscChangeFault", vec![leaf("portgroupName", "web")], "group web is of a session"),
            ("VspanPortgroupTypeChangeFault", vec![leaf("portgroupName", "web")], "cannot become ephemeral"),
            (
                "VspanPortMoveFault",
                vec![leaf("srcPortgroupName", "a"), leaf("destPortgroupName", "b")],
                "from the group a to b",
            ),
            ("NoPermission", vec![leaf("privilegeId", "DVSwitch.Modify")], "lacks the privilege DVSwitch.Modify"),
            ("NoPermission", vec![], "a role with DVSwitch.Vspan"),
            ("InvalidArgument", vec![leaf("invalidProperty", "spec.x")], "the field spec.x"),
            ("LimitExceeded", vec![], "end one first"),
            ("SomethingNew", vec![], "SomethingNew; see the vCenter's own task list"),
        ] {
            let words = refusal(kind, children).told("DVS0");
            assert!(
                words.starts_with("DVS0 refused it: ") && words.contains(told) && words.contains("“As told.”"),
                "{words}"
            );
        }
        assert!(refusal("ConcurrentAccess", vec![]).is_stale());
    }

    proptest! {
        #[test]
        fn any_fault_has_words(kind in "[A-Za-z]{0,20}|Vspan[A-Za-z]{0,20}|DvsOperationBulkFault", name in "portKey|hostFault|host", text in "\\PC{0,40}") {
            prop_assert!(!refusal(&kind, vec![leaf(&name, &text)]).told("s").is_empty());
        }
    }
}
