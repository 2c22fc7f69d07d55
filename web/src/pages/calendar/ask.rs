//! The one dialog of the calendar, and how its fields say what is wrong with them.

use super::{Page, cover, offer};
use crate::{
    api::ApiError,
    components::{field::segments, modal::modal},
    format::civil::Civil,
    text::{calendar as t, frame},
};
use leptos::prelude::*;
use shared::{
    PersonId, Timestamp,
    api::{OverrideRange, Role},
};

use crate::{browser::paint::typed, markup::Node};

/// What is being asked.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Ask {
    /// Who takes this over; `of` has it now, nobody in particular when absent.
    Cover { from: Timestamp, until: Timestamp, of: Option<PersonId> },
    /// An override that is there.
    Override(OverrideRange),
}

#[derive(Clone, Copy)]
pub(super) struct Asked {
    pub(super) ask: RwSignal<Option<Ask>>,
    pub(super) open: RwSignal<bool>,
    /// `cover` or `offer`.
    how: RwSignal<&'static str>,
}

impl Asked {
    pub(super) fn new() -> Self {
        Self { ask: RwSignal::new(None), open: RwSignal::new(false), how: RwSignal::new("cover") }
    }

    pub(super) fn ask(self, ask: Ask) {
        self.how.set("cover");
        self.ask.set(Some(ask));
        self.open.set(true);
    }
}

pub(super) fn dialog(page: Page) -> AnyView {
    let l = page.app.l();
    let asked = page.asked;
    let title = move || match asked.ask.get() {
        Some(Ask::Cover { of: Some(person), .. }) => t::cover_of(l, &page.name(&person)),
        Some(Ask::Override(_)) => t::cover_short(l),
        _ => t::cover(l),
    };
    let content = move || match asked.ask.get_untracked() {
        Some(Ask::Override(cover)) => cover::shown(page, cover),
        Some(Ask::Cover { from, until, of }) => {
            // One's own shift can be offered; an administrator speaks for everybody.
            let offers = of.is_some() && (of == page.app.me() || page.app.role() == Role::Admin);
            let ways = vec![("cover", t::cover_short(l)), ("offer", t::swap(l))];
            let tabs =
                offers.then(|| segments(t::does(l), ways, move || asked.how.get(), move |word| asked.how.set(word)));
            let form = move || match (asked.how.get(), of.clone()) {
                ("offer", Some(giver)) => offer::form(page, from, until, giver),
                (_, of) => cover::form(page, from, until, of),
            };
            view! { <div class="stack">{tabs}{form}</div> }.into_any()
        }
        None => ().into_any(),
    };
    modal(asked.open, "narrow", title, content)
}

/// Fields for a stretch of time on the wall of the page's zone.
pub(super) fn times(page: Page, ids: [&'static str; 2], labels: [String; 2], span: (Timestamp, Timestamp)) -> Node {
    let wall = page.wall();
    let field = |id, label: &str, at: Timestamp| {
        let input = Node::new("input", "").set("type", "datetime-local").set("value", wall(at.ms()).field());
        crate::components::painted::labelled(id, label.to_owned(), input)
    };
    Node::new("div", "cal-times").with(field(ids[0], &labels[0], span.0)).with(field(ids[1], &labels[1], span.1))
}

/// What a time field says, or nothing and a word beside it.
pub(super) fn time(page: Page, id: &str) -> Option<Timestamp> {
    let wall = Civil::parse(&typed(id)).map(|wall| Timestamp::from_ms(wall.instant(&page.wall())));
    if wall.is_none() {
        say(id, &t::need_time(page.app.l()));
    }
    wall
}

/// Who was chosen, or nothing and a word beside the field.
pub(super) fn person(page: Page, id: &str) -> Option<PersonId> {
    let chosen = typed(id);
    if chosen.is_empty() {
        say(id, &t::need_person(page.app.l()));
        return None;
    }
    Some(PersonId::from(chosen))
}

/// Everybody, with a first choice that is nobody.
pub(super) fn everybody(page: Page, nobody: String, without: Option<&PersonId>) -> Vec<(String, String)> {
    let mut options = vec![(String::new(), nobody)];
    for row in page.everybody() {
        if Some(&row.id) != without {
            options.push((row.id.to_string(), row.name));
        }
    }
    options
}

/// Cancel and go on.
pub(super) fn ends(page: Page, go_on: String) -> Node {
    Node::new("div", "form-end")
        .with(Node::button("btn", "close", 0, frame::cancel(page.app.l())))
        .with(Node::of("button", "btn primary", go_on).set("data-testid", "ask-go"))
}

/// Where what concerns no field is said.
pub(super) fn trouble() -> Node {
    Node::new("p", "bad").set("id", "ask-error").set("role", "alert")
}

/// Forgets what was said before.
pub(super) fn clear(ids: &[&str]) {
    for id in ids {
        say(id, "");
    }
    say("ask", "");
}

/// Says what the server refused beside its field, or below the form.
pub(super) fn refuse(page: Page, error: &ApiError, fields: &[(&str, &str)]) {
    page.app.noticed(error);
    let sentence = error.sentence(page.app.l());
    let findings = error.findings().into_iter().map(|finding| finding.message).collect::<Vec<_>>().join(" ");
    let sentence = format!("{sentence} {findings}");
    let field = fields.iter().find(|(name, _)| error.field() == Some(name)).map_or("ask", |(_, id)| id);
    say(field, sentence.trim());
}

/// A word beside a field, which then is marked and looked at.
fn say(id: &str, what: &str) {
    let element = |id: &str| document().get_element_by_id(id);
    if let Some(place) = element(&format!("{id}-error")) {
        place.set_text_content(Some(what));
    }
    let Some(input) = element(id) else { return };
    if what.is_empty() {
        drop(input.remove_attribute("aria-invalid"));
    } else {
        drop(input.set_attribute("aria-invalid", "true"));
        crate::browser::dom::focus(&format!("#{id}"));
    }
}
