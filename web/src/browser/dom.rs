//! The document: its title, its theme, focus, and whether the person is typing.

use leptos::prelude::{document, window};
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, KeyboardEvent};

pub(crate) fn set_title(title: &str) {
    if document().title() != title {
        document().set_title(title);
    }
}

/// Sets an attribute of the page's root element.
pub(crate) fn set_root(name: &str, value: &str) {
    if let Some(root) = document().document_element() {
        drop(root.set_attribute(name, value));
    }
}

/// Whether the system asks for a dark page.
pub(crate) fn media_matches(query: &str) -> bool {
    window().match_media(query).ok().flatten().is_some_and(|list| list.matches())
}

pub(crate) fn is_narrow() -> bool {
    media_matches("(max-width: 720px)")
}

pub(crate) fn is_hidden() -> bool {
    document().visibility_state() == web_sys::VisibilityState::Hidden
}

/// Whether the keyboard is in something of that selector.
pub(crate) fn has_focus_in(selector: &str) -> bool {
    document().active_element().is_some_and(|it| it.closest(selector).ok().flatten().is_some())
}

/// Whether a key press belongs to a field, a menu or an input method, and so is not a shortcut.
pub(crate) fn is_typing(event: &KeyboardEvent) -> bool {
    if event.is_composing() || event.default_prevented() {
        return true;
    }
    let Some(element) = event.target().and_then(|target| target.dyn_into::<Element>().ok()) else { return false };
    matches!(element.tag_name().as_str(), "INPUT" | "TEXTAREA" | "SELECT") || dialog_is_open()
}

pub(crate) fn dialog_is_open() -> bool {
    document().query_selector("dialog[open]").ok().flatten().is_some()
}

pub(crate) fn focus(selector: &str) {
    let found = document().query_selector(selector).ok().flatten();
    if let Some(element) = found {
        // Of a picture too: what is drawn has a focus as well, and is no HTML.
        drop(element.unchecked_ref::<HtmlElement>().focus());
    }
}

/// Scrolls a row sideways until its element is seen.
pub(crate) fn reveal(selector: &str) {
    if let Ok(Some(element)) = document().query_selector(selector) {
        let options = web_sys::ScrollIntoViewOptions::new();
        options.set_block(web_sys::ScrollLogicalPosition::Nearest);
        options.set_inline(web_sys::ScrollLogicalPosition::Center);
        element.scroll_into_view_with_scroll_into_view_options(&options);
    }
}

/// Puts text on the clipboard; the answer says whether that worked.
pub(crate) async fn copy(text: &str) -> bool {
    let clipboard = window().navigator().clipboard();
    // Undefined on plain http, where only the old way of selecting by hand is left.
    if clipboard.is_undefined() {
        return false;
    }
    wasm_bindgen_futures::JsFuture::from(clipboard.write_text(text)).await.is_ok()
}

/// Lets the rest of the page load anew.
pub(crate) fn reload() {
    drop(window().location().reload());
}

/// Where this page came from, such as `https://tocsin.example.org`.
pub(crate) fn origin() -> String {
    window().location().origin().unwrap_or_default()
}
