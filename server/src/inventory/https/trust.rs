//! Whether a source is who it should be: by an authority that vouches for its certificate, or by the certificate itself.
//!
//! There is no way to trust everybody. Whoever cannot name an authority pins the fingerprint, which the fault tells.

use crate::inventory::{Fault, FaultKind};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, OtherError, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject as _},
};
use rustls_platform_verifier::Verifier;
use sha2::{Digest as _, Sha256};
use std::{fmt, fs::File, io::Read as _, str::FromStr, sync::Arc};

/// What makes a source's certificate a good one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Trust {
    /// An authority that this machine trusts has signed it.
    #[default]
    System,
    /// One of these authorities has signed it; those that this machine trusts do not count. Certificates in PEM.
    Authorities(String),
    /// It is exactly this one, whatever it says about names and dates.
    Certificate(Fingerprint),
}

/// SHA-256 of a certificate in DER, as browsers and `openssl x509 -fingerprint -sha256` show it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint(pub [u8; 32]);

/// The largest file of authorities: the system's own, with all there are, has a quarter of it.
const AUTHORITIES_BYTES: u64 = 1 << 20;

impl Trust {
    /// As a source of the configuration names it: a file of authorities, a fingerprint, or neither.
    ///
    /// # Errors
    /// When both are named, the file cannot be read, or the fingerprint is none.
    pub fn named(authorities: Option<&str>, fingerprint: Option<&str>) -> Result<Self, Fault> {
        let refuse = |why: String| Fault::new(FaultKind::Untrusted, why);
        match (authorities, fingerprint) {
            (None, None) => Ok(Self::System),
            (None, Some(text)) => text
                .parse()
                .map(Self::Certificate)
                .map_err(|error| refuse(format!("`fingerprint` cannot be read: {error}")).because(error)),
            (Some(path), None) => {
                let mut pem = String::new();
                let read = File::open(path).and_then(|file| file.take(AUTHORITIES_BYTES).read_to_string(&mut pem));
                read.map(|_| Self::Authorities(pem)).map_err(|error| {
                    refuse(format!("the authorities in {path} (`ca`) cannot be read: {error}")).because(error)
                })
            }
            (Some(_), Some(_)) => {
                Err(refuse("there are `ca` and `fingerprint`; one of them says who is trusted".to_owned()))
            }
        }
    }
}

impl Fingerprint {
    fn of(certificate: &CertificateDer<'_>) -> Self {
        Self(Sha256::digest(certificate).into())
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, byte) in self.0.iter().enumerate() {
            let colon = if index == 0 { "" } else { ":" };
            write!(f, "{colon}{byte:02X}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is no fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a SHA-256 fingerprint has 64 hexadecimal digits, with or without colons; this one has {0}")]
pub struct NoFingerprint(usize);

impl FromStr for Fingerprint {
    type Err = NoFingerprint;

    fn from_str(text: &str) -> Result<Self, NoFingerprint> {
        let rest = text.trim();
        // As openssl writes it.
        let rest = rest.rsplit_once('=').map_or(rest, |(_, digits)| digits);
        let digits: Vec<u32> = rest.chars().filter_map(|c| c.to_digit(16)).collect();
        let others = rest.chars().any(|c| !c.is_ascii_hexdigit() && !matches!(c, ':' | ' ' | '-'));
        let bytes: Vec<u8> = digits.chunks(2).filter_map(pair_of).collect();
        match <[u8; 32]>::try_from(bytes) {
            Ok(bytes) if !others && digits.len() == 64 => Ok(Self(bytes)),
            _ => Err(NoFingerprint(digits.len())),
        }
    }
}

fn pair_of(digits: &[u32]) -> Option<u8> {
    match digits {
        [high, low] => u8::try_from(high * 16 + low).ok(),
        _ => None,
    }
}

/// A certificate that is not trusted, with what a person needs to decide about it.
#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum Rejected {
    #[error("{why}; its SHA-256 fingerprint is {fingerprint}")]
    Unknown { fingerprint: Fingerprint, why: String },
    #[error("it is another one than the pinned one: its SHA-256 fingerprint is {presented}, pinned is {pinned}")]
    Other { presented: Fingerprint, pinned: Fingerprint },
}

/// The chain of our own certificate, and its key.
type Own = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

