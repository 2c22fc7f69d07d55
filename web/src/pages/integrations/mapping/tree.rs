//! The payload as a tree: each member can be chosen and given to a field.

use super::{
    draft::{Draft, Field, label_name},
    payload::{Tree, below},
};
use crate::{
    browser::dom,
    components::icon::{Icon, icon},
    state::App,
    text::mapping as t,
};
use leptos::prelude::*;
use shared::api::FieldOrigin;
use std::collections::BTreeMap;

/// Most members that are drawn; a larger payload is cut, and pointers can be typed.
const MOST: usize = 400;
/// Of a list of like members the first say what the others are.
const MEMBERS: usize = 3;
/// Longest value that is drawn.
const CHARS: usize = 120;

/// What each place of the payload became.
type Marks = Memo<BTreeMap<String, Vec<(String, bool)>>>;

pub(super) fn view(app: App, draft: Draft) -> AnyView {
    let marks: Marks = Memo::new(move |_| {
        let mut marks: BTreeMap<String, Vec<(String, bool)>> = BTreeMap::new();
        draft.tried.with(|tried| {
            let Some(Ok(tried)) = tried else { return };
            for FieldOrigin { field, at, mapped } in tried.preview.events.iter().flat_map(|event| &event.origins) {
                marks.entry(at.clone()).or_default().push((field.clone(), *mapped));
            }
        });
        marks
    });
    let drawn = move || {
        draft.tree.with(|tree| match tree {
            Some(tree) => {
                let mut left = MOST;
                let rows = rows(app, draft, marks, tree, "", &mut left);
                view! { <div class="payload" data-testid="payload">{rows}</div> }.into_any()
            }
            None => view! { <p class="notice warn">{icon(Icon::Warning)}{t::no_tree(app.l())}</p> }.into_any(),
        })
    };
    drawn.into_any()
}

fn rows(app: App, draft: Draft, marks: Marks, tree: &Tree, at: &str, left: &mut usize) -> AnyView {
    let members: Vec<(String, &Tree)> = match tree {
        Tree::Leaf { .. } | Tree::Nothing => Vec::new(),
        Tree::List(items) => items.iter().take(MEMBERS).enumerate().map(|(i, it)| (i.to_string(), it)).collect(),
        Tree::Object(members) => members.iter().map(|(name, it)| (name.clone(), it)).collect(),
    };
    let others = match tree {
        Tree::List(items) => items.len().saturating_sub(MEMBERS),
        Tree::Leaf { .. } | Tree::Nothing | Tree::Object(_) => 0,
    };
    let mut drawn = Vec::new();
    for (name, inner) in members {
        if *left == 0 {
            break;
        }
        *left -= 1;
        let pointer = below(at, &name);
        drawn.push(match inner {
            Tree::Leaf { text, quoted } => leaf(app, draft, marks, (&name, pointer), Some((text, *quoted))),
            Tree::Nothing => leaf(app, draft, marks, (&name, pointer), None),
            Tree::List(_) | Tree::Object(_) => {
                let head = branch(app, draft, &name, &pointer, inner);
                let inside = rows(app, draft, marks, inner, &pointer, left);
                view! { <li>{head}{inside}</li> }.into_any()
            }
        });
    }
    let others = (others > 0).then(|| view! { <li class="muted">{t::more_members(app.l(), others)}</li> });
    view! { <ul>{drawn}{others}</ul> }.into_any()
}

/// A list whose members may be one alert each says so.
fn branch(app: App, draft: Draft, name: &str, pointer: &str, tree: &Tree) -> AnyView {
    let l = app.l();
    let count = tree.objects();
    let pointer = pointer.to_owned();
    let own = pointer.clone();
    let is_each = Memo::new(move |_| draft.with(|mapping| mapping.each.as_deref() == Some(own.as_str())));
    let toggle = move |_| draft.set_each((!is_each.get_untracked()).then(|| pointer.clone()));
    let each = (count > 0).then(|| {
        view! {
            <button type="button" class="btn small" aria-pressed=move || is_each.get().to_string() on:click=toggle>
                {move || if is_each.get() { t::each_stop(l) } else { t::each_here(l) }}
            </button>
        }
    });
    let size = match tree {
        Tree::List(items) => format!("[{}]", items.len()),
        Tree::Leaf { .. } | Tree::Nothing | Tree::Object(_) => String::new(),
    };
    view! { <div class="branch"><span class="mono">{name.to_owned()} <small class="muted">{size}</small></span>{each}</div> }
        .into_any()
}

