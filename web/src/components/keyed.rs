//! A list whose elements stay what they are while it changes; compiled once, whatever is listed.

use leptos::prelude::*;
use std::sync::Arc;

type Draw = Box<dyn FnOnce() -> AnyView + Send>;

/// What `each` gives, in its order; an element is drawn once for as long as its key is there.
pub(crate) fn keyed<T: Send + 'static>(
    each: impl Fn() -> Vec<T> + Send + Sync + 'static,
    key: impl Fn(&T) -> String + Send + Sync + 'static,
    draw: impl Fn(T) -> AnyView + Send + Sync + 'static,
) -> AnyView {
    let draw = Arc::new(draw);
    let one = move |item: T| -> (String, Draw) {
        let draw = Arc::clone(&draw);
        (key(&item), Box::new(move || draw(item)))
    };
    list(Box::new(move || each().into_iter().map(&one).collect()))
}

fn list(each: Box<dyn Fn() -> Vec<(String, Draw)> + Send + Sync>) -> AnyView {
    view! { <For each=each key=|(key, _)| key.clone() children=|(_, draw)| draw()/> }.into_any()
}
