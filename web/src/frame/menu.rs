//! The account menu: who one is, language, theme, density, and the way out.

use crate::{
    api,
    components::field::segments,
    format,
    state::{App, prefs::Theme},
    text::{frame as t, words},
};
use leptos::{prelude::*, task::spawn_local};
use shared::config::Language;

pub(super) fn menu(app: App) -> impl IntoView {
    let l = app.l();
    let info = move || app.info();
    let name = move || info().map(|info| info.name).unwrap_or_default();
    let line = move || info().map(|info| t::signed_in_as(l, &info.login, &words::role(l, info.role)));
    view! {
        <button type="button" class="who" popovertarget="account">
            <span aria-hidden="true">{move || format::initials(&name())}</span>
            <span class="sr">{t::account(l)}</span>
        </button>
        <div id="account" class="popover" popover="auto">
            <p class="who-name"><strong>{name}</strong><small>{line}</small></p>
            {appearance(app)}
            <button type="button" class="btn wide" on:click=move |_| sign_out(app)>{t::sign_out(l)}</button>
        </div>
    }
}

/// The three preferences of this browser.
pub(crate) fn appearance(app: App) -> impl IntoView {
    let l = app.l();
    let prefs = app.prefs;
    let themes = Theme::ALL.into_iter().zip([t::theme_system(l), t::theme_light(l), t::theme_dark(l)]);
    let language = segments(
        t::language(l),
        vec![("en", "English".to_owned()), ("zh", "简体中文".to_owned())],
        move || if prefs.language.get() == Language::Zh { "zh" } else { "en" },
        move |word| prefs.set_language(if word == "zh" { Language::Zh } else { Language::En }),
    );
    let theme = segments(
        t::theme(l),
        themes.map(|(theme, name)| (theme.word(), name)).collect(),
        move || prefs.theme.get().word(),
        move |word| prefs.set_theme(Theme::from_word(word)),
    );
    let density = segments(
        t::density(l),
        vec![("default", t::density_default(l)), ("compact", t::density_compact(l))],
        move || if prefs.compact.get() { "compact" } else { "default" },
        move |word| prefs.set_compact(word == "compact"),
    );
    view! {
        <div class="appearance">
            <p class="label">{t::language(l)}</p>{language}
            <p class="label">{t::theme(l)}</p>{theme}
            <p class="label">{t::density(l)}</p>{density}
        </div>
    }
}

pub(crate) fn sign_out(app: App) {
    spawn_local(async move {
        match api::delete("/api/v1/session").await {
            Ok(()) => app.signed_out(),
            Err(error) if error.is_signed_out() => app.signed_out(),
            Err(error) => app.toasts.bad(error.sentence(app.l())),
        }
    });
}
