//! The account menu: who one is, language, theme, density, and the way out.

use crate::{
    api,
    browser::push::Registered,
    components::field::segments,
    format,
    pages::later::{self, Part},
    state::{App, prefs::Theme},
    text::{frame as t, words},
};
use leptos::{prelude::*, task::spawn_local};
use shared::config::Language;

/// The button, and what it opens: drawn once it is asked for, because nobody needs it in the first second.
pub(super) fn menu(app: App) -> impl IntoView {
    let l = app.l();
    let initials = move || app.info().map(|info| format::initials(&info.name));
    let asked = RwSignal::new(false);
    view! {
        <button type="button" class="who" popovertarget="account" on:click=move |_| asked.set(true)>
            <span aria-hidden="true">{initials}</span>
            <span class="sr">{t::account(l)}</span>
        </button>
        <div id="account" class="popover" popover="auto">
            {move || asked.get().then(|| later::part(Part::Account))}
        </div>
    }
}

/// Who one is, how things look, and the way out.
pub(crate) fn account(app: App) -> AnyView {
    let l = app.l();
    let info = move || app.info();
    let name = move || info().map(|info| info.name);
    let line = move || info().map(|info| t::signed_in_as(l, &info.login, &words::role(l, info.role)));
    view! {
        <p class="who-name"><strong>{name}</strong><small>{line}</small></p>
        {appearance(app)}
        {way_out(app)}
    }
    .into_any()
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

/// The button that ends the session, with what else that ends.
pub(crate) fn way_out(app: App) -> impl IntoView {
    let l = app.l();
    let is_pushed_to = move || device(app).is_some();
    view! {
        <button type="button" class="btn wide" on:click=move |_| sign_out(app)>{t::sign_out(l)}</button>
        <Show when=is_pushed_to>
            <p class="hint">{t::sign_out_ends_pushes(l)}</p>
        </Show>
    }
}

/// The device that this browser is, for whoever is signed in.
pub(crate) fn device(app: App) -> Option<i64> {
    let login = app.info()?.login;
    Registered::remembered().filter(|known| known.login == login).map(|known| known.device)
}

fn sign_out(app: App) {
    let device = device(app);
    spawn_local(async move {
        // Whoever uses this browser next is not to be shown what somebody else is paged about.
        let removed = match device {
            Some(id) => api::delete(&format!("/api/v1/me/devices/{id}")).await.map(|()| Registered::forget()),
            None => Ok(()),
        };
        let ended = match removed {
            // What was removed elsewhere is gone.
            Err(error) if error.status() != Some(404) => Err(error),
            _ => api::delete("/api/v1/session").await,
        };
        match ended {
            Ok(()) => app.signed_out(),
            Err(error) if error.is_signed_out() => app.signed_out(),
            Err(error) => app.toasts.bad(error.sentence(app.l())),
        }
    });
}
