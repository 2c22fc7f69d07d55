//! Names with texts, such as labels: most things have none, and then they take eight bytes.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{
    collections::BTreeMap,
    fmt,
    ops::{Deref, DerefMut},
    sync::Arc,
};

/// Texts by their names. A clone is the same texts until one of the two is changed.
#[derive(Clone, Default)]
pub struct Pairs(Option<Arc<BTreeMap<String, String>>>);

impl Pairs {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        (**self).is_empty()
    }

    /// The same as a map of its own.
    #[must_use]
    pub fn to_map(&self) -> BTreeMap<String, String> {
        BTreeMap::clone(self)
    }
}

static NONE: BTreeMap<String, String> = BTreeMap::new();

impl Deref for Pairs {
    type Target = BTreeMap<String, String>;

    fn deref(&self) -> &Self::Target {
        self.0.as_deref().unwrap_or(&NONE)
    }
}

impl DerefMut for Pairs {
    fn deref_mut(&mut self) -> &mut Self::Target {
        Arc::make_mut(self.0.get_or_insert_default())
    }
}

impl From<BTreeMap<String, String>> for Pairs {
    fn from(pairs: BTreeMap<String, String>) -> Self {
        Self((!pairs.is_empty()).then(|| Arc::new(pairs)))
    }
}

impl FromIterator<(String, String)> for Pairs {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        BTreeMap::from_iter(pairs).into()
    }
}

impl PartialEq for Pairs {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Pairs {}

impl fmt::Debug for Pairs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl Serialize for Pairs {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (**self).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        BTreeMap::deserialize(deserializer).map(Self::from)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Pairs {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        BTreeMap::<String, String>::schema_name()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        BTreeMap::<String, String>::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_shared_until_they_change() {
        let mut one: Pairs = [("site".to_owned(), "berlin".to_owned())].into_iter().collect();
        let other = one.clone();
        assert!(std::ptr::eq(&*one, &*other));
        one.insert("rack".to_owned(), "7".to_owned());
        assert_eq!((one.len(), other.len()), (2, 1));
        let json = serde_json::to_string(&one).unwrap();
        assert_eq!((json.as_str(), serde_json::from_str(&json).unwrap()), (r#"{"rack":"7","site":"berlin"}"#, one));
        assert_eq!(serde_json::from_str::<Pairs>("{}").unwrap(), Pairs::default());
        assert_eq!(size_of::<Pairs>(), 8);
    }

    #[test]
    fn pairs_that_were_taken_out_are_as_if_there_had_been_none() {
        let mut pairs: Pairs = [("site".to_owned(), "berlin".to_owned())].into_iter().collect();
        pairs.remove("site");
        assert_eq!(pairs, Pairs::default());
    }
}
