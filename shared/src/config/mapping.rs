//! How a sender's own JSON becomes an alert: what somebody said of a payload they saw. Data only, nothing of it runs.

use crate::{Action, Severity};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;

/// Where in a payload the fields of an alert stand. What is not said here is found as without it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Mapping {
    /// A pointer to the array whose members are one alert each, or to the only object. When absent, the members of an array, of
    /// a member `alerts`, or the object itself. All other pointers count from there; those that begin with `$` from the whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub each: Option<String>,
    /// All must hold for an object to be read by this mapping.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub when: Vec<MappedWhen>,
    #[serde(skip_serializing_if = "Texts::is_empty")]
    pub summary: Texts,
    #[serde(skip_serializing_if = "Texts::is_empty")]
    pub content: Texts,
    #[serde(skip_serializing_if = "Texts::is_empty")]
    pub host: Texts,
    #[serde(skip_serializing_if = "Texts::is_empty")]
    pub ip: Texts,
    #[serde(skip_serializing_if = "Texts::is_empty")]
    pub mac: Texts,
    #[serde(skip_serializing_if = "Texts::is_empty")]
    pub service: Texts,
    /// What says which alert it is: the same while it is open, and in its recovery.
    #[serde(skip_serializing_if = "Texts::is_empty")]
    pub key: Texts,
    #[serde(skip_serializing_if = "Texts::is_empty")]
    pub time: Texts,
    #[serde(skip_serializing_if = "Texts::is_empty")]
    pub url: Texts,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<MappedSeverity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<MappedStatus>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, Texts>,
}

/// Something an object must have.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct MappedWhen {
    /// A pointer.
    pub at: String,
    /// One of these stands there, in any case; anything at all when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub is: Vec<String>,
}

/// How bad it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct MappedSeverity {
    pub from: Texts,
    /// What the sender's words mean; others mean what they usually do.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub words: BTreeMap<String, Severity>,
}

/// Whether something is wrong, or over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct MappedStatus {
    pub from: Texts,
    /// What the sender's words mean; others mean what they usually do.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub words: BTreeMap<String, Action>,
}

/// Where a text stands: a JSON Pointer as `/labels/host`, or words with pointers in braces as `{/title} on {/host}`. Of several
/// the first that gives something is taken; words give nothing unless all their braces do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Texts(pub Vec<String>);

impl Texts {
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T: Into<String>> From<T> for Texts {
    fn from(text: T) -> Self {
        Self(vec![text.into()])
    }
}

/// One is written as it is, several as a list.
impl Serialize for Texts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.as_slice() {
            [one] => serializer.serialize_str(one),
            several => serializer.collect_seq(several),
        }
    }
}

#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged, expecting = "a text or a list of texts was expected")]
enum Written {
    One(String),
    Several(Vec<String>),
}

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Written::deserialize(deserializer)? {
            Written::One(text) => Self(vec![text]),
            Written::Several(texts) => Self(texts),
        })
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Texts {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Texts".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        Written::json_schema(generator)
    }
}
