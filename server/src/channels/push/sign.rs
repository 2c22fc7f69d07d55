//! Tokens that are signed for providers (RFC 7519): what is said, and a signature over it.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256, RsaKeyPair},
};
use rustls::pki_types::{PrivatePkcs8KeyDer, pem::PemObject as _};
use serde_json::{Value, json};
use std::fmt;

/// A private key, as its provider gave it.
pub(super) enum Key {
    /// Google's: RS256.
    Rsa(Box<RsaKeyPair>),
    /// Apple's: ES256.
    P256(Box<EcdsaKeyPair>),
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.algorithm())
    }
}

impl Key {
    /// Of a `PRIVATE KEY` in PEM; none when it is no RSA key.
    pub(super) fn rsa(pem: &str) -> Option<Self> {
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes()).ok()?;
        RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).ok().map(|key| Self::Rsa(Box::new(key)))
    }

    /// Of a `PRIVATE KEY` in PEM; none when it is no key of the curve P-256.
    pub(super) fn p256(pem: &str) -> Option<Self> {
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes()).ok()?;
        let (algorithm, random) = (&ECDSA_P256_SHA256_FIXED_SIGNING, SystemRandom::new());
        let key = EcdsaKeyPair::from_pkcs8(algorithm, der.secret_pkcs8_der(), &random).ok()?;
        Some(Self::P256(Box::new(key)))
    }

    const fn algorithm(&self) -> &'static str {
        match self {
            Self::Rsa(_) => "RS256",
            Self::P256(_) => "ES256",
        }
    }

    /// A token that says `claims`, signed by the key of this id; none when the system has no randomness.
    pub(super) fn token(&self, key_id: &str, claims: &Value) -> Option<String> {
        let head = json!({ "alg": self.algorithm(), "kid": key_id, "typ": "JWT" }).to_string();
        let said = format!("{}.{}", URL_SAFE_NO_PAD.encode(head), URL_SAFE_NO_PAD.encode(claims.to_string()));
        let random = SystemRandom::new();
        let signature = match self {
            Self::Rsa(key) => {
                let mut signature = vec![0; key.public().modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &random, said.as_bytes(), &mut signature).ok()?;
                signature
            }
            Self::P256(key) => key.sign(&random, said.as_bytes()).ok()?.as_ref().to_vec(),
        };
        Some(format!("{said}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}
