//! What a replay tells: first what would be lost, then whom it would page more or less, with examples.

use super::replay::{Replayed, Totals};
use crate::{
    components::{
        badge::badge,
        icon::{Icon, icon},
        time::wall,
    },
    format::grouped,
    state::App,
    text::{routes as t, words},
};
use leptos::prelude::*;
use shared::{
    PersonId, Recipient,
    api::{LostAlert, PageChange, ReplayAlert, ReplayDiff, ReplayPage},
    config::Language,
};
use std::collections::BTreeMap;

type Names = BTreeMap<PersonId, String>;

/// Examples of each kind.
const SHOWN: usize = 5;

pub(super) fn told(app: App, names: &Names, replayed: &Replayed) -> AnyView {
    let l = app.l();
    let (before, Some(after), Some(diff)) = (&replayed.running, &replayed.draft, &replayed.diff) else {
        return ().into_any();
    };
    let through = t::through(l, &grouped(before.messages));
    let body = if is_nothing(diff) {
        view! { <p class="notice good">{icon(Icon::Check)}<strong>{t::nothing_changes(l)}</strong></p> }.into_any()
    } else {
        view! {
            {lost(app, names, diff)}
            {sums(l, before, after, diff)}
            {people(l, names, diff)}
            {examples(app, names, t::dropped(l, &grouped(diff.lost_pages)), &diff.dropped)}
            {examples(app, names, t::gained(l, &grouped(diff.gained_pages)), &diff.gained)}
        }
        .into_any()
    };
    let cut = (before.cut || after.cut).then(|| view! { <p class="notice warn">{t::cut(l)}</p> });
    view! { <p class="muted">{through}</p>{body}{cut} }.into_any()
}

fn is_nothing(diff: &ReplayDiff) -> bool {
    diff.lost_total == 0
        && diff.found_total == 0
        && diff.gained_pages == 0
        && diff.lost_pages == 0
        && diff.moved_pages == 0
}

fn lost(app: App, names: &Names, diff: &ReplayDiff) -> AnyView {
    let l = app.l();
    if diff.lost_total == 0 {
        return view! { <p class="notice good">{icon(Icon::Check)}<strong>{t::none_lost(l)}</strong></p> }.into_any();
    }
    let p0 = grouped(diff.lost_p0);
    let title = match diff.lost_total {
        1 => t::lost_one(l, &p0),
        n => t::lost(l, &grouped(n), &p0),
    };
    let line = |it: &LostAlert| {
        let whom: Vec<String> = it.today.iter().map(|who| words::recipient(names, who)).collect();
        let why = t::no_longer(l, &shared::text::unpaged(l, it.why), &whom.join(", "));
        view! { <li>{alert(l, &it.alert)}<small>{why}</small></li> }
    };
    let rows = diff.lost.iter().take(SHOWN).map(line).collect_view();
    let more = (diff.lost_total > SHOWN as u64).then(|| view! { <p class="muted">{t::only_first(l, SHOWN)}</p> });
    view! {
        <div class="notice bad" role="alert" data-testid="replay-lost">
            {icon(Icon::Warning)}
            <div><strong>{title}</strong><ul class="reasons">{rows}</ul>{more}</div>
        </div>
    }
    .into_any()
}

/// The alert, with the incident it really went to, or else the message it came in.
fn alert(l: Language, it: &ReplayAlert) -> impl IntoView + use<> {
    let link = match it.incident {
        Some(incident) => format!("/incidents/{incident}"),
        None => format!("/messages?id={}", it.message),
    };
    view! {
        {badge(l, it.severity)} " "
        <a href=link>{it.host.clone()} " " {it.title.clone()}</a> " "
        <small>{wall(it.at)}</small>
    }
}

fn sums(l: Language, before: &Totals, after: &Totals, diff: &ReplayDiff) -> impl IntoView + use<> {
    let changed = |before: u64, after: u64| t::from_to(l, &grouped(before), &grouped(after));
    let found = (diff.found_total > 0).then(|| view! { <p>{t::found(l, &grouped(diff.found_total))}</p> });
    let moved = (diff.moved_pages > 0).then(|| view! { <p>{t::moved(l, &grouped(diff.moved_pages))}</p> });
    view! {
        <dl class="facts-grid" data-testid="replay-sums">
            <div><dt>{t::all_pages(l)}</dt><dd>{changed(before.pages, after.pages)}</dd></div>
            <div><dt>{t::night_pages(l)}</dt><dd>{changed(before.night, after.night)}</dd></div>
        </dl>
        {found}{moved}
    }
}

fn people(l: Language, names: &Names, diff: &ReplayDiff) -> Option<AnyView> {
    let differs = |it: &&PageChange| (it.pages, it.night) != (it.draft_pages, it.draft_night);
    let changed: Vec<&PageChange> = diff.people.iter().filter(differs).collect();
    if changed.is_empty() {
        return None;
    }
    let row = |it: &&PageChange| {
        let cell = |before: u64, after: u64| {
            let class = if after > before { "num more" } else { "num" };
            view! { <td class=class>{t::from_to(l, &grouped(before), &grouped(after))}</td> }
        };
        view! { <tr><th scope="row">{who(names, &it.recipient)}</th>{cell(it.pages, it.draft_pages)}{cell(it.night, it.draft_night)}</tr> }
    };
    let rows = changed.iter().map(row).collect_view();
    Some(
        view! {
            <div class="wide-table" tabindex="0" role="region" aria-label=t::by_person(l) data-testid="replay-people">
                <table>
                    <thead><tr><th>{t::who(l)}</th><th>{t::all_pages(l)}</th><th>{t::night_pages(l)}</th></tr></thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        }
        .into_any(),
    )
}

fn who(names: &Names, recipient: &Recipient) -> String {
    words::recipient(names, recipient)
}

fn examples(app: App, names: &Names, title: String, pages: &[ReplayPage]) -> Option<AnyView> {
    if pages.is_empty() {
        return None;
    }
    let l = app.l();
    let line = |page: &ReplayPage| {
        let paged = t::page_line(l, &who(names, &page.recipient), page.policy.as_str(), page.level + 1);
        view! { <li>{alert(l, &page.alert)}<small>{paged}</small></li> }
    };
    let rows = pages.iter().take(SHOWN).map(line).collect_view();
    let more = (pages.len() > SHOWN).then(|| view! { <p class="muted">{t::only_first(l, SHOWN)}</p> });
    Some(view! { <details><summary>{title}</summary><ul class="reasons">{rows}</ul>{more}</details> }.into_any())
}
