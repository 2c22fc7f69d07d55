//! Thin, fallible calls into the browser: storage, clock, zones, clipboard, focus.

pub(crate) mod dom;
pub(crate) mod paint;
pub(crate) mod push;
pub(crate) mod storage;
pub(crate) mod tone;
pub(crate) mod watch;
pub(crate) mod worker;
pub(crate) mod zone;

/// The browser's clock.
pub(crate) fn now_ms() -> i64 {
    js_sys::Date::now() as i64
}

/// In lower case. The browser knows every script; its tables need not be in the first module too.
pub(crate) fn lower(mut text: String) -> String {
    if text.is_ascii() {
        text.make_ascii_lowercase();
        return text;
    }
    if cfg!(target_arch = "wasm32") {
        return js_sys::JsString::from(text).to_lower_case().into();
    }
    text.to_lowercase()
}

/// A number in 0..1.
pub(crate) fn random() -> f64 {
    js_sys::Math::random()
}
