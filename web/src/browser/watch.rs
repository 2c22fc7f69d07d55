//! Observers of the browser that end when they are dropped: sizes, what is in sight, the system's colours.

use leptos::prelude::window;
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{
    Element, IntersectionObserver, IntersectionObserverEntry, IntersectionObserverInit, MediaQueryList, ResizeObserver,
};

type Told = Closure<dyn FnMut(js_sys::Array)>;

/// Follows the size of an element.
pub(crate) struct Size(
    Option<ResizeObserver>,
    #[expect(dead_code, reason = "kept for as long as it may be called")] Told,
);

impl Drop for Size {
    fn drop(&mut self) {
        if let Some(observer) = &self.0 {
            observer.disconnect();
        }
    }
}

pub(crate) fn size(of: &Element, changed: impl Fn() + 'static) -> Size {
    let told = Told::new(move |_: js_sys::Array| changed());
    let observer = ResizeObserver::new(told.as_ref().unchecked_ref()).ok();
    if let Some(observer) = &observer {
        observer.observe(of);
    }
    Size(observer, told)
}

/// Follows whether an element is in sight, or nearly.
pub(crate) struct Sight(
    Option<IntersectionObserver>,
    #[expect(dead_code, reason = "kept for as long as it may be called")] Told,
);

impl Drop for Sight {
    fn drop(&mut self) {
        if let Some(observer) = &self.0 {
            observer.disconnect();
        }
    }
}

pub(crate) fn sight(of: &Element, changed: impl Fn(bool) + 'static) -> Sight {
    let told = Told::new(move |entries: js_sys::Array| {
        // Of several changes at once the last one is how it is now.
        if let Some(entry) = entries.iter().last().and_then(|it| it.dyn_into::<IntersectionObserverEntry>().ok()) {
            changed(entry.is_intersecting());
        }
    });
    let options = IntersectionObserverInit::new();
    options.set_root_margin("120px");
    let observer = IntersectionObserver::new_with_options(told.as_ref().unchecked_ref(), &options).ok();
    if let Some(observer) = &observer {
        observer.observe(of);
    }
    Sight(observer, told)
}

/// Follows what the system asks for.
pub(crate) struct Media(
    Option<MediaQueryList>,
    #[expect(dead_code, reason = "kept for as long as it may be called")] Closure<dyn FnMut()>,
);

impl Drop for Media {
    fn drop(&mut self) {
        if let Some(list) = &self.0 {
            list.set_onchange(None);
        }
    }
}

pub(crate) fn media(query: &str, changed: impl Fn() + 'static) -> Media {
    let told = Closure::<dyn FnMut()>::new(changed);
    let list = window().match_media(query).ok().flatten();
    if let Some(list) = &list {
        list.set_onchange(Some(told.as_ref().unchecked_ref()));
    }
    Media(list, told)
}
