//! The key that tells push services whose pushes these are (RFC 8292), and the header signed by it.

use crate::entropy;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair},
};
use serde_json::json;
use shared::Timestamp;
use std::{
    collections::BTreeMap,
    fmt,
    sync::{Mutex, PoisonError},
};
use web_push_native::p256::{SecretKey, elliptic_curve::sec1::ToEncodedPoint as _};
use zeroize::Zeroizing;

/// A push service takes no token that lives longer than a day; half of it leaves room for clocks that are off.
const LIVES_MS: i64 = 12 * 3_600_000;
/// Apple wants the same token for a while, and none that ends while it is read.
const SPARE_MS: i64 = 3_600_000;
/// As many push services as there ever are at once.
const KEPT_MOST: usize = 64;

pub(super) struct Vapid {
    pair: EcdsaKeyPair,
    /// base64url of the uncompressed point.
    pub(super) public: String,
    /// By origin and subject: until when it is used, and the header.
    signed: Mutex<BTreeMap<(String, String), (Timestamp, String)>>,
}

impl fmt::Debug for Vapid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vapid").field("public", &self.public).finish_non_exhaustive()
    }
}

impl Vapid {
    /// A new private key, as it is stored.
    pub(super) fn made() -> String {
        loop {
            // One in four thousand million numbers is none.
            let text = Self::text(&entropy::bytes());
            if Self::read(&text).is_some() {
                return text;
            }
        }
    }

    fn text(bytes: &[u8; 32]) -> String {
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The pair of a stored private key; none when that is no key of the curve.
    pub(super) fn read(text: &str) -> Option<Self> {
        let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(text).ok()?);
        let secret = SecretKey::from_slice(&bytes).ok()?;
        let public = secret.public_key().to_encoded_point(false);
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let pair =
            EcdsaKeyPair::from_private_key_and_public_key(algorithm, &bytes, public.as_bytes(), &SystemRandom::new());
        Some(Self { pair: pair.ok()?, public: URL_SAFE_NO_PAD.encode(public.as_bytes()), signed: Mutex::default() })
    }

    /// `Authorization` for a push service at `origin`.
    pub(super) fn header(&self, origin: &str, subject: &str, now: Timestamp) -> Option<String> {
        let mut signed = self.signed.lock().unwrap_or_else(PoisonError::into_inner);
        let which = (origin.to_owned(), subject.to_owned());
        // Also when the clock was set back: a token from the future is refused.
        let fits = |until: &Timestamp| *until > now && until.ms_since(now) <= LIVES_MS - SPARE_MS;
        if let Some((_, header)) = signed.get(&which).filter(|(until, _)| fits(until)) {
            return Some(header.clone());
        }
        let header = format!("vapid t={},k={}", self.token(origin, subject, now)?, self.public);
        if signed.len() >= KEPT_MOST {
            signed.clear();
        }
        signed.insert(which, (now.plus_ms(LIVES_MS - SPARE_MS), header.clone()));
        Some(header)
    }

    fn token(&self, origin: &str, subject: &str, now: Timestamp) -> Option<String> {
        let head = json!({ "typ": "JWT", "alg": "ES256" }).to_string();
        let expires = now.plus_ms(LIVES_MS).ms() / 1_000;
        let claims = json!({ "aud": origin, "exp": expires, "sub": subject }).to_string();
        let said = format!("{}.{}", URL_SAFE_NO_PAD.encode(head), URL_SAFE_NO_PAD.encode(claims));
        // The number used once of a signature is the library's own affair: it takes no other randomness.
        let signature = self.pair.sign(&SystemRandom::new(), said.as_bytes()).ok()?;
        Some(format!("{said}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};

    const NOW: Timestamp = Timestamp::from_ms(1_700_000_000_000);

    fn read(header: &str) -> (serde_json::Value, bool) {
        let (token, key) = header.strip_prefix("vapid t=").unwrap().split_once(",k=").unwrap();
        let (said, signature) = token.rsplit_once('.').unwrap();
        let decoded = |text| URL_SAFE_NO_PAD.decode(text).unwrap();
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, decoded(key));
        let claims = serde_json::from_slice(&decoded(said.split_once('.').unwrap().1)).unwrap();
        (claims, key.verify(said.as_bytes(), &decoded(signature)).is_ok())
    }

    #[test]
    fn a_header_says_who_for_whom_and_how_long_and_is_used_again() {
        let vapid = Vapid::read(&Vapid::text(&[7; 32])).unwrap();
        assert_eq!(vapid.public.len(), 87);
        let first = vapid.header("https://push.example.org", "mailto:a@b.org", NOW).unwrap();
        let expires = NOW.ms() / 1_000 + 12 * 3_600;
        let claims = json!({ "aud": "https://push.example.org", "exp": expires, "sub": "mailto:a@b.org" });
        assert_eq!(read(&first), (claims, true));
        let again = |ms| vapid.header("https://push.example.org", "mailto:a@b.org", NOW.plus_ms(ms)).unwrap();
        assert_eq!(again(LIVES_MS - SPARE_MS - 1), first);
        assert_ne!(again(LIVES_MS - SPARE_MS), first);
        assert_ne!(again(-1), first, "the clock was set back");
        assert_ne!(vapid.header("https://other.example.org", "mailto:a@b.org", NOW).unwrap(), first);
    }

    #[test]
    fn what_is_no_key_is_none() {
        for text in ["", "AAAA", "!", &Vapid::text(&[0; 32]), &Vapid::text(&[255; 32])] {
            assert!(Vapid::read(text).is_none(), "{text}");
        }
        let vapid = Vapid::read(&Vapid::text(&[9; 32])).unwrap();
        assert!(!format!("{vapid:?}").contains(&Vapid::text(&[9; 32])));
    }
}
