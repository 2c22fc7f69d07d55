//! Bearer tokens at rest: only their hash is kept, and a hint by which people tell them apart.

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// What is stored of a token. Tokens are random (192 bits), so a plain hash is enough: there is nothing to guess.
#[must_use]
pub fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// The same hash as 64 lower-case hex digits, for a text column.
#[must_use]
pub fn hash_hex(token: &str) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0');
    hash(token).iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// The first 8 characters, shown in lists; the rest stays secret.
#[must_use]
pub fn hint(token: &str) -> String {
    token.chars().take(8).collect()
}

/// Whether both are the same, in a time that does not tell where they differ.
#[must_use]
pub fn same(left: &[u8], right: &[u8]) -> bool {
    left.ct_eq(right).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_sha_256_and_the_hint_is_short() {
        assert_eq!(hash_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(hint("tin_AbCdEfGh"), "tin_AbCd");
        assert_eq!(hint("tin"), "tin");
        assert!(same(&hash("a"), &hash("a")) && !same(&hash("a"), &hash("b")) && !same(b"a", b"ab"));
    }
}
