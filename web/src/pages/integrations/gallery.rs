//! The senders that are known, each with what changes there.

use super::snippets::{self, SNIPPETS, Snippet};
use crate::{
    browser::dom,
    components::{
        copy::copy_button,
        icon::{Icon, icon},
    },
    state::App,
    text::{frame, mapping as t},
};
use leptos::prelude::*;
use shared::{api::Role, snippets::Address};

pub(super) fn card(app: App) -> AnyView {
    let l = app.l();
    let chosen = RwSignal::new(None::<&'static str>);
    let tiles = SNIPPETS.iter().enumerate().map(|(index, snippet)| tile(app, snippet, index, chosen)).collect_view();
    let detail = move || {
        let word = chosen.get()?;
        SNIPPETS.iter().find(|snippet| snippet.word == word).map(|snippet| detail(app, snippet))
    };
    view! {
        <section class="card stack" id="gallery" data-testid="gallery">
            <div><h2>{t::gallery(l)}</h2><p class="hint">{t::gallery_lead(l)}</p></div>
            <div class="gallery" role="group" aria-label=t::gallery(l)>{tiles}</div>
            <div id="gallery-detail" aria-live="polite">{detail}</div>
        </section>
    }
    .into_any()
}

fn tile(app: App, snippet: &'static Snippet, index: usize, chosen: RwSignal<Option<&'static str>>) -> AnyView {
    let l = app.l();
    let word = snippet.word;
    let is_chosen = move || chosen.get() == Some(word);
    let toggle = move |_| chosen.update(|chosen| *chosen = if *chosen == Some(word) { None } else { Some(word) });
    let class = format!("glyph c{}", index % 5 + 1);
    view! {
        <button type="button" class="tile-btn" aria-expanded=move || is_chosen().to_string() aria-controls="gallery-detail" on:click=toggle>
            <span class=class aria-hidden="true">{snippet.glyph}</span>
            <span><strong>{(snippet.name)(l)}</strong><small class="muted block">{(snippet.line)(l)}</small></span>
        </button>
    }
    .into_any()
}

fn detail(app: App, snippet: &'static Snippet) -> AnyView {
    let l = app.l();
    let text = (snippet.text)(&Address::new(&snippets::address(app)));
    let copied = text.clone();
    let make = (app.role() == Role::Admin).then(|| {
        let go = move |_| dom::focus("#integration-name");
        view! { <button type="button" class="btn" on:click=go>{icon(Icon::Plus)}{t::make_one(l)}</button> }
    });
    view! {
        <div class="stack gallery-detail">
            <h3>{(snippet.name)(l)}</h3>
            <p class="hint">{(snippet.place)(l)}</p>
            <pre class="marked snippet" tabindex="0">{text}</pre>
            <div class="form-end">{make}{copy_button(frame::copy(l), move || copied.clone())}</div>
        </div>
    }
    .into_any()
}
