//! Swaps of the schedule: those that wait for an answer first.

use super::Page;
use crate::{
    api, calendar,
    components::{
        page,
        painted::painted,
        states::{empty, loaded_untyped},
    },
    markup::Node,
    order::sorted,
    text::calendar as t,
};
use leptos::{prelude::*, task::spawn_local};
use shared::api::{Role, SwapRow, SwapState};

/// Decided ones that are still told.
const DECIDED: usize = 5;

pub(super) fn card(page: Page) -> AnyView {
    let l = page.app.l();
    let body = loaded_untyped(
        t::swaps(l),
        page.swaps.untyped(),
        2,
        Box::new(move || {
            if rows(page).is_empty() {
                return empty(t::no_swaps(l), ().into_any());
            }
            let what = move || {
                let wall = page.wall();
                let items = rows(page).into_iter().map(|row| line(page, &row, &wall)).collect();
                vec![Node::new("ul", "lines-list").set("data-testid", "swaps").all(items)]
            };
            painted("", what, move |act, n| decide(page, act, n))
        }),
    );
    page::card(t::swaps(l), body)
}

/// Of this schedule.
fn rows(page: Page) -> Vec<SwapRow> {
    let own = page.schedule.get_value();
    let mut rows = page.swaps.ready().map(|list| list.items).unwrap_or_default();
    rows.retain(|row| row.schedule == own);
    let (open, decided): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row.state == SwapState::Offered);
    let open = sorted(open, |a, b| a.from.cmp(&b.from));
    open.into_iter().chain(decided.into_iter().take(DECIDED)).collect()
}

fn line(page: Page, row: &SwapRow, wall: &dyn Fn(i64) -> crate::format::civil::Civil) -> Node {
    let l = page.app.l();
    let between = |from, until| calendar::between(l, wall, from, until);
    let sentence = t::swap_line(l, &page.name(&row.giver), &page.name(&row.taker), &between(row.from, row.until));
    let in_return = row.in_return.as_ref().map(|it| t::swap_return(l, &between(it.from, it.until)));
    let state = match row.state {
        SwapState::Offered => t::state_offered(l),
        SwapState::Accepted => t::state_accepted(l),
        SwapState::Declined => t::state_declined(l),
    };
    let body = Node::new("span", "grow")
        .with(Node::of("strong", "block", sentence))
        .maybe(in_return.map(|text| Node::of("small", "block", text)))
        .maybe(row.note.clone().map(|note| Node::of("small", "block muted", note)))
        .with(Node::of("small", "block muted", state));
    let (me, admin) = (page.app.me(), page.app.role() == Role::Admin);
    let is_open = row.state == SwapState::Offered && page.may();
    let (takes, gives) = (me.as_ref() == Some(&row.taker), me.as_ref() == Some(&row.giver));
    let number = usize::try_from(row.id).unwrap_or(0);
    let accept =
        (is_open && (takes || admin)).then(|| Node::button("btn small primary", "accept", number, t::accept(l)));
    let word = if gives { t::take_back(l) } else { t::decline(l) };
    let decline = (is_open && (takes || gives || admin)).then(|| Node::button("btn small", "decline", number, word));
    Node::new("li", "").with(body).maybe(accept).maybe(decline)
}

fn decide(page: Page, act: &str, id: usize) {
    let l = page.app.l();
    let path = format!("/api/v1/swaps/{id}/{act}");
    spawn_local(async move {
        match api::post::<SwapRow>(&path, &()).await {
            Ok(row) => {
                page.changed();
                let word = if row.state == SwapState::Accepted { t::made(l) } else { t::state_declined(l) };
                page.app.toasts.good(word, None);
            }
            Err(error) => {
                page.app.noticed(&error);
                page.app.toasts.bad(error.sentence(l));
                page.swaps.reload();
            }
        }
    });
}
