//! Reading what the server says.

use serde::de::DeserializeOwned;

/// An empty text reads as `null`, so that `()` can be asked for.
pub(crate) fn read<T: DeserializeOwned>(text: &str) -> Result<T, serde_json::Error> {
    serde_json::from_str(if text.trim().is_empty() { "null" } else { text })
}
