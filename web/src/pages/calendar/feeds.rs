//! Addresses that calendar programs read: making one, which is shown once, and revoking it.

use super::Page;
use crate::{
    api,
    components::{
        copy::copy_button,
        page,
        painted::painted,
        states::{empty, loaded_untyped},
    },
    markup::Node,
    state::Remote,
    text::{calendar as t, frame},
};
use leptos::{prelude::*, task::spawn_local};
use shared::api::{CalendarMade, CalendarOf, CalendarRow, List, NewCalendar, Role};

pub(super) fn card(page: Page) -> AnyView {
    let l = page.app.l();
    let feeds = Remote::<List<CalendarRow>>::new("/api/v1/calendars");
    let made = RwSignal::new(None::<String>);
    let body = loaded_untyped(
        t::feeds(l),
        feeds.untyped(),
        2,
        Box::new(move || {
            if rows(page, feeds).is_empty() {
                return empty(t::no_feeds(l), ().into_any());
            }
            let what = move || {
                let items = rows(page, feeds).iter().map(|row| line(page, row)).collect();
                vec![Node::new("ul", "lines-list").set("data-testid", "feeds").all(items)]
            };
            painted("", what, move |_, n| revoke(page, feeds, n))
        }),
    );
    let shown = move || {
        made.get().map(|url| {
            let copied = url.clone();
            view! {
                <p class="hint">{t::feed_once(l)}</p>
                <div class="secret"><code class="mono" data-testid="feed-address">{url}</code>{copy_button(frame::copy(l), move || copied.clone())}</div>
            }
        })
    };
    let new = move || {
        let mine = page.app.me().map(|_| Node::button("btn", "mine", 0, t::feed_mine(l)));
        let schedule = Node::button("btn", "schedule", 0, t::feed_schedule(l)).set("data-testid", "new-feed");
        mine.into_iter().chain(std::iter::once(schedule)).collect()
    };
    let make = move |act: &str, _| {
        let of = match page.app.me() {
            Some(me) if act == "mine" => CalendarOf::Person(me),
            _ => CalendarOf::Schedule(page.schedule.get_value()),
        };
        spawn_local(async move {
            match api::post::<CalendarMade>("/api/v1/calendars", &NewCalendar { of }).await {
                Ok(feed) => {
                    made.try_set(Some(feed.url));
                    feeds.reload();
                }
                Err(error) => page.app.toasts.bad(error.sentence(l)),
            }
        });
    };
    let body = view! {
        <p class="hint">{t::feeds_lead(l)}</p>
        {body}
        <div class="stack" role="status">{shown}</div>
        {painted("cal-go", new, make)}
    };
    page::card(t::feeds(l), body.into_any())
}

/// Of this schedule, and one's own.
fn rows(page: Page, feeds: Remote<List<CalendarRow>>) -> Vec<CalendarRow> {
    let (schedule, me) = (page.schedule.get_value(), page.app.me());
    let ours = |of: &CalendarOf| match of {
        CalendarOf::Schedule(id) => *id == schedule,
        CalendarOf::Person(id) => Some(id) == me.as_ref(),
    };
    let mut rows = feeds.ready().map(|list| list.items).unwrap_or_default();
    rows.retain(|row| ours(&row.of));
    rows
}

fn line(page: Page, row: &CalendarRow) -> Node {
    let l = page.app.l();
    let of = match &row.of {
        CalendarOf::Schedule(_) => t::feed_of_schedule(l),
        CalendarOf::Person(id) => t::feed_of_person(l, &page.name(id)),
    };
    let ago = |at| shared::text::span(l, page.app.now.get_untracked().ms_since(at));
    let used = row.last_used_at.map_or_else(|| t::feed_never(l), |at| t::feed_used(l, &ago(at)));
    let body = Node::new("span", "grow")
        .with(Node::of("strong", "block", of))
        .with(Node::of("small", "block mono muted", format!("{}…", row.hint)))
        .with(Node::of("small", "block muted", format!("{} · {used}", row.created_by)));
    let own = page.app.info().is_some_and(|info| info.login == row.created_by) || page.app.role() == Role::Admin;
    let number = usize::try_from(row.id).unwrap_or(0);
    let revoke = own.then(|| Node::button("btn small danger", "revoke", number, t::revoke(l)));
    Node::new("li", "").with(body).maybe(revoke)
}

fn revoke(page: Page, feeds: Remote<List<CalendarRow>>, id: usize) {
    let l = page.app.l();
    spawn_local(async move {
        match api::delete(&format!("/api/v1/calendars/{id}")).await {
            Ok(()) => {
                feeds.reload();
                page.app.toasts.good(t::revoked(l), None);
            }
            Err(error) => page.app.toasts.bad(error.sentence(l)),
        }
    });
}
