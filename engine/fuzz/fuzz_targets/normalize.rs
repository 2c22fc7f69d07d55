//! `cargo +nightly fuzz run normalize`: no body panics, none is without an answer, spans are places.
#![no_main]

use engine::normalize::{Source, looks_like_p0, normalize};
use libfuzzer_sys::fuzz_target;
use shared::{Timestamp, config::Integration};

const TYPES: [Option<&str>; 4] =
    [None, Some("application/json"), Some("application/x-www-form-urlencoded"), Some("text/plain")];
const FORMATS: [Option<&str>; 4] = [None, Some("json"), Some("text"), Some("form")];

fuzz_target!(|data: &[u8]| {
    // The first byte picks how the body was sent.
    let Some((mode, body)) = data.split_first() else { return };
    let integration = Integration::undeclared("fuzz".into());
    let source = Source {
        integration: &integration,
        content_type: TYPES[usize::from(mode & 3)],
        format: FORMATS[usize::from(mode >> 2 & 3)],
peer: None,
        received_at: Timestamp::from_ms(1_795_201_920_000),
    };
    let got = normalize(&source, body);
    assert!(!got.events.is_empty() || !got.rejected.is_empty());
    for span in got.events.iter().flat_map(|parsed| &parsed.spans) {
        assert!(got.text.get(span.start as usize..span.end as usize).is_some(), "{span:?}");
    }
    let _ = looks_like_p0(body);
});
