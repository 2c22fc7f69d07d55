//! The only place that reads the operating system's randomness.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

/// `N` unpredictable bytes.
///
/// # Panics
/// When the operating system has no randomness to give: every secret made then would be guessable.
#[must_use]
#[expect(clippy::expect_used, reason = "without randomness no secret may be made; there is nothing to fall back to")]
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system gives no randomness");
    bytes
}

/// A secret of 192 bits: `prefix` (such as `tin_`) and 32 characters that need no escaping in a URL.
#[must_use]
pub fn token(prefix: &str) -> String {
    format!("{prefix}{}", URL_SAFE_NO_PAD.encode(bytes::<24>()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_its_prefix_and_32_characters_that_fit_a_url() {
        let (one, other) = (token("tin_"), token("tin_"));
        assert_ne!(one, other);
        let secret = one.strip_prefix("tin_").unwrap();
        assert_eq!(secret.len(), 32);
        assert!(secret.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'), "{one}");
    }
}
