//! How a sender of the forward protocol proves that it knows the key, and we to it: SHA-512 over what each made up, its name and
//! the key. Nothing of it is encrypted.

use super::wire::{Fault, Reader};
use crate::entropy;
use rmp::encode::{write_array_len, write_bin, write_bool, write_map_len, write_str};
use sha2::{Digest as _, Sha512};
use std::io;
use subtle::ConstantTimeEq as _;

/// What we are called there.
const NAME: &str = "tocsin";

pub(super) struct Shake {
    nonce: [u8; 16],
}

/// Whether a sender knows the key, and what it is told.
pub(super) struct Judged {
    pub(super) is_known: bool,
    pub(super) answer: Vec<u8>,
}

impl Shake {
    pub(super) fn new() -> Self {
        Self { nonce: entropy::bytes() }
    }

    /// What we say first.
    pub(super) fn hello(&self) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        write_array_len(&mut out, 2)?;
        write_str(&mut out, "HELO")?;
        write_map_len(&mut out, 3)?;
        write_str(&mut out, "nonce")?;
        write_bin(&mut out, &self.nonce)?;
        // No users and passwords.
        write_str(&mut out, "auth")?;
        write_bin(&mut out, b"")?;
        write_str(&mut out, "keepalive")?;
        write_bool(&mut out, true)?;
        Ok(out)
    }

    /// What we say to `["PING", its name, salt, digest, user, password]`.
    pub(super) fn judge(&self, ping: &[u8], key: &str) -> Result<Judged, Fault> {
        let mut reader = Reader::new(ping);
        reader.array()?;
        if reader.bytes()? != b"PING" {
            return Err(Fault::Expected("PING"));
        }
        let (name, salt, digest) = (reader.bytes()?, reader.bytes()?, reader.bytes()?);
        let known = self.digest(salt, name, key);
        let is_known = bool::from(known.as_bytes().ct_eq(&digest.to_ascii_lowercase()));
        let told = self.pong(is_known, salt, key);
        told.map(|answer| Judged { is_known, answer }).map_err(|_| Fault::Cut)
    }

    fn pong(&self, is_known: bool, salt: &[u8], key: &str) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        write_array_len(&mut out, 5)?;
        write_str(&mut out, "PONG")?;
        write_bool(&mut out, is_known)?;
        write_str(&mut out, if is_known { "" } else { "shared_key mismatch" })?;
        write_str(&mut out, NAME)?;
        // Whoever does not know the key gets no digest to guess it by.
        let own = if is_known { self.digest(salt, NAME.as_bytes(), key) } else { String::new() };
        write_str(&mut out, &own)?;
        Ok(out)
    }

    fn digest(&self, salt: &[u8], name: &[u8], key: &str) -> String {
        let parts = [salt, name, &self.nonce, key.as_bytes()];
        let digest = parts.into_iter().fold(Sha512::new(), |digest, part| digest.chain_update(part)).finalize();
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
