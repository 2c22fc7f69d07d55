//! What is done with a mapping: put in force, given up, or taken away.

use super::{Outline, draft::Draft};
use crate::{
    components::icon::{Icon, icon},
    pages::{sections, settings},
    state::{App, Remote},
    text::mapping as t,
};
use leptos::prelude::*;
use shared::api::ConfigDraft;

pub(super) fn bar(app: App, draft: Draft, outline: Remote<Outline>) -> AnyView {
    let l = app.l();
    let busy = RwSignal::new(false);
    let changed = Memo::new(move |_| draft.is_changed());
    let stored = Memo::new(move |_| draft.is_stored());
    let put = move |mapping| {
        let sections = ConfigDraft { mappings: [(draft.sender(), mapping)].into(), ..ConfigDraft::default() };
        let done = move || outline.reload();
        sections::apply(app, (sections, draft.version()), t::saved, busy, draft.refusal, done);
    };
    let wrong = move || draft.tried.with(|tried| matches!(tried, Some(Ok(tried)) if !tried.findings.is_empty()));
    let refusal = move || {
        draft.refusal.get().map(|error| {
            let again = move |_| outline.reload();
            view! {
                {settings::problem(app, &error)}
                <div class="form-end"><button type="button" class="btn" on:click=again>{t::again(l)}</button></div>
            }
        })
    };
    let remove = move |_| {
        draft.reshape(|mapping| *mapping = shared::config::Mapping::default());
        put(None);
    };
    let shown = move || {
        if changed.get() {
            let discard = move |_| draft.discard();
            return Some(
                view! {
                    <section class="card stack" data-testid="mapping-bar">
                        <p class="tree-lint" role="status">{icon(Icon::Wrench)}<strong>{t::unsaved(l)}</strong></p>
                        <div class="stack" aria-live="polite">{refusal}</div>
                        <div class="form-end">
                            <button type="button" class="btn" on:click=discard>{t::discard(l)}</button>
                            <button type="button" class="btn primary" disabled=move || busy.get() || wrong() on:click=move |_| put(draft.mapping())>{t::save(l)}</button>
                        </div>
                    </section>
                }
                .into_any(),
            );
        }
        stored.get().then(|| {
            view! {
                <div class="form-end"><button type="button" class="btn" disabled=move || busy.get() on:click=remove>{icon(Icon::Trash)}{t::remove(l)}</button></div>
            }
            .into_any()
        })
    };
    shown.into_any()
}
