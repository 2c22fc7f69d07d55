//! Registers the service worker; the product works without it.

use leptos::prelude::window;

pub(crate) fn register() {
    let navigator = window().navigator();
    let known = js_sys::Reflect::has(&navigator, &"serviceWorker".into()).unwrap_or(false);
    if known && window().is_secure_context() {
        let registering = navigator.service_worker().register("/sw.js");
        wasm_bindgen_futures::spawn_local(async move {
            if wasm_bindgen_futures::JsFuture::from(registering).await.is_err() {
                leptos::logging::warn!("the offline page is not available: the service worker was refused");
            }
        });
    }
}
