//! The strips with what they are steered by, the shifts in order, and who carries how much.

use super::{Page, ask::Ask, hand};
use crate::{
    calendar::{Look, days::days, lists, picture, view::View},
    components::{
        field::segments,
        icon::Icon,
        page::card,
        painted::{drawn, painted},
        states::loaded_untyped,
    },
    format::civil::Civil,
    markup::Node,
    text::{calendar as t, oncall},
};
use leptos::prelude::*;
use shared::Timestamp;

const MINUTE_MS: i64 = 60_000;

pub(super) fn view(page: Page) -> AnyView {
    let l = page.app.l();
    let views = vec![("day", t::day(l)), ("week", t::week(l)), ("2weeks", t::fortnight(l)), ("month", t::month(l))];
    let set_view = move |word: &'static str| {
        page.show(View::of(word).unwrap_or(View::Week), page.at.get_untracked(), page.zone_word.get_untracked());
    };
    let zones = vec![("schedule", oncall::zone_schedule(l)), ("mine", oncall::zone_mine(l)), ("utc", "UTC".to_owned())];
    let set_zone = move |word: &'static str| page.show(page.view.get_untracked(), page.at.get_untracked(), word);
    let body = loaded_untyped(t::open(l), page.range.untyped(), 8, Box::new(move || shown(page)));
    view! {
        <section class="card cal">
            <div class="cal-bar">
                {painted("cal-steps", move || steps(page), move |act, _| step(page, act))}
                {segments(t::view(l), views, move || page.view.get().word(), set_view)}
                {segments(oncall::zone(l), zones, move || page.zone_word.get(), set_zone)}
            </div>
            {body}
        </section>
    }
    .into_any()
}

fn steps(page: Page) -> Vec<Node> {
    let l = page.app.l();
    let arrow = |act: &str, name: String, class: &str| {
        Node::button(&format!("btn square {class}"), act, 0, "").set("aria-label", name).with(drawn(Icon::Arrow))
    };
    let title = page.view.get().title(page.at.get(), l);
    let mut nodes = vec![
        arrow("earlier", t::earlier(l), "flip"),
        Node::button("btn", "today", 0, t::today(l)),
        arrow("later", t::later(l), ""),
        Node::of("h2", "cal-title", title).set("aria-live", "polite"),
    ];
    if page.may() {
        nodes.push(Node::button("btn primary", "cover", 0, t::cover(l)).set("data-testid", "new-override"));
    }
    nodes
}

fn step(page: Page, act: &str) {
    let (view, at) = (page.view.get_untracked(), page.at.get_untracked());
    let now = page.app.now.get_untracked();
    let at = match act {
        "earlier" => view.step(at, -1),
        "later" => view.step(at, 1),
        "today" => page.wall()(now.ms()).midnight(0),
        _ => {
            // From the next whole hour of the day shown on, or of now.
            let from = now.ms().max(at.instant(&page.wall())) + 60 * MINUTE_MS - 1;
            let from = Timestamp::from_ms(from - from.rem_euclid(60 * MINUTE_MS));
            return page.asked.ask(Ask::Cover { from, until: from.plus_ms(480 * MINUTE_MS), of: None });
        }
    };
    page.show(view, at, page.zone_word.get_untracked());
}

/// Draws what is known through one look.
fn looked(page: Page, draw: &dyn Fn(&Look<'_>) -> Vec<Node>) -> Vec<Node> {
    let (wall, me, shifts) = (page.wall(), page.app.me(), page.shifts.get());
    let Some(range) = page.range.ready() else { return Vec::new() };
    let (l, now) = (page.app.l(), page.app.now.get_untracked());
    draw(&Look { l, range: &range, shifts: &shifts, now, me: me.as_ref(), may: page.may(), wall: &wall })
}

fn shown(page: Page) -> AnyView {
    let l = page.app.l();
    // The line of now moves once a minute.
    let minute = Memo::new(move |_| page.app.now.get().ms() / MINUTE_MS);
    let strips = move || {
        minute.track();
        let (view, at) = (page.view.get(), page.at.get());
        looked(page, &|look| strips_of(look, view, at))
    };
    let list = move || looked(page, &|look| vec![lists::agenda(look)]);
    let load = move || looked(page, &|look| vec![lists::load(look)]);
    let act = move |act: &str, n: usize| pressed(page, act, n);
    let read_only = (!page.may()).then(|| view! { <p class="muted">{t::read_only(l)}</p> });
    view! {
        {hand::draggable(page, painted("cal-strips", strips, act))}
        <p class="hint">{t::legend(l)}</p>
        {read_only}
        <div class="cal-words">
            {card(t::list(l), painted("cal-agenda", list, act))}
            {card(t::load(l), view! { <p class="hint">{t::load_lead(l)}</p>{painted("", load, |_, _| ())} }.into_any())}
        </div>
    }
    .into_any()
}

fn strips_of(look: &Look<'_>, view: View, at: Civil) -> Vec<Node> {
    let (firsts, length) = view.strips(at);
    let strips: Vec<_> = firsts.into_iter().map(|first| days(look.wall, first, length)).collect();
    let mut nodes: Vec<Node> =
        strips.iter().enumerate().map(|(number, days)| picture::strip(look, days, number)).collect();
    if look.shifts.is_empty() {
        nodes.insert(0, Node::of("p", "notice bad", t::nothing(look.l)));
    }
    nodes.extend(strips.iter().flat_map(|days| lists::clock_words(look, days)));
    nodes
}

/// A shift, a gap or an override was chosen.
fn pressed(page: Page, act: &str, n: usize) {
    let now = page.app.clock();
    let Some(range) = page.range.ready() else { return };
    let asked = match act {
        "shift" => page.shifts.get_untracked().get(n).map(|shift| Ask::Cover {
            from: shift.from.max(now),
            until: shift.until,
            of: Some(shift.person.clone()),
        }),
        "gap" => range.gaps.get(n).map(|gap| Ask::Cover { from: gap.from.max(now), until: gap.until, of: None }),
        "override" => range.overrides.get(n).cloned().map(Ask::Override),
        _ => None,
    };
    if let Some(ask) = asked {
        page.asked.ask(ask);
    }
}
