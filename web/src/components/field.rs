//! A labelled field: the label is always visible, the hint and the error are tied to the input.

use leptos::prelude::*;

/// Properties of a text field; the rest has sensible defaults.
pub(crate) struct Field {
    pub(crate) id: &'static str,
    pub(crate) label: String,
    pub(crate) hint: String,
    pub(crate) kind: &'static str,
    pub(crate) autocomplete: &'static str,
    pub(crate) value: RwSignal<String>,
    pub(crate) required: bool,
}

impl Field {
    pub(crate) fn text(id: &'static str, label: String, value: RwSignal<String>) -> Self {
        Self { id, label, hint: String::new(), kind: "text", autocomplete: "off", value, required: true }
    }

    pub(crate) fn password(
        id: &'static str,
        label: String,
        autocomplete: &'static str,
        value: RwSignal<String>,
    ) -> Self {
        Self { kind: "password", autocomplete, ..Self::text(id, label, value) }
    }

    pub(crate) fn view(self) -> AnyView {
        let value = self.value;
        let hint_id = format!("{}-hint", self.id);
        let described = (!self.hint.is_empty()).then(|| hint_id.clone());
        view! {
            <div class="field">
                <label for=self.id>{self.label}</label>
                <input
                    id=self.id
                    name=self.id
                    data-testid=self.id
                    type=self.kind
                    autocomplete=self.autocomplete
                    autocapitalize="off"
                    spellcheck="false"
                    required=self.required
                    aria-describedby=described
                    prop:value=move || value.get()
                    on:input=move |event| value.set(event_target_value(&event))
                />
                {(!self.hint.is_empty()).then(|| view! { <p class="hint" id=hint_id>{self.hint}</p> })}
            </div>
        }
        .into_any()
    }
}

/// A menu of fixed choices.
pub(crate) fn choice(
    id: String,
    label: String,
    options: Vec<(String, String)>,
    value: impl Fn() -> String + Send + Sync + Clone + 'static,
    set: impl Fn(String) + 'static,
) -> AnyView {
    let options = options
        .into_iter()
        .map(|(word, name)| {
            let (value, own) = (value.clone(), word.clone());
            view! { <option value=word selected=move || value() == own>{name}</option> }
        })
        .collect_view();
    view! {
        <div class="field">
            <label for=id.clone()>{label}</label>
            <select id=id on:change=move |event| set(event_target_value(&event))>{options}</select>
        </div>
    }
    .into_any()
}

/// A few choices side by side, one of them chosen.
pub(crate) fn segments(
    label: String,
    options: Vec<(&'static str, String)>,
    value: impl Fn() -> &'static str + Send + Sync + Copy + 'static,
    set: impl Fn(&'static str) + Send + Sync + Copy + 'static,
) -> AnyView {
    let buttons = options
        .into_iter()
        .map(|(word, name)| {
            view! {
                <button type="button" aria-pressed=move || (value() == word).to_string() on:click=move |_| set(word)>
                    {name}
                </button>
            }
        })
        .collect_view();
    view! { <div class="segments" role="group" aria-label=label>{buttons}</div> }.into_any()
}