/// A member without members; what is `null` here may say something in another message, and has no word to choose.
fn leaf(
    app: App,
    draft: Draft,
    marks: Marks,
    (name, pointer): (&str, String),
    value: Option<(&String, bool)>,
) -> AnyView {
    let l = app.l();
    let (text, quoted) = value.map_or(("", false), |(text, quoted)| (text.as_str(), quoted));
    let mut shown: String = text.chars().take(CHARS).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    if quoted {
        shown = format!("\"{shown}\"");
    }
    let class = if value.is_some() { "mono value" } else { "muted" };
    if value.is_none() {
        shown = t::no_value(l);
    }
    let (own, id) = (pointer.clone(), format!("leaf{}", pointer.replace(' ', "_")));
    let is_open = Memo::new(move |_| draft.open.with(|open| open.as_deref() == Some(own.as_str())));
    let (opened, marked) = (pointer.clone(), pointer.clone());
    let badges = move || {
        let found = marks.with(|marks| marks.get(&marked).cloned().unwrap_or_default());
        let badge = |(field, mapped): (String, bool)| {
            let known = Field::ALL.iter().find(|it| it.word() == field);
            let name = known.map_or_else(|| field.trim_start_matches("labels.").to_owned(), |it| it.name(l));
            view! { <span class="use" class:mapped=mapped>{name}</span> }
        };
        found.into_iter().map(badge).collect_view()
    };
    let toggle = move |_| draft.open.set((!is_open.get_untracked()).then(|| opened.clone()));
    let (value, choices_id) = (text.to_owned(), format!("{id}-uses"));
    let (focus, controls) = (format!("[id=\"{id}\"]"), choices_id.clone());
    let choices = move || is_open.get().then(|| uses(app, draft, &pointer, &value, choices_id.clone(), focus.clone()));
    view! {
        <li>
            <button type="button" class="leaf" id=id aria-expanded=move || is_open.get().to_string() aria-controls=controls on:click=toggle>
                <span class="mono">{name.to_owned()}</span>
                <span class=class>{shown}</span>
                {badges}
            </button>
            {choices}
        </li>
    }
    .into_any()
}

/// What a member can be used as. Escape, or a choice, leads back to it.
fn uses(app: App, draft: Draft, whole: &str, value: &str, id: String, focus: String) -> AnyView {
    let l = app.l();
    let pointer = untrack(|| draft.base().relative(whole));
    let focus = StoredValue::new(focus);
    let close = move || {
        draft.open.set(None);
        focus.with_value(|focus| dom::focus(focus));
    };
    let label = Field::Label(label_name(whole));
    let fields = Field::ALL.into_iter().chain([label]).map(|field| {
        let gap = format!("{{{pointer}}}");
        let (is_here, exact, is_empty) = untrack(|| {
            draft.with(|mapping| {
                let texts = field.texts(mapping);
                let exact = texts.contains(&pointer);
                (exact || texts.iter().any(|it| it.contains(&gap)), exact, texts.is_empty())
            })
        });
        let grows = matches!(field, Field::Summary | Field::Key) && !is_empty && !exact;
        let name = field.name(l);
        let words = if grows { t::add_to(l, &name) } else { name };
        let pointer = pointer.clone();
        let choose = move |_| {
            draft.reshape(|mapping| field.assign(mapping, &pointer));
            close();
        };
        view! { <button type="button" class="chip" aria-pressed=is_here.to_string() on:click=choose>{words}</button> }
    });
    let word = value.trim().to_owned();
    let test = (!word.is_empty() && word.chars().count() <= 40).then(|| {
        let (words, pointer) = (t::only_when(l, &word), pointer.clone());
        let choose = move |_| {
            draft.only_when(pointer.clone(), word.clone());
            close();
        };
        view! { <button type="button" class="chip" on:click=choose>{words}</button> }
    });
    let on_key = move |event: web_sys::KeyboardEvent| {
        if event.key() == "Escape" {
            event.stop_propagation();
            close();
        }
    };
    view! {
        <div class="uses" id=id role="group" aria-label=t::use_as(l, &pointer) on:keydown=on_key>
            <small class="muted mono">{pointer.clone()}</small>
            <div>{fields.collect_view()}{test}</div>
        </div>
    }
    .into_any()
}
