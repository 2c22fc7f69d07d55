//! What is done with a draft: put in force, or given up.

use super::draft::{Draft, Outline};
use crate::{
    components::icon::{Icon, icon},
    pages::{sections, settings},
    state::{App, Remote},
    text::routes as t,
};
use leptos::prelude::*;
use shared::api::ConfigDraft;

pub(super) fn bar(app: App, draft: Draft, remote: Remote<Outline>) -> impl IntoView {
    let l = app.l();
    let busy = RwSignal::new(false);
    let looked = RwSignal::new(false);
    let changed = Memo::new(move |_| draft.is_changed());
    // Where urgent alerts go is not changed unseen.
    let must_look = Memo::new(move |_| draft.moves_pages() && draft.replayed.get() != Some(draft.edits.get()));
    let apply = move |_| {
        let body = ConfigDraft { routes: Some(draft.routes()), ..ConfigDraft::default() };
        sections::apply(app, (body, draft.version()), t::saved, busy, draft.refusal, move || remote.reload());
    };
    let shown = move || {
        changed.get().then(|| {
            let tick = move || {
                must_look.get().then(|| {
                    view! {
                        <p class="hint">{t::looked_hint(l)}</p>
                        <label class="tick"><input type="checkbox" data-testid="routes-looked" prop:checked=move || looked.get()
                            on:change=move |event| looked.set(event_target_checked(&event))/> {t::looked(l)}</label>
                    }
                })
            };
            let waits = move || busy.get() || (must_look.get() && !looked.get());
            view! {
                <section class="card stack routes-bar" data-testid="routes-bar">
                    <p class="tree-lint" role="status">{icon(Icon::Wrench)}<strong>{t::unsaved(l)}</strong></p>
                    {tick}
                    <div aria-live="polite">{move || draft.refusal.get().map(|error| settings::problem(app, &error))}</div>
                    <div class="form-end">
                        <button type="button" class="btn" on:click=move |_| remote.reload()>{t::discard(l)}</button>
                        <button type="button" class="btn primary" disabled=waits on:click=apply>{t::apply(l)}</button>
                    </div>
                </section>
            }
        })
    };
    view! { {shown} }
}
