//! The plan of a mirror: exactly what will be sent to a switch, and the tag by which what was made is known again.

use crate::{BackendId, MirrorId, Timestamp, net::Mac};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Exactly what will be sent, and to which state of the switch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Plan {
    pub backend: BackendId,
    pub switch: String,
    /// The [`revision`](super::SwitchView::revision) it was made for. When it is sent, it is planned again for the state the
    /// switch is in then; another plan refuses it.
    pub revision: String,
    /// The ports of the sources, as they were found.
    pub sources: Vec<(Mac, String)>,
    pub steps: Vec<PlanStep>,
    /// SHA-256 over the specification and all of the above but the revision, in hexadecimal: what an approval signs.
    pub hash: String,
}

/// Stands in a plan for what is not known before a mirror is made: its number …
pub const MIRROR_MARK: &str = "{mirror}";
/// … the beginning of the plan's own hash …
pub const PLAN_MARK: &str = "{plan}";
/// … and the state of the switch at the moment when it is sent.
pub const REVISION_MARK: &str = "{revision}";

/// One request of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PlanStep {
    /// In the vendor's words: `insert Mirror`, `ReconfigureDvs_Task`.
    pub call: String,
    /// What is sent, as JSON or XML, indented for people.
    pub sent: String,
    /// Rows or fields that the step adds (`+`), changes (`~`) or removes (`-`), one a line.
    pub changes: Vec<String>,
    /// What takes it back.
    pub undo: String,
}

/// What stands on everything of ours in a switch, so that it can be stopped with nothing else at hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MirrorTag {
    pub mirror: MirrorId,
    /// Which Tocsin made it: several may share a switch, and each removes its own and what is past its time.
    pub instance: String,
    /// Who asked for it.
    pub owner: String,
    pub expires_at: Timestamp,
    /// The beginning of the plan's hash.
    pub plan: String,
}

impl MirrorTag {
    /// Its text as a plan shows it: with marks for what is not known yet.
    #[must_use]
    pub fn planned(&self) -> String {
        let Self { mirror: _, instance, owner, expires_at, plan: _ } = self;
        text(&MIRROR_MARK, instance, *expires_at, PLAN_MARK, owner)
    }

    /// The object's name in the switch.
    #[must_use]
    pub fn name(&self) -> String {
        tag_name(&self.instance, self.mirror)
    }
}

/// The name of what carries out a mirror: `tocsin-<instance>-<number>`.
#[must_use]
pub fn tag_name(instance: &str, mirror: MirrorId) -> String {
    format!("tocsin-{instance}-{mirror}")
}

/// As it stands in a distributed switch's description, which is all the text that a session of it can carry.
impl fmt::Display for MirrorTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { mirror, instance, owner, expires_at, plan } = self;
        f.write_str(&text(mirror, instance, *expires_at, plan, owner))
    }
}

fn text(mirror: &dyn fmt::Display, instance: &str, expires_at: Timestamp, plan: &str, owner: &str) -> String {
    format!("tocsin mirror={mirror} instance={instance} expires={} plan={plan} owner={owner}", expires_at.ms())
}

impl MirrorTag {
    /// Reads what [`Display`](fmt::Display) wrote; none when it is no tag, or an illegible one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.trim().strip_prefix("tocsin mirror=")?;
        let (mirror, rest) = rest.split_once(" instance=")?;
        let (instance, rest) = rest.split_once(" expires=")?;
        let (expires, rest) = rest.split_once(" plan=")?;
        let (plan, owner) = rest.split_once(" owner=")?;
        Some(Self {
            mirror: MirrorId(mirror.parse().ok()?),
            instance: instance.to_owned(),
            owner: owner.to_owned(),
            expires_at: Timestamp::from_ms(expires.parse().ok()?),
            plan: plan.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_tag_is_read_back(mirror in 1_i64..1_000_000, ms in 0_i64..4_000_000_000_000, owner in "[a-z =]{0,20}[a-z]") {
            let expires_at = Timestamp::from_ms(ms);
            let tag = MirrorTag { mirror: MirrorId(mirror), instance: "ab12".into(), owner, expires_at, plan: "0f".into() };
            prop_assert_eq!(MirrorTag::parse(&tag.to_string()), Some(tag));
        }

        #[test]
        fn any_text_is_a_tag_or_none(text in ".{0,80}") {
            prop_assert!(MirrorTag::parse(&text).is_none_or(|_| text.trim().starts_with("tocsin mirror=")));
        }
    }
}
