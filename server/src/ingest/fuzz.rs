//! Promises about what the server reads of senders beside bodies, in the form of the engine's own
//! (`engine::normalize::fuzz`).

use super::{alertmanager, body, carried, signature};
use crate::hosts::{falcon, prometheus};
use engine::normalize::fuzz::{TARGETS, Target};
use flate2::{Compression, write::GzEncoder};
use shared::{
    Timestamp,
    config::{Signature, SignatureKind},
};
use std::io::Write as _;

const NOW: Timestamp = Timestamp::from_ms(1_795_201_920_000);
/// What a fuzzed gzip may hold.
const INFLATED_MAX_BYTES: usize = 64 << 10;
const KINDS: [SignatureKind; 5] = [
    SignatureKind::StandardWebhooks,
    SignatureKind::Grafana,
    SignatureKind::GitHub,
    SignatureKind::Sentry,
    SignatureKind::HmacSha256,
];

/// Every parser there is, the engine's first.
pub fn targets() -> impl Iterator<Item = Target> {
    TARGETS.iter().copied().chain(OWN)
}

/// Tries one of them, by its name; what libFuzzer calls.
///
/// # Panics
/// When there is none of that name, or when one of its promises is broken.
pub fn run(name: &str, data: &[u8]) {
    let target = targets().find(|target| target.name == name);
    assert!(target.is_some(), "there is no target `{name}`");
    if let Some(target) = target {
        (target.run)(data);
    }
}

const OWN: [Target; 7] = [
    Target { name: "matchers", run: |data| alertmanager::try_matcher(&String::from_utf8_lossy(data)) },
    Target { name: "signature", run: signed },
    Target { name: "credentials", run: credentials },
    Target { name: "gzip", run: gzip },
    Target { name: "remote-write", run: written },
    Target { name: "exposition", run: exposition },
    Target { name: "falcon-push", run: pushed },
];

/// Nobody who cannot sign is taken for the sender: the first line is the signature, the second the time, the rest the body.
fn signed(data: &[u8]) {
    let Some((first, rest)) = data.split_first() else { return };
    let kind = KINDS[usize::from(*first) % KINDS.len()];
    let mut lines = rest.splitn(3, |byte| *byte == b'\n');
    let mut next = || String::from_utf8_lossy(lines.next().unwrap_or_default()).into_owned();
    let (signature, time, body) = (next(), next(), next());
    let rules = Signature {
        kind,
        secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned(),
        next_secret: None,
        header: Some("x-own".to_owned()),
        timestamp_header: None,
        tolerance: None,
    };
    let says = |name: &str| {
        Some(match name {
            "webhook-timestamp" => time.clone(),
            "webhook-id" => "fuzz".to_owned(),
            _ => signature.clone(),
        })
    };
    assert!(signature::verify(&rules, says, body.as_bytes(), NOW).is_err(), "a guess was taken for a signature");
}

fn credentials(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Some(token) = carried::credentials(&text) {
        assert!(!token.is_empty(), "an empty token");
    }
}

/// What it holds is bounded, whatever it says, and what was packed is unpacked.
fn gzip(data: &[u8]) {
    if let Ok(inflated) = body::inflated(data, INFLATED_MAX_BYTES) {
        assert!(inflated.len() <= INFLATED_MAX_BYTES, "{} bytes", inflated.len());
    }
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    // It is written into memory.
    let Ok(packed) = packed.write_all(data).and_then(|()| packed.finish()) else { return };
    let unpacked = body::inflated(&packed, INFLATED_MAX_BYTES);
    assert_eq!(unpacked.ok().as_deref(), Some(data).filter(|data| data.len() <= INFLATED_MAX_BYTES));
    assert!(data.len() < 2 || body::inflated(&packed, data.len() - 1).is_err(), "more than may be");
}

fn written(data: &[u8]) {
    let body = |data: &[u8]| {
        if let Ok(written) = prometheus::written(data, NOW) {
            assert!(written.readings.iter().all(|(instance, ..)| instance.len() <= data.len().max(1) * 64));
        }
    };
    body(data);
    // Behind the compression, too, where bytes at random rarely come.
    if let Ok(packed) = snap::raw::Encoder::new().compress_vec(data) {
        body(&packed);
    }
}

fn exposition(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let read = prometheus::read(&text);
    assert!(read.readings.len() <= prometheus::READINGS_MAX, "{} readings", read.readings.len());
    assert_eq!(prometheus::read(&text).readings.len(), read.readings.len());
}

fn pushed(data: &[u8]) {
    let Ok(metrics) = falcon::read(data) else { return };
    for point in metrics.iter().flatten().filter_map(|metric| metric.valid(NOW)) {
        assert!(point.value.is_finite(), "a value that is no number");
    }
}
