//! Seals what is secret before it is stored: AES-256-GCM under a key that stands in a file, not in the database.
//!
//! A sealed value is `sealed:v1:<key>:<base64 of nonce, ciphertext and tag>` and opens only in the place it was sealed for.

mod keys;

pub use keys::KeyFile;

use crate::{config::SEALED, entropy};
use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use sha2::{Digest as _, Sha256};
use std::{fmt, path::PathBuf};
use zeroize::Zeroizing;

/// Bytes of a key.
const KEY_BYTES: usize = 32;

/// Why something could not be sealed or opened. None of them holds a secret.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// It was there once: what is stored needs it.
    #[error(
        "the file of keys {} is missing, and the database holds secrets that are sealed with key {key}: put the file back \
         (it is in no backup of the database), or name it with --secret-key-file; if it is lost for good, `tocsin secrets \
         forget` gives these secrets up and keeps everything else", path.display()
    )]
    Missing { path: PathBuf, key: String },
    /// There is a file, of other keys.
    #[error(
        "the file of keys {} does not hold key {key}, with which this database's secrets are sealed: put the right file \
         there (every server of one database needs the same), or name it with --secret-key-file", path.display()
    )]
    Unknown { path: PathBuf, key: String },
    /// The file cannot be read or written, or is no file of keys.
    #[error("the file of keys {}: {what}", path.display())]
    File { path: PathBuf, what: String },
    /// Nobody said where keys are: only a program other than `tocsin` opens a store so.
    #[error("a secret is to be stored, and no file of keys was named")]
    Unnamed,
    /// Whoever may write the database changed it, or moved it from elsewhere.
    #[error(
        "the sealed value at `{place}` was changed or belongs elsewhere; restore the database, or apply the configuration anew"
    )]
    Damaged { place: String },
}

/// One key. Its name is made of it, so that a wrong one is noticed by name.
struct Key {
    name: String,
    bytes: Zeroizing<[u8; KEY_BYTES]>,
}

impl Key {
    fn new(bytes: [u8; KEY_BYTES]) -> Self {
        let digest = Sha256::new().chain_update(b"tocsin key name\0").chain_update(bytes).finalize();
        let name = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        Self { name, bytes: Zeroizing::new(bytes) }
    }

    fn cipher(&self) -> Option<LessSafeKey> {
        UnboundKey::new(&AES_256_GCM, &*self.bytes).ok().map(LessSafeKey::new)
    }
}

/// The keys of one file, of which the first is the newest.
pub struct Keys {
    path: PathBuf,
    list: Vec<Key>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.list.iter().map(|key| &key.name)).finish()
    }
}

impl Keys {
    /// The name of the newest.
    #[must_use]
    pub fn newest(&self) -> &str {
        self.list.first().map_or("", |key| &key.name)
    }

    /// Seals a text for one place with the key of this name.
    ///
    /// # Errors
    /// When the file does not hold that key.
    pub fn seal(&self, name: &str, place: &str, text: &str) -> Result<String, SealError> {
        let damaged = || SealError::Damaged { place: place.to_owned() };
        let cipher = self.find(name)?.cipher().ok_or_else(damaged)?;
        let nonce = entropy::bytes::<NONCE_LEN>();
        let mut sealed = text.as_bytes().to_vec();
        let aad = Aad::from(place.as_bytes());
        cipher
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut sealed)
            .map_err(|_| damaged())?;
        Ok(format!("{SEALED}{name}:{}", STANDARD_NO_PAD.encode([&nonce[..], &sealed].concat())))
    }

    /// Opens what was sealed for this place.
    ///
    /// # Errors
    /// When the key is not in the file, or the value is not what was sealed here.
    pub fn open(&self, place: &str, sealed: &str) -> Result<String, SealError> {
        let damaged = || SealError::Damaged { place: place.to_owned() };
        let (name, text) = sealed.strip_prefix(SEALED).and_then(|rest| rest.split_once(':')).ok_or_else(damaged)?;
        let key = self.find(name)?;
        let bytes = STANDARD_NO_PAD.decode(text).map_err(|_| damaged())?;
        let (nonce, rest) = bytes.split_first_chunk::<NONCE_LEN>().ok_or_else(damaged)?;
        let mut rest = rest.to_vec();
        let aad = Aad::from(place.as_bytes());
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let cipher = key.cipher().ok_or_else(damaged)?;
        let opened = cipher.open_in_place(nonce, aad, &mut rest).map_err(|_| damaged())?;
        String::from_utf8(opened.to_vec()).map_err(|_| damaged())
    }

    /// Whether the file holds the key of this name.
    ///
    /// # Errors
    /// When it does not.
    pub fn require(&self, name: &str) -> Result<(), SealError> {
        self.find(name).map(drop)
    }

    fn find(&self, name: &str) -> Result<&Key, SealError> {
        // A name comes out of the database: shown only when it is one.
        let key = if name.len() <= 64 && name.bytes().all(|byte| byte.is_ascii_alphanumeric()) { name } else { "?" };
        let unknown = || SealError::Unknown { path: self.path.clone(), key: key.to_owned() };
        self.list.iter().find(|it| it.name == name).ok_or_else(unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn keys(bytes: &[u8]) -> Keys {
        Keys { path: PathBuf::from("k"), list: bytes.iter().map(|byte| Key::new([*byte; KEY_BYTES])).collect() }
    }

    #[test]
    fn what_is_sealed_opens_only_in_its_place_and_unchanged() {
        let keys = keys(&[1, 2]);
        let sealed = keys.seal(keys.newest(), "sources[a].password", "geheim").unwrap();
        assert!(sealed.starts_with(SEALED) && !sealed.contains("geheim"));
        assert_ne!(keys.seal(keys.newest(), "sources[a].password", "geheim").unwrap(), sealed, "never twice the same");
        assert_eq!(keys.open("sources[a].password", &sealed).unwrap(), "geheim");
        let elsewhere = keys.open("sources[b].password", &sealed).unwrap_err();
        assert!(matches!(&elsewhere, SealError::Damaged { place } if place == "sources[b].password"), "{elsewhere}");
        for at in SEALED.len()..sealed.len() {
            let mut bytes = sealed.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            assert!(keys.open("sources[a].password", &changed).is_err(), "changed at {at}");
        }
    }

    #[test]
    fn any_key_of_the_file_opens_and_another_file_says_which_is_missing() {
        let (old, both, other) = (keys(&[1]), keys(&[2, 1]), keys(&[3]));
        let sealed = old.seal(old.newest(), "p", "x").unwrap();
        assert_eq!(both.open("p", &sealed).unwrap(), "x");
        assert_ne!(both.newest(), old.newest());
        let error = other.open("p", &sealed).unwrap_err().to_string();
        assert!(error.contains(old.newest()) && error.contains("--secret-key-file"), "{error}");
    }

    #[test]
    fn no_key_is_printed() {
        let keys = keys(&[65]);
        assert_eq!(format!("{keys:?}"), format!("[{:?}]", keys.newest()));
    }

    proptest! {
        #[test]
        fn any_text_comes_back_and_no_text_panics(text in any::<String>(), place in any::<String>(), other in any::<String>()) {
            let keys = keys(&[7]);
            let sealed = keys.seal(keys.newest(), &place, &text).unwrap();
            prop_assert_eq!(keys.open(&place, &sealed).unwrap(), text);
            prop_assert!(keys.open(&place, &other).is_err());
            let named = format!("{SEALED}{}:{other}", keys.newest());
            prop_assert!(keys.open(&place, &named).is_err());
        }
    }
}
