//! Thin, fallible calls into the browser: storage, clock, zones, clipboard, focus.

pub(crate) mod dom;
pub(crate) mod paint;
pub(crate) mod storage;
pub(crate) mod worker;
pub(crate) mod zone;

/// The browser's clock.
pub(crate) fn now_ms() -> i64 {
    js_sys::Date::now() as i64
}

/// A number in 0..1.
pub(crate) fn random() -> f64 {
    js_sys::Math::random()
}
