//! Every sentence the product says, in English and Simplified Chinese; a missing translation does not compile.

pub mod mirror;
mod notice;
mod page;
pub mod phone;
mod placed;
mod reason;
mod timeline;
mod unheard;
mod unpaged;
mod voice;

pub use crate::config::Language;
pub use notice::{broken_text, digest_sums, notice_text};
pub use page::{PageText, bundle_text, page_text};
pub use placed::{common, neighbourhood};
pub use reason::reject_reason;
pub use timeline::{
    Names, duty, happening, quieted_by, recipient_name, skipped, suppressed_by, throttled_by, told, unmet, waits,
};
pub use unpaged::unpaged;
pub use voice::Voice;

/// Declares messages: a function each, taking the language and typed arguments.
#[macro_export]
macro_rules! messages {
    ($($(#[$doc:meta])* $name:ident ( $($arg:ident : $ty:ty),* $(,)? ) { en: $en:literal, zh: $zh:literal $(,)? })*) => {$(
        $(#[$doc])*
        #[must_use]
        pub(crate) fn $name(language: $crate::config::Language $(, $arg: $ty)*) -> String {
            match language {
                $crate::config::Language::En => format!($en),
                $crate::config::Language::Zh => format!($zh),
            }
        }
    )*};
}

/// How long, for people: `42 s`, `8 min`, `3 h 20`.
#[must_use]
pub fn span(language: Language, ms: i64) -> String {
    let seconds = ms.max(0) / 1_000;
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    match language {
        Language::En if ms < 1_000 => format!("{} ms", ms.max(0)),
        Language::En if minutes < 1 => format!("{seconds} s"),
        Language::En if hours < 1 => format!("{minutes} min"),
        Language::En if days < 1 => format!("{hours} h {:02}", minutes % 60),
        Language::En => format!("{days} d {} h", hours % 24),
        Language::Zh if ms < 1_000 => format!("{} 毫秒", ms.max(0)),
        Language::Zh if minutes < 1 => format!("{seconds} 秒"),
        Language::Zh if hours < 1 => format!("{minutes} 分钟"),
        Language::Zh if days < 1 => format!("{hours} 小时 {} 分", minutes % 60),
        Language::Zh => format!("{days} 天 {} 小时", hours % 24),
    }
}
