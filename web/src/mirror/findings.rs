//! What the rules say, put where it belongs: at its field, at its part of the picture, and in what blocks or warns.

use shared::mirror::{MirrorFinding, Rule, Weight};

/// Those that block first, each kind in the order of the rules.
pub(crate) fn parted(findings: &[MirrorFinding]) -> (Vec<&MirrorFinding>, Vec<&MirrorFinding>) {
    findings.iter().partition(|finding| finding.weight == Weight::Blocks)
}

/// Whether a path is of a field or of a part of it: `source.macs[0]` is of `source`, and `sourced` is not.
pub(crate) fn is_of(path: &str, field: &str) -> bool {
    path.strip_prefix(field).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// A part of the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Source,
    Switch,
    Way,
    Destination,
}

/// Where in the picture a rule's finding is seen; nothing for those about people and time.
pub(crate) const fn part(rule: Rule) -> Option<Part> {
    match rule {
        Rule::SourceKnown | Rule::SourceKind | Rule::Unsettled => Some(Part::Source),
        Rule::Capability | Rule::Quota | Rule::Revalidation | Rule::Clock => Some(Part::Switch),
        Rule::Loop
        | Rule::TunnelFields
        | Rule::RspanVlan
        | Rule::SameHypervisor
        | Rule::Bandwidth
        | Rule::Mtu
        | Rule::Snap
        | Rule::Sampling => Some(Part::Way),
        Rule::SameSession
        | Rule::DestinationTaken
        | Rule::Promiscuous
        | Rule::Ephemeral
        | Rule::DestinationMarked
        | Rule::CollectorAllowed => Some(Part::Destination),
        Rule::Expiry | Rule::Accountable => None,
    }
}

/// `M04`.
pub(crate) fn code(rule: Rule) -> String {
    format!("M{:02}", rule.number())
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::mirror::About;

    #[test]
    fn a_path_belongs_to_its_field_and_to_none_that_begins_alike() {
        assert!(
            is_of("source.macs[0]", "source") && is_of("reason", "reason") && is_of("vlan_filter[1]", "vlan_filter")
        );
        assert!(!is_of("sourced", "source") && !is_of("transport.vlans", "transport.vlan"));
    }

    #[test]
    fn what_blocks_stands_apart() {
        let finding = |rule, weight| MirrorFinding { rule, weight, path: String::new(), about: About::NoReason };
        let all = [finding(Rule::Mtu, Weight::Warns), finding(Rule::Loop, Weight::Blocks)];
        let (blocks, warns) = parted(&all);
        assert_eq!((blocks[0].rule, warns[0].rule), (Rule::Loop, Rule::Mtu));
    }

    #[test]
    fn a_code_is_the_number_of_its_rule() {
        assert_eq!((code(Rule::Expiry), code(Rule::Clock)), ("M01".to_owned(), "M23".to_owned()));
        for rule in Rule::ALL {
            assert_eq!(serde_json::to_value(rule).unwrap(), code(rule));
        }
    }
}
