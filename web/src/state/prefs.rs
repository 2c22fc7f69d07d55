//! How this browser likes it: language, theme, density, zone.

use crate::browser::{dom, storage, zone};
use leptos::prelude::*;
use shared::config::Language;

/// The page's colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Theme {
    System,
    Light,
    Dark,
}

impl Theme {
    pub(crate) const ALL: [Self; 3] = [Self::System, Self::Light, Self::Dark];

    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    pub(crate) fn from_word(word: &str) -> Self {
        Self::ALL.into_iter().find(|theme| theme.word() == word).unwrap_or(Self::System)
    }
}

/// The preferences; every change is remembered at once.
#[derive(Clone, Copy)]
pub(crate) struct Prefs {
    pub(crate) language: RwSignal<Language>,
    pub(crate) theme: RwSignal<Theme>,
    pub(crate) compact: RwSignal<bool>,
    /// The browser's own zone; times are shown in it.
    pub(crate) zone: RwSignal<String>,
}

pub(crate) const fn language_word(language: Language) -> &'static str {
    match language {
        Language::En => "en",
        Language::Zh => "zh-CN",
    }
}

impl Prefs {
    pub(crate) fn remembered() -> Self {
        let browser_language = window().navigator().language().unwrap_or_default();
        let word = storage::read("tocsin.language").unwrap_or(browser_language);
        Self {
            language: RwSignal::new(if word.starts_with("zh") { Language::Zh } else { Language::En }),
            theme: RwSignal::new(Theme::from_word(&storage::read("tocsin.theme").unwrap_or_default())),
            compact: RwSignal::new(storage::read("tocsin.density").as_deref() == Some("compact")),
            zone: RwSignal::new(zone::own()),
        }
    }

    /// Keeps the root element's attributes in step.
    pub(crate) fn apply(self) {
        Effect::new(move || dom::set_root("lang", language_word(self.language.get())));
        Effect::new(move || dom::set_root("data-theme", self.theme.get().word()));
        Effect::new(move || dom::set_root("data-density", if self.compact.get() { "compact" } else { "default" }));
    }

    pub(crate) fn set_language(self, language: Language) {
        storage::write("tocsin.language", language_word(language));
        self.language.set(language);
    }

    /// The account's language, unless this browser was told otherwise.
    pub(crate) fn suggest_language(self, language: Language) {
        if storage::read("tocsin.language").is_none() && self.language.get_untracked() != language {
            self.language.set(language);
        }
    }

    pub(crate) fn set_theme(self, theme: Theme) {
        storage::write("tocsin.theme", theme.word());
        self.theme.set(theme);
    }

    pub(crate) fn set_compact(self, compact: bool) {
        storage::write("tocsin.density", if compact { "compact" } else { "default" });
        self.compact.set(compact);
    }
}
