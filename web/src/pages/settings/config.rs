//! The configuration as one document: checked as often as one likes, applied when it is right.

use super::{example, report};
use crate::{
    api::{self, ApiError},
    components::{page::card, states::loaded},
    state::{App, Remote},
    text::settings as t,
};
use leptos::{prelude::*, task::spawn_local};
use shared::api::{ConfigReport, ConfigText};

pub(super) fn part(app: App) -> AnyView {
    let l = app.l();
    let remote = Remote::<ConfigText>::new("/api/v1/config");
    card(t::tab_config(l), loaded(t::tab_config(l), remote, 8, move |text| editor(app, text.toml)))
}

fn editor(app: App, toml: String) -> AnyView {
    let l = app.l();
    let text = RwSignal::new(toml);
    let busy = RwSignal::new(false);
    let answer = RwSignal::new(None::<Result<ConfigReport, ApiError>>);
    let send = move |apply: bool| {
        busy.set(true);
        spawn_local(async move {
            let body = ConfigText { toml: text.get_untracked() };
            let result = if apply {
                api::put::<ConfigReport>("/api/v1/config", &body).await
            } else {
                api::post::<ConfigReport>("/api/v1/config/check", &body).await
            };
            if result.as_ref().is_ok_and(|report| report.applied) {
                app.refresh_on_call();
            }
            drop(answer.try_set(Some(result)));
            busy.try_set(false);
        });
    };
    let shown = move || {
        answer.get().map(|answer| match answer {
            Ok(report) => report::report(app, &report),
            Err(error) => super::person::problem(app, &error),
        })
    };
    view! {
        <div class="stack">
            <p class="hint">{t::config_lead(l)}</p>
            {move || text.with(|text| example::is_wanted(text)).then(|| example::offer(app, text))}
            <textarea
                id="configuration" class="code" rows="22" spellcheck="false" autocapitalize="off" aria-label=t::config_label(l)
                prop:value=move || text.get() on:input=move |event| text.set(event_target_value(&event))
            ></textarea>
            <div class="form-end">
                <button type="button" class="btn" disabled=move || busy.get() on:click=move |_| send(false)>{t::check(l)}</button>
                <button type="button" class="btn primary" disabled=move || busy.get() on:click=move |_| send(true)>{t::apply(l)}</button>
            </div>
            <div class="stack" aria-live="polite">{shown}</div>
        </div>
    }
    .into_any()
}
