//! What this browser remembers, and nothing when it refuses to (private windows, full disks).

use leptos::prelude::window;

pub(crate) fn read(key: &str) -> Option<String> {
    window().local_storage().ok()??.get_item(key).ok()?
}

/// Whether it was kept.
pub(crate) fn write(key: &str, value: &str) -> bool {
    let Ok(Some(storage)) = window().local_storage() else { return false };
    storage.set_item(key, value).is_ok()
}

pub(crate) fn forget(key: &str) {
    if let Ok(Some(storage)) = window().local_storage() {
        drop(storage.remove_item(key));
    }
}
