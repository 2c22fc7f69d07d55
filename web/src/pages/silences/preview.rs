//! What a silence would keep quiet now, and would have in the last week, while it is typed.

use super::{WALLS, form::Maker};
use crate::{
    api,
    components::icon::{Icon, icon},
    pages::incident::incidents,
    text::silences as t,
};
use leptos::{prelude::*, task::spawn_local};
use shared::{
    Severity, SilenceRequest,
    api::{IncidentRow, SilencePreview},
};
use std::time::Duration;

const TYPING_PAUSE: Duration = Duration::from_millis(350);

pub(super) fn preview(maker: Maker) -> AnyView {
    let app = maker.app;
    let l = app.l();
    let found = RwSignal::new(None::<SilencePreview>);
    let asked = Memo::new(move |_| {
        let zone = app.prefs.zone.get_untracked();
        let request = maker.draft.with(|draft| draft.request(&zone, app.now.get_untracked(), WALLS));
        // Why it is quiet does not decide what is.
        SilenceRequest { reason: String::new(), ..request }
    });
    let round = StoredValue::new(0_u32);
    Effect::new(move || {
        let request = asked.get();
        let mine = round.get_value() + 1;
        round.set_value(mine);
        if request.matches.is_empty() {
            return found.set(None);
        }
        let is_newest = move || round.try_get_value() == Some(mine);
        let ask = move || {
            if is_newest() {
                let request = SilenceRequest { reason: "…".to_owned(), ..request.clone() };
                spawn_local(async move {
                    let answer = api::post::<SilencePreview>("/api/v1/silences/preview", &request).await;
                    if is_newest() {
                        maker.unread.set(answer.as_ref().err().cloned());
                        found.set(answer.ok());
                    }
                });
            }
        };
        set_timeout(ask, TYPING_PAUSE);
    });
    let body = move || match found.get() {
        Some(found) => answer(maker, &found),
        None => view! { <p class="muted">{t::preview_empty(l)}</p> }.into_any(),
    };
    view! {
        <section class="silence-preview" aria-label=t::preview(l) aria-live="polite" data-testid="silence-preview">
            <h3>{t::preview(l)}</h3>
            {body}
        </section>
    }
    .into_any()
}

fn answer(maker: Maker, found: &SilencePreview) -> AnyView {
    let app = maker.app;
    let l = app.l();
    let p0 = found.open.iter().chain(&found.week).any(|row| row.severity == Severity::P0);
    let open = app.board.with_rows(std::collections::BTreeMap::len);
    let all = open > 1 && found.open_total as usize >= open;
    let warnings = [(p0, t::warn_p0(l)), (all, t::warn_all(l))].into_iter().filter(|(is_true, _)| *is_true);
    let warnings = warnings.map(|(_, words)| view! { <p class="notice warn">{icon(Icon::Warning)} {words}</p> });
    let week =
        if found.week_cut { t::preview_week_cut(l, found.week_total) } else { t::preview_week(l, found.week_total) };
    let part = |title: String, rows: &[IncidentRow]| {
        view! { <details open=rows.len() < 6><summary>{title}</summary>{incidents(app, rows)}</details> }
    };
    view! {
        {warnings.collect_view()}
        {part(t::preview_now(l, found.open_total), &found.open)}
        {part(week, &found.week)}
    }
    .into_any()
}
