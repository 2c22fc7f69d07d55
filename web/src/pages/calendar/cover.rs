//! Making an override, and taking one back.

use super::{
    Page,
    ask::{clear, ends, everybody, person, refuse, time, times, trouble},
};
use crate::{
    api,
    browser::paint::typed,
    calendar,
    components::painted::{labelled, menu, painted},
    markup::Node,
    text::{calendar as t, oncall},
};
use leptos::{prelude::*, task::spawn_local};
use shared::{
    PersonId, Timestamp,
    api::{NewOverride, OverrideMade, OverrideRange},
    config::OverrideKind,
};

const FIELDS: [&str; 4] = ["cover-from", "cover-until", "cover-person", "cover-replaces"];
/// As the server names them.
const NAMES: [(&str, &str); 4] =
    [("from", FIELDS[0]), ("until", FIELDS[1]), ("person", FIELDS[2]), ("replaces", FIELDS[3])];
const KINDS: [(&str, OverrideKind); 3] =
    [("replace", OverrideKind::Replace), ("add", OverrideKind::Add), ("remove", OverrideKind::Remove)];

pub(super) fn form(page: Page, from: Timestamp, until: Timestamp, of: Option<PersonId>) -> AnyView {
    let l = page.app.l();
    let what = move || {
        let does = KINDS.iter().zip([t::does_replace(l), t::does_add(l), t::does_remove(l)]);
        let does = does.map(|((word, _), name)| ((*word).to_owned(), name)).collect();
        let chosen = of.as_ref().map(|of| of.to_string()).unwrap_or_default();
        let me = page.app.me().filter(|me| Some(me) != of.as_ref()).map(|me| me.0).unwrap_or_default();
        let note = Node::new("input", "").set("type", "text").set("maxlength", "200").set("autocomplete", "off");
        let form = Node::new("form", "stack")
            .set("data-submit", "save")
            .set("novalidate", "")
            .with(times(page, [FIELDS[0], FIELDS[1]], [t::from(l), t::until(l)], (from, until)))
            .with(Node::of("p", "hint", t::times_in(l, &page.zone())))
            .with(labelled(FIELDS[2], t::who(l), menu(everybody(page, t::choose(l), of.as_ref()), &me)))
            .with(labelled("cover-does", t::does(l), menu(does, "replace")))
            .with(labelled(FIELDS[3], t::instead_of(l), menu(everybody(page, t::everybody(l), None), &chosen)))
            .with(labelled("cover-note", t::note(l), note))
            .with(trouble())
            .with(ends(page, t::save_cover(l)));
        vec![form]
    };
    painted("", what, move |act, _| match act {
        "save" => save(page),
        _ => page.asked.open.set(false),
    })
}

fn save(page: Page) {
    clear(&FIELDS);
    let (from, until) = (time(page, FIELDS[0]), time(page, FIELDS[1]));
    let (Some(from), Some(until), Some(person)) = (from, until, person(page, FIELDS[2])) else { return };
    let word = typed("cover-does");
    let does = KINDS.into_iter().find(|(own, _)| *own == word).map(|(_, kind)| kind).unwrap_or_default();
    let replaces =
        Some(typed(FIELDS[3])).filter(|id| !id.is_empty() && does == OverrideKind::Replace).map(PersonId::from);
    make(page, NewOverride { does, person, replaces, from, until, note: Some(typed("cover-note")) });
}

fn make(page: Page, body: NewOverride) {
    let l = page.app.l();
    spawn_local(async move {
        match api::post::<OverrideMade>(&format!("{}/overrides", page.path()), &body).await {
            Ok(made) => {
                page.changed();
                let undo = Callback::new(move |()| remove(page, made.id.clone(), None));
                page.app.toasts.good(t::made(l), Some(undo));
            }
            Err(error) => refuse(page, &error, &NAMES),
        }
    });
}

/// An override that is there: what it says, and taking it back.
pub(super) fn shown(page: Page, cover: OverrideRange) -> AnyView {
    let l = page.app.l();
    let again = cover.clone();
    let what = move || {
        let wall = page.wall();
        let (name, does) = (
            page.name(&cover.person),
            match cover.does {
                OverrideKind::Replace => t::does_replace(l),
                OverrideKind::Add => t::does_add(l),
                OverrideKind::Remove => t::does_remove(l),
            },
        );
        let of = cover.replaces.as_ref().map(|of| oncall::covers(l, &page.name(of)));
        let times = format!("{} ({})", calendar::between(l, &wall, cover.from, cover.until), page.zone());
        let button = match &cover.id {
            Some(_) => Node::button("btn danger", "remove", 0, t::remove(l)).set("data-testid", "remove-override"),
            None => Node::of("p", "hint", t::from_config(l)),
        };
        let body = Node::new("div", "stack")
            .with(Node::of("p", "", format!("{name} {does}")))
            .with(Node::of("p", "", times))
            .maybe(of.map(|of| Node::of("p", "", of)))
            .maybe(cover.note.clone().map(|note| Node::of("p", "muted", note)))
            .with(trouble())
            .with(Node::new("div", "form-end").with(button));
        vec![body]
    };
    painted("", what, move |_, _| {
        if let Some(id) = again.id.clone() {
            remove(page, id, Some(again.clone()));
        }
    })
}

/// Takes an override back; with `again` that can be undone.
fn remove(page: Page, id: String, again: Option<OverrideRange>) {
    let l = page.app.l();
    spawn_local(async move {
        match api::delete(&format!("{}/overrides/{}", page.path(), api::query::encoded(&id))).await {
            Ok(()) => {
                page.changed();
                let undo = again.map(|it| {
                    Callback::new(move |()| {
                        let OverrideRange { does, person, replaces, from, until, note, .. } = it.clone();
                        make(page, NewOverride { does, person, replaces, from, until, note });
                    })
                });
                page.app.toasts.good(t::removed(l), undo);
            }
            Err(error) => page.app.toasts.bad(error.sentence(l)),
        }
    });
}
