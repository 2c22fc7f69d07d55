//! The tag of a mirror as rows of Open vSwitch carry it, in their `external_ids`.

use shared::{
    MirrorId, Timestamp,
    mirror::{MIRROR_MARK, MirrorTag},
};
use std::collections::BTreeMap;

const SESSION: &str = "tocsin-session";
const INSTANCE: &str = "tocsin-instance";
const OWNER: &str = "tocsin-owner";
/// In milliseconds since 1970.
const EXPIRES: &str = "tocsin-expires";
const PLAN: &str = "tocsin-plan";
/// Whether learning in the VLAN of the copies was switched off for this mirror, and is to be switched on after it.
pub(super) const FLOODED: &str = "tocsin-flooded";

/// Every key that may change while a mirror runs.
pub(super) const KEYS: [&str; 5] = [SESSION, INSTANCE, OWNER, EXPIRES, PLAN];

/// Stands in a plan for the beginning of its own hash.
pub(super) const PLAN_MARK: &str = "{plan}";

/// What stands on the rows of a plan: marks where only the moment of sending tells.
pub(super) fn planned(tag: &MirrorTag) -> BTreeMap<String, String> {
    with(tag, MIRROR_MARK, PLAN_MARK)
}

/// What stands on the rows in the switch.
pub(super) fn written(tag: &MirrorTag) -> BTreeMap<String, String> {
    with(tag, &tag.mirror.to_string(), &tag.plan)
}

fn with(tag: &MirrorTag, mirror: &str, plan: &str) -> BTreeMap<String, String> {
    let expires = tag.expires_at.ms().to_string();
    let values = [mirror, &tag.instance, &tag.owner, &expires, plan];
    KEYS.iter().zip(values).map(|(key, value)| ((*key).to_owned(), value.to_owned())).collect()
}

/// The tag that stands there, if one does. When nobody can read until when it may be there, it is past its time: it must
/// not stay for ever because somebody wrote into it.
pub(super) fn read(ids: &BTreeMap<String, String>) -> Option<MirrorTag> {
    let id = |key: &str| ids.get(key).cloned().unwrap_or_default();
    Some(MirrorTag {
        mirror: MirrorId(ids.get(SESSION)?.parse().ok()?),
        instance: ids.get(INSTANCE)?.clone(),
        owner: id(OWNER),
        expires_at: Timestamp::from_ms(id(EXPIRES).parse().unwrap_or_default()),
        plan: id(PLAN),
    })
}

/// Whether it is the same mirror of the same Tocsin, whatever else its tag says.
pub(super) fn is_of(tag: &MirrorTag, other: &MirrorTag) -> bool {
    (tag.mirror, &tag.instance) == (other.mirror, &other.instance)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_tag_without_a_legible_end_is_past_it() {
        let tag = MirrorTag {
            mirror: MirrorId(7),
            instance: "ab12".into(),
            owner: "ada".into(),
            expires_at: Timestamp::from_ms(9),
            plan: "0f".into(),
        };
        let mut ids = written(&tag);
        ids.insert(EXPIRES.to_owned(), "tomorrow".to_owned());
        assert_eq!(read(&ids).unwrap().expires_at, Timestamp::from_ms(0));
        ids.remove(INSTANCE);
        assert_eq!(read(&ids), None);
        assert_eq!(read(&BTreeMap::new()), None);
    }

    proptest! {
        #[test]
        fn a_tag_is_read_back(n in any::<i64>(), ms in 0_i64..4_000_000_000_000, owner in ".{0,20}", plan in "[0-9a-f]{0,12}") {
            let expires_at = Timestamp::from_ms(ms);
            let tag = MirrorTag { mirror: MirrorId(n), instance: "ab12".into(), owner, expires_at, plan };
            prop_assert_eq!(read(&written(&tag)), Some(tag));
        }
    }
}
