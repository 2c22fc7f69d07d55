//! Pairing an app on a phone: a code as a picture, for as long as it works.

use crate::{
    api,
    components::{copy::copy_button, page::card},
    state::App,
    text::{frame, pairing as t},
};
use leptos::{prelude::*, task::spawn_local};
use shared::{api::Pairing, text::span};

pub(super) fn pair(app: App) -> AnyView {
    let l = app.l();
    let offered = RwSignal::new(None::<Pairing>);
    let ask = move |_| {
        spawn_local(async move {
            match api::post::<Pairing>("/api/v1/me/pairings", &()).await {
                Ok(pairing) => offered.set(Some(pairing)),
                Err(error) => app.toasts.bad(error.sentence(l)),
            }
        });
    };
    let word = move || if offered.with(Option::is_some) { t::another(l) } else { t::show(l) };
    let body = view! {
        <p class="hint">{t::lead(l)}</p>
        <div role="status">{move || offered.get().map(|pairing| shown(app, pairing))}</div>
        <div class="form-end"><button type="button" class="btn" on:click=ask>{word}</button></div>
    };
    card(t::title(l), body.into_any())
}

/// The code, until it is too old.
fn shown(app: App, pairing: Pairing) -> AnyView {
    let l = app.l();
    let Pairing { code, svg, expires_at, .. } = pairing;
    let is_over = Memo::new(move |_| app.now.get() >= expires_at);
    // As an image of its own, in which nothing runs.
    let picture = format!("data:image/svg+xml,{}", js_sys::encode_uri_component(&svg));
    let body = move || {
        if is_over.get() {
            return view! { <p class="muted">{t::ended(l)}</p> }.into_any();
        }
        let typed = code.clone();
        let left = move || t::ends_in(l, &span(l, expires_at.ms_since(app.now.get())));
        view! {
            <img src=picture.clone() alt=t::picture(l) width="240" height="240"/>
            <p>{t::typed(l)} " " <code class="mono">{code.clone()}</code> " " {copy_button(frame::copy(l), move || typed.clone())}</p>
            // Told by the picture's place already; every second would be too often to be read aloud.
            <p class="muted" aria-hidden="true">{left}</p>
        }
        .into_any()
    };
    body.into_any()
}
