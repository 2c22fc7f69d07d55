//! A box whose content is computed as data, drawn again whenever what it was computed from changes.

use super::icon::Icon;
use crate::{browser::paint, markup::Node};
use leptos::{html::Div, prelude::*};
use std::rc::Rc;

/// `act` is told what was pressed and its number.
pub(crate) fn painted(
    class: &'static str,
    what: impl Fn() -> Vec<Node> + 'static,
    act: impl Fn(&str, usize) + 'static,
) -> AnyView {
    boxed(class, Box::new(what), Box::new(act))
}

/// `act` is also told of a form that is sent, by its `data-submit`.
type Pressed = Box<dyn Fn(&str, usize)>;

fn boxed(class: &'static str, what: Box<dyn Fn() -> Vec<Node>>, act: Pressed) -> AnyView {
    let act = Rc::new(act);
    let submit = Rc::clone(&act);
    let element = NodeRef::<Div>::new();
    Effect::new(move || {
        if let Some(element) = element.get() {
            paint::paint(&element, &what());
        }
    });
    let on_click = move |event: web_sys::MouseEvent| {
        if let Some((name, n)) = paint::pressed(&event) {
            act(&name, n);
        }
    };
    let on_submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        if let Some(name) = paint::sent(&event) {
            submit(&name, 0);
        }
    };
    view! { <div class=class node_ref=element on:click=on_click on:submit=on_submit></div> }.into_any()
}

/// The same icons as everywhere.
pub(crate) fn drawn(icon: Icon) -> Node {
    let svg = Node::new("svg", "icon").set("viewBox", "0 0 24 24").set("aria-hidden", "true");
    svg.with(Node::new("path", "").set("d", icon.path()))
}

/// A labelled field with the place where its error is said; `input` has the id.
pub(crate) fn labelled(id: &'static str, label: String, input: Node) -> Node {
    let error = format!("{id}-error");
    let input = input.set("id", id).set("aria-describedby", &*error);
    Node::new("div", "field")
        .with(Node::of("label", "", label).set("for", id))
        .with(input)
        .with(Node::new("p", "bad").set("id", error).set("role", "alert"))
}

/// A menu of fixed choices, one of them chosen.
pub(crate) fn menu(options: Vec<(String, String)>, chosen: &str) -> Node {
    let option = |(word, name): (String, String)| {
        let is = word == chosen;
        Node::of("option", "", name).set("value", word).flag("selected", is)
    };
    Node::new("select", "").all(options.into_iter().map(option).collect())
}
