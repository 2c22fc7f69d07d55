//! A dialog in the browser's own top layer: focus is kept in it and Escape closes it.

use super::icon::{Icon, icon};
use crate::{state::App, text::frame as t};
use leptos::{html::Dialog, prelude::*};
use std::sync::Arc;

/// Shown while `open`; the content is made anew each time.
pub(crate) fn modal(
    open: RwSignal<bool>,
    class: &'static str,
    title: impl Fn() -> String + Send + Sync + 'static,
    content: impl Fn() -> AnyView + Send + Sync + 'static,
) -> AnyView {
    dialog(open, class, Arc::new(title), Box::new(content))
}

/// The same for every title and content, and so compiled once.
fn dialog(
    open: RwSignal<bool>,
    class: &'static str,
    title: Arc<dyn Fn() -> String + Send + Sync>,
    content: Box<dyn Fn() -> AnyView + Send + Sync>,
) -> AnyView {
    let l = App::here().l();
    let element = NodeRef::<Dialog>::new();
    Effect::new(move || {
        let Some(dialog) = element.get() else { return };
        if open.get() && !dialog.open() {
            drop(dialog.show_modal());
        } else if !open.get() && dialog.open() {
            dialog.close();
        }
    });
    let label = {
        let title = Arc::clone(&title);
        move || title()
    };
    let on_backdrop = move |event: web_sys::MouseEvent| {
        // A click on the backdrop has the dialog itself as its target.
        let target = event.target();
        if element.get_untracked().is_some_and(|dialog| target.as_ref() == Some(dialog.as_ref())) {
            open.set(false);
        }
    };
    view! {
        <dialog
            class=format!("modal {class}")
            node_ref=element
            aria-label=label
            on:close=move |_| open.set(false)
            on:click=on_backdrop
        >
            {move || {
                open.get().then(|| {
                    let heading = title();
                    view! {
                        <div class="modal-body">
                            <header>
                                <h2>{heading}</h2>
                                <button type="button" class="btn ghost square" aria-label=t::close(l) on:click=move |_| open.set(false)>
                                    {icon(Icon::Cross)}
                                </button>
                            </header>
                            {content()}
                        </div>
                    }
                })
            }}
        </dialog>
    }
    .into_any()
}
