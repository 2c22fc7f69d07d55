//! What text columns can hold: any text comes in, and the same goes out on every store.

use sha2::{Digest as _, Sha256};
use std::{borrow::Cow, fmt::Write as _};

/// PostgreSQL refuses NUL in text, and no index takes a key of any length. Documents are JSON, where NUL is escaped,
/// so only the columns around them need this: NUL becomes the replacement character.
pub(super) fn plain(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', "\u{fffd}")) } else { Cow::Borrowed(text) }
}

/// Longer keys are hashed: PostgreSQL's indexes end at about 2,700 bytes.
const KEY_BYTES_MAX: usize = 400;

/// A text by which rows are found, bounded in length. Equal texts give equal keys.
pub(super) fn index_key(text: &str) -> Cow<'_, str> {
    if text.len() > KEY_BYTES_MAX { Cow::Owned(format!("sha256:{}", sha256_hex(text.as_bytes()))) } else { plain(text) }
}

/// The same for names of machines, whose senders differ in case.
pub(super) fn host_key(text: &str) -> String {
    index_key(&text.to_lowercase()).into_owned()
}

/// A pattern for `LIKE … ESCAPE '\'` that finds the words as they are written.
pub(super) fn containing(words: &str) -> String {
    let mut pattern = String::with_capacity(words.len() + 2);
    pattern.push('%');
    for letter in plain(&words.to_lowercase()).chars() {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}

/// 64 lower-case hex digits.
pub(super) fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// The SHA-256 of fields in hex, each preceded by its length, so that no two lists of fields are written the same.
pub(super) fn chained(fields: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for field in fields {
        hasher.update((field.len() as u64).to_be_bytes());
        hasher.update(field.as_bytes());
    }
    hex(&hasher.finalize())
}

/// Bytes as lower-case hex digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        write!(text, "{byte:02x}").ok();
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_bounded_and_holds_no_nul() {
        assert_eq!(index_key("db-01"), "db-01");
        assert_eq!(index_key("a\0b"), "a\u{fffd}b");
        let long = "报".repeat(1_000);
        assert_eq!(index_key(&long).len(), 71);
        assert_ne!(index_key(&long), index_key(&"警".repeat(1_000)));
        assert_eq!(host_key("DB-01"), "db-01");
    }

    #[test]
    fn a_pattern_means_what_was_typed() {
        assert_eq!(containing("100%_A\\"), "%100\\%\\_a\\\\%");
    }
}
