//! What is done with a mapping: put in force, given up, or taken away.

use super::{Outline, draft::Draft, merge::Clash};
use crate::{
    components::icon::{Icon, icon},
    pages::{sections, settings},
    state::{App, Remote},
    text::mapping as t,
};
use leptos::prelude::*;
use shared::{
    api::ConfigDraft,
    config::{Language, Mapping},
};

pub(super) fn bar(app: App, draft: Draft, outline: Remote<Outline>) -> AnyView {
    let l = app.l();
    let busy = RwSignal::new(false);
    let changed = Memo::new(move |_| draft.is_changed());
    let stored = Memo::new(move |_| draft.is_stored());
    let put = move |put: Option<Mapping>| {
        let sections = ConfigDraft { mappings: [(draft.sender(), put.clone())].into(), ..ConfigDraft::default() };
        let done = move || {
            draft.settled(put.clone().unwrap_or_default());
            outline.reload();
        };
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
    let is_asked = move || draft.clashes.with(|clashes| !clashes.is_empty());
    let asked = move || is_asked().then(|| clashes(l, draft));
    let remove = move |_| {
        draft.reshape(|mapping| *mapping = Mapping::default());
        put(None);
    };
    let shown = move || {
        if changed.get() {
            let discard = move |_| draft.discard();
            return Some(
                view! {
                    <section class="card stack" data-testid="mapping-bar">
                        <p class="tree-lint" role="status">{icon(Icon::Wrench)}<strong>{t::unsaved(l)}</strong></p>
                        <div class="stack" aria-live="polite">{refusal}{asked}</div>
                        <div class="form-end">
                            <button type="button" class="btn" on:click=discard>{t::discard(l)}</button>
                            <button type="button" class="btn primary" disabled=move || busy.get() || wrong() || is_asked() on:click=move |_| put(draft.mapping())>{t::save(l)}</button>
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

/// What both changed: ours and theirs side by side, to be chosen one by one.
fn clashes(l: Language, draft: Draft) -> AnyView {
    let said = move |text: String| {
        let class = if text.is_empty() { "muted" } else { "mono" };
        view! { <span class=class>{if text.is_empty() { t::nothing(l) } else { text }}</span> }
    };
    let one = move |clash: Clash| {
        let name = clash.part.name(l);
        let ours = untrack(|| draft.with(|mapping| clash.part.said(mapping)));
        let theirs = clash.part.said(&clash.theirs);
        let (keep, take) = (clash.clone(), clash);
        view! {
            <li>
                <strong>{name.clone()}</strong>
                <span>{t::yours(l)} " " {said(ours)}</span>
                <span>{t::theirs(l)} " " {said(theirs)}</span>
                <button type="button" class="btn small" aria-label=t::keep_ours(l, &name) on:click=move |_| draft.decide(&keep, false)>{t::keep(l)}</button>
                <button type="button" class="btn small" aria-label=t::take_theirs(l, &name) on:click=move |_| draft.decide(&take, true)>{t::take(l)}</button>
            </li>
        }
    };
    let list = move || draft.clashes.get().into_iter().map(one).collect_view();
    view! {
        <div class="notice warn" data-testid="mapping-clashes">
            {icon(Icon::Warning)}
            <div><strong>{t::clashes(l)}</strong><p class="hint">{t::clashes_hint(l)}</p><ul class="clashes">{list}</ul></div>
        </div>
    }
    .into_any()
}
