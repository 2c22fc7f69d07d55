//! The smallest configuration that wakes somebody, offered where there is none.

use crate::{
    browser,
    components::icon::{Icon, icon},
    state::App,
    text::settings as t,
};
use leptos::prelude::*;
use shared::config::Language;

/// Whether a document names nobody at all, so that there is nothing the example could get in the way of.
pub(super) fn is_wanted(toml: &str) -> bool {
    toml.lines().map(str::trim).all(|line| line.is_empty() || line.starts_with('#'))
}

pub(super) fn offer(app: App, text: RwSignal<String>) -> impl IntoView {
    let l = app.l();
    let fill = move |_| {
        let (login, name) = app.info().map(|info| (info.login, info.name)).unwrap_or_default();
        let secret = (browser::random() * f64::from(u32::MAX)) as u32;
        text.set(document(l, &login, &name, secret));
        browser::dom::focus("#configuration");
    };
    view! {
        <div class="notice">
            {icon(Icon::Bell)}
            <div><strong>{t::example_title(l)}</strong><p>{t::example_lead(l)}</p></div>
            <button type="button" class="btn" data-testid="example" on:click=fill>{t::example_fill(l)}</button>
        </div>
    }
}

/// One person with a phone, one policy, one route for everything. A topic's name is all that keeps others from
/// reading along, so it ends in a number nobody guesses.
fn document(l: Language, login: &str, name: &str, secret: u32) -> String {
    let id: String = login.chars().filter(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c)).collect();
    let id = if id.is_empty() { "me".to_owned() } else { id.to_lowercase() };
    let name = name.replace(['"', '\\'], "");
    let (note_fallback, note_topic, note_route) = (t::example_fallback(l), t::example_topic(l), t::example_route(l));
    format!(
        "# {note_fallback}\n\
         fallback = [\"person:{id}\"]\n\n\
         # {note_topic}\n\
         [channels.ntfy]\n\
         server = \"https://ntfy.sh\"\n\n\
         [[people]]\n\
         id = \"{id}\"\n\
         name = \"{name}\"\n\
         contacts = [{{ id = \"phone\", ntfy = \"tocsin-{id}-{secret:08x}\" }}]\n\n\
         [[policies]]\n\
         id = \"everything\"\n\
         levels = [{{ notify = [\"person:{id}\"], delay = \"5m\" }}]\n\
         repeat = 2\n\n\
         # {note_route}\n\
         [[routes]]\n\
         id = \"everything\"\n\
         policy = \"everything\"\n"
    )
}

#[cfg(test)]
mod tests {
    use super::{document, is_wanted};
    use shared::config::Language;

    #[test]
    fn it_is_offered_only_where_nothing_is_written() {
        assert!(is_wanted("") && is_wanted("# a note\n\n"));
        assert!(!is_wanted("fallback = []"));
        assert!(!is_wanted(&document(Language::En, "li", "Li", 7)));
    }

    #[test]
    fn a_name_or_a_login_cannot_break_out_of_its_quotes() {
        let text = document(Language::Zh, "Li\"@x", "李\"\\\" 伟", 0xab);
        assert!(text.contains("id = \"lix\"") && text.contains("name = \"李 伟\""), "{text}");
        assert!(text.contains("tocsin-lix-000000ab"));
    }
}
