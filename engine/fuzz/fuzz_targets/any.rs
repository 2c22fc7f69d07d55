//! `cargo +nightly fuzz run TARGET`, for each target that is listed in Cargo.toml: the promises are those of
//! `server::ingest::fuzz`, which the seeded runner on the stable compiler tries as well.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| server::ingest::fuzz::run(env!("CARGO_BIN_NAME"), data));
