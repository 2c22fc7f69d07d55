//! What a page shows when there is nothing to show yet, or something went wrong.

use super::icon::{Icon, icon};
use crate::{
    api::ApiError,
    live::machine::Connection,
    state::{App, Load, Remote, Untyped},
    text::frame as t,
};
use leptos::prelude::*;

/// Before anybody is known.
pub(crate) fn splash(app: App) -> impl IntoView {
    let l = app.l();
    let words = move || match app.connection.get() {
        Connection::Offline { .. } => t::never_reached(l),
        _ => t::loading(l),
    };
    view! {
        <main class="splash" aria-busy="true">
            <h1 class="brand">{icon(Icon::Bell)} "Tocsin"</h1>
            <p role="status">{words}</p>
        </main>
    }
}

/// Grey lines where rows will be.
pub(crate) fn skeleton(lines: usize) -> AnyView {
    let l = App::here().l();
    let bars = (0..lines).map(|_| view! { <i></i> }).collect_view();
    view! { <div class="skeleton" role="status"><span class="sr">{t::loading(l)}</span>{bars}</div> }.into_any()
}

/// Which part failed, why, and a way to try again.
pub(crate) fn failure(what: &str, error: &ApiError, retry: impl Fn() + Send + Sync + 'static) -> AnyView {
    let l = App::here().l();
    view! {
        <div class="notice bad" role="alert">
            {icon(Icon::Warning)}
            <div>
                <strong>{t::failed_to_load(l, what)}</strong>
                <p>{error.sentence(l)}</p>
            </div>
            <button type="button" class="btn" on:click=move |_| retry()>{t::retry(l)}</button>
        </div>
    }
    .into_any()
}

/// A calm word where a list is empty.
pub(crate) fn empty(title: String, body: AnyView) -> AnyView {
    view! { <div class="empty"><p><strong>{title}</strong></p>{body}</div> }.into_any()
}

/// Draws a remote thing once it is there; one failed thing never blanks the page.
pub(crate) fn loaded<T>(
    what: String,
    remote: Remote<T>,
    lines: usize,
    draw: impl Fn(T) -> AnyView + Send + Sync + 'static,
) -> AnyView
where
    T: Clone + Send + Sync + 'static,
{
    let draw = move || remote.ready().map_or_else(|| skeleton(lines), &draw);
    loaded_untyped(what, remote.untyped(), lines, Box::new(draw))
}

/// The same for what looks at the thing itself; one copy, whatever the thing is.
pub(crate) fn loaded_untyped(
    what: String,
    remote: Untyped,
    lines: usize,
    draw: Box<dyn Fn() -> AnyView + Send + Sync>,
) -> AnyView {
    (move || match remote.get() {
        Load::Loading => skeleton(lines),
        Load::Failed(error) => failure(&what, &error, move || remote.reload()),
        Load::Ready(()) => draw(),
    })
    .into_any()
}
