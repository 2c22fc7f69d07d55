//! Fields of a route's form: each reads what is typed, and says what the check finds wrong with it.

use leptos::prelude::*;
use shared::config::Finding;

/// What is found at a route: the field and the finding.
pub(super) type Found = Memo<Vec<(String, Finding)>>;

/// The findings of a field (`match[0]`), or of what is in it (`group` of `group.window`).
pub(super) fn wrong(found: Found, field: &'static str) -> impl IntoView {
    move || {
        let own = move |path: &str| {
            path == field || path.strip_prefix(field).is_some_and(|rest| rest.starts_with('.') || rest.starts_with('['))
        };
        let found = found.get().into_iter().filter(move |(path, _)| own(path));
        let line = |(_, it): (String, Finding)| {
            let class = if it.fatal { "hint bad" } else { "hint warn-text" };
            view! { <p class=class role="alert">{it.message}</p> }
        };
        found.map(line).collect_view()
    }
}

/// A text that is read as it is typed.
pub(super) struct Line {
    pub(super) id: &'static str,
    pub(super) label: String,
    pub(super) hint: String,
    pub(super) value: String,
    /// What is said of what cannot be read.
    pub(super) bad: String,
    /// Lines to write in; one is a plain field.
    pub(super) rows: u8,
}

impl Line {
    pub(super) fn text(id: &'static str, label: String, value: String) -> Self {
        Self { id, label, hint: String::new(), value, bad: String::new(), rows: 1 }
    }

    /// `read` says whether it could be read.
    pub(super) fn view(self, read: impl Fn(&str) -> bool + 'static, faults: impl IntoView + 'static) -> AnyView {
        let Self { id, label, hint, value, bad, rows } = self;
        let wrong = RwSignal::new(false);
        let described = format!("{id}-hint");
        let words = move || if wrong.get() { bad.clone() } else { hint.clone() };
        let typed = move |event| wrong.set(!read(&event_target_value(&event)));
        let invalid = move || wrong.get().to_string();
        let input = if rows == 1 {
            view! {
                <input id=id value=value autocomplete="off" autocapitalize="off" spellcheck="false" aria-describedby=described.clone()
                    aria-invalid=invalid on:input=typed/>
            }
            .into_any()
        } else {
            view! {
                <textarea id=id class="code" rows=rows.to_string() spellcheck="false" autocapitalize="off" aria-describedby=described.clone()
                    aria-invalid=invalid on:input=typed>{value}</textarea>
            }
            .into_any()
        };
        view! {
            <div class="field">
                <label for=id>{label}</label>
                {input}
                <p class="hint" class:bad=move || wrong.get() id=described>{words}</p>
                {faults.into_any()}
            </div>
        }
        .into_any()
    }
}

pub(super) fn tick(label: String, on: bool, set: impl Fn(bool) + 'static) -> AnyView {
    view! {
        <label class="tick"><input type="checkbox" checked=on on:change=move |event| set(event_target_checked(&event))/> {label}</label>
    }
    .into_any()
}
