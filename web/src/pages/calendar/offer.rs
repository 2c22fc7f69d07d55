//! Offering a shift to somebody, perhaps for one of theirs.

use super::{
    Page,
    ask::{clear, ends, everybody, person, refuse, time, times, trouble},
};
use crate::{
    api,
    browser::paint::typed,
    components::painted::{labelled, menu, painted},
    markup::Node,
    text::calendar as t,
};
use leptos::{prelude::*, task::spawn_local};
use shared::{
    PersonId, Timestamp,
    api::{Gap, NewSwap, SwapRow},
};

const FIELDS: [&str; 5] = ["swap-from", "swap-until", "swap-taker", "return-from", "return-until"];
/// As the server names them.
const NAMES: [(&str, &str); 3] = [("from", FIELDS[0]), ("until", FIELDS[1]), ("taker", FIELDS[2])];

pub(super) fn form(page: Page, from: Timestamp, until: Timestamp, giver: PersonId) -> AnyView {
    let l = page.app.l();
    let of = giver.clone();
    let what = move || {
        let note = Node::new("input", "").set("type", "text").set("maxlength", "200").set("autocomplete", "off");
        let empty = |id, label| labelled(id, label, Node::new("input", "").set("type", "datetime-local"));
        let theirs = Node::new("div", "cal-times")
            .with(empty(FIELDS[3], t::return_from(l)))
            .with(empty(FIELDS[4], t::return_until(l)));
        let form = Node::new("form", "stack")
            .set("data-submit", "save")
            .set("novalidate", "")
            .with(times(page, [FIELDS[0], FIELDS[1]], [t::from(l), t::until(l)], (from, until)))
            .with(Node::of("p", "hint", t::times_in(l, &page.zone())))
            .with(labelled(FIELDS[2], t::taker(l), menu(everybody(page, t::choose(l), Some(&of)), "")))
            .with(Node::new("details", "").with(Node::of("summary", "", t::in_return(l))).with(theirs))
            .with(labelled("swap-note", t::note(l), note))
            .with(trouble())
            .with(ends(page, t::offer(l)));
        vec![form]
    };
    painted("", what, move |act, _| match act {
        "save" => save(page, giver.clone()),
        _ => page.asked.open.set(false),
    })
}

fn save(page: Page, giver: PersonId) {
    let l = page.app.l();
    clear(&FIELDS);
    let (from, until) = (time(page, FIELDS[0]), time(page, FIELDS[1]));
    let (Some(from), Some(until), Some(taker)) = (from, until, person(page, FIELDS[2])) else { return };
    let in_return = if typed(FIELDS[3]).is_empty() && typed(FIELDS[4]).is_empty() {
        None
    } else {
        let (Some(from), Some(until)) = (time(page, FIELDS[3]), time(page, FIELDS[4])) else { return };
        Some(Gap { from, until })
    };
    let note = Some(typed("swap-note")).filter(|note| !note.is_empty());
    let body = NewSwap { giver: Some(giver), taker, from, until, in_return, note };
    spawn_local(async move {
        match api::post::<SwapRow>(&format!("{}/swaps", page.path()), &body).await {
            Ok(_) => {
                page.changed();
                page.app.toasts.good(t::offered(l), None);
            }
            Err(error) => refuse(page, &error, &NAMES),
        }
    });
}
