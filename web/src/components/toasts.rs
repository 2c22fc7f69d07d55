//! Short messages at the edge of the page, read out by screen readers.

use super::{
    icon::{Icon, icon},
    keyed::keyed,
};
use crate::{
    state::{
        App,
        toast::{Toast, Tone},
    },
    text::frame as t,
};
use leptos::prelude::*;

pub(crate) fn toasts(app: App) -> impl IntoView {
    view! {
        <div class="toasts" role="status" aria-live="polite">
            {keyed(move || app.toasts.list.get(), |toast| toast.id.to_string(), move |toast| one(app, toast).into_any())}
        </div>
        <div class="sr" role="status" aria-live="polite">{move || app.announced.get()}</div>
    }
}

fn one(app: App, toast: Toast) -> impl IntoView {
    let l = app.l();
    let id = toast.id;
    let good = toast.tone == Tone::Good;
    let undo = toast.undo.map(|undo| {
        let on_click = move |_| {
            app.toasts.dismiss(id);
            undo.run(());
        };
        view! { <button type="button" class="btn small" on:click=on_click>{icon(Icon::Undo)}{t::undo(l)}</button> }
    });
    view! {
        <div class="toast" class:bad=!good>
            {icon(if good { Icon::Check } else { Icon::Warning })}
            <p>{toast.text}</p>
            {undo}
            <button
                type="button" class="btn ghost square" aria-label=t::dismiss(l)
                on:click=move |_| app.toasts.dismiss(id)
            >
                {icon(Icon::Cross)}
            </button>
        </div>
    }
}