/// The client's side of TLS; `own` is shown to those who ask for it.
pub(super) fn tls(trust: &Trust, own: Option<Own>) -> Result<ClientConfig, String> {
    let provider = Arc::new(ring::default_provider());
    let rule = match trust {
        Trust::System => Rule::Chain(Arc::new(Verifier::new(Arc::clone(&provider)).map_err(|error| {
            format!("{error}; install the system's root certificates (ca-certificates), or pin the source's")
        })?)),
        Trust::Authorities(pem) => {
            let chain = WebPkiServerVerifier::builder_with_provider(Arc::new(roots(pem)?), Arc::clone(&provider));
            Rule::Chain(chain.build().map_err(|error| format!("the authority cannot be used: {error}"))?)
        }
        Trust::Certificate(fingerprint) => Rule::Exactly(*fingerprint),
    };
    let judge = Arc::new(Judge { rule, provider: Arc::clone(&provider) });
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("TLS cannot be set up: {error}"))?
        // So it is called because such code may trust anybody; ours is stricter than the usual, or as strict.
        .dangerous()
        .with_custom_certificate_verifier(judge);
    match own {
        None => Ok(config.with_no_client_auth()),
        Some((chain, key)) => config
            .with_client_auth_cert(chain, key)
            .map_err(|error| format!("our own certificate and its key do not work together: {error}")),
    }
}

fn roots(pem: &str) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let certificate = certificate.map_err(|error| format!("the authority's PEM cannot be read: {error}"))?;
        roots.add(certificate).map_err(|error| format!("the authority's certificate is none: {error}"))?;
    }
    if roots.is_empty() {
        return Err("the authority has no certificate in PEM (-----BEGIN CERTIFICATE-----)".to_owned());
    }
    Ok(roots)
}

#[derive(Debug)]
enum Rule {
    Chain(Arc<dyn ServerCertVerifier>),
    Exactly(Fingerprint),
}

#[derive(Debug)]
struct Judge {
    rule: Rule,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Judge {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let presented = Fingerprint::of(end_entity);
        let rejected = match &self.rule {
            Rule::Exactly(pinned) if *pinned == presented => return Ok(ServerCertVerified::assertion()),
            Rule::Exactly(pinned) => Rejected::Other { presented, pinned: *pinned },
            Rule::Chain(chain) => {
                match chain.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
                    Ok(verified) => return Ok(verified),
                    Err(why) => Rejected::Unknown { fingerprint: presented, why: why.to_string() },
                }
            }
        };
        Err(rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(rejected)))))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_read_as_programs_print_it() {
        let pinned = Fingerprint(std::array::from_fn(|n| u8::try_from(n * 8 + 7).unwrap()));
        let shown = pinned.to_string();
        assert!(shown.starts_with("07:0F:17:") && shown.len() == 95, "{shown}");
        for text in
            [shown.clone(), shown.to_lowercase(), shown.replace(':', ""), format!(" sha256 Fingerprint={shown}\n")]
        {
            assert_eq!(text.parse(), Ok(pinned), "{text}");
        }
        for (text, digits) in [("", 0), ("AB:CD", 4), (&shown[..94], 63), (&format!("{shown}:00"), 66)] {
            assert_eq!(text.parse::<Fingerprint>(), Err(NoFingerprint(digits)), "{text}");
        }
        assert!(shown.replace(':', "x").parse::<Fingerprint>().is_err());
    }

    #[test]
    fn an_authority_that_is_none_says_why() {
        for (pem, told) in [
            ("", "no certificate in PEM"),
            ("-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n", "cannot be read"),
        ] {
            let refused = tls(&Trust::Authorities(pem.to_owned()), None).unwrap_err();
            assert!(refused.contains(told), "{refused}");
        }
        assert!(tls(&Trust::Certificate(Fingerprint([7; 32])), None).is_ok());
    }

    #[test]
    fn what_a_configuration_names_is_one_trust_or_says_why_not() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        std::fs::write(&file, "some PEM").unwrap();
        let (path, digits) = (file.to_str().unwrap(), "ab".repeat(32));
        assert_eq!(Trust::named(None, None).unwrap(), Trust::System);
        assert_eq!(Trust::named(Some(path), None).unwrap(), Trust::Authorities("some PEM".into()));
        assert_eq!(Trust::named(None, Some(&digits)).unwrap(), Trust::Certificate(Fingerprint([0xab; 32])));
        for (ca, fingerprint, told) in [
            (Some("/no/such/file"), None, "/no/such/file (`ca`) cannot be read"),
            (None, Some("AB:CD"), "this one has 4"),
            (Some(path), Some(digits.as_str()), "one of them"),
        ] {
            let fault = Trust::named(ca, fingerprint).unwrap_err();
            assert!(fault.kind == FaultKind::Untrusted && fault.message.contains(told), "{fault}");
        }
    }
}
