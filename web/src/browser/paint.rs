//! Puts elements that were computed into the page, and says which of them was pressed.

use crate::markup::Node;
use leptos::prelude::document;
use wasm_bindgen::JsCast;
use web_sys::{Element, Event, HtmlElement};

const SVG: &str = "http://www.w3.org/2000/svg";

/// Replaces what is in a box; the focus stays on the element that does the same as before.
pub(crate) fn paint(into: &Element, nodes: &[Node]) {
    let focused = document().active_element().filter(|active| into.contains(Some(active))).and_then(|active| {
        let (act, n) = (active.get_attribute("data-act")?, active.get_attribute("data-n")?);
        Some(format!("[data-act=\"{act}\"][data-n=\"{n}\"]"))
    });
    into.set_text_content(None);
    for node in nodes {
        append(into, node);
    }
    if let Some(Ok(Some(again))) = focused.map(|selector| into.query_selector(&selector)) {
        drop(again.dyn_into::<HtmlElement>().map(|again| again.focus()));
    }
}

fn append(into: &Element, node: &Node) {
    let made = if matches!(node.tag, "svg" | "path") {
        document().create_element_ns(Some(SVG), node.tag)
    } else {
        document().create_element(node.tag)
    };
    // Only a name that is no element's name is refused, and ours are constants.
    let Ok(element) = made else { return };
    for (name, value) in &node.attributes {
        drop(element.set_attribute(name, value));
    }
    if let Some(html) = element.dyn_ref::<HtmlElement>() {
        for (name, value) in &node.styles {
            drop(html.style().set_property(name, value));
        }
    }
    if !node.text.is_empty() {
        element.set_text_content(Some(&node.text));
    }
    for child in &node.children {
        append(&element, child);
    }
    drop(into.append_child(&element));
}

/// What the pressed element does, and its number.
pub(crate) fn pressed(event: &Event) -> Option<(String, usize)> {
    let target = event.target()?.dyn_into::<Element>().ok()?;
    let element = target.closest("[data-act]").ok()??;
    let n = element.get_attribute("data-n").and_then(|n| n.parse().ok()).unwrap_or(0);
    Some((element.get_attribute("data-act")?, n))
}

/// What a form does that is sent.
pub(crate) fn sent(event: &Event) -> Option<String> {
    event.target()?.dyn_into::<Element>().ok()?.get_attribute("data-submit")
}

/// What stands in a field of a form, without the spaces around it.
pub(crate) fn typed(id: &str) -> String {
    let found = document().get_element_by_id(id);
    let value = found.and_then(|field| js_sys::Reflect::get(&field, &"value".into()).ok());
    value.and_then(|value| value.as_string()).unwrap_or_default().trim().to_owned()
}
